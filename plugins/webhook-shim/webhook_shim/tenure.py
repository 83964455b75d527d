"""The right to work for a company: servers that share a store take turns, one at a time for each company.

The lease is renewed while the work lasts. That of a server that died here is free at once, that of one
that died elsewhere when it runs out.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from target_quickbooks.errors import StoreError
from target_quickbooks.links import Company
from target_quickbooks.process import is_gone, this_process
from target_quickbooks.store import lease_table
from target_quickbooks.store.database import Store

LEASE_SECONDS = 90
_RENEWALS = 3
_OWNER_LENGTH = 64

logger = logging.getLogger("webhook-shim")


@contextlib.asynccontextmanager
async def held(store: Store, company: Company, now: Callable[[], dt.datetime]) -> AsyncIterator[bool]:
    """Hold the lease of a company in the block; False if another server has it."""
    name, owner = (
        f"shim:{company.realm_id}:{company.organization_id}",
        f"{this_process()} shim"[:_OWNER_LENGTH],
    )
    if not await run_in_threadpool(_take, store, name, owner, now):
        yield False
        return
    keeper = asyncio.create_task(_keep(store, name, owner, now))
    try:
        yield True
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


async def _keep(store: Store, name: str, owner: str, now: Callable[[], dt.datetime]) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / _RENEWALS)
        try:
            await run_in_threadpool(_renew, store, name, owner, now)
        except StoreError as error:
            logger.warning("The lease %s was not renewed: %s", name, error)


def _renew(store: Store, name: str, owner: str, now: Callable[[], dt.datetime]) -> None:
    if not lease_table.renew(store, name, owner, now=now(), seconds=LEASE_SECONDS):
        logger.warning("Another server took the lease %s while this one was suspended.", name)
