"""From what a record should look like to the one change that gets it there. Pure.

A change is one of: create, update, close, link (QuickBooks already holds it), skip, blocked. ``writing``
carries changes out; ``mode: plan`` prints them.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from target_quickbooks.comparison import Difference, as_sent, comparable_value, compare, is_same, reduced
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import comparable, with_suffix
from target_quickbooks.mapping.payload import Mapped, Payload
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.policies import ClosedPeriod, EditConflict, Policies, VendorConflict

DELETED_SUFFIX = " (deleted)"
_NEVER_COMPARED = frozenset({"TaxIdentifier", "CurrencyRef"})
#: Read-only, or written only once, or masked in answers.
_NOT_SENT_BACK = frozenset(
    {
        "Balance",
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
    LINK = "link"
    SKIP = "skip"
    BLOCKED = "blocked"

    @property
    def writes(self) -> bool:
        """Whether it takes a request to QuickBooks."""
        return self in {Operation.CREATE, Operation.UPDATE, Operation.CLOSE}


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
    """

    stream: str
    bill_id: str
    version: str
    mapped: Mapped
    link: Link | None
    payload_digest: str
    source_digest: str
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change.

    Attributes:
        body: What is sent, without ``bId`` and operation.
        code: For blocked ones, the refusal's code.
        reason: For skipped and blocked ones, why.
        line_ids: For found objects, BILL line id to the id of the line QuickBooks holds.
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


@dataclass(frozen=True, slots=True)
class NamesInUse:
    """What is known of names in QuickBooks when vendors are planned; whoever plans several adds to it.

    Attributes:
        vendors: Comparable name to the live Vendor of that name (inactive twins under their old name).
        others: Comparable names held by customers and employees.
        owners: QuickBooks vendor id to the BILL id that owns it.
    """

    vendors: Mapping[str, Mapping[str, Any]]
    others: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)


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
    others = tuple(found for found in differences if not _same_tax_id_again(found))
    differences = others or differences
    if not differences:
        return Change(Operation.LINK, item, quickbooks_id=link.quickbooks_id, sync_token=link.sync_token)
    currency = next((found for found in differences if found.field == "CurrencyRef"), None)
    if currency and currency.before and currency.after:
        return _blocked(
            item,
            "currency-fixed",
            f"{_upper(item.mapped.label)} changed its currency in BILL from {currency.before['value']} to "
            f"{currency.after['value']}; QuickBooks fixes the currency for life.",
            "Add a new vendor for the new currency in BILL, and move its open bills there.",
        )
    return _update(item, link.quickbooks_id, link.sync_token, differences, link.line_ids)


def plan_vendor(item: Item, names: NamesInUse, policies: Policies, attempt: int = 0) -> Change:
    """Plan a vendor that has no link yet.

    Args:
        item: The vendor.
        names: Names in use.
        policies: ``vendor_conflict`` decides what happens to a taken name.
        attempt: How many names QuickBooks already refused; the last one is among ``names.others``.
    """
    if item.archived:
        return Change(Operation.SKIP, item, reason="archived in BILL before it was ever written")
    name = str(item.mapped.payload["DisplayName"])
    twin = names.vendors.get(comparable(name))
    taken = twin is not None or comparable(name) in names.others or attempt > 0
    if not taken:
        return _create(item, item.mapped.payload)
    if policies.vendor_conflict is VendorConflict.FAIL:
        holder = "another vendor" if twin else "a customer, employee or inactive vendor"
        return _blocked(
            item,
            "name-taken",
            f"The name '{name}' is already used by {holder} in QuickBooks.",
            "Rename one of the two, or set vendor_conflict to adopt or suffix.",
        )
    if twin and attempt <= 1 and policies.vendor_conflict is VendorConflict.ADOPT:
        adopted = _adopt_vendor(item, twin, names.owners)
        if adopted:
            return adopted
    for suffix in _suffixes(item)[max(attempt - 1, 0) :]:
        candidate = with_suffix(name, suffix)
        if comparable(candidate) not in names.vendors and comparable(candidate) not in names.others:
            return _create(item, {**item.mapped.payload, "DisplayName": candidate})
    return _blocked(
        item,
        "name-taken",
        f"The name '{name}' and every name derived from it are already used in QuickBooks.",
        "Rename the vendor in BILL or the holder of the name in QuickBooks.",
    )


