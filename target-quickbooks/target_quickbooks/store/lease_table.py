"""Leases: a named thing that one process at a time may do, with an end in case it dies doing it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from target_quickbooks.store.database import Store
from target_quickbooks.store.tables import leases
from target_quickbooks.store.upserting import upsert


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, and until when."""

    owner: str
    expires_at: dt.datetime


def acquire(store: Store, name: str, owner: str, *, now: dt.datetime, seconds: int) -> bool:
    """Take or renew a lease; False if another owner holds it.

    One statement, which locks the row: of several that try at once, one gets it.
    """
    until = now + dt.timedelta(seconds=seconds)
    with store.writing() as connection:
        ours_or_over = (leases.c.owner == owner) | (leases.c.expires_at <= now)
        taken = upsert(connection, leases, where=ours_or_over).returning(leases.c.name)
        row = {"name": name, "owner": owner, "expires_at": until}
        return connection.execute(taken, row).first() is not None


def renew(store: Store, name: str, owner: str, *, now: dt.datetime, seconds: int) -> bool:
    """Make a lease last longer, even one that ran out; False if anybody else has had it since."""
    with store.writing() as connection:
        kept = connection.execute(
            update(leases)
            .where(leases.c.name == name, leases.c.owner == owner)
            .values(expires_at=now + dt.timedelta(seconds=seconds))
        )
        return bool(kept.rowcount)


def holder(store: Store, name: str) -> Holder | None:
    """Who took a lease last and has not given it back; it may have run out."""
    query = select(leases.c.owner, leases.c.expires_at).where(leases.c.name == name)
    with store.reading() as connection:
        row = connection.execute(query).first()
    return Holder(row.owner, row.expires_at) if row else None


def release(store: Store, name: str, owner: str) -> None:
    """Give a lease back, if it is still ours."""
    with store.writing() as connection:
        connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))
