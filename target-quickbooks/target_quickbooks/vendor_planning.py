"""How vendors without a link are planned: names in use, adoption of a twin, renaming. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from target_quickbooks.comparison import Difference, as_sent, comparable_value, compare
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import comparable, holder_of_name, sentence_start, with_suffix
from target_quickbooks.planning import (
    Change,
    Item,
    Operation,
    blocked,
    create,
    on_top_of,
    plan_linked,
    same_tax_id_again,
    update,
)
from target_quickbooks.policies import Policies, VendorConflict


@dataclass(frozen=True, slots=True)
class NamesInUse:
    """What is known of names in QuickBooks when vendors are planned; whoever plans several adds to it.

    Attributes:
        vendors: Comparable name to the live Vendor of that name (inactive twins under their old name).
        others: Comparable names held by customers, employees and vendors of this run, and by whom; the
            latter is empty where nobody was found.
        owners: QuickBooks vendor id to the BILL id that owns it.
        renamed: Ids of QuickBooks vendors that lose their name by an earlier change.
    """

    vendors: Mapping[str, Mapping[str, Any]]
    others: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        """Whether anything is known to hold a name, or may claim it as an inactive twin does."""
        return self._twin(name) is not None or comparable(name) in self.others

    def holds(self, name: str, *, besides: str) -> bool:
        """Whether anything but the vendor of the id ``besides`` keeps a name from others right now."""
        twin = self.vendors.get(comparable(name))
        held = (
            twin is not None
            and comparable(str(twin.get("DisplayName") or "")) == comparable(name)
            and str(twin["Id"]) not in {besides, *self.renamed}
        )
        return held or comparable(name) in self.others

    def holder(self, name: str) -> str:
        """Who holds a name, for people."""
        twin = self._twin(name)
        if twin:
            return holder_of_name("Vendor", twin)
        return self.others.get(comparable(name)) or "another customer, vendor or employee"

    def adoptable(self, name: str) -> Mapping[str, Any] | None:
        """The vendor of a name that no BILL vendor owns, active or not."""
        twin = self.vendors.get(comparable(name))
        return None if twin is None or str(twin["Id"]) in self.owners else twin

    def _twin(self, name: str) -> Mapping[str, Any] | None:
        """The vendor that holds a name, or may claim it.

        That of another BILL vendor that was archived has left the name to others: QuickBooks wrote
        "(deleted)" behind it.
        """
        twin = self.vendors.get(comparable(name))
        if twin is None:
            return None
        renamed = comparable(str(twin.get("DisplayName") or "")) != comparable(name)
        left = twin.get("Active") is False and renamed and str(twin["Id"]) in self.owners
        return None if left else twin


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
    if not names.has(name) and attempt == 0:
        return create(item, item.mapped.payload)
    if policies.vendor_conflict is VendorConflict.FAIL:
        return _taken(item, name, names)
    twin = names.adoptable(name)
    if twin and attempt <= 1 and policies.vendor_conflict is VendorConflict.ADOPT:
        adopted = adopt_vendor(item, twin)
        if adopted:
            return adopted
    for suffix in _suffixes(item)[max(attempt - 1, 0) :]:
        candidate = with_suffix(name, suffix)
        if comparable(candidate) not in names.vendors and comparable(candidate) not in names.others:
            return create(item, {**item.mapped.payload, "DisplayName": candidate})
    return _all_taken(item, name)


def plan_renamed(change: Change, refused: str, names: NamesInUse, policies: Policies) -> Change:
    """Plan a linked vendor again whose new name is taken: it never moves to the vendor of that name.

    Args:
        change: The change as it would be without the refusal.
        refused: The name that QuickBooks refused.
        names: Names in use; the refused one is among ``others`` if somebody must hold it still.
        policies: ``vendor_conflict``: with ``fail`` the vendor keeps its name and is refused.
    """
    item, wanted = change.item, str(change.item.mapped.payload["DisplayName"])
    if policies.vendor_conflict is VendorConflict.FAIL and names.holds(wanted, besides=change.quickbooks_id):
        return _taken(item, wanted, names)
    candidates = [wanted, *(with_suffix(wanted, suffix) for suffix in _suffixes(item))]
    tried = next((at for at, name in enumerate(candidates) if comparable(name) == comparable(refused)), 0)
    for name in candidates[tried:]:
        if not names.holds(name, besides=change.quickbooks_id):
            return _named(change, name)
    return _all_taken(item, wanted)


def plan_linked_vendor(item: Item, link: Link, home_currency: str) -> Change:
    """Plan a vendor that was written before; its currency is for life.

    Args:
        item: The vendor.
        link: Its link.
        home_currency: What a vendor has that was written while multicurrency was off.
    """
    wanted = (item.mapped.payload.get("CurrencyRef") or {}).get("value")
    held = (link.desired.get("CurrencyRef") or {}).get("value") or home_currency
    if wanted and wanted != held:
        return blocked(
            item,
            "currency-fixed",
            f"{sentence_start(item.mapped.label)} is paid in {wanted} in BILL now, but in {held} in "
            "QuickBooks, where the currency of a vendor can never change.",
            f"Add a new vendor in {wanted} in BILL for those bills, and change this one back to {held}.",
        )
    return plan_linked(item, link)


def update_of_nothing(item: Item, link: Link) -> Change:
    """The update of a vendor of which nothing changed in BILL."""
    body = {"Id": link.quickbooks_id, "SyncToken": link.sync_token, "sparse": True}
    return Change(
        Operation.UPDATE, item, body=body, quickbooks_id=link.quickbooks_id, sync_token=link.sync_token
    )


def woken(change: Change, live: Mapping[str, Any]) -> Change:
    """The change that also makes an inactive vendor active, under the name it had."""
    differences = (*change.differences, Difference("Active", False, True))
    with_active = replace(change, body={**change.body, "Active": True}, differences=differences)
    return on_top_of(with_active, live)


def _named(change: Change, name: str) -> Change:
    """The change with that name, whether it was to change the name or not."""
    differences = change.differences
    if not any(found.field == "DisplayName" for found in differences):
        before = change.item.link.desired.get("DisplayName") if change.item.link else None
        differences = (*differences, Difference("DisplayName", before, name))
    return replace(change, body={**change.body, "DisplayName": name}, differences=differences)


def _taken(item: Item, name: str, names: NamesInUse) -> Change:
    return blocked(
        item,
        "name-taken",
        f"The name '{name}' is already used in QuickBooks: {names.holder(name)}.",
        "Rename one of the two, or set vendor_conflict to adopt or suffix.",
    )


def _all_taken(item: Item, name: str) -> Change:
    return blocked(
        item,
        "name-taken",
        f"The name '{name}' and every name derived from it are already used in QuickBooks.",
        "Rename the vendor in BILL or the holder of the name in QuickBooks.",
    )


def foresee_name(change: Change, names: NamesInUse, policies: Policies) -> Change:
    """A linked vendor's change with the name it will get where QuickBooks will refuse the one it wants."""
    name = str(change.body.get("DisplayName") or "")
    if name and change.operation.writes and names.holds(name, besides=change.quickbooks_id):
        change = plan_renamed(change, name, names, policies)
    if name and change.operation.writes:
        names.renamed.add(change.quickbooks_id)
        names.others[comparable(str(change.body["DisplayName"]))] = change.item.mapped.label
    return change


def adopt_vendor(item: Item, twin: Mapping[str, Any]) -> Change | None:
    """Take over a vendor of the same name that nobody owns, unless it is in another currency."""
    quickbooks_id = str(twin["Id"])
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
        and not same_tax_id_again(found)
    )
    if not differences:
        return Change(Operation.LINK, item, quickbooks_id=quickbooks_id, sync_token=str(twin["SyncToken"]))
    return on_top_of(update(item, quickbooks_id, str(twin["SyncToken"]), differences, {}), twin)


def _suffixes(item: Item) -> list[str]:
    """What may follow a taken name: the currency where it tells them apart, the role, the BILL id."""
    currency = (item.mapped.payload.get("CurrencyRef") or {}).get("value")
    named = [f"({currency})"] if currency and currency != "USD" else []
    return [*named, "(Vendor)", f"({item.bill_id[-6:]})"]
