"""How vendors without a link are planned: names in use, adoption of a twin, renaming. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from target_quickbooks.comparison import as_sent, comparable_value, compare
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import comparable, sentence_start, with_suffix
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
        others: Comparable names held by customers and employees.
        owners: QuickBooks vendor id to the BILL id that owns it.
        renamed: Ids of QuickBooks vendors that lose their name by an earlier change.
    """

    vendors: Mapping[str, Mapping[str, Any]]
    others: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)


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
    twin = names.vendors.get(comparable(name))
    taken = twin is not None or comparable(name) in names.others or attempt > 0
    if not taken:
        return create(item, item.mapped.payload)
    if policies.vendor_conflict is VendorConflict.FAIL:
        holder = "another vendor" if twin else "a customer, employee or inactive vendor"
        return blocked(
            item,
            "name-taken",
            f"The name '{name}' is already used by {holder} in QuickBooks.",
            "Rename one of the two, or set vendor_conflict to adopt or suffix.",
        )
    if twin and attempt <= 1 and policies.vendor_conflict is VendorConflict.ADOPT:
        adopted = _adopt_vendor(item, twin, names.owners)
        if adopted:
            return adopted
    for suffix in _suffixes(item)[max(attempt - 1, 0) :]:
        candidate = with_suffix(name, suffix)
        if comparable(candidate) not in names.vendors and comparable(candidate) not in names.others:
            return create(item, {**item.mapped.payload, "DisplayName": candidate})
    return blocked(
        item,
        "name-taken",
        f"The name '{name}' and every name derived from it are already used in QuickBooks.",
        "Rename the vendor in BILL or the holder of the name in QuickBooks.",
    )


def plan_renamed(item: Item, link: Link, attempt: int) -> Change:
    """Plan a linked vendor again whose new name turned out to be taken: with a suffix to the name."""
    change = plan_linked(item, link)
    suffixes = _suffixes(item)
    if attempt > len(suffixes):
        name = item.mapped.payload["DisplayName"]
        return blocked(
            item,
            "name-taken",
            f"{sentence_start(item.mapped.label)} cannot be renamed: '{name}' is already used in QuickBooks.",
            "Rename one of the two.",
        )
    name = with_suffix(str(item.mapped.payload["DisplayName"]), suffixes[attempt - 1])
    return replace(change, body={**change.body, "DisplayName": name})


def foresee_name(change: Change, link: Link, names: NamesInUse) -> Change:
    """A linked vendor's change with the name it will get where QuickBooks will refuse the one it wants."""
    for attempt in range(1, len(_suffixes(change.item)) + 2):
        name = comparable(str(change.body.get("DisplayName") or ""))
        if not change.operation.writes or not name:
            return change
        holder = names.vendors.get(name)
        held = (
            holder is not None
            and holder.get("Active") is not False
            and str(holder["Id"]) not in {link.quickbooks_id, *names.renamed}
        )
        if not held and name not in names.others:
            names.renamed.add(link.quickbooks_id)
            names.others.add(name)
            return change
        change = plan_renamed(change.item, link, attempt)
    return change


def _adopt_vendor(item: Item, twin: Mapping[str, Any], owners: Mapping[str, str]) -> Change | None:
    """Take over a vendor of the same name, unless it is somebody else's or in another currency."""
    quickbooks_id = str(twin["Id"])
    if quickbooks_id in owners:
        return None
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
