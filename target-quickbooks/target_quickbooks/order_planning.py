"""How purchase orders are planned that have no link yet, or whose period is closed. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_quickbooks.comparison import as_sent, compare
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.planning import Change, Item, Operation, blocked, create, on_top_of, update
from target_quickbooks.policies import ClosedPeriod, Policies


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
        return create(item, payload)
    return create(item, {**payload, "DocNumber": distinct_number})


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
    return replace(change, item=item, body={**change.body, "TxnDate": redated.isoformat()})
