"""Three versions of an order's lines made one: as last sent, as BILL has them, as QuickBooks does. Pure.

QuickBooks replaces all lines of an order at once (QuickBooks manual 6.0.1), so whatever a person did to one
line has to be sent along when BILL changes another. Lines are told apart by id, their parts by meaning: what
belongs together (quantity, price and amount) is one part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from target_quickbooks.comparison import is_same, reduced
from target_quickbooks.mapping.payload import Payload

Line = dict[str, Any]

_ITEM_LINE = "ItemBasedExpenseLineDetail"
#: Kept by QuickBooks itself; positions follow from the order of the lines.
_NOT_SENT_BACK = frozenset({"Received", "LineNum"})
_DESCRIPTION, _AMOUNT, _ACCOUNT = "description", "amount", "account"
_QUANTITY = ("Qty", "UnitPrice")
_CODES = ("AccountRef", "ItemRef")
_REFERENCES = {"class": "ClassRef", "customer": "CustomerRef", "tax code": "TaxCodeRef"}
_PARTS = (_DESCRIPTION, _AMOUNT, _ACCOUNT, *_REFERENCES)
#: Parts of a detail that stay where a line moves from an account to an item or back.
_SHARED = frozenset({*_REFERENCES.values(), "BillableStatus", "MarkupInfo", "TaxInclusiveAmt"})


@dataclass(frozen=True, slots=True)
class MergedLines:
    """The lines to send.

    Attributes:
        lines: Those of BILL in BILL's order, then those that a person added.
        keys: For each of them, BILL's id of the line; empty for one that a person added.
        conflicts: What both sides changed, in words, e.g. ``line 2 (amount)``.
        added: How many lines that a person added are kept.
        found: BILL's ids of lines that are new in BILL and in QuickBooks already, to QuickBooks' ids.
    """

    lines: tuple[Line, ...]
    keys: tuple[str, ...]
    conflicts: tuple[str, ...]
    added: int = 0
    found: Mapping[str, str] = field(default_factory=dict)


def merge_lines(
    before: Mapping[str, Payload],
    wanted: Mapping[str, Payload],
    live: Sequence[Mapping[str, Any]],
    ids: Mapping[str, str],
    *,
    bill_wins: bool,
) -> MergedLines:
    """Merge the lines of an order.

    Where both sides changed the same part of a line and BILL wins, lines that a person added go, too: they
    are what is left of a line that was divided in QuickBooks, and would make the total wrong. A line that is
    new on both sides and the same is one line: a person entered it there too, or an answer was lost.

    Args:
        before: What was last sent, by BILL's id of the line.
        wanted: What BILL has now, likewise.
        live: What QuickBooks holds.
        ids: BILL's id of a line to the one of QuickBooks; empty for a line that is not there.
        bill_wins: Who wins where both changed the same.
    """
    held = {str(line.get("Id")): line for line in live}
    ours_in_quickbooks = {ids.get(key) for key in before}
    unknown = [line for line in live if str(line.get("Id")) not in ours_in_quickbooks]
    found: dict[str, str] = {}
    merged: list[tuple[str, Line]] = []
    conflicts: list[str] = []
    for number, (key, ours) in enumerate(wanted.items(), start=1):
        theirs, last = held.get(ids.get(key) or ""), before.get(key)
        if last is None and (theirs := _take_alike(unknown, ours)):
            found[key] = str(theirs.get("Id"))
        line, contested = _merge_line(last, ours, theirs, bill_wins=bill_wins)
        if line is not None:
            merged.append((key, line))
        if contested:
            conflicts.append(f"line {number} ({', '.join(contested)})")
    removed = [(before[key], held.get(ids.get(key) or "")) for key in before if key not in wanted]
    for last, theirs in removed:
        if theirs is not None and any(_edited(part, last, theirs) for part in _PARTS):
            conflicts.append(f"{_name(last)} (removed in BILL)")
            merged += [] if bill_wins else [("", sent_back(theirs))]
    added = [sent_back(line) for line in unknown]
    if conflicts and bill_wins:
        added = []
    lines = [*merged, *(("", line) for line in added)]
    return MergedLines(
        lines=tuple(line for _, line in lines),
        keys=tuple(key for key, _ in lines),
        conflicts=tuple(conflicts),
        added=len(added),
        found=found,
    )


def sent_back(line: Mapping[str, Any]) -> Line:
    """A line of QuickBooks as it is sent back unchanged."""
    return {key: value for key, value in line.items() if key not in _NOT_SENT_BACK}


def _take_alike(unknown: list[Mapping[str, Any]], ours: Payload) -> Mapping[str, Any] | None:
    """The first of the lines that is all that we would send, taken out of them."""
    for place, line in enumerate(unknown):
        if all(_holds(part, ours, line) for part in _PARTS if part != "tax code" or _part(part, ours)):
            return unknown.pop(place)
    return None


def _merge_line(
    last: Payload | None, ours: Payload, theirs: Mapping[str, Any] | None, *, bill_wins: bool
) -> tuple[Line | None, list[str]]:
    """One line of BILL, None if there is to be none, and which parts of it both sides changed."""
    if last is None:
        return (sent_back(theirs) if theirs else dict(ours)), []
    if theirs is None:
        contested = not is_same(last, ours)
        line = dict(ours) if contested and bill_wins else None
        return line, ["deleted in QuickBooks"] if contested else []
    return _merge_parts(last, ours, theirs, bill_wins=bill_wins)


def _merge_parts(
    last: Payload, ours: Payload, theirs: Mapping[str, Any], *, bill_wins: bool
) -> tuple[Line, list[str]]:
    line = sent_back(theirs)
    conflicts: list[str] = []
    for part in _PARTS:
        if is_same(_part(part, last), _part(part, ours)):
            continue
        contested = _edited(part, last, theirs) and not _holds(part, ours, theirs)
        if contested:
            conflicts.append(part)
        if bill_wins or not contested:
            line = _with_part(part, line, ours)
    return _consistent(line), conflicts


def _edited(part: str, last: Payload, theirs: Mapping[str, Any]) -> bool:
    """Whether a person changed the part; what we never sent, QuickBooks may have filled in itself."""
    sent = _part(part, last)
    return bool(sent) and not _holds(part, last, theirs)


def _holds(part: str, wanted: Payload, theirs: Mapping[str, Any]) -> bool:
    sent, held = _part(part, wanted), _part(part, theirs)
    return is_same(reduced(held, sent), sent) if sent else not held


def _part(part: str, line: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part of a line by itself; references without the names that QuickBooks adds."""
    detail = _detail(line, str(line.get("DetailType")))
    if part == _DESCRIPTION:
        found = {"Description": line.get("Description")}
    elif part == _AMOUNT:
        found = {"Amount": line.get("Amount")} | {name: detail.get(name) for name in _QUANTITY}
    elif part == _ACCOUNT:
        found = {name: _value(detail.get(name)) for name in _CODES}
    else:
        found = {part: _value(detail.get(_REFERENCES[part]))}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _value(reference: Any) -> Any:
    return reference.get("value") if isinstance(reference, Mapping) else None


