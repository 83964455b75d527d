"""The ledger of a realm's rate limits in the store, where all processes that work with the realm find it.

Its times are those of the clock of the process that saved it last. A process that reads the same clock (on
the same machine, since the same start of it) takes them as they are, so that nobody minds when the time of
day is set. Other machines go by the time of day: they need clocks that agree to within a fraction of a
second, as time servers keep them.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from target_quickbooks.process import monotonic_clock
from target_quickbooks.quickbooks.quota import LAPSE, Ledger, Place, Turn
from target_quickbooks.store.database import Store
from target_quickbooks.store.tables import quotas

#: A request that ended later than now, or a place that lapses later than it should, was noted by a clock
#: that has been set back since. Small differences are those between machines.
_CLOCKS_DIFFER = 5.0
_LONGEST_SHUT = 120.0


class StoredLedger:
    """Keeps the ledger of a realm in the store. One transaction at a time has it, over all processes.

    Args:
        store: The store.
        realm_id: The company.
        ticks: The monotonic clock, in seconds.
        clock: A name for that clock, equal for all processes that read the same.
        wall: The time of day, aware.
    """

    def __init__(
        self,
        store: Store,
        realm_id: str,
        *,
        ticks: Callable[[], float] = time.monotonic,
        clock: str = "",
        wall: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._store = store
        self._realm_id = realm_id
        self._ticks = ticks
        self._clock = clock or monotonic_clock()
        self._wall = wall
        self._exists = False

    @contextmanager
    def open(self) -> Iterator[Ledger]:
        """The ledger, in times of this process' clock; it is kept at the end of the block.

        Raises:
            StoreError: The database cannot be used.
        """
        if not self._exists:
            self._create()
            self._exists = True
        with self._store.noting() as connection:
            ledger = self._load(connection)
            yield ledger
            connection.execute(
                update(quotas).where(quotas.c.realm_id == self._realm_id).values(self._values(ledger))
            )

    def _create(self) -> None:
        """Make the row, so that there always is one to lock."""
        query = select(quotas.c.realm_id).where(quotas.c.realm_id == self._realm_id)
        with self._store.reading() as connection:
            if connection.execute(query).first():
                return
        with suppress(IntegrityError), self._store.noting() as connection:
            row = {"realm_id": self._realm_id, **self._values(Ledger())}
            connection.execute(insert(quotas).values(row))

    def _load(self, connection: Connection) -> Ledger:
        query = select(quotas).where(quotas.c.realm_id == self._realm_id).with_for_update()
        row = connection.execute(query).mappings().one()
        now, noted = self._ticks(), row["ticks"] / 1000
        if row["clock"] == self._clock and noted <= now + _CLOCKS_DIFFER:
            behind = 0.0
        else:
            passed = (self._wall() - row["saved_at"]).total_seconds()
            behind = now - max(passed, -_CLOCKS_DIFFER) - noted
        return _within_reason(_read(row["ledger"], behind), now)

    def _values(self, ledger: Ledger) -> dict[str, Any]:
        return {
            "clock": self._clock,
            "ticks": _milliseconds(self._ticks()),
            "saved_at": self._wall(),
            "ledger": _written(ledger),
        }


def _written(ledger: Ledger) -> dict[str, Any]:
    """Times in whole milliseconds; fractions of them are within the margin of the limits."""
    return {
        "held": [
            [name, place.holder, place.batch, _milliseconds(place.lapses_at)]
            for name, place in ledger.held.items()
        ],
        "ended": [_milliseconds(at) for at in ledger.ended],
        "ended_batches": [_milliseconds(at) for at in ledger.ended_batches],
        "waiting": [
            [name, turn.holder, turn.batch, _milliseconds(turn.asked_at), _milliseconds(turn.due_at)]
            for name, turn in ledger.waiting.items()
        ],
        "shut_until": _milliseconds(ledger.shut_until),
    }


def _read(written: dict[str, Any], behind: float) -> Ledger:
    def seconds(milliseconds: int) -> float:
        return milliseconds / 1000 + behind

    return Ledger(
        held={
            name: Place(holder, batch, seconds(lapses_at))
            for name, holder, batch, lapses_at in written["held"]
        },
        ended=[seconds(at) for at in written["ended"]],
        ended_batches=[seconds(at) for at in written["ended_batches"]],
        waiting={
            name: Turn(holder, batch, seconds(asked_at), seconds(due_at))
            for name, holder, batch, asked_at, due_at in written["waiting"]
        },
        shut_until=seconds(written["shut_until"]),
    )


def _within_reason(ledger: Ledger, now: float) -> Ledger:
    """Nothing may lie in the future for longer than it could have been meant to, or all would wait for it."""
    if ledger.ended and ledger.ended[-1] > now + _CLOCKS_DIFFER:
        ledger.ended = [min(at, now) for at in ledger.ended]
        ledger.ended_batches = [min(at, now) for at in ledger.ended_batches]
    ledger.shut_until = min(ledger.shut_until, now + _LONGEST_SHUT)
    for name, place in ledger.held.items():
        if place.lapses_at > now + LAPSE + _CLOCKS_DIFFER:
            ledger.held[name] = Place(place.holder, place.batch, now + LAPSE)
    return ledger


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
