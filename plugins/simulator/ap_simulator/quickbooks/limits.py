"""The throttles: requests a second and a minute, batches a minute, requests under way.

All windows slide on the world's clock (QuickBooks manual 8). A refused request uses nothing up.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ap_simulator.clock import Clock
from ap_simulator.quickbooks.switches import QuickBooksSwitches

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit for one holder."""

    name: str
    holder: tuple[str, ...]
    limit: int
    window: timedelta


class Limits:
    """Who has asked how often, over all companies and apps."""

    def __init__(self, *, clock: Clock, switches: QuickBooksSwitches) -> None:
        self._clock = clock
        self._switches = switches
        self._times: dict[tuple[str, ...], deque[datetime]] = defaultdict(deque)
        self._under_way: Counter[tuple[str, str]] = Counter()

    def take(self, realm_id: str, client_id: str, *, batch: bool) -> str | None:
        """Count a request, or say which limit it breaks.

        Args:
            realm_id: The company.
            client_id: The app.
            batch: Whether it is a batch request, which has limits of its own.

        Returns:
            None, or the name of the broken limit; then nothing was counted.
        """
        if self._under_way[realm_id, client_id] >= self._switches.concurrent_requests:
            return "concurrent_requests"
        now = self._clock.now()
        buckets = list(self._buckets(realm_id, client_id, batch=batch))
        for bucket in buckets:
            times = self._times[bucket.name, *bucket.holder]
            _forget(times, now, bucket.window)
            if len(times) >= bucket.limit:
                return bucket.name
        for bucket in buckets:
            self._times[bucket.name, *bucket.holder].append(now)
        return None

    @contextmanager
    def under_way(self, realm_id: str, client_id: str) -> Iterator[None]:
        """Hold one of the places for concurrent requests."""
        self._under_way[realm_id, client_id] += 1
        try:
            yield
        finally:
            self._under_way[realm_id, client_id] -= 1

    def _buckets(self, realm_id: str, client_id: str, *, batch: bool) -> Iterator[Bucket]:
        switches, both = self._switches, (realm_id, client_id)
        yield Bucket("requests_per_second", both, switches.requests_per_second, _SECOND)
        yield Bucket("combined_per_minute", both, switches.combined_per_minute, _MINUTE)
        if batch:
            yield Bucket("batches_per_minute", both, switches.batches_per_minute, _MINUTE)
            limit = switches.batches_per_minute_company
            yield Bucket("batches_per_minute_company", (realm_id,), limit, _MINUTE)
        else:
            limit = switches.requests_per_minute
            yield Bucket("requests_per_minute", (realm_id,), limit, _MINUTE)


def _forget(times: deque[datetime], now: datetime, window: timedelta) -> None:
    """Drop what is out of the window; a clock that was set back leaves nothing to count."""
    if times and times[-1] > now:
        times.clear()
    while times and now - times[0] >= window:
        times.popleft()
