"""Work: asked for, under way, ended. A row is one subprocess for one company, and the history of it.

The page and the receiver ask; the runner begins and ends. A row that waits again because another run was
in its way keeps when that happened in ``finished_at``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, insert, select, update
from target_quickbooks.exact_json import canonical
from target_quickbooks.links import Company
from target_quickbooks.store import locks

from webhook_shim.store.tables import jobs

_REASON_LENGTH = 64


class Kind(StrEnum):
    """What is to be done."""

    SYNC = "sync"
    DAILY = "daily"
    REPLAY = "replay"
    PLAN = "plan"
    RECONCILE = "reconcile"


class Status(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


#: The kinds that read BILL's vendors and bills, and so settle its events.
SYNCING = (Kind.SYNC, Kind.DAILY)


@dataclass(frozen=True, slots=True)
class Job:
    """One row.

    Attributes:
        arguments: Of a replay: the numbers of the failures.
        detail: How it ended, for people.
        last_event: The highest inbox id when it began: what it settles if it succeeds.
        counts: What it did: ``streams`` by name and ``calls``, as the target's runs say; of a reconciliation
            that came to an end, ``reconciliation``: its verdict and totals.
        finished_at: When it ended; of a waiting row, when another run was in its way.
    """

    id: str
    company: Company
    kind: str
    reason: str
    status: str
    asked_at: dt.datetime
    arguments: Sequence[int] = ()
    detail: str = ""
    last_event: int | None = None
    host: str | None = None
    pid: int | None = None
    log_path: str | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None


def ask(
    connection: Connection,
    company: Company,
    kind: str,
    reason: str,
    arguments: Sequence[int],
    now: dt.datetime,
) -> str:
    """Ask for work. The same question, while it still waits, is the same row.

    Args:
        connection: A write transaction, in which nothing was locked before. Wake the runner after it.
        company: For whom.
        kind: A ``Kind``.
        reason: Who or what asks: ``event``, ``poll``, ``daily``, ``start``, ``person``...
        arguments: Of a replay the numbers of the failures; otherwise empty.
        now: The current time.

    Returns:
        The job's id.
    """
    locks.hold(connection, [f"jobs {company.realm_id} {company.organization_id}"])
    for job in waiting(connection, company):
        if job.kind == kind and canonical(list(job.arguments)) == canonical(list(arguments)):
            return job.id
    job_id = str(uuid.uuid4())
    connection.execute(
        insert(jobs).values(
            id=job_id,
            realm_id=company.realm_id,
            organization_id=company.organization_id,
            kind=str(kind),
            reason=reason[:_REASON_LENGTH],
            arguments=list(arguments),
            status=str(Status.WAITING),
            detail="",
            counts={},
            asked_at=now,
        )
    )
    return job_id


def by_id(connection: Connection, job_id: str) -> Job | None:
    """One job."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
    return _job(row) if row else None


def waiting(connection: Connection, company: Company) -> list[Job]:
    """What was asked for and has not begun, in the order of asking."""
    return _found(connection, company, jobs.c.status == Status.WAITING)


def running(connection: Connection, company: Company) -> list[Job]:
    """What is under way, or was when its runner died."""
    return _found(connection, company, jobs.c.status == Status.RUNNING)


def history(
    connection: Connection,
    company: Company,
    *,
    kinds: Sequence[str] = (),
    limit: int = 50,
    before: dt.datetime | None = None,
) -> list[Job]:
    """The latest jobs, whatever their status, newest first.

    Args:
        connection: A transaction.
        company: Whose.
        kinds: Only these; all if empty.
        limit: At most so many.
        before: Only those asked for before this time, to leaf through them.
    """
    query = select(jobs).where(_of(company))
    if kinds:
        query = query.where(jobs.c.kind.in_([str(kind) for kind in kinds]))
    if before:
        query = query.where(jobs.c.asked_at < before)
    query = query.order_by(jobs.c.asked_at.desc(), jobs.c.id).limit(limit)
    return [_job(row) for row in connection.execute(query).mappings()]


