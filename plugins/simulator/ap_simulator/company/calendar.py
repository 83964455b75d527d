"""The demo's time: twelve months that end on a fixed day, whatever day it really is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

#: When the company began to keep its books.
BOOKS_OPENED: Final = datetime(2024, 1, 8, 16, 0, tzinfo=UTC)
#: First and last day of the twelve months that the bills cover.
PERIOD_START: Final = date(2025, 11, 1)
PERIOD_END: Final = date(2026, 10, 31)
#: The last moment of the demo: nothing in it was created or changed later.
CLOSING: Final = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)

_OFFICE_OPENS: Final = 14
_OFFICE_HOURS: Final = 9


def office_moment(day: date, random: Random) -> datetime:
    """A moment in office hours (in UTC) of `day`, to the millisecond, never after `CLOSING`."""
    milliseconds = random.randrange(_OFFICE_HOURS * 3600 * 1000)
    start = datetime.combine(day, time(_OFFICE_OPENS), tzinfo=UTC)
    return min(start + timedelta(milliseconds=milliseconds), CLOSING)


def day_between(first: date, last: date, random: Random) -> date:
    """A day from `first` to `last`, both included."""
    return first + timedelta(days=random.randint(0, max(0, (last - first).days)))


def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later; the month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for day_of_month in range(day.day, 0, -1):
        try:
            return date(year, month + 1, day_of_month)
        except ValueError:
            continue
    raise AssertionError(day)  # pragma: no cover - every month has a first day
