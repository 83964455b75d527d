"""Vendor credits, applied in full, in part and not at all (BILL manual 4.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from ap_simulator.company.bill_format import ZERO, Record, bill_id, cents, times
from ap_simulator.company.bill_lists import BillLists
from ap_simulator.company.bills import Bill, classifications
from ap_simulator.company.calendar import PERIOD_END
from ap_simulator.company.vendors import Vendor

#: How much of each credit is applied, and whether it is archived.
_SHARES: Final = (
    *((Decimal(1), False),) * 3,
    *((Decimal("0.4"), False),) * 3,
    *((Decimal(0), False),) * 3,
    (Decimal(0), True),
)
_SETTLED_BEFORE: Final = PERIOD_END - timedelta(days=90)
_LEAST_BILL: Final = Decimal(200)
_REASONS: Final = ("Returned goods", "Service outage", "Billing error", "Volume rebate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a credit paid of a bill, with which payment."""

    bill_id: str
    payment_id: str
    amount: Decimal


@dataclass(slots=True, kw_only=True)
class Credit:
    """A vendor credit that uses are still added to.

    Attributes:
        ordinal: Its number, from 1.
        vendor: Whose it is.
        amount: How much, in the vendor's currency.
        to_apply: How much of it is for `bill`.
        bill: The bill it goes with.
        account: Key of the account it is booked to.
        created: When it was entered.
        updated: When it last changed.
        archived: Whether it is archived.
        reason: Its description.
        uses: What it paid.
    """

    ordinal: int
    vendor: Vendor
    amount: Decimal
    to_apply: Decimal
    bill: Bill
    account: str
    created: datetime
    updated: datetime
    archived: bool
    reason: str
    uses: list[Use] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its BILL id."""
        return bill_id("vendor_credits", self.ordinal)

    @property
    def applied(self) -> Decimal:
        """What it has paid."""
        return sum((use.amount for use in self.uses), ZERO)


def plan_credits(bills: Sequence[Bill], random: Random) -> list[Credit]:
    """Credits for ordinary bills that are long due, none of them applied yet."""
    candidates = [
        bill
        for bill in bills
        if bill.payable
        and not bill.role
        and bill.due_date < _SETTLED_BEFORE
        and bill.amount >= _LEAST_BILL
        and bill.vendor.profile.currency == "USD"
        and "account" in bill.lines[0].coding
    ]
    chosen = random.sample(candidates, len(_SHARES))
    return [
        _credit(ordinal, bill, share, random, archived=archived)
        for ordinal, (bill, (share, archived)) in enumerate(zip(chosen, _SHARES, strict=True), 1)
    ]


def credit_record(credit: Credit, lists: BillLists) -> Record:
    """The credit as BILL returns it."""
    first = cents(credit.amount / 3)
    amounts = [first, credit.amount - first] if first else [credit.amount]
    return {
        "id": credit.id,
        "vendorId": credit.vendor.id,
        "referenceNumber": f"{credit.bill.invoice_number[:14]}-CR",
        "creditDate": credit.created.date().isoformat(),
        "description": credit.reason,
        "archived": credit.archived,
        "applyToChartOfAccountId": lists.id_of("chart_of_accounts", "payable"),
        "amount": credit.amount,
        "appliedAmount": credit.applied,
        "status": _status(credit),
        "vendorCreditLineItems": [
            {
                "id": bill_id("credit_lines", credit.ordinal * 10 + number),
                "description": credit.reason,
                "amount": amount,
                "classifications": classifications({"account": credit.account}, lists),
            }
            for number, amount in enumerate(amounts, 1)
        ],
        "usage": [
            {"billId": use.bill_id, "paymentId": use.payment_id, "amount": use.amount} for use in credit.uses
        ],
        **times(credit.created, credit.updated),
    }


def _credit(ordinal: int, bill: Bill, share: Decimal, random: Random, *, archived: bool) -> Credit:
    amount = cents(bill.amount * random.randint(8, 30) / 100)
    created = bill.created + timedelta(hours=random.randint(1, 30))
    return Credit(
        ordinal=ordinal,
        vendor=bill.vendor,
        amount=amount,
        to_apply=cents(amount * share),
        bill=bill,
        account=bill.lines[0].coding["account"],
        created=created,
        updated=created,
        archived=archived,
        reason=random.choice(_REASONS),
    )


def _status(credit: Credit) -> str:
    if not credit.applied:
        return "NOT_APPLIED"
    return "FULLY_APPLIED" if credit.applied == credit.amount else "PARTIALLY_APPLIED"
