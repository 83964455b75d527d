"""What becomes of a change to an order in view of what QuickBooks holds: edits, bills, closed orders. Pure.

Three versions are compared: what was last sent, what BILL has now, what QuickBooks holds. What only a person
changed stays; what only BILL changed is sent; where both changed the same, ``edit_conflict`` decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from target_quickbooks.comparison import Difference, is_same, reduced
from target_quickbooks.line_merging import merge_lines, sent_back
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.payload import Payload
from target_quickbooks.mapping.payment_note import edited_note
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.planning import Change, Item, Operation, blocked, on_top_of
from target_quickbooks.policies import BilledOrder, ClosedPeriod, EditConflict, Policies
from target_quickbooks.transaction import PURCHASE_ORDER, transaction_of

_WORDS = {
    "APAccountRef": "accounts payable account",
    "ClassRef": "class",
    "DepartmentRef": "location",
    "DocNumber": "number",
    "DueDate": "due date",
    "ExchangeRate": "exchange rate",
    "GlobalTaxCalculation": "tax calculation",
    "Line": "lines",
    "POStatus": "status",
    "PrivateNote": "memo",
    "TxnDate": "date",
    "VendorRef": "vendor",
}
#: Where to reach the vendor an order was for until now; QuickBooks fills it in for the first one only.
_VENDORS_OWN = ("VendorAddr", "POEmail")
_HOLD_ADVICE = (
    "Enter the same in BILL and in QuickBooks, and the next run goes on by itself; or set edit_conflict to "
    "bill_wins or quickbooks_wins."
)


@dataclass(slots=True)
class _Outcome:
    """What is left to send, and what to say about it."""

    fields: dict[str, Any] = field(default_factory=dict)
    line_keys: tuple[str, ...] = ()
    line_ids: Mapping[str, str] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def resolve_order_edits(
    change: Change, link: Link, live: Mapping[str, Any], policies: Policies, close_date: dt.date | None = None
) -> Change:
    """Settle an update of an order against the live one.

    Args:
        change: The update, planned against what was last sent.
        link: The order's link.
        live: The order as QuickBooks holds it.
        policies: ``edit_conflict``, ``billed_order`` and ``closed_period`` decide.
        close_date: The last day of the closed period, if there is one.
    """
    item = change.item
    if is_retiring(item):
        return _retire(change, live, policies)
    outcome = _Outcome()
    _settle_fields(outcome, change, link, live, policies, close_date)
    _settle_lines(outcome, change, link, live, policies)
    what = _sentence(item, outcome.conflicts)
    if outcome.conflicts and policies.edit_conflict is EditConflict.HOLD:
        return blocked(item, "edit-conflict", f"{what}.", _HOLD_ADVICE)
    if not outcome.fields:
        reason = f"{what}; QuickBooks wins" if outcome.conflicts else ""
        return Change(
            Operation.LINK,
            item,
            quickbooks_id=link.quickbooks_id,
            sync_token=str(live["SyncToken"]),
            line_ids=outcome.line_ids,
            reason=reason,
        )
    if has_bill(live) and policies.billed_order is BilledOrder.LEAVE:
        return Change(Operation.SKIP, item, reason=left_as_billed(live, outcome.fields))
    if outcome.conflicts:
        winner = "QuickBooks" if policies.edit_conflict is EditConflict.QUICKBOOKS_WINS else "BILL"
        outcome.notes.append(
            f"changed in BILL and in QuickBooks: {', '.join(outcome.conflicts)}; {winner} wins"
        )
    opens = "POStatus" in outcome.fields or item.mapped.payload.get("POStatus") != "Open"
    if live.get("POStatus") == "Closed" and not opens:
        outcome.notes.append("the order was closed in QuickBooks, and stays closed")
    return _sent(change, link, live, outcome)


def has_bill(live: Mapping[str, Any]) -> bool:
    """Whether an order was turned into a bill in QuickBooks, as a whole or in part."""
    linked = any(found.get("TxnType") == "Bill" for found in live.get("LinkedTxn") or ())
    return linked or any(line.get("Received") for line in live.get("Line") or ())


def left_as_billed(live: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """What the report says of an order that is left because it has a bill."""
    number = live.get("DocNumber") or live["Id"]
    words = ", ".join(_WORDS.get(name, name) for name in fields)
    return (
        f"purchase order {number} already has a bill in QuickBooks and is left as it is ({words} would "
        "change); correct that bill in QuickBooks, or set billed_order to update"
    )


def is_retiring(item: Item) -> bool:
    """Whether the item gives its order up: another one takes its place."""
    return _is_given_up(item.mapped.payload)


def is_retired(link: Link) -> bool:
    """Whether the link's order was given up; the bill is to be written anew."""
    return _is_given_up(link.desired)


def _is_given_up(payload: Payload) -> bool:
    return "PrivateNote" in payload and read_marker(str(payload["PrivateNote"])) is None


def _settle_fields(
    outcome: _Outcome,
    change: Change,
    link: Link,
    live: Mapping[str, Any],
    policies: Policies,
    close_date: dt.date | None,
) -> None:
    """The fields of the header that are still to be sent."""
    closed = close_date.isoformat() if close_date and policies.closed_period is ClosedPeriod.REDATE else ""
    for found in change.differences:
        name = found.field
        if name == "Line" or name not in change.body or _holds(live.get(name), found.after):
            continue
        if name == "TxnDate" and _redated(found, live, closed) and str(found.after) <= closed:
            continue
        if _is_edited(found, link, live, closed):
            note = _edited_note(found, live)
            if note is not None:
                if not _holds(live.get(name), note):
                    outcome.fields[name] = note
                continue
            outcome.conflicts.append(_WORDS.get(name, name))
            if policies.edit_conflict is EditConflict.QUICKBOOKS_WINS:
                continue
        outcome.fields[name] = change.body[name]


def _is_edited(found: Difference, link: Link, live: Mapping[str, Any], closed: str) -> bool:
    """Whether a person changed the field; what was never sent, QuickBooks may have filled in itself."""
    name, held = found.field, live.get(found.field)
    if name not in link.desired or (name == "DepartmentRef" and not held):
        return False
    if name == "TxnDate" and _redated(found, live, closed):
        return False
    if name == "DocNumber" and str(held or "") == link.quickbooks_name:
        return False
    return not _holds(held, found.before)


def _edited_note(found: Difference, live: Mapping[str, Any]) -> str | None:
    """The memo that keeps what a person wrote, where only what it says of payments changes."""
    if found.field != "PrivateNote":
        return None
    return edited_note(*(str(text or "") for text in (live.get(found.field), found.before, found.after)))


def _redated(found: Difference, live: Mapping[str, Any], closed: str) -> bool:
    """Whether it was us who gave the order a date after the close."""
    return bool(closed) and str(found.before or "") <= closed < str(live.get("TxnDate") or "")


def _holds(held: Any, wanted: Any) -> bool:
    return is_same(reduced(held, wanted), wanted)


def _settle_lines(
    outcome: _Outcome, change: Change, link: Link, live: Mapping[str, Any], policies: Policies
) -> None:
    """The lines, if they are still to be sent."""
    found = next((found for found in change.differences if found.field == "Line"), None)
    if found is None:
        return
    bill_wins = policies.edit_conflict is not EditConflict.QUICKBOOKS_WINS
    mapped, held = change.item.mapped, live.get("Line") or []
    before = _lines_by_key(link.line_ids, link.desired.get("Line") or ())
    wanted = _lines_by_key(mapped.line_keys, mapped.payload["Line"])
    if before is None or wanted is None:
        _settle_whole(outcome, change, found, held, bill_wins=bill_wins)
        return
    merged = merge_lines(before, wanted, held, link.line_ids, bill_wins=bill_wins)
    outcome.conflicts += merged.conflicts
    outcome.line_keys, outcome.line_ids = merged.keys, merged.found
    if is_same(merged.lines, [sent_back(line) for line in held]):
        return
    outcome.fields["Line"] = list(merged.lines)
    if merged.added:
        kind = transaction_of(mapped.entity)
        theirs = "the bill" if kind is PURCHASE_ORDER else "BILL"
        outcome.notes.append(
            f"{merged.added} line{'s' if merged.added > 1 else ''} added in QuickBooks and kept: the "
            f"{kind.short}'s total is not {theirs}'s"
        )


def _settle_whole(
    outcome: _Outcome, change: Change, found: Difference, held: Sequence[Any], *, bill_wins: bool
) -> None:
    """Lines that cannot be told apart are one field."""
    if _holds(held, found.after):
        return
    if not _holds(held, found.before):
        outcome.conflicts.append("lines")
        if not bill_wins:
            return
    outcome.fields["Line"] = change.body["Line"]


def _lines_by_key(keys: Iterable[str], lines: Sequence[Payload]) -> dict[str, Payload] | None:
    """Lines by BILL's id; None where ids are missing or not unique."""
    names = list(keys)
    if len(names) != len(lines) or len(set(names)) != len(names) or "" in names:
        return None
    return dict(zip(names, lines, strict=True))


def _sent(change: Change, link: Link, live: Mapping[str, Any], outcome: _Outcome) -> Change:
    """The update that sends what is left, with everything else as QuickBooks has it."""
    item = change.item
    body: dict[str, Any] = {"Id": link.quickbooks_id, "sparse": True, **outcome.fields}
    if "VendorRef" in body:
        body |= {name: {} for name in _VENDORS_OWN if name in live}
    closes = body.get("POStatus") == "Closed"
    notes = (*item.mapped.notes, *outcome.notes)
    kept = dict(live)
    if {"Line", "GlobalTaxCalculation"} & set(body):
        kept.pop("TxnTaxDetail", None)  # of the old amounts; QuickBooks works it out again
    settled = replace(
        change,
        operation=Operation.CLOSE if closes else Operation.UPDATE,
        item=replace(item, mapped=replace(item.mapped, notes=notes)),
        body=body,
        differences=tuple(_against(found, live) for found in change.differences if found.field in body),
        line_keys=outcome.line_keys,
        line_ids=outcome.line_ids,
    )
    whole = on_top_of(settled, kept)
    if "Line" in body or "Line" not in live:
        return whole
    return replace(whole, body={**whole.body, "Line": [sent_back(line) for line in live["Line"]]})


def _against(found: Difference, live: Mapping[str, Any]) -> Difference:
    """The difference to what QuickBooks holds."""
    return replace(found, before=reduced(live.get(found.field), found.before or found.after))


def _retire(change: Change, live: Mapping[str, Any], policies: Policies) -> Change:
    """Close an order that another one replaces; its note no longer says that it is the bill's."""
    given_up = PURCHASE_ORDER.retire({"PrivateNote": live.get("PrivateNote")})
    fields = {"POStatus": given_up["POStatus"], "PrivateNote": given_up["PrivateNote"]}
    if has_bill(live) and policies.billed_order is BilledOrder.LEAVE:
        return Change(Operation.SKIP, change.item, reason=left_as_billed(live, {"VendorRef": None}))
    body = {"Id": change.quickbooks_id, "sparse": True, **fields}
    differences = tuple(Difference(name, live.get(name), value) for name, value in fields.items())
    return on_top_of(replace(change, operation=Operation.CLOSE, body=body, differences=differences), live)


def _sentence(item: Item, conflicts: Sequence[str]) -> str:
    return (
        f"{sentence_start(item.mapped.label)} was changed in BILL and its "
        f"{transaction_of(item.mapped.entity).short} in QuickBooks, both in: {', '.join(conflicts)}"
    )
