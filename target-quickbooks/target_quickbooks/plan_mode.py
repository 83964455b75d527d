"""``mode: plan``: the same walk, stopped before writing. Collects what a run would do and tells it.

Nothing is written to QuickBooks, no failure is stored and no STATE is printed, so that a plan can be made
at any time and as often as wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from target_quickbooks.changes import Conflict, Submission, link_after
from target_quickbooks.comparison import Difference
from target_quickbooks.exact_json import to_json
from target_quickbooks.failures import failure_of
from target_quickbooks.links import Company, Link
from target_quickbooks.planning import Change, Operation
from target_quickbooks.redaction import redact
from target_quickbooks.report import RunReport
from target_quickbooks.step import NEW
from target_quickbooks.store.failure_table import Failure

_SHOWN_PER_OPERATION = 40
_WIDTH = 110
_ORDER = (Operation.CREATE, Operation.UPDATE, Operation.CLOSE, Operation.LINK, Operation.BLOCKED)


class PlanCollector:
    """Stands where the writer stands, and keeps the changes instead of carrying them out."""

    def __init__(self, report: RunReport) -> None:
        self.changes: list[Change] = []
        self._report = report
        self._links: dict[tuple[Company, str, str], Link] = {}

    def settle_open_intents(self, realm_id: str) -> list[Submission]:
        """An interrupted run is settled by the next real one."""
        del realm_id
        return []

    def pending_links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """Links of objects that the run would have created by now."""
        keys = ((company, entity, bill_id) for bill_id in bill_ids)
        return {key[2]: self._links[key] for key in keys if key in self._links}

    def apply(self, submissions: Sequence[Submission], *, replan: bool = True) -> list[Conflict]:
        """Keep changes; nothing is refused, because nothing is sent."""
        del replan
        for submission in submissions:
            change = submission.change
            self._report.done(change)
            if change.operation is Operation.SKIP:
                continue
            self.changes.append(change)
            if change.operation is Operation.BLOCKED:
                self._report.failed(
                    failure_of(submission, code=change.code, reason=change.reason, advice=change.advice)
                )
            else:
                link = link_after(change, {"Id": change.quickbooks_id or NEW})
                key = (submission.company, change.item.mapped.entity, change.item.bill_id)
                self._links[key] = link
        return []

    def record_failure(self, company: Company, failure: Failure) -> None:
        """Count a record that would be stored as a failure."""
        del company
        self._report.failed(failure)

    def lines(self) -> list[str]:
        """The plan as text: what would be created, updated, closed, linked, blocked, and why."""
        counts = Counter(change.operation for change in self.changes)
        if not counts:
            return ["Plan: nothing to do, QuickBooks has everything."]
        summary = ", ".join(
            f"{counts[operation]} to {operation}" for operation in _ORDER if counts[operation]
        )
        lines = [f"Plan: {summary.replace('to blocked', 'blocked')}. Nothing has been written."]
        for operation in _ORDER:
            changes = [change for change in self.changes if change.operation is operation]
            for change in changes[:_SHOWN_PER_OPERATION]:
                lines += _described(change)
            if len(changes) > _SHOWN_PER_OPERATION:
                lines.append(f"  ... and {len(changes) - _SHOWN_PER_OPERATION} more to {operation}")
        return lines

    def to_json(self) -> list[dict[str, Any]]:
        """The plan for programs, tax ids to the last four."""
        return [
            {
                "operation": str(change.operation),
                "stream": change.item.stream,
                "id": change.item.bill_id,
                "entity": change.item.mapped.entity,
                "label": change.item.mapped.label,
                "quickbooks_id": change.quickbooks_id or None,
                "reason": change.reason or None,
                "advice": change.advice or None,
                "differences": [
                    redact({"field": found.field, found.field: [found.before, found.after]})
                    if found.field != "TaxIdentifier"
                    else {"field": found.field}
                    for found in change.differences
                ],
            }
            for change in self.changes
        ]


def _described(change: Change) -> list[str]:
    label = change.item.mapped.label
    if change.operation is Operation.BLOCKED:
        return [f"  blocked {label}: {change.reason} {change.advice}"]
    if change.operation is Operation.CREATE:
        return [f"  create  {label}{_amount(change.body)}"]
    shown = [f"          {_difference(found)}" for found in change.differences]
    return [f"  {change.operation:<7} {label} (QuickBooks {change.quickbooks_id})", *shown]


def _amount(body: Mapping[str, Any]) -> str:
    lines = body.get("Line")
    if not isinstance(lines, list | tuple):
        return ""
    total = sum(line["Amount"] for line in lines)
    currency = (body.get("CurrencyRef") or {}).get("value", "")
    return f": {total:,.2f} {currency}, {len(lines)} line{'s' if len(lines) > 1 else ''}".rstrip()


def _difference(found: Difference) -> str:
    if found.field == "TaxIdentifier":
        return "TaxIdentifier: changes"
    text = f"{found.field}: {_short(found.before)} -> {_short(found.after)}"
    return text if len(text) < _WIDTH else f"{text[: _WIDTH - 3]}..."


def _short(value: Any) -> str:
    if value in (None, "", {}):
        return "nothing"
    if isinstance(value, Mapping) and set(value) == {"value"}:
        return str(value["value"])
    return to_json(value)
