"""Leases: a named thing that one process at a time may do, with an end in case it dies doing it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from target_quickbooks.store.database import Store
from target_quickbooks.store.tables import leases


def acquire(store: Store, name: str, owner: str, *, now: dt.datetime, seconds: int) -> bool:
    """Take or renew a lease; False if another owner holds it."""
    until = now + dt.timedelta(seconds=seconds)
    with store.writing() as connection:
        taken = connection.execute(
            update(leases)
            .where(leases.c.name == name, (leases.c.owner == owner) | (leases.c.expires_at <= now))
            .values(owner=owner, expires_at=until)
        )
        if taken.rowcount:
            return True
    try:
        with store.writing() as connection:
            connection.execute(insert(leases).values(name=name, owner=owner, expires_at=until))
    except IntegrityError:
        return False
    return True


def release(store: Store, name: str, owner: str) -> None:
    """Give a lease back, if it is still ours."""
    with store.writing() as connection:
        connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))