def plan_renamed(item: Item, link: Link, attempt: int) -> Change:
    """Plan a linked vendor again whose new name turned out to be taken: with a suffix to the name."""
    change = plan_linked(item, link)
    suffixes = _suffixes(item)
    if attempt > len(suffixes):
        name = item.mapped.payload["DisplayName"]
        return _blocked(
            item,
            "name-taken",
            f"{_upper(item.mapped.label)} cannot be renamed: '{name}' is already used in QuickBooks.",
            "Rename one of the two.",
        )
    name = with_suffix(str(item.mapped.payload["DisplayName"]), suffixes[attempt - 1])
    return replace(change, body={**change.body, "DisplayName": name})


def plan_order(item: Item, same_number: Mapping[str, Any] | None, distinct_number: str) -> Change:
    """Plan a purchase order that has no link yet.

    Args:
        item: The bill.
        same_number: The live order that holds our document number, if any.
        distinct_number: The number to use if that order is not ours.
    """
    if item.archived:
        return Change(Operation.SKIP, item, reason="archived or a draft in BILL, and never written")
    payload = item.mapped.payload
    if same_number is None:
        return _create(item, payload)
    return _create(item, {**payload, "DocNumber": distinct_number})


def plan_found_order(item: Item, live: Mapping[str, Any]) -> Change:
    """Plan a bill whose purchase order was found in QuickBooks by the BILL id in its note."""
    lines = live.get("Line") or []
    ids = {
        key: str(line["Id"])
        for key, line in zip(item.mapped.line_keys, lines, strict=False)
        if key and line.get("Id")
    }
    differences = compare(as_sent(live, item.mapped.payload), item.mapped.payload)
    if not differences:
        return Change(
            Operation.LINK,
            item,
            quickbooks_id=str(live["Id"]),
            sync_token=str(live["SyncToken"]),
            line_ids=ids,
        )
    update = _update(item, str(live["Id"]), str(live["SyncToken"]), differences, ids)
    return replace(on_top_of(update, live), line_ids=ids)


def plan_closed_period(
    change: Change, item: Item, close_date: dt.date | None, fault_code: str, policies: Policies
) -> Change:
    """Plan a transaction again whose date lies in a closed period.

    Args:
        change: What was refused.
        item: The record, with its link as it is now.
        close_date: The last day of the closed period, if the company tells.
        fault_code: QuickBooks' code for the refusal.
        policies: ``closed_period`` decides.
    """
    closed = f" (closed up to {close_date.isoformat()})" if close_date else ""
    reason = f"{_upper(item.mapped.label)} is dated in a period whose books are closed in QuickBooks{closed}."
    if policies.closed_period is ClosedPeriod.FAIL:
        advice = "Reopen the period or change the date in BILL, then replay it."
        return _blocked(item, f"quickbooks-{fault_code}", reason, advice)
    date = change.body.get("TxnDate") or item.mapped.payload.get("TxnDate")
    redated = close_date + dt.timedelta(days=1) if close_date else None
    if policies.closed_period is ClosedPeriod.HOLD or redated is None or date == redated.isoformat():
        advice = "Reopen the period in QuickBooks; the next run tries again by itself."
        return _blocked(item, "period-closed", reason, advice)
    return replace(change, item=item, body={**change.body, "TxnDate": redated.isoformat()})


def resolve_edits(change: Change, link: Link, live: Mapping[str, Any], policies: Policies) -> Change:
    """Compare three ways: what was last sent, what BILL wants now, what QuickBooks holds now.

    Only fields that changed in BILL and were also changed by a person are in conflict; for them the
    policy decides. Everything else that a person changed stays, and what changed in BILL is sent.
    """
    fields = [
        found.field
        for found in change.differences
        if found.field in link.desired and found.field not in _NEVER_COMPARED and _is_edited(found, live)
    ]
    if not fields or policies.edit_conflict is EditConflict.BILL_WINS:
        return on_top_of(change, live)
    what = f"{_upper(change.item.mapped.label)}: {', '.join(fields)} changed in BILL and in QuickBooks"
    if policies.edit_conflict is EditConflict.QUICKBOOKS_WINS:
        return Change(
            Operation.LINK,
            change.item,
            quickbooks_id=link.quickbooks_id,
            sync_token=str(live["SyncToken"]),
            reason=f"{what}; QuickBooks wins",
        )
    return _blocked(change.item, "edit-conflict", f"{what}.", "Make both sides agree, or set edit_conflict.")


