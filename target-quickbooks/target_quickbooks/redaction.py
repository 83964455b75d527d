"""What must never be read in a log, a report or an audit row, and how it is shown instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_TAX_ID_KEYS = frozenset({"taxid", "taxidentifier"})
_SECRET_KEYS = frozenset(
    {
        "accesstoken",
        "authorization",
        "clientsecret",
        "devkey",
        "encryptionkey",
        "password",
        "refreshtoken",
        "sessionid",
    }
)
_ACCOUNT_KEYS = frozenset({"routingnumber"})
_TOKEN_SHAPES = re.compile(r"\b(?:AB11|RT1-|eyJ)[\w.\-]{8,}|(?i:bearer|basic)\s+[\w.\-+/=]{8,}")
_TAX_ID_SHAPE = re.compile(r"\b(?:\d{3}-\d{2}-\d{4}|\d{2}-\d{7}|\d{9})\b")

HIDDEN = "[hidden]"


def last_four(value: str) -> str:
    """Mask all but the last four characters, e.g. ``99-5688293`` becomes ``XXXXXX8293``."""
    return "X" * max(len(value) - 4, 0) + value[-4:] if len(value) > 4 else "X" * len(value)  # noqa: PLR2004


def redact(value: Any) -> Any:
    """Return a copy of JSON-like data that is safe to keep: tax ids to the last four, no secrets."""
    if isinstance(value, Mapping):
        return {key: _redact_member(str(key), member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [redact(member) for member in value]
    return value


def _redact_member(key: str, member: Any) -> Any:
    plain = key.replace("_", "").lower()
    if plain in _SECRET_KEYS:
        return HIDDEN
    if plain in _TAX_ID_KEYS or plain in _ACCOUNT_KEYS:
        return last_four(str(member)) if member else member
    return redact(member)


def redact_text(text: str) -> str:
    """Remove token-shaped and tax-id-shaped runs from free text such as an error body."""
    hidden = _TOKEN_SHAPES.sub(HIDDEN, text)
    return _TAX_ID_SHAPE.sub(lambda match: last_four(match.group()), hidden)
