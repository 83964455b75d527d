"""BILL's limits: calls in flight, calls and logins per hour, and the wait for the next hour.

BILL allows a developer key 20,000 calls and 200 logins per clock hour and three calls at a time per
organization (BILL manual 3.9). What this process spends is counted here, before the call, together
with what other runs of this machine spend where they share a directory (`tap_bill.shared_limits`);
what others spend with the same key is learned from BILL's answers.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Literal

from tap_bill.errors import HourlyLimitError, HourlyLimitStopError
from tap_bill.shared_limits import CallCount, MemoryCount

CALLS_PER_HOUR = 20_000
LOGINS_PER_HOUR = 200

#: Calls are reserved in blocks, each double the one before: a short run wastes few, a long one seldom asks.
_FIRST_BLOCK = 1
_LARGEST_BLOCK = 64
#: An answer "hour used up" is checked once more after so many seconds before an hour is waited.
_SECOND_LOOK = 2.0
#: The quota returns at the full hour by BILL's clock, so there is no use in hitting that second.
_AFTER_THE_HOUR = (1.0, 10.0)
#: "Used up" so many minutes into an hour that was waited for is a late reset, not a spent hour.
_LATE_RESET_MINUTES = 5
_LATE_RESET_PAUSE = 60.0

_log = logging.getLogger("tap-bill")


class Governor:
    """Lets calls through as fast as BILL's limits allow.

    Safe to use from several threads. A thread that holds a slot may take another one (a login on
    behalf of a call) without waiting for itself.
    """

    def __init__(
        self,
        *,
        max_concurrency: int,
        hourly_limit: Literal["wait", "stop"] = "wait",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        count: CallCount | None = None,
        shared_slot: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Govern.

        Args:
            max_concurrency: Calls in flight, 1 to 3.
            hourly_limit: What to do when the hour is spent.
            now: The time in UTC, by BILL's clock as far as it is known.
            sleep: Waits for some seconds.
            count: Counts the calls of the hour; for this process alone if not given.
            shared_slot: Holds a slot that other processes respect too.
        """
        self._slots = threading.BoundedSemaphore(max_concurrency)
        self._held = threading.local()
        self._hourly_limit = hourly_limit
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._count_of_calls = count or MemoryCount()
        self._shared_slot = shared_slot
        self._hour: datetime | None = None
        self._reserved = 0
        self._block = _FIRST_BLOCK

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots for calls in flight, and count the call.

        Raises:
            HourlyLimitError: This process, or all that share the count, have used up the hour's calls.
        """
        if getattr(self._held, "depth", 0):
            self._count()
            yield
            return
        with self._slots, self._shared_slot():
            self._held.depth = 1
            try:
                self._count()
                yield
            finally:
                self._held.depth = 0

    def _count(self) -> None:
        with self._lock:
            hour = full_hour(self._now())
            if hour != self._hour:
                self._hour, self._reserved, self._block = hour, 0, _FIRST_BLOCK
            if not self._reserved:
                self._reserved = self._count_of_calls.reserve(hour, self._block, limit=CALLS_PER_HOUR)
                self._block = min(2 * self._block, _LARGEST_BLOCK)
            if not self._reserved:
                msg = f"{CALLS_PER_HOUR} calls were made since {hour:%H:%M} UTC, which is BILL's hourly limit"
                raise HourlyLimitError(msg)
            self._reserved -= 1

    def close(self) -> None:
        """Leave to others what was reserved and not used."""
        with self._lock:
            if self._hour is not None and self._reserved:
                self._count_of_calls.give_back(self._hour, self._reserved)
                self._reserved = 0

    def wait_out(self, error: HourlyLimitError, *, nth: int) -> None:
        """Wait until the hour's quota is back.

        Args:
            error: What BILL, or the count in here, said.
            nth: How often the same call was refused for it, from 1.

        Raises:
            HourlyLimitStopError: The settings say to stop.
        """
        if nth == 1:
            self._sleep(_SECOND_LOOK)
            return
        now = self._now()
        until = full_hour(now) + timedelta(hours=1)
        if self._hourly_limit == "stop":
            msg = (
                f"{error}; stopped because hourly_limit is stop. Run again after {until:%H:%M} UTC: the "
                "bookmarks are kept"
            )
            raise HourlyLimitStopError(msg)
        if nth > 2 and now.minute < _LATE_RESET_MINUTES:  # noqa: PLR2004 - the first long wait is number 2
            self._sleep(_LATE_RESET_PAUSE)
            return
        pause = (until - now).total_seconds() + random.uniform(*_AFTER_THE_HOUR)  # noqa: S311 - jitter
        _log.warning("%s; waiting until %s UTC", error, f"{now + timedelta(seconds=pause):%H:%M:%S}")
        self._sleep(pause)


def full_hour(moment: datetime) -> datetime:
    """The clock hour in which a moment lies: BILL counts per clock hour, not per 60 minutes."""
    return moment.replace(minute=0, second=0, microsecond=0)
