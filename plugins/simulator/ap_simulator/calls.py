"""What was asked of the simulated services: calls by status, applied writes, throttles.

`GET /__control/stats` shows it. Control calls are not counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

SYSTEMS = ("bill", "quickbooks", "oauth")


@dataclass(slots=True)
class SystemCalls:
    """The counters of one simulated service."""

    by_endpoint: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    written: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    by_hand: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    throttled: Counter[str] = field(default_factory=Counter)
    write_calls: int = 0
    logins: int = 0
    aborted: int = 0
    in_flight: int = 0
    max_in_flight: int = 0

    @property
    def calls(self) -> int:
        """Answered calls, whatever the status, and calls whose connection a fault dropped."""
        return self.aborted + sum(counts.total() for counts in self.by_endpoint.values())

    def as_dict(self) -> dict[str, Any]:
        """The counters as JSON; statuses are strings, since JSON keys are."""
        return {
            "calls": self.calls,
            "by_endpoint": {
                endpoint: {str(status): count for status, count in sorted(counts.items())}
                for endpoint, counts in sorted(self.by_endpoint.items())
            },
            "written": _sorted(self.written),
            "by_hand": _sorted(self.by_hand),
            "write_calls": self.write_calls,
            "throttled": dict(sorted(self.throttled.items())),
            "logins": self.logins,
            "aborted": self.aborted,
            "max_in_flight": self.max_in_flight,
        }


def _sorted(written: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {entity: dict(sorted(counts.items())) for entity, counts in sorted(written.items())}


class CallLog:
    """Counts what reaches the simulator. `system` is `bill`, `quickbooks` or `oauth`.

    The middleware calls `entered`, `record`, `aborted` and `left` for every request that is not a
    control call; the services call `wrote`, `throttled` and `logged_in`.
    """

    def __init__(self) -> None:
        self._systems = {system: SystemCalls() for system in SYSTEMS}
        self._by_hand = False

    def record(self, *, system: str, endpoint: str, status: int, writes: bool = False) -> None:
        """Count one answered call.

        Args:
            system: Which service answered.
            endpoint: Method and path template, e.g. `POST /v3/company/{realm_id}/batch`.
            status: The HTTP status sent.
            writes: Whether the call asked for a change, granted or not.
        """
        counters = self._systems[system]
        counters.by_endpoint[endpoint][status] += 1
        counters.write_calls += writes

    def aborted(self, *, system: str, writes: bool = False) -> None:
        """Count one call whose connection a fault dropped before an answer."""
        counters = self._systems[system]
        counters.aborted += 1
        counters.write_calls += writes

    def wrote(self, *, system: str, entity: str, operation: str, count: int = 1) -> None:
        """Count applied writes, e.g. entity `Vendor`, operation `create`, `update` or `delete`."""
        counters = self._systems[system]
        written = counters.by_hand if self._by_hand else counters.written
        written[entity][operation] += count

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Count what is written in the block as done by a person, not by a client of the API.

        The block must not await: other requests would be counted with it.
        """
        self._by_hand = True
        try:
            yield
        finally:
            self._by_hand = False

    def throttled(self, *, system: str, limit: str) -> None:
        """Count a call refused by a limit, e.g. `requests_per_minute` or `BDC_1322`."""
        self._systems[system].throttled[limit] += 1

    def logged_in(self, *, system: str) -> None:
        """Count a successful login (BILL) or token grant (OAuth)."""
        self._systems[system].logins += 1

    def entered(self, *, system: str) -> None:
        """Count a call in."""
        counters = self._systems[system]
        counters.in_flight += 1
        counters.max_in_flight = max(counters.max_in_flight, counters.in_flight)

    def left(self, *, system: str) -> None:
        """Count a call out."""
        self._systems[system].in_flight -= 1

    def reset(self) -> None:
        """Forget everything but the calls that are in flight."""
        self._systems = {
            system: SystemCalls(in_flight=old.in_flight, max_in_flight=old.in_flight)
            for system, old in self._systems.items()
        }

    def stats(self) -> dict[str, Any]:
        """All counters as JSON: one object per system, and `total_calls`."""
        systems = {system: counters.as_dict() for system, counters in self._systems.items()}
        return {**systems, "total_calls": sum(counters["calls"] for counters in systems.values())}
