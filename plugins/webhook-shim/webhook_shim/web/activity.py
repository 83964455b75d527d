"""Runs as people see them: the shim's jobs, and runs that were started elsewhere, in one list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select
from target_quickbooks.links import Company
from target_quickbooks.store.tables import audit, runs

from webhook_shim import commands
from webhook_shim.companies import Books
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Job
from webhook_shim.web import words
from webhook_shim.web.words import Word

_WRITTEN = ("created", "updated", "closed", "voided", "linked")
_FAILED = ("failed", "blocked")
_MODES = {
    "sync": "Vendors and bills",
    "plan": "Preview",
    "replay": "Try failures again",
    "reconcile": "Compare the books",
    "drift": "Changes in QuickBooks",
}
_ONLY_READ = frozenset({"plan", "reconcile"})
#: Exit code of a reconciliation that found differences.
_DIFFERENCES = 2
_MOST_RUNS = 500
_NOT_ALL = Word("Done, not all", "warn")


@dataclass(frozen=True, slots=True)
class Activity:
    """One job, or one run without a job.

    Attributes:
        run_ids: The target's runs it consists of.
        mode: ``sync``, ``plan``, ``replay``, ``reconcile`` or ``drift``.
        streams: Counts by stream and by what became of the records.
    """

    id: str
    title: str
    why: str
    status: Word
    mode: str
    asked_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    exit_code: int | None
    streams: Mapping[str, Mapping[str, int]]
    calls: Mapping[str, int]
    run_ids: Sequence[str] = ()
    job: Job | None = None
    detail: str = ""

    @property
    def writes(self) -> bool:
        """Whether it writes to QuickBooks."""
        return self.mode not in _ONLY_READ

    @property
    def is_live(self) -> bool:
        """Whether there is more to come."""
        return self.status.tone == "busy"

    @property
    def written(self) -> int:
        """Records that were written or linked."""
        return _sum(self.streams, _WRITTEN)

    @property
    def failed(self) -> int:
        """Records that were refused or held back."""
        return _sum(self.streams, _FAILED)

    @property
    def unchanged(self) -> int:
        """Records that needed nothing."""
        return _sum(self.streams, ("skipped",))


def latest(
    connection: Connection, books: Books, *, limit: int, before: dt.datetime | None = None
) -> list[Activity]:
    """The latest activities, newest first."""
    jobs = jobs_table.history(connection, books.company, limit=limit, before=before)
    since = jobs[-1].asked_at if len(jobs) == limit else None
    query = select(runs).where(runs.c.realm_id == books.realm_id)
    if since:
        query = query.where(runs.c.started_at >= since)
    if before:
        query = query.where(runs.c.started_at < before)
    query = query.order_by(runs.c.started_at.desc()).limit(_MOST_RUNS)
    found = list(connection.execute(query).mappings())
    own = {job.id: [run for run in found if _belongs(run, job)] for job in jobs}
    covered = {run["id"] for covers in own.values() for run in covers}
    activities = [of_job(job, own[job.id]) for job in jobs]
    activities += [of_run(run) for run in found if run["id"] not in covered]
    return sorted(activities, key=lambda activity: activity.asked_at, reverse=True)[:limit]


def by_id(connection: Connection, books: Books, activity_id: str) -> Activity | None:
    """A job of this company, or a run of it."""
    job = jobs_table.by_id(connection, activity_id)
    if job and job.company == books.company:
        return of_job(job, _runs_of(connection, job))
    query = select(runs).where(runs.c.id == activity_id, runs.c.realm_id == books.realm_id)
    run = connection.execute(query).mappings().first()
    return of_run(run) if run else None


def done_so_far(
    connection: Connection, company: Company, run_ids: Sequence[str]
) -> dict[tuple[str, str, str], int]:
    """Audit rows of runs, by stream, operation and outcome."""
    query = (
        select(audit.c.stream, audit.c.operation, audit.c.outcome, func.count())
        .where(audit.c.realm_id == company.realm_id, audit.c.run_id.in_(list(run_ids)))
        .group_by(audit.c.stream, audit.c.operation, audit.c.outcome)
        .order_by(audit.c.stream, audit.c.operation, audit.c.outcome)
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)} if run_ids else {}


def of_job(job: Job, found: Sequence[RowMapping] = ()) -> Activity:
    """A job with its runs."""
    streams = _streams(job.counts)
    status = words.status(words.JOB_STATUS, job.status)
    if status.tone == "good" and _sum(streams, _FAILED):
        status = _NOT_ALL
    return Activity(
        id=job.id,
        title=words.named(words.KINDS, job.kind),
        why=words.named(words.REASONS, job.reason),
        status=status,
        mode=job.kind if job.kind in {"plan", "replay", "reconcile"} else "sync",
        asked_at=job.asked_at,
        started_at=job.started_at,
        finished_at=job.finished_at if job.status not in {"waiting", "running"} else None,
        exit_code=job.exit_code,
        streams=streams,
        calls=job.counts.get("calls") or {},
        run_ids=[run["id"] for run in found],
        job=job,
        detail=job.detail,
    )


def of_run(run: RowMapping) -> Activity:
    """A run that nobody asked the shim for."""
    streams = _streams(run["counts"])
    return Activity(
        id=run["id"],
        title=words.named(_MODES, run["mode"]),
        why=words.who(run["trigger"]),
        status=_run_status(run, refused=_sum(streams, _FAILED)),
        mode=run["mode"],
        asked_at=run["started_at"],
        started_at=run["started_at"],
        finished_at=run["finished_at"],
        exit_code=run["exit_code"],
        streams=streams,
        calls=run["counts"].get("calls") or {},
        run_ids=[run["id"]],
    )


def _run_status(run: RowMapping, *, refused: int) -> Word:
    if run["finished_at"] is None:
        return Word("Unfinished", "quiet")
    if run["mode"] == "reconcile" and run["exit_code"] == _DIFFERENCES:
        return Word("Differences", "warn")
    if run["exit_code"] in {0, 1} and refused:
        return _NOT_ALL
    return Word("Done", "good") if run["exit_code"] == 0 else Word("Failed", "bad")


def last_writing_run(connection: Connection, realm_id: str) -> RowMapping | None:
    """The run that ended last, of those that write."""
    query = (
        select(runs)
        .where(
            runs.c.realm_id == realm_id,
            runs.c.mode.not_in(sorted(_ONLY_READ)),
            runs.c.finished_at.is_not(None),
        )
        .order_by(runs.c.started_at.desc())
        .limit(1)
    )
    return connection.execute(query).mappings().first()


def _runs_of(connection: Connection, job: Job) -> list[RowMapping]:
    if job.started_at is None:
        return []
    query = select(runs).where(
        runs.c.realm_id == job.company.realm_id,
        runs.c.started_at >= job.asked_at,
        runs.c.trigger == commands.trigger(job),
    )
    return list(connection.execute(query.order_by(runs.c.started_at)).mappings())


def _belongs(run: RowMapping, job: Job) -> bool:
    return bool(run["trigger"] == commands.trigger(job))


def _streams(counts: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    found = counts.get("streams")
    return {
        stream: {name: number for name, number in row.items() if isinstance(number, int)}
        for stream, row in (found or {}).items()
        if isinstance(row, Mapping)
    }


def _sum(streams: Mapping[str, Mapping[str, int]], names: Sequence[str]) -> int:
    return sum(row.get(name, 0) for row in streams.values() for name in names)
