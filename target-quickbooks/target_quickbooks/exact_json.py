"""JSON without loss: fractions are ``Decimal`` both ways, and the same content gives the same text.

Money and quantities never become floats; a float anywhere is a programming error and raises ``TypeError``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any

import simplejson

_EXACT = Context(prec=10_000, Emin=MIN_EMIN, Emax=MAX_EMAX)
_WHOLE_DIGITS = 40
_DEEPEST = 100
_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKETS = re.compile(r"[\[\]{}]")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def to_json(value: Any) -> str:
    """Serialise for the wire: Decimals as JSON numbers, exact.

    Raises:
        TypeError: There is a float in it.
    """
    _refuse_floats(value)
    return str(simplejson.dumps(value, use_decimal=True, separators=(",", ":"), allow_nan=False))


def from_json(text: str | bytes) -> Any:
    """Parse JSON (UTF-8) with Decimals for all fractions and exponents.

    Halves of a surrogate pair and NUL are left out of texts: they come from texts cut by others, and no
    database or API takes them.

    Raises:
        ValueError: It is not JSON (NaN and Infinity are not), or nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    if text.count("[") + text.count("{") > _DEEPEST and _is_too_deep(text):
        raise ValueError("nested too deeply")
    value = json.loads(text, parse_float=_number, parse_constant=_number)
    return _storable(value) if _ESCAPED.search(text) else value


def canonical(value: Any) -> str:
    """The same text for the same content: sorted keys, numbers without trailing zeros."""
    return str(simplejson.dumps(_normal(value), use_decimal=True, sort_keys=True, separators=(",", ":")))


def fingerprint(value: Any, key: bytes) -> str:
    """Keyed SHA-256 of the content.

    Keyed, because payloads hold tax ids whose plain hash could be searched in seconds.
    """
    return hmac.new(key, canonical(value).encode(), hashlib.sha256).hexdigest()


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number beyond all bounds") from None
    if not number.is_finite():
        raise ValueError("not a number")
    return number


def _is_too_deep(text: str) -> bool:
    """Looked at before parsing: a parser at the end of its stack breaks whatever runs there by chance."""
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEEPEST:
            return True
    return False


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, dict):
        return {_storable(key): _storable(member) for key, member in value.items()}
    return [_storable(member) for member in value] if isinstance(value, list) else value


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        msg = "float in a payload: money and quantities are Decimal"
        raise TypeError(msg)
    if isinstance(value, Mapping | list | tuple):
        for member in value.values() if isinstance(value, Mapping) else value:
            _refuse_floats(member)


def _normal(value: Any) -> Any:
    if isinstance(value, float):
        _refuse_floats(value)
    if isinstance(value, Decimal):
        return _shortest(value)
    if isinstance(value, Mapping):
        return {key: _normal(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(member) for member in value]
    return value


def _shortest(value: Decimal) -> Decimal | int:
    """Without trailing zeros; whole numbers become integers, so that 100 and 100.00 are the same."""
    if not value:
        return 0
    plain = value.normalize(_EXACT)
    whole = plain.adjusted() < _WHOLE_DIGITS and plain == plain.to_integral_value()
    return int(plain) if whole else plain
