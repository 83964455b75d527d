"""What every step for payments does: learn of them, and tell which recurring bills have not appeared.

What is learned is written by those that build on this: as notes and states of orders (``payment_step``), or
as payments (``posting_step``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from target_quickbooks.exact_json import canonical
from target_quickbooks.ledger import RECURRING, Records
from target_quickbooks.links import Company
from target_quickbooks.mapping.names import plain_line
from target_quickbooks.mapping.source import Kind
from target_quickbooks.recurring import missing
from target_quickbooks.steps.step import Step
from target_quickbooks.store import failure_table, payment_table, recurring_table
from target_quickbooks.store.failure_table import Failure

#: The stream that changes by payments are counted and fail under. Its ids are those of bills where orders
#: follow payments; of payments, and of vendor credits used without one, where those are written as such.
BILL_PAYMENTS = "bill_payments"
_LABEL_LENGTH = 100


class LearningStep(Step):
    """Learns of payments."""

    stream = BILL_PAYMENTS

    def learn(self, company: Company, arrived: Mapping[str, Records]) -> None:
        """Take in bills, payments, credits and recurring bills, by stream; before bills are written."""
        for one in self.books.learn(company, arrived) if arrived else ():
            failure = Failure(
                stream=one.stream,
                bill_id=str(one.record["id"]),
                label=f"{one.stream.removesuffix('s').replace('_', ' ')} {one.record['id']}",
                code=one.refusal.code,
                reason=one.refusal.reason,
                advice=one.refusal.advice,
                record=one.record,
                version=str(one.record.get("updatedTime") or ""),
            )
            self.writer.record_failure(company, failure)

    def release(self, company: Company) -> None:
        """Take back what stands in the way of bills, before they are written; there is nothing by itself."""

    def recurring(self, company: Company, *, arrived: bool) -> None:
        """Recognise the bills of recurring bills; tell which are missing, where recurring bills were read."""
        self.books.recognise(company)
        if not arrived:
            return
        today = dt.datetime.now(dt.UTC).date()
        with self.store.reading() as connection:
            if not payment_table.knows_bills(connection, company):
                return
            schedules = recurring_table.of_company(connection, company)
            gaps = missing(schedules, recurring_table.turns(connection, company), today)
        vendors = self.references(company, [(Kind.VENDOR, schedule.vendor_id) for schedule, _ in gaps])
        for schedule, due in gaps:
            vendor = vendors.get((Kind.VENDOR, schedule.vendor_id))
            of = f" of {vendor.name}" if vendor else ""
            label = f"recurring bill '{plain_line(schedule.description or schedule.id, _LABEL_LENGTH)}'{of}"
            text = f"its bill due {due} ({schedule.total:.2f}) has not appeared in BILL"
            self.report.note(RECURRING, f"{label}, due {due}", text)

    def _let_go(self, company: Company, records: Sequence[Mapping[str, Any]]) -> set[str]:
        """What a person has dismissed, as long as it is what it was then."""
        latest = {str(record["id"]): record for record in records}
        with self.store.reading() as connection:
            dismissed = failure_table.dismissed_records(
                connection, self.store.cipher, company, self.stream, latest
            )
        return {one for one, record in dismissed.items() if canonical(record) == canonical(latest[one])}