def _with_part(part: str, line: Line, ours: Payload) -> Line:
    """The line with one part as BILL has it."""
    if part == _DESCRIPTION:
        kept = {name: value for name, value in line.items() if name != "Description"}
        return kept | ({"Description": ours["Description"]} if ours.get("Description") else {})
    our_kind = str(ours["DetailType"])
    kind = str(line.get("DetailType") or our_kind)
    detail, our_detail = _detail(line, kind), ours[our_kind]
    if part == _ACCOUNT:
        names: tuple[str, ...] = _CODES
        if kind != our_kind:
            detail = {name: value for name, value in detail.items() if name in _SHARED | set(_QUANTITY)}
            line = {name: value for name, value in line.items() if name != kind}
            kind = our_kind
    elif part == _AMOUNT:
        names = _QUANTITY
        line = {**line, "Amount": ours["Amount"]}
    else:
        names = (_REFERENCES[part],)
    kept = {name: value for name, value in detail.items() if name not in names}
    return {
        **line,
        "DetailType": kind,
        kind: kept | {name: our_detail[name] for name in names if name in our_detail},
    }


def _consistent(line: Line) -> Line:
    """Only an item has quantity and price (QuickBooks manual 6.2)."""
    kind = str(line.get("DetailType"))
    if kind == _ITEM_LINE or kind not in line:
        return line
    detail = {name: value for name, value in _detail(line, kind).items() if name not in _QUANTITY}
    return {**line, kind: detail}


def _detail(line: Mapping[str, Any], kind: str) -> dict[str, Any]:
    held = line.get(kind)
    return dict(held) if isinstance(held, Mapping) else {}


def _name(line: Payload) -> str:
    """What a person would know a line by that has no number any more."""
    text = " ".join(str(line.get("Description") or "").split())[:40]
    return f"line '{text}'" if text else f"a line of {line.get('Amount')}"
