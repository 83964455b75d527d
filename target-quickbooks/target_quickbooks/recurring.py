"""Recurring bills: when each is due to bring forth a bill, and which bills it brought forth. Pure.

Field names are BILL's (BILL manual 4.4). A bill comes into being ``daysInAdvance`` days before
``nextDueDate``; it gets the due date as its invoice number and the schedule's vendor and lines. The schedule
then moves on to its next due date. Nothing in BILL's records says which schedule a bill came from, so that is
recognised.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping.fields import date_of, object_of, optional_amount_of, text_of
from target_quickbooks.mapping.payments import Balance

_MOST_TURNS = 400
_MONTHS_A_YEAR = 12
#: So many days late a bill may be before it is missed: BILL makes them at night.
_GRACE = dt.timedelta(days=1)
_VERSION_LENGTH = 40
#: How a due date may be written as an invoice number; BILL documents that it is, not how.
_NUMBER_FORMS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m-%d-%y", "%Y%m%d")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A recurring bill.

    Attributes:
        period: ``DAILY``, ``WEEKLY``, ``MONTHLY`` or ``YEARLY``.
        next_due: ISO date; empty if no more bills come.
        end_date: ISO date after which none is due; empty without end.
        anchor_day: The day of the month it keeps to, which a short month may cut.
        total: What its lines amount to, in the vendor's currency.
        version: BILL's ``updatedTime``.
    """

    id: str
    vendor_id: str
    description: str
    period: str
    frequency: int
    next_due: str
    end_date: str
    days_in_advance: int
    anchor_day: int
    total: Decimal
    archived: bool
    version: str

    @property
    def runs(self) -> bool:
        """Whether it will bring forth another bill."""
        within = not self.end_date or self.next_due <= self.end_date
        return bool(self.next_due) and within and not self.archived and self.period in _PERIODS

    @property
    def state(self) -> str:
        """``active``, ``ended`` or ``archived``."""
        if self.archived:
            return "archived"
        return "active" if self.runs else "ended"

    def bill_day(self, due: str) -> dt.date:
        """When the bill of a due date comes into being."""
        return dt.date.fromisoformat(due) - dt.timedelta(days=self.days_in_advance)


@dataclass(frozen=True, slots=True)
class Turn:
    """A due date of a schedule, and the bill it brought forth; empty if it has not appeared."""

    recurring_id: str
    due_date: str
    bill_id: str = ""


def read_schedule(record: Mapping[str, Any], known: Schedule | None) -> Schedule:
    """The recurring bill as BILL sends it.

    Args:
        record: The record.
        known: As it was known before: it remembers the day of the month.

    Raises:
        Refusal: An amount or a date cannot be read.
    """
    what = f"Recurring bill {text_of(record, 'id')}"
    plan = object_of(record, "schedule")
    due = date_of(plan.get("nextDueDate"), f"{what}: nextDueDate")
    end = date_of(plan.get("endDate"), f"{what}: endDate")
    lines = record.get("recurringBillLineItems")
    amounts = [
        optional_amount_of(line.get("amount"), f"{what}: amount") or Decimal(0)
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, Mapping)
    ]
    return Schedule(
        id=text_of(record, "id"),
        vendor_id=text_of(record, "vendorId"),
        description=text_of(record, "description").strip(),
        period=text_of(plan, "period").upper(),
        frequency=max(1, _whole(plan.get("frequency"), 1)),
        next_due=due.isoformat() if due else "",
        end_date=end.isoformat() if end else "",
        days_in_advance=_whole(plan.get("daysInAdvance"), 0),
        anchor_day=_anchor(due, known),
        total=sum(amounts, Decimal(0)),
        archived=record.get("archived") is True,
        version=text_of(record, "updatedTime")[:_VERSION_LENGTH],
    )


def passed_turns(known: Schedule, now: Schedule) -> list[str]:
    """The due dates a schedule has gone past since it was last read, whose bills must be there.

    A date that a person moved before its bill came into being was no turn: BILL's own time tells.
    """
    if not known.runs or (now.next_due and now.next_due <= known.next_due):
        return []
    day = _day_of(now.version)
    dates: list[str] = []
    for due in _turns(known):
        over = (known.end_date and due > known.end_date) or (now.next_due and due >= now.next_due)
        if over or day is None or known.bill_day(due) > day:
            break
        dates.append(due)
    return dates


def overdue(schedule: Schedule, today: dt.date) -> bool:
    """Whether the bill of the next due date should have come into being by now."""
    return schedule.runs and schedule.bill_day(schedule.next_due) + _GRACE < today


