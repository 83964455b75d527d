"""Rebuilds a lost store: finds what stands for what in both books, and links it.

Purchase orders (bills, vendor credits, bill payments) carry the id of their BILL record in their note;
vendors are found by the orders of their bills, else by name and details. Nothing is written to QuickBooks.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from target_quickbooks.adoption.held import order_link, payment_link, vendor_link
from target_quickbooks.adoption.likeness import BillVendor, QuickBooksVendor, quickbooks_vendor
from target_quickbooks.adoption.pairing import Key, Pairs, pair_vendors
from target_quickbooks.adoption.reading import VENDOR, pages, read_bill_vendor
from target_quickbooks.adoption.records import Records
from target_quickbooks.adoption.relinking import (
    BillRelinking,
    CreditRelinking,
    LinkingOutlet,
    OrderRelinking,
    Relinked,
    VendorRelinking,
)
from target_quickbooks.changes import Submission
from target_quickbooks.errors import SettingsError
from target_quickbooks.ledger import CREDITS, LEARNED_STREAMS, LastingLedger
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.bill_payment import ENTITY as PAYMENT
from target_quickbooks.mapping.bill_payment import is_voided_payment
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.purchase_order import distinct_document_number
from target_quickbooks.memory import REFERENCE_STREAMS, LastingMemory
from target_quickbooks.outcomes import Outcomes
from target_quickbooks.planning import Change, Item, Operation
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.reconcile.documents import (
    BillDocument,
    read_bill_document,
    read_held_vendor,
    read_order,
)
from target_quickbooks.reconcile.staging import Staging
from target_quickbooks.report import RunReport
from target_quickbooks.settings import Settings
from target_quickbooks.steps.learning_step import BILL_PAYMENTS
from target_quickbooks.store import link_table
from target_quickbooks.store.database import Store
from target_quickbooks.transaction import BILL, PURCHASE_ORDER, VENDOR_CREDIT

_NOWHERE = "not found, so the next run makes it; if it was merged into another one, say --same-as"
_REASON = "found again for a store that was lost"


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a person should look at."""

    stream: str
    bill_id: str
    label: str
    quickbooks_id: str
    what: str


@dataclass(slots=True)
class Found:
    """What can be linked.

    Attributes:
        vendors: QuickBooks id by organization and BILL id.
        orders: Likewise, of bills.
        credits: Likewise, of vendor credits that are such in QuickBooks.
        payments: Likewise, of payments that are such in QuickBooks.
        shared: Vendors that are one with another BILL vendor in QuickBooks.
        linked: How many records are linked already, by stream.
        missing: How many active vendors, and bills, were not found in QuickBooks, by stream.
        marked: How many purchase orders carry ids of an organization, by organization.
        unmarked: How many purchase orders carry none.
        doubts: What a person should look at.
        noun: What a person calls what bills become.
    """

    vendors: dict[Key, str] = field(default_factory=dict)
    orders: dict[Key, str] = field(default_factory=dict)
    credits: dict[Key, str] = field(default_factory=dict)
    payments: dict[Key, str] = field(default_factory=dict)
    shared: set[Key] = field(default_factory=set)
    linked: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)
    unmarked: int = 0
    doubts: list[Doubt] = field(default_factory=list)
    noun: str = PURCHASE_ORDER.noun


@dataclass(frozen=True, slots=True)
class _Order:
    """An order that carries a mark."""

    quickbooks_id: str
    vendor_id: str
    number: str


