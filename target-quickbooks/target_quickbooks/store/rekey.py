"""Key rotation: everything that is encrypted in the store, encrypted again with the newest key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, or_, select, tuple_, update

from target_quickbooks.errors import StoreError
from target_quickbooks.store import schemas, tables
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import Store
from target_quickbooks.store.schemas import Encrypted, Schema

#: Every column of the target that ``Cipher`` writes; other packages tell of theirs.
ENCRYPTED: tuple[Encrypted, ...] = (
    (tables.connections, ("refresh_token", "access_token")),
    (tables.intents, ("document",)),
    (tables.failures, ("record", "payload")),
    (tables.secrets, ("value",)),
)
_ROWS_AT_ONCE = 200


def rekey(store: Store, *, now: dt.datetime, beside: Sequence[Schema] | None = None) -> dict[str, int]:
    """Encrypt with the newest key what any of the store's keys can read: all of it, or nothing.

    Returns:
        Number of rows per table.

    Raises:
        StoreError: A run is under way, which would go on with the keys it knows; or no key fits.
    """
    found = schemas.installed() if beside is None else list(beside)
    with store.writing() as connection:
        refuse_if_in_use(connection, now)
        there = {table.name for table in schemas.present(connection, found)}
        encrypted = [*ENCRYPTED, *(one for schema in found for one in schema.encrypted)]
        return {
            table.name: _rekey_table(connection, store.cipher, table, columns)
            for table, columns in encrypted
            if table.name in there
        }


def refuse_if_in_use(connection: Connection, now: dt.datetime) -> None:
    """Make sure that nobody works with the store.

    Raises:
        StoreError: A run is under way.
    """
    query = select(tables.leases.c.name).where(tables.leases.c.expires_at > now)
    if connection.execute(query).first():
        raise StoreError("A run is under way. Nothing was changed; run this again when it has ended.")


def _rekey_table(connection: Connection, cipher: Cipher, table: Table, columns: Sequence[str]) -> int:
    key = list(table.primary_key.columns)
    filled = or_(*(table.c[name].is_not(None) for name in columns))
    found = [tuple(row) for row in connection.execute(select(*key).where(filled).order_by(*key))]
    change = update(table).where(*(column == bindparam(f"key_{column.name}") for column in key))
    change = change.values({name: bindparam(f"new_{name}") for name in columns})
    for start in range(0, len(found), _ROWS_AT_ONCE):
        wanted = tuple_(*key).in_(found[start : start + _ROWS_AT_ONCE])
        rows = connection.execute(select(table).where(wanted)).mappings().all()
        connection.execute(change, [_renewed(cipher, dict(row), table, columns) for row in rows])
    return len(found)


def _renewed(cipher: Cipher, row: dict[str, Any], table: Table, columns: Sequence[str]) -> dict[str, Any]:
    keys = {f"key_{column.name}": row[column.name] for column in table.primary_key.columns}
    renewed = {f"new_{name}": None if row[name] is None else cipher.reencrypt(row[name]) for name in columns}
    return keys | renewed
