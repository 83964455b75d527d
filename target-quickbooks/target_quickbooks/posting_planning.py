"""What a payment in QuickBooks is decided by: its stand-in record, vendor, account, rate, void. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.comparison import Difference
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.bill_payment import Settlement, Share, rate_of
from target_quickbooks.mapping.chart import Entry
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.mapping.source import Kind, Reference
from target_quickbooks.planning import Change, Item, Operation
from target_quickbooks.preflight import PAYING_TYPES
from target_quickbooks.steps.linked_vendors import SeenVendor


@dataclass(frozen=True, slots=True)
class Held:
    """What QuickBooks holds of the bills and credits that settlements refer to, and their share of it."""

    bills: Mapping[str, Link]
    credits: Mapping[str, Link]
    shares: Mapping[str, tuple[Share, ...]]
    out_of_use: Collection[str] = ()

    def lacks_for_good(self, settlement: Settlement) -> bool:
        """Whether it pays only bills that were never written and, out of use in BILL, never will be."""
        never = [one for one in settlement.bill_ids if one in self.out_of_use and one not in self.bills]
        return bool(never) and len(never) == len(settlement.bill_ids)


@dataclass(frozen=True, slots=True)
class Around:
    """What settlements in hand refer to."""

    held: Held
    vendors: Mapping[str, SeenVendor]
    references: Mapping[tuple[Kind, str], Reference]


def record_of(company: Company, settlement: Settlement, held: Held) -> Mapping[str, Any]:
    """What stands for the payment's record: BILL's own is not kept. All that decides how it is written."""
    shares = held.shares.get(settlement.id, ())
    linked = {**held.bills, **held.credits}
    credits_ = [credit for share in shares for credit in share.credits]
    return {
        "id": settlement.id,
        "organizationId": company.organization_id,
        "vendorId": settlement.vendor_id,
        "vendorName": settlement.vendor_name,
        "amount": settlement.money,
        "fundingAmount": settlement.funding,
        "processDate": settlement.date,
        "method": settlement.method,
        "reference": settlement.reference,
        "standing": str(settlement.standing),
        "bills": list(settlement.bill_ids),
        "pays": [
            [linked[one].quickbooks_id, amount]
            for one, amount in (*((share.bill_id, share.money) for share in shares), *credits_)
        ],
    }


def void_of(item: Item, link: Link) -> Change:
    """The void of a payment that was written; QuickBooks does the rest."""
    return Change(
        Operation.VOID,
        item,
        body={"Id": link.quickbooks_id, "SyncToken": link.sync_token, "sparse": True},
        differences=(Difference("TotalAmt", link.desired.get("TotalAmt"), Decimal(0)),),
        quickbooks_id=link.quickbooks_id,
        sync_token=link.sync_token,
    )


def paying_account(found: Entry | None, settlement: Settlement) -> Entry:
    """The account that is paid from.

    Raises:
        Refusal: It is not there, inactive or of another type.
    """
    if found is None or not found.active or found.type not in PAYING_TYPES:
        raise Refusal(
            "payment-account-unusable",
            f"{sentence_start(settlement.label)} cannot be written: payment_account names no active account "
            f"of type {' or '.join(PAYING_TYPES)}.",
            advice="Correct payment_account.",
        )
    return found


def payment_rate(settlement: Settlement, currency: str, around: Around) -> Decimal:
    """The rate of a foreign payment.

    Raises:
        Refusal: Nothing tells it.
    """
    sent = (around.held.bills[one].desired.get("ExchangeRate") for one in settlement.bill_ids)
    rate = rate_of(settlement, [Decimal(one) for one in sent if one])
    if rate is None:
        raise Refusal(
            "exchange-rate-missing",
            f"BILL gives no exchange rate for {settlement.label}, which is in {currency}.",
            advice="It follows by itself when BILL says what it paid for it.",
        )
    return rate


def paid_vendor(settlement: Settlement, around: Around) -> str:
    """QuickBooks' id of the vendor.

    Raises:
        Refusal: It is not there, or inactive.
    """
    seen = around.vendors.get(settlement.vendor_id)
    reference = around.references.get((Kind.VENDOR, settlement.vendor_id))
    name = (reference.name if reference else "") or settlement.vendor_name or settlement.vendor_id
    if seen is None:
        raise Refusal(
            "vendor-awaited",
            f"{sentence_start(settlement.label)} waits for its vendor '{name}', which is not in "
            "QuickBooks yet.",
            advice="It follows by itself once the vendor is there; see whether the vendor failed.",
            awaited=Awaited("vendors", settlement.vendor_id),
        )
    seen.check(settlement.label, name, has_order=False)
    return seen.link.quickbooks_id
