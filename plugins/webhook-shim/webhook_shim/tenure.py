"""The right to work for a company: servers that share a store take turns, one at a time for each company.

The lease is renewed while the work lasts. That of a server that died here is free at once, that of one that
died elsewhere when it runs out. A server that cannot renew it any more stops its work before another one may
begin.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from target_quickbooks.errors import StoreError
from target_quickbooks.links import Company
from target_quickbooks.process import is_gone, this_process
from target_quickbooks.store import lease_table
from target_quickbooks.store.database import Store

LEASE_SECONDS = 90
#: What a process that is told to stop may take, and then some.
_TO_STOP = 1 / 3
_RENEWALS = 3
_OWNER_LENGTH = 64

logger = logging.getLogger("webhook-shim")


@dataclass(slots=True)
class Tenure:
    """The right, for as long as it lasts.

    Attributes:
        lost: Set when it is lost or about to be: what is under way has to stop.
        until: When the lease ends unless it is renewed.
    """

    until: dt.datetime
    lost: asyncio.Event = field(default_factory=asyncio.Event)


@contextlib.asynccontextmanager
async def held(
    store: Store, company: Company, now: Callable[[], dt.datetime]
) -> AsyncIterator[Tenure | None]:
    """Hold the lease of a company in the block; None if another server has it."""
    name, owner = (
        f"shim:{company.realm_id}:{company.organization_id}",
        f"{this_process()} shim"[:_OWNER_LENGTH],
    )
    begun = now()
    if not await run_in_threadpool(_take, store, name, owner, now):
        yield None
        return
    tenure = Tenure(begun + dt.timedelta(seconds=LEASE_SECONDS))
    keeper = asyncio.create_task(_keep(store, name, owner, now, tenure))
    try:
        yield tenure
    finally:
        keeper.cancel()
        with contextlib.suppress(StoreError):
            await run_in_threadpool(lease_table.release, store, name, owner)


def _take(store: Store, name: str, owner: str, now: Callable[[], dt.datetime]) -> bool:
    if lease_table.acquire(store, name, owner, now=now(), seconds=LEASE_SECONDS):
        return True
    holder = lease_table.holder(store, name)
    if holder and is_gone(holder.owner):
        lease_table.release(store, name, holder.owner)
    return lease_table.acquire(store, name, owner, now=now(), seconds=LEASE_SECONDS)


async def _keep(store: Store, name: str, owner: str, now: Callable[[], dt.datetime], tenure: Tenure) -> None:
    """Renew the lease; tell when another server has it, or may have it before what is under way has ended."""
    while True:
        await asyncio.sleep(LEASE_SECONDS / _RENEWALS / 2)
        began = now()
        try:
            if not await run_in_threadpool(
                lease_table.renew, store, name, owner, now=began, seconds=LEASE_SECONDS
            ):
                logger.warning("Another server took the lease %s while this one was suspended.", name)
                tenure.lost.set()
                return
        except StoreError as error:
            logger.warning("The lease %s was not renewed: %s", name, error)
            if now() >= tenure.until - dt.timedelta(seconds=LEASE_SECONDS * _TO_STOP):
                tenure.lost.set()
                return
        else:
            tenure.until = began + dt.timedelta(seconds=LEASE_SECONDS)
