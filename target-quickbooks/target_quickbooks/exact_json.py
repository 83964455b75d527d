"""JSON without loss: fractions are ``Decimal`` both ways, and the same content gives the same text.

Money and quantities never become floats; a float anywhere is a programming error and raises ``TypeError``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import simplejson


def to_json(value: Any) -> str:
    """Serialise for the wire: Decimals as JSON numbers, exact."""
    return str(simplejson.dumps(value, use_decimal=True, separators=(",", ":"), allow_nan=False))


def from_json(text: str | bytes) -> Any:
    """Parse JSON with Decimals for all fractions and exponents."""
    return json.loads(text, parse_float=Decimal)


def canonical(value: Any) -> str:
    """The same text for the same content: sorted keys, numbers without trailing zeros."""
    return str(simplejson.dumps(_normal(value), use_decimal=True, sort_keys=True, separators=(",", ":")))


def fingerprint(value: Any, key: bytes) -> str:
    """Keyed SHA-256 of the content.

    Keyed, because payloads hold tax ids whose plain hash could be searched in seconds.
    """
    return hmac.new(key, canonical(value).encode(), hashlib.sha256).hexdigest()


def _normal(value: Any) -> Any:
    if isinstance(value, float):
        msg = "float in a payload: money and quantities are Decimal"
        raise TypeError(msg)
    if isinstance(value, Decimal):
        return value.normalize() + 0 if value else Decimal(0)
    if isinstance(value, Mapping):
        return {key: _normal(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(member) for member in value]
    return value
