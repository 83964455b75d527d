"""Reconciling: whether both books agree by the last comparison; its reports; the button for a new one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from webhook_shim import workplace
from webhook_shim.companies import Books
from webhook_shim.reconciliation import REPORTS, Reconciled, reconciled, report_in
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Job, Kind
from webhook_shim.web.visits import Visit
from webhook_shim.web.words import Word, count

_SHOWN = 30
_LIVE = frozenset({"waiting", "running"})


def show_reconciliation(visit: Visit) -> Response:
    """The last comparison, those before it, and the button to make a new one."""
    with visit.context.store.reading() as connection:
        jobs = jobs_table.history(connection, visit.books.company, kinds=[Kind.RECONCILE], limit=_SHOWN)
    ended = [job for job in jobs if job.status not in _LIVE]
    found = [(job, reconciled(job.counts)) for job in ended]
    last = next(((job, one) for job, one in found if one), None)
    return visit.show(
        "reconciliation.html",
        tab="reconciliation",
        pending=next((job for job in jobs if job.status in _LIVE), None),
        failed=ended[0] if ended and found[0][1] is None else None,
        job=last[0] if last else None,
        last=last[1] if last else None,
        word=word(last[1]) if last else None,
        reports=_reports(last[0], visit) if last else [],
        earlier=[(job, one, word(one)) for job, one in found if one and job is not (last and last[0])],
    )


def ask_reconciliation(visit: Visit) -> Response:
    """Ask for a comparison."""
    visit.ask(Kind.RECONCILE)
    notice = "Asked for a comparison of both books. Nothing will be written."
    return visit.send_to(visit.path("/reconciliation"), tone="good", notice=notice)


def show_report(visit: Visit) -> Response:
    """A report as its run left it."""
    ending = str(visit.request.path_params["ending"])
    with visit.context.store.reading() as connection:
        job = jobs_table.by_id(connection, str(visit.request.path_params["run"]))
    if job is None or job.company != visit.books.company or job.kind != Kind.RECONCILE:
        raise HTTPException(404)
    if ending not in _reports(job, visit):
        raise HTTPException(404)
    path = report_in(_directory(job), ending)
    if ending == "html":
        visit.brings_style = True
        return FileResponse(path, media_type=REPORTS[ending])
    ended = f"{job.finished_at:%Y-%m-%d}" if job.finished_at else job.id
    name = f"reconciliation-{visit.books.name}-{ended}.{ending}"
    return FileResponse(path, media_type=REPORTS[ending], filename=name)


def latest(connection: Connection, books: Books) -> tuple[Job, Reconciled] | None:
    """The last comparison of a company that came to an end."""
    job = jobs_table.last_success(connection, books.company, Kind.RECONCILE)
    found = reconciled(job.counts) if job else None
    return (job, found) if job and found else None


def word(found: Reconciled) -> Word:
    """The verdict in a word."""
    if not found.in_step:
        return Word(count(found.differences, "difference"), "bad")
    return Word("In step", "warn" if found.known else "good")


def _reports(job: Job, visit: Visit) -> list[str]:
    """The kinds of report that are there (they are kept as long as logs are)."""
    if not job.log_path:
        return []
    directory = _directory(job)
    try:
        if not directory.resolve().is_relative_to(visit.context.settings.log_path.resolve()):
            return []
    except OSError:
        return []
    return [ending for ending in REPORTS if report_in(directory, ending).is_file()]


def _directory(job: Job) -> Path:
    return workplace.reports_of(Path(str(job.log_path)))
