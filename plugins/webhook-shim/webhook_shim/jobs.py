"""Doing a job: its process from start to end, and what is kept of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import socket
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool
from target_quickbooks.process import is_gone
from target_quickbooks.store import lease_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.tables import runs

from webhook_shim import commands, processes, reconciliation, workplace
from webhook_shim.commands import Command, Stop, Verdict
from webhook_shim.companies import Books
from webhook_shim.events import System
from webhook_shim.processes import Orphan, Process
from webhook_shim.settings import Settings
from webhook_shim.store import inbox_table, jobs_table
from webhook_shim.store.jobs_table import SYNCING, Job, Kind, Status

_LOOK_SECONDS = 1.0
HOST = socket.gethostname()[:128]

logger = logging.getLogger("webhook-shim")


class Workshop:
    """Does jobs, one process each.

    Attributes:
        hurry: Set when all processes are to be stopped.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        several: bool,
        now: Callable[[], dt.datetime],
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.hurry = asyncio.Event()
        self._settings = settings
        self._store = store
        self._several = several
        self._now = now
        self._environ = environ

    async def do(
        self, books: Books, kind: str, reason: str, job_id: str | None, lost: asyncio.Event | None = None
    ) -> Job | None:
        """Begin a job and see it through.

        Args:
            books: Whose.
            kind: Of a job that is asked for by this call.
            reason: Likewise.
            job_id: A job that waits; None to ask for one.
            lost: Set when this server loses the right to work for the company: the process is stopped.

        Returns:
            The job as it ended; None if it did not wait any more.
        """
        job = await run_in_threadpool(self._begin, books, kind, reason, job_id)
        if job is None:
            return None
        log = Path(str(job.log_path))
        try:
            command = await run_in_threadpool(self._command, job, books, log)
            process = await processes.start(
                command.arguments,
                commands.environment(self._environ, command),
                directory=self._settings.project_root,
                log=log,
                output=workplace.report_of(log) if command.reports else None,
            )
        except OSError as error:
            told = f"{error.filename or 'The process'} could not be started: {error.strerror}."
            return await run_in_threadpool(self._end, job, None, Verdict(Status.FAILED, told))
        await run_in_threadpool(self._spawned, job, process.pid)
        return await self._see_through(job, process, lost)

    async def take_over(self, job: Job, lost: asyncio.Event | None = None) -> Job:
        """See a job through that a server before this one began: wait for its end, judge by its log.

        What goes on elsewhere shows itself by its lease on the company, which is waited for.
        """
        log = Path(job.log_path or os.devnull)
        if job.host == HOST and job.pid and processes.is_alive(log):
            logger.info("%s goes on since before this start; waiting for it.", _named(job))
            return await self._see_through(job, Orphan(job.pid, log), lost)
        if not await self._none_runs(job, lost):
            return job
        return await run_in_threadpool(self._judged, job, None, None)

    async def _none_runs(self, job: Job, lost: asyncio.Event | None) -> bool:
        """Wait while a run on another host, which lost its server, still writes; False if stopped."""
        told = False
        while not self.hurry.is_set() and not (lost and lost.is_set()):
            holder = await run_in_threadpool(lease_table.holder, self._store, f"run:{job.company.realm_id}")
            if holder is None or holder.expires_at <= self._now() or is_gone(holder.owner):
                return True
            if not told:
                logger.info("%s may go on elsewhere (%s); waiting for it.", _named(job), holder.owner)
                told = True
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def _see_through(self, job: Job, process: Process, lost: asyncio.Event | None) -> Job:
        began = job.started_at or self._now()
        left = (began + self._settings.run_limit - self._now()).total_seconds()
        exit_code, stop = await processes.supervise(
            process, seconds=max(left, 0.0), hurry=self.hurry, lost=lost
        )
        return await run_in_threadpool(self._judged, job, exit_code, stop)

    def _begin(self, books: Books, kind: str, reason: str, job_id: str | None) -> Job | None:
        with self._store.writing() as connection:
            asked = job_id or jobs_table.ask(connection, books.company, kind, reason, (), self._now())
            job = jobs_table.by_id(connection, asked)
            if job is None:
                return None
            last = inbox_table.waiting(connection, System.BILL, books.organization_id)
            now = self._now()  # only now: the events that this run covers were received before it began
            taken = jobs_table.begin(
                connection,
                job.id,
                host=HOST,
                log_path=str(workplace.log_of(self._settings, job, now)),
                last_event=last.last_id if last else 0,
                now=now,
            )
            if not taken:
                return None
            logger.info("%s of %s begins (%s).", _named(job), books.name, job.reason)
            return jobs_table.by_id(connection, job.id)

    def _command(self, job: Job, books: Books, log: Path) -> Command:
        if job.kind == Kind.REPLAY:
            executable = Path(sysconfig.get_path("scripts"), "quickbooks-admin")
            return commands.replay(job, books, executable=str(executable))
        if self._settings.direct:
            return commands.direct(job, books, python=sys.executable, report=str(_report_path(job, log)))
        command = commands.meltano(
            job,
            books,
            executable=self._settings.meltano,
            environment=self._settings.environment,
            suffix=books.name if self._several else "",
            report=str(_report_path(job, log)),
        )
        if not self._several:
            return command
        own = workplace.own_system_directory(self._settings, books.name, self._environ)
        return replace(command, variables={**command.variables, **own})

    def _spawned(self, job: Job, pid: int) -> None:
        with self._store.writing() as connection:
            jobs_table.spawned(connection, job.id, pid=pid)

    def _judged(self, job: Job, exit_code: int | None, stop: Stop | None) -> Job:
        log = Path(job.log_path or os.devnull)
        report = workplace.tail(workplace.report_of(log)) if job.kind == Kind.REPLAY else ""
        kept: dict[str, Any] = {}
        if job.kind == Kind.RECONCILE and (found := reconciliation.read_summary(workplace.reports_of(log))):
            kept[reconciliation.KEY] = found
        outcome = reconciliation.reconciled(kept)
        verdict = commands.judge(
            job.kind,
            exit_code,
            workplace.tail(log),
            report=report,
            stop=stop,
            outcome=outcome.sentence if outcome else None,
        )
        return self._end(job, exit_code, verdict, kept)

    def _end(
        self,
        job: Job,
        exit_code: int | None,
        verdict: Verdict,
        kept: Mapping[str, Any] = MappingProxyType({}),
    ) -> Job:
        now = self._now()
        with self._store.writing() as connection:
            if not jobs_table.is_ours(connection, job):
                logger.warning("%s was taken over by another server, whose word counts.", _named(job))
                return jobs_table.by_id(connection, job.id) or job
            if verdict.status is Status.WAITING:
                jobs_table.put_back(connection, job.id, detail=verdict.detail, now=now)
            else:
                jobs_table.end(
                    connection,
                    job.id,
                    status=verdict.status,
                    detail=verdict.detail,
                    exit_code=exit_code,
                    counts={**_counts(connection, job), **kept},
                    now=now,
                )
                if verdict.status is Status.SUCCEEDED and job.kind in SYNCING:
                    _settle(connection, job, now)
            ended = jobs_table.by_id(connection, job.id)
        if verdict.status is Status.SUCCEEDED:
            logger.info("%s succeeded. %s", _named(job), verdict.detail)
        else:
            logger.warning("%s: %s. %s", _named(job), verdict.status, verdict.detail)
        return ended or job


def _report_path(job: Job, log: Path) -> Path:
    """Where the target writes what it found; a directory, which takes all kinds of report, is made for it.

    Raises:
        OSError: It cannot be made.
    """
    if job.kind != Kind.RECONCILE:
        return workplace.report_of(log)
    reports = workplace.reports_of(log)
    reports.mkdir(mode=0o700, parents=True, exist_ok=True)
    return reports


def _settle(connection: Connection, job: Job, now: dt.datetime) -> None:
    """The events that were received before the run began are dealt with."""
    inbox_table.settle(
        connection,
        System.BILL,
        job.company.organization_id,
        up_to=job.last_event or 0,
        job_id=job.id,
        now=now,
    )


def _counts(connection: Connection, job: Job) -> dict[str, Any]:
    """What the target's own runs of this job counted."""
    query = (
        select(runs.c.counts)
        .where(
            runs.c.realm_id == job.company.realm_id,
            runs.c.started_at >= (job.started_at or job.asked_at),
            runs.c.trigger == commands.trigger(job),
        )
        .order_by(runs.c.started_at)
    )
    return commands.added_up([found or {} for found in connection.execute(query).scalars()])


def _named(job: Job) -> str:
    return f"Job {job.id[:8]} ({job.kind})"
