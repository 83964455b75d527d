"""Change data capture (QuickBooks manual 3.4): what changed in a company since a moment, deletions included.

An answer looks back 30 days at most and holds 1,000 objects at most, the deleted ones last. A full answer
says nothing of what it left out. So where one is full, each entity is asked for by itself; what is there is
then read page by page with a query, oldest change first; what may be hidden of deletions is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from target_quickbooks.quickbooks.answers import OddAnswer
from target_quickbooks.quickbooks.query import PAGE, select_changed
from target_quickbooks.quickbooks.responses import Refused

LOOK_BACK = dt.timedelta(days=30)
MOST_OBJECTS = 1000
#: So many pages are read of one entity at a time; the rest is for the next time.
MOST_PAGES = 30
#: Clocks and requests that are under way while an answer is made.
_MARGIN = dt.timedelta(minutes=5)
#: What was being written while QuickBooks answered may be told only the next time.
_OVERLAP = dt.timedelta(minutes=1)
_WITH_INACTIVE = frozenset({"Vendor"})


class Source(Protocol):
    """What is asked: the API of one company."""

    clock_ahead: dt.timedelta

    def changes(
        self, entities: Sequence[str], since: str, check: Callable[[Mapping[str, Any]], object]
    ) -> Mapping[str, Any]:
        """One answer of change data capture."""

    def query(self, statement: str) -> list[Mapping[str, Any]]:
        """The rows of one statement."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What changed.

    Attributes:
        objects: By entity and id, the object as it is now; None if it was deleted.
        since: From when on it is told; later than what was asked for if that was too long ago.
        until: Up to when it is complete, by QuickBooks' clock: the next time begins there.
        hidden: Entities of which deletions may be missing.
        complete: Whether everything up to the answer was read.
    """

    objects: Mapping[tuple[str, str], Mapping[str, Any] | None]
    since: dt.datetime
    until: dt.datetime
    hidden: frozenset[str] = frozenset()
    complete: bool = True


@dataclass(slots=True)
class _Answer:
    objects: dict[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)
    time: dt.datetime | None = None

    @property
    def is_full(self) -> bool:
        """Whether something may be left out; the limit may count the answer or each entity in it."""
        return len(self.objects) >= MOST_OBJECTS


def capture(
    source: Source, entities: Sequence[str], since: dt.datetime, *, now: Callable[[], dt.datetime]
) -> Captured:
    """What changed of these entities since a moment.

    Args:
        source: The company.
        entities: Such as ``Vendor``.
        since: By QuickBooks' clock, aware; what is more than 30 days ago is cut off.
        now: The time.

    Raises:
        TargetError: QuickBooks cannot be asked.
    """
    started = now()
    asked, answer = _ask_within_reach(source, entities, since, now)
    until = (answer.time or started - source.clock_ahead) - _OVERLAP
    if not answer.is_full:
        return Captured(answer.objects, asked, max(until, asked))
    objects = dict(answer.objects)
    hidden: set[str] = set()
    complete = True
    for entity in entities:
        alone = answer if len(entities) == 1 else _ask(source, [entity], asked)
        objects |= alone.objects
        if alone.is_full:
            hidden.add(entity)
            rows, reached = _pages(source, entity, asked)
            objects |= {(entity, str(row["Id"])): row for row in rows}
            if reached is not None:
                complete, until = False, min(until, reached)
    return Captured(objects, asked, max(until, asked), frozenset(hidden), complete)


def changes_in(entities: Collection[str], body: Mapping[str, Any]) -> _Answer:
    """The objects of an answer.

    Raises:
        OddAnswer: It is no answer of change data capture.
    """
    responses = body.get("CDCResponse")
    if not isinstance(responses, list):
        raise OddAnswer("an answer without the changes that were asked for")
    found = _Answer(time=_time(body.get("time")))
    for response in responses:
        groups = response.get("QueryResponse") if isinstance(response, Mapping) else None
        if not isinstance(groups, list):
            raise OddAnswer("an answer with changes of an unknown shape")
        for group in groups:
            _take(found, entities, group)
    return found


def _take(found: _Answer, entities: Collection[str], group: Mapping[str, Any]) -> None:
    for entity, rows in group.items():
        if not isinstance(rows, list):
            continue
        if entity not in entities:
            raise OddAnswer(f"an answer with {entity} that was not asked for")
        for row in rows:
            if not (isinstance(row, Mapping) and row.get("Id")):
                raise OddAnswer(f"an answer with an incomplete {entity}")
            gone = row.get("status") == "Deleted"
            if not gone and not row.get("SyncToken"):
                raise OddAnswer(f"an answer with an incomplete {entity}")
            found.objects[entity, str(row["Id"])] = None if gone else row


def _ask_within_reach(
    source: Source, entities: Sequence[str], since: dt.datetime, now: Callable[[], dt.datetime]
) -> tuple[dt.datetime, _Answer]:
    """Ask from a moment on that QuickBooks can look back to; its refusal tells how late it is there."""
    asked = max(since, now() - source.clock_ahead - LOOK_BACK + _MARGIN)
    try:
        return asked, _ask(source, entities, asked)
    except Refused as refused:
        later = (refused.at or now() - source.clock_ahead) - LOOK_BACK + _MARGIN
        if later <= asked:
            raise
        return later, _ask(source, entities, later)


def _ask(source: Source, entities: Sequence[str], since: dt.datetime) -> _Answer:
    body = source.changes(entities, _text(since), lambda found: changes_in(entities, found))
    return changes_in(entities, body)


def _pages(
    source: Source, entity: str, since: dt.datetime
) -> tuple[list[Mapping[str, Any]], dt.datetime | None]:
    """What is there and changed since, and how far it was read if there was too much.

    Each page begins where the last one ended, whatever moved to the end of the list meanwhile; as many
    objects of one second as fill a page are paged by position.
    """
    rows: list[Mapping[str, Any]] = []
    start = 1
    for _ in range(MOST_PAGES):
        active = "Active IN (true, false)" if entity in _WITH_INACTIVE else ""
        page = source.query(select_changed(entity, _text(since), start, where=active))
        rows += page
        if len(page) < PAGE:
            return rows, None
        newest = max((_changed_at(row) or since for row in page), default=since)
        start = start + PAGE if newest <= since else 1
        since = max(newest, since)
    return rows, since


def _changed_at(row: Mapping[str, Any]) -> dt.datetime | None:
    return _time((row.get("MetaData") or {}).get("LastUpdatedTime"))


def _time(value: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.astimezone(dt.UTC) if moment and moment.tzinfo else None


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")
