"""Copies a store into another database, whole and proven: from a SQLite file to PostgreSQL, or back.

Rows are copied as they are, ciphertexts among them, so that the same encryption key reads the copy. What
other packages keep beside the target's tables is copied too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, column, func, insert, select, table, text
from sqlalchemy.types import TypeDecorator

from target_quickbooks.errors import StoreError
from target_quickbooks.store import audit_table, locks, schemas
from target_quickbooks.store.database import Store, empty_database
from target_quickbooks.store.rekey import refuse_if_in_use
from target_quickbooks.store.schemas import Schema

_ROWS_AT_ONCE = 500


def copy(
    store: Store, url: str, *, now: dt.datetime, beside: Sequence[Schema] | None = None
) -> dict[str, int]:
    """Copy everything, in one transaction, and verify it there before it is committed.

    Args:
        store: What is copied. Nothing may write to it meanwhile or afterwards.
        url: The other database, without tables or with empty ones; SQLAlchemy URL.
        now: The current time.
        beside: Tables of other packages; those of the installed ones if not given.

    Returns:
        Number of rows by table.

    Raises:
        SettingsError: The address cannot be used.
        StoreError: A run is under way, the other database is not empty, or the copy is not as the original.
    """
    found = schemas.installed() if beside is None else list(beside)
    with store.reading() as original:
        refuse_if_in_use(original, now)
        present = schemas.present(original, found)
        with empty_database(url, [schema.upgrade for schema in found if _is_kept(schema, present)]) as copied:
            locks.hold(copied, [locks.MIGRATIONS])
            _refuse_unless_empty(copied, present)
            counts = {one.name: _copy(original, copied, one) for one in present}
            _verify(original, copied, counts, store.fingerprint_key)
    return counts


def _is_kept(schema: Schema, present: Iterable[Table]) -> bool:
    return any(one.name in schema.tables.tables for one in present)


def _refuse_unless_empty(copied: Connection, wanted: Iterable[Table]) -> None:
    for one in wanted:
        if copied.execute(select(one).limit(1)).first():
            raise StoreError(
                f"The other database is not empty (table {one.name}). Nothing was copied: give one that "
                "holds no store."
            )


def _copy(original: Connection, copied: Connection, which: Table) -> int:
    bare, number = _bare(which), 0
    query = select(*bare.c).execution_options(yield_per=_ROWS_AT_ONCE)
    with original.execute(query) as result:
        for part in result.mappings().partitions():
            copied.execute(insert(bare), [dict(row) for row in part])
            number += len(part)
    serial = which.autoincrement_column
    if serial is not None and copied.dialect.name == "postgresql":
        last = select(func.coalesce(func.max(serial), 0) + 1)
        next_one = func.setval(
            func.pg_get_serial_sequence(which.name, serial.name), last.scalar_subquery(), text("false")
        )
        copied.execute(select(next_one))
    return number


def _bare(which: Table) -> Any:
    """The table without what makes values of texts: they are copied letter by letter."""
    kinds = {
        one.name: one.type.impl_instance if isinstance(one.type, TypeDecorator) else one.type
        for one in which.columns
    }
    return table(which.name, *(column(name, kind) for name, kind in kinds.items()))


def _verify(original: Connection, copied: Connection, counts: dict[str, int], key: bytes) -> None:
    for name, number in counts.items():
        found = copied.execute(select(func.count()).select_from(table(name))).scalar_one()
        if found != number:
            raise StoreError(f"Of {number} rows of {name}, {found} arrived. Nothing was kept; try again.")
    for realm_id in audit_table.realms(original):
        breaks = (
            audit_table.first_break(original, key, realm_id),
            audit_table.first_break(copied, key, realm_id),
        )
        if breaks[0] != breaks[1]:
            raise StoreError(
                f"The audit trail of company (realm) {realm_id} is not as it was. Nothing was kept."
            )
