"""What lies before the runner: read from the store, nothing else. And cleaning up behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select
from target_quickbooks.store.database import Store
from target_quickbooks.store.tables import runs

from webhook_shim import workplace
from webhook_shim.companies import Books
from webhook_shim.events import System
from webhook_shim.scheduling import Asked, Past, Rules, Situation, Step, next_step
from webhook_shim.settings import Settings
from webhook_shim.store import inbox_table, jobs_table
from webhook_shim.store.jobs_table import SYNCING, Job, Kind, Status

#: Checks a company's events of QuickBooks; how long to wait before the rest, if it could not do all.
Checker = Callable[[Books], dt.timedelta | None]

_REMEMBERED = 20
#: A run of another scheduler read BILL before it is known here; so much before at most.
_READ_BEFORE = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class View:
    """What lies before the runner for one company.

    Attributes:
        step: What to run next, and when.
        abandoned: Whether something is under way by the store, but not by this server.
        first_check: When the oldest unsettled event of QuickBooks was received.
    """

    step: Step | None = None
    abandoned: bool = False
    first_check: dt.datetime | None = None


def view(store: Store, books: Books, rules: Rules, *, up_since: dt.datetime, now: dt.datetime) -> View:
    """Look at a company for which this server does nothing at the moment."""
    if rules.receive_only:
        _settle_by_others(store, books, now)
    with store.reading() as connection:
        checks = inbox_table.waiting(connection, System.QUICKBOOKS, books.realm_id)
        return View(
            step=next_step(situation(connection, books, up_since), rules, now),
            abandoned=bool(jobs_table.running(connection, books.company)),
            first_check=checks.first_received_at if checks else None,
        )


def situation(connection: Connection, books: Books, up_since: dt.datetime) -> Situation:
    """What decides about a company's next run."""
    events = inbox_table.waiting(connection, System.BILL, books.organization_id)
    past = jobs_table.last_begun(connection, books.company, kinds=SYNCING, limit=_REMEMBERED)
    compared = jobs_table.last_begun(connection, books.company, kinds=[Kind.RECONCILE], limit=_REMEMBERED)
    daily = jobs_table.last_success(connection, books.company, Kind.DAILY)
    return Situation(
        up_since=up_since,
        first_event=events.first_received_at if events else None,
        asked=[_asked(job) for job in jobs_table.waiting(connection, books.company)],
        past=_past(past),
        last_daily=daily.started_at if daily else None,
        reconciliations=_past(compared),
    )


def clean(settings: Settings, store: Store, now: dt.datetime) -> None:
    """Forget settled events, ended jobs and their logs after the days that the settings say."""
    before = now - settings.keep
    with store.writing() as connection:
        inbox_table.prune(connection, before=before)
        jobs_table.prune(connection, before=before)
    workplace.forget_logs(settings, before=before)


def _settle_by_others(store: Store, books: Books, now: dt.datetime) -> None:
    """Events that a run of another scheduler covered: it began after they came, and it succeeded."""
    with store.reading() as connection:
        waiting = inbox_table.waiting(connection, System.BILL, books.organization_id)
        if waiting is None:
            return
        query = (
            select(runs.c.id, runs.c.started_at, runs.c.exit_code, runs.c.counts)
            .where(
                runs.c.realm_id == books.realm_id,
                runs.c.mode == "sync",
                runs.c.exit_code.in_([0, 1]),
                runs.c.started_at > waiting.first_received_at + _READ_BEFORE,
            )
            .order_by(runs.c.started_at.desc())
            .limit(_REMEMBERED)
        )
        latest = next(filter(_did_its_work, connection.execute(query).mappings()), None)
        if latest is None:
            return
        covered = inbox_table.last_before(
            connection, System.BILL, books.organization_id, latest["started_at"] - _READ_BEFORE
        )
    if covered:
        with store.writing() as connection:
            inbox_table.settle(
                connection, System.BILL, books.organization_id, up_to=covered, job_id=latest["id"], now=now
            )


def _did_its_work(run: RowMapping) -> bool:
    """A run that refused records ends with 1, too; all others are written, and STATE is kept."""
    streams = (run["counts"] or {}).get("streams") or {}
    refused = any(row.get("failed") or row.get("blocked") for row in streams.values())
    return run["exit_code"] == 0 or refused


def _asked(job: Job) -> Asked:
    return Asked(job.id, job.kind, job.reason, job.asked_at, refused_at=job.finished_at)


def _past(jobs: Sequence[Job]) -> list[Past]:
    return [
        Past(job.kind, Status(job.status), job.started_at, job.finished_at)
        for job in jobs
        if job.started_at and job.finished_at
    ]
