"""BILL vendor credit to QuickBooks VendorCredit (BILL manual 4.9). Pure.

A vendor credit reads like a bill: a vendor, lines with classifications, a number and a date. What it pays is
said by the payments that use it, or by payments of nothing (``bill_payment``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_quickbooks.mapping import names
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.purchase_order import (
    OrderContext,
    VendorInQuickBooks,
    document_number,
    draft_of,
)
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill, read_bill

ENTITY = "VendorCredit"
_LABEL_LENGTH = 100


def read_vendor_credit(record: Mapping[str, Any]) -> Bill:
    """Read a BILL vendor credit as what it reads like.

    Raises:
        Refusal: A date or an amount cannot be read, or there is no vendor.
    """
    alike = {
        **record,
        "invoice": {"invoiceNumber": record.get("referenceNumber"), "invoiceDate": record.get("creditDate")},
        "billLineItems": record.get("vendorCreditLineItems"),
    }
    try:
        return replace(read_bill(alike), due_date=None, approval_status="APPROVED")
    except Refusal as refusal:
        reason = refusal.reason.replace("Bill ", "Vendor credit ", 1).replace("billLineItems", "its lines")
        code = refusal.code.replace("bill-", "credit-", 1)
        raise Refusal(code, reason, advice=refusal.advice, awaited=refusal.awaited) from None


def map_vendor_credit(credit: Bill, vendor: VendorInQuickBooks, context: OrderContext) -> Mapped:
    """Say what a BILL vendor credit should look like in QuickBooks.

    Raises:
        Refusal: A classification cannot be resolved, amounts do not add up, or it is in a foreign currency:
            BILL tells no rate.
    """
    what = credit_label(replace(credit, vendor_name=credit.vendor_name or vendor.name))
    foreign = context.chart.company.multicurrency and vendor.currency != context.chart.company.home_currency
    if foreign and not (credit.exchange_rate or credit.funding_amount):
        raise Refusal(
            "exchange-rate-missing",
            f"BILL gives no exchange rate for {what}, which is in {vendor.currency}.",
            advice="Enter it in QuickBooks by hand and dismiss this failure.",
        )
    draft = draft_of(credit, vendor, context, what)
    number = document_number(credit, context.policies.document_number)
    if number:
        draft.payload["DocNumber"] = number
    return draft.mapped(ENTITY, what)


def credit_label(credit: Bill) -> str:
    """How a person would call a vendor credit: its number and its vendor."""
    reference = names.plain_line(credit.invoice_number, _LABEL_LENGTH)
    vendor = names.plain_line(credit.vendor_name, _LABEL_LENGTH)
    number = f"'{reference}'" if reference else credit.id
    return f"vendor credit {number} of {vendor}" if vendor else f"vendor credit {number}"
