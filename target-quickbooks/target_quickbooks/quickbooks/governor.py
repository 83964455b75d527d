"""Keeps QuickBooks' rate limits, so that a throttle answer is the exception (QuickBooks manual 8).

One governor per realm, shared by all threads of the process.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most ``calls`` in any ``seconds``."""

    calls: int
    seconds: float


REQUESTS = (Bucket(10, 1.0), Bucket(500, 60.0))
BATCHES = (Bucket(40, 60.0),)
IN_FLIGHT = 10
_MARGIN = 0.02
_LONG_WAIT = 10.0

logger = logging.getLogger("target-quickbooks")


class Governor:
    """Lets requests start only when no limit would be passed.

    Sliding windows, because the service's own windows are not known: what holds for every window holds
    for theirs. A margin covers the way a request takes to the service.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        on_wait: Callable[[float], None] = lambda _: None,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._on_wait = on_wait
        self._before_start = before_start
        self._lock = threading.Lock()
        self._places = threading.Semaphore(IN_FLIGHT)
        self._started: dict[Bucket, deque[float]] = {bucket: deque() for bucket in (*REQUESTS, *BATCHES)}
        self._closed_until = 0.0

    @contextmanager
    def request(self, *, batch: bool = False) -> Iterator[None]:
        """Hold a place among the requests in flight, once every bucket has room."""
        with self._places:
            told = False
            while (wait := self._reserve(batch=batch)) > 0:
                if not told:
                    self._on_wait(wait)
                    told = True
                self._sleep(wait)
            self._before_start()
            yield

    def close_for(self, seconds: float) -> None:
        """Let nothing start for a while: the service said that it is throttling."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._now() + seconds)

    def _reserve(self, *, batch: bool) -> float:
        """Take the place and return 0, or return how long to wait before trying again."""
        buckets = (*REQUESTS, *BATCHES) if batch else REQUESTS
        with self._lock:
            now = self._now()
            wait = max((self._wait(bucket, now) for bucket in buckets), default=0.0)
            wait = max(wait, self._closed_until - now)
            if wait <= 0:
                for bucket in buckets:
                    self._started[bucket].append(now)
            return wait

    def _wait(self, bucket: Bucket, now: float) -> float:
        started = self._started[bucket]
        while started and started[0] <= now - bucket.seconds - _MARGIN:
            started.popleft()
        if len(started) < bucket.calls:
            return 0.0
        return started[0] + bucket.seconds + _MARGIN - now


def log_long_wait(seconds: float) -> None:
    """Tell, once per wait and only where somebody may wonder, when it goes on."""
    if seconds > _LONG_WAIT:
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        logger.info(
            "QuickBooks' rate limit is reached; going on at %s UTC (in %.0f s).",
            ends.strftime("%H:%M:%S"),
            seconds,
        )
