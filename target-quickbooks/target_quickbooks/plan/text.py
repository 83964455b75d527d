"""The plan as lines of text: what would be created, updated, closed, linked, blocked, and why. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from target_quickbooks.exact_json import to_json
from target_quickbooks.plan.differences import FieldChange, LineChange, LineKind
from target_quickbooks.plan.entries import OPERATIONS, PlanEntry, by_currency, totals
from target_quickbooks.planning import Operation
from target_quickbooks.preflight import Preflight

WIDTH = 110
_SHOWN = 25
_SHOWN_OF_AN_OBJECT = 12
_LABEL_WIDTH = 60
_FIELD_WIDTH = 18
_AMOUNT_WIDTH = 20


def plan_lines(entries: Sequence[PlanEntry], *, skipped: int, preflight: Preflight | None) -> list[str]:
    """The whole plan.

    Args:
        entries: What a run would not skip.
        skipped: How many records it would.
        preflight: What the pre-flight found, if it came to one.
    """
    lines = [_headline(entries, skipped)]
    if preflight and preflight.errors:
        lines.append("A run would stop before its first write, because of:")
        lines += [f"  {line}" for line in preflight.lines()]
        lines.append("Without that it would have this to do:")
    for operation in OPERATIONS:
        of_stream: dict[str, list[PlanEntry]] = {}
        for entry in entries:
            if entry.operation is operation:
                of_stream.setdefault(entry.stream, []).append(entry)
        for stream, found in of_stream.items():
            for entry in found[:_SHOWN]:
                lines += _described(entry)
            if len(found) > _SHOWN:
                lines.append(f"  ... and {len(found) - _SHOWN} more {stream} {_to(operation)}")
    return lines + _total_lines(entries)


def field_text(found: FieldChange) -> str:
    """One field, e.g. ``DueDate: 2026-11-30 -> 2026-12-15``."""
    return f"{found.field}: {value_text(found.before)} -> {value_text(found.after)}"


def value_text(value: Any) -> str:
    """A value as a person writes it."""
    if value in (None, "", {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return amount_text(value)
    if isinstance(value, Mapping):
        return (
            ", ".join(str(member) for member in value.values() if member not in (None, "", {})) or "nothing"
        )
    return " ".join(value.split()) if isinstance(value, str) else to_json(value)


def amount_text(amount: Decimal) -> str:
    """At least two decimals, and no trailing zeros beyond them."""
    if amount == amount.quantize(Decimal("0.01")):
        return f"{amount:,.2f}"
    return f"{amount.normalize():,f}"


def line_text(found: LineChange) -> str:
    """What happens to a line, in one line of text."""
    if found.kind is LineKind.CHANGED:
        return f"line {found.number} changes {'; '.join(field_text(change) for change in found.changes)}"
    word = "is added" if found.kind is LineKind.ADDED else "is removed"
    told = ", ".join(value_text(value) for value in found.line.values())
    return f"line {found.number} {word}: {told}"


def headline(entries: Sequence[PlanEntry]) -> str:
    """How many of what, e.g. ``3 to create, 1 blocked``."""
    counts = Counter(entry.operation for entry in entries)
    return ", ".join(f"{counts[operation]} {_to(operation)}" for operation in OPERATIONS if counts[operation])


def _headline(entries: Sequence[PlanEntry], skipped: int) -> str:
    if not entries:
        return "Plan: nothing to do, QuickBooks has everything."
    unchanged = f", {skipped} to skip" if skipped else ""
    return f"Plan: {headline(entries)}{unchanged}. Nothing has been written."


def _to(operation: Operation) -> str:
    return "blocked" if operation is Operation.BLOCKED else f"to {operation}"


def _described(entry: PlanEntry) -> list[str]:
    if entry.operation is Operation.BLOCKED:
        return [f"  blocked {entry.label}: {entry.reason} {entry.advice}".rstrip()]
    amount = f"{amount_text(entry.amount)} {entry.currency}" if entry.amount is not None else ""
    count = len(entry.lines)
    if entry.operation is Operation.CREATE:
        lines = f"  {count} line{'s' if count > 1 else ''}" if amount else ""
        return [
            _cut(f"  create  {_padded(entry.label, amount)}{amount:>{_AMOUNT_WIDTH * bool(amount)}}{lines}")
        ]
    where = f"QuickBooks {entry.quickbooks_id}"
    head = _cut(f"  {entry.operation:<7} {_padded(entry.label, where)}{where:>{_AMOUNT_WIDTH}}")
    if entry.operation is Operation.LINK:
        return [head, f"            {entry.reason}"] if entry.reason else [head]
    told = [
        f"{found.field:<{_FIELD_WIDTH}} {value_text(found.before)} -> {value_text(found.after)}"
        for found in entry.fields
    ]
    told += [line_text(found) for found in entry.lines]
    shown = told[:_SHOWN_OF_AN_OBJECT] or ["QuickBooks holds all of it already; it is confirmed"]
    more = len(told) - len(shown)
    return [
        head,
        *(_cut(f"            {text}") for text in shown),
        *([f"            ... and {more} more"] if more > 0 else []),
    ]


def _padded(label: str, follows: str) -> str:
    if not follows:
        return label
    return label.ljust(_LABEL_WIDTH) if len(label) <= _LABEL_WIDTH else f"{label[: _LABEL_WIDTH - 3]}..."


def _total_lines(entries: Sequence[PlanEntry]) -> list[str]:
    lines = []
    noun = "bills" if any(entry.entity == "Bill" for entry in entries) else "purchase orders"
    for one in by_currency(totals(entries)):
        told = [f"{one.created} new, {amount_text(one.created_amount)}"] if one.created else []
        told += [f"{one.changed} changed by {one.changed_by:+,.2f}"] if one.changed else []
        lines.append(f"  {noun} in {one.currency or 'the home currency'}: {'; '.join(told)}")
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."
