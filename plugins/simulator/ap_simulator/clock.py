"""The simulator's time: the real clock plus an offset, or frozen at a moment.

Every expiry, rate bucket, time stamp and retry in the simulator reads this clock and nothing else,
so that a test can let a session expire or an hour pass without waiting for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Final

#: The years that the clock can show. Expiries of decades fit in on either side.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2999


class Clock:
    """A settable clock.

    A running clock follows real time at a distance (`set` and `advance` change the distance); a
    frozen one stands still until it is set, advanced or told to run. It is used from the event
    loop only.
    """

    def __init__(self, *, start: datetime | None = None, frozen: bool = False) -> None:
        """Start at `start` (aware; default: real time), running unless `frozen`."""
        self._offset = timedelta()
        self._frozen_at: datetime | None = None
        self._moved = asyncio.Event()
        if frozen:
            self.freeze()
        if start is not None:
            self.set(start)

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen_at is not None

    def now(self) -> datetime:
        """The simulated moment, aware, in UTC."""
        if self._frozen_at is not None:
            return self._frozen_at
        return datetime.now(UTC) + self._offset

    def set(self, moment: datetime) -> None:
        """Make it `moment` (aware) now; a frozen clock stays frozen, a running one runs on.

        Raises:
            ValueError: `moment` has no time zone, or lies outside the clock's years.
        """
        if moment.tzinfo is None:
            msg = f"The clock needs a moment with a time zone, not {moment.isoformat()}"
            raise ValueError(msg)
        _check_year(moment)
        moment = moment.astimezone(UTC)
        if self._frozen_at is not None:
            self._frozen_at = moment
        else:
            self._offset = moment - datetime.now(UTC)
        self._wake_waiters()

    def advance(self, by: timedelta) -> None:
        """Move time by `by`; negative values move it back.

        Raises:
            ValueError: This would leave the clock's years.
        """
        try:
            _check_year(self.now() + by)
        except OverflowError as error:
            raise ValueError(_YEARS) from error
        if self._frozen_at is not None:
            self._frozen_at += by
        else:
            self._offset += by
        self._wake_waiters()

    def freeze(self) -> None:
        """Let time stand still at the present moment."""
        if self._frozen_at is None:
            self._frozen_at = self.now()
            self._wake_waiters()

    def run(self) -> None:
        """Let time run on from the present moment."""
        if self._frozen_at is not None:
            self._offset = self._frozen_at - datetime.now(UTC)
            self._frozen_at = None
            self._wake_waiters()

    async def sleep_until(self, moment: datetime) -> None:
        """Wait until the simulated time reaches `moment`, be it by waiting or by a moved clock."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            moved = self._moved
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), None if self.frozen else left)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of simulated time."""
        await self.sleep_until(self.now() + timedelta(seconds=seconds))

    def _wake_waiters(self) -> None:
        # Those who wait hold the old event; each newcomer gets the new one.
        self._moved.set()
        self._moved = asyncio.Event()


_YEARS: Final = f"The clock goes from the year {FIRST_YEAR} to {LAST_YEAR}"


def _check_year(moment: datetime) -> None:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(_YEARS)
