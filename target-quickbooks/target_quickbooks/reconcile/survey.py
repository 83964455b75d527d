"""Reads both books and has them compared: BILL's as the tap sends them, QuickBooks' page by page.

Stands where the walk stands in the other modes. Nothing is written, to QuickBooks or to the store.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from target_quickbooks.fingerprints import source_digest
from target_quickbooks.links import Company
from target_quickbooks.mapping.names import without_form
from target_quickbooks.policies import Policies
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.quickbooks.query import PAGE, select_page
from target_quickbooks.reconcile.comparing import Rules
from target_quickbooks.reconcile.documents import (
    BillDocument,
    read_bill_document,
    read_held_vendor,
    read_order,
    read_vendor_document,
)
from target_quickbooks.reconcile.matching import Matching, Outcome
from target_quickbooks.reconcile.paying import as_paid
from target_quickbooks.reconcile.staging import Staging
from target_quickbooks.store import payment_table
from target_quickbooks.store.database import Store
from target_quickbooks.transaction import BILL, PURCHASE_ORDER

WINDOW = 900
_TELL_EVERY = 10_000
_WITH_INACTIVE = "Active IN (true, false)"

logger = logging.getLogger("target-quickbooks")


class Survey:
    """Queues records as the walk does; at the end both books have been compared.

    Attributes:
        outcome: What was found, once it was.
        staging: Where the findings lie until it is closed.
    """

    def __init__(
        self,
        *,
        realm_id: str,
        store: Store,
        client: QuickBooksClient,
        directory: Directory,
        policies: Policies,
        now: Callable[[], dt.datetime],
    ) -> None:
        self.outcome: Outcome | None = None
        self.staging = Staging()
        self._realm_id = realm_id
        self._store = store
        self._client = client
        self._directory = directory
        self._policies = policies
        self._settings = repr(policies)
        self._now = now
        self._queues: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        self._queued = 0
        self._read = 0
        self._invalid: list[tuple[str, Mapping[str, Any], str]] = []

    @property
    def is_full(self) -> bool:
        """Whether a window's worth of records is queued."""
        return self._queued >= WINDOW

    @property
    def is_empty(self) -> bool:
        """Whether nothing is queued."""
        return self._queued == 0

    def take(self, stream: str, record: Mapping[str, Any]) -> None:
        """Queue a record; what is neither a vendor nor a bill is not compared."""
        if stream in {"vendors", "bills"}:
            self._queues[str(record["organizationId"]), stream].append(record)
            self._queued += 1

    def refuse(self, stream: str, record: Mapping[str, Any], reason: str) -> None:
        """Stage a record that does not fit its stream's schema as one that cannot be read."""
        if stream == "bills":
            document = BillDocument(
                bill_id=str(record["id"]),
                label=f"bill {record['id']}",
                vendor_id=str(record.get("vendorId") or ""),
                vendor_name=str(record.get("vendorName") or ""),
                unreadable=reason,
            )
            self.staging.put_bills(str(record["organizationId"]), [document])

    def flush(self) -> None:
        """Stage everything queued."""
        queues, self._queues, self._queued = self._queues, defaultdict(list), 0
        for (organization_id, stream), records in queues.items():
            before, self._read = self._read, self._read + len(records)
            if before // _TELL_EVERY != self._read // _TELL_EVERY:
                logger.info("Read %d vendors and bills from BILL.", self._read)
            if stream == "bills":
                self.staging.put_bills(organization_id, self._bills(organization_id, records))
            else:
                profile = self._directory.company()
                vendors = (
                    read_vendor_document(one, profile, self._policies, self._digest(one)) for one in records
                )
                self.staging.put_vendors(organization_id, vendors)

    def _bills(self, organization_id: str, records: Sequence[Mapping[str, Any]]) -> Iterator[BillDocument]:
        company, now = Company(self._realm_id, organization_id), self._now()
        with self._store.reading() as connection:
            accounts = payment_table.accounts(connection, company, [str(one["id"]) for one in records])
        for one in records:
            document = read_bill_document(one, self._policies, self._digest(one))
            yield as_paid(document, one, accounts.get(str(one["id"])), self._policies, now=now)

    def _digest(self, record: Mapping[str, Any]) -> str:
        return source_digest(record, self._settings, self._store.fingerprint_key)

    def finish(self) -> None:
        """Read QuickBooks, and compare."""
        self.flush()
        profile = self._directory.company()
        chart = self._directory.chart((), ())
        for page in self._pages("Vendor", where=_WITH_INACTIVE):
            held = (read_held_vendor(row, profile) for row in page)
            self.staging.put_held((without_form(vendor.name), vendor) for vendor in held)
        kind = BILL if self._policies.posts_bills else PURCHASE_ORDER
        for page in self._pages(kind.entity):
            self.staging.put_orders(read_order(row, profile, kind) for row in page)
        rules = Rules(self._policies, chart.company.book_close_date, self._directory.label)
        self.outcome = Matching(
            realm_id=self._realm_id,
            store=self._store,
            staging=self.staging,
            profile=profile,
            rules=rules,
            kind=kind,
            today=self._now().date(),
        ).run()

    def _pages(self, entity: str, *, where: str = "") -> Iterator[list[Mapping[str, Any]]]:
        start = 1
        while True:
            page = self._client.query(select_page(entity, start, where=where))
            yield page
            start += len(page)
            if start > PAGE and (start - 1) % _TELL_EVERY == 0:
                logger.info("Read %d %ss from QuickBooks.", start - 1, entity)
            if len(page) < PAGE:
                return
