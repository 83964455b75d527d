"""BILL bill to QuickBooks Bill, for firms that keep their payables in QuickBooks. Pure.

A Bill (QuickBooks manual 6.3) has the lines, date, number and location that a purchase order has, but no
status: what is open follows from its payments. QuickBooks' API cannot void a Bill, so that one that is out of
use in BILL gets what voiding it in the product gives it: all amounts zero, and a memo that says so. It comes
back with the bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping.chart import ClassTracking
from target_quickbooks.mapping.names import NOTE_LENGTH
from target_quickbooks.mapping.payload import Mapped, Payload
from target_quickbooks.mapping.purchase_order import (
    OrderContext,
    VendorInQuickBooks,
    bill_label,
    document_number,
    draft_of,
    retired_note,
)
from target_quickbooks.mapping.source import Bill

ENTITY = "Bill"
_VOIDED = "Voided"
_ROOM = NOTE_LENGTH - len(f"{_VOIDED} - ")
_ITEM_LINE = "ItemBasedExpenseLineDetail"


def map_as_bill(bill: Bill, vendor: VendorInQuickBooks, context: OrderContext) -> Mapped:
    """Say what a BILL bill should look like as a QuickBooks Bill.

    Its number is the vendor's invoice number, which QuickBooks keeps whatever it does with the numbers of
    other transactions.

    Raises:
        Refusal: A classification cannot be resolved, amounts do not add up, or the company lacks what
            the bill needs (multicurrency, a payables account).
    """
    what = bill_label(bill)
    draft = draft_of(bill, vendor, context, what)
    number = document_number(bill, context.policies.document_number)
    if number:
        draft.payload["DocNumber"] = number
    if context.chart.company.class_tracking is ClassTracking.PER_DOCUMENT and any(
        line.quickbooks_class for line in draft.lines
    ):
        draft.notes.append("no class: QuickBooks' API takes none for a bill as a whole")
    return draft.mapped(ENTITY, what)


def voided(payload: Payload) -> dict[str, Any]:
    """The transaction with nothing to pay."""
    note = str(payload.get("PrivateNote") or "")
    if not is_voided(payload):
        note = f"{_VOIDED} - {note[-_ROOM:]}" if note else _VOIDED
    return {
        **payload,
        "PrivateNote": note,
        "Line": [_zeroed(line) for line in payload.get("Line") or ()],
    }


def is_voided(payload: Mapping[str, Any]) -> bool:
    """Whether there is nothing to pay and the memo says so; also of what QuickBooks holds."""
    marked = str(payload.get("PrivateNote") or "").startswith(_VOIDED)
    return marked and not any(Decimal(line.get("Amount") or 0) for line in payload.get("Line") or ())


def retired(payload: Payload) -> dict[str, Any]:
    """The transaction given up for good: another one takes its place."""
    note = retired_note(str(payload.get("PrivateNote") or ""))
    return voided({**payload, "PrivateNote": note})


def _zeroed(line: Mapping[str, Any]) -> dict[str, Any]:
    """The line without an amount; an item keeps its quantity, at no price."""
    detail = line.get(_ITEM_LINE)
    free = {_ITEM_LINE: {**detail, "UnitPrice": Decimal(0)}} if detail and "UnitPrice" in detail else {}
    return {**line, "Amount": Decimal("0.00"), **free}
