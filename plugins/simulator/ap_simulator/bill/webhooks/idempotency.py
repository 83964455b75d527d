"""Idempotency keys of the webhooks API (BILL manual 5.4)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ap_simulator.bill.errors import invalid

HEADER: Final = "X-Idempotent-Key"
LIFETIME: Final = timedelta(hours=24)
_UUID_VERSION: Final = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was given: status and body."""

    status: int
    body: bytes


class IdempotencyCache:
    """Answers by idempotency key, kept for 24 hours of the simulator's clock."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[datetime, Answer]] = {}

    def find(self, key: Hashable, *, now: datetime) -> Answer | None:
        """The answer that was given to `key`."""
        self._forget_before(now - LIFETIME)
        entry = self._answers.get(key)
        return None if entry is None else entry[1]

    def keep(self, key: Hashable, answer: Answer, *, now: datetime) -> None:
        """Remember the answer to `key`."""
        self._answers[key] = (now, answer)

    def _forget_before(self, moment: datetime) -> None:
        old = [key for key, (kept, _) in self._answers.items() if kept <= moment]
        for key in old:
            del self._answers[key]


def checked_key(text: str | None) -> str:
    """The header's value, which must be a UUID of version 4.

    Raises:
        Refusal: 400.
    """
    if not text:
        msg = f"{HEADER}: header is required"
        raise invalid(msg)
    try:
        key = UUID(text)
    except ValueError:
        key = None
    if key is None or key.version != _UUID_VERSION or str(key) != text.lower():
        msg = f"{HEADER}: must be a UUID of version 4"
        raise invalid(msg)
    return str(key)
