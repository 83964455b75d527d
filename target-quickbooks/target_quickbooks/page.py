"""The report as one page of HTML: self-contained, printable, readable without JavaScript.

Everything that comes from BILL or QuickBooks is text that strangers may have written: templates escape all of
it, and the page's own policy lets nothing be loaded or run.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_quickbooks.plan.entries import OPERATIONS, PlanEntry, by_currency, totals
from target_quickbooks.plan.text import amount_text, headline, value_text
from target_quickbooks.planning import Operation
from target_quickbooks.preflight import describe
from target_quickbooks.quickbooks.client import CallCount
from target_quickbooks.report import COLUMNS, RunReport
from target_quickbooks.store.failure_table import Failure

if TYPE_CHECKING:
    from jinja2 import Environment

_SHOWN = 1000
#: Updates whose details are open, on paper too.
_OPENED = 200
_TITLES = {
    Operation.CREATE: "To create",
    Operation.UPDATE: "To update",
    Operation.CLOSE: "To close",
    Operation.VOID: "To void",
    Operation.LINK: "To link, already in QuickBooks",
    Operation.BLOCKED: "Blocked",
}
_WRITTEN = ("created", "updated", "closed", "voided", "linked")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    Attributes:
        problem: Why it could not go on, if so.
        finished_at: When, aware.
    """

    run_id: str
    realm_id: str
    exit_code: int
    problem: str
    finished_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Section:
    """A list of records under one title, cut where it gets long."""

    title: str
    key: str
    count: int
    entries: Sequence[PlanEntry]

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return self.count - len(self.entries)


@dataclass(frozen=True, slots=True)
class Reason:
    """Records that failed or wait for one reason."""

    waits: bool
    reason: str
    advice: str
    failures: Sequence[Failure]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.failures)


def render(template: str, **values: object) -> str:
    """A page of the package's templates."""
    return _templates().get_template(template).render(**values)


def run_page(report: RunReport, calls: CallCount, ending: Ending) -> str:
    """The report of a run that writes."""
    written = [found for found in report.written if found.done in _WRITTEN]
    return render(
        "run.html",
        **_common(report, calls, ending),
        title="Run report",
        written=written,
        written_left_out=report.written_left_out,
        home_currency=report.preflight.company.home_currency if report.preflight else "",
    )


def plan_page(report: RunReport, calls: CallCount, ending: Ending, entries: Sequence[PlanEntry]) -> str:
    """A plan."""
    writes = [entry for entry in entries if entry.operation is not Operation.BLOCKED]
    sections = []
    for operation in OPERATIONS[:-1]:
        found = [entry for entry in writes if entry.operation is operation]
        sections.append(Section(_TITLES[operation], str(operation), len(found), found[:_SHOWN]))
    by_vendor = totals(entries)
    return render(
        "plan.html",
        **_common(report, calls, ending),
        title="Plan",
        headline=headline(entries),
        sections=[section for section in sections if section.count],
        totals=by_vendor[:_SHOWN],
        totals_left_out=max(len(by_vendor) - _SHOWN, 0),
        sums=by_currency(by_vendor),
        opened=_OPENED,
    )


def _common(report: RunReport, calls: CallCount, ending: Ending) -> dict[str, object]:
    preflight = report.preflight
    table = report.table()
    columns = [name for name in COLUMNS if any(row.get(name) for row in table.values())]
    problem, *problems = ending.problem.splitlines() or [""]
    return {
        "company": report.company_name or "QuickBooks company",
        "features": describe(preflight.company) if preflight else "",
        "preflight": preflight,
        "ending": ending,
        "problem": "" if preflight and preflight.errors else " ".join([problem, *problems]),
        "columns": columns,
        "table": table,
        "calls": calls,
        "reasons": _reasons(report),
        "notes": [(stream, label, texts) for (stream, label), texts in report.notes.items()][:_SHOWN],
        "notes_left_out": max(len(report.notes) - _SHOWN, 0) + report.notes_left_out,
    }


def _reasons(report: RunReport) -> list[Reason]:
    """Failures by reason, the most frequent first."""
    groups: dict[tuple[bool, str, str], list[Failure]] = {}
    for failure in report.failures.values():
        key = (failure.awaited is not None, failure.reason, failure.advice)
        groups.setdefault(key, []).append(failure)
    found = [Reason(*key, failures=members) for key, members in groups.items()]
    return sorted(found, key=lambda reason: -len(reason.failures))


@functools.cache
def _templates() -> Environment:
    """The templates; most runs make no page and need not wait for what reads them."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    templates = Environment(
        loader=PackageLoader("target_quickbooks"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["money"] = amount_text
    templates.filters["told"] = value_text
    return templates
