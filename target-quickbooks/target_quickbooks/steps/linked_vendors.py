"""Vendors that were written before, as QuickBooks holds them now: active, made inactive, merged, or gone.

People merge vendors in QuickBooks, which leaves no trace in its API but this: the losing vendor is gone (or
inactive), and its purchase orders, ours among them, are the survivor's from then on. Its link moves there.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from target_quickbooks.changes import Submission
from target_quickbooks.comparison import Difference
from target_quickbooks.links import Company, Link, name_held
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.outlet import Outlet
from target_quickbooks.planning import Change, Item, Operation
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.report import RunReport
from target_quickbooks.steps.step import NEW
from target_quickbooks.store import link_table
from target_quickbooks.store.database import Store

_VENDOR = "Vendor"
#: How many purchase orders have to agree on a survivor, if there are so many.
_WITNESSES = 5


class Standing(enum.Enum):
    """How a linked vendor stands in QuickBooks."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class SeenVendor:
    """A linked vendor as it was found.

    Attributes:
        link: Where it is now: to the survivor if it was merged into another vendor.
        live: The object; empty if it is gone or was not asked for.
    """

    link: Link
    standing: Standing
    live: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stopped_by_a_person(self) -> bool:
        """Whether somebody in QuickBooks made it inactive: we last left it active."""
        return self.standing is Standing.INACTIVE and self.link.desired.get("Active", True) is not False

    def check(self, bill: str, vendor: str, *, has_order: bool) -> None:
        """Make sure that a bill of this vendor can be written.

        Orders that exist may still be changed and closed while their vendor is inactive.

        Args:
            bill: How a person would call the bill.
            vendor: The vendor's name.
            has_order: Whether the bill's purchase order exists.

        Raises:
            Refusal: The vendor is gone, or inactive and there is no order yet.
        """
        what = sentence_start(bill)
        if self.standing is Standing.INACTIVE and not has_order:
            raise Refusal(
                "vendor-inactive",
                f"{what} waits: its vendor '{vendor}' is inactive in QuickBooks.",
                advice="Make the vendor active in QuickBooks, the next run then goes on by itself; or set "
                "inactive_vendor to reactivate.",
            )
        if self.standing is Standing.GONE:
            raise Refusal(
                "vendor-gone",
                f"{what} waits: its vendor '{vendor}' (vendor {self.link.quickbooks_id} of QuickBooks) is no "
                "longer there.",
                advice="If it was merged into another vendor: quickbooks-admin links move "
                f"{self.link.bill_id} <id of that vendor>; to have it written anew, set "
                "missing_in_quickbooks to recreate.",
            )


