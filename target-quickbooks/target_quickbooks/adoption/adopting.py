"""What becomes of a record that a person decided on: taken over, left out, or waiting. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from target_quickbooks.adoption.decisions import Decided, Decision
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.order_planning import plan_found_order
from target_quickbooks.planning import Change, Item, Operation, blocked
from target_quickbooks.policies import Policies
from target_quickbooks.vendor_planning import adopt_vendor

#: Plans a record that takes an object over; None if it cannot, for its currency.
_Take = Callable[[Item, Mapping[str, Any]], Change | None]
_ADVICE = "Decide otherwise in the file of adoptions_path, and run again."


def plan_decided_vendor(
    item: Item, decided: Decided, live: Mapping[str, Any] | None, owner: str
) -> Change | None:
    """Plan a vendor without a link; None if it is planned like any new one.

    Args:
        item: The vendor.
        decided: What was decided of it.
        live: The vendor that it is to be linked with, if it is there.
        owner: The BILL id that this one is linked with already; empty if none.
    """
    return _plan(item, decided, live, owner, adopt_vendor)


def plan_decided_order(
    item: Item, decided: Decided, live: Mapping[str, Any] | None, owner: str, policies: Policies
) -> Change | None:
    """Plan a bill without a link, likewise; an order that carries another bill's id is not taken over."""
    mark = read_marker(str((live or {}).get("PrivateNote") or ""))
    if mark and mark[1] != item.bill_id:
        owner = owner or mark[1]

    def take(bill: Item, order: Mapping[str, Any]) -> Change | None:
        wanted = (bill.mapped.payload.get("CurrencyRef") or {}).get("value")
        held = (order.get("CurrencyRef") or {}).get("value")
        return None if wanted and held and wanted != held else plan_found_order(bill, order, policies)

    return _plan(item, decided, live, owner, take)


def _plan(
    item: Item, decided: Decided, live: Mapping[str, Any] | None, owner: str, take: _Take
) -> Change | None:
    match decided.decision:
        case Decision.NEW:
            return None
        case Decision.SKIP:
            return Change(Operation.SKIP, item, reason="left out, as the file of adoptions_path says")
        case Decision.OPEN:
            return blocked(
                item,
                "adoption-undecided",
                f"{sentence_start(item.mapped.label)} may be in QuickBooks already; nobody has decided yet.",
                "Decide in the file of adoptions_path (link, new or skip); the next run goes on by itself.",
            )
        case Decision.LINK:
            return _plan_link(item, decided, live, owner, take)


def _plan_link(
    item: Item, decided: Decided, live: Mapping[str, Any] | None, owner: str, take: _Take
) -> Change:
    taken = take(item, live) if live is not None and owner in {"", item.bill_id} else None
    if taken:
        return taken
    code, what = "adoption-currency", "is in another currency"
    if live is None:
        code, what = "adoption-missing", "is not there"
    elif owner not in {"", item.bill_id}:
        code, what = "adoption-taken", f"stands for BILL record {owner}"
    target = f"{item.mapped.entity} {decided.quickbooks_id}"
    reason = f"{sentence_start(item.mapped.label)} is to be linked with {target}, which {what}."
    return blocked(item, code, reason, _ADVICE)
