"""The walk's step for vendors: BILL vendors of one company to planned and written QuickBooks vendors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from target_quickbooks.adoption.adopting import plan_decided_vendor
from target_quickbooks.adoption.decisions import Decision
from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.drift.restoring import AS_LAST_SENT, ASKED, plan_restored
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Vendor, read_vendor
from target_quickbooks.mapping.vendor import map_vendor
from target_quickbooks.planning import Change, Item, Operation, refused
from target_quickbooks.policies import (
    ArchivedVendor,
    InactiveVendor,
    MissingInQuickBooks,
    Policies,
    VendorConflict,
)
from target_quickbooks.preflight import Bills
from target_quickbooks.quickbooks.faults import Recovery
from target_quickbooks.steps.linked_vendors import LinkedVendors, SeenVendor, Standing
from target_quickbooks.steps.step import Step
from target_quickbooks.store import failure_table, link_table
from target_quickbooks.store.link_table import Stored
from target_quickbooks.vendor_planning import (
    NamesInUse,
    foresee_name,
    plan_linked_vendor,
    plan_renamed,
    plan_vendor,
    update_of_nothing,
    woken,
)

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
        owners = self._owners(company, [link for _, link in pending if link])
        planned = self._plan(company, [self._item(company, record, link, owners) for record, link in pending])
        behind = self._behind(company, pending)
        self.carry_out(
            self.submissions(company, pending, planned),
            lambda conflicts, attempt: self._plan_again(company, conflicts, attempt),
        )
        if behind:
            self.write(company, list(behind.values()))

    def _behind(
        self, company: Company, pending: Iterable[tuple[Mapping[str, Any], Link | None]]
    ) -> dict[str, Mapping[str, Any]]:
        """BILL's records, not written yet, of vendors that are to be as they were last sent first.

        They failed, and their failures go with what becomes of the vendor: BILL does not send them again.
        """
        standing_in = {str(record["id"]) for record, _ in pending if AS_LAST_SENT in record}
        if not standing_in:
            return {}
        with self.store.reading() as connection:
            failed = failure_table.unsettled(connection, self.store.cipher, company, stream=self.stream)
        return {
            one.bill_id: one.record
            for one in failed
            if one.bill_id in standing_in and AS_LAST_SENT not in one.record
        }

    def ready_for_bills(self, company: Company, links: Mapping[str, Link]) -> dict[str, SeenVendor]:
        """How the vendors of bills stand in QuickBooks, after doing for them what the policies say.

        Links of vendors that were merged into another one have moved there; inactive ones are active again,
        and those that were gone are there again, as they were last sent, where the policies say so.

        Args:
            company: Whose they are.
            links: Their links by BILL id.
        """
        seen = self._linked.look(company, links, again=False)
        wanted = {
            bill_id: as_last_sent(company, found) for bill_id, found in seen.items() if self._restores(found)
        }
        if not wanted:
            return seen
        behind = self._behind(company, [(record, None) for record in wanted.values()])
        self.write(company, list(wanted.values()))
        restored = {
            bill_id: SeenVendor(link, Standing.ACTIVE)
            for bill_id, link in self.links(company, ENTITY, wanted).items()
            if link.source_digest
            in {self._digest(one) for one in (wanted[bill_id], behind.get(bill_id)) if one is not None}
        }
        return seen | restored

    def _restores(self, found: SeenVendor) -> bool:
        """Whether a vendor that bills need is to be brought back."""
        if found.standing is Standing.GONE:
            named = bool(found.link.desired.get("DisplayName"))
            return named and self.policies.missing_in_quickbooks is MissingInQuickBooks.RECREATE
        return found.stopped_by_a_person and self.policies.inactive_vendor is InactiveVendor.REACTIVATE

    @cached_property
    def _linked(self) -> LinkedVendors:
        return LinkedVendors(
            self.store,
            self.directory,
            self.writer,
            self.report,
            witnesses="Bill" if self.policies.posts_bills else "PurchaseOrder",
        )

    def _owners(self, company: Company, links: Sequence[Link]) -> dict[str, Stored]:
        """Of QuickBooks vendors with several links the one that is followed, by QuickBooks id."""
        with self.store.reading() as connection:
            ids = [link.quickbooks_id for link in links]
            found = link_table.sharers(connection, company, ENTITY, ids) if ids else {}
        return {key: min(sharing, key=_rank) for key, sharing in found.items() if len(sharing) > 1}

    def _item(
        self, company: Company, record: Mapping[str, Any], link: Link | None, owners: Mapping[str, Stored]
    ) -> Item | Change:
        """The mapped record, or the change that says why it is not mapped."""
        item = self.bare_item(record, link)
        if AS_LAST_SENT in record:
            return self._last_sent(replace(item, asked=record.get(ASKED) is True), link)
        owner = owners.get(link.quickbooks_id) if link else None
        if owner and (owner.company, owner.link.bill_id) != (company, item.bill_id):
            return self._follows_another(item, record, owner)
        if record.get("archived") is True and link is None:
            return replace(item, archived=True)  # never written, so it need not even be mappable
        try:
            vendor = read_vendor(record)
            mapped = map_vendor(vendor, self.directory.company())
        except Refusal as refusal:
            return refused(item, refusal)
        mapped = self._by_policy(vendor, mapped, link, shared=owner is not None)
        return self.with_mapped(item, mapped, archived=vendor.archived)

    def _last_sent(self, item: Item, link: Link | None) -> Item | Change:
        """The vendor as it was last sent, of which all is known but the whole tax id."""
        if link is None:
            return Change(Operation.SKIP, item, reason="no longer linked")
        payload = {key: value for key, value in link.desired.items() if key != "TaxIdentifier"}
        mapped = Mapped(ENTITY, payload, f"vendor '{payload.get('DisplayName') or item.bill_id}'")
        return replace(self.with_mapped(item, mapped, archived=False), last_sent=True)

    def _follows_another(self, item: Item, record: Mapping[str, Any], owner: Stored) -> Change:
        """Two BILL vendors that are one in QuickBooks would fight over its fields: one is followed."""
        label = f"vendor '{record.get('name') or item.bill_id}'"
        reason = (
            f"shares vendor {owner.link.quickbooks_id} of QuickBooks with BILL vendor {owner.link.bill_id}, "
            "which alone it follows"
        )
        self.report.note(STREAM, label, reason)
        return Change(Operation.SKIP, replace(item, mapped=replace(item.mapped, label=label)), reason=reason)

    def _by_policy(self, vendor: Vendor, mapped: Mapped, link: Link | None, *, shared: bool) -> Mapped:
        """Leave the vendor's state alone where the policy says so, or another BILL vendor needs it."""
        leaves = shared or self.policies.archived_vendor is ArchivedVendor.LEAVE
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
        items = self.as_decided(company, items, plan_decided_vendor)
        for item in items:
            if isinstance(item, Change):
                _take(names, item)
        changes = [
            item if isinstance(item, Change) else self._plan_one(company, item, names) for item in items
        ]
        return self._against_quickbooks(company, changes)

    def _policies_of(self, company: Company, item: Item) -> Policies:
        """The policies; who is to be a vendor of its own takes no other one over for its name."""
        found = self.decided(company, [item]).get(item.bill_id)
        adopts = self.policies.vendor_conflict is VendorConflict.ADOPT
        if found and found.decision is Decision.NEW and adopts:
            return replace(self.policies, vendor_conflict=VendorConflict.SUFFIX)
        return self.policies

    def _plan_one(self, company: Company, item: Item, names: NamesInUse) -> Change:
        if item.link:
            change = self._plan_known(item, item.link)
            return foresee_name(change, names, self.policies) if self.foresees else change
        change = plan_vendor(item, names, self._policies_of(company, item))
        _take(names, change)
        return change

    def _plan_known(self, item: Item, link: Link) -> Change:
        """Plan a linked vendor; one that is only to be brought back has nothing to change by itself."""
        if item.last_sent:
            return update_of_nothing(replace(item, payload_digest=link.payload_digest), link)
        return plan_linked_vendor(item, link, self.directory.company().home_currency)

    def _against_quickbooks(self, company: Company, changes: Sequence[Change]) -> list[Change]:
        """Updates of linked vendors, planned anew with what QuickBooks holds now."""
        updates = {
            change.item.bill_id: change.item.link
            for change in changes
            if change.item.link and change.operation is Operation.UPDATE
        }
        seen = self._linked.look(company, updates) if updates else {}
        planned = [
            self._as_seen(change, seen[change.item.bill_id]) if change.item.bill_id in seen else change
            for change in changes
        ]
        anew = [planned_one for planned_one in planned if isinstance(planned_one, Item)]
        again = iter(self._plan(company, anew) if anew else ())
        return [next(again) if isinstance(one, Item) else one for one in planned]

    def _as_seen(self, change: Change, found: SeenVendor) -> Change | Item:
        """The update with what QuickBooks holds, or the vendor to plan without the link that it lost."""
        item, link = change.item, found.link
        if found.standing is Standing.GONE:
            return self._lost(item, found)
        if link is not item.link:  # it was merged into another vendor
            item = replace(item, link=link)
            if link.reference_only:
                return Change(Operation.SKIP, item, reason=f"one with vendor {link.quickbooks_id} now")
            change = self._plan_known(item, link)
        if change.operation is not Operation.UPDATE or not found.live:
            return change
        restores = item.asked or self._restores(found)
        wakes = found.stopped_by_a_person and restores and not item.archived
        if item.last_sent and not wakes and not item.asked:
            return Change(Operation.SKIP, item, reason="there is nothing to bring back")
        if item.asked:
            return plan_restored(item, link, found.live)
        resolved = self.resolved(change, link, found.live)
        return woken(resolved, found.live) if wakes and resolved.operation is Operation.UPDATE else resolved

    def _lost(self, item: Item, found: SeenVendor) -> Change | Item:
        """What becomes of a vendor that is gone: it is written anew, left alone, or waits."""
        if item.archived:
            return Change(Operation.SKIP, item, reason="archived in BILL, and no longer in QuickBooks")
        if not (item.asked or self._restores(found)):
            return self.gone(item, found.link)
        self.report.note(STREAM, item.mapped.label, f"written anew: {found.link.quickbooks_id} was gone")
        return self.with_mapped(replace(item, link=None), item.mapped, archived=False)

    def _plan_again(self, company: Company, conflicts: Sequence[Conflict], attempt: int) -> list[Submission]:
        """Plan refused changes again, with what QuickBooks holds now."""
        items = [self._as_linked_now(company, conflict.submission.item) for conflict in conflicts]
        wanted = [
            str(item.mapped.payload["DisplayName"])
            for item, conflict in zip(items, conflicts, strict=True)
            if item.link is None or conflict.fault.recovery is Recovery.NAME_TAKEN
        ]
        names = self._names(company, wanted, look_at_others=True)
        changes: list[Change] = []
        decided = self.as_decided(company, items, plan_decided_vendor)
        for item, again, conflict in zip(items, decided, conflicts, strict=True):
            if isinstance(again, Change):
                change = again
                if conflict.fault.recovery is Recovery.NAME_TAKEN and change.operation.writes:
                    change = self._plan_renamed(change, conflict, names, attempt)
            elif item.link is None:
                change = self._plan_unlinked(company, item, conflict, names, attempt)
                _take(names, change)
            else:
                change = self._plan_known(item, item.link)
                if conflict.fault.recovery is Recovery.NAME_TAKEN:
                    change = self._plan_renamed(change, conflict, names, attempt)
            changes.append(change)
        return [
            Submission(company, conflict.submission.record, change)
            for conflict, change in zip(conflicts, self._against_quickbooks(company, changes), strict=True)
        ]

    def _as_linked_now(self, company: Company, item: Item) -> Item:
        """The item with its link as it is on disk; one that is written anew has none."""
        return self.with_link(company, item) if item.link else item

    def _plan_unlinked(
        self, company: Company, item: Item, conflict: Conflict, names: NamesInUse, attempt: int
    ) -> Change:
        """A new vendor whose name is taken: adopt its holder, or take another name."""
        policies = self._policies_of(company, item)
        if conflict.fault.recovery is not Recovery.NAME_TAKEN:
            return plan_vendor(item, names, policies)
        _refuse(names, conflict)
        return plan_vendor(item, names, policies, attempt=attempt)

    def _plan_renamed(self, change: Change, conflict: Conflict, names: NamesInUse, attempt: int) -> Change:
        """A new name that is taken; it may have become free by another vendor of the same window."""
        if attempt > 1:
            _refuse(names, conflict)
        refused = str(conflict.submission.change.body.get("DisplayName") or "")
        return plan_renamed(change, refused, names, self.policies)

    def _names(self, company: Company, wanted: Sequence[str], *, look_at_others: bool = False) -> NamesInUse:
        if not wanted:
            return NamesInUse(vendors={})
        vendors = self.directory.vendors_named(wanted)
        others = self.directory.names_held_by_others(wanted) if look_at_others else {}
        ids = [str(vendor["Id"]) for vendor in vendors.values()]
        with self.store.reading() as connection:
            owners = link_table.owners(connection, company, ENTITY, ids)
        if self.adoptions:
            owners = self.adoptions.claimed | owners
        return NamesInUse(vendors=vendors, others=others, owners=owners)


