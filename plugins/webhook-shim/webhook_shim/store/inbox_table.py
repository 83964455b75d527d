"""The inbox: every event received, once, until the work it asks for has been done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from target_quickbooks.store import locks

from webhook_shim.events import Event, System
from webhook_shim.store.tables import inbox

_IDS_PER_QUERY = 500
_ONE_EVENT = [inbox.c.system, inbox.c.tenant, inbox.c.event_id]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The unsettled events of one sender about one company.

    Attributes:
        last_id: The newest; work that begins now covers everything up to it.
        kinds: Number of events per kind.
    """

    number: int
    first_received_at: dt.datetime
    last_received_at: dt.datetime
    last_id: int
    kinds: dict[str, int]


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it lies in the inbox."""

    id: int
    event: Event
    received_at: dt.datetime
    repeats: int
    settled_at: dt.datetime | None
    job_id: str | None


def hold(connection: Connection, events: Iterable[Event]) -> None:
    """Have the inboxes that these events are for to oneself: all of them at once, before any is changed."""
    locks.hold(connection, {_lock(event.system, event.tenant) for event in events})


def put(connection: Connection, events: Iterable[Event], *, now: dt.datetime) -> int:
    """Keep events; one that is known already is only counted. Returns how many are new."""
    told = list(events)
    hold(connection, told)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = 0
    for event in told:
        statement = insert(inbox).values(
            system=str(event.system),
            tenant=event.tenant,
            event_id=event.event_id,
            kind=event.kind,
            entity=event.entity,
            record_id=event.record_id,
            occurred_at=event.occurred_at,
            received_at=now,
            repeats=0,
        )
        counted = statement.on_conflict_do_update(
            index_elements=_ONE_EVENT, set_={"repeats": inbox.c.repeats + 1}
        )
        repeats = connection.execute(counted.returning(inbox.c.repeats)).scalar_one()
        new += repeats == 0
    return new


def waiting(connection: Connection, system: System, tenant: str) -> Waiting | None:
    """What of this sender and company is still to be dealt with."""
    query = (
        select(
            inbox.c.kind,
            func.count().label("number"),
            func.min(inbox.c.received_at).label("first"),
            func.max(inbox.c.received_at).label("last"),
            func.max(inbox.c.id).label("last_id"),
        )
        .where(_unsettled(system, tenant))
        .group_by(inbox.c.kind)
    )
    rows = list(connection.execute(query))
    if not rows:
        return None
    return Waiting(
        number=sum(row.number for row in rows),
        first_received_at=min(row.first for row in rows),
        last_received_at=max(row.last for row in rows),
        last_id=max(row.last_id for row in rows),
        kinds={row.kind: row.number for row in rows},
    )


def unsettled(connection: Connection, system: System, tenant: str, *, limit: int) -> list[Received]:
    """The oldest unsettled events of this sender and company."""
    query = select(inbox).where(_unsettled(system, tenant)).order_by(inbox.c.id).limit(limit)
    return [_received(row) for row in connection.execute(query)]


def settle(
    connection: Connection, system: System, tenant: str, *, up_to: int, job_id: str | None, now: dt.datetime
) -> int:
    """Mark events up to this one as dealt with. Returns how many were."""
    locks.hold(connection, [_lock(system, tenant)])
    done = connection.execute(
        update(inbox)
        .where(_unsettled(system, tenant), inbox.c.id <= up_to)
        .values(settled_at=now, job_id=job_id)
    )
    return done.rowcount


def settle_these(connection: Connection, ids: Iterable[int], *, now: dt.datetime) -> None:
    """Mark exactly these events as dealt with; others may have come in between."""
    wanted = list(ids)
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        part = wanted[start : start + _IDS_PER_QUERY]
        of = select(inbox.c.system, inbox.c.tenant).where(inbox.c.id.in_(part)).distinct()
        locks.hold(connection, {_lock(System(row.system), row.tenant) for row in connection.execute(of)})
        connection.execute(update(inbox).where(inbox.c.id.in_(part)).values(settled_at=now))


def last_before(connection: Connection, system: System, tenant: str, moment: dt.datetime) -> int | None:
    """The newest unsettled event of this sender and company that was received before a time."""
    query = select(func.max(inbox.c.id)).where(_unsettled(system, tenant), inbox.c.received_at < moment)
    found: int | None = connection.execute(query).scalar()
    return found


def latest(connection: Connection, system: System, tenant: str, *, limit: int = 50) -> list[Received]:
    """The newest events of this sender and company, newest first."""
    query = (
        select(inbox)
        .where(inbox.c.system == str(system), inbox.c.tenant == tenant)
        .order_by(inbox.c.id.desc())
        .limit(limit)
    )
    return [_received(row) for row in connection.execute(query)]


def prune(connection: Connection, *, before: dt.datetime) -> int:
    """Forget what was settled before this time. Returns how many."""
    old = select(inbox.c.id).where(inbox.c.settled_at < before).with_for_update(skip_locked=True)
    return connection.execute(delete(inbox).where(inbox.c.id.in_(old))).rowcount


def _lock(system: System, tenant: str) -> str:
    return f"inbox {system} {tenant}"


def _unsettled(system: System, tenant: str) -> Any:
    return and_(inbox.c.system == str(system), inbox.c.tenant == tenant, inbox.c.settled_at.is_(None))


def _received(row: Row[Any]) -> Received:
    event = Event(
        system=System(row.system),
        tenant=row.tenant,
        event_id=row.event_id,
        kind=row.kind,
        entity=row.entity,
        record_id=row.record_id,
        occurred_at=row.occurred_at,
    )
    return Received(row.id, event, row.received_at, row.repeats, row.settled_at, row.job_id)
