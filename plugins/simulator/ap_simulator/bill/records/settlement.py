"""What of a bill is paid, scheduled and still due, and what the bill's status is for it.

A bill keeps `paidAmount` (cleared payments and credits), `scheduledAmount` (payments on their way)
and `creditAmount` (credits alone); `dueAmount` is what remains (BILL manual 4.2). Payments and
credits move them by differences, so that bills which were loaded with amounts of their own, and no
payments to account for them, stay consistent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ap_simulator.bill.books import VENDOR_ID, Books
from ap_simulator.bill.errors import Code, refusal
from ap_simulator.bill.records.payment_statuses import DEAD, IN_PROCESS, PAID
from ap_simulator.bill.records.vendors import owe
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record, money

_NOTHING = money(0)


@dataclass(frozen=True, slots=True)
class Movement:
    """By how much a bill's amounts move."""

    scheduled: Decimal = _NOTHING
    paid: Decimal = _NOTHING
    credit: Decimal = _NOTHING


def movement_of(*steps: tuple[str, Decimal]) -> Movement:
    """How a bill's amounts move if these amounts are paid in these statuses."""
    scheduled = paid = money(0)
    for single_status, amount in steps:
        if single_status in PAID:
            paid += amount
        elif single_status not in DEAD:
            scheduled += amount
    return Movement(scheduled=scheduled, paid=paid)


def amount_of(record: Record, name: str) -> Decimal:
    """An amount of a record; unset is nothing."""
    return money(record.get(name) or 0)


def owed_for(bill: Record) -> Decimal:
    """What a bill adds to its vendor's balance: its due amount, unless archived."""
    return _NOTHING if bill.get("archived") else amount_of(bill, "dueAmount")


def restated(bill: Record, *, in_process: bool, switches: BillSwitches) -> Record:
    """The bill with due amount and payment status as its other amounts have them.

    Args:
        bill: The bill.
        in_process: Whether one of its payments is on its way already.
        switches: Name the status of a partly scheduled bill.

    Raises:
        Refusal: BDC_1159: more is paid and scheduled than the bill amounts to.
    """
    amount, paid = amount_of(bill, "amount"), amount_of(bill, "paidAmount")
    scheduled = amount_of(bill, "scheduledAmount")
    due = amount - paid - scheduled
    if due < 0 <= amount:
        raise refusal(Code.OVERPAID, status=400)
    if due > 0 and paid > 0:
        status = "PARTIALLY_PAID"
    elif due > 0 and scheduled > 0:
        status = switches.partly_scheduled_status
    elif scheduled > 0:
        status = "IN_PROCESS" if in_process else "SCHEDULED"
    else:
        status = "PAID" if paid > 0 else "UNPAID"
    return {**bill, "dueAmount": due, "paymentStatus": status}


def move(books: Books, bill_id: str, movement: Movement) -> None:
    """Move a bill's amounts; whether its `updatedTime` moves too is a switch.

    Raises:
        Refusal: BDC_1159.
    """
    old = books["bills"].get(bill_id)
    if old is None:
        return
    changed: dict[str, Any] = {
        **old,
        "scheduledAmount": max(_NOTHING, amount_of(old, "scheduledAmount") + movement.scheduled),
        "paidAmount": max(_NOTHING, amount_of(old, "paidAmount") + movement.paid),
        "creditAmount": max(_NOTHING, amount_of(old, "creditAmount") + movement.credit),
    }
    new = restated(changed, in_process=is_in_process(books, old), switches=books.switches)
    bumps = books.switches.payment_bumps_bill
    saved = books.save("bills", new, operation="update" if bumps else None)
    owe(books, saved["vendorId"], owed_for(saved) - owed_for(old))
    if bumps:
        books.publish("bill.updated", saved)


def is_in_process(books: Books, bill: Record) -> bool:
    """Whether a payment of the bill is on its way."""
    return any(
        payment.get("singleStatus") in IN_PROCESS and bill["id"] in bills_paid_by(payment)
        for payment in books["payments"].with_value(VENDOR_ID, bill["vendorId"])
    )


def bills_paid_by(payment: Mapping[str, Any]) -> list[str]:
    """The ids of the bills that a payment pays."""
    return [part["billId"] for part in payment.get("billPayments", ()) if part.get("billId")]
