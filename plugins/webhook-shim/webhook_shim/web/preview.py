"""The preview: what the next run would do, with every field that it would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import Response
from target_quickbooks.exact_json import from_json

from webhook_shim import workplace
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Job, Kind
from webhook_shim.web.visits import Visit

_TITLES = {
    "create": "To create",
    "update": "To update",
    "close": "To close",
    "link": "To link, already in QuickBooks",
    "blocked": "Held back",
}
_SHOWN = 200
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of one operation, cut where there are many."""

    key: str
    title: str
    number: int
    entries: Sequence[Mapping[str, Any]]


def show_preview(visit: Visit) -> Response:
    """The latest preview, and the button to make a new one."""
    with visit.context.store.reading() as connection:
        found = jobs_table.history(connection, visit.books.company, kinds=[Kind.PLAN], limit=5)
    pending = next((job for job in found if job.status in {"waiting", "running"}), None)
    last = next((job for job in found if job.finished_at and job.status not in {"waiting", "running"}), None)
    entries = read_plan(last, visit.context.settings.log_path) if last else None
    return visit.show(
        "preview.html",
        tab="preview",
        pending=pending,
        last=last,
        groups=grouped(entries or ()),
        known=entries is not None,
    )


def ask_preview(visit: Visit) -> Response:
    """Ask for a preview."""
    visit.ask(Kind.PLAN)
    return visit.send_to(
        visit.path("/preview"), tone="good", notice="Asked for a preview. Nothing will be written."
    )


def read_plan(job: Job, directory: Path) -> list[Mapping[str, Any]] | None:
    """The entries of a plan as the job left them; None if there is none that can be read."""
    if not job.log_path:
        return None
    path = workplace.report_of(Path(job.log_path))
    try:
        if not path.resolve().is_relative_to(directory.resolve()) or path.stat().st_size > _LARGEST:
            return None
        report = from_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    found = report.get("plan") if isinstance(report, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else None


def grouped(entries: Sequence[Mapping[str, Any]]) -> list[Group]:
    """By what would happen, in the order of importance."""
    groups = []
    for key, title in _TITLES.items():
        found = [entry for entry in entries if entry.get("operation") == key]
        if found:
            groups.append(Group(key, title, len(found), found[:_SHOWN]))
    return groups
