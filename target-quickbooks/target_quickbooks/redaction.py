"""What must never be read in a log, a report or an audit row, and how it is shown instead."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

_LEAVES = frozenset({str, bytes, int, bool, Decimal, type(None)})
_TAX_ID_KEYS = frozenset({"taxid", "taxidentifier"})
_SECRET_KEYS = frozenset(
    {
        "accesstoken",
        "authorization",
        "clientsecret",
        "dateofbirth",
        "devkey",
        "encryptionkey",
        "password",
        "refreshtoken",
        "sessionid",
    }
)
_BANK_KEYS = frozenset({"bankaccount", "vendorpaymentbankdetail"})
_BANK_NUMBER_KEYS = frozenset({"accountnumber", "bankaccountnumber"})
_SHOWN_BY_THEIR_END = _TAX_ID_KEYS | {"routingnumber"}
_TOKEN_SHAPES = re.compile(r"\b(?:AB11|RT1-|eyJ)[\w.\-]{8,}|(?i:bearer|basic)\s+[\w.\-+/=]{8,}")
_TAX_ID_SHAPE = re.compile(r"\b(?:\d{3}-\d{2}-\d{4}|\d{2}-\d{7}|\d{9})\b")

HIDDEN = "[hidden]"


def last_four(value: str) -> str:
    """Mask all but the last four characters, e.g. ``99-5688293`` becomes ``XXXXXX8293``."""
    return "X" * max(len(value) - 4, 0) + value[-4:] if len(value) > 4 else "X" * len(value)  # noqa: PLR2004


def redact(value: Any) -> Any:
    """Return a copy of JSON-like data that is safe to keep.

    Tax ids and bank numbers are shown to the last four characters, secrets and dates of birth not at all.
    """
    return _redact(value, _SHOWN_BY_THEIR_END)


def _redact(value: Any, by_their_end: frozenset[str]) -> Any:
    if type(value) in _LEAVES:
        return value
    if isinstance(value, Mapping):
        return {key: _redact_member(str(key), member, by_their_end) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_redact(member, by_their_end) for member in value]
    return value


@functools.lru_cache(maxsize=1_000)
def _plain(key: str) -> str:
    """A key without what spellings of it differ in; there are few, and they come again with every record."""
    return key.replace("_", "").lower()


def _redact_member(key: str, member: Any, by_their_end: frozenset[str]) -> Any:
    plain = _plain(key)
    if plain in _SECRET_KEYS:
        return HIDDEN
    if plain in by_their_end:
        return _end(member)
    return _redact(member, by_their_end | _BANK_NUMBER_KEYS if plain in _BANK_KEYS else by_their_end)


def _end(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _end(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_end(member) for member in value]
    return last_four(str(value)) if value else value


def redact_text(text: str) -> str:
    """Remove token-shaped and tax-id-shaped runs from free text such as an error body."""
    hidden = _TOKEN_SHAPES.sub(HIDDEN, text)
    return _TAX_ID_SHAPE.sub(lambda match: last_four(match.group()), hidden)
