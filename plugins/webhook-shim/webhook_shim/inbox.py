"""Takes events to disk before they are acknowledged, many in one transaction when many arrive at once."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from target_quickbooks.store.database import Store

from webhook_shim.events import Event, System
from webhook_shim.store import inbox_table, subscription_table

_MOST_AT_ONCE = 500


class Inbox:
    """The way into the inbox table. Used from the event loop only.

    A disk needs milliseconds to make a transaction durable; whatever arrives meanwhile shares the next one,
    so that a burst costs few of them and nobody waits for more than two.
    """

    def __init__(self, store: Store, *, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._waiting: list[tuple[Sequence[Event], asyncio.Future[int]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, events: Sequence[Event]) -> int:
        """Keep events; on return they are on disk.

        Returns:
            How many of them were new.

        Raises:
            StoreError: They could not be kept.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await future

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
            try:
                numbers = await run_in_threadpool(self._write, [events for events, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), number in zip(batch, numbers, strict=True):
                if not future.done():
                    future.set_result(number)

    def _write(self, deliveries: Sequence[Sequence[Event]]) -> list[int]:
        now = self._now()
        with self._store.writing() as connection:
            inbox_table.hold(connection, [event for events in deliveries for event in events])
            numbers = [inbox_table.put(connection, events, now=now) for events in deliveries]
            heard = {event.tenant for events in deliveries for event in events if event.system is System.BILL}
            for organization_id in sorted(heard):
                subscription_table.heard(connection, organization_id, now=now)
        return numbers
