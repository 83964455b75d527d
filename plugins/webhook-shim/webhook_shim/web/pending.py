"""Connections to QuickBooks that are being made: what was asked, and what came back, until it is confirmed.

Kept in memory: tokens that are not saved yet must not leave the process, and each step is good once.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from target_quickbooks.quickbooks.authorization import AuthorizationRequest
from target_quickbooks.store.connection_table import Connection

_KEPT = dt.timedelta(minutes=10)
_MOST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody was sent to Intuit."""

    company: str
    request: AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody came back; to be confirmed.

    Attributes:
        company: Which books it is for.
        name: What QuickBooks calls the company.
    """

    company: str
    name: str
    connection: Connection = field(repr=False)


class PendingConnections:
    """At most one attempt for each session."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._held: dict[str, tuple[dt.datetime, Asked | Answered]] = {}
        self._lock = threading.Lock()

    def put(self, session_id: str, step: Asked | Answered) -> None:
        """Remember a step, in place of the session's last one."""
        now = self._now()
        with self._lock:
            self._held.pop(session_id, None)
            kept = {key: held for key, held in self._held.items() if held[0] > now}
            while len(kept) >= _MOST:
                kept.pop(next(iter(kept)))
            self._held = {**kept, session_id: (now + _KEPT, step)}

    def take_asked(self, session_id: str) -> Asked | None:
        """What was asked; once."""
        step = self._step(session_id)
        if isinstance(step, Asked):
            self.drop(session_id)
            return step
        return None

    def answered(self, session_id: str) -> Answered | None:
        """What came back and waits to be confirmed."""
        step = self._step(session_id)
        return step if isinstance(step, Answered) else None

    def drop(self, session_id: str) -> None:
        """Forget the attempt."""
        with self._lock:
            self._held.pop(session_id, None)

    def _step(self, session_id: str) -> Asked | Answered | None:
        with self._lock:
            held = self._held.get(session_id)
        return held[1] if held and held[0] > self._now() else None
