"""What happened in a company: the events that webhooks tell about (QuickBooks manual 9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

EventOperation = Literal["Create", "Update", "Delete", "Merge", "Void", "Emailed"]
#: Events kept for those who look later; listeners hear every one.
REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent:
    """One change of one record.

    Attributes:
        realm_id: The company.
        entity: PascalCase name.
        id: Of the record; of a merge the surviving one.
        operation: What was done.
        time: When, UTC.
        deleted_id: The losing record of a merge.
    """

    realm_id: str
    entity: str
    id: str
    operation: EventOperation
    time: datetime
    deleted_id: str | None = None


Listener = Callable[[ChangeEvent], None]


class EventLog:
    """The last events of all companies, and who wants to hear the next ones."""

    def __init__(self) -> None:
        self._events: deque[ChangeEvent] = deque(maxlen=REMEMBERED)
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event from now on."""
        self._listeners.append(listener)

    def tell(self, event: ChangeEvent) -> None:
        """Record an event and pass it on."""
        self._events.append(event)
        for listener in self._listeners:
            listener(event)

    def events(self, realm_id: str | None = None) -> list[ChangeEvent]:
        """The remembered events, oldest first; of one company or of all."""
        return [e for e in self._events if realm_id in {None, e.realm_id}]
