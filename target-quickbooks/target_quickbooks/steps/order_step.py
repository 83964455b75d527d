"""The walk's step for bills: BILL bills of one company to planned and written QuickBooks transactions.

Which kind of transaction (a purchase order, a bill) a step writes is said by its ``transaction``; vendor
credits, which read like bills, have a step of the same make.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import Any, ClassVar

from typing_extensions import override

from target_quickbooks.adoption.adopting import plan_decided_order
from target_quickbooks.adoption.decisions import Decided
from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.payment_note import read_note, settled
from target_quickbooks.mapping.payment_records import observe_bill
from target_quickbooks.mapping.payments import Account
from target_quickbooks.mapping.purchase_order import (
    OrderContext,
    VendorInQuickBooks,
    distinct_document_number,
    marker,
    references_of,
)
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill, Kind
from target_quickbooks.order_edits import is_retired, is_retiring, resolve_order_edits
from target_quickbooks.order_numbers import NumbersInUse, numbers_of
from target_quickbooks.order_planning import (
    out_of_use,
    plan_closed_period,
    plan_found_order,
    plan_linked_order,
    plan_order,
    waits_for_approval,
)
from target_quickbooks.planning import Change, Item, Operation, blocked, refused
from target_quickbooks.policies import ArchivedBill, MissingInQuickBooks, PaidBill
from target_quickbooks.preflight import Bills
from target_quickbooks.quickbooks.faults import Recovery
from target_quickbooks.steps.step import Step
from target_quickbooks.steps.surroundings import Surroundings, leaves, names_of, vendor_of
from target_quickbooks.steps.vendor_step import VendorStep
from target_quickbooks.transaction import BILL, PURCHASE_ORDER, VENDOR_CREDIT, Transaction
from target_quickbooks.voiding import resolve_void

STREAM = "bills"
#: What BILL says of a bill whose transaction stays whatever becomes of the bill: it was paid for.
_PAID = frozenset({"PAID", "PARTIALLY_PAID"})


class OrderStep(Step):
    """Maps, plans and writes purchase orders."""

    stream = STREAM
    entity = PURCHASE_ORDER.entity
    transaction: ClassVar[Transaction] = PURCHASE_ORDER

    def write(self, company: Company, records: Sequence[Mapping[str, Any]]) -> None:
        """Bring QuickBooks in step with these bills; all outcomes are on disk on return."""
        pending = self.changed(company, records)
        if not pending:
            return
        read = [self._read(record, link) for record, link in pending]
        active = [bill for bill in read if isinstance(bill, Bill) and self._is_active(bill)]
        if self.gate and (active or any(link for _, link in pending)):
            self.gate.open(Bills.EXPECTED if active else Bills.NONE)
        around = self._surroundings(company, active) if active else None
        items = [
            bill if isinstance(bill, Change) else self._item(company, record, link, bill, around)
            for (record, link), bill in zip(pending, read, strict=True)
        ]
        self._carry_out(company, self.submissions(company, pending, self._plan(company, items)))
        self._replace(company, pending, items)

    def expects(self, company: Company, records: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these bills hold one to map and write."""
        pending, _ = self.news(company, records)
        read = (self._read(record, link) for record, link in pending)
        return any(isinstance(bill, Bill) and self._is_active(bill) for bill in read)

    @override
    def links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """Links by BILL id; a bill whose order was given up counts as not written."""
        found = super().links(company, entity, bill_ids)
        return {bill_id: link for bill_id, link in found.items() if not is_retired(link)}

    @override
    def resolved(self, change: Change, link: Link, live: Mapping[str, Any]) -> Change:
        voids = self.transaction is not PURCHASE_ORDER and self.transaction.is_ended(
            change.item.mapped.payload
        )
        if voids:
            return resolve_void(change, link, live, gives_up=is_retiring(change.item))
        close_date = self.directory.company().book_close_date
        return self._told(resolve_order_edits(change, link, live, self.policies, close_date))

    @override
    def gone(self, item: Item, link: Link) -> Change:
        """A person deleted the order: QuickBooks has no way to bring it back."""
        number = link.quickbooks_name or link.quickbooks_id
        if self.policies.missing_in_quickbooks is MissingInQuickBooks.RECREATE and not item.archived:
            if is_retiring(item):
                return Change(Operation.LINK, item, quickbooks_id=link.quickbooks_id)
            return plan_order(replace(item, link=None), None, "")
        kind = self.transaction
        closes = kind.is_ended(item.mapped.payload) and not is_retiring(item)
        if item.archived or closes:
            verb = "close" if kind is PURCHASE_ORDER else "void"
            reason = f"{kind.noun} {number} was deleted in QuickBooks; there is nothing to {verb}"
            return Change(Operation.SKIP, item, reason=reason)
        return blocked(
            item,
            "gone-in-quickbooks",
            f"{sentence_start(item.mapped.label)} changed in BILL, but its {kind.noun} {number} was "
            "deleted in QuickBooks.",
            f"Archive the {'credit' if kind is VENDOR_CREDIT else 'bill'} in BILL, or set "
            "missing_in_quickbooks to recreate and run again.",
        )

    def _is_active(self, bill: Bill) -> bool:
        """Whether the bill is to be mapped."""
        return not out_of_use(bill, self.policies) and not waits_for_approval(bill, self.policies)

    def _carry_out(self, company: Company, submissions: Sequence[Submission]) -> None:
        """Hand changes to the writer, and plan again what QuickBooks refused."""
        self.carry_out(submissions, lambda conflicts, _: self._plan_again(company, conflicts))

    def _replace(
        self,
        company: Company,
        pending: Sequence[tuple[Mapping[str, Any], Link | None]],
        items: Sequence[Item | Change],
    ) -> None:
        """Write anew what gave its order up; after a crash in between, the next run finds it not written."""
        written = [item for item in items if isinstance(item, Item) and item.link and not item.archived]
        if not written:
            return
        links = super().links(company, self.entity, [item.bill_id for item in written])
        again = {
            item.bill_id: replace(item, link=None)
            for item in written
            if item.bill_id in links and is_retired(links[item.bill_id])
        }
        if again:
            records = [(record, None) for record, _ in pending if str(record["id"]) in again]
            new = [again[str(record["id"])] for record, _ in records]
            given_up = {links[bill_id].quickbooks_id for bill_id in again}
            planned = self._plan(company, new, given_up)
            self._carry_out(company, self.submissions(company, records, planned))

    def _told(self, change: Change) -> Change:
        """The change; what it leaves alone, and why, is told in the report."""
        if change.reason and change.operation in {Operation.SKIP, Operation.LINK}:
            self.report.note(self.stream, change.item.mapped.label, change.reason)
        return change

    def _read(self, record: Mapping[str, Any], link: Link | None) -> Bill | Change:
        try:
            return self.transaction.read(record)
        except Refusal as refusal:
            return refused(self.bare_item(record, link), refusal)

    def _surroundings(self, company: Company, bills: Sequence[Bill]) -> Surroundings:
        wanted = {reference for bill in bills for reference in references_of(bill)}
        wanted |= {(Kind.VENDOR, bill.vendor_id) for bill in bills}
        linked = self.links(company, "Vendor", [bill.vendor_id for bill in bills])
        vendors = self._vendors.ready_for_bills(company, linked)
        references = self.references(company, wanted)
        customers = [*names_of(references, Kind.CUSTOMER, Kind.JOB), *self.policies.customer_map.values()]
        items = [*names_of(references, Kind.ITEM), *self.policies.item_map.values()]
        chart = self.directory.chart(leaves(customers), leaves(items))
        if self.policies.tax_code and not chart.company.in_us:
            chart = replace(chart, tax_codes=self.directory.tax_codes())
        accounts = self.books.accounts(company, [bill.id for bill in bills])
        return Surroundings(vendors, references, chart, accounts)

    def _item(
        self,
        company: Company,
        record: Mapping[str, Any],
        link: Link | None,
        bill: Bill,
        around: Surroundings | None,
    ) -> Item | Change:
        item = self.bare_item(record, link)
        reason = out_of_use(bill, self.policies)
        if not reason and waits_for_approval(bill, self.policies):
            return self._kept_back(item, bill)
        if reason or around is None:
            return self._out_of_use(item, link, bill, reason)
        context = OrderContext(company.organization_id, around.chart, around.references, self.policies)
        try:
            vendor = self._vendor(bill, around, has_order=link is not None)
            mapped = self.transaction.map(bill, vendor, context)
            if self._notes_payments:
                noted = str(link.desired.get("PrivateNote") or "") if link else ""
                account = _known(around.accounts[bill.id], record)
                mapped = self._paid(company, mapped, account, noted)
            return self.with_mapped(item, mapped, archived=False)
        except Refusal as refusal:
            named = replace(item, mapped=replace(item.mapped, label=self.transaction.label(bill)))
            return refused(named, refusal)

    def _paid(self, company: Company, mapped: Mapped, account: Account, noted: str) -> Mapped:
        """The order with its payments; lines in ``noted`` of payments that nobody knows stay."""
        payload = settled(
            mapped.payload,
            account,
            noted=read_note(noted).lines,
            mark=marker(company.organization_id, account.bill_id),
            closes=self.policies.paid_bill is PaidBill.CLOSE,
        )
        return replace(mapped, payload=payload)

    @property
    def _notes_payments(self) -> bool:
        """Whether the memo tells of payments: not where they are transactions of their own."""
        return self.transaction is PURCHASE_ORDER or (
            self.transaction is BILL and not self.policies.posts_payments
        )

    def _out_of_use(self, item: Item, link: Link | None, bill: Bill, reason: str) -> Item:
        """An archived or denied bill needs no mapping: its order is closed as it stands, or left."""
        kind, label = self.transaction, self.transaction.label(bill)
        payload = dict(link.desired) if link else {}
        ends = not bill.archived or self.policies.archived_bill is ArchivedBill.CLOSE
        stays = kind is BILL and bill.payment_status in _PAID
        if link and ends and not stays:
            payload = kind.end(payload)
        line_keys = tuple(link.line_ids) if link else ()
        if link and ends and stays:
            self.report.note(
                self.stream, label, f"its {kind.noun} is left, because it is paid: the bill {reason}"
            )
        elif not bill.archived:
            what = f"its {kind.noun} is {kind.ended}" if link else "not written"
            self.report.note(self.stream, label, f"{what}: the bill {reason}")
        mapped = Mapped(self.entity, payload, label, line_keys=line_keys)
        return self.with_mapped(item, mapped, archived=True)

    def _kept_back(self, item: Item, bill: Bill) -> Change:
        """A bill that is not approved stays as it is: not written, or as it was written."""
        what = "changes are not written" if item.link else "not written"
        named = replace(item, mapped=replace(item.mapped, label=self.transaction.label(bill)))
        return self._told(Change(Operation.SKIP, named, reason=f"{what} until it is approved in BILL"))

    @cached_property
    def _vendors(self) -> VendorStep:
        return VendorStep(**{member.name: getattr(self, member.name) for member in fields(self)})

    def _vendor(self, bill: Bill, around: Surroundings, *, has_order: bool) -> VendorInQuickBooks:
        """The bill's vendor in QuickBooks.

        Raises:
            Refusal: It is not there (yet or any more), or inactive.
        """
        what = self.transaction.label(bill)
        return vendor_of(bill, what, around, self.policies, has_order=has_order)

    def _plan(
        self, company: Company, items: Sequence[Item | Change], given_up: Container[str] = ()
    ) -> list[Change]:
        """Plan bills; ids of orders that were given up tell a plan that they are nobody's any more."""
        numbers = [
            number
            for item in items
            if isinstance(item, Item) and item.link is None and not item.archived
            for number in numbers_of(item)
        ]
        orders = self._numbered(numbers, given_up)
        items = self._as_decided(company, items)
        changes = [
            item if isinstance(item, Change) else self._plan_one(company, item, orders) for item in items
        ]
        return self.against_live(changes)

    def _numbered(self, numbers: Sequence[str], given_up: Container[str] = ()) -> NumbersInUse:
        found = self.directory.numbered(self.entity, numbers) if numbers else {}
        return NumbersInUse(found, given_up, per_vendor=self.transaction.numbers_are_vendors)

    def _as_decided(self, company: Company, items: Sequence[Item | Change]) -> list[Item | Change]:
        """The items; those that a person decided on are planned by that."""

        def plan(item: Item, found: Decided, live: Mapping[str, Any] | None, owner: str) -> Change | None:
            change = plan_decided_order(item, found, live, owner, self.policies)
            return self._told(change) if change else None

        return self.as_decided(company, items, plan)

    def _plan_one(self, company: Company, item: Item, orders: NumbersInUse) -> Change:
        if item.link:
            return plan_linked_order(item, item.link)
        numbers = numbers_of(item)
        found = orders.ours(company, item, numbers)
        if found:
            return self._told(plan_found_order(self._noted(company, item, found), found, self.policies))
        holder = orders.holder(item.mapped.payload) if numbers else None
        change = plan_order(item, holder, numbers[-1] if numbers else "")
        if change.operation is Operation.CREATE and numbers:
            orders.take(change.body)
        return change

    def _noted(self, company: Company, item: Item, found: Mapping[str, Any]) -> Item:
        """The bill of a found order, which keeps what its note says of payments that nobody knows (yet)."""
        lines = read_note(str(found.get("PrivateNote") or "")).lines
        ours = read_note(str(item.mapped.payload.get("PrivateNote") or ""))
        if not set(lines) - set(ours.lines):
            return item
        account = self.books.accounts(company, [item.bill_id])[item.bill_id]
        payload = settled(
            {**item.mapped.payload, "PrivateNote": ours.text},
            account,
            noted=lines,
            mark=marker(company.organization_id, item.bill_id),
            closes=None,
        )
        return self.with_mapped(item, replace(item.mapped, payload=payload), archived=item.archived)

    def _plan_again(self, company: Company, conflicts: Sequence[Conflict]) -> list[Submission]:
        items = [self.with_link(company, conflict.submission.item) for conflict in conflicts]
        orders = self._numbered(
            [number for item in items if item.link is None for number in numbers_of(item)]
        )
        decided = self._as_decided(company, items)
        changes = [
            self._plan_refused(company, item, conflict, orders, again if isinstance(again, Change) else None)
            for item, again, conflict in zip(items, decided, conflicts, strict=True)
        ]
        return [
            Submission(company, conflict.submission.record, change)
            for conflict, change in zip(conflicts, self.against_live(changes), strict=True)
        ]

    def _plan_refused(
        self, company: Company, item: Item, conflict: Conflict, orders: NumbersInUse, again: Change | None
    ) -> Change:
        change, link = conflict.submission.change, item.link
        recovery = conflict.fault.recovery
        found = orders.ours(company, item, numbers_of(item)) if link is None else None
        if found:
            item = self._noted(company, item, found)
            change = self._told(plan_found_order(item, found, self.policies))
        if recovery is Recovery.NUMBER_TAKEN and not found:
            distinct = distinct_document_number(str(change.body.get("DocNumber") or ""), item.bill_id)
            return replace(change, item=item, body={**change.body, "DocNumber": distinct})
        outdated = recovery is Recovery.REREAD or conflict.fault.may_be_repetition
        if again and outdated:
            return again
        if outdated and not found:
            return plan_linked_order(item, link) if link else plan_order(item, None, "")
        if recovery is Recovery.CLOSED:
            close_date = self.directory.company().book_close_date
            return plan_closed_period(change, item, close_date, conflict.fault.code, self.policies)
        if recovery is Recovery.NUMBER_TAKEN or outdated:
            return change
        text = f"QuickBooks accepts no location on {self.transaction.noun}s; left out"
        self.report.note(STREAM, "all bills", text)
        body = {key: value for key, value in change.body.items() if key != "DepartmentRef"}
        return replace(change, item=item, body=body)


def _known(account: Account, record: Mapping[str, Any]) -> Account:
    """The bill's account; what was never learned of the bill, its record says."""
    if account.balance:
        return account
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return replace(account, balance=observe_bill(record, None, now=never))
