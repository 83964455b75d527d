"""BILL's limits: requests and logins per clock hour, requests at a time, text messages a minute.

All of them pass on the simulator's clock, except that requests at a time are those in flight.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from ap_simulator.bill.errors import Code, refusal
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock


class HourlyQuota:
    """Counts per key and clock hour: who is over the limit is out until the next full hour."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._counts: Counter[Hashable] = Counter()

    def take(self, key: Hashable, *, limit: int, now: datetime) -> bool:
        """Count one for `key`; False, and nothing counted, if `limit` is reached in this hour."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        if self._counts[key] >= limit:
            return False
        self._counts[key] += 1
        return True


class SlidingQuota:
    """Counts per key over the time just passed."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._moments: dict[Hashable, deque[datetime]] = defaultdict(deque)

    def take(self, key: Hashable, *, limit: int, now: datetime) -> bool:
        """Count one for `key`; False, and nothing counted, if `limit` is reached in the window."""
        moments = self._moments[key]
        while moments and not now - self._window < moments[0] <= now:
            moments.popleft()
        if len(moments) >= limit:
            return False
        moments.append(now)
        return True


class Limits:
    """The limits of all developer keys."""

    def __init__(self, *, clock: Clock, switches: BillSwitches, calls: CallLog) -> None:
        self._clock = clock
        self._switches = switches
        self._calls = calls
        self._requests = HourlyQuota()
        self._logins = HourlyQuota()
        self._texts = SlidingQuota(timedelta(minutes=1))
        self._in_flight: Counter[tuple[str, str]] = Counter()

    def count_request(self, developer_key: str) -> None:
        """Count a request, granted or not.

        Raises:
            Refusal: BDC_1144, the key is over its hourly limit.
        """
        limit = self._switches.requests_per_hour
        if not self._requests.take(developer_key, limit=limit, now=self._clock.now()):
            self._refuse_hourly(limit)

    def count_login(self, developer_key: str) -> None:
        """Count a login, successful or not.

        Raises:
            Refusal: BDC_1144, the key is over its hourly limit of logins.
        """
        limit = self._switches.logins_per_hour
        if not self._logins.take(developer_key, limit=limit, now=self._clock.now()):
            self._refuse_hourly(limit)

    def count_text_message(self, user_id: str) -> None:
        """Count a text message to a user's phone.

        Raises:
            Refusal: BDC_1144, too many in a minute.
        """
        limit = self._switches.text_messages_per_minute
        if not self._texts.take(user_id, limit=limit, now=self._clock.now()):
            self._refuse_hourly(limit)

    @contextmanager
    def in_flight(self, developer_key: str, organization_id: str) -> Iterator[None]:
        """Hold one of the places that the key has in the organization.

        Raises:
            Refusal: BDC_1322, all places are taken.
        """
        place = (developer_key, organization_id)
        if self._in_flight[place] >= self._switches.concurrent_requests:
            self._calls.throttled(system="bill", limit=Code.TOO_MANY_AT_ONCE.value)
            raise refusal(Code.TOO_MANY_AT_ONCE)
        self._in_flight[place] += 1
        try:
            yield
        finally:
            self._in_flight[place] -= 1

    def _refuse_hourly(self, limit: int) -> None:
        self._calls.throttled(system="bill", limit=Code.HOURLY_LIMIT.value)
        raise refusal(Code.HOURLY_LIMIT, limit=limit)
