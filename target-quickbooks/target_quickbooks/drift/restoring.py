"""What is sent again of an object that people changed in QuickBooks: what was last sent, nothing else. Pure.

A person asks for it, or a policy: BILL need not send its record for that. What stands for the record names
the drift that it answers, so that no two of them are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_quickbooks.comparison import Difference, is_same
from target_quickbooks.drift.judging import differences_of
from target_quickbooks.line_merging import sent_back
from target_quickbooks.links import Company, Link
from target_quickbooks.order_edits import has_bill, left_as_billed
from target_quickbooks.planning import Change, Item, Operation, on_top_of, update
from target_quickbooks.policies import BilledOrder, Policies
from target_quickbooks.store.drift_table import Entry

#: Marks what stands for the BILL record of an object that is written as it was last sent.
AS_LAST_SENT = "asLastSent"
#: Marks that a person asked for it, whatever the policies say.
ASKED = "askedByPerson"


def stand_in(company: Company, link: Link, entry: Entry, *, asked: bool) -> dict[str, Any]:
    """What stands for the BILL record of an object that is to be as it was last sent."""
    sent = link.desired
    told: dict[str, Any] = {
        "id": link.bill_id,
        "organizationId": company.organization_id,
        AS_LAST_SENT: f"{link.quickbooks_id}/drift {entry.id} {entry.seen_at.isoformat()}",
        ASKED: asked,
    }
    if link.entity == "Vendor":
        currency = (sent.get("CurrencyRef") or {}).get("value", "")
        told |= {"name": sent.get("DisplayName", ""), "archived": False, "billCurrency": currency}
    return told


def plan_restored(item: Item, link: Link, live: Mapping[str, Any]) -> Change:
    """The change that makes an object again what was last sent, as far as people changed it.

    Args:
        item: What was last sent.
        link: The object's link.
        live: The object as QuickBooks holds it.
    """
    wanted = {"VendorRef": item.mapped.payload.get("VendorRef")}  # of an order: it may have moved by a merge
    differences = tuple(
        Difference(found.field, found.after, wanted.get(found.field) or found.before)
        for found in differences_of(link, live)
        if not is_same(found.after, wanted.get(found.field) or found.before)
    )
    token = str(live["SyncToken"])
    if not differences:
        return Change(Operation.LINK, item, quickbooks_id=link.quickbooks_id, sync_token=token)
    there = {str(line.get("Id")) for line in live.get("Line") or ()}
    line_ids = {key: found for key, found in link.line_ids.items() if found in there}
    change = update(item, link.quickbooks_id, token, differences, line_ids)
    if "DisplayName" in change.body and link.quickbooks_name:
        change = replace(change, body={**change.body, "DisplayName": link.quickbooks_name})
    kept = {key: value for key, value in live.items() if key != "TxnTaxDetail" or "Line" not in change.body}
    return on_top_of(change, kept)


def plan_restored_order(item: Item, link: Link, live: Mapping[str, Any], policies: Policies) -> Change:
    """As ``plan_restored``; an order that has a bill is left where ``billed_order`` says so."""
    change = plan_restored(item, link, live)
    fields = {found.field: found.after for found in change.differences if found.field in change.body}
    if fields and has_bill(live) and policies.billed_order is BilledOrder.LEAVE:
        return Change(Operation.SKIP, item, reason=left_as_billed(live, fields))
    if "Line" in live and "Line" not in fields:
        return replace(change, body={**change.body, "Line": [sent_back(line) for line in live["Line"]]})
    return change
