"""Recurring bills, and the bills that they bring forth in time (BILL manual 4.4).

A bill comes into being `daysInAdvance` days before `nextDueDate`, at midnight UTC, and the recurring
bill moves on to its next due date. There is no clockwork behind it: every request first lets the
schedule catch up with the clock. Automatic payment is kept as a setting and pays nothing.
"""

from __future__ import annotations

import heapq
import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.errors import Refusal
from ap_simulator.bill.records import bills
from ap_simulator.bill.records.archiving import set_archived
from ap_simulator.bill.records.calendar_days import next_turn
from ap_simulator.bill.records.lines import patched_lines, replaced_lines, without_ids
from ap_simulator.bill.records.schema import (
    Day,
    Flag,
    ListOf,
    Object,
    Text,
    Whole,
    choice,
    merged,
    read_body,
)
from ap_simulator.bill.records.shapes import ID, MONEY, RECURRING_CLASSIFICATIONS
from ap_simulator.bill.wire import Record, moment_of

logger = logging.getLogger(__name__)

_LINES: Final = "recurringBillLineItems"
_COLLECTION: Final = "recurring_bills"
_LINE: Final = Object(
    {"id": ID, "amount": MONEY, "description": Text(), "classifications": RECURRING_CLASSIFICATIONS}
)
_SHAPE: Final = Object(
    {
        "vendorId": ID,
        "description": Text(),
        "schedule": Object(
            {
                "period": choice("DAILY", "WEEKLY", "MONTHLY", "YEARLY"),
                "frequency": Whole(least=1, greatest=1_000),
                "nextDueDate": Day(),
                "endDate": Day(),
                "daysInAdvance": Whole(greatest=366),
            },
            ("period", "frequency", "nextDueDate"),
        ),
        _LINES: ListOf(_LINE, least=1),
        "processingOptions": Object({"autoPayment": Flag()}),
        "paymentInformation": Object({"bankAccountId": ID}),
    },
    ("vendorId", "schedule", _LINES),
)


_KEPT_BY_PUT: Final = ("id", "archived", "createdTime", "updatedTime")


class Schedule:
    """When which recurring bill is due to bring forth a bill."""

    def __init__(self) -> None:
        # Entries are never taken out; one that is not true any more is passed over.
        self._queue: list[tuple[date, str]] = []
        #: The day of the month that a recurring bill keeps to, since February may cut it short.
        self._anchors: dict[str, int] = {}
        self._caught_up: datetime | None = None

    def plan(self, record: Record) -> None:
        """Note a new or changed recurring bill."""
        due = _next_due(record)
        if due is None:
            return
        self._anchors.setdefault(record["id"], due.day)
        heapq.heappush(self._queue, (_bill_day(record, due), record["id"]))

    def set_anchor(self, record: Record) -> None:
        """Let the recurring bill keep to the day of its `nextDueDate` from now on."""
        self._anchors.pop(record["id"], None)
        self.plan(record)

    def catch_up(self, books: Books) -> None:
        """Bring forth the bills whose day has come."""
        now = books.now()
        while self._queue and self._queue[0][0] <= now.date():
            day, recurring_id = heapq.heappop(self._queue)
            record = books[_COLLECTION].get(recurring_id)
            due = None if record is None or record.get("archived") else _next_due(record)
            if record is None or due is None or _bill_day(record, due) != day:
                continue
            born = datetime.combine(day, time(), UTC)
            # Not before anybody last looked, or an incremental reader would never see it.
            if "updatedTime" in record:
                born = max(born, moment_of(record["updatedTime"]))
            born = max(born, self._caught_up or born)
            try:
                self._bring_forth(books, record, due, at=min(born, now))
            except Refusal as refusal:
                # Loaded records may name what was never loaded.
                logger.warning("Recurring bill %s brings nothing forth: %s", recurring_id, refusal)
        self._caught_up = now

    def _bring_forth(self, books: Books, record: Record, due: date, *, at: datetime) -> None:
        plan = record["schedule"]
        following = next_turn(
            due,
            period=plan["period"],
            frequency=plan.get("frequency", 1),
            anchor=self._anchors.get(record["id"], due.day),
        )
        end = plan.get("endDate")
        if following is None or (end is not None and following > date.fromisoformat(end)):
            moved = {name: value for name, value in plan.items() if name != "nextDueDate"}
        else:
            moved = {**plan, "nextDueDate": following.isoformat()}
        values: dict[str, Any] = {
            "vendorId": record["vendorId"],
            "dueDate": due.isoformat(),
            "invoice": {"invoiceNumber": due.isoformat(), "invoiceDate": at.date().isoformat()},
            "billLineItems": without_ids(record.get(_LINES, ())),
        }
        if "description" in record:
            values["description"] = record["description"]
        with books.transaction():
            bills.add(books, values, actor=None, at=at)
            self.plan(books.save(_COLLECTION, {**record, "schedule": moved}, at=at))


