"""Fields of BILL records, read one by one: what is unset is empty, what cannot be read is a refusal.

Unset fields are left out by BILL; webhook-shaped values (numbers for strings, date-times for dates) are
tolerated.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from target_quickbooks.mapping.refusal import Refusal

_LARGEST = Decimal("1E+13")  # QuickBooks keeps 15 digits, two of them behind the point (manual 6.2)
_SMALLEST = Decimal("1E-13")
_SHOWN_OF_VALUE = 40
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([T ].*)?", re.ASCII | re.DOTALL)
SOURCE_ADVICE = "Correct the record in BILL; it is sent again with its next change."


def object_of(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object; empty if there is none."""
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def text_of(record: Mapping[str, Any], key: str) -> str:
    """A text; numbers become texts, what is no text is empty."""
    value = record.get(key)
    if value is None or isinstance(value, bool | Mapping | list):
        return ""
    return str(value)


def amount_of(value: Any, what: str) -> Decimal:
    """An amount.

    Raises:
        Refusal: It is missing or cannot be read.
    """
    amount = optional_amount_of(value, what)
    if amount is None:
        raise Refusal("amount-missing", f"{what} is missing.", advice=SOURCE_ADVICE)
    return amount


def optional_amount_of(value: Any, what: str) -> Decimal | None:
    """An amount; None if it is unset.

    Raises:
        Refusal: It cannot be read, or is beyond all bounds.
    """
    if value is None:
        return None
    try:
        readable = not isinstance(value, bool) and _NUMBER.fullmatch(str(value))
        amount = Decimal(str(value)) if readable else Decimal("NaN")
    except (InvalidOperation, ValueError):
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Refusal("amount-unreadable", f"{what} is not a number.", advice=SOURCE_ADVICE)
    if amount and not _SMALLEST <= abs(amount) < _LARGEST:
        raise Refusal("amount-out-of-range", f"{what} is beyond all bounds.", advice=SOURCE_ADVICE)
    return amount


def date_of(value: Any, what: str) -> dt.date | None:
    """A date from ``YYYY-MM-DD`` or a date-time, whose own calendar day counts.

    Raises:
        Refusal: It is something else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    day = _DAY.fullmatch(str(value))
    try:
        return dt.date.fromisoformat(day[1] if day else "")
    except ValueError:
        reason = f"{what} '{str(value)[:_SHOWN_OF_VALUE]}' is not a date."
        raise Refusal("date-unreadable", reason, advice=SOURCE_ADVICE) from None