class LinkedVendors:
    """Looks linked vendors up, and moves links to survivors of merges."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        writer: Outlet,
        report: RunReport,
        *,
        witnesses: str = "PurchaseOrder",
    ) -> None:
        """``witnesses`` is the entity whose vendors tell of merges."""
        self._store = store
        self._directory = directory
        self._writer = writer
        self._report = report
        self._witnesses = witnesses
        self._active: set[str] = set()
        self._without_heir: set[str] = set()

    def look(
        self, company: Company, links: Mapping[str, Link], *, again: bool = True
    ) -> dict[str, SeenVendor]:
        """How these vendors stand, by BILL id; links of merged ones are moved first.

        Args:
            company: Whose they are.
            links: Their links by BILL id.
            again: Ask also for those that were active when they were asked for earlier in the run, and for
                those that a plan would have made so.
        """
        planned = {} if again else self._writer.pending_links(company, _VENDOR, links)
        known = {NEW} if again else {NEW, *self._active, *(link.quickbooks_id for link in planned.values())}
        live = self._vendors(link.quickbooks_id for link in links.values() if link.quickbooks_id not in known)
        found = {
            bill_id: SeenVendor(link, Standing.ACTIVE)
            if link.quickbooks_id in known
            else _seen(link, live.get(link.quickbooks_id))
            for bill_id, link in links.items()
        }
        lost = {
            bill_id: one.link
            for bill_id, one in found.items()
            if one.standing is Standing.GONE or one.stopped_by_a_person
        }
        found |= self._moved(company, lost) if lost else {}
        self._active |= {one.link.quickbooks_id for one in found.values() if one.standing is Standing.ACTIVE}
        return found

    def _vendors(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        wanted = sorted(set(ids))
        return self._directory.objects(_VENDOR, wanted) if wanted else {}

    def _moved(self, company: Company, lost: Mapping[str, Link]) -> dict[str, SeenVendor]:
        """Those of the vendors that were merged into another one, with their links moved there."""
        asked = {link.quickbooks_id for link in lost.values()} - self._without_heir
        survivors = self._survivors(company, asked) if asked else {}
        self._without_heir |= asked - survivors.keys()
        with self._store.reading() as connection:
            ids = [str(vendor["Id"]) for vendor in survivors.values()]
            taken = set(link_table.sharers(connection, company, _VENDOR, ids))
        moved: dict[str, SeenVendor] = {}
        changes: list[Change] = []
        for bill_id, link in lost.items():
            survivor = survivors.get(link.quickbooks_id)
            if survivor:
                after = _led_to(link, survivor, shared=str(survivor["Id"]) in taken)
                taken.add(after.quickbooks_id)
                changes.append(_move(link, after))
                moved[bill_id] = _seen(after, survivor)
        for change in changes:
            self._report.note(change.item.stream, change.item.mapped.label, change.reason)
        if changes:
            self._writer.apply([Submission(company, _record(company, change), change) for change in changes])
        return moved

    def _survivors(self, company: Company, lost: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The vendor that has the orders of each lost one now, where they agree on it."""
        with self._store.reading() as connection:
            orders = link_table.orders_of_vendors(
                connection, company, lost, limit=_WITNESSES, entity=self._witnesses
            )
        asked = sorted({order_id for ids in orders.values() for order_id in ids} - {NEW})
        live = self._directory.objects(self._witnesses, asked) if asked else {}
        heirs: dict[str, str] = {}
        for vendor_id, ids in orders.items():
            named = {(live[found].get("VendorRef") or {}).get("value") for found in ids if found in live}
            heir = named.pop() if len(named) == 1 else None
            if heir and heir != vendor_id:
                heirs[vendor_id] = str(heir)
        vendors = self._vendors(heirs.values())
        return {lost_id: vendors[heir] for lost_id, heir in heirs.items() if heir in vendors}


def _seen(link: Link, live: Mapping[str, Any] | None) -> SeenVendor:
    if live is None:
        return SeenVendor(link, Standing.GONE)
    return SeenVendor(link, Standing.INACTIVE if live.get("Active") is False else Standing.ACTIVE, live)


def _led_to(link: Link, survivor: Mapping[str, Any], *, shared: bool) -> Link:
    """The link to the survivor: from now on, what changes in BILL is written there; unless it is shared."""
    return replace(
        link,
        quickbooks_id=str(survivor["Id"]),
        sync_token=str(survivor["SyncToken"]),
        quickbooks_name=name_held(survivor),
        source_digest="",
        reference_only=shared,
    )


def _move(before: Link, after: Link) -> Change:
    shared = ", which keeps following the BILL vendor it had" if after.reference_only else ""
    item = Item(
        stream="vendors",
        bill_id=before.bill_id,
        version="",
        mapped=Mapped(_VENDOR, before.desired, f"vendor '{before.quickbooks_name or before.bill_id}'"),
        link=before,
        payload_digest=before.payload_digest,
        source_digest="",
    )
    return Change(
        Operation.LINK,
        item,
        differences=(Difference("Id", before.quickbooks_id, after.quickbooks_id),),
        quickbooks_id=after.quickbooks_id,
        sync_token=after.sync_token,
        reason=f"merged in QuickBooks into '{after.quickbooks_name}'{shared}",
        moved=after,
    )


def _record(company: Company, change: Change) -> Mapping[str, Any]:
    return {"id": change.item.bill_id, "organizationId": company.organization_id}