def create(books: Books, schedule: Schedule, body: Any) -> Record:
    """Add a recurring bill.

    Raises:
        Refusal: 400: the body is invalid or names something that does not exist.
    """
    values = read_body(_SHAPE, body, books.switches)
    record = {"archived": False, **values, _LINES: _replaced(books, values[_LINES], ())}
    record["schedule"] = {"daysInAdvance": 0, **values["schedule"]}
    _check_references(books, record)
    record = books.create(_COLLECTION, record)
    schedule.set_anchor(record)
    return record


def patch(books: Books, schedule: Schedule, recurring_id: str, body: Any) -> Record:
    """Change a recurring bill; line items sent with their id are changed, others stay.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid or names something that does not exist.
    """
    old = books.get(_COLLECTION, recurring_id)
    changes = read_body(_SHAPE, body, books.switches, partial=True)
    sent = changes.pop(_LINES, None) or []
    prefix = books.switches.recurring_line_prefix
    lines = patched_lines(books, sent, old.get(_LINES, ()), prefix=prefix, where=_LINES)
    return _save(books, schedule, old, {**merged(old, changes), _LINES: lines})


def put(books: Books, schedule: Schedule, recurring_id: str, body: Any) -> Record:
    """Replace a recurring bill; line items and optional fields that are not sent are gone.

    Raises:
        Refusal: As for `patch`.
    """
    old = books.get(_COLLECTION, recurring_id)
    values = read_body(_SHAPE, body, books.switches)
    lines = _replaced(books, values[_LINES], old.get(_LINES, ()))
    kept: Record = {name: old[name] for name in _KEPT_BY_PUT if name in old}
    return _save(books, schedule, old, {**kept, **values, _LINES: lines})


def archive(books: Books, schedule: Schedule, recurring_id: str, *, archived: bool) -> Record:
    """Archive or restore a recurring bill; archived, it brings nothing forth.

    Raises:
        Refusal: 404 BDC_1205.
    """
    record = set_archived(books, _COLLECTION, recurring_id, archived=archived)
    schedule.plan(record)
    return record


def _save(books: Books, schedule: Schedule, old: Record, record: Record) -> Record:
    _check_references(books, record)
    record = books.save(_COLLECTION, record)
    if old.get("schedule") != record["schedule"]:
        schedule.set_anchor(record)
    return record


def _replaced(books: Books, sent: list[Record], old: Any) -> list[Record]:
    prefix = books.switches.recurring_line_prefix
    return replaced_lines(books, sent, old, prefix=prefix, where=_LINES)


def _check_references(books: Books, record: Record) -> None:
    books.reference("vendorId", "vendors", record["vendorId"])
    account = record.get("paymentInformation", {}).get("bankAccountId")
    if account is not None:
        books.reference("paymentInformation.bankAccountId", "bank_accounts", account)


def _next_due(record: Record) -> date | None:
    plan = record.get("schedule", {})
    text = plan.get("nextDueDate")
    if text is None or plan.get("period") not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}:
        return None
    due = date.fromisoformat(text)
    end = plan.get("endDate")
    return None if end is not None and due > date.fromisoformat(end) else due


def _bill_day(record: Record, due: date) -> date:
    return due - timedelta(days=record["schedule"].get("daysInAdvance", 0))
