"""What becomes of a bill or vendor credit in QuickBooks that is to be voided, in view of what is there. Pure.

All that a person added goes, too: nothing is to be paid. What payments stand against stays as it is, because
QuickBooks does not let its amount go below what is paid (QuickBooks manual 6.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_quickbooks.comparison import Difference
from target_quickbooks.links import Link
from target_quickbooks.mapping.bill_transaction import is_voided, retired, voided
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.planning import Change, Operation, blocked, on_top_of
from target_quickbooks.transaction import transaction_of

_PAYMENT = "BillPayment"
_FIELDS = ("PrivateNote", "Line")


def has_payments(live: Mapping[str, Any]) -> bool:
    """Whether payments stand against a bill, or use a vendor credit."""
    return any(str(found.get("TxnType")).startswith(_PAYMENT) for found in live.get("LinkedTxn") or ())


def resolve_void(change: Change, link: Link, live: Mapping[str, Any], *, gives_up: bool = False) -> Change:
    """Settle a void against the live transaction.

    Args:
        change: The update, planned against what was last sent.
        link: The link.
        live: The transaction as QuickBooks holds it.
        gives_up: Another one takes its place, so that it no longer stands for the BILL record.
    """
    item = change.item
    wanted = (retired if gives_up else voided)(live)
    if has_payments(live):
        noun = transaction_of(item.mapped.entity).noun
        number = live.get("DocNumber") or live["Id"]
        return blocked(
            item,
            "paid-in-quickbooks",
            f"{sentence_start(item.mapped.label)} is to be voided, but payments in QuickBooks stand against "
            f"its {noun} {number}.",
            "Payments of BILL are voided by themselves once BILL voids them; delete those that were entered "
            "in QuickBooks by hand. The next run tries again; or set archived_bill to leave.",
        )
    if is_voided(live) and wanted["PrivateNote"] == live.get("PrivateNote"):
        return Change(
            Operation.LINK, item, quickbooks_id=link.quickbooks_id, sync_token=str(live["SyncToken"])
        )
    keys = {line_id: key for key, line_id in link.line_ids.items() if line_id}
    body = {"Id": link.quickbooks_id, "sparse": True, **{name: wanted[name] for name in _FIELDS}}
    ends = replace(
        change,
        operation=Operation.VOID,
        body=body,
        differences=tuple(Difference(name, live.get(name), wanted[name]) for name in _FIELDS),
        line_keys=tuple(keys.get(str(line.get("Id")), "") for line in wanted["Line"]),
    )
    kept = {name: value for name, value in live.items() if name != "TxnTaxDetail"}
    return on_top_of(ends, kept)
