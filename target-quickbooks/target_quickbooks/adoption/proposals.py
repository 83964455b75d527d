"""Reads both books for proposals: what of BILL is not linked, what of QuickBooks stands for nothing yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from target_quickbooks.adoption.likeness import BillVendor, quickbooks_vendor
from target_quickbooks.adoption.pairing import Key
from target_quickbooks.adoption.proposing import (
    OpenBill,
    OpenOrder,
    Proposal,
    propose_orders,
    propose_vendors,
)
from target_quickbooks.adoption.reading import VENDOR, pages, read_bill_vendor
from target_quickbooks.adoption.records import Records
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.chart import Company as Profile
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.reconcile.documents import Expected, read_bill_document, read_order
from target_quickbooks.settings import Settings
from target_quickbooks.store import link_table
from target_quickbooks.store.database import Store
from target_quickbooks.transaction import BILL, PURCHASE_ORDER


class Proposals:
    """Makes the proposals of a company. Nothing is written, to QuickBooks or to the store."""

    def __init__(
        self, *, settings: Settings, store: Store, client: QuickBooksClient, records: Records
    ) -> None:
        self._settings = settings
        self._store = store
        self._client = client
        self._directory = Directory(client)
        self._records = records
        self._kind = BILL if settings.policies.posts_bills else PURCHASE_ORDER

    def make(self) -> list[Proposal]:
        """All proposals, vendors first."""
        profile = self._directory.company()
        wanted, linked = self._vendors(profile)
        rows = [row for page in pages(self._client, VENDOR) for row in page]
        owned = self._owners(VENDOR, [str(row["Id"]) for row in rows])
        held = [quickbooks_vendor(row, profile) for row in rows if str(row["Id"]) not in owned]
        vendors = propose_vendors(wanted, held)
        likely: defaultdict[Key, list[str]] = defaultdict(list)
        for key, link in linked.items():
            likely[key].append(link.quickbooks_id)
        for one in vendors:
            likely[one.organization_id, one.bill_id].append(one.quickbooks_id)
        return vendors + propose_orders(self._bills(), self._orders(profile), likely)

    def _vendors(self, profile: Profile) -> tuple[list[BillVendor], dict[Key, Link]]:
        """BILL's active vendors without a link, and the links of the others."""
        wanted: list[BillVendor] = []
        linked: dict[Key, Link] = {}
        for company, portion in self._portions("vendors"):
            links = self._links(company, VENDOR, portion)
            linked |= {(company.organization_id, bill_id): link for bill_id, link in links.items()}
            new = [record for record in portion if record["id"] not in links and not record.get("archived")]
            read = (read_bill_vendor(company.organization_id, record, profile) for record in new)
            wanted += [one for one in read if one]
        return wanted, linked

    def _bills(self) -> Iterable[OpenBill]:
        """Bills that are to have an order and have none."""
        for company, portion in self._portions("bills"):
            links = self._links(company, self._kind.entity, portion)
            for record in portion:
                bill = read_bill_document(record, self._settings.policies, "")
                if bill.bill_id in links or bill.unreadable or bill.expected is not Expected.OPEN:
                    continue
                yield OpenBill(
                    organization_id=company.organization_id,
                    bill_id=bill.bill_id,
                    label=bill.label,
                    vendor_id=bill.vendor_id,
                    number=bill.number,
                    date=bill.date,
                    amount=bill.amount,
                )

    def _orders(self, profile: Profile) -> Iterable[OpenOrder]:
        """Orders that stand for no bill."""
        for page in pages(self._client, self._kind.entity):
            orders = [read_order(row, profile, self._kind) for row in page]
            owned = self._owners(self._kind.entity, [order.quickbooks_id for order in orders])
            for order in orders:
                if order.mark is None and order.quickbooks_id not in owned:
                    yield OpenOrder(
                        quickbooks_id=order.quickbooks_id,
                        vendor_id=order.vendor_id,
                        number=order.number,
                        date=order.date,
                        amount=order.amount,
                    )

    def _portions(self, stream: str) -> Iterable[tuple[Company, Sequence[Mapping[str, Any]]]]:
        for organization_id in self._records.organizations():
            for portion in self._records.portions(organization_id, stream):
                yield Company(self._settings.realm_id, organization_id), portion

    def _links(self, company: Company, entity: str, portion: Sequence[Mapping[str, Any]]) -> dict[str, Link]:
        with self._store.reading() as connection:
            return link_table.find(connection, company, entity, [str(record["id"]) for record in portion])

    def _owners(self, entity: str, quickbooks_ids: Sequence[str]) -> dict[str, str]:
        with self._store.reading() as connection:
            return link_table.owners(connection, Company(self._settings.realm_id, ""), entity, quickbooks_ids)
