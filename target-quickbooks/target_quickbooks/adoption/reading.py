"""Reads what either side holds, as far as finding one in the other goes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from target_quickbooks.adoption.likeness import BillVendor, bill_vendor
from target_quickbooks.mapping.chart import Company as Profile
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import read_vendor
from target_quickbooks.mapping.vendor import display_name, map_vendor
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.query import PAGE, select_page

VENDOR = "Vendor"
_WHERE = {VENDOR: "Active IN (true, false)"}

logger = logging.getLogger("target-quickbooks")


def pages(client: QuickBooksClient, entity: str) -> Iterator[list[Mapping[str, Any]]]:
    """All objects of an entity, inactive ones included, page by page."""
    start = 1
    while True:
        page = client.query(select_page(entity, start, where=_WHERE.get(entity, "")))
        yield page
        start += len(page)
        if start > PAGE:
            logger.info("Read %d %ss from QuickBooks.", start - 1, entity)
        if len(page) < PAGE:
            return


def read_bill_vendor(organization_id: str, record: Mapping[str, Any], profile: Profile) -> BillVendor | None:
    """A BILL vendor; by its name alone if it cannot be mapped, and None if it has none."""
    with suppress(Refusal):
        payload = map_vendor(read_vendor(record), profile).payload
        return bill_vendor(organization_id, record, payload, profile)
    name = display_name(str(record.get("name") or ""))
    return bill_vendor(organization_id, record, {"DisplayName": name}, profile) if name else None
