"""Finds for every record of either side the one it belongs to, and says what is wrong with the rest.

A record belongs to the object its link names; without a link, to the one whose note carries its id. What is
like a record, but belongs to nothing, is a duplicate.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.chart import Company as Profile
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.reconcile.causes import by_id, explain_difference, explain_missing
from target_quickbooks.reconcile.comparing import (
    Rules,
    compare_order,
    compare_vendor,
    is_other_month,
    month_of,
)
from target_quickbooks.reconcile.documents import (
    BillDocument,
    HeldVendor,
    OrderDocument,
    VendorDocument,
)
from target_quickbooks.reconcile.findings import Finding, Kind
from target_quickbooks.reconcile.staging import Staging
from target_quickbooks.reconcile.totals import Totals
from target_quickbooks.store import failure_table, link_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.transaction import PURCHASE_ORDER, Transaction

VENDOR = "Vendor"


@dataclass(slots=True)
class Outcome:
    """What matching one realm brought, besides the findings that lie in the staging.

    Attributes:
        checked: Number of records of each side by kind, e.g. ``bills``.
        found: Number of findings by kind.
        known: How many of them are on record as failures.
        foreign: Number and sum by currency of orders that do not come from BILL.
        noun: What a person calls what bills become, e.g. ``purchase order``.
    """

    totals: Totals = field(default_factory=Totals)
    checked: Counter[str] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    known: int = 0
    foreign: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    noun: str = PURCHASE_ORDER.noun

    @property
    def differences(self) -> int:
        """How many findings nobody has been told of."""
        return sum(self.found.values()) - self.known


class Matching:
    """Compares what is staged."""

    def __init__(
        self,
        *,
        realm_id: str,
        store: Store,
        staging: Staging,
        profile: Profile,
        rules: Rules,
        today: dt.date,
        kind: Transaction = PURCHASE_ORDER,
    ) -> None:
        self._realm_id = realm_id
        self._store = store
        self._staging = staging
        self._profile = profile
        self._rules = rules
        self._today = today
        self._kind = kind
        self.outcome = Outcome(noun=kind.noun)

    def run(self) -> Outcome:
        """Compare everything."""
        organizations = self._staging.organizations()
        for organization_id in organizations:
            company = Company(self._realm_id, organization_id)
            with self._store.reading() as connection:
                failures = failure_table.unsettled(connection, self._store.cipher, company)
            refused = by_id(failures, "vendors")
            for vendors in self._staging.vendors(organization_id):
                self._vendors(company, vendors, refused)
            refused = by_id(failures, "bills")
            for bills in self._staging.bills(organization_id):
                self._bills(company, bills, refused)
        self._rest_of_orders(organizations)
        self._rest_of_vendors()
        return self.outcome

    def _vendors(
        self, company: Company, vendors: Sequence[VendorDocument], failures: Mapping[str, Failure]
    ) -> None:
        self.outcome.checked["vendors in BILL"] += len(vendors)
        links = self._links(company, VENDOR, [vendor.bill_id for vendor in vendors])
        held = self._staging.held_by_id(link.quickbooks_id for link in links.values())
        findings = []
        for vendor in vendors:
            link, failure = links.get(vendor.bill_id), failures.get(vendor.bill_id)
            found = held.get(link.quickbooks_id) if link else None
            finding = self._vendor(vendor, link, found, failure)
            if finding:
                findings.append(finding)
        self._keep(findings)
        matched = [(link.quickbooks_id, bill_id) for bill_id, link in links.items()]
        self._staging.match("held", matched)

    def _vendor(
        self, vendor: VendorDocument, link: Link | None, held: HeldVendor | None, failure: Failure | None
    ) -> Finding | None:
        base = Finding(
            Kind.MISSING_IN_QUICKBOOKS,
            VENDOR,
            f"vendor '{vendor.name}'",
            bill_id=vendor.bill_id,
            quickbooks_id=link.quickbooks_id if link else "",
            vendor=vendor.name,
            currency=vendor.currency,
        )
        if held is None:
            gone = vendor.archived and (link is None or not failure)
            return None if gone else explain_missing(base, link, failure)
        fields = tuple(compare_vendor(vendor, held, link))
        if not fields and not vendor.unreadable:
            return None
        finding = Finding(
            Kind.DIFFERENT,
            VENDOR,
            base.label,
            bill_id=base.bill_id,
            quickbooks_id=held.quickbooks_id,
            vendor=vendor.name,
            currency=vendor.currency,
            fields=fields,
        )
        return explain_difference(finding, link, failure, digest=vendor.digest, live=held.live)

    def _bills(
        self, company: Company, bills: Sequence[BillDocument], failures: Mapping[str, Failure]
    ) -> None:
        self.outcome.checked["bills"] += len(bills)
        ids = [bill.bill_id for bill in bills]
        links = self._links(company, self._kind.entity, ids)
        vendor_ids = [bill.vendor_id for bill in bills]
        vendor_links = self._links(company, VENDOR, vendor_ids)
        vendors = self._staging.vendors_by_id(company.organization_id, vendor_ids)
        by_link = self._staging.orders_by_id(link.quickbooks_id for link in links.values())
        by_mark = self._staging.orders_by_mark(company.organization_id, ids)
        orders: dict[str, OrderDocument] = {}
        for bill in bills:
            link = links.get(bill.bill_id)
            linked = by_link.get(link.quickbooks_id) if link else None
            order = linked or next(iter(by_mark.get(bill.bill_id, ())), None)
            if order:
                orders[bill.bill_id] = order
        self._staging.match("orders", ((order.quickbooks_id, bill_id) for bill_id, order in orders.items()))
        names = self._names(company, orders.values())
        findings: list[Finding] = []
        for bill in bills:
            vendor = vendors.get(bill.vendor_id)
            name = vendor.name if vendor else bill.vendor_name
            currency = vendor.currency if vendor else self._profile.home_currency
            order = orders.get(bill.bill_id)
            self._count(bill, order, name, currency, names)
            link, failure = links.get(bill.bill_id), failures.get(bill.bill_id)
            finding = self._bill(bill, order, link, vendor_links.get(bill.vendor_id), name, currency, failure)
            if finding:
                findings.append(finding)
        self._keep(findings)

    def _bill(
        self,
        bill: BillDocument,
        order: OrderDocument | None,
        link: Link | None,
        vendor_link: Link | None,
        vendor: str,
        currency: str,
        failure: Failure | None,
    ) -> Finding | None:
        finding = Finding(
            Kind.MISSING_IN_QUICKBOOKS,
            self._kind.entity,
            bill.label,
            bill_id=bill.bill_id,
            quickbooks_id=order.quickbooks_id if order else (link.quickbooks_id if link else ""),
            vendor=vendor,
            currency=currency,
            month=month_of(bill.date),
            bill_amount=bill.amount,
            quickbooks_amount=order.amount if order else None,
        )
        if order is None:
            return None if bill.reason else explain_missing(finding, link, failure)
        vendor_id = vendor_link.quickbooks_id if vendor_link else ""
        fields = tuple(compare_order(bill, order, link, vendor_id, vendor, self._rules))
        if not fields and not bill.unreadable:
            return None
        kind = Kind.DIFFERENT
        if any(found.field == "vendor" for found in fields):
            kind = Kind.WRONG_VENDOR
        elif any(found.field == "date" for found in fields) and is_other_month(
            bill, order, link, self._rules
        ):
            kind = Kind.WRONG_MONTH
        told = replace(finding, kind=kind, fields=fields)
        return explain_difference(
            told,
            link,
            failure,
            digest=bill.digest,
            live=order.live,
            billed_order=self._rules.policies.billed_order,
        )

    def _count(
        self,
        bill: BillDocument,
        order: OrderDocument | None,
        vendor: str,
        currency: str,
        names: Mapping[str, str],
    ) -> None:
        """Both sides of the totals; a bill out of use counts on neither, whatever became of its order."""
        totals = self.outcome.totals
        if not bill.counts:
            return
        totals.bill(vendor, currency, month_of(bill.date), bill.amount)
        if bill.open_amount:
            totals.age(currency, bill.due, bill.open_amount, self._today)
        if order:
            name = names.get(order.vendor_id, order.vendor_name)
            totals.order(name, order.currency, month_of(order.date), order.amount)

    def _names(self, company: Company, orders: Iterable[OrderDocument]) -> dict[str, str]:
        """Names of vendors as BILL has them, by QuickBooks id: both sides are summed under one name."""
        owners = self._owners(VENDOR, [order.vendor_id for order in orders])
        vendors = self._staging.vendors_by_id(company.organization_id, owners.values())
        return {
            quickbooks_id: vendors[bill_id].name
            for quickbooks_id, bill_id in owners.items()
            if bill_id in vendors
        }

    def _rest_of_orders(self, organizations: Sequence[str]) -> None:
        """Orders that belong to no bill, or to one that has another order."""
        for rows in self._staging.unmatched_orders():
            owners = self._owners(self._kind.entity, [order.quickbooks_id for order, _ in rows])
            twins = self._staging.orders_by_id(twin[0] for _, twin in rows if twin)
            marks = {order.mark for order, _ in rows if order.mark and order.mark[0] in organizations}
            known = self._staging.known_bills(marks)
            findings = []
            for order, twin in rows:
                ours = order.mark if order.mark in marks else None
                owner = owners.get(order.quickbooks_id, "")
                if ours or owner:
                    bill_id = owner or (ours[1] if ours else "")
                    findings.append(_of_ours(order, bill_id, ours in known, self._kind))
                elif twin and _is_like(order, twins[twin[0]]):
                    findings.append(_copy(order, twin, self._kind))
                elif order.mark is None:
                    number, amount = self.outcome.foreign.get(order.currency, (0, Decimal(0)))
                    self.outcome.foreign[order.currency] = (number + 1, amount + order.amount)
            for found in findings:
                self.outcome.totals.order(
                    found.vendor, found.currency, found.month, found.quickbooks_amount or Decimal(0)
                )
            self._keep(findings)

    def _rest_of_vendors(self) -> None:
        """Vendors of QuickBooks that belong to no BILL vendor."""
        for rows in self._staging.unmatched_held():
            owners = self._owners(VENDOR, [vendor.quickbooks_id for vendor, _ in rows])
            active = [(vendor, twin) for vendor, twin in rows if vendor.active]
            self._keep(
                [
                    found
                    for vendor, twin in active
                    if (found := _stray_vendor(vendor, twin, owners.get(vendor.quickbooks_id, "")))
                ]
            )

    def _keep(self, findings: Sequence[Finding]) -> None:
        self._staging.put_findings(findings)
        for found in findings:
            self.outcome.found[found.kind] += 1
            self.outcome.known += found.known

    def _links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        with self._store.reading() as connection:
            return link_table.find(connection, company, entity, bill_ids)

    def _owners(self, entity: str, quickbooks_ids: Sequence[str]) -> dict[str, str]:
        with self._store.reading() as connection:
            return link_table.owners(connection, Company(self._realm_id, ""), entity, quickbooks_ids)


def _of_ours(order: OrderDocument, bill_id: str, has_another: bool, kind: Transaction) -> Finding:  # noqa: FBT001 - of one caller
    """An order that we wrote, or a copy of one, whose bill has another order or is gone."""
    base = replace(_stray_order(order, kind), bill_id=bill_id)
    if has_another:
        return replace(
            base,
            cause=f"It is a second {kind.noun} for the same bill.",
            advice="Delete the one that is not needed in QuickBooks.",
        )
    verb = "close" if kind is PURCHASE_ORDER else "void"
    return replace(
        base,
        kind=Kind.MISSING_IN_BILL,
        cause="It was written for a bill that BILL no longer tells of.",
        advice=f"Look for the bill in BILL; if it was deleted there, {verb} the {kind.short} in QuickBooks.",
    )


def _copy(order: OrderDocument, twin: tuple[str, str], kind: Transaction) -> Finding:
    """An order typed by hand for what a bill of BILL stands for already."""
    return replace(
        _stray_order(order, kind),
        bill_id=twin[1],
        cause=f"It has vendor, amount and date or number of {kind.noun} {twin[0]}, which comes from BILL.",
        advice="If both stand for the same bill, delete this one in QuickBooks.",
    )


def _is_like(order: OrderDocument, other: OrderDocument) -> bool:
    """Whether two orders of one vendor and amount stand for one purchase."""
    same_number = bool(order.number) and order.number == other.number
    return order.status != "Closed" and order.amount != 0 and (same_number or order.date == other.date)


def _stray_order(order: OrderDocument, kind: Transaction) -> Finding:
    return Finding(
        Kind.DUPLICATE,
        kind.entity,
        sentence_start(f"{kind.noun} '{order.number or order.quickbooks_id}' of {order.vendor_name}"),
        quickbooks_id=order.quickbooks_id,
        vendor=order.vendor_name,
        currency=order.currency,
        month=month_of(order.date),
        quickbooks_amount=order.amount,
    )


def _stray_vendor(vendor: HeldVendor, twin: tuple[str, str] | None, owner: str) -> Finding | None:
    base = Finding(
        Kind.DUPLICATE,
        VENDOR,
        f"vendor '{vendor.name}'",
        bill_id=owner or (twin[1] if twin else ""),
        quickbooks_id=vendor.quickbooks_id,
        vendor=vendor.name,
        currency=vendor.currency,
    )
    if owner:
        return replace(
            base,
            kind=Kind.MISSING_IN_BILL,
            cause="It was written for a vendor that BILL no longer tells of.",
            advice="Look for the vendor in BILL.",
        )
    if twin is None:
        return None
    return replace(
        base,
        cause=f"Its name is nearly that of vendor {twin[0]}, which comes from BILL.",
        advice="If they are the same, merge the two in QuickBooks.",
    )
