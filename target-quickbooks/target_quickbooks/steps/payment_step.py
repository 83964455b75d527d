"""The walk's step for payments: purchase orders of bills follow what is paid of them.

A payment arrives without its bill, and BILL's record of the bill is not kept: what changes is what was last
sent of the order. It is planned and written as any change of an order is. A bill that has no order yet needs
nothing: its payments are on record, and are looked up when it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from target_quickbooks.changes import Submission
from target_quickbooks.ledger import BILLS
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import plain_line
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.payment_note import note_lines, read_note, settled
from target_quickbooks.mapping.payments import Account
from target_quickbooks.mapping.purchase_order import marker
from target_quickbooks.order_planning import plan_linked_order
from target_quickbooks.planning import Change, Item, Operation
from target_quickbooks.policies import DeniedBill, PaidBill
from target_quickbooks.preflight import Bills
from target_quickbooks.steps.learning_step import BILL_PAYMENTS, LearningStep
from target_quickbooks.steps.order_step import OrderStep
from target_quickbooks.steps.step import NEW
from target_quickbooks.store import failure_table, link_table

_LABEL_LENGTH = 100
_AT_ONCE = 900
#: Why the change of an order is held that would hold its payments as well.
_HELD = frozenset({"edit-conflict", "gone-in-quickbooks", "period-closed"})


class PaymentStep(LearningStep, OrderStep):
    """Learns of payments, plans and writes what they change."""

    stream = BILL_PAYMENTS

    @override
    def write(self, company: Company, records: Sequence[Mapping[str, Any]]) -> None:
        """Bring the orders of unsettled bills in step, and those that ``records`` name as failed before."""
        ledger = self.books
        asked = [str(record["id"]) for record in records]
        unsettled = list(dict.fromkeys((*asked, *ledger.unsettled(company))))
        for start in range(0, len(unsettled), _AT_ONCE):
            bill_ids = unsettled[start : start + _AT_ONCE]
            held = self._held(company, bill_ids)
            ready = [bill_id for bill_id in bill_ids if bill_id not in held]
            self._write(company, ready, asked=set(asked))
            ledger.settle(company, ready)
        self._let_be(company, records)

    def _let_be(self, company: Company, records: Sequence[Mapping[str, Any]]) -> None:
        """What failed for an order that is linked no more: the bill is written anew, with its payments."""
        if not records:
            return
        links = self.links(company, self.entity, [str(record["id"]) for record in records])
        gone = [record for record in records if str(record["id"]) not in links]
        reason = "its order is no longer linked"
        self.writer.apply(
            [
                Submission(
                    company, record, Change(Operation.SKIP, self.bare_item(record, None), reason=reason)
                )
                for record in gone
            ]
        )

    def _held(self, company: Company, bill_ids: Sequence[str]) -> set[str]:
        """Bills whose own change QuickBooks does not take: it has their payments too, and is tried again."""
        with self.store.reading() as connection:
            failed = failure_table.unsettled_ids(connection, company, BILLS, bill_ids)
            found = failure_table.unsettled(connection, self.store.cipher, company) if failed else []
        return {
            failure.bill_id
            for failure in found
            if failure.stream == BILLS
            and failure.bill_id in failed
            and (failure.code in _HELD or failure.code.startswith("quickbooks-"))
        }

    def _write(self, company: Company, bill_ids: Sequence[str], *, asked: set[str]) -> None:
        links = self.links(company, self.entity, bill_ids)
        accounts = self.books.accounts(company, links)
        pending = [self._pending(company, link, accounts[bill_id]) for bill_id, link in links.items()]
        let_go = self._let_go(company, [record for record, _ in pending if record["id"] not in asked])
        let_go |= self._closed_from_the_start(company, [item for _, item in pending]) - asked
        with self.store.reading() as connection:
            failed = failure_table.unsettled_ids(connection, company, self.stream, links)
        planned = [
            (record, plan_linked_order(item, item.link))
            for record, item in pending
            if item.link and item.bill_id not in let_go
        ]
        planned = [
            (record, change)
            for record, change in planned
            if change.operation is not Operation.SKIP or change.item.bill_id in failed
        ]
        if self.gate and any(change.operation is not Operation.SKIP for _, change in planned):
            self.gate.open(Bills.NONE)
        changes = self.against_live([change for _, change in planned])
        self._carry_out(
            company,
            [
                Submission(company, record, change)
                for (record, _), change in zip(planned, changes, strict=True)
            ],
        )

    def _pending(self, company: Company, link: Link, account: Account) -> tuple[Mapping[str, Any], Item]:
        """The order as its payments want it, and a record of that for whoever tries it again."""
        note = read_note(str(link.desired.get("PrivateNote") or ""))
        payload = settled(
            {**link.desired, "PrivateNote": note.text},
            account,
            noted=note.lines,
            mark=marker(company.organization_id, link.bill_id),
            closes=self._closes(account),
        )
        record = {
            "id": link.bill_id,
            "organizationId": company.organization_id,
            "status": payload.get("POStatus"),
            "payments": note_lines(account, note.lines),
        }
        item = Item(
            stream=self.stream,
            bill_id=link.bill_id,
            version=max((payment.version for payment in account.payments), default=""),
            mapped=Mapped(self.entity, payload, _label(link, account), line_keys=tuple(link.line_ids)),
            link=link,
            payload_digest="",
            source_digest=link.source_digest,
        )
        return record, self.with_mapped(item, item.mapped, archived=False)

    def _closes(self, account: Account) -> bool | None:
        """Whether payments close the order; what is out of use in BILL is closed or left for that reason."""
        balance = account.balance
        denied = balance is not None and balance.approval_status == "DENIED"
        if balance and (balance.archived or (denied and self.policies.denied_bill is DeniedBill.CLOSE)):
            return None
        return self.policies.paid_bill is PaidBill.CLOSE

    def _closed_from_the_start(self, company: Company, items: Sequence[Item]) -> set[str]:
        """Bills that were paid before they were first seen: their orders were created closed.

        Only their notes would change, which is not worth writing every paid order of a firm's history twice.
        """
        closed = {
            item.bill_id: item.link
            for item in items
            if item.link
            and item.link.desired.get("POStatus") == item.mapped.payload.get("POStatus") == "Closed"
            and not read_note(str(item.link.desired.get("PrivateNote") or "")).lines
        }
        with self.store.reading() as connection:
            created = link_table.as_created(connection, company, self.entity, closed)
        planned = {bill_id for bill_id, link in closed.items() if link.quickbooks_id == NEW}
        return created | planned


def _label(link: Link, account: Account) -> str:
    """How a person would call the bill."""
    balance = account.balance
    number = (balance.invoice_number if balance else "") or link.quickbooks_name or link.bill_id
    names = [balance.vendor_name if balance else "", *(payment.vendor_name for payment in account.payments)]
    vendor = next((plain_line(name, _LABEL_LENGTH) for name in names if name), "")
    what = f"bill '{plain_line(number, _LABEL_LENGTH)}'"
    return f"{what} of {vendor}" if vendor else what
