"""What bills refer to by id: BILL's accounts, classes, vendors and so on, as last seen.

Incremental runs do not send them again, so they are remembered here, by BILL organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, and_, select, tuple_

from target_quickbooks.mapping.source import Kind, Reference
from target_quickbooks.store.tables import references
from target_quickbooks.store.upserting import upsert

_ROWS_PER_STATEMENT = 200
_LEVELS = 6
_NUMBER_LENGTH = 64
_CURRENCY_LENGTH = 8


def save(connection: Connection, organization_id: str, seen: Iterable[Reference]) -> None:
    """Remember references; what was known of the same records is replaced.

    In one order, because runs of several companies may remember the lists of one organization at once.
    """
    latest = {(reference.kind, reference.id): reference for reference in seen}
    rows = [_row(organization_id, latest[key]) for key in sorted(latest)]
    if rows:
        connection.execute(upsert(connection, references), rows)


def find(
    connection: Connection,
    organization_id: str,
    wanted: Iterable[tuple[Kind, str]],
    *,
    newer: Mapping[tuple[Kind, str], Reference] | None = None,
) -> dict[tuple[Kind, str], Reference]:
    """References by kind and id, with their parents followed to a full name.

    Args:
        connection: Of the store.
        organization_id: Of BILL.
        wanted: Kinds and ids.
        newer: What goes before the stored ones.
    """
    newer = newer or {}
    found: dict[tuple[Kind, str], Reference] = {}
    missing = set(wanted)
    for _ in range(_LEVELS):
        if not missing:
            break
        read = _read(connection, organization_id, missing - newer.keys())
        read |= {key: newer[key] for key in missing & newer.keys()}
        found |= read
        parents = {
            (kind, reference.parent_id)
            for reference in read.values()
            if reference.parent_id
            for kind in _parent_kinds(reference.kind)
        }
        missing = parents - found.keys()
    return {key: _with_full_name(reference, found) for key, reference in found.items()}


def _parent_kinds(kind: Kind) -> tuple[Kind, ...]:
    """A job may hang below a customer; everything else below its own kind."""
    return (Kind.JOB, Kind.CUSTOMER) if kind is Kind.JOB else (kind,)


def _read(
    connection: Connection, organization_id: str, wanted: set[tuple[Kind, str]]
) -> dict[tuple[Kind, str], Reference]:
    found: dict[tuple[Kind, str], Reference] = {}
    keys = sorted((kind.value, bill_id) for kind, bill_id in wanted)
    for start in range(0, len(keys), _ROWS_PER_STATEMENT):
        part = keys[start : start + _ROWS_PER_STATEMENT]
        query = select(references).where(
            and_(
                references.c.organization_id == organization_id,
                tuple_(references.c.kind, references.c.bill_id).in_(part),
            )
        )
        for row in connection.execute(query).mappings():
            kind = Kind(row["kind"])
            found[kind, row["bill_id"]] = Reference(
                kind=kind,
                id=row["bill_id"],
                name=row["name"],
                number=row["number"],
                parent_id=row["parent_id"],
                archived=bool(row["archived"]),
                currency=row["currency"],
            )
    return found


def _with_full_name(reference: Reference, known: Mapping[tuple[Kind, str], Reference]) -> Reference:
    names, seen = [reference.name], {reference.id}
    current = reference
    for _ in range(_LEVELS):
        parent = next(
            (
                known[kind, current.parent_id]
                for kind in _parent_kinds(current.kind)
                if (kind, current.parent_id) in known
            ),
            None,
        )
        if parent is None or parent.id in seen:
            break
        seen.add(parent.id)
        names.append(parent.name)
        current = parent
    return Reference(
        kind=reference.kind,
        id=reference.id,
        name=reference.name,
        number=reference.number,
        parent_id=reference.parent_id,
        full_name=":".join(reversed(names)),
        archived=reference.archived,
        currency=reference.currency,
    )


def _row(organization_id: str, reference: Reference) -> dict[str, Any]:
    return {
        "organization_id": organization_id,
        "kind": reference.kind.value,
        "bill_id": reference.id,
        "name": reference.name,
        "number": reference.number[:_NUMBER_LENGTH],
        "parent_id": reference.parent_id,
        "archived": int(reference.archived),
        "currency": reference.currency[:_CURRENCY_LENGTH],
    }
