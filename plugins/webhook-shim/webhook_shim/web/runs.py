"""Runs: what was done when, what is being done now, and the button to do it at once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from target_quickbooks.exact_json import from_json
from target_quickbooks.redaction import redact_text

from webhook_shim import workplace
from webhook_shim.store.jobs_table import Kind
from webhook_shim.web import activity, words
from webhook_shim.web.activity import Activity
from webhook_shim.web.visits import Visit
from webhook_shim.web.words import Word

_PAGE = 30
_TAIL_BYTES = 64 * 1024
_TAIL_LINES = 200
_LARGEST = 16 * 1024 * 1024
_RESULTS = 500
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ASKABLE = {"sync": Kind.SYNC, "daily": Kind.DAILY}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record that was tried again."""

    number: str
    stream: str
    record_id: str
    word: Word
    told: str


def list_runs(visit: Visit) -> Response:
    """The latest runs, a page at a time."""
    before = _moment(visit.query("before"))
    with visit.context.store.reading() as connection:
        found = activity.latest(connection, visit.books, limit=_PAGE + 1, before=before)
    more = found[_PAGE - 1].asked_at.isoformat() if len(found) > _PAGE else ""
    return visit.show("runs.html", tab="runs", found=found[:_PAGE], more=more, first=before is None)


def show_run(visit: Visit) -> Response:
    """One run: what it did, and the end of its log."""
    found, done = _found(visit)
    return visit.show(
        "run.html",
        tab="runs",
        run=found,
        done=done,
        results=replay_results(found, visit.context.settings.log_path),
        log=log_tail(found, visit.context.settings.log_path),
    )


def progress(visit: Visit) -> Response:
    """How far a run is, for the page's script."""
    found, done = _found(visit)
    return JSONResponse(
        {
            "live": found.is_live,
            "status": found.status.text,
            "tone": found.status.tone,
            "written": _applied(done),
            "failed": _refused(done),
            "for": words.took(found.started_at, found.finished_at or visit.now),
            "log": log_tail(found, visit.context.settings.log_path),
        }
    )


def ask_run(visit: Visit) -> Response:
    """Ask for a run now."""
    kind = _ASKABLE.get(visit.field("kind") or "sync")
    if kind is None:
        raise HTTPException(400)
    job_id = visit.ask(kind)
    return visit.send_to(visit.path(f"/runs/{job_id}"), tone="good", notice="Asked for a run.")


def log_tail(found: Activity, directory: Path) -> str:
    """The end of a run's log, without what must not be read."""
    if found.job is None or not found.job.log_path:
        return ""
    path = Path(found.job.log_path)
    try:
        if not path.resolve().is_relative_to(directory.resolve()):
            return ""
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _TAIL_BYTES, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = _ANSI.sub("", text).splitlines()
    if size > _TAIL_BYTES:
        lines = lines[1:]
    return redact_text("\n".join(lines[-_TAIL_LINES:]))


def replay_results(found: Activity, directory: Path) -> list[Result]:
    """What a replay reported of each record; nothing while it has not."""
    if found.mode != "replay" or found.job is None or not found.job.log_path:
        return []
    path = workplace.report_of(Path(found.job.log_path))
    try:
        inside = path.resolve().is_relative_to(directory.resolve()) and path.stat().st_size <= _LARGEST
        report = from_json(path.read_bytes()) if inside else []
    except (OSError, ValueError):
        return []
    entries = [entry for entry in report if isinstance(entry, dict)] if isinstance(report, list) else []
    return [_result(entry) for entry in entries[:_RESULTS]]


def _result(entry: Mapping[str, object]) -> Result:
    return Result(
        number=str(entry.get("id") or ""),
        stream=str(entry.get("stream") or ""),
        record_id=str(entry.get("record_id") or ""),
        word=Word("Still fails", "bad") if entry.get("failed") else Word("Went through", "good"),
        told=redact_text(str(entry.get("told") or "")),
    )


def _found(visit: Visit) -> tuple[Activity, Mapping[tuple[str, str, str], int]]:
    with visit.context.store.reading() as connection:
        found = activity.by_id(connection, visit.books, str(visit.request.path_params["run"]))
        if found is None:
            raise HTTPException(404)
        return found, activity.done_so_far(connection, visit.books.company, found.run_ids)


def _applied(done: Mapping[tuple[str, str, str], int]) -> int:
    return sum(number for (_, _, outcome), number in done.items() if outcome == "applied")


def _refused(done: Mapping[tuple[str, str, str], int]) -> int:
    return sum(number for (_, _, outcome), number in done.items() if outcome in {"refused", "blocked"})


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
