"""Request ids: the same id gets the first answer again (QuickBooks manual 5).

Ids belong to a company. A batch forms one for each item: the request id and the item's `bId`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ap_simulator.clock import Clock
from ap_simulator.quickbooks.problems import RefusedError, business, refused
from ap_simulator.quickbooks.rendering import dumps
from ap_simulator.quickbooks.switches import QuickBooksSwitches

_LONGEST: Final = 50
_SHOWN: Final = 10
_UNEXPECTED: Final = (
    "An unexpected error occurred while accessing or saving your data. Please wait a few minutes "
    "and try again.  If the problem persists, contact customer support."
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The outcome of a request: the JSON of its answer's part, or its refusal."""

    outcome: bytes | RefusedError
    fingerprint: bytes
    at: datetime


class ReplayMemory:
    """The request ids of one company."""

    def __init__(self, *, clock: Clock, switches: QuickBooksSwitches) -> None:
        self._clock = clock
        self._switches = switches
        self._known: dict[str, Remembered] = {}
        self._under_way: set[str] = set()

    @contextmanager
    def under_way(self, request_id: str | None) -> Iterator[None]:
        """Hold a request id while its request is carried out.

        Raises:
            RefusedError: 6000 for an id that is too long, 600 for one that is held already.
        """
        if request_id is None:
            yield
            return
        check_length(request_id)
        if request_id in self._under_way:
            raise _duplicate(request_id)
        self._under_way.add(request_id)
        try:
            yield
        finally:
            self._under_way.discard(request_id)

    def recall(self, request_id: str | None, payload: Any) -> bytes | None:
        """The first answer to a request id, None if it is new.

        Raises:
            RefusedError: The first answer, if that was a refusal and those are remembered; 600 by
                switch, if the payload is another one.
        """
        known = self._known.get(request_id) if request_id is not None else None
        if known is None or self._is_forgotten(known):
            return None
        if self._switches.request_id_conflict == "600" and known.fingerprint != _fingerprint(payload):
            raise _duplicate(str(request_id))
        if isinstance(known.outcome, RefusedError):
            raise known.outcome
        return known.outcome

    def remember(self, request_id: str | None, payload: Any, outcome: bytes | RefusedError) -> None:
        """Keep the outcome of a request; of refusals only by switch."""
        if request_id is None:
            return
        if isinstance(outcome, RefusedError) and not self._switches.request_id_failures:
            return
        self._known[request_id] = Remembered(outcome, _fingerprint(payload), self._clock.now())

    def _is_forgotten(self, known: Remembered) -> bool:
        hours = self._switches.request_id_hours
        return bool(hours) and self._clock.now() - known.at >= timedelta(hours=hours)


def check_length(request_id: str) -> None:
    """Refuse a request id that is too long.

    Raises:
        RefusedError: 6000.
    """
    if len(request_id) > _LONGEST:
        raise business(
            f"You cannot enter more than {_LONGEST} characters in the request_id field. You tried "
            f"entering {request_id[:_SHOWN]}..., which is {len(request_id)} characters."
        )


def unexpected() -> RefusedError:
    """The refusal that some have seen for each item of a repeated batch."""
    return business(_UNEXPECTED)


def _duplicate(request_id: str) -> RefusedError:
    return refused("600", f"Duplicate Request ID : {request_id}")


def _fingerprint(payload: Any) -> bytes:
    return hashlib.sha256(dumps(payload)).digest()
