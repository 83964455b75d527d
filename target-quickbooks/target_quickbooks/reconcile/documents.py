"""Records of both sides, reduced to what reconciling compares. Pure.

What BILL says is read from BILL's own record, not from what was last sent: a mistake of the mapping would
otherwise agree with itself.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping.chart import Company as Profile
from target_quickbooks.mapping.names import own_name
from target_quickbooks.mapping.purchase_order import bill_label, document_number, read_marker
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill, read_bill, read_vendor
from target_quickbooks.mapping.vendor import map_vendor
from target_quickbooks.order_planning import out_of_use, waits_for_approval
from target_quickbooks.policies import ArchivedBill, ArchivedVendor, PaidBill, Policies
from target_quickbooks.transaction import PURCHASE_ORDER, Transaction

_PAID = "PAID"
_PAID_FOR = frozenset({_PAID, "PARTIALLY_PAID"})
#: What a bill is that was voided in place of an order that was closed.
ENDED, IN_USE = "Closed", "Open"
_NEVER_COMPARED = frozenset({"TaxIdentifier"})


class Expected(enum.StrEnum):
    """What BILL and the policies let one expect in QuickBooks."""

    OPEN = "open"
    CLOSED = "closed"
    ABSENT = "absent"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class BillDocument:
    """A BILL bill.

    Attributes:
        vendor_id: Of the BILL vendor.
        number: The document number to ask for; empty if QuickBooks chooses.
        date: Invoice date, ISO; empty if there is none.
        open_amount: What is still to be paid.
        unpaid: What is not paid by what has cleared; None if BILL does not say, or nobody is to compare it.
        expected: Whether there should be an order, and in which state. ``CLOSED`` and ``ABSENT`` are for
            bills out of use: closed if they were ever written. ``EITHER`` leaves both to people.
        paid: Whether BILL reports it as paid.
        reason: Why nothing is expected, in words.
        digest: Fingerprint of the record.
        unreadable: Why the record cannot be read, if so.
    """

    bill_id: str
    label: str
    vendor_id: str
    vendor_name: str
    number: str = ""
    date: str = ""
    due: str = ""
    amount: Decimal = Decimal(0)
    open_amount: Decimal = Decimal(0)
    unpaid: Decimal | None = None
    expected: Expected = Expected.OPEN
    paid: bool = False
    reason: str = ""
    digest: str = ""
    unreadable: str = ""

    @property
    def counts(self) -> bool:
        """Whether it belongs to the totals."""
        return not self.reason or self.unreadable != ""


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """A purchase order, or a bill, as QuickBooks holds it.

    Attributes:
        vendor_id: Of the QuickBooks vendor.
        mark: Organization and bill id that its note carries, if any.
        unpaid: What of a bill is open; None of an order.
        live: All of it.
    """

    quickbooks_id: str
    vendor_id: str
    vendor_name: str
    number: str
    date: str
    due: str
    amount: Decimal
    currency: str
    status: str
    mark: tuple[str, str] | None
    live: Mapping[str, Any]
    unpaid: Decimal | None = None


@dataclass(frozen=True, slots=True)
class VendorDocument:
    """A BILL vendor, mapped: what its QuickBooks vendor should look like."""

    bill_id: str
    name: str
    currency: str
    archived: bool
    digest: str
    payload: Mapping[str, Any]
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class HeldVendor:
    """A vendor as QuickBooks holds it; its name without what QuickBooks writes behind inactive ones."""

    quickbooks_id: str
    name: str
    active: bool
    currency: str
    live: Mapping[str, Any]


def read_bill_document(record: Mapping[str, Any], policies: Policies, digest: str) -> BillDocument:
    """Reduce a BILL bill; one that cannot be read says so instead."""
    try:
        bill = read_bill(record)
    except Refusal as refusal:
        return BillDocument(
            bill_id=str(record["id"]),
            label=f"bill {record['id']}",
            vendor_id=str(record.get("vendorId") or ""),
            vendor_name=str(record.get("vendorName") or ""),
            digest=digest,
            unreadable=refusal.reason,
        )
    expected, reason = _expected(bill, policies)
    due = record.get("dueAmount")
    return BillDocument(
        bill_id=bill.id,
        label=bill_label(bill),
        vendor_id=bill.vendor_id,
        vendor_name=bill.vendor_name,
        number=document_number(bill, policies.document_number),
        date=_iso(bill.invoice_date),
        due=_iso(bill.due_date),
        amount=bill.amount,
        open_amount=_open_amount(bill, due),
        unpaid=_unpaid(bill, record.get("paidAmount")) if policies.posts_payments else None,
        expected=expected,
        paid=bill.payment_status == _PAID,
        reason=reason,
        digest=digest,
    )


def read_vendor_document(
    record: Mapping[str, Any], profile: Profile, policies: Policies, digest: str
) -> VendorDocument:
    """Map a BILL vendor; one that cannot be mapped says so instead."""
    archived = record.get("archived") is True
    try:
        vendor = read_vendor(record)
        mapped = map_vendor(vendor, profile)
    except Refusal as refusal:
        return VendorDocument(
            bill_id=str(record["id"]),
            name=str(record.get("name") or record["id"]),
            currency=str(record.get("billCurrency") or profile.home_currency).upper(),
            archived=archived,
            digest=digest,
            payload={},
            unreadable=refusal.reason,
        )
    kept = {key: value for key, value in mapped.payload.items() if key not in _NEVER_COMPARED}
    if vendor.archived and policies.archived_vendor is ArchivedVendor.LEAVE:
        kept.pop("Active", None)
    return VendorDocument(
        bill_id=vendor.id,
        name=vendor.name,
        currency=vendor.currency or profile.home_currency,
        archived=vendor.archived,
        digest=digest,
        payload=kept,
    )


def read_order(row: Mapping[str, Any], profile: Profile, kind: Transaction = PURCHASE_ORDER) -> OrderDocument:
    """Reduce a purchase order; or a bill, which is closed if it is voided."""
    vendor = row.get("VendorRef") or {}
    state = str(row.get("POStatus") or "")
    if kind is not PURCHASE_ORDER:
        state = ENDED if kind.is_ended(row) else IN_USE
    return OrderDocument(
        quickbooks_id=str(row["Id"]),
        vendor_id=str(vendor.get("value") or ""),
        vendor_name=str(vendor.get("name") or ""),
        number=str(row.get("DocNumber") or ""),
        date=str(row.get("TxnDate") or ""),
        due=str(row.get("DueDate") or ""),
        amount=Decimal(row.get("TotalAmt") or 0),
        currency=str((row.get("CurrencyRef") or {}).get("value") or profile.home_currency),
        status=state,
        mark=read_marker(str(row.get("PrivateNote") or "")),
        live=row,
        unpaid=None if row.get("Balance") is None else Decimal(row["Balance"]),
    )


def read_held_vendor(row: Mapping[str, Any], profile: Profile) -> HeldVendor:
    """Reduce a vendor of QuickBooks."""
    return HeldVendor(
        quickbooks_id=str(row["Id"]),
        name=own_name(row),
        active=row.get("Active") is not False,
        currency=str((row.get("CurrencyRef") or {}).get("value") or profile.home_currency),
        live=row,
    )


def _expected(bill: Bill, policies: Policies) -> tuple[Expected, str]:
    reason = out_of_use(bill, policies)
    if reason:
        leaves = bill.archived and policies.archived_bill is ArchivedBill.LEAVE
        leaves = leaves or (policies.posts_bills and bill.payment_status in _PAID_FOR)
        return (Expected.EITHER if leaves else Expected.CLOSED), reason
    if waits_for_approval(bill, policies):
        return Expected.EITHER, "waits for approval in BILL"
    if bill.payment_status == _PAID and not policies.posts_bills:
        closes = policies.paid_bill is PaidBill.CLOSE
        return (Expected.CLOSED if closes else Expected.OPEN), ""
    return Expected.OPEN, ""


def _open_amount(bill: Bill, due: Any) -> Decimal:
    if bill.archived or bill.payment_status == _PAID:
        return Decimal(0)
    try:
        return Decimal(str(due)) if due is not None else bill.amount
    except ArithmeticError:
        return bill.amount


def _unpaid(bill: Bill, paid: Any) -> Decimal | None:
    try:
        return None if paid is None else bill.amount - Decimal(str(paid))
    except ArithmeticError:
        return None


def _iso(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
