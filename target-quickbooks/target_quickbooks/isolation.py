"""Finds the records that QuickBooks' servers cannot take, among others that they can.

A request that fails time after time is divided, and its parts are tried in turn. As long as nothing goes
through, it is QuickBooks that is down and not a record that is to blame.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
#: Failures of an item by itself after which it is to blame.
ENOUGH_FAILURES = 3

T = TypeVar("T")


class Patience:
    """How long it may go on that nothing goes through; waits between attempts, each twice the one before."""

    def __init__(
        self,
        seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._sleep = sleep
        self._monotonic = monotonic
        self._started = monotonic()
        self._slept = 0.0
        self._wait = _FIRST_WAIT

    @property
    def left(self) -> float:
        """Seconds left; at least what was slept has passed."""
        return self._seconds - max(self._monotonic() - self._started, self._slept)

    def spend(self, seconds: float) -> None:
        """Note that somebody else has slept."""
        self._slept += seconds

    def pause(self) -> None:
        """Wait before the next attempt."""
        wait = max(min(self._wait, self.left), 0.0)
        self._wait = min(self._wait * 2, _LONGEST_WAIT)
        self._slept += wait
        self._sleep(wait)

    def renew(self) -> None:
        """Something went through."""
        self._started, self._slept, self._wait = self._monotonic(), 0.0, _FIRST_WAIT


@dataclass(slots=True)
class Isolated(Generic[T]):
    """What became of the items of a request that kept failing.

    Attributes:
        culprits: Those that fail while others go through.
        untold: Those of which nothing is known, because nothing went through in time.
    """

    culprits: list[T] = field(default_factory=list)
    untold: list[T] = field(default_factory=list)


def isolate(
    items: Sequence[T],
    attempt: Callable[[Sequence[T]], tuple[Sequence[T], bool]],
    *,
    patience: Patience,
    works: bool = False,
) -> Isolated[T]:
    """Try the items in ever smaller parts until each has gone through or is known to be to blame.

    Args:
        items: What kept failing together.
        attempt: Sends some once. Returns those that got no answer, and whether others did.
        patience: For how long nothing may go through.
        works: Whether something else has just gone through.
    """
    parts = deque((part, 0) for part in _halves(items))
    result: Isolated[T] = Isolated()
    while parts:
        part, failures = parts.popleft()
        left, answered = attempt(part)
        if answered:
            works = True
            patience.renew()
        if not left:
            continue
        failures = failures + 1 if len(part) == 1 else 0
        if works and failures >= ENOUGH_FAILURES:
            result.culprits += left
            continue
        parts += [(half, failures) for half in _halves(left)]
        if patience.left <= 0:
            result.untold = [item for waiting, _ in parts for item in waiting]
            break
        patience.pause()
    return result


def _halves(items: Sequence[T]) -> list[Sequence[T]]:
    middle = len(items) // 2
    return [part for part in (items[:middle], items[middle:]) if part]
