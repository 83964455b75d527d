"""A bill while the company is being made, and its BILL record when it is done (BILL manual 4.2).

Amounts are in the vendor's currency. For foreign vendors `exchangeRate` is US dollars for one unit
of that currency, so that `fundingAmount` is `amount` times `exchangeRate` to the cent. BILL names
no direction; this one is QuickBooks' own, and bookkeepers quote it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Final, Literal

from ap_simulator.company.bill_format import ZERO, Record, bill_id, cents, times, without_unset
from ap_simulator.company.bill_lists import BillLists
from ap_simulator.company.identities import DEMO
from ap_simulator.company.quickbooks_lists import EXCHANGE_RATES
from ap_simulator.company.vendors import Vendor

RecordStatus = Literal["ACTIVE", "INACTIVE", "DRAFT", "DRAFT_DELETED"]

#: The BILL users who enter bills and approve them; the first one is the demo's login.
USER_IDS: Final = (DEMO.user_id, bill_id("users", 2), bill_id("users", 3))

_COLLECTIONS: Final = {
    "account": ("chartOfAccountId", "chart_of_accounts"),
    "accounting_class": ("accountingClassId", "accounting_classes"),
    "department": ("departmentId", "departments"),
    "location": ("locationId", "locations"),
    "item": ("itemId", "items"),
    "job": ("jobId", "jobs"),
    "employee": ("employeeId", "employees"),
    "customer": ("customerId", "customers"),
}
_MOST_LINES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a bill.

    Attributes:
        amount: Its amount.
        description: Its text; empty for none.
        quantity: How many, None where the line is an amount only.
        price: Price of one.
        coding: Keys of what it is booked to, by `account`, `accounting_class`, `department`,
            `location`, `item`, `job`, `employee` and `customer`.
    """

    amount: Decimal
    description: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None
    coding: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Bill:
    """A bill that lines, payments and credits are still added to.

    Attributes:
        ordinal: Its number, from 1; decides its id.
        vendor: Who sent it.
        invoice_number: The vendor's number; empty for none.
        invoice_date: Date of the invoice.
        due_date: When it has to be paid.
        created: When it was entered.
        updated: When it last changed.
        lines: Its lines.
        coding: Coding of the whole bill, as of a line.
        description: Its text.
        role: What it is there to test; empty for an ordinary bill.
        record_status: `ACTIVE`, or why it counts as archived.
        approval_status: Where its approval stands.
        exchange_rate: US dollars for one unit of a foreign currency.
        purchase_order_number: Number of the order it answers; empty for none.
        created_by: Who entered it; empty for BILL itself.
        paid: Cleared payments and applied credits.
        credited: Applied credits.
        scheduled: Payments on their way.
        in_process: Whether money has begun to move for what is `scheduled`.
    """

    ordinal: int
    vendor: Vendor
    invoice_number: str
    invoice_date: date
    due_date: date
    created: datetime
    updated: datetime
    lines: list[Line]
    coding: dict[str, str] = field(default_factory=dict)
    description: str = ""
    role: str = ""
    record_status: RecordStatus = "ACTIVE"
    approval_status: str = "APPROVED"
    exchange_rate: Decimal | None = None
    purchase_order_number: str = ""
    created_by: str = USER_IDS[0]
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    scheduled: Decimal = ZERO
    in_process: bool = False

    @property
    def id(self) -> str:
        """Its BILL id."""
        return bill_id("bills", self.ordinal)

    @property
    def amount(self) -> Decimal:
        """The sum of its lines."""
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def active(self) -> bool:
        """Whether it is neither archived nor a draft."""
        return self.record_status == "ACTIVE"

    @property
    def payable(self) -> bool:
        """Whether it may be paid."""
        return self.active and self.approval_status in {"APPROVED", "UNASSIGNED"} and self.amount > 0

    @property
    def due_amount(self) -> Decimal:
        """What is neither paid nor on its way."""
        return self.amount - self.paid - self.scheduled

    @property
    def payment_status(self) -> str:
        """BILL's summary of its payments."""
        if self.record_status.startswith("DRAFT"):
            return "UNDEFINED"
        if self.due_amount > 0 and self.paid:
            return "PARTIALLY_PAID"
        if self.scheduled:
            return "IN_PROCESS" if self.in_process and not self.due_amount else "SCHEDULED"
        return "PAID" if self.paid else "UNPAID"

    def touch(self, moment: datetime) -> None:
        """Note a change at `moment`."""
        self.updated = max(self.updated, moment)


