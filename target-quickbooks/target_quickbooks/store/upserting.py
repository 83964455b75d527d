"""Insert or replace in one statement, which both engines understand and which nobody can get in between."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def upsert(
    connection: Connection,
    table: Table,
    *,
    where: ColumnElement[bool] | None = None,
    kept: Collection[str] = (),
) -> postgresql.Insert | sqlite.Insert:
    """A statement that inserts rows, which are given when it is executed, and replaces those of the same key.

    Args:
        connection: Whose engine it is for.
        table: The table; rows have all of its columns.
        where: Which present rows may be replaced; the others stay as they are.
        kept: Columns that keep their values in rows that are replaced.
    """
    keys = [column.name for column in table.primary_key.columns]
    others = [column.name for column in table.columns if column.name not in {*keys, *kept}]
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a tenth of a second, only needed there

        statement = postgresql.insert(table)
        changed = {name: statement.excluded[name] for name in others}
        return statement.on_conflict_do_update(index_elements=keys, set_=changed, where=where)
    for_sqlite = sqlite.insert(table)
    changed = {name: for_sqlite.excluded[name] for name in others}
    return for_sqlite.on_conflict_do_update(index_elements=keys, set_=changed, where=where)
