"""How purchase orders are planned: new, known, found by their note, given up, in closed books. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_quickbooks.comparison import as_sent, compare
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.source import Bill
from target_quickbooks.order_edits import has_bill, left_as_billed
from target_quickbooks.planning import (
    Change,
    Item,
    Operation,
    blocked,
    create,
    on_top_of,
    plan_linked,
    update,
)
from target_quickbooks.policies import BilledOrder, ClosedPeriod, DeniedBill, Policies, UnapprovedBill
from target_quickbooks.transaction import short_name, transaction_of


def out_of_use(bill: Bill, policies: Policies) -> str:
    """Why a bill has no open order, in words; empty if it may have one."""
    if bill.archived:
        return "is a draft in BILL" if bill.record_status == "DRAFT" else "is archived in BILL"
    if bill.approval_status == "DENIED" and policies.denied_bill is DeniedBill.CLOSE:
        return "was denied by an approver in BILL"
    return ""


def waits_for_approval(bill: Bill, policies: Policies) -> bool:
    """Whether the bill is kept back until it is approved; a denied one has its own setting."""
    decided = bill.approval_status in {"APPROVED", "DENIED"}
    return policies.unapproved_bill is UnapprovedBill.WAIT and not decided


def plan_order(item: Item, same_number: Mapping[str, Any] | None, distinct_number: str) -> Change:
    """Plan a purchase order that has no link yet.

    Args:
        item: The bill.
        same_number: The live order that holds our document number, if any.
        distinct_number: The number to use if that order is not ours.
    """
    if item.archived:
        return Change(Operation.SKIP, item, reason="archived, denied or a draft in BILL, and never written")
    payload = item.mapped.payload
    if same_number is None:
        return create(item, payload)
    return create(item, {**payload, "DocNumber": distinct_number})


def plan_linked_order(item: Item, link: Link) -> Change:
    """Plan an order that was written before, against what was last sent.

    QuickBooks fixes the currency of an order for life (QuickBooks manual 10.14): where the bill moved to a
    vendor of another currency, the order is given up and another one takes its place.
    """
    before, after = (payload.get("CurrencyRef") for payload in (link.desired, item.mapped.payload))
    if before and after and before != after and not item.archived:
        return give_up(item, link)
    return plan_linked(item, link)


def give_up(item: Item, link: Link) -> Change:
    """Close an order (void a bill) for good; its note loses the BILL id, so that another can be written."""
    kind = transaction_of(link.entity)
    payload = kind.retire(link.desired)
    mapped = replace(
        item.mapped,
        payload=payload,
        notes=(f"its {kind.noun} is {kind.ended} and replaced by a new one",),
        line_keys=tuple(link.line_ids),
    )
    # Without fingerprints: as long as nothing has taken its place, the bill is not done.
    retiring = replace(item, mapped=mapped, payload_digest="", source_digest="")
    change = update(
        retiring, link.quickbooks_id, link.sync_token, compare(link.desired, payload), link.line_ids
    )
    return replace(change, operation=Operation.CLOSE)


def plan_found_order(item: Item, live: Mapping[str, Any], policies: Policies) -> Change:
    """Plan a bill whose purchase order was found in QuickBooks by the BILL id in its note.

    What was last sent is not known. An order that is closed stays closed: a person may have done it.
    """
    lines = live.get("Line") or []
    found_ids = [str(line.get("Id") or "") for line in lines]
    keys = item.mapped.line_keys
    ids = {key: found_ids[place] if place < len(found_ids) else "" for place, key in enumerate(keys)}
    differences = tuple(
        found
        for found in compare(as_sent(live, item.mapped.payload), item.mapped.payload)
        if not (found.field == "POStatus" and found.before == "Closed")
    )
    leaves = has_bill(live) and policies.billed_order is BilledOrder.LEAVE
    if not differences or leaves:
        fields = {found.field: found.after for found in differences}
        return Change(
            Operation.LINK,
            item,
            quickbooks_id=str(live["Id"]),
            sync_token=str(live["SyncToken"]),
            line_ids=ids,
            reason=left_as_billed(live, fields) if differences else "",
        )
    change = update(item, str(live["Id"]), str(live["SyncToken"]), differences, ids)
    return replace(on_top_of(change, live), line_ids=ids)


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
    what = sentence_start(item.mapped.label)
    reason = f"{what} is dated in a period whose books are closed in QuickBooks{closed}."
    if policies.closed_period is ClosedPeriod.FAIL:
        advice = "Reopen the period or change the date in BILL, then replay it."
        return blocked(item, f"quickbooks-{fault_code}", reason, advice)
    date = change.body.get("TxnDate") or item.mapped.payload.get("TxnDate")
    redated = close_date + dt.timedelta(days=1) if close_date else None
    if policies.closed_period is ClosedPeriod.HOLD or redated is None or date == redated.isoformat():
        advice = "Reopen the period in QuickBooks; the next run tries again by itself."
        return blocked(item, "period-closed", reason, advice)
    if _lies_in(change, close_date):
        short = short_name(item.mapped.entity)
        reason = f"{what} changed in BILL, but its {short} lies in a period closed in QuickBooks{closed}."
        article = "an" if short == "order" else "a"
        advice = (
            f"Reopen the period in QuickBooks, and the next run tries again by itself; {article} {short} in "
            "a closed period cannot be moved out of it."
        )
        return blocked(item, "period-closed", reason, advice)
    return replace(change, item=item, body={**change.body, "TxnDate": redated.isoformat()})


def _lies_in(change: Change, close_date: dt.date | None) -> bool:
    """Whether the order that QuickBooks holds is dated in the closed period."""
    if change.operation is Operation.CREATE or close_date is None:
        return False
    moved = next((found for found in change.differences if found.field == "TxnDate"), None)
    held = moved.before if moved else change.body.get("TxnDate")
    return bool(held) and str(held) <= close_date.isoformat()
