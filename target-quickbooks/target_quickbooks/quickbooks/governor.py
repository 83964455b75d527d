"""Keeps QuickBooks' rate limits, so that a throttle answer is the exception (QuickBooks manual 8).

One governor per process and realm, shared by all threads. The ledger that it goes by is kept in the store,
where the governors of other processes find it, or in memory where there is no store.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

from target_quickbooks.errors import StoreError
from target_quickbooks.process import is_gone, this_process
from target_quickbooks.quickbooks.quota import Bucket, Ledger, Limits

__all__ = [
    "BATCHES",
    "IN_FLIGHT",
    "REQUESTS",
    "Bucket",
    "Governor",
    "Ledgers",
    "MemoryLedger",
    "log_long_wait",
]

REQUESTS = (Bucket(10, 1.0), Bucket(500, 60.0))
BATCHES = (Bucket(40, 60.0),)
IN_FLIGHT = 10
_LONG_WAIT = 10.0
_SHORTEST_SLEEP = 0.001

logger = logging.getLogger("target-quickbooks")


class Ledgers(Protocol):
    """Where the ledger of a realm is kept."""

    def open(self) -> AbstractContextManager[Ledger]:
        """The ledger, for one governor at a time; what is changed in the block is kept at its end."""


class MemoryLedger:
    """Keeps the ledger for one process."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._lock = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[Ledger]:
        """See `Ledgers.open`."""
        with self._lock:
            yield self._ledger


class Governor:
    """Lets requests start only when no limit would be passed.

    Sliding windows, because the service's own windows are not known: what holds for every window holds
    for theirs. Who waits longest goes first, across threads and processes.

    Args:
        ledgers: Where the ledger is kept; in memory if not given.
        now: Seconds on the ledger's clock, which never goes back.
        sleep: How to wait; may raise to interrupt the wait.
        on_wait: Told how many seconds a wait will take, once for all who wait at the same time.
        before_start: Called before each request; may raise to prevent it.
    """

    def __init__(
        self,
        ledgers: Ledgers | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        on_wait: Callable[[float], None] = lambda _: None,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledgers = ledgers or MemoryLedger()
        self._now = now
        self._sleep = sleep
        self._on_wait = on_wait
        self._before_start = before_start
        self._holder = f"{this_process()} {uuid.uuid4().hex[:8]}"
        self._numbers = itertools.count()
        self._places = threading.Semaphore(IN_FLIGHT)
        self._lock = threading.Lock()
        self._unreported: list[tuple[str, float]] = []
        self._has_company = False
        self._told_until = float("-inf")

    @contextmanager
    def request(self, *, batch: bool = False) -> Iterator[None]:
        """Hold a place among the requests in flight, once every bucket has room.

        Raises:
            StoreError: The ledger in the store cannot be used.
        """
        with self._places:
            name = f"{self._holder} {next(self._numbers)}"
            told = False
            while (wait := self._take(name, batch=batch)) > 0:
                told = told or self._tell(wait)
                self._sleep(max(wait, _SHORTEST_SLEEP))
            try:
                self._before_start()
                yield
            finally:
                self._give_back(name)

    def close_for(self, seconds: float) -> None:
        """Let nothing start for a while, in any process: the service said that it is throttling."""
        with self._lock, self._ledgers.open() as ledger:
            ledger.shut(self._now() + seconds)

    def _take(self, name: str, *, batch: bool) -> float:
        """Take the place and return 0, or return how long to wait before trying again."""
        limits = Limits((*REQUESTS, Bucket(IN_FLIGHT, 0.0)), BATCHES)
        with self._lock, self._ledgers.open() as ledger:
            self._report(ledger)
            now = self._now()
            wait = ledger.take(name, self._holder, batch=batch, now=now, limits=limits)
            self._has_company = ledger.has_others(self._holder)
            if wait > 0 and self._has_company and ledger.drop(is_gone, now):
                wait = ledger.take(name, self._holder, batch=batch, now=now, limits=limits)
            return wait

    def _give_back(self, name: str) -> None:
        """Note that a request has ended.

        The next request tells the ledger, which costs nothing extra. Only if others may be waiting for the
        place, or if another end is untold, the ledger learns of it at once.
        """
        with self._lock:
            self._unreported.append((name, self._now()))
            if self._has_company or len(self._unreported) > 1:
                # The next request finds out what is wrong with the store; this one has its answer.
                with suppress(StoreError), self._ledgers.open() as ledger:
                    self._report(ledger)
                    self._has_company = ledger.has_others(self._holder)

    def _report(self, ledger: Ledger) -> None:
        for name, at in self._unreported:
            ledger.give_back(name, at)
        self._unreported.clear()

    def _tell(self, wait: float) -> bool:
        """Tell of a wait, unless another thread's wait lasts as long."""
        with self._lock:
            now = self._now()
            if now + wait <= self._told_until:
                return True
            self._told_until = now + wait
        self._on_wait(wait)
        return True


def log_long_wait(seconds: float) -> None:
    """Tell, once per wait and only where somebody may wonder, when it goes on."""
    if seconds > _LONG_WAIT:
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        logger.info(
            "QuickBooks' rate limit is reached; going on at %s UTC (in %.0f s).",
            ends.strftime("%H:%M:%S"),
            seconds,
        )
