"""Watches BILL's subscriptions: one that BILL disabled is enabled again, and what it missed is read.

BILL sends no event again that it gave up on (BILL manual 5.6). The run that is asked for here reads
everything that changed since the last one, whatever told of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from target_quickbooks.errors import TargetError
from target_quickbooks.process import this_process
from target_quickbooks.store import lease_table
from target_quickbooks.store.database import Store

from webhook_shim.bill_events import BillEvents, open_for
from webhook_shim.companies import Books
from webhook_shim.settings import Settings
from webhook_shim.store import jobs_table, subscription_table
from webhook_shim.store.jobs_table import Kind, Status
from webhook_shim.store.subscription_table import Subscription
from webhook_shim.subscription import Desk, Found

#: BILL gives a delivery up after some hours; a subscription is seldom disabled and never noticed late.
EVERY_SECONDS = 300.0
#: While a run reads what was missed.
WHILE_CATCHING_UP = 10.0
REASON = "subscription"
#: A look takes a few requests; that of a server that died is forgotten after this.
_LOOK_SECONDS = 120

logger = logging.getLogger("webhook-shim")


class Watch:
    """Looks at the subscriptions of all companies from time to time."""

    def __init__(
        self,
        settings: Settings,
        companies: tuple[Books, ...],
        store: Store,
        *,
        wake: Callable[[], None],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._settings = settings
        self._companies = companies
        self._store = store
        self._wake = wake
        self._now = now
        self._bill: dict[str, BillEvents] = {}
        self._catching_up: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._watch(), name="webhook-shim watch")

    async def stop(self) -> None:
        """Watch no more."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        while True:
            for books in self._companies:
                try:
                    await run_in_threadpool(self.look, books)
                except TargetError as error:
                    logger.warning("%s: BILL's subscription was not checked: %s", books.name, error)
                except Exception:
                    logger.exception("%s: BILL's subscription was not checked.", books.name)
            await asyncio.sleep(WHILE_CATCHING_UP if self._catching_up else EVERY_SECONDS)

    def look(self, books: Books) -> None:
        """Look at one company's subscription.

        Raises:
            TargetError: BILL or the store cannot be asked.
        """
        with self._store.reading() as connection:
            known = subscription_table.load(connection, self._store.cipher, books.organization_id)
        if known is None:
            return
        name, owner = f"watch:{books.organization_id}", f"{this_process()} watch"
        if not lease_table.acquire(self._store, name, owner, now=self._now(), seconds=_LOOK_SECONDS):
            return  # another server is just looking
        try:
            self._look(books, known)
        finally:
            lease_table.release(self._store, name, owner)

    def _look(self, books: Books, known: Subscription) -> None:
        if books.name not in self._bill:
            self._bill[books.name] = open_for(books, self._settings.bill_events_url)
        desk = Desk(self._store, self._bill[books.name], books.organization_id, known.url, self._now)
        found = desk.check()
        if found not in {Found.GOOD, None}:
            logger.warning("%s: BILL's subscription %s.", books.name, found)
            self._catching_up.pop(books.name, None)
        current = desk.known()
        if current and (current.disabled_at or found is Found.NEW):
            self._catch_up(books, desk)

    def _catch_up(self, books: Books, desk: Desk) -> None:
        """Have everything read by a run that begins after the subscription works again."""
        job_id = self._catching_up.get(books.name)
        with self._store.writing() as connection:
            job = jobs_table.by_id(connection, job_id) if job_id else None
            if job is None or job.status in {Status.FAILED, Status.STOPPED, Status.LOST}:
                self._catching_up[books.name] = jobs_table.ask(
                    connection, books.company, Kind.DAILY, REASON, (), self._now()
                )
        if job and job.status == Status.SUCCEEDED:
            desk.caught_up()
            self._catching_up.pop(books.name, None)
        self._wake()
