"""The walk's step for bills: BILL bills of one company to planned and written QuickBooks purchase orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.chart import Chart
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.purchase_order import (
    OrderContext,
    VendorInQuickBooks,
    bill_label,
    distinct_document_number,
    map_bill,
    read_marker,
    references_of,
)
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.mapping.source import Bill, Kind, Reference, read_bill
from target_quickbooks.order_planning import plan_closed_period, plan_found_order, plan_order
from target_quickbooks.planning import Change, Item, Operation, plan_linked, refused
from target_quickbooks.policies import ArchivedBill, ArchivedVendor
from target_quickbooks.preflight import Bills
from target_quickbooks.quickbooks.faults import Recovery
from target_quickbooks.step import ENOUGH_ROUNDS, Step

ENTITY = "PurchaseOrder"
STREAM = "bills"


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the bills in hand refer to, on both sides."""

    vendors: Mapping[str, Link]
    references: Mapping[tuple[Kind, str], Reference]
    chart: Chart


@dataclass(slots=True)
class _Orders:
    """Purchase orders that already hold document numbers we would like to use."""

    by_number: Mapping[str, list[Mapping[str, Any]]]
    taken: set[str] = field(default_factory=set)

    def ours(self, company: Company, item: Item, numbers: Sequence[str]) -> Mapping[str, Any] | None:
        """The order that carries this bill's id in its note."""
        mark = (company.organization_id, item.bill_id)
        for number in numbers:
            for order in self.by_number.get(number, ()):
                if read_marker(str(order.get("PrivateNote") or "")) == mark:
                    return order
        return None

    def holder(self, number: str) -> Mapping[str, Any] | None:
        """An order, already written or planned in this run, that holds the number."""
        orders = self.by_number.get(number)
        if orders:
            return orders[0]
        return {"DocNumber": number} if number in self.taken else None


