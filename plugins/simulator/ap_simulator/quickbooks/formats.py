"""How QuickBooks writes times and numbers (QuickBooks manual 1.5), and how it reads times.

Times carry the Pacific offset; a stored time has whole seconds, the time of an answer has
milliseconds without trailing zeros. Amounts show as `25.0`, `103.55`, `0`; quantities as `1`,
`12.75`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)


@lru_cache(maxsize=4096)
def stored_time(moment: datetime) -> str:
    """A time as MetaData shows it: `2015-07-28T12:51:21-07:00`."""
    return moment.astimezone(PACIFIC).isoformat(timespec="seconds")


def answer_time(moment: datetime) -> str:
    """The `time` of an answer: `2015-07-28T12:51:21.326-07:00`, milliseconds trimmed."""
    local = moment.astimezone(PACIFIC)
    text = local.isoformat(timespec="seconds")
    milliseconds = f"{local.microsecond // 1000:03d}".rstrip("0")
    return f"{text[:19]}.{milliseconds}{text[19:]}" if milliseconds else text


def epoch_milliseconds(moment: datetime) -> int:
    """The `time` of a gateway's answer."""
    return int(moment.timestamp() * 1000)


def pacific_date(moment: datetime) -> date:
    """The server's date, which is the default of TxnDate."""
    return moment.astimezone(PACIFIC).date()


def read_time(text: str, *, naive: Literal["pacific", "utc"]) -> datetime | None:
    """Read a date or date-time; None if it is neither.

    Args:
        text: ISO 8601; a date is its first moment.
        naive: The zone of a time without an offset.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=PACIFIC if naive == "pacific" else UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def amount(value: Decimal) -> Decimal:
    """An amount of money the way it is shown: at least one decimal, at most two; zero is `0`."""
    if not value:
        return _ZERO
    whole = value.quantize(CENT, rounding=ROUND_HALF_UP)
    if not whole:
        return _ZERO
    tenths = whole.quantize(Decimal("0.1"))
    return tenths if tenths == whole else whole


def quantity(value: Decimal) -> Decimal:
    """A quantity, price or rate the way it is shown: no trailing zeros, no exponent."""
    if not value:
        return _ZERO
    trimmed = value.normalize()
    exponent = trimmed.as_tuple().exponent
    return trimmed.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else trimmed


def product(quantity_: Decimal, price: Decimal) -> Decimal:
    """Quantity times price, to the cent, half up."""
    return (quantity_ * price).quantize(CENT, rounding=ROUND_HALF_UP)
