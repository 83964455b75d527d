"""The walk's step for payments where payables are kept in QuickBooks: what pays bills becomes a BillPayment.

A payment is written once it has cleared, with the vendor credits it uses; a credit that is used without one
is a payment of nothing. It waits for its bills and credits as a bill waits for its vendor. One that fails or
is voided afterwards is voided, before bills are written, so that these can be voided, too; if it clears
again, another one takes its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import Any

from typing_extensions import override

from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.ledger import BILLS, Records
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.bill_payment import (
    ENTITY,
    PaidFrom,
    Settlement,
    check,
    is_voided_payment,
    map_settlement,
    missing,
)
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.payments import Standing
from target_quickbooks.mapping.purchase_order import payables_account, read_marker
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Kind
from target_quickbooks.order_edits import is_retired
from target_quickbooks.order_planning import plan_closed_period
from target_quickbooks.planning import (
    Change,
    Item,
    Operation,
    blocked,
    create,
    plan_linked,
    refused,
    resolve_edits,
)
from target_quickbooks.policies import DocumentNumber, MissingInQuickBooks
from target_quickbooks.posting_planning import (
    Around,
    Held,
    paid_vendor,
    paying_account,
    payment_rate,
    record_of,
    void_of,
)
from target_quickbooks.preflight import Bills
from target_quickbooks.quickbooks.faults import Recovery
from target_quickbooks.steps.learning_step import LearningStep
from target_quickbooks.steps.settlements import Settlements, gather
from target_quickbooks.steps.vendor_step import VendorStep
from target_quickbooks.store import failure_table

_AT_ONCE = 900
_ENDED = frozenset({Standing.FAILED, Standing.ENDED})


class PostingStep(LearningStep):
    """Learns of payments, plans and writes them."""

    entity = ENTITY

    @override
    def learn(self, company: Company, arrived: Mapping[str, Records]) -> None:
        super().learn(company, arrived)
        self._touched[company] |= {
            str(record["id"])
            for record in arrived.get(BILLS, ())
            if str(record.get("paymentStatus") or "UNPAID").upper() != "UNPAID"
        }

    @override
    def release(self, company: Company) -> None:
        """Void payments that came to nothing: bills that were voided for it follow."""
        for bill_ids in _portions(self.books.unsettled(company)):
            found = gather(self.books, company, bill_ids)
            ended = [one for one in found.concerned.values() if one.standing in _ENDED]
            links = self.links(company, ENTITY, [one.id for one in ended])
            ids = [one.id for one in ended if one.id in links and links[one.id].desired]
            self._take(company, found, links, ids, asked=set())

    def write(self, company: Company, records: Sequence[Mapping[str, Any]]) -> None:
        """Write what pays unsettled bills, and what ``records`` name as failed before."""
        asked = {str(record["id"]) for record in records}
        theirs = [str(bill_id) for record in records for bill_id in record.get("bills") or ()]
        unsettled = self.books.unsettled(company)
        for bill_ids in _portions(dict.fromkeys((*theirs, *unsettled, *self._touched.pop(company, ())))):
            found = gather(self.books, company, bill_ids)
            links = self.links(company, ENTITY, found.concerned)
            self._take(company, found, links, list(found.concerned), asked=asked)
            self.books.settle(company, bill_ids)

    def _take(
        self,
        company: Company,
        found: Settlements,
        links: Mapping[str, Link],
        ids: Collection[str],
        *,
        asked: Collection[str],
    ) -> None:
        """Plan and write settlements."""
        if not ids:
            return
        held = self._held(company, found, links)
        records = {one: record_of(company, found.concerned[one], held) for one in ids}
        with self.store.reading() as connection:
            failed = failure_table.unsettled_ids(connection, company, self.stream, ids)
        due = [
            one
            for one in ids
            if one in failed or self._is_due(found.concerned[one], records[one], links.get(one))
        ]
        let_go = self._let_go(company, [records[one] for one in due if one not in asked])
        due = [one for one in due if one not in let_go]
        if not due:
            return
        around = self._around(company, [found.concerned[one] for one in due], held)
        changes = [
            self._plan(company, found.concerned[one], records[one], links.get(one), around) for one in due
        ]
        if self.gate and any(change.operation is not Operation.SKIP for change in changes):
            self.gate.open(Bills.EXPECTED)
        changes = self.against_live(self._looked_up(company, changes))
        self._carry_out(
            [
                Submission(company, records[one], change)
                for one, change in zip(due, changes, strict=True)
                if change.operation is not Operation.SKIP or one in failed or one in links
            ]
        )

    def _is_due(self, settlement: Settlement, record: Mapping[str, Any], link: Link | None) -> bool:
        """Whether there may be something to write; what is as it was when it was written asks for nothing."""
        posted = link is not None and bool(link.desired)
        if settlement.standing in _ENDED:
            return posted
        if settlement.standing is not Standing.PAID:
            return False
        return not posted or link is None or link.source_digest != self._digest(record)

    def _held(self, company: Company, found: Settlements, links: Mapping[str, Link]) -> Held:
        bills = self.links(company, "Bill", found.bill_ids)
        credits_ = self.links(company, "VendorCredit", found.credit_ids)
        bills, credits_ = (
            {one: link for one, link in linked.items() if not is_retired(link)}
            for linked in (bills, credits_)
        )
        posted = {one for one, link in links.items() if link.desired}
        return Held(bills, credits_, found.shares(bills, credits_, posted), found.out_of_use)

    def _around(self, company: Company, settlements: Sequence[Settlement], held: Held) -> Around:
        vendor_ids = {one.vendor_id for one in settlements}
        linked = self.links(company, "Vendor", vendor_ids)
        return Around(
            held=held,
            vendors=self._vendors.ready_for_bills(company, linked),
            references=self.references(company, [(Kind.VENDOR, one) for one in vendor_ids]),
        )

    def _plan(
        self,
        company: Company,
        settlement: Settlement,
        record: Mapping[str, Any],
        link: Link | None,
        around: Around,
    ) -> Change:
        posted = link if link and link.desired else None
        item = self._item(settlement, record, posted)
        if settlement.standing in _ENDED:
            if posted:
                return void_of(
                    self.with_mapped(item, Mapped(ENTITY, {}, item.mapped.label), archived=True), posted
                )
            return Change(Operation.SKIP, item, reason="came to nothing, and was never written")
        if settlement.standing is not Standing.PAID:
            return Change(Operation.SKIP, item, reason="on its way")
        if posted is None and around.held.lacks_for_good(settlement):
            reason = "not written: what it pays is archived in BILL, and was never written"
            self.report.note(self.stream, settlement.label, reason)
            return Change(Operation.SKIP, item, reason=reason)
        try:
            check(settlement)
            waits = missing(settlement, around.held.bills, around.held.credits)
            if waits:
                raise waits
            mapped = map_settlement(
                settlement, around.held.shares[settlement.id], self._paid_from(company, settlement, around)
            )
        except Refusal as refusal:
            return refused(item, refusal)
        item = self.with_mapped(item, mapped, archived=False)
        return plan_linked(item, posted) if posted else create(item, mapped.payload)

    def _item(self, settlement: Settlement, record: Mapping[str, Any], link: Link | None) -> Item:
        return Item(
            stream=self.stream,
            bill_id=settlement.id,
            version=settlement.version,
            mapped=Mapped(ENTITY, {}, settlement.label),
            link=link,
            payload_digest="",
            source_digest=self._digest(record),
        )

    def _paid_from(self, company: Company, settlement: Settlement, around: Around) -> PaidFrom:
        chart = self.directory.chart([], [])
        home = chart.company.home_currency
        reference = around.references.get((Kind.VENDOR, settlement.vendor_id))
        currency = (reference.currency if reference else "") or home
        foreign = chart.company.multicurrency and currency != home
        return PaidFrom(
            organization_id=company.organization_id,
            vendor_id=paid_vendor(settlement, around),
            payables_id=payables_account(chart, currency, settlement.label).id,
            account=paying_account(chart.accounts.find(self.policies.payment_account or ""), settlement),
            bills={bill_id: link.quickbooks_id for bill_id, link in around.held.bills.items()},
            credits={credit_id: link.quickbooks_id for credit_id, link in around.held.credits.items()},
            currency=currency if chart.company.multicurrency else "",
            rate=payment_rate(settlement, currency, around) if foreign else None,
            numbered=self.policies.document_number is not DocumentNumber.AUTO,
        )

    def _looked_up(self, company: Company, changes: Sequence[Change]) -> list[Change]:
        """The changes; what is to be created and is there already, as a lost store leaves it, is linked."""
        numbers = [
            str(change.body["DocNumber"])
            for change in changes
            if change.operation is Operation.CREATE and change.body.get("DocNumber")
        ]
        if not numbers:
            return list(changes)
        held = self.directory.numbered(ENTITY, numbers)
        return [self._adopted(company, change, held) for change in changes]

    def _adopted(
        self, company: Company, change: Change, held: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> Change:
        if change.operation is not Operation.CREATE:
            return change
        item, mark = change.item, (company.organization_id, change.item.bill_id)
        for live in held.get(str(change.body.get("DocNumber") or ""), ()):
            ours = read_marker(str(live.get("PrivateNote") or "")) == mark
            if ours and not is_voided_payment(live):
                return Change(
                    Operation.LINK, item, quickbooks_id=str(live["Id"]), sync_token=str(live["SyncToken"])
                )
        return change

    @override
    def resolved(self, change: Change, link: Link, live: Mapping[str, Any]) -> Change:
        if change.operation is Operation.VOID:
            if is_voided_payment(live):
                return Change(
                    Operation.LINK,
                    change.item,
                    quickbooks_id=link.quickbooks_id,
                    sync_token=str(live["SyncToken"]),
                )
            token = str(live["SyncToken"])
            return replace(change, body={**change.body, "SyncToken": token}, sync_token=token, held=live)
        if is_voided_payment(live):
            return self._undone(change.item, link, "voided")
        settled = resolve_edits(change, link, live, self.policies)
        if not settled.operation.writes or "TotalAmt" in settled.body:
            return settled
        return replace(settled, body={**settled.body, "TotalAmt": live.get("TotalAmt")})

    @override
    def gone(self, item: Item, link: Link) -> Change:
        if not item.mapped.payload:
            return Change(
                Operation.LINK,
                item,
                quickbooks_id=link.quickbooks_id,
                sync_token=link.sync_token,
                reason="was deleted in QuickBooks; there is nothing to void",
            )
        return self._undone(item, link, "deleted")

    def _undone(self, item: Item, link: Link, how: str) -> Change:
        """A person voided or deleted a payment that BILL has changed since."""
        if self.policies.missing_in_quickbooks is MissingInQuickBooks.RECREATE:
            return create(replace(item, link=None), item.mapped.payload)
        number = link.quickbooks_name or link.quickbooks_id
        return blocked(
            item,
            "gone-in-quickbooks",
            f"{sentence_start(item.mapped.label)} changed in BILL, but its bill payment {number} was {how} "
            "in QuickBooks.",
            "Void the payment in BILL, or set missing_in_quickbooks to recreate and run again.",
        )

    def _carry_out(self, submissions: Sequence[Submission]) -> None:
        """Hand changes to the writer, and plan again what QuickBooks refused."""
        self.carry_out(submissions, lambda conflicts, _: self._plan_again(conflicts))

    def _plan_again(self, conflicts: Sequence[Conflict]) -> list[Submission]:
        again: list[Submission] = []
        for conflict in conflicts:
            company = conflict.submission.company
            change = self.against_live([self._plan_refused(company, conflict)])[0]
            again.append(Submission(company, conflict.submission.record, change))
        return again

    def _plan_refused(self, company: Company, conflict: Conflict) -> Change:
        change, recovery = conflict.submission.change, conflict.fault.recovery
        item = self.with_link(company, conflict.submission.item)
        if item.link and not item.link.desired:
            item = replace(item, link=None)
        if recovery is Recovery.NUMBER_TAKEN:
            body = {name: value for name, value in change.body.items() if name != "DocNumber"}
            return replace(change, item=item, body=body)
        if recovery is Recovery.CLOSED:
            return self._closed(change, item, conflict.fault.code)
        if item.link is None:
            return self._looked_up(company, [create(item, item.mapped.payload)])[0]
        return void_of(item, item.link) if not item.mapped.payload else plan_linked(item, item.link)

    def _closed(self, change: Change, item: Item, code: str) -> Change:
        close_date = self.directory.company().book_close_date
        if change.operation is Operation.VOID:
            return blocked(
                item,
                "period-closed",
                f"{sentence_start(item.mapped.label)} came to nothing, but its bill payment lies in a period "
                "whose books are closed in QuickBooks.",
                "Reopen the period in QuickBooks, and the next run voids it by itself.",
            )
        return plan_closed_period(change, item, close_date, code, self.policies)

    @cached_property
    def _vendors(self) -> VendorStep:
        return VendorStep(**{member.name: getattr(self, member.name) for member in fields(self)})

    @cached_property
    def _touched(self) -> defaultdict[Company, set[str]]:
        """Bills that arrived and may be paid: what pays them may pay more or less of them now."""
        return defaultdict(set)


def _portions(ids: Iterable[str]) -> Iterable[list[str]]:
    every = list(ids)
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))
