"""What bills in hand refer to on both sides, and the vendor of one of them as it has to be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from target_quickbooks.mapping.chart import Chart
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.payments import Account
from target_quickbooks.mapping.purchase_order import VendorInQuickBooks
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.mapping.source import Bill, Kind, Reference
from target_quickbooks.policies import ArchivedVendor, Policies
from target_quickbooks.steps.linked_vendors import SeenVendor


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the bills in hand refer to, on both sides."""

    vendors: Mapping[str, SeenVendor]
    references: Mapping[tuple[Kind, str], Reference]
    chart: Chart
    accounts: Mapping[str, Account]


def vendor_of(
    bill: Bill, what: str, around: Surroundings, policies: Policies, *, has_order: bool
) -> VendorInQuickBooks:
    """The bill's vendor in QuickBooks.

    Args:
        bill: The bill, or what reads like one.
        what: How a person would call it.
        around: What it refers to.
        policies: ``archived_vendor`` decides.
        has_order: Whether it was written before.

    Raises:
        Refusal: It is not there (yet or any more), or inactive.
    """
    seen = around.vendors.get(bill.vendor_id)
    link = seen.link if seen else None
    reference = around.references.get((Kind.VENDOR, bill.vendor_id))
    name = (reference.name if reference else "") or bill.vendor_name or bill.vendor_id
    deactivated = policies.archived_vendor is ArchivedVendor.DEACTIVATE or link is None
    if reference and reference.archived and deactivated:
        raise Refusal(
            "vendor-archived",
            f"{sentence_start(what)} is active, but its vendor '{name}' is archived in BILL.",
            advice="Restore the vendor in BILL, or archive the bill.",
            awaited=Awaited("vendors", bill.vendor_id),
        )
    if seen is None:
        raise Refusal(
            "vendor-awaited",
            f"{sentence_start(what)} waits for its vendor '{name}', which is not in QuickBooks yet.",
            advice="It follows by itself once the vendor is there; see whether the vendor failed.",
            awaited=Awaited("vendors", bill.vendor_id),
        )
    seen.check(what, name, has_order=has_order)
    home = around.chart.company.home_currency
    currency = (reference.currency if reference else "") or home
    held = (seen.link.desired.get("CurrencyRef") or {}).get("value")
    if held and held != currency and around.chart.company.multicurrency:
        raise Refusal(
            "vendor-currency-differs",
            f"{sentence_start(what)} is in {currency}, but its vendor '{name}' is kept in {held} in "
            "QuickBooks, which fixes a vendor's currency for life.",
            advice=f"Add a vendor for {currency} in BILL and move the bill there.",
        )
    return VendorInQuickBooks(seen.link.quickbooks_id, name, currency)


def names_of(references: Mapping[tuple[Kind, str], Reference], *kinds: Kind) -> list[str]:
    """The names of the references of these kinds."""
    return [found.name for found in references.values() if found.kind in kinds]


def leaves(names: Iterable[str]) -> list[str]:
    """The last parts of full names: what customers and items are looked up by."""
    return [name.rpartition(":")[2].strip() for name in names]
