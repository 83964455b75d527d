"""How BILL writes JSON, money and time on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

import simplejson

#: A BILL object as JSON: money is `Decimal`, times and ids are `str`.
Record = dict[str, Any]

_CENT: Final = Decimal("0.01")
_STAMP_LENGTH: Final = len("2026-12-30T23:15:23.127+00:00")
_encode = simplejson.JSONEncoder(
    use_decimal=True, ensure_ascii=False, separators=(",", ":"), namedtuple_as_object=False
).encode


def to_json(value: Any) -> bytes:
    """`value` as minified JSON in UTF-8; `Decimal` becomes a number with its own digits."""
    return _encode(value).encode()


def from_json(data: bytes | str) -> Any:
    """Parse JSON; numbers with a fraction become `Decimal`.

    Raises:
        ValueError: Not JSON, not UTF-8, nested too deep, or with NaN or Infinity.
    """
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError as error:
        msg = "nested too deep"
        raise ValueError(msg) from error


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def money(value: Decimal | int) -> Decimal:
    """`value` with two decimals."""
    return Decimal(value).quantize(_CENT)


def stamp(moment: datetime) -> str:
    """A moment as BILL writes it: `2026-12-30T23:15:23.127+00:00`, always UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def moment_of(text: str) -> datetime:
    """The moment that an ISO 8601 text with a zone names, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def canonical_stamp(text: str) -> str:
    """`text` in the form of `stamp`, whose alphabetical order is the order in time."""
    if len(text) == _STAMP_LENGTH and text.endswith("+00:00"):
        return text
    return stamp(moment_of(text))
