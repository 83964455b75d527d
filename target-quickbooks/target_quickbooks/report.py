"""What a run did, counted and told: lines for people on standard error, JSON for programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from target_quickbooks.planning import Change, Operation
from target_quickbooks.preflight import Preflight, describe
from target_quickbooks.quickbooks.client import CallCount
from target_quickbooks.store.failure_table import Failure

COLUMNS = ("created", "updated", "closed", "voided", "linked", "skipped", "blocked", "failed")
_SHOWN_IF_ANY = frozenset({"closed", "voided", "linked"})
_COUNTED_AS = {
    Operation.CREATE: "created",
    Operation.UPDATE: "updated",
    Operation.CLOSE: "closed",
    Operation.VOID: "voided",
    Operation.LINK: "linked",
    Operation.SKIP: "skipped",
}
_SHOWN = 20
_IDS_SHOWN = 3
_NOTES_KEPT = 1000
_WRITTEN_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """A record that went through, for a list of them.

    Attributes:
        amount: Of a transaction, in ``currency`` (empty for the home currency).
    """

    done: str
    stream: str
    bill_id: str
    label: str
    quickbooks_id: str
    amount: Decimal | None
    currency: str


@dataclass(slots=True)
class RunReport:
    """Counts and findings of one run."""

    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)
    notes: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    notes_left_out: int = 0
    written: list[Written] = field(default_factory=list)
    written_left_out: int = 0
    preflight: Preflight | None = None
    company_name: str = ""

    def preflight_found(self, preflight: Preflight) -> None:
        """Remember what the pre-flight found; a later look at more takes the place of the first."""
        self.preflight = preflight

    def done(self, change: Change, stored: Mapping[str, Any] | None = None) -> None:
        """Count a change that went through or was not needed."""
        item = change.item
        column = _COUNTED_AS.get(change.operation)
        if column:
            self.counts[item.stream][column] += 1
            self.failures.pop((item.stream, item.bill_id), None)
        if column and change.operation is not Operation.SKIP:
            self._write(column, change, stored)
        if item.mapped.notes and change.operation.writes:
            self._note(item.stream, item.mapped.label, item.mapped.notes)
        dropped = stored is not None and "DepartmentRef" in change.body and not stored.get("DepartmentRef")
        if dropped:
            noun = {"Bill": "bills", "VendorCredit": "vendor credits"}.get(
                item.mapped.entity, "purchase orders"
            )
            self.note("bills", "all bills", f"QuickBooks does not keep a location on {noun}")

    def _write(self, column: str, change: Change, stored: Mapping[str, Any] | None) -> None:
        """Keep the first of what went through; the rest is only counted."""
        if len(self.written) >= _WRITTEN_KEPT:
            self.written_left_out += 1
            return
        item, lines = change.item, change.body.get("Line")
        self.written.append(
            Written(
                done=column,
                stream=item.stream,
                bill_id=item.bill_id,
                label=item.mapped.label,
                quickbooks_id=str((stored or {}).get("Id") or change.quickbooks_id),
                amount=sum((line["Amount"] for line in lines), Decimal(0)) if lines else None,
                currency=str((change.body.get("CurrencyRef") or {}).get("value") or ""),
            )
        )

    def unchanged(self, stream: str, count: int = 1) -> None:
        """Count records that are as they were."""
        if count:
            self.counts[stream]["skipped"] += count

    def note(self, stream: str, label: str, text: str) -> None:
        """Remember something a person may want to know."""
        self._note(stream, label, (text,))

    def _note(self, stream: str, label: str, texts: tuple[str, ...]) -> None:
        if (stream, label) in self.notes or len(self.notes) < _NOTES_KEPT:
            self.notes[stream, label] = texts
        else:
            self.notes_left_out += 1

    def failed(self, failure: Failure) -> None:
        """Remember a record that did not go through; the store keeps the record itself."""
        key = (failure.stream, failure.bill_id)
        self.failures[key] = replace(failure, record={}, payload=None)

    @property
    def failed_count(self) -> int:
        """Records refused, and records that still wait for another one."""
        return len(self.failures)

    def table(self) -> dict[str, dict[str, int]]:
        """Counts per stream, with what waits and what failed."""
        rows = {stream: dict(counter) for stream, counter in self.counts.items()}
        for failure in self.failures.values():
            row = rows.setdefault(failure.stream, {})
            column = "blocked" if failure.awaited else "failed"
            row[column] = row.get(column, 0) + 1
        return rows

    def lines(self, calls: CallCount, *, with_failures: bool = True) -> list[str]:
        """The report as lines of text, at most 110 characters wide where the texts allow.

        Args:
            calls: What the run asked QuickBooks.
            with_failures: Tell what failed and why, which a plan tells itself.
        """
        table = self.table()
        lines = [f"QuickBooks company: {self.company_name}"] if self.company_name else []
        if self.preflight:
            lines.append(f"  {describe(self.preflight.company)}")
            told = () if self.preflight.errors else self.preflight.warnings
            lines += [f"warning: {found.text} {found.advice}" for found in told]
        if table:
            columns = [
                name
                for name in COLUMNS
                if name not in _SHOWN_IF_ANY or any(row.get(name) for row in table.values())
            ]
            width = max(len(stream) for stream in table)
            lines.append(" " * width + "".join(f"{name:>11}" for name in columns))
            lines += [
                stream.ljust(width) + "".join(f"{row.get(name, 0):>11}" for name in columns)
                for stream, row in table.items()
            ]
        else:
            lines.append("No vendors or bills arrived.")
        lines.append(
            f"QuickBooks calls: {calls.reads} reads, {calls.writes} writes, {calls.repeats} repeated"
            + (f", {calls.throttled} throttled" if calls.throttled else "")
        )
        if with_failures:
            lines += self._failure_lines()
        lines += [
            f"note: {label}: {text}"
            for (_, label), texts in list(self.notes.items())[:_SHOWN]
            for text in texts
        ]
        unseen = len(self.notes) - _SHOWN + self.notes_left_out
        if unseen > 0:
            lines.append(f"... and {unseen} more notes")
        return lines

    def to_json(self, calls: CallCount, *, run_id: str, exit_code: int, mode: str = "sync") -> dict[str, Any]:
        """The whole report for programs; its shape is described by ``report.schema.json``."""
        return {
            "run_id": run_id,
            "mode": mode,
            "exit_code": exit_code,
            "company": self.company_name,
            "streams": self.table(),
            "calls": {
                "reads": calls.reads,
                "writes": calls.writes,
                "repeats": calls.repeats,
                "throttled": calls.throttled,
            },
            "preflight": self.preflight.to_json() if self.preflight else None,
            "written": [
                {
                    "done": one.done,
                    "stream": one.stream,
                    "id": one.bill_id,
                    "label": one.label,
                    "quickbooks_id": one.quickbooks_id,
                    "amount": one.amount,
                    "currency": one.currency or None,
                }
                for one in self.written
            ],
            "written_left_out": self.written_left_out,
            "failures": [
                {
                    "stream": failure.stream,
                    "id": failure.bill_id,
                    "label": failure.label,
                    "code": failure.code,
                    "reason": failure.reason,
                    "advice": failure.advice,
                    "waits_for": failure.awaited.bill_id if failure.awaited else None,
                }
                for failure in self.failures.values()
            ],
            "notes": [
                {"stream": stream, "label": label, "notes": list(texts)}
                for (stream, label), texts in self.notes.items()
            ],
        }

    def _failure_lines(self) -> list[str]:
        """One line for each reason, with the records it holds for."""
        groups: dict[tuple[str, str, str], list[Failure]] = {}
        for failure in self.failures.values():
            word = "blocked" if failure.awaited else "failed"
            groups.setdefault((word, failure.reason, failure.advice), []).append(failure)
        lines = [
            f"{word}: {found[0].stream} {_ids(found)}: {reason} {advice}"
            for (word, reason, advice), found in list(groups.items())[:_SHOWN]
        ]
        if len(groups) > _SHOWN:
            lines.append(
                f"... and {len(groups) - _SHOWN} more reasons; all of them: quickbooks-admin failures list"
            )
        return lines


def _ids(failures: list[Failure]) -> str:
    """The first ids, and how many more there are."""
    ids = ", ".join(failure.bill_id for failure in failures[:_IDS_SHOWN])
    more = len(failures) - _IDS_SHOWN
    return f"{ids} and {more} more" if more > 0 else ids
