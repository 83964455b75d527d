"""One stored record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

#: Beyond every Id that is a number; those have at most 21 digits.
_FIRST_WORD: Final = 10**25
_MOST_DIGITS: Final = 21


def record_number(record_id: str) -> int:
    """The Id as a number, which orders records; the few Ids that are words come last."""
    if record_id.isascii() and record_id.isdigit() and len(record_id) <= _MOST_DIGITS:
        return int(record_id)
    return _FIRST_WORD + int.from_bytes(record_id.encode(), "big")


@dataclass(slots=True, eq=False)
class Record:
    """One record of an entity.

    Attributes:
        id: Its Id.
        number: The Id as a number, which orders records by age.
        sync_token: Version, counted up by each change.
        created: When it was made, UTC, whole seconds.
        updated: When it last changed, UTC, whole seconds.
        body: Its properties: texts, booleans, Decimals in the form they are shown, references as
            `{"value": id}`. Nothing empty.
        shown: The JSON of the record for answers, while it holds.
        shown_for: The generation of names that `shown` was made with.
    """

    id: str
    number: int
    sync_token: int
    created: datetime
    updated: datetime
    body: dict[str, Any]
    shown: bytes | None = field(default=None, repr=False)
    shown_for: int = -1
