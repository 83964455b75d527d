"""Looks after all companies: sees what is due for each, has it done, one at a time for each company.

All that decides is read from the store each time, so that a server that was killed goes on where it was,
and several servers can share the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from target_quickbooks.errors import TargetError
from target_quickbooks.store.database import Store

from webhook_shim import backlog, tenure
from webhook_shim.backlog import Checker, View
from webhook_shim.companies import Books
from webhook_shim.health import RunnerState
from webhook_shim.jobs import Workshop
from webhook_shim.scheduling import Rules, Step, back_off, turns
from webhook_shim.settings import Settings
from webhook_shim.store import jobs_table

#: How often to look without being woken: other servers and programs write to the store, too.
LOOK_SECONDS = 20.0
#: How long a run may go on when the server is to stop, before it is stopped too.
PATIENCE_SECONDS = 60.0
_AFTER_TROUBLE = dt.timedelta(seconds=10)
_BETWEEN_CLEANINGS = dt.timedelta(days=1)

logger = logging.getLogger("webhook-shim")


@dataclass(slots=True)
class _Desk:
    """What this server knows of a company from one look to the next.

    Attributes:
        runs: Whether a process is under way, which takes one of the places.
        not_before: Another server is at work, or something went wrong: no new look before this.
        begun: When its latest run began.
        failed_checks: How many checks failed in a row; ``check_after`` is when the next may begin.
    """

    books: Books
    task: asyncio.Task[None] | None = None
    runs: bool = False
    not_before: dt.datetime | None = None
    begun: dt.datetime | None = None
    failed_checks: int = 0
    check_after: dt.datetime | None = None
    view: View = field(default_factory=View)


class Runner:
    """Does what is due, until it is stopped. Used from one event loop; ``wake`` from anywhere."""

    def __init__(
        self,
        settings: Settings,
        companies: tuple[Books, ...],
        store: Store,
        workshop: Workshop,
        *,
        check: Checker | None,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._settings = settings
        self._rules = Rules(
            debounce=settings.debounce,
            poll_every=settings.poll_every,
            daily_at=settings.daily_at,
            reconcile_at=settings.reconcile_at,
            receive_only=settings.receive_only,
        )
        self._store = store
        self._workshop = workshop
        self._check = check
        self._now = now
        self._desks = {books.name: _Desk(books) for books in companies}
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._up_since = now()
        self._clean_after = now()
        self._stopping = False

    @property
    def state(self) -> RunnerState:
        """How it is: ``ENDED`` means that nothing is looked after any more."""
        if self._stopping:
            return RunnerState.STOPPING
        alive = self._task is not None and not self._task.done()
        return RunnerState.WORKING if alive else RunnerState.ENDED

    def start(self) -> None:
        """Begin to look after the companies."""
        self._loop = asyncio.get_running_loop()
        self._up_since = self._now()
        self._task = asyncio.create_task(self._look_after(), name="webhook-shim runner")

    def wake(self) -> None:
        """There may be something to do. May be called from any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def stop(self, *, patience: float = PATIENCE_SECONDS) -> None:
        """Begin nothing more, and let end what is under way; after a while stop it."""
        self._stopping = True
        self._news.set()
        if self._task:
            await self._task
        working = [desk.task for desk in self._desks.values() if desk.task]
        if not working:
            return
        logger.info("Waiting for what is under way to end, at most %d s.", patience)
        hurried = asyncio.create_task(self._workshop.hurry.wait())
        ended = asyncio.create_task(asyncio.wait(working))
        await asyncio.wait({ended, hurried}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        self.hurry()
        await ended

    def hurry(self) -> None:
        """Stop what is under way: each process finishes its batch and records it."""
        self._workshop.hurry.set()

    async def _look_after(self) -> None:
        while not self._stopping:
            self._news.clear()
            try:
                wait = await self._look()
            except TargetError as error:
                logger.error("%s", error)  # noqa: TRY400 - the message says it all
                wait = _AFTER_TROUBLE.total_seconds()
            except Exception:
                logger.exception("The runner failed; it goes on.")
                wait = _AFTER_TROUBLE.total_seconds()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)

    async def _look(self) -> float:
        """Begin what is due.

        Returns:
            Seconds until something else may be due.
        """
        now = self._now()
        if now >= self._clean_after:
            await run_in_threadpool(backlog.clean, self._settings, self._store, now)
            self._clean_after = now + _BETWEEN_CLEANINGS
        idle = [desk for desk in self._desks.values() if desk.task is None]
        ready = [desk for desk in idle if desk.not_before is None or desk.not_before <= now]
        for desk in ready:
            desk.view = await run_in_threadpool(self._viewed, desk.books, now)
        self._begin(ready, now)
        return self._wait(now)

    def _viewed(self, books: Books, now: dt.datetime) -> View:
        return backlog.view(self._store, books, self._rules, up_since=self._up_since, now=now)

    def _begin(self, ready: list[_Desk], now: dt.datetime) -> None:
        """Abandoned work first, then the companies whose turn it is, then checks, which need no place."""
        steps: dict[str, Step] = {}
        for desk in ready:
            if desk.view.abandoned:
                self._put_to_work(desk, None, runs=True)
            elif desk.view.step:
                steps[desk.books.name] = desk.view.step
        taken = sum(desk.runs for desk in self._desks.values())
        begun = {name: desk.begun for name, desk in self._desks.items() if desk.begun}
        for name in turns(steps, begun, free=self._settings.max_runs - taken, now=now):
            self._desks[name].begun = now
            self._put_to_work(self._desks[name], steps[name], runs=True)
        for desk in ready:
            if desk.task is None and self._check_due(desk) <= now:
                self._put_to_work(desk, None, runs=False)

    def _check_due(self, desk: _Desk) -> dt.datetime:
        if self._check is None or desk.view.first_check is None:
            return dt.datetime.max.replace(tzinfo=dt.UTC)
        due = desk.view.first_check + self._rules.debounce
        return max(due, desk.check_after) if desk.check_after else due

    def _wait(self, now: dt.datetime) -> float:
        due = [now + dt.timedelta(seconds=LOOK_SECONDS), self._clean_after]
        for desk in self._desks.values():
            if desk.task is None:
                found = [self._check_due(desk), *([desk.view.step.due] if desk.view.step else ())]
                # What is due and did not begin waits for a place, whose end wakes this loop.
                due += [max(moment, desk.not_before or moment) for moment in found if moment > now]
                due += [desk.not_before] if desk.not_before and desk.not_before > now else []
        return max((min(due) - now).total_seconds(), 0.0)

    def _put_to_work(self, desk: _Desk, step: Step | None, *, runs: bool) -> None:
        desk.runs = runs
        desk.task = asyncio.create_task(self._work(desk, step), name=f"webhook-shim {desk.books.name}")
        desk.task.add_done_callback(lambda _: self._done(desk))

    def _done(self, desk: _Desk) -> None:
        desk.task, desk.runs = None, False
        self._news.set()

    async def _work(self, desk: _Desk, step: Step | None) -> None:
        desk.not_before = None
        try:
            async with tenure.held(self._store, desk.books.company, self._now) as ours:
                if ours:
                    await self._work_alone(desk, step, ours.lost)
                else:
                    desk.not_before = self._now() + _AFTER_TROUBLE
        except TargetError as error:
            logger.error("%s: %s", desk.books.name, error)  # noqa: TRY400 - the message says it all
            desk.not_before = self._now() + _AFTER_TROUBLE
        except Exception:
            logger.exception("%s: the server failed; it goes on.", desk.books.name)
            desk.not_before = self._now() + _AFTER_TROUBLE

    async def _work_alone(self, desk: _Desk, step: Step | None, lost: asyncio.Event) -> None:
        abandoned = await run_in_threadpool(self._abandoned, desk.books)
        for job in abandoned:
            await self._workshop.take_over(job, lost)
        if step and not abandoned and not lost.is_set():
            # Another server may have done it between the look that found it and now.
            now = self._now()
            view = await run_in_threadpool(self._viewed, desk.books, now)
            if view.step and view.step.due <= now:
                step = view.step
                await self._workshop.do(desk.books, step.kind, step.reason, step.job_id, lost)
        if lost.is_set():
            desk.not_before = self._now() + _AFTER_TROUBLE
            return
        if not self._stopping and self._check_due(desk) <= self._now():
            await self._look_in_quickbooks(desk)

    def _abandoned(self, books: Books) -> list[jobs_table.Job]:
        with self._store.reading() as connection:
            return jobs_table.running(connection, books.company)

    async def _look_in_quickbooks(self, desk: _Desk) -> None:
        """Check what events of QuickBooks tell of; a check that cannot be made is made later."""
        assert self._check is not None  # noqa: S101 - otherwise no check is ever due
        try:
            again = await run_in_threadpool(self._check, desk.books)
        except TargetError as error:
            desk.failed_checks += 1
            wait = back_off(desk.failed_checks)
            logger.warning(
                "%s: QuickBooks was not checked (again in %d s): %s",
                desk.books.name,
                wait.total_seconds(),
                error,
            )
            desk.check_after = self._now() + wait
        else:
            desk.failed_checks = 0
            desk.check_after = self._now() + again if again else None