def as_last_sent(company: Company, found: SeenVendor) -> dict[str, Any]:
    """What stands for the BILL record of a vendor that is to be brought back, also after a crash.

    The record itself is not kept; what was last sent is, with the link. Each state that a vendor is brought
    back from has a mark of its own, so that it is never taken for done.
    """
    sent = found.link.desired
    return {
        "id": found.link.bill_id,
        "organizationId": company.organization_id,
        "name": sent.get("DisplayName", ""),
        "archived": False,
        "billCurrency": (sent.get("CurrencyRef") or {}).get("value", ""),
        AS_LAST_SENT: f"{found.link.quickbooks_id}/{found.live.get('SyncToken', 'gone')}",
    }


def _is_renamed(item: Item, link: Link) -> bool:
    return item.mapped.payload.get("DisplayName") != link.desired.get("DisplayName")


def _take(names: NamesInUse, change: Change) -> None:
    """Later vendors of the same window must know that a name or a vendor is now spoken for."""
    if change.operation is Operation.CREATE:
        names.others[comparable(str(change.body["DisplayName"]))] = change.item.mapped.label
    elif change.quickbooks_id:
        names.owners[change.quickbooks_id] = change.item.bill_id


def _refuse(names: NamesInUse, conflict: Conflict) -> None:
    """Note that QuickBooks refused a name, whether or not anybody was found who holds it."""
    refused = comparable(str(conflict.submission.change.body.get("DisplayName") or ""))
    holder = conflict.fault.holder_id
    names.others.setdefault(refused, f"QuickBooks id {holder}" if holder else "")


def _rank(stored: Stored) -> tuple[bool, str, str]:
    return stored.link.reference_only, stored.company.organization_id, stored.link.bill_id