def recognise(schedules: Sequence[Schedule], turns: Iterable[Turn], bills: Iterable[Balance]) -> list[Turn]:
    """Which bills belong to which schedules, of those that are not known to.

    A bill is a schedule's if it is of its vendor and has a due date as its number, of the schedule's turns or
    with the schedule's amount; or, should its number have been changed, is due at an open turn with the
    schedule's amount. Each bill belongs to one schedule, each turn has one bill.

    Args:
        schedules: Of the vendors of the bills.
        turns: What is known.
        bills: Bills of these vendors.
    """
    known = list(turns)
    taken = {turn.bill_id for turn in known if turn.bill_id}
    filled = {(turn.recurring_id, turn.due_date) for turn in known if turn.bill_id}
    open_dates: defaultdict[str, set[str]] = defaultdict(set)
    for turn in known:
        if not turn.bill_id:
            open_dates[turn.recurring_id].add(turn.due_date)
    of_vendor: defaultdict[str, list[Balance]] = defaultdict(list)
    for bill in bills:
        if bill.bill_id not in taken:
            of_vendor[bill.vendor_id].append(bill)
    candidates = [
        candidate
        for schedule in schedules
        for candidate in _candidates(schedule, open_dates[schedule.id], of_vendor[schedule.vendor_id])
    ]
    found: list[Turn] = []
    for _, recurring_id, due, bill_id in sorted(candidates):
        if bill_id in taken or (recurring_id, due) in filled:
            continue
        taken.add(bill_id)
        filled.add((recurring_id, due))
        found.append(Turn(recurring_id, due, bill_id))
    return found


def missing(
    schedules: Iterable[Schedule], turns: Iterable[Turn], today: dt.date
) -> list[tuple[Schedule, str]]:
    """Due dates whose bills should be there and are not, by schedule; oldest first."""
    known = list(turns)
    by_id = {schedule.id: schedule for schedule in schedules if not schedule.archived}
    appeared = {(turn.recurring_id, turn.due_date) for turn in known if turn.bill_id}
    gaps = {(turn.due_date, turn.recurring_id) for turn in known if not turn.bill_id}
    gaps |= {(one.next_due, one.id) for one in by_id.values() if overdue(one, today)}
    return [
        (by_id[recurring_id], due)
        for due, recurring_id in sorted(gaps)
        if recurring_id in by_id and (recurring_id, due) not in appeared
    ]


def number_is(number: str, due: str) -> bool:
    """Whether an invoice number is a due date."""
    day = dt.date.fromisoformat(due)
    short = f"{day.month}/{day.day}/{day.year}"
    return number == short or any(number == day.strftime(form) for form in _NUMBER_FORMS)


def _candidates(
    schedule: Schedule, open_dates: Iterable[str], bills: Iterable[Balance]
) -> Iterator[tuple[int, str, str, str]]:
    """The turns that bills of the vendor may be, the best first when sorted."""
    dates = {*open_dates, schedule.next_due} - {""}
    for bill in bills:
        for due in dates | ({bill.due_date} - {""}):
            if score := _score(schedule, bill, due, is_open=due in dates):
                yield -score, schedule.id, due, bill.bill_id


def _score(schedule: Schedule, bill: Balance, due: str, *, is_open: bool) -> int:
    """How well a bill fits a turn; zero if it does not."""
    named = number_is(bill.invoice_number, due)
    same_day, same_amount = bill.due_date == due, bill.amount == schedule.total
    fits = (named and (is_open or same_amount)) or (is_open and same_day and same_amount)
    return 1 + 4 * named + 2 * same_amount + same_day if fits else 0


def _turns(schedule: Schedule) -> Iterator[str]:
    """The due dates from the next one on."""
    due = dt.date.fromisoformat(schedule.next_due)
    for number in range(_MOST_TURNS):
        try:
            yield _PERIODS[schedule.period](due, number * schedule.frequency, schedule.anchor_day).isoformat()
        except (OverflowError, ValueError):
            return


def _months_after(day: dt.date, months: int, anchor: int) -> dt.date:
    count = day.year * _MONTHS_A_YEAR + day.month - 1 + months
    year, month = divmod(count, _MONTHS_A_YEAR)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(anchor or day.day, last))


_PERIODS: dict[str, Callable[[dt.date, int, int], dt.date]] = {
    "DAILY": lambda day, count, _: day + dt.timedelta(days=count),
    "WEEKLY": lambda day, count, _: day + dt.timedelta(weeks=count),
    "MONTHLY": _months_after,
    "YEARLY": lambda day, count, anchor: _months_after(day, _MONTHS_A_YEAR * count, anchor),
}


def _anchor(due: dt.date | None, known: Schedule | None) -> int:
    """The day of the month: that of the due date, unless a short month cut a later one."""
    if due is None:
        return known.anchor_day if known else 0
    last = calendar.monthrange(due.year, due.month)[1]
    cut = known and due.day == last and known.anchor_day > last
    return known.anchor_day if known and cut else due.day


def _whole(value: Any, fallback: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        return fallback
    return number if 0 <= number <= 1_000 else fallback  # noqa: PLR2004 - beyond BILL's bounds


def _day_of(version: str) -> dt.date | None:
    try:
        return dt.datetime.fromisoformat(version).date()
    except ValueError:
        return None
