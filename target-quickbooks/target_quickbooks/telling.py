"""How a run is told at its end: lines on standard error, and a file where the settings ask for one.

The file's name decides its kind: ``.html`` and ``.htm`` make a page, everything else JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from target_quickbooks.assembly import Run
from target_quickbooks.exact_json import to_json
from target_quickbooks.page import Ending, plan_page, run_page
from target_quickbooks.plan.entries import by_currency, totals
from target_quickbooks.plan.text import plan_lines
from target_quickbooks.reconcile import telling as reconciliation
from target_quickbooks.reconcile.survey import Survey
from target_quickbooks.reconcile.telling import Reconciliation

_PAGES = frozenset({".html", ".htm"})


def tell(run: Run, ending: Ending) -> list[str]:
    """Write the report file, if one is wanted; return the lines for people."""
    if run.survey:
        return _told_of_survey(run, run.survey, ending)
    lines: list[str] = []
    report = run.report
    if report.table() or ending.exit_code == 0 or run.plan:
        lines += report.lines(run.client.calls, with_failures=run.plan is None)
    if run.plan:
        skipped = sum(row.get("skipped", 0) for row in report.table().values())
        lines += plan_lines(run.plan.entries, skipped=skipped, preflight=report.preflight)
    if run.proposals:
        lines += run.proposals.lines
    path = run.settings.report_path
    if path:
        try:
            path.write_text(_file(path, run, ending), encoding="utf-8")
        except OSError as error:
            lines.append(f"The report could not be written to {path}: {error.strerror}. Check report_path.")
    return lines


def _told_of_survey(run: Run, survey: Survey, ending: Ending) -> list[str]:
    """The reconciliation; nothing, if it did not come to one."""
    if survey.outcome is None:
        return []
    told = Reconciliation(
        company=run.report.company_name,
        realm_id=ending.realm_id,
        run_id=ending.run_id,
        finished_at=ending.finished_at,
        outcome=survey.outcome,
        find=survey.staging.findings,
        calls=run.client.calls,
    )
    lines = reconciliation.lines(told)
    path = run.settings.report_path
    if path:
        try:
            reconciliation.write(path, told)
        except OSError as error:
            lines.append(f"The report could not be written to {path}: {error.strerror}. Check report_path.")
    return lines


def document(run: Run, ending: Ending) -> dict[str, Any]:
    """The report for programs; ``report.schema.json`` describes it."""
    mode = str(run.settings.mode)
    told = run.report.to_json(run.client.calls, run_id=ending.run_id, exit_code=ending.exit_code, mode=mode)
    if run.plan:
        entries = run.plan.entries
        by_vendor = totals(entries)
        told["plan"] = [entry.to_json() for entry in entries]
        told["totals"] = {
            "by_vendor": [one.to_json() for one in by_vendor],
            "by_currency": [one.to_json() for one in by_currency(by_vendor)],
        }
    return told


def _file(path: Path, run: Run, ending: Ending) -> str:
    if path.suffix.lower() not in _PAGES:
        return to_json(document(run, ending))
    if run.plan:
        return plan_page(run.report, run.client.calls, ending, run.plan.entries)
    return run_page(run.report, run.client.calls, ending)
