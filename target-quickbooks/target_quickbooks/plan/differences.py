"""What an update would change: what QuickBooks holds now against what it would hold, lines one by one. Pure.

Values are shown as people call them (``6100 Travel``, not ``60``), tax ids by their last four characters.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from target_quickbooks.comparison import is_same, reduced
from target_quickbooks.planning import Change, Operation
from target_quickbooks.redaction import last_four, redact

#: ``...Ref`` and id to how a person would call it; empty if not known.
Label = Callable[[str, str], str]

_ADDRESSED = frozenset({"Id", "SyncToken", "sparse", "domain", "MetaData"})
_TAX_ID = "TaxIdentifier"
_LINE_REFERENCES = {
    "account": "AccountRef",
    "item": "ItemRef",
    "class": "ClassRef",
    "customer": "CustomerRef",
}
_SAME_END = 4


class LineKind(enum.StrEnum):
    """What happens to a line of a purchase order."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: what QuickBooks holds, and what it would hold; None is nothing."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line of a purchase order.

    Attributes:
        number: Its place among the lines there would be, or were if it is removed; from 1.
        line: Amount, account or item, class, customer, description: as it would be, or was.
        changes: For a changed line.
    """

    kind: LineKind
    number: int
    line: Mapping[str, Any]
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """All that a change does to an object."""

    fields: tuple[FieldChange, ...] = ()
    lines: tuple[LineChange, ...] = field(default=())


def object_change(change: Change, label: Label) -> ObjectChange:
    """What a create, update, close or void would do to the object as it is in QuickBooks now."""
    if not change.operation.writes:
        return ObjectChange()
    if change.operation is Operation.VOID and "Line" not in change.body:  # QuickBooks does it by itself
        return ObjectChange(
            tuple(FieldChange(found.field, found.before, found.after) for found in change.differences)
        )
    held = _held(change)
    fields = tuple(
        FieldChange(name, _shown(name, held.get(name), label), _shown(name, value, label))
        for name, value in change.body.items()
        if name not in _ADDRESSED and name != "Line" and not _is_held(name, held.get(name), value)
    )
    lines = change.body.get("Line")
    return ObjectChange(fields, line_changes(held.get("Line"), lines, label) if lines else ())


def total(lines: Any) -> Decimal:
    """The sum of the amounts of lines."""
    if not _is_list(lines):
        return Decimal(0)
    return sum((Decimal(line.get("Amount") or 0) for line in lines), Decimal(0))


def _held(change: Change) -> Mapping[str, Any]:
    """The object as it is; one that exists only in the plan is as the plan would have left it."""
    if change.held is not None:
        return change.held
    return {found.field: found.before for found in change.differences if found.before is not None}


def _is_held(name: str, held: Any, value: Any) -> bool:
    if name == _TAX_ID:
        return bool(held) and str(held)[-_SAME_END:] == str(value)[-_SAME_END:]
    return is_same(reduced(held, value), reduced(value, value))


def line_changes(held: Any, lines: Sequence[Mapping[str, Any]], label: Label) -> tuple[LineChange, ...]:
    """The lines to be, against those held; a line with the id of a held one is that line."""
    before = {str(line.get("Id")): line for line in held} if _is_list(held) else {}
    kept = {str(line["Id"]) for line in lines if line.get("Id")}
    changes = [
        found
        for number, line in enumerate(lines, start=1)
        if (found := _line(number, before.get(str(line.get("Id") or "")), line, label))
    ]
    removed = [
        LineChange(LineKind.REMOVED, number, _told(line, label))
        for number, (line_id, line) in enumerate(before.items(), start=1)
        if line_id not in kept
    ]
    return (*changes, *removed)


def _line(
    number: int, before: Mapping[str, Any] | None, line: Mapping[str, Any], label: Label
) -> LineChange | None:
    after = _told(line, label)
    if before is None:
        return LineChange(LineKind.ADDED, number, after)
    was, plain_was, plain = _told(before, label), _told(before, _id_only), _told(line, _id_only)
    changes = tuple(
        FieldChange(name, was.get(name), after.get(name))
        for name in dict.fromkeys((*after, *was))
        if not is_same(plain_was.get(name), plain.get(name))
    )
    return LineChange(LineKind.CHANGED, number, after, changes) if changes else None


def _told(line: Mapping[str, Any], label: Label) -> dict[str, Any]:
    """A line in a person's words."""
    detail = line.get(str(line.get("DetailType") or "")) or {}
    told: dict[str, Any] = {"amount": Decimal(line.get("Amount") or 0)}
    for name, reference in _LINE_REFERENCES.items():
        if (detail.get(reference) or {}).get("value"):
            told[name] = _named(reference, detail[reference], label)
    for name, source in (("quantity", "Qty"), ("price", "UnitPrice")):
        if detail.get(source) is not None:
            told[name] = Decimal(detail[source])
    if line.get("Description"):
        told["description"] = str(line["Description"])
    return told


def _shown(name: str, value: Any, label: Label) -> Any:
    if value in (None, "", {}):
        return None
    if name == _TAX_ID:
        return last_four(str(value))
    if isinstance(value, Mapping) and "value" in value:
        return _named(name, value, label) if value["value"] else None
    if isinstance(value, Mapping):
        plain = {key: member for key, member in value.items() if key not in {"Id", "Lat", "Long", "Tag"}}
        return redact(plain) or None
    return redact({name: value})[name]


def _named(reference: str, value: Mapping[str, Any], label: Label) -> str:
    quickbooks_id = str(value["value"])
    return label(reference, quickbooks_id) or str(value.get("name") or quickbooks_id)


def _id_only(_: str, quickbooks_id: str) -> str:
    return quickbooks_id


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
