"""Connections to QuickBooks companies: tokens, encrypted, and when they end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection as Database
from sqlalchemy import and_, insert, select, update

from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.tables import connections


@dataclass(frozen=True, slots=True)
class Connection:
    """A grant to one realm for one Intuit app. ``repr`` never shows a token."""

    realm_id: str
    client_id: str
    refresh_token: str = field(repr=False)
    seed_digest: str
    granted_at: dt.datetime
    company_name: str = ""
    access_token: str | None = field(default=None, repr=False)
    access_expires_at: dt.datetime | None = None
    refresh_expires_at: dt.datetime | None = None
    refreshed_at: dt.datetime | None = None
    dead_since: dt.datetime | None = None


def load(database: Database, cipher: Cipher, realm_id: str, client_id: str) -> Connection | None:
    """The stored connection, decrypted."""
    query = select(connections).where(_is(realm_id, client_id))
    row = database.execute(query).mappings().first()
    return _connection(dict(row), cipher) if row else None


def every(database: Database, cipher: Cipher) -> list[Connection]:
    """All stored connections."""
    rows = database.execute(select(connections).order_by(connections.c.realm_id)).mappings()
    return [_connection(dict(row), cipher) for row in rows]


def save(database: Database, cipher: Cipher, connection: Connection) -> None:
    """Insert or replace a connection."""
    values: dict[str, Any] = {
        "company_name": connection.company_name,
        "refresh_token": cipher.encrypt(connection.refresh_token),
        "access_token": cipher.encrypt(connection.access_token) if connection.access_token else None,
        "access_expires_at": connection.access_expires_at,
        "refresh_expires_at": connection.refresh_expires_at,
        "seed_digest": connection.seed_digest,
        "granted_at": connection.granted_at,
        "refreshed_at": connection.refreshed_at,
        "dead_since": connection.dead_since,
    }
    key = _is(connection.realm_id, connection.client_id)
    changed = database.execute(update(connections).where(key).values(**values))
    if changed.rowcount == 0:
        database.execute(
            insert(connections).values(realm_id=connection.realm_id, client_id=connection.client_id, **values)
        )


def name_company(database: Database, realm_id: str, company_name: str) -> None:
    """Note the company's name, for people who read a list of connections."""
    database.execute(
        update(connections)
        .where(connections.c.realm_id == realm_id, connections.c.company_name != company_name)
        .values(company_name=company_name)
    )


def _is(realm_id: str, client_id: str) -> Any:
    return and_(connections.c.realm_id == realm_id, connections.c.client_id == client_id)


def _connection(row: dict[str, Any], cipher: Cipher) -> Connection:
    access = row["access_token"]
    return Connection(
        **{
            **row,
            "refresh_token": cipher.decrypt(row["refresh_token"]),
            "access_token": cipher.decrypt(access) if access else None,
        }
    )
