"""Locks that end with the transaction that takes them: of a company, of the migrations.

SQLite lets one write transaction at a time into a file, so nothing is needed there. PostgreSQL lets all in:
what reads before it writes takes the lock of what it works on first. Advisory locks, because what is to be
locked may have no row yet; for transactions, so that poolers and crashes leave none behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, func, select

MIGRATIONS = "migrations"


def company(realm_id: str) -> str:
    """The lock of all that is kept of a company."""
    return f"company {realm_id}"


def hold(connection: Connection, names: Iterable[str]) -> None:
    """Wait for these locks and keep them until the transaction ends.

    They are taken in one order by everybody, so that none waits for another in a circle; who needs several
    takes them in one call, before anything else is locked.
    """
    if connection.dialect.name == "postgresql":
        for number in numbers(names):
            connection.execute(select(func.pg_advisory_xact_lock(number)))


def numbers(names: Iterable[str]) -> list[int]:
    """What PostgreSQL knows the locks by."""
    return sorted({_number(name) for name in names})


def _number(name: str) -> int:
    digest = hashlib.sha256(f"target-quickbooks {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
