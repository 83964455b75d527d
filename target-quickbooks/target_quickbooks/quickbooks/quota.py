"""The ledger of QuickBooks' rate limits: places held, requests ended, who waits (QuickBooks manual 8).

Pure: it reads no clock and knows neither threads nor storage. All times are seconds on one clock that never
goes back.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: Added to every window, for clocks that run unevenly and for rounding.
MARGIN = 0.02
#: No request takes longer than that (the client gives up before): a place held longer has been forgotten.
LAPSE = 150.0
#: Whoever is first in the queue is waited for so long from when its turn has come.
GRACE = 1.0
_QUEUE_LAPSE = 10.0
#: When to look again where nobody can tell when a place will be free.
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most ``calls`` in any ``seconds``; 0 seconds are calls at the same time."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What to keep.

    Attributes:
        requests: For all requests, batches included.
        batches: For batches only.
    """

    requests: Sequence[Bucket]
    batches: Sequence[Bucket]


@dataclass(frozen=True, slots=True)
class Place:
    """The right to have one request under way.

    Attributes:
        holder: The process.
        batch: Whether it is for a batch.
        lapses_at: When the place counts as given back, whatever became of its holder.
    """

    holder: str
    batch: bool
    lapses_at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One that waits for a place.

    Attributes:
        holder: The process.
        batch: Whether it is for a batch.
        asked_at: When it asked first, which is its rank in the queue.
        due_at: From when on nobody may go before it.
    """

    holder: str
    batch: bool
    asked_at: float
    due_at: float


@dataclass(slots=True)
class Ledger:
    """What has been let through and who waits.

    A place is counted from when it is taken until a whole window after its request has ended, because a
    request may reach the service at any moment in between. So no window at the service holds more than a
    limit allows, however long requests take to get there.

    Attributes:
        held: Places by name.
        ended: When the requests of the longest window ended, in order.
        ended_batches: The batches among them.
        waiting: Those who wait, by name.
        shut_until: Nothing starts before.
    """

    held: dict[str, Place] = field(default_factory=dict)
    ended: list[float] = field(default_factory=list)
    ended_batches: list[float] = field(default_factory=list)
    waiting: dict[str, Turn] = field(default_factory=dict)
    shut_until: float = 0.0

    def take(self, name: str, holder: str, *, batch: bool, now: float, limits: Limits) -> float:
        """Take a place and return 0, or queue and return in how many seconds to ask again."""
        self._forget(now, limits)
        asked_at = self.waiting[name].asked_at if name in self.waiting else now
        before = [
            turn
            for other, turn in self.waiting.items()
            if (turn.asked_at, other) < (asked_at, name) and turn.due_at <= now < turn.due_at + GRACE
        ]
        ready = max(now, self.shut_until)
        for bucket in limits.requests:
            ready = max(ready, self._ready(bucket, self.ended, len(self.held), before, now))
        if batch:
            held, before = self._held_by_batches(), [turn for turn in before if turn.batch]
            for bucket in limits.batches:
                ready = max(ready, self._ready(bucket, self.ended_batches, held, before, now))
        if ready > now:
            due_at = ready if ready > now + _POLL else now  # who looks again at once lets nobody by
            self.waiting[name] = Turn(holder, batch, asked_at, due_at)
            return ready - now
        self.waiting.pop(name, None)
        self.held[name] = Place(holder, batch, now + LAPSE)
        return 0.0

    def give_back(self, name: str, at: float) -> None:
        """The request that held a place has ended; a place that has lapsed is no longer known."""
        place = self.held.pop(name, None)
        if place is not None:
            insort(self.ended, at)
            if place.batch:
                insort(self.ended_batches, at)

    def shut(self, until: float) -> None:
        """Let nothing start for a while."""
        self.shut_until = max(self.shut_until, until)

    def has_others(self, holder: str) -> bool:
        """Whether another process holds places or waits."""
        return any(other != holder for other in self._holders())

    def drop(self, is_gone: Callable[[str], bool], now: float) -> bool:
        """Give back what processes held that are gone; whether there were any."""
        gone = {holder for holder in self._holders() if is_gone(holder)}
        for name in [name for name, place in self.held.items() if place.holder in gone]:
            self.give_back(name, now)  # its last request may have arrived just now
        self.waiting = {name: turn for name, turn in self.waiting.items() if turn.holder not in gone}
        return bool(gone)

    def _holders(self) -> set[str]:
        held = {place.holder for place in self.held.values()}
        return held | {turn.holder for turn in self.waiting.values()}

    def _ready(
        self, bucket: Bucket, ended: Sequence[float], held: int, before: Sequence[Turn], now: float
    ) -> float:
        """When to ask for a place in a bucket: ``now`` if there is one."""
        window = bucket.seconds + MARGIN if bucket.seconds else 0.0
        first = bisect_right(ended, now - window)
        taken = len(ended) - first + held
        too_many = taken + len(before) - bucket.calls
        if too_many < 0:
            return now
        ready = ended[first + too_many] + window if first + too_many < len(ended) else now + _POLL
        if taken < bucket.calls:
            return min(ready, min(turn.due_at for turn in before) + GRACE)
        return ready

    def _held_by_batches(self) -> int:
        return sum(place.batch for place in self.held.values())

    def _forget(self, now: float, limits: Limits) -> None:
        for name in [name for name, place in self.held.items() if place.lapses_at <= now]:
            self.give_back(name, self.held[name].lapses_at)
        for ended, buckets in ((self.ended, limits.requests), (self.ended_batches, limits.batches)):
            longest = max((bucket.seconds for bucket in buckets), default=0.0) + MARGIN
            del ended[: bisect_right(ended, now - longest)]
        self.waiting = {name: turn for name, turn in self.waiting.items() if now < turn.due_at + _QUEUE_LAPSE}