def last_begun(connection: Connection, company: Company, *, kinds: Sequence[str], limit: int) -> list[Job]:
    """The jobs of these kinds that began last and have ended, newest first."""
    query = (
        select(jobs)
        .where(
            _of(company),
            jobs.c.kind.in_([str(kind) for kind in kinds]),
            jobs.c.status.not_in([str(Status.WAITING), str(Status.RUNNING)]),
            jobs.c.started_at.is_not(None),
        )
        .order_by(jobs.c.started_at.desc(), jobs.c.id)
        .limit(limit)
    )
    return [_job(row) for row in connection.execute(query).mappings()]


def last_success(connection: Connection, company: Company, kind: str) -> Job | None:
    """The job of this kind that succeeded and began last."""
    query = (
        select(jobs)
        .where(_of(company), jobs.c.kind == str(kind), jobs.c.status == str(Status.SUCCEEDED))
        .order_by(jobs.c.started_at.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return _job(row) if row else None


def begin(
    connection: Connection, job_id: str, *, host: str, log_path: str, last_event: int, now: dt.datetime
) -> bool:
    """Take a waiting job; False if it no longer waits, or another server is just taking it."""
    waits = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.status == Status.WAITING)
    if connection.execute(waits.with_for_update(skip_locked=True)).first() is None:
        return False
    taken = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.status == Status.WAITING)
        .values(
            status=str(Status.RUNNING),
            detail="",
            host=host,
            pid=None,
            log_path=log_path,
            last_event=last_event,
            started_at=now,
            finished_at=None,
        )
    )
    return bool(taken.rowcount)


def spawned(connection: Connection, job_id: str, *, pid: int) -> None:
    """Note the process that does it."""
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(pid=pid))


def is_ours(connection: Connection, job: Job) -> bool:
    """Whether a job is still under way as this server knows it; nobody changes that meanwhile."""
    query = select(jobs.c.id).where(
        jobs.c.id == job.id, jobs.c.status == str(Status.RUNNING), jobs.c.started_at == job.started_at
    )
    return connection.execute(query.with_for_update()).first() is not None


def put_back(connection: Connection, job_id: str, *, detail: str, now: dt.datetime) -> None:
    """Let it wait again: another run was in its way, and nothing was done."""
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(status=str(Status.WAITING), detail=detail, pid=None, started_at=None, finished_at=now)
    )


def end(
    connection: Connection,
    job_id: str,
    *,
    status: Status,
    detail: str,
    exit_code: int | None,
    counts: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    """Note how it ended."""
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(status=str(status), detail=detail, exit_code=exit_code, counts=dict(counts), finished_at=now)
    )


def prune(connection: Connection, *, before: dt.datetime) -> int:
    """Forget jobs that ended before a time; how many."""
    ended = jobs.c.status.not_in([str(Status.WAITING), str(Status.RUNNING)])
    old = select(jobs.c.id).where(ended, jobs.c.finished_at < before).with_for_update(skip_locked=True)
    return int(connection.execute(delete(jobs).where(jobs.c.id.in_(old))).rowcount)


def _found(connection: Connection, company: Company, condition: ColumnElement[bool]) -> list[Job]:
    query = select(jobs).where(_of(company), condition).order_by(jobs.c.asked_at, jobs.c.id)
    return [_job(row) for row in connection.execute(query).mappings()]


def _of(company: Company) -> ColumnElement[bool]:
    return and_(jobs.c.realm_id == company.realm_id, jobs.c.organization_id == company.organization_id)


def _job(row: RowMapping) -> Job:
    return Job(
        id=row["id"],
        company=Company(row["realm_id"], row["organization_id"]),
        kind=row["kind"],
        reason=row["reason"],
        status=row["status"],
        asked_at=row["asked_at"],
        arguments=tuple(row["arguments"]),
        detail=row["detail"],
        last_event=row["last_event"],
        host=row["host"],
        pid=row["pid"],
        log_path=row["log_path"],
        counts=row["counts"] or {},
        exit_code=row["exit_code"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )
