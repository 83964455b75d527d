"""From what a record should look like to the one change that gets it there. Pure.

A change is one of: create, update, close, void, link (QuickBooks already holds it), skip, blocked.
``writing`` carries changes out; ``mode: plan`` prints them.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from target_quickbooks.comparison import Difference, compare, is_same, reduced
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import sentence_start, without_deleted
from target_quickbooks.mapping.payload import Mapped, Payload
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.policies import EditConflict, Policies

_NEVER_COMPARED = frozenset({"TaxIdentifier", "CurrencyRef"})
#: Read-only, or written only once, or masked in answers.
_NOT_SENT_BACK = frozenset(
    {
        "Balance",
        "HomeBalance",
        "LinkedTxn",
        "MetaData",
        "Received",
        "TaxIdentifier",
        "TotalAmt",
        "domain",
        "sparse",
        "status",
    }
)
_ORDER_ALWAYS_SENT = ("VendorRef", "APAccountRef")
_KEPT_FROM_UPDATES = frozenset({"CurrencyRef"})


class Operation(enum.StrEnum):
    """What a change does to QuickBooks."""

    CREATE = "create"
    UPDATE = "update"
    CLOSE = "close"
    VOID = "void"
    LINK = "link"
    SKIP = "skip"
    BLOCKED = "blocked"

    @property
    def writes(self) -> bool:
        """Whether it takes a request to QuickBooks."""
        return self in {Operation.CREATE, Operation.UPDATE, Operation.CLOSE, Operation.VOID}


@dataclass(frozen=True, slots=True)
class Item:
    """One BILL record on its way through planning.

    Attributes:
        stream: BILL stream.
        bill_id: The record's id.
        version: BILL's ``updatedTime`` of the record.
        mapped: What it should look like.
        link: Its link, if it was written before.
        payload_digest: Fingerprint of ``mapped.payload``.
        source_digest: Fingerprint of the BILL record.
        archived: Archived (or a draft) in BILL.
        last_sent: Not as BILL has it but as it was last sent, to be brought back into QuickBooks.
        asked: A person asked for that, whatever the policies say.
    """

    stream: str
    bill_id: str
    version: str
    mapped: Mapped
    link: Link | None
    payload_digest: str
    source_digest: str
    archived: bool = False
    last_sent: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change.

    Attributes:
        body: What is sent, without ``bId`` and operation.
        code: For blocked ones, the refusal's code.
        reason: For skipped and blocked ones, why.
        line_ids: For found objects and lines, BILL line id to the id of the line QuickBooks holds.
        line_keys: BILL line ids of the lines in ``body``, where they are not those of ``item.mapped``;
            empty for a line that a person added.
        held: For updates of what is there, the object as QuickBooks held it when they were planned.
        moved: For an object that was merged into another one, the link as it is from now on.
    """

    operation: Operation
    item: Item
    body: Payload = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    quickbooks_id: str = ""
    sync_token: str = ""
    code: str = ""
    reason: str = ""
    advice: str = ""
    awaited: Awaited | None = None
    line_ids: Mapping[str, str] = field(default_factory=dict)
    line_keys: tuple[str, ...] = ()
    held: Payload | None = None
    moved: Link | None = None


def refused(item: Item, refusal: Refusal) -> Change:
    """A change that is blocked by a refusal."""
    return Change(
        Operation.BLOCKED,
        item,
        code=refusal.code,
        reason=refusal.reason,
        advice=refusal.advice,
        awaited=refusal.awaited,
    )


def plan_linked(item: Item, link: Link) -> Change:
    """Plan a record that was written before, against what was last sent."""
    if item.payload_digest == link.payload_digest:
        return Change(Operation.SKIP, item, reason="unchanged")
    differences = compare(link.desired, item.mapped.payload)
    others = tuple(found for found in differences if not same_tax_id_again(found))
    differences = others or differences
    if not differences:
        return Change(Operation.LINK, item, quickbooks_id=link.quickbooks_id, sync_token=link.sync_token)
    currency = next((found for found in differences if found.field == "CurrencyRef"), None)
    if currency and currency.before and currency.after:
        return blocked(
            item,
            "currency-fixed",
            f"{sentence_start(item.mapped.label)} changed its currency in BILL from "
            f"{currency.before['value']} to {currency.after['value']}; QuickBooks fixes the currency for "
            "life.",
            "Add a new vendor for the new currency in BILL, and move its open bills there.",
        )
    return update(item, link.quickbooks_id, link.sync_token, differences, link.line_ids)


def resolve_edits(change: Change, link: Link, live: Mapping[str, Any], policies: Policies) -> Change:
    """Compare three ways, field by field: what was last sent, what BILL wants, what QuickBooks holds.

    Only fields that changed in BILL and were also changed by a person are in conflict; for them the
    policy decides: BILL's values are sent, or QuickBooks' stay, or the whole record waits. Everything else
    that a person changed stays, and what else changed in BILL is sent. A field is one of the object's own:
    an address or the lines of an order count as one.
    """
    contested = frozenset(
        found.field
        for found in change.differences
        if found.field in link.desired and found.field not in _NEVER_COMPARED and _is_edited(found, live)
    )
    if not contested or policies.edit_conflict is EditConflict.BILL_WINS:
        return on_top_of(change, live)
    fields = ", ".join(found.field for found in change.differences if found.field in contested)
    what = f"{sentence_start(change.item.mapped.label)}: {fields} changed in BILL and in QuickBooks"
    if policies.edit_conflict is EditConflict.HOLD:
        return blocked(
            change.item, "edit-conflict", f"{what}.", "Make both sides agree, or set edit_conflict."
        )
    return _without(change, contested, link, live, f"{what}; QuickBooks wins")


def _without(
    change: Change, contested: Container[str], link: Link, live: Mapping[str, Any], reason: str
) -> Change:
    """The change without the fields in which QuickBooks wins; only a new link where nothing else is left."""
    differences = tuple(found for found in change.differences if found.field not in contested)
    if not any(found.field in change.body for found in differences):
        return Change(
            Operation.LINK,
            change.item,
            quickbooks_id=link.quickbooks_id,
            sync_token=str(live["SyncToken"]),
            reason=reason,
        )
    body = {key: value for key, value in change.body.items() if key not in contested}
    operation = Operation.CLOSE if body.get("POStatus") == "Closed" else Operation.UPDATE
    kept = replace(change, operation=operation, body=body, differences=differences, reason=reason)
    return on_top_of(kept, live)


def on_top_of(change: Change, live: Mapping[str, Any]) -> Change:
    """The same update as a whole object: what QuickBooks holds, with our fields on top.

    QuickBooks documents sparse updates for neither vendors nor purchase orders (manual 6.0.1). With the
    rest carried along, the outcome is the same whether it honours ``sparse`` or not. A masked tax id
    is never sent back; the full one goes along where BILL has it.
    """
    token = str(live["SyncToken"])
    if change.operation not in {Operation.UPDATE, Operation.CLOSE, Operation.VOID}:
        return replace(change, sync_token=token) if change.sync_token else change
    kept = {key: value for key, value in live.items() if key not in _NOT_SENT_BACK}
    if "Line" in kept:
        kept["Line"] = [
            {key: value for key, value in line.items() if key not in _NOT_SENT_BACK} for line in kept["Line"]
        ]
    tax_id = change.item.mapped.payload.get("TaxIdentifier")
    if tax_id:
        kept["TaxIdentifier"] = tax_id
    body = {**kept, **change.body, "SyncToken": token}
    if _wakes(change, live) and live.get("DisplayName"):
        body["DisplayName"] = without_deleted(str(live["DisplayName"]))
    return replace(change, body=body, sync_token=token, held=live)


def _wakes(change: Change, live: Mapping[str, Any]) -> bool:
    """Whether something inactive becomes active under the name that it had, whoever gave it that name."""
    renamed = any(found.field == "DisplayName" for found in change.differences)
    return change.body.get("Active") is True and live.get("Active") is False and not renamed


def _is_edited(found: Difference, live: Mapping[str, Any]) -> bool:
    """Whether QuickBooks holds neither what we last sent nor what we would send now."""
    held = live.get(found.field)
    if found.field == "DisplayName" and live.get("Active") is False:
        held = without_deleted(str(held))
    return not any(is_same(reduced(held, ours), ours) for ours in (found.before, found.after))


def create(item: Item, payload: Payload) -> Change:
    """The change that creates an object with this payload; empty fields are left out."""
    body = {key: value for key, value in payload.items() if value not in ("", {}, None)}
    differences = tuple(Difference(key, None, value) for key, value in body.items())
    return Change(Operation.CREATE, item, body=body, differences=differences)


def update(
    item: Item,
    quickbooks_id: str,
    sync_token: str,
    differences: tuple[Difference, ...],
    line_ids: Mapping[str, str],
) -> Change:
    """The change that sends these fields; only a new link where none of them can be sent."""
    payload = item.mapped.payload
    fields: dict[str, Any] = {}
    for difference in differences:
        if difference.field in _KEPT_FROM_UPDATES:
            continue
        if difference.field == "Line":
            fields["Line"] = _lines_with_ids(item.mapped, line_ids)
        elif difference.after is not None:
            fields[difference.field] = difference.after
        elif difference.field.endswith("Ref"):
            fields[difference.field] = {"value": ""}
    if not fields:
        return Change(Operation.LINK, item, quickbooks_id=quickbooks_id, sync_token=sync_token)
    if fields.get("Active") is True and "DisplayName" in payload:
        fields["DisplayName"] = payload["DisplayName"]
    body: dict[str, Any] = {"Id": quickbooks_id, "SyncToken": sync_token, "sparse": True}
    if item.mapped.entity != "Vendor":
        body |= {key: payload[key] for key in _ORDER_ALWAYS_SENT if key in payload}
    body |= fields
    closes = fields.get("POStatus") == "Closed"
    return Change(
        Operation.CLOSE if closes else Operation.UPDATE,
        item,
        body=body,
        differences=differences,
        quickbooks_id=quickbooks_id,
        sync_token=sync_token,
    )


def _lines_with_ids(mapped: Mapped, line_ids: Mapping[str, str]) -> list[Payload]:
    """All lines; those QuickBooks already holds carry their id, so that they are updated in place."""
    return [
        {"Id": line_ids[key], **line} if line_ids.get(key) else line
        for key, line in zip(mapped.line_keys, mapped.payload["Line"], strict=True)
    ]


def same_tax_id_again(difference: Difference) -> bool:
    """Tax ids compare by the last four characters: all that QuickBooks shows and all that we keep."""
    before, after = difference.before, difference.after
    return (
        difference.field == "TaxIdentifier"
        and bool(before)
        and bool(after)
        and str(before)[-4:] == str(after)[-4:]
    )


def blocked(item: Item, code: str, reason: str, advice: str) -> Change:
    """A change that cannot be made, with what a person can do about it."""
    return Change(Operation.BLOCKED, item, code=code, reason=reason, advice=advice)
