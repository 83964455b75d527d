"""The history of every change: append-only rows, each carrying the hash of the one before it.

One chain per realm. A row's hash covers all its columns and the previous hash, so that a row that was
changed, removed or slipped in breaks the chain from there on. The hashes are HMACs, so that nobody who can
write to the database, but has not the encryption key, can make a chain that holds. ``audit_tail`` keeps
where a chain ends.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

from target_quickbooks.exact_json import canonical
from target_quickbooks.links import Company
from target_quickbooks.redaction import redact
from target_quickbooks.store import audit_tail, locks
from target_quickbooks.store.audit_tail import GENESIS, Tail
from target_quickbooks.store.tables import VERSION_LENGTH, audit, audit_tails
from target_quickbooks.store.types import Words, utc_text, without_nul

_ROWS_AT_ONCE = 500
_ROWS_COMPARED = 20
_UNSUCCESSFUL = frozenset({"blocked", "refused"})
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
    connection: Connection,
    key: bytes,
    entries: Iterable[Entry],
    *,
    run_id: str,
    trigger: str,
    now: dt.datetime,
) -> None:
    """Append entries to their realms' chains. Needs a write transaction.

    Args:
        connection: The transaction.
        key: The store's fingerprint key.
        entries: What was done.
        run_id: By which run.
        trigger: Who or what started it.
        now: When.
    """
    told = list(entries)
    locks.hold(connection, {locks.company(entry.company.realm_id) for entry in told})
    tails: dict[str, Tail] = {}
    rows: list[dict[str, Any]] = []
    for entry in told:
        realm_id = entry.company.realm_id
        if realm_id not in tails:
            tails[realm_id] = _end(connection, key, realm_id)
        tail = tails[realm_id]
        row: dict[str, Any] = {
            "realm_id": realm_id,
            "sequence": tail.sequence + 1,
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
            "previous_hash": tail.hash,
        }
        row |= {name: _FITTED[name](value) for name, value in row.items() if isinstance(value, str)}
        row["hash"] = row_hash(key, row)
        rows.append(row)
        tails[realm_id] = Tail(tail.sequence + 1, row["hash"])
    if rows:
        connection.execute(insert(audit), rows)
    for realm_id, tail in tails.items():
        audit_tail.write(connection, key, realm_id, tail)


def row_hash(key: bytes, row: Mapping[str, Any]) -> str:
    """HMAC-SHA256 over the canonical text of all columns but the hash itself."""
    content = {name: _plain(row[name]) for name in _HASHED}
    return audit_tail.chain_mac(key, canonical(content))


def first_break(connection: Connection, key: bytes, realm_id: str) -> int | None:
    """The sequence number of the first row that does not fit the chain or is missing, or None."""
    expected, previous = 1, GENESIS
    query = select(audit).where(audit.c.realm_id == realm_id).order_by(audit.c.sequence)
    with connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)) as result:
        for row in result.mappings():
            fits = row["sequence"] == expected and row["previous_hash"] == previous
            if not fits or not hmac.compare_digest(row["hash"].encode(), row_hash(key, dict(row)).encode()):
                return expected
            expected, previous = expected + 1, row["hash"]
    sealed = audit_tail.read(connection, key, realm_id)
    if sealed is None:
        return expected if expected > 1 or _has_tail(connection, realm_id) else None
    return None if sealed == Tail(expected - 1, previous) else expected


def rows(connection: Connection, selection: Selection) -> Iterator[dict[str, Any]]:
    """Rows, oldest first; read as they are taken, so that a trail of any length fits."""
    query = select(audit).where(*_chosen(selection))
    if selection.limit is not None:
        latest = query.order_by(audit.c.at.desc(), audit.c.realm_id, audit.c.sequence.desc())
        query = select(latest.limit(selection.limit).subquery())
    columns = query.selected_columns
    ordered = query.order_by(columns.at, columns.realm_id, columns.sequence)
    with connection.execute(ordered.execution_options(yield_per=_ROWS_AT_ONCE)) as result:
        yield from map(dict, result.mappings())


def by_sequence(connection: Connection, sequence: int, *, realm_id: str = "") -> list[dict[str, Any]]:
    """The rows of this number: one for each realm that has so many."""
    query = select(audit).where(audit.c.sequence == sequence)
    if realm_id:
        query = query.where(audit.c.realm_id == realm_id)
    return [dict(row) for row in connection.execute(query.order_by(audit.c.realm_id)).mappings()]


def tells(connection: Connection, entry: Entry) -> bool:
    """Whether the record's history since it last went through says the same already.

    The request of an attempt that ended as the one before is with its intent.
    """
    query = (
        select(audit.c.operation, audit.c.outcome, audit.c.version, audit.c.detail, audit.c.after)
        .where(
            audit.c.realm_id == entry.company.realm_id,
            audit.c.organization_id == entry.company.organization_id,
            audit.c.bill_id == entry.bill_id,
            audit.c.stream == entry.stream,
        )
        .order_by(audit.c.sequence.desc())
        .limit(_ROWS_COMPARED)
    )
    wanted = canonical(redact(entry.after))
    for row in connection.execute(query):
        if row.outcome not in _UNSUCCESSFUL:
            return False
        same = (row.operation, row.outcome, row.version, row.detail) == (
            entry.operation,
            entry.outcome,
            entry.version[:VERSION_LENGTH],
            entry.detail,
        )
        if same and canonical(row.after) == wanted:
            return True
    return False


def realms(connection: Connection) -> list[str]:
    """The realms that have a history."""
    queries = (select(audit.c.realm_id).distinct(), select(audit_tails.c.realm_id))
    return sorted({realm_id for query in queries for realm_id in connection.execute(query).scalars()})


def count(connection: Connection, realm_id: str) -> int:
    """Number of rows of a realm."""
    query = select(func.count()).select_from(audit).where(audit.c.realm_id == realm_id)
    return int(connection.execute(query).scalar_one())


def last_hash(connection: Connection, realm_id: str) -> str:
    """The hash that all rows of a realm lead to."""
    return _last_row(connection, realm_id).hash


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


def _end(connection: Connection, key: bytes, realm_id: str) -> Tail:
    """Where the next row goes: after the sealed end, so that rows that were cut off stay missing.

    Without a usable seal a row is left out, so that the chain does not look whole again.
    """
    last, sealed = _last_row(connection, realm_id), audit_tail.read(connection, key, realm_id)
    if sealed:
        return Tail(max(sealed.sequence, last.sequence), sealed.hash)
    lost = last.sequence > 0 or _has_tail(connection, realm_id)
    return Tail(last.sequence + 1, last.hash) if lost else last


def _has_tail(connection: Connection, realm_id: str) -> bool:
    query = select(audit_tails.c.realm_id).where(audit_tails.c.realm_id == realm_id)
    return connection.execute(query).first() is not None


def _last_row(connection: Connection, realm_id: str) -> Tail:
    query = (
        select(audit.c.sequence, audit.c.hash)
        .where(audit.c.realm_id == realm_id)
        .order_by(audit.c.sequence.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return Tail(row.sequence, row.hash) if row else Tail()


def _fitting(kind: Any) -> Callable[[str], str]:
    return kind.fitted if isinstance(kind, Words) else without_nul


#: How each column gives a text back, or the chain would not hold.
_FITTED = {column.name: _fitting(column.type) for column in audit.columns}


def _plain(value: Any) -> Any:
    return utc_text(value) if isinstance(value, dt.datetime) else value
