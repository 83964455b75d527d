"""The walk's step for vendors: BILL vendors of one company to planned and written QuickBooks vendors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Vendor, read_vendor
from target_quickbooks.mapping.vendor import map_vendor
from target_quickbooks.planning import Change, Item, Operation, plan_linked, refused
from target_quickbooks.policies import ArchivedVendor
from target_quickbooks.preflight import Bills
from target_quickbooks.quickbooks.faults import Recovery
from target_quickbooks.step import ENOUGH_ROUNDS, Step
from target_quickbooks.store import link_table
from target_quickbooks.vendor_planning import NamesInUse, foresee_name, plan_renamed, plan_vendor

ENTITY = "Vendor"
STREAM = "vendors"


class VendorStep(Step):
    """Maps, plans and writes vendors."""

    stream = STREAM
    entity = ENTITY

    def write(
        self, company: Company, records: Sequence[Mapping[str, Any]], bills: Callable[[], Bills] | None = None
    ) -> None:
        """Bring QuickBooks in step with these vendors; all outcomes are on disk on return.

        Args:
            company: Whose they are.
            records: The vendors.
            bills: Whether bills follow; asked only if there is something to write.
        """
        pending = self.changed(company, records)
        if not pending:
            return
        if self.gate and any(link or record.get("archived") is not True for record, link in pending):
            self.gate.open(bills() if bills else Bills.NONE)
        planned = self._plan(company, [self._item(record, link) for record, link in pending])
        conflicts = self.writer.apply(self.submissions(company, pending, planned))
        for attempt in range(1, ENOUGH_ROUNDS + 1):
            if not conflicts:
                return
            again = self._plan_again(company, conflicts, attempt)
            conflicts = self.writer.apply(again, replan=attempt < ENOUGH_ROUNDS)

    def _item(self, record: Mapping[str, Any], link: Link | None) -> Item | Change:
        """The mapped record, or the change that says why it cannot be mapped."""
        item = self.bare_item(record, link)
        if record.get("archived") is True and link is None:
            return replace(item, archived=True)  # never written, so it need not even be mappable
        try:
            vendor = read_vendor(record)
            mapped = map_vendor(vendor, self.directory.company())
        except Refusal as refusal:
            return refused(item, refusal)
        return self.with_mapped(item, self._by_policy(vendor, mapped, link), archived=vendor.archived)

    def _by_policy(self, vendor: Vendor, mapped: Mapped, link: Link | None) -> Mapped:
        """Leave the vendor's state alone where the policy says so."""
        leaves = self.policies.archived_vendor is ArchivedVendor.LEAVE
        if not (vendor.archived and leaves and link):
            return mapped
        return replace(mapped, payload={**mapped.payload, "Active": link.desired.get("Active", True)})

    def _plan(self, company: Company, items: Sequence[Item | Change]) -> list[Change]:
        wanted = [
            str(item.mapped.payload["DisplayName"])
            for item in items
            if isinstance(item, Item)
            and (not item.archived if item.link is None else self.foresees and _is_renamed(item, item.link))
        ]
        names = self._names(company, wanted, look_at_others=self.foresees)
        changes = [item if isinstance(item, Change) else self._plan_one(item, names) for item in items]
        return self.against_live(changes)

    def _plan_one(self, item: Item, names: NamesInUse) -> Change:
        if item.link:
            change = plan_linked(item, item.link)
            return foresee_name(change, item.link, names) if self.foresees else change
        change = plan_vendor(item, names, self.policies)
        _take(names, change)
        return change

    def _plan_again(self, company: Company, conflicts: Sequence[Conflict], attempt: int) -> list[Submission]:
        """Plan refused changes again, with what QuickBooks holds now."""
        items = [self.with_link(company, conflict.submission.item) for conflict in conflicts]
        taken = [
            str(item.mapped.payload["DisplayName"])
            for item, conflict in zip(items, conflicts, strict=True)
            if item.link is None
        ]
        names = self._names(company, taken, look_at_others=True)
        changes: list[Change] = []
        for item, conflict in zip(items, conflicts, strict=True):
            link = item.link
            if link is None:
                change = self._plan_unlinked(item, conflict, names, attempt)
                _take(names, change)
            elif conflict.fault.recovery is Recovery.NAME_TAKEN:
                change = plan_renamed(item, link, attempt)
            else:
                change = plan_linked(item, link)
            changes.append(change)
        return [
            Submission(company, conflict.submission.record, change)
            for conflict, change in zip(conflicts, self.against_live(changes), strict=True)
        ]

    def _plan_unlinked(self, item: Item, conflict: Conflict, names: NamesInUse, attempt: int) -> Change:
        """A new vendor whose name is taken: adopt its holder, or take another name."""
        if conflict.fault.recovery is not Recovery.NAME_TAKEN:
            return plan_vendor(item, names, self.policies)
        refused = conflict.submission.change.body.get("DisplayName")
        names.others.add(comparable(str(refused or "")))
        return plan_vendor(item, names, self.policies, attempt=attempt)

    def _names(self, company: Company, wanted: Sequence[str], *, look_at_others: bool = False) -> NamesInUse:
        if not wanted:
            return NamesInUse(vendors={}, others=set(), owners={})
        vendors = self.directory.vendors_named(wanted)
        others = self.directory.names_held_by_others(wanted) if look_at_others else frozenset[str]()
        ids = [str(vendor["Id"]) for vendor in vendors.values()]
        with self.store.reading() as connection:
            owners = link_table.owners(connection, company, ENTITY, ids)
        return NamesInUse(vendors=vendors, others=set(others), owners=owners)


def _is_renamed(item: Item, link: Link) -> bool:
    return item.mapped.payload.get("DisplayName") != link.desired.get("DisplayName")


def _take(names: NamesInUse, change: Change) -> None:
    """Later vendors of the same window must know that a name or a vendor is now spoken for."""
    if change.operation is Operation.CREATE:
        names.others.add(comparable(str(change.body["DisplayName"])))
    elif change.quickbooks_id:
        names.owners[change.quickbooks_id] = change.item.bill_id
