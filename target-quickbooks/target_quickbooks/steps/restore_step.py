"""The walk's step for orders that are to be again what was last sent: people deleted or changed them.

BILL does not send a record because of that, and its record is not kept; what was last sent is. It is planned
and written as any change of an order is, and the link stays that of the bill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import override

from target_quickbooks.changes import Conflict
from target_quickbooks.drift.restoring import AS_LAST_SENT, ASKED, plan_restored_order
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import plain_line
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.order_numbers import NumbersInUse
from target_quickbooks.order_planning import plan_order
from target_quickbooks.planning import Change, Item, Operation, refused
from target_quickbooks.preflight import Bills
from target_quickbooks.quickbooks.faults import Recovery
from target_quickbooks.steps.linked_vendors import SeenVendor
from target_quickbooks.steps.order_step import OrderStep
from target_quickbooks.vendor_planning import update_of_nothing

#: The stream that orders sent again are counted and fail under; its ids are those of bills.
RESTORED_ORDERS = "restored_orders"
_NAME_LENGTH = 100


class RestoreStep(OrderStep):
    """Plans and writes orders as they were last sent."""

    stream = RESTORED_ORDERS

    @override
    def write(self, company: Company, records: Sequence[Mapping[str, Any]]) -> None:
        """Make the orders of these stand-ins what was last sent; all outcomes are on disk on return."""
        pending, _ = self.news(company, records)
        if not pending:
            return
        if self.gate:
            self.gate.open(Bills.EXPECTED)
        accounts = self.books.accounts(company, [str(record["id"]) for record, _ in pending])
        vendor_ids = {account.balance.vendor_id for account in accounts.values() if account.balance}
        linked = self.links(company, "Vendor", sorted(vendor_ids))
        vendors = self._vendors.ready_for_bills(company, linked)
        items: list[Item | Change] = []
        for record, link in pending:
            balance = accounts[str(record["id"])].balance
            vendor = vendors.get(balance.vendor_id) if balance else None
            items.append(self._last_sent(record, link, vendor))
        self._carry_out(company, self.submissions(company, pending, self._plan(company, items)))

    def _last_sent(
        self, record: Mapping[str, Any], link: Link | None, vendor: SeenVendor | None
    ) -> Item | Change:
        """The order as it was last sent, for the vendor that the bill's vendor is by now."""
        item = replace(self.bare_item(record, link), last_sent=True, asked=record.get(ASKED) is True)
        if link is None or AS_LAST_SENT not in record:
            return Change(Operation.SKIP, item, reason="its order is no longer linked")
        payload = dict(link.desired)
        label = f"{self.transaction.noun} '{plain_line(link.quickbooks_name or link.bill_id, _NAME_LENGTH)}'"
        if vendor:
            payload["VendorRef"] = {"value": vendor.link.quickbooks_id}
        mapped = Mapped(self.entity, payload, label, line_keys=tuple(link.line_ids))
        # BILL's record stays known as it was when the order was last written from it.
        item = replace(self.with_mapped(item, mapped, archived=False), source_digest=link.source_digest)
        try:
            if vendor:
                name = str(vendor.link.desired.get("DisplayName") or vendor.link.bill_id)
                vendor.check(label, name, has_order=False)
        except Refusal as refusal:
            return refused(item, refusal)
        return item

    @override
    def _plan_one(self, company: Company, item: Item, orders: NumbersInUse) -> Change:
        if item.link:
            return update_of_nothing(item, item.link)
        return super()._plan_one(company, item, orders)

    @override
    def resolved(self, change: Change, link: Link, live: Mapping[str, Any]) -> Change:
        if not change.item.asked:
            return Change(Operation.SKIP, change.item, reason="it is there again")
        return self._told(plan_restored_order(change.item, link, live, self.policies))

    @override
    def gone(self, item: Item, link: Link) -> Change:
        if item.asked:
            return plan_order(replace(item, link=None), None, "")
        return super().gone(item, link)

    @override
    def _plan_refused(
        self, company: Company, item: Item, conflict: Conflict, orders: NumbersInUse, again: Change | None
    ) -> Change:
        outdated = conflict.fault.recovery is Recovery.REREAD or conflict.fault.may_be_repetition
        if item.link and outdated:
            return update_of_nothing(item, item.link)
        return super()._plan_refused(company, item, conflict, orders, again)
