"""Days: business days of payments, and the next turn of something recurring. Pure."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Final

_SATURDAY: Final = 5
_MONTHS: Final = 12


def business_days_after(day: date, count: int) -> date:
    """The day `count` business days after `day`; Saturdays and Sundays are none."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            count -= 1
    return day


def next_turn(day: date, *, period: str, frequency: int, anchor: int) -> date | None:
    """When something recurring comes after `day`.

    Args:
        day: The turn before.
        period: `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`; all else does not recur.
        frequency: Every so many periods.
        anchor: Day of the month that monthly and yearly turns keep to where the month has it.
    """
    match period:
        case "DAILY":
            return day + timedelta(days=frequency)
        case "WEEKLY":
            return day + timedelta(weeks=frequency)
        case "MONTHLY":
            return _months_after(day, frequency, anchor)
        case "YEARLY":
            return _months_after(day, frequency * _MONTHS, anchor)
        case _:
            return None


def _months_after(day: date, count: int, anchor: int) -> date:
    year, month = divmod(day.year * _MONTHS + day.month - 1 + count, _MONTHS)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor, last))
