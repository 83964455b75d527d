"""The history of every change: append-only rows, each carrying the hash of the one before it.

One chain per realm. A row's hash covers all its columns and the previous hash, so that a row that was
changed, removed or slipped in breaks the chain from there on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

from target_quickbooks.exact_json import canonical
from target_quickbooks.links import Company
from target_quickbooks.redaction import redact
from target_quickbooks.store.tables import VERSION_LENGTH, audit

GENESIS = "0" * 64
_ROWS_AT_ONCE = 500
_HASHED = tuple(column.name for column in audit.columns if column.name != "hash")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done, or refused."""

    company: Company
    stream: str
    bill_id: str
    version: str
    entity: str
    quickbooks_id: str
    operation: str
    outcome: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    request_id: str = ""
    intuit_tid: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows; what is empty does not matter.

    Attributes:
        run: The first characters of a run's id.
        since: At this time or later.
        until: Before this time.
        limit: Only so many, the latest.
    """

    realm_id: str = ""
    organization_id: str = ""
    bill_id: str = ""
    stream: str = ""
    run: str = ""
    outcome: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    limit: int | None = None


def append(
    connection: Connection, entries: Iterable[Entry], *, run_id: str, trigger: str, now: dt.datetime
) -> None:
    """Append entries to their realms' chains. Needs a write transaction."""
    tails: dict[str, tuple[int, str]] = {}
    rows: list[dict[str, Any]] = []
    for entry in entries:
        realm_id = entry.company.realm_id
        if realm_id not in tails:
            tails[realm_id] = _tail(connection, realm_id)
        sequence, previous = tails[realm_id]
        row: dict[str, Any] = {
            "realm_id": realm_id,
            "sequence": sequence + 1,
            "at": now,
            "run_id": run_id,
            "trigger": trigger,
            "organization_id": entry.company.organization_id,
            "stream": entry.stream,
            "bill_id": entry.bill_id,
            "version": entry.version[:VERSION_LENGTH],
            "entity": entry.entity,
            "quickbooks_id": entry.quickbooks_id,
            "operation": entry.operation,
            "outcome": entry.outcome,
            "before": redact(entry.before),
            "after": redact(entry.after),
            "request_id": entry.request_id,
            "intuit_tid": entry.intuit_tid,
            "detail": entry.detail,
            "previous_hash": previous,
        }
        row["hash"] = row_hash(row)
        rows.append(row)
        tails[realm_id] = (sequence + 1, row["hash"])
    if rows:
        connection.execute(insert(audit), rows)


def row_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical text of all columns but the hash itself."""
    content = {name: _plain(row[name]) for name in _HASHED}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def first_break(connection: Connection, realm_id: str) -> int | None:
    """The sequence number of the first row that does not fit the chain, or None if all do."""
    expected, previous = 1, GENESIS
    query = select(audit).where(audit.c.realm_id == realm_id).order_by(audit.c.sequence)
    for row in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)).mappings():
        fits = row["sequence"] == expected and row["previous_hash"] == previous
        if not fits or row["hash"] != row_hash(dict(row)):
            return expected
        expected, previous = expected + 1, row["hash"]
    return None


def rows(connection: Connection, selection: Selection) -> Iterator[dict[str, Any]]:
    """Rows, oldest first; read as they are taken, so that a trail of any length fits."""
    query = select(audit).where(*_chosen(selection))
    if selection.limit is not None:
        latest = query.order_by(audit.c.at.desc(), audit.c.realm_id, audit.c.sequence.desc())
        query = select(latest.limit(selection.limit).subquery())
    columns = query.selected_columns
    ordered = query.order_by(columns.at, columns.realm_id, columns.sequence)
    for row in connection.execute(ordered.execution_options(yield_per=_ROWS_AT_ONCE)).mappings():
        yield dict(row)


def by_sequence(connection: Connection, sequence: int, *, realm_id: str = "") -> list[dict[str, Any]]:
    """The rows of this number: one for each realm that has so many."""
    query = select(audit).where(audit.c.sequence == sequence)
    if realm_id:
        query = query.where(audit.c.realm_id == realm_id)
    return [dict(row) for row in connection.execute(query.order_by(audit.c.realm_id)).mappings()]


def realms(connection: Connection) -> list[str]:
    """The realms that have a history."""
    query = select(audit.c.realm_id).distinct().order_by(audit.c.realm_id)
    return list(connection.execute(query).scalars())


def count(connection: Connection, realm_id: str) -> int:
    """Number of rows of a realm."""
    query = select(func.count()).select_from(audit).where(audit.c.realm_id == realm_id)
    return int(connection.execute(query).scalar_one())


def last_hash(connection: Connection, realm_id: str) -> str:
    """The hash that all rows of a realm lead to."""
    return _tail(connection, realm_id)[1]


def _chosen(selection: Selection) -> list[ColumnElement[bool]]:
    equal = ("realm_id", "organization_id", "bill_id", "stream", "outcome")
    conditions = [audit.c[name] == getattr(selection, name) for name in equal if getattr(selection, name)]
    if selection.run:
        conditions.append(audit.c.run_id.startswith(selection.run, autoescape=True))
    if selection.since:
        conditions.append(audit.c.at >= selection.since)
    if selection.until:
        conditions.append(audit.c.at < selection.until)
    return conditions


def _tail(connection: Connection, realm_id: str) -> tuple[int, str]:
    query = (
        select(audit.c.sequence, audit.c.hash)
        .where(audit.c.realm_id == realm_id)
        .order_by(audit.c.sequence.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return (row.sequence, row.hash) if row else (0, GENESIS)


def _plain(value: Any) -> Any:
    return (
        value.astimezone(dt.UTC).isoformat(timespec="microseconds")
        if isinstance(value, dt.datetime)
        else value
    )