def on_top_of(change: Change, live: Mapping[str, Any]) -> Change:
    """The same update as a whole object: what QuickBooks holds, with our fields on top.

    QuickBooks documents sparse updates for neither vendors nor purchase orders (manual 6.0.1). With the
    rest carried along, the outcome is the same whether it honours ``sparse`` or not. A masked tax id
    is never sent back; the full one goes along where BILL has it.
    """
    token = str(live["SyncToken"])
    if change.operation not in {Operation.UPDATE, Operation.CLOSE}:
        return replace(change, sync_token=token) if change.sync_token else change
    kept = {key: value for key, value in live.items() if key not in _NOT_SENT_BACK}
    if "Line" in kept:
        kept["Line"] = [
            {key: value for key, value in line.items() if key not in _NOT_SENT_BACK} for line in kept["Line"]
        ]
    tax_id = change.item.mapped.payload.get("TaxIdentifier")
    if tax_id:
        kept["TaxIdentifier"] = tax_id
    return replace(change, body={**kept, **change.body, "SyncToken": token}, sync_token=token)


def _is_edited(found: Difference, live: Mapping[str, Any]) -> bool:
    """Whether QuickBooks holds neither what we last sent nor what we would send now."""
    held = live.get(found.field)
    return not any(is_same(reduced(held, ours), ours) for ours in (found.before, found.after))


def _create(item: Item, payload: Payload) -> Change:
    body = {key: value for key, value in payload.items() if value not in ("", {}, None)}
    differences = tuple(Difference(key, None, value) for key, value in body.items())
    return Change(Operation.CREATE, item, body=body, differences=differences)


def _update(
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


def _adopt_vendor(item: Item, twin: Mapping[str, Any], owners: Mapping[str, str]) -> Change | None:
    """Take over a vendor of the same name, unless it is somebody else's or in another currency."""
    quickbooks_id = str(twin["Id"])
    if quickbooks_id in owners:
        return None
    wanted = item.mapped.payload.get("CurrencyRef")
    held = (twin.get("CurrencyRef") or {}).get("value")
    if wanted and held and wanted["value"] != held:
        return None
    live = as_sent(twin, item.mapped.payload)
    differences = tuple(
        found
        for found in compare(live, item.mapped.payload)
        if found.field != "CurrencyRef"
        and comparable_value(found.after) is not None
        and not _same_tax_id_again(found)
    )
    if not differences:
        return Change(Operation.LINK, item, quickbooks_id=quickbooks_id, sync_token=str(twin["SyncToken"]))
    return on_top_of(_update(item, quickbooks_id, str(twin["SyncToken"]), differences, {}), twin)


def _suffixes(item: Item) -> list[str]:
    """What may follow a taken name: the currency where it tells them apart, the role, the BILL id."""
    currency = (item.mapped.payload.get("CurrencyRef") or {}).get("value")
    named = [f"({currency})"] if currency and currency != "USD" else []
    return [*named, "(Vendor)", f"({item.bill_id[-6:]})"]


def _lines_with_ids(mapped: Mapped, line_ids: Mapping[str, str]) -> list[Payload]:
    """All lines; those QuickBooks already holds carry their id, so that they are updated in place."""
    return [
        {"Id": line_ids[key], **line} if key in line_ids else line
        for key, line in zip(mapped.line_keys, mapped.payload["Line"], strict=True)
    ]


def _same_tax_id_again(difference: Difference) -> bool:
    """Tax ids compare by the last four characters: all that QuickBooks shows and all that we keep."""
    before, after = difference.before, difference.after
    return (
        difference.field == "TaxIdentifier"
        and bool(before)
        and bool(after)
        and str(before)[-4:] == str(after)[-4:]
    )


def _blocked(item: Item, code: str, reason: str, advice: str) -> Change:
    return Change(Operation.BLOCKED, item, code=code, reason=reason, advice=advice)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
