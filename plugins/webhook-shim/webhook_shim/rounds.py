"""A round: one job for many companies, now, whoever schedules it. ``run_command`` is its command line.

What does the job is what does it in the server too: the same process, the same row in ``shim_jobs``, one run
at a time for each company whoever begins it. A company that fails leaves the others alone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from target_quickbooks.errors import TargetError
from target_quickbooks.store.database import Store

from webhook_shim import tenure, workplace
from webhook_shim.companies import Books
from webhook_shim.jobs import Workshop
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Job, Kind, Status

#: How long to wait before looking whether what is in the way has ended.
LOOK_SECONDS = 5.0
_CREATED, _UPDATED, _REFUSED = ("created",), ("updated", "closed"), ("failed", "blocked")

logger = logging.getLogger("webhook-shim")


class Outcome(StrEnum):
    """What became of a company in a round."""

    DONE = "done"
    REFUSED = "refused"
    DIFFERENCES = "differences"
    FAILED = "failed"
    STOPPED = "stopped"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Result:
    """One company's part of a round.

    Attributes:
        created: Records created in QuickBooks.
        updated: Records changed or closed there.
        refused: Records that were not written.
        detail: What went wrong, in a line.
        job_id: The row of ``shim_jobs``; none if nothing was begun.
        log_path: What the process said.
        report: Beside it, if the job writes a report.
    """

    company: str
    title: str
    outcome: Outcome
    created: int = 0
    updated: int = 0
    refused: int = 0
    seconds: float = 0.0
    detail: str = ""
    job_id: str | None = None
    log_path: str | None = None
    report: str | None = None


def exit_code(results: Sequence[Result]) -> int:
    """Of a whole round: 1 if a company failed or records were refused, 2 if only books differ, else 0."""
    outcomes = {result.outcome for result in results}
    if outcomes - {Outcome.DONE, Outcome.DIFFERENCES}:
        return 1
    return 2 if Outcome.DIFFERENCES in outcomes else 0


class Round:
    """Does a job for companies, a few at a time.

    Args:
        store: Of all companies.
        workshop: What does jobs; its ``hurry`` ends the round.
        kind: The job.
        reason: Who or what asks, for the history.
        parallel: How many companies at the same time.
        patience: How long to wait for another run of a company.
        tell: Called with each result as it comes in.
        now: The current time, aware.
        look_seconds: How often to look whether what is in the way has ended.
    """

    def __init__(
        self,
        store: Store,
        workshop: Workshop,
        *,
        kind: Kind,
        reason: str,
        parallel: int,
        patience: dt.timedelta,
        tell: Callable[[Result], None],
        now: Callable[[], dt.datetime],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._store = store
        self._workshop = workshop
        self._kind = kind
        self._reason = reason
        self._places = asyncio.Semaphore(parallel)
        self._patience = patience
        self._tell = tell
        self._now = now
        self._look_seconds = look_seconds

    async def run(self, companies: Sequence[Books]) -> list[Result]:
        """Do the job for each company; the results are in the order of the companies."""
        return list(await asyncio.gather(*(self._in_turn(books) for books in companies)))

    async def _in_turn(self, books: Books) -> Result:
        try:
            result = await self._done(books)
        except TargetError as error:
            result = Result(books.name, books.title, Outcome.FAILED, detail=str(error))
        except Exception as error:
            logger.exception("%s: the round failed for this company; it goes on.", books.name)
            detail = f"Unexpected: {type(error).__name__}; the log says more."
            result = Result(books.name, books.title, Outcome.FAILED, detail=detail)
        self._tell(result)
        return result

    async def _done(self, books: Books) -> Result:
        """Do the job; while another run is in the way, leave the place to others and wait."""
        first: dt.datetime | None = None
        in_the_way = "Another server or command is at work for this company."
        while True:
            async with self._places:
                began = self._now()
                first = first or began
                if self._workshop.hurry.is_set():
                    return Result(books.name, books.title, Outcome.STOPPED, detail="Stopped before it began.")
                job = await self._attempt(books)
            if job and job.status != Status.WAITING:
                return self._judged(books, job, began)
            in_the_way = job.detail if job else in_the_way
            if self._now() - first >= self._patience:
                return Result(books.name, books.title, Outcome.BUSY, detail=in_the_way)
            await self._pause()

    async def _attempt(self, books: Books) -> Job | None:
        async with tenure.held(self._store, books.company, self._now) as ours:
            return await self._alone(books, ours.lost) if ours else None

    async def _alone(self, books: Books, lost: asyncio.Event) -> Job | None:
        for job in await run_in_threadpool(self._abandoned, books):
            await self._workshop.take_over(job, lost)
        if lost.is_set():
            return None
        return await self._workshop.do(books, self._kind, self._reason, None, lost)

    def _abandoned(self, books: Books) -> list[Job]:
        with self._store.reading() as connection:
            return jobs_table.running(connection, books.company)

    async def _pause(self) -> None:
        hurried = asyncio.ensure_future(self._workshop.hurry.wait())
        await asyncio.wait({hurried}, timeout=self._look_seconds)
        hurried.cancel()

    def _judged(self, books: Books, job: Job, began: dt.datetime) -> Result:
        refused = _sum(job.counts, _REFUSED)
        return Result(
            company=books.name,
            title=books.title,
            outcome=_outcome(books, job, refused),
            created=_sum(job.counts, _CREATED),
            updated=_sum(job.counts, _UPDATED),
            refused=refused,
            seconds=round((self._now() - began).total_seconds(), 1),
            detail=job.detail,
            job_id=job.id,
            log_path=job.log_path,
            report=_report(Path(job.log_path)) if job.log_path else None,
        )


def _outcome(books: Books, job: Job, refused: int) -> Outcome:
    if job.status == Status.STOPPED:
        return Outcome.STOPPED
    if _differ(job):
        return Outcome.DIFFERENCES
    if job.status != Status.SUCCEEDED:
        return Outcome.FAILED
    tolerant = books.target_config.get("fail_on_failed_records") is False
    return Outcome.REFUSED if refused and not tolerant else Outcome.DONE


def _differ(job: Job) -> bool:
    """Whether a reconciliation came to its end and found differences."""
    found = job.counts.get("reconciliation")
    return isinstance(found, Mapping) and found.get("in_step") is False


def _report(log: Path) -> str | None:
    """What the job wrote beside its log: a file, or a directory of several."""
    found = (path for path in (workplace.report_of(log), log.with_suffix("")) if path.exists())
    return next((str(path) for path in found), None)


def _sum(counts: Mapping[str, Any], names: Sequence[str]) -> int:
    streams = counts.get("streams") or {}
    return sum(int(row.get(name) or 0) for row in streams.values() for name in names)
