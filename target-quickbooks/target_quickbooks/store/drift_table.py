"""Drift: objects in QuickBooks that are not as they were last written, and what became of that.

Whoever looks (a check after an event, change data capture, a reconciliation) tells what it found; an object
has one open entry at most. What a person accepted stays accepted as long as it stays as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, insert, select, update

from target_quickbooks.comparison import Difference
from target_quickbooks.exact_json import canonical
from target_quickbooks.links import Company
from target_quickbooks.redaction import redact
from target_quickbooks.store import locks
from target_quickbooks.store.portions import portions
from target_quickbooks.store.tables import drift, drift_searches, links

_FOUND_BY_LENGTH = 64


class Kind(StrEnum):
    """What happened to an object.

    An orphan is no difference: an object that nothing in BILL leads to, as people make them every day.
    """

    CHANGED = "changed"
    DELETED = "deleted"
    INACTIVE = "inactive"
    MERGED = "merged"
    ORPHAN = "orphan"


class Status(StrEnum):
    """What became of an entry."""

    OPEN = "open"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Finding:
    """An object that is not as it was last written.

    Attributes:
        bill_id: Of the BILL record it is linked to; empty for an orphan.
        name: What people call it.
        differences: ``before`` is what was last written, ``after`` what QuickBooks holds.
    """

    company: Company
    entity: str
    quickbooks_id: str
    kind: Kind
    bill_id: str = ""
    name: str = ""
    differences: Sequence[Difference] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding as it is kept, redacted.

    Attributes:
        found_at: When it was first found.
        seen_at: When it was last found.
    """

    id: int
    finding: Finding
    status: Status
    found_by: str
    found_at: dt.datetime
    seen_at: dt.datetime
    resolved_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a company's changes in QuickBooks are known.

    Attributes:
        known_until: All changes before are known, by QuickBooks' clock.
        searched_at: When that was asked, by our clock.
        complete: Whether the search went to its end; one that did not goes on soon.
    """

    known_until: dt.datetime
    searched_at: dt.datetime
    complete: bool = True


def note(connection: Connection, finding: Finding, *, found_by: str, now: dt.datetime) -> bool:
    """Keep a finding; whether it says something that no entry said before."""
    locks.hold(connection, [locks.company(finding.company.realm_id)])
    content: dict[str, Any] = {
        "bill_id": finding.bill_id,
        "name": finding.name,
        "kind": str(finding.kind),
        "differences": _kept(finding.differences),
    }
    for row in _unresolved(connection, finding):
        same = row["kind"] == finding.kind and canonical(row["differences"]) == canonical(
            content["differences"]
        )
        if same or row["status"] == Status.OPEN:
            connection.execute(update(drift).where(drift.c.id == row["id"]).values(**content, seen_at=now))
            return not same
    resolve(connection, finding.company, finding.entity, [finding.quickbooks_id], now=now)
    connection.execute(
        insert(drift).values(
            realm_id=finding.company.realm_id,
            organization_id=finding.company.organization_id,
            entity=finding.entity,
            quickbooks_id=finding.quickbooks_id,
            status=str(Status.OPEN),
            found_by=found_by[:_FOUND_BY_LENGTH],
            found_at=now,
            seen_at=now,
            **content,
        )
    )
    return True


def resolve(
    connection: Connection, company: Company, entity: str, quickbooks_ids: Iterable[str], *, now: dt.datetime
) -> int:
    """Close what was open or accepted of objects that are in order now; how many entries."""
    closed = 0
    for ids in portions(quickbooks_ids):
        closed += connection.execute(
            update(drift)
            .where(
                _of(company),
                drift.c.entity == entity,
                drift.c.quickbooks_id.in_(ids),
                drift.c.status != str(Status.RESOLVED),
            )
            .values(status=str(Status.RESOLVED), resolved_at=now)
        ).rowcount
    return closed


def accept(connection: Connection, company: Company, numbers: Iterable[int], *, now: dt.datetime) -> int:
    """Let open entries be: QuickBooks is to stay as it is; how many."""
    return connection.execute(
        update(drift)
        .where(_of(company), drift.c.id.in_(list(numbers)), drift.c.status == str(Status.OPEN))
        .values(status=str(Status.ACCEPTED), resolved_at=now)
    ).rowcount


def entries(
    connection: Connection,
    company: Company,
    *,
    statuses: Sequence[Status] = (Status.OPEN,),
    kinds: Sequence[Kind] = (),
    limit: int = 100,
) -> list[Entry]:
    """Entries, newest first; of all kinds if none is named."""
    query = select(drift).where(_of(company), drift.c.status.in_([str(status) for status in statuses]))
    if kinds:
        query = query.where(drift.c.kind.in_([str(kind) for kind in kinds]))
    query = query.order_by(drift.c.found_at.desc(), drift.c.id.desc()).limit(limit)
    return [_entry(row) for row in connection.execute(query).mappings()]


def by_number(connection: Connection, number: int) -> Entry | None:
    """One entry."""
    row = connection.execute(select(drift).where(drift.c.id == number)).mappings().first()
    return _entry(row) if row else None


def companies(connection: Connection, realm_id: str, *, kinds: Sequence[Kind]) -> list[Company]:
    """Those that have open entries of these kinds."""
    query = (
        select(drift.c.organization_id)
        .where(
            drift.c.realm_id == realm_id,
            drift.c.status == str(Status.OPEN),
            drift.c.kind.in_([str(kind) for kind in kinds]),
        )
        .distinct()
        .order_by(drift.c.organization_id)
    )
    return [Company(realm_id, found) for found in connection.execute(query).scalars()]


def position(connection: Connection, realm_id: str) -> Position | None:
    """How far the changes of a company in QuickBooks are known; None if they were never asked for."""
    query = select(drift_searches).where(drift_searches.c.realm_id == realm_id)
    row = connection.execute(query).mappings().first()
    return Position(row["known_until"], row["searched_at"], bool(row["complete"])) if row else None


def advance(connection: Connection, realm_id: str, reached: Position) -> None:
    """Note how far changes are known; what they are is to be in the same transaction."""
    values = {
        "known_until": reached.known_until,
        "searched_at": reached.searched_at,
        "complete": int(reached.complete),
    }
    changed = connection.execute(
        update(drift_searches).where(drift_searches.c.realm_id == realm_id).values(**values)
    )
    if changed.rowcount == 0:
        connection.execute(insert(drift_searches).values(realm_id=realm_id, **values))


def first_written(connection: Connection, realm_id: str) -> dt.datetime | None:
    """When the oldest link of a company in QuickBooks was made; None if there is none."""
    found = connection.execute(select(func.min(links.c.created_at)).where(links.c.realm_id == realm_id))
    return found.scalar_one_or_none()


def select_entries(
    connection: Connection,
    *,
    realm_id: str = "",
    statuses: Sequence[Status] = (Status.OPEN,),
    kinds: Sequence[Kind] = (),
    limit: int = 100,
) -> list[Entry]:
    """Entries of all companies, or of one in QuickBooks, newest first; of all kinds if none is named."""
    query = select(drift).where(drift.c.status.in_([str(status) for status in statuses]))
    if realm_id:
        query = query.where(drift.c.realm_id == realm_id)
    if kinds:
        query = query.where(drift.c.kind.in_([str(kind) for kind in kinds]))
    query = query.order_by(drift.c.found_at.desc(), drift.c.id.desc()).limit(limit)
    return [_entry(row) for row in connection.execute(query).mappings()]


def counts(connection: Connection, company: Company) -> dict[Kind, int]:
    """Number of open entries of each kind."""
    query = (
        select(drift.c.kind, func.count())
        .where(_of(company), drift.c.status == str(Status.OPEN))
        .group_by(drift.c.kind)
    )
    return {Kind(kind): number for kind, number in connection.execute(query)}


def _unresolved(connection: Connection, finding: Finding) -> list[RowMapping]:
    """What is open or accepted of the object, open first."""
    query = select(drift).where(
        _of(finding.company),
        drift.c.entity == finding.entity,
        drift.c.quickbooks_id == finding.quickbooks_id,
        drift.c.status != str(Status.RESOLVED),
    )
    return sorted(connection.execute(query).mappings(), key=lambda row: row["status"] != Status.OPEN)


def _of(company: Company) -> ColumnElement[bool]:
    return and_(drift.c.realm_id == company.realm_id, drift.c.organization_id == company.organization_id)


def _kept(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Redacted by name: a value says itself what it is only under the name of its field."""
    return [
        {
            "field": found.field,
            "before": redact({found.field: found.before})[found.field],
            "after": redact({found.field: found.after})[found.field],
        }
        for found in differences
    ]


def _entry(row: RowMapping) -> Entry:
    return Entry(
        id=row["id"],
        finding=Finding(
            company=Company(row["realm_id"], row["organization_id"]),
            entity=row["entity"],
            quickbooks_id=row["quickbooks_id"],
            kind=Kind(row["kind"]),
            bill_id=row["bill_id"],
            name=row["name"],
            differences=tuple(
                Difference(found["field"], found["before"], found["after"]) for found in row["differences"]
            ),
        ),
        status=Status(row["status"]),
        found_by=row["found_by"],
        found_at=row["found_at"],
        seen_at=row["seen_at"],
        resolved_at=row["resolved_at"],
    )
