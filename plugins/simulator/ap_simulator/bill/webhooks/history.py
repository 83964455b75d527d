"""The events that a subscription was sent, for 180 days (BILL manual 5.6)."""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ap_simulator.bill.wire import Record, stamp

RETENTION: Final = timedelta(days=180)


@dataclass(slots=True, kw_only=True)
class Event:
    """One event of one subscription.

    Attributes:
        payload: The notification as minified JSON.
        entity_id: The record that it is about; None for a payment that never came to be.
        status_code: What the receiver last answered; None if it did not.
    """

    id: str
    number: int
    type: str
    version: str
    subscription_id: str
    payload: bytes
    entity_id: str | None
    created: datetime
    status_code: int | None = None

    @property
    def position(self) -> tuple[datetime, int]:
        """The event's place in the history; `number` orders events of one moment."""
        return (self.created, self.number)

    def shown(self) -> Record:
        """The event as BILL answers it; its payload is a string."""
        record: dict[str, Any] = {
            "id": self.id,
            "type": self.type,
            "version": self.version,
            "subscriptionId": self.subscription_id,
            "payload": self.payload.decode(),
            "createdTime": stamp(self.created),
        }
        if self.status_code is not None:
            record["statusCode"] = self.status_code
        return record


def _position(event: Event) -> tuple[datetime, int]:
    return event.position


@dataclass(slots=True)
class History:
    """The events of one subscription, oldest first."""

    _events: list[Event] = field(default_factory=list)
    _by_entity: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    _by_id: dict[str, Event] = field(default_factory=dict)
    _last_number: int = 0

    def next_number(self) -> int:
        """A number for the next event."""
        self._last_number += 1
        return self._last_number

    def add(self, event: Event) -> None:
        """Keep an event; those past retention are let go."""
        self._forget_before(event.created - RETENTION)
        bisect.insort(self._events, event, key=_position)
        self._by_id[event.id] = event
        if event.entity_id is not None:
            bisect.insort(self._by_entity[event.entity_id], event, key=_position)

    def get(self, event_id: str, *, now: datetime) -> Event | None:
        """The event of that id, if it is still kept."""
        event = self._by_id.get(event_id)
        return event if event is not None and event.created >= now - RETENTION else None

    def newest_first(
        self,
        *,
        since: datetime,
        until: datetime,
        entity_id: str | None,
        before: tuple[datetime, int] | None,
        limit: int,
    ) -> list[Event]:
        """At most `limit` events from `since` to `until`, newest first, older than `before`."""
        events = self._events if entity_id is None else self._by_entity.get(entity_id, [])
        low = bisect.bisect_left(events, (since, 0), key=_position)
        high = bisect.bisect_right(events, (until, self._last_number), key=_position)
        if before is not None:
            high = min(high, bisect.bisect_left(events, before, key=_position))
        return events[max(low, high - limit) : high][::-1]

    def _forget_before(self, moment: datetime) -> None:
        count = bisect.bisect_left(self._events, (moment, 0), key=_position)
        for event in self._events[:count]:
            del self._by_id[event.id]
            if event.entity_id is not None:
                self._by_entity[event.entity_id].remove(event)
        del self._events[:count]