class OrderStep(Step):
    """Maps, plans and writes purchase orders."""

    stream = STREAM
    entity = ENTITY

    def write(self, company: Company, records: Sequence[Mapping[str, Any]]) -> None:
        """Bring QuickBooks in step with these bills; all outcomes are on disk on return."""
        pending = self.changed(company, records)
        if not pending:
            return
        read = [self._read(record, link) for record, link in pending]
        active = [bill for bill in read if isinstance(bill, Bill) and not bill.archived]
        if self.gate and (active or any(link for _, link in pending)):
            self.gate.open(Bills.EXPECTED if active else Bills.NONE)
        around = self._surroundings(company, active) if active else None
        items = [
            bill if isinstance(bill, Change) else self._item(company, record, link, bill, around)
            for (record, link), bill in zip(pending, read, strict=True)
        ]
        conflicts = self.writer.apply(self.submissions(company, pending, self._plan(company, items)))
        for attempt in range(1, ENOUGH_ROUNDS + 1):
            if not conflicts:
                return
            again = self._plan_again(company, conflicts)
            conflicts = self.writer.apply(again, replan=attempt < ENOUGH_ROUNDS)

    def expects(self, company: Company, records: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these bills hold one to map and write."""
        pending, _ = self.news(company, records)
        read = (self._read(record, link) for record, link in pending)
        return any(isinstance(bill, Bill) and not bill.archived for bill in read)

    def _read(self, record: Mapping[str, Any], link: Link | None) -> Bill | Change:
        try:
            return read_bill(record)
        except Refusal as refusal:
            return refused(self.bare_item(record, link), refusal)

    def _surroundings(self, company: Company, bills: Sequence[Bill]) -> _Surroundings:
        wanted = {reference for bill in bills for reference in references_of(bill)}
        wanted |= {(Kind.VENDOR, bill.vendor_id) for bill in bills}
        vendors = self.links(company, "Vendor", [bill.vendor_id for bill in bills])
        references = self.references(company, wanted)
        customers = [*_names(references, Kind.CUSTOMER, Kind.JOB), *self.policies.customer_map.values()]
        items = [*_names(references, Kind.ITEM), *self.policies.item_map.values()]
        chart = self.directory.chart(_leaves(customers), _leaves(items))
        return _Surroundings(vendors, references, chart)

    def _item(
        self,
        company: Company,
        record: Mapping[str, Any],
        link: Link | None,
        bill: Bill,
        around: _Surroundings | None,
    ) -> Item | Change:
        item = self.bare_item(record, link)
        if bill.archived or around is None:
            return self._archived(item, link, bill)
        context = OrderContext(company.organization_id, around.chart, around.references, self.policies)
        try:
            vendor = self._vendor(bill, around)
            return self.with_mapped(item, map_bill(bill, vendor, context), archived=False)
        except Refusal as refusal:
            named = replace(item, mapped=replace(item.mapped, label=bill_label(bill)))
            return refused(named, refusal)

    def _archived(self, item: Item, link: Link | None, bill: Bill) -> Item:
        """An archived bill needs no mapping: its order is closed as it stands, or left."""
        payload = dict(link.desired) if link else {}
        if link and self.policies.archived_bill is ArchivedBill.CLOSE:
            payload["POStatus"] = "Closed"
        line_keys = tuple(link.line_ids) if link else ()
        mapped = Mapped(ENTITY, payload, bill_label(bill), line_keys=line_keys)
        return self.with_mapped(item, mapped, archived=True)

    def _vendor(self, bill: Bill, around: _Surroundings) -> VendorInQuickBooks:
        """The bill's vendor in QuickBooks.

        Raises:
            Refusal: It is not there (yet), or inactive because it is archived in BILL.
        """
        link = around.vendors.get(bill.vendor_id)
        reference = around.references.get((Kind.VENDOR, bill.vendor_id))
        what = bill_label(bill)
        name = (reference.name if reference else "") or bill.vendor_name or bill.vendor_id
        deactivated = self.policies.archived_vendor is ArchivedVendor.DEACTIVATE or link is None
        if reference and reference.archived and deactivated:
            raise Refusal(
                "vendor-archived",
                f"{sentence_start(what)} is active, but its vendor '{name}' is archived in BILL.",
                advice="Restore the vendor in BILL, or archive the bill.",
                awaited=Awaited("vendors", bill.vendor_id),
            )
        if link is None:
            raise Refusal(
                "vendor-awaited",
                f"{sentence_start(what)} waits for its vendor '{name}', which is not in QuickBooks yet.",
                advice="It follows by itself once the vendor is there; see whether the vendor failed.",
                awaited=Awaited("vendors", bill.vendor_id),
            )
        home = around.chart.company.home_currency
        currency = (reference.currency if reference else "") or home
        return VendorInQuickBooks(link.quickbooks_id, name, currency)

    def _plan(self, company: Company, items: Sequence[Item | Change]) -> list[Change]:
        numbers = [
            number
            for item in items
            if isinstance(item, Item) and item.link is None and not item.archived
            for number in _numbers(item)
        ]
        orders = _Orders(self.directory.orders_numbered(numbers) if numbers else {})
        changes = [
            item if isinstance(item, Change) else self._plan_one(company, item, orders) for item in items
        ]
        return self.against_live(changes)

    def _plan_one(self, company: Company, item: Item, orders: _Orders) -> Change:
        if item.link:
            return plan_linked(item, item.link)
        numbers = _numbers(item)
        found = orders.ours(company, item, numbers)
        if found:
            return plan_found_order(item, found)
        holder = orders.holder(numbers[0]) if numbers else None
        change = plan_order(item, holder, numbers[-1] if numbers else "")
        if change.operation is Operation.CREATE and numbers:
            orders.taken.add(str(change.body.get("DocNumber") or ""))
        return change

    def _plan_again(self, company: Company, conflicts: Sequence[Conflict]) -> list[Submission]:
        items = [self.with_link(company, conflict.submission.item) for conflict in conflicts]
        numbers = [number for item in items if item.link is None for number in _numbers(item)]
        orders = _Orders(self.directory.orders_numbered(numbers) if numbers else {})
        changes = [
            self._plan_refused(company, item, conflict, orders)
            for item, conflict in zip(items, conflicts, strict=True)
        ]
        return [
            Submission(company, conflict.submission.record, change)
            for conflict, change in zip(conflicts, self.against_live(changes), strict=True)
        ]

    def _plan_refused(self, company: Company, item: Item, conflict: Conflict, orders: _Orders) -> Change:
        change, link = conflict.submission.change, item.link
        recovery = conflict.fault.recovery
        found = orders.ours(company, item, _numbers(item)) if link is None else None
        if found:
            change = plan_found_order(item, found)
        if recovery is Recovery.NUMBER_TAKEN and not found:
            distinct = distinct_document_number(str(change.body.get("DocNumber") or ""), item.bill_id)
            return replace(change, item=item, body={**change.body, "DocNumber": distinct})
        outdated = recovery is Recovery.REREAD or conflict.fault.may_be_repetition
        if outdated and not found:
            return plan_linked(item, link) if link else plan_order(item, None, "")
        if recovery is Recovery.CLOSED:
            close_date = self.directory.company().book_close_date
            return plan_closed_period(change, item, close_date, conflict.fault.code, self.policies)
        if recovery is Recovery.NUMBER_TAKEN or outdated:
            return change
        self.report.note(STREAM, "all bills", "QuickBooks accepts no location on purchase orders; left out")
        body = {key: value for key, value in change.body.items() if key != "DepartmentRef"}
        return replace(change, item=item, body=body)


def _numbers(item: Item) -> tuple[str, ...]:
    """The document number to ask for, and the one to fall back to."""
    number = str(item.mapped.payload.get("DocNumber") or "")
    return (number, distinct_document_number(number, item.bill_id)) if number else ()


def _names(references: Mapping[tuple[Kind, str], Reference], *kinds: Kind) -> list[str]:
    return [found.name for found in references.values() if found.kind in kinds]


def _leaves(names: Iterable[str]) -> list[str]:
    """The last parts of full names: what customers and items are looked up by."""
    return [name.rpartition(":")[2].strip() for name in names]