class Rebuild:
    """Both books, and what was found in them."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        client: QuickBooksClient,
        records: Records,
        staging: Staging,
        now: Callable[[], dt.datetime],
        overwrites: bool = False,
        told: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._settings = settings
        self._kind = BILL if settings.policies.posts_bills else PURCHASE_ORDER
        self.found = Found(noun=self._kind.noun)
        self._store = store
        self._client = client
        self._directory = Directory(client)
        self._records = records
        self._staging = staging
        self._now = now
        self._overwrites = overwrites
        self._told = told
        self._marked: defaultdict[Key, list[_Order]] = defaultdict(list)
        self._held: dict[str, QuickBooksVendor] = {}
        self._witnesses: defaultdict[Key, Counter[str]] = defaultdict(Counter)

    def survey(self) -> Found:
        """Read QuickBooks, and find what belongs to BILL's records."""
        self._read_quickbooks()
        for organization_id in self._records.organizations():
            company = Company(self._settings.realm_id, organization_id)
            for portion in self._records.portions(organization_id, "bills"):
                self._find_orders(company, portion)
        organizations = set(self._records.organizations())
        for (organization_id, bill_id), orders in sorted(self._marked.items()):
            if organization_id in organizations:
                self._doubt_unknown(bill_id, orders)
        self._find_vendors()
        if self._kind is BILL:
            self._find_more(VENDOR_CREDIT.entity, CREDITS, self.found.credits)
            self._find_more(PAYMENT, BILL_PAYMENTS, self.found.payments)
        return self.found

    def link(self, *, run_id: str, trigger: str, sends: bool) -> Relinked:
        """Link what was found.

        Args:
            run_id: Of this work, in the history.
            trigger: Who or what started it.
            sends: Whether the next run sends BILL's values where QuickBooks holds others.
        """
        report = RunReport()
        outcomes = Outcomes(store=self._store, report=report, run_id=run_id, trigger=trigger, now=self._now)
        relinked = Relinked(live=self._live, sends=sends, reason=_REASON)
        memory, ledger = LastingMemory(self._store), LastingLedger(self._store, self._now)
        parts: dict[str, Any] = {
            "store": self._store,
            "directory": self._directory,
            "writer": LinkingOutlet(outcomes, self._links),
            "policies": self._settings.policies,
            "report": report,
            "memory": memory,
            "ledger": ledger,
            "relinked": relinked,
        }
        vendors = VendorRelinking(**parts)
        orders = (BillRelinking if self._kind is BILL else OrderRelinking)(**parts)
        credits_ = CreditRelinking(**parts)
        for organization_id in self._records.organizations():
            company = Company(self._settings.realm_id, organization_id)
            for stream in sorted(REFERENCE_STREAMS | {"organization"}):
                for portion in self._records.portions(organization_id, stream):
                    memory.remember({(organization_id, stream): portion})
            # Before orders are mapped, so that what payments make of them is part of what was last sent.
            for stream in ("bills", *sorted(LEARNED_STREAMS)):
                for portion in self._records.portions(organization_id, stream):
                    ledger.learn(company, {stream: portion})
            for portion in self._records.portions(organization_id, "vendors"):
                vendors.write(company, self._proposed(self.found.vendors, company, portion))
            for portion in self._records.portions(organization_id, "bills"):
                orders.write(company, self._proposed(self.found.orders, company, portion))
            for portion in self._records.portions(organization_id, CREDITS):
                credits_.write(company, self._proposed(self.found.credits, company, portion))
        self._link_payments(outcomes, relinked)
        return relinked

    def _read_quickbooks(self) -> None:
        profile = self._directory.company()
        for page in pages(self._client, VENDOR):
            self._held |= {str(row["Id"]): quickbooks_vendor(row, profile) for row in page}
            self._staging.put_held(("", read_held_vendor(row, profile)) for row in page)
        for page in pages(self._client, self._kind.entity):
            orders = [read_order(row, profile, self._kind) for row in page]
            self._staging.put_orders(orders)
            for order in orders:
                if order.mark is None:
                    self.found.unmarked += 1
                    continue
                self.found.marked[order.mark[0]] += 1
                self._marked[order.mark].append(_Order(order.quickbooks_id, order.vendor_id, order.number))

    def _find_orders(self, company: Company, portion: Sequence[Mapping[str, Any]]) -> None:
        bills = [read_bill_document(record, self._settings.policies, "") for record in portion]
        linked = self._linked(company, self._kind.entity, [bill.bill_id for bill in bills])
        chosen: dict[str, _Order] = {}
        for bill in bills:
            key = (company.organization_id, bill.bill_id)
            orders = self._marked.pop(key, [])
            if orders:
                order = self._choose(bill, orders)
                self._witnesses[company.organization_id, bill.vendor_id][order.vendor_id] += 1
                chosen[bill.bill_id] = order
            elif bill.bill_id not in linked and not bill.reason:
                self.found.missing["bills"] += 1
        self.found.linked["bills"] += len(linked)
        owners = self._owners(self._kind.entity, [order.quickbooks_id for order in chosen.values()])
        for bill in bills:
            found = chosen.get(bill.bill_id)
            if found is None or bill.bill_id in linked:
                continue
            owner = owners.get(found.quickbooks_id, bill.bill_id)
            if owner != bill.bill_id:
                what = f"its {self._kind.short} is linked with bill {owner}; not linked"
                self._doubt("bills", bill.bill_id, bill.label, found.quickbooks_id, what)
            else:
                self.found.orders[company.organization_id, bill.bill_id] = found.quickbooks_id

    def _choose(self, bill: BillDocument, orders: Sequence[_Order]) -> _Order:
        """Of several orders that carry the id of one bill, the one of its number, else the oldest."""
        numbers = {bill.number, distinct_document_number(bill.number, bill.bill_id)} if bill.number else set()
        ranked = sorted(orders, key=lambda one: (one.number not in numbers, _age(one.quickbooks_id)))
        first, *others = ranked
        if others:
            ids = ", ".join(one.quickbooks_id for one in others)
            what = f"{self._kind.noun}s {ids} carry its id, too; {first.quickbooks_id} is taken for it"
            self._doubt("bills", bill.bill_id, bill.label, first.quickbooks_id, what)
        return first

    def _doubt_unknown(self, bill_id: str, orders: Sequence[_Order]) -> None:
        for order in orders:
            label = f"{self._kind.noun} '{order.number or order.quickbooks_id}'"
            what = "carries the id of a bill that is not among BILL's records; not linked"
            self._doubt("bills", bill_id, label, order.quickbooks_id, what)

    def _find_vendors(self) -> None:
        vendors: list[BillVendor] = []
        linked: set[Key] = set()
        profile = self._directory.company()
        for organization_id in self._records.organizations():
            company = Company(self._settings.realm_id, organization_id)
            for portion in self._records.portions(organization_id, "vendors"):
                read = [
                    one for record in portion if (one := read_bill_vendor(organization_id, record, profile))
                ]
                known = self._linked(company, VENDOR, [one.bill_id for one in read])
                linked |= {(organization_id, bill_id) for bill_id in known}
                vendors += [one for one in read if one.bill_id not in known]
        taken = self._owners(VENDOR, list(self._held)) if not self._overwrites else {}
        self._check_told({one.bill_id for one in vendors} | {bill_id for _, bill_id in linked})
        pairs = pair_vendors(vendors, self._held, self._witnesses, taken, self._told)
        self.found.vendors, self.found.shared = pairs.found, pairs.shared
        self.found.shared |= {key for key, one in pairs.found.items() if one in taken}
        self.found.linked["vendors"] = len(linked)
        self._tell(vendors, pairs)

    def _check_told(self, bill_ids: AbstractSet[str]) -> None:
        """Make sure that what a person told is about vendors that there are.

        Raises:
            SettingsError: One of them is not there.
        """
        for bill_id, quickbooks_id in self._told.items():
            if bill_id not in bill_ids:
                raise SettingsError(f"--same-as: there is no vendor {bill_id} among BILL's records.")
            if quickbooks_id not in self._held:
                raise SettingsError(f"--same-as: there is no vendor {quickbooks_id} in QuickBooks.")

    def _tell(self, vendors: Sequence[BillVendor], pairs: Pairs) -> None:
        for vendor in vendors:
            quickbooks_id = pairs.found.get(vendor.key, "")
            if not quickbooks_id and not vendor.archived:
                self.found.missing["vendors"] += 1
                pairs.doubts.setdefault(vendor.key, _NOWHERE)
            if doubt := pairs.doubts.get(vendor.key):
                self._doubt("vendors", vendor.bill_id, f"vendor '{vendor.name}'", quickbooks_id, doubt)

    def _doubt(self, stream: str, bill_id: str, label: str, quickbooks_id: str, what: str) -> None:
        self.found.doubts.append(Doubt(stream, bill_id, label, quickbooks_id, what))

    def _linked(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """Links that are there, and stay."""
        if self._overwrites:
            return {}
        with self._store.reading() as connection:
            return link_table.find(connection, company, entity, bill_ids)

    def _owners(self, entity: str, quickbooks_ids: Sequence[str]) -> dict[str, str]:
        """Which BILL record each of these objects is linked with."""
        if self._overwrites:
            return {}
        with self._store.reading() as connection:
            return link_table.owners(connection, Company(self._settings.realm_id, ""), entity, quickbooks_ids)

    @staticmethod
    def _proposed(
        found: Mapping[Key, str], company: Company, portion: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        return [record for record in portion if (company.organization_id, str(record["id"])) in found]

    def _links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """The links to be made, with what QuickBooks holds as last sent."""
        found = {VENDOR: self.found.vendors, VENDOR_CREDIT.entity: self.found.credits}.get(
            entity, self.found.orders
        )
        keys = [(company.organization_id, bill_id) for bill_id in bill_ids]
        wanted = {key: found[key] for key in keys if key in found}
        if entity == VENDOR:
            held = self._staging.held_by_id(wanted.values())
            return {
                key[1]: vendor_link(key[1], held[one].live, shared=key in self.found.shared)
                for key, one in wanted.items()
            }
        return {key[1]: order_link(key[1], self._live(entity, one), entity) for key, one in wanted.items()}

    def _live(self, entity: str, quickbooks_id: str) -> Mapping[str, Any]:
        if entity == VENDOR:
            return self._staging.held_by_id([quickbooks_id])[quickbooks_id].live
        key = quickbooks_id if entity == self._kind.entity else _staged(entity, quickbooks_id)
        return self._staging.orders_by_id([key])[key].live

    def _find_more(self, entity: str, stream: str, found: dict[Key, str]) -> None:
        """Find what else carries the id of a BILL record: of several, the newest that is in force."""
        profile = self._directory.company()
        organizations = set(self._records.organizations())
        best: dict[Key, tuple[bool, tuple[int, str]]] = {}
        for page in pages(self._client, entity):
            rows = [read_order(row, profile) for row in page]
            self._staging.put_orders(
                replace(row, quickbooks_id=_staged(entity, row.quickbooks_id)) for row in rows
            )
            for row in rows:
                rank = (not is_voided_payment(row.live), _age(row.quickbooks_id))
                if row.mark and row.mark[0] in organizations and rank > best.get(row.mark, (False, (0, ""))):
                    best[row.mark], found[row.mark] = rank, row.quickbooks_id
        for organization_id in organizations:
            company = Company(self._settings.realm_id, organization_id)
            ids = [bill_id for organization, bill_id in found if organization == organization_id]
            linked = self._linked(company, entity, ids)
            self.found.linked[stream] += len(linked)
            for bill_id in linked:
                del found[organization_id, bill_id]

    def _link_payments(self, outcomes: Outcomes, relinked: Relinked) -> None:
        """Link payments as QuickBooks holds them; the next run compares them with what BILL says."""
        for organization_id in self._records.organizations():
            company = Company(self._settings.realm_id, organization_id)
            links = [
                payment_link(bill_id, self._live(PAYMENT, quickbooks_id))
                for (organization, bill_id), quickbooks_id in self.found.payments.items()
                if organization == organization_id
            ]
            if not links:
                continue
            outcomes.silent([_linking(company, link) for link in links])
            relinked.linked[BILL_PAYMENTS] = relinked.linked.get(BILL_PAYMENTS, 0) + len(links)


def _linking(company: Company, link: Link) -> Submission:
    label = f"bill payment '{link.quickbooks_name or link.quickbooks_id}'"
    item = Item(BILL_PAYMENTS, link.bill_id, "", Mapped(PAYMENT, link.desired, label), link, "", "")
    change = Change(
        Operation.LINK,
        item,
        quickbooks_id=link.quickbooks_id,
        sync_token=link.sync_token,
        reason=_REASON,
        moved=link,
    )
    return Submission(company, {"id": link.bill_id, "organizationId": company.organization_id}, change)


def _staged(entity: str, quickbooks_id: str) -> str:
    """Under what an object is staged that is no bill: ids are unique within an entity."""
    return f"{entity} {quickbooks_id}"


def _age(quickbooks_id: str) -> tuple[int, str]:
    """QuickBooks counts its ids upwards."""
    return (int(quickbooks_id) if quickbooks_id.isdecimal() else 0), quickbooks_id
