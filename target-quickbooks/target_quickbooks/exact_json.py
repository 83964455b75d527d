"""JSON without loss: fractions are ``Decimal`` both ways, and the same content gives the same text.

Money and quantities never become floats; a float anywhere is a programming error and raises ``TypeError``.
Compiled code does it where its result is the same; the rest, some texts and all errors, goes the slow way.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any

import msgspec
import simplejson

_EXACT = Context(prec=10_000, Emin=MIN_EMIN, Emax=MAX_EMAX)
_WHOLE_DIGITS = 40
_LEAVES = frozenset({str, int, bool, type(None)})
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_SORTING = msgspec.json.Encoder(decimal_format="number", order="sorted")
_DEEPEST = 100
_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKETS = re.compile(r"[\[\]{}]")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def to_json(value: Any) -> str:
    """Serialise for the wire: Decimals as JSON numbers, exact.

    Raises:
        TypeError: There is a float in it.
        ValueError: There is a number in it that is none.
    """
    return _written(value if _is_usual(value) else _plain(value), _ENCODER, sort_keys=False)


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
    try:
        value = _DECODER.decode(text)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        value = json.loads(text, parse_float=_number, parse_constant=_number)
    return _storable(value) if _ESCAPED.search(text) else value


def canonical(value: Any) -> str:
    """The same text for the same content: sorted keys, numbers without trailing zeros."""
    return _written(_normal(value), _SORTING, sort_keys=True)


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


def _written(value: Any, encoder: msgspec.json.Encoder, *, sort_keys: bool) -> str:
    """As ``simplejson`` writes it; compiled code writes ASCII alike, and what else there is unescaped."""
    try:
        encoded = encoder.encode(value)
    except UnicodeEncodeError:  # half of a surrogate pair
        encoded = b"\x7f"
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded.decode("ascii")
    return str(
        simplejson.dumps(value, use_decimal=True, separators=(",", ":"), allow_nan=False, sort_keys=sort_keys)
    )


def _is_usual(value: Any) -> bool:
    """Whether there is nothing in it but what JSON is made of."""
    left: list[Any] = [[value]]
    while left:
        members = left.pop()
        for held in members.values() if type(members) is dict else members:
            kind = type(held)
            if kind is dict or kind is list:
                left.append(held)
            elif kind not in _LEAVES and not (kind is Decimal and held.is_finite()):
                return False
    return True


def _plain(value: Any) -> Any:
    """The value in the types that JSON is made of."""
    kind = type(value)
    if kind is dict:
        return {key: _plain(held) for key, held in value.items()}
    if kind is list:
        return [_plain(held) for held in value]
    return value if kind in _LEAVES else _of_another_kind(value, _plain)


def _normal(value: Any) -> Any:
    """The value with its numbers in the shortest form."""
    kind = type(value)
    if kind is dict:
        return {key: held if type(held) in _LEAVES else _normal(held) for key, held in value.items()}
    if kind is list:
        return [held if type(held) in _LEAVES else _normal(held) for held in value]
    if kind is Decimal:
        return _shortest(value)
    return value if kind in _LEAVES else _of_another_kind(value, _normal)


def _of_another_kind(value: Any, converted: Callable[[Any], Any]) -> Any:
    if isinstance(value, float):
        msg = "float in a payload: money and quantities are Decimal"
        raise TypeError(msg)
    if isinstance(value, Decimal):
        if not value.is_finite():
            msg = "a number that is none in a payload"
            raise ValueError(msg)
        return value
    if isinstance(value, Mapping):
        return {key: converted(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [converted(held) for held in value]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    msg = f"{type(value).__name__} in a payload: JSON has no such thing"
    raise TypeError(msg)


def _shortest(value: Decimal) -> Decimal | int:
    """Without trailing zeros; whole numbers become integers, so that 100 and 100.00 are the same."""
    if not value:
        return 0
    plain = value.normalize(_EXACT)
    whole = plain.adjusted() < _WHOLE_DIGITS and plain == plain.to_integral_value()
    return int(plain) if whole else plain