def bill_record(bill: Bill, lists: BillLists) -> Record:
    """The bill as BILL returns it."""
    rate = bill.exchange_rate
    paying = bool(bill.paid or bill.scheduled)
    return without_unset(
        {
            "id": bill.id,
            "archived": not bill.active,
            "recordStatus": bill.record_status,
            "vendorId": bill.vendor.id,
            "vendorName": bill.vendor.profile.name,
            "amount": bill.amount,
            "fundingAmount": bill.amount if rate is None else cents(bill.amount * rate),
            "paidAmount": bill.paid,
            "dueAmount": bill.due_amount,
            "scheduledAmount": bill.scheduled,
            "creditAmount": bill.credited,
            "exchangeRate": 1 if rate is None else rate,
            "description": bill.description or None,
            "dueDate": bill.due_date.isoformat(),
            "invoice": without_unset(
                {
                    "invoiceNumber": bill.invoice_number or None,
                    "invoiceDate": bill.invoice_date.isoformat(),
                }
            ),
            "billLineItems": [
                _line_record(bill, number, line, lists) for number, line in enumerate(bill.lines, 1)
            ],
            "payFromChartOfAccountId": lists.id_of("chart_of_accounts", "checking") if paying else None,
            "paymentStatus": bill.payment_status,
            "approvalStatus": bill.approval_status,
            "classifications": classifications(bill.coding, lists),
            "approvers": _approvers(bill),
            "purchaseOrderNumber": bill.purchase_order_number or None,
            "createdBy": bill.created_by or None,
            **times(bill.created, bill.updated),
        }
    )


def classifications(coding: dict[str, str], lists: BillLists) -> Record:
    """BILL's ids for a coding by keys."""
    return {
        field_name: lists.id_of(collection, coding[kind])
        for kind, (field_name, collection) in _COLLECTIONS.items()
        if kind in coding
    }


def exchange_rate_at(day: date, currency: str) -> Decimal | None:
    """US dollars for one unit of `currency` on `day`; it wanders by some percent in a year.

    None for US dollars.
    """
    if currency == "USD":
        return None
    month = f"{currency}{day.isoformat()[:7]}"
    wander = Random(month).randint(-30, 30)  # noqa: S311 - the same for every seed
    return (EXCHANGE_RATES[currency] * (1000 + wander) / 1000).quantize(Decimal("0.0001"))


def _line_record(bill: Bill, number: int, line: Line, lists: BillLists) -> Record:
    return without_unset(
        {
            "id": bill_id("bill_lines", bill.ordinal * _MOST_LINES + number),
            "amount": line.amount,
            "quantity": line.quantity,
            "price": line.price,
            "description": line.description or None,
            "classifications": classifications(line.coding, lists),
        }
    )


def _approvers(bill: Bill) -> list[Record]:
    statuses = {
        "APPROVED": ("APPROVED",),
        "ASSIGNED": ("WAITING",),
        "APPROVING": ("APPROVED", "WAITING"),
        "DENIED": ("DENIED",),
    }.get(bill.approval_status, ())
    changed = times(bill.created)["createdTime"]
    return [
        {
            "userId": USER_IDS[1 + order],
            "status": status,
            "approverOrder": order,
            "statusChangedTime": changed,
        }
        for order, status in enumerate(statuses)
    ]
