"""The one form in which the tap writes moments, and how it reads BILL's other forms.

Singer compares bookmarks as text, so every replication value has to have the same offset and the
same number of digits: `2026-01-01T00:00:00.000+00:00`, which is also how BILL writes them
(BILL manual 3.4). Digits beyond milliseconds are cut, never rounded up: a bookmark may lie before
what was read, but not after it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_LENGTH = len("2026-01-01T00:00:00.000+00:00")


def normalise(text: str) -> str:
    """Rewrite an ISO 8601 moment in the tap's form.

    Args:
        text: Any ISO 8601 date or date-time; without a zone it is taken for UTC.

    Raises:
        ValueError: `text` is no ISO 8601 moment.
    """
    moment = datetime.fromisoformat(text)
    if len(text) == _LENGTH and text[10] == "T" and text[19] == "." and text.endswith("+00:00"):
        return text
    return to_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def to_text(moment: datetime) -> str:
    """Write an aware moment in the tap's form."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def to_moment(text: str) -> datetime:
    """Read a moment that is in the tap's form."""
    return datetime.fromisoformat(text)


def earlier(text: str, seconds: int) -> str:
    """The moment `seconds` before `text`, both in the tap's form."""
    try:
        return to_text(to_moment(text) - timedelta(seconds=seconds))
    except OverflowError:
        return to_text(datetime.min.replace(tzinfo=UTC))


def for_filter(text: str) -> str:
    """Write a moment in the tap's form as BILL's filters document it, with `Z` (BILL manual 3.3)."""
    return f"{text.removesuffix('+00:00')}Z"


def calendar_date(text: str) -> str:
    """The `yyyy-MM-dd` of a date, or of a date-time as BILL's webhooks write dates.

    Raises:
        ValueError: `text` begins with no date.
    """
    day = text[:10]
    if len(text) > len(day) and text[10] not in "T ":
        msg = "not a date"
        raise ValueError(msg)
    written = date.fromisoformat(day).isoformat()
    return day if day == written else written
