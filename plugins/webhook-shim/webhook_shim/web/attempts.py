"""How often a password may be tried: for each address and for all together, with growing lock-outs.

Kept in memory only. While an address is locked out its password is not even looked at.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass

_FREE = 5
_FREE_FOR_ALL = 50
_FIRST_LOCK = dt.timedelta(seconds=30)
_LONGEST_LOCK = dt.timedelta(hours=1)
_LONGEST_LOCK_FOR_ALL = dt.timedelta(minutes=1)
_FORGOTTEN_AFTER = dt.timedelta(hours=2)
_ADDRESSES_KEPT = 10_000
_DOUBLINGS = 16


@dataclass(slots=True)
class _Record:
    failures: int
    last_at: dt.datetime
    locked_until: dt.datetime


class Attempts:
    """Counts wrong passwords."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._records: dict[str, _Record] = {}
        self._lock = threading.Lock()

    def take(self, address: str) -> dt.timedelta:
        """Take one attempt, or learn how long to wait.

        The attempt counts as failed until ``succeeded`` says otherwise, so that many at once gain nothing.
        """
        now = self._now()
        with self._lock:
            held = [self._records[key] for key in (address, "") if key in self._records]
            wait = max((record.locked_until - now for record in held), default=dt.timedelta(0))
            if wait > dt.timedelta(0):
                return wait
            self._forget(now)
            self._count(address, now, free=_FREE, longest=_LONGEST_LOCK)
            self._count("", now, free=_FREE_FOR_ALL, longest=_LONGEST_LOCK_FOR_ALL)
        return dt.timedelta(0)

    def succeeded(self, address: str) -> None:
        """The attempt that was taken last gave the right password."""
        with self._lock:
            self._records.pop(address, None)
            everybody = self._records.get("")
            if everybody:
                everybody.failures = max(everybody.failures - 1, 0)

    def _count(self, key: str, now: dt.datetime, *, free: int, longest: dt.timedelta) -> None:
        record = self._records.setdefault(key, _Record(0, now, now))
        record.failures, record.last_at = record.failures + 1, now
        beyond = record.failures - free
        if beyond >= 0:
            record.locked_until = now + min(_FIRST_LOCK * 2 ** min(beyond, _DOUBLINGS), longest)

    def _forget(self, now: dt.datetime) -> None:
        kept = {
            key: record for key, record in self._records.items() if now - record.last_at < _FORGOTTEN_AFTER
        }
        while len(kept) > _ADDRESSES_KEPT:
            kept.pop(next(iter(kept)))
        self._records = kept
