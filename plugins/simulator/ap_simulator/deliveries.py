"""Delivers the webhooks of one service: a few at a time to each receiver, counted, with faults.

What is delivered, how it is signed and when it is tried again is the service's. Requests never
wait for a delivery: each runs in a task of its own on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from ap_simulator.clock import Clock
from ap_simulator.faults import FaultPlan
from ap_simulator.posting import Poster

#: Deliveries at a time to one receiver.
_AT_ONCE: Final = 16
#: Real seconds after which a delivery that waits to be overtaken goes anyway.
_OVERTAKEN_SECONDS: Final = 2.0
_TIMES_KEPT: Final = 20_000


@dataclass(slots=True)
class Tally:
    """What became of the deliveries to one receiver.

    Attributes:
        counts: `events`, `attempts`, `delivered`, `failed` (attempts), `given_up` (events),
            and what faults did: `dropped`, `duplicated`, `delayed`, `reordered`, `badly_signed`.
        statuses: Attempts by what the receiver answered; `none` for no answer.
        first: When the first attempt was answered, by the simulator's clock.
        last: When the last one was.
    """

    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_TIMES_KEPT))

    def answered(self, status: int | None, *, seconds: float, now: datetime) -> None:
        """Count an attempt."""
        self.counts["attempts"] += 1
        self.counts["delivered" if status == HTTPStatus.OK else "failed"] += 1
        self.statuses["none" if status is None else str(status)] += 1
        self.first = self.first or now
        self.last = now
        self._seconds.append(seconds)

    def as_dict(self) -> dict[str, Any]:
        """The tally as JSON; `answer_ms` is how long the receiver took, of the last attempts."""
        times = sorted(self._seconds)
        shown: dict[str, Any] = {name: self.counts[name] for name in _SHOWN}
        shown |= {name: count for name, count in sorted(self.counts.items()) if name not in _SHOWN}
        shown["statuses"] = dict(sorted(self.statuses.items()))
        shown["first"] = self.first and self.first.isoformat()
        shown["last"] = self.last and self.last.isoformat()
        if times:
            shown["answer_ms"] = {
                "p50": _milliseconds(times, 0.5),
                "p99": _milliseconds(times, 0.99),
                "max": _milliseconds(times, 1),
            }
        return shown


_SHOWN: Final = ("events", "attempts", "delivered", "failed", "given_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One delivery.

    Attributes:
        url: The receiver.
        body: The raw body.
        headers: Makes the headers; with True, badly signed ones.
        timeout: Seconds that the receiver has.
        wanted: Whether it is still to be sent, asked just before it is.
        tally: Where it counts.
    """

    url: str
    body: bytes
    headers: Callable[[bool], Mapping[str, str]]
    timeout: float
    wanted: Callable[[], bool]
    tally: Tally


class Deliveries:
    """The deliveries of one service.

    Attributes:
        tallies: What became of them, by the service's name of the receiver.
    """

    def __init__(self, *, system: str, clock: Clock, faults: FaultPlan) -> None:
        self.tallies: dict[str, Tally] = defaultdict(Tally)
        self._system = system
        self._clock = clock
        self._faults = faults
        self._poster = Poster()
        self._slots: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._held: dict[str, list[asyncio.Event]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """How many deliveries wait or are under way."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background until the deliveries are closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def attempt(self, parcel: Parcel) -> int | None:
        """Send once, as far as faults allow.

        Returns:
            What the receiver answered; None if nothing in time or if it was not wanted any more.
            A dropped delivery counts as taken, since it got lost behind the service's back.
        """
        faults = self._faults.match_delivery(system=self._system, path=urlsplit(parcel.url).path)
        kinds = {fault.kind for fault in faults}
        if "delivery_drop" in kinds:
            parcel.tally.counts["dropped"] += 1
            return HTTPStatus.OK
        for fault in faults:
            if fault.kind == "delivery_delay":
                parcel.tally.counts["delayed"] += 1
                await asyncio.sleep(fault.seconds)
        if "delivery_reorder" in kinds:
            parcel.tally.counts["reordered"] += 1
            await self._overtaken(parcel.url)
        bad = "delivery_bad_signature" in kinds
        parcel.tally.counts["badly_signed"] += bad
        status = await self._post(parcel, bad=bad)
        if "delivery_duplicate" in kinds and status is not None:
            parcel.tally.counts["duplicated"] += 1
            await self._post(parcel, bad=bad)
        return status

    async def close(self) -> None:
        """Drop all deliveries."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._poster.close()

    async def _post(self, parcel: Parcel, *, bad: bool) -> int | None:
        async with self._slots[parcel.url]:
            if not parcel.wanted():
                return None
            loop = asyncio.get_running_loop()
            begun = loop.time()
            status = await self._poster.post(
                parcel.url, parcel.body, parcel.headers(bad), seconds=parcel.timeout
            )
            parcel.tally.answered(status, seconds=loop.time() - begun, now=self._clock.now())
        for event in self._held.pop(parcel.url, ()):
            event.set()
        return status

    async def _overtaken(self, url: str) -> None:
        """Wait until another delivery to the receiver was answered."""
        event = asyncio.Event()
        self._held[url].append(event)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), _OVERTAKEN_SECONDS)


def _milliseconds(times: list[float], share: float) -> float:
    return round(times[min(len(times) - 1, int(share * len(times)))] * 1000, 1)
