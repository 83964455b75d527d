"""Payments in every status, and what they do to the bills they pay (BILL manual 4.3).

What a status means for a bill (paid, on its way, nothing) is the BILL service's own table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Final

from ap_simulator.bill.records.disbursements import disbursement_fields
from ap_simulator.bill.records.payment_statuses import (
    DEAD,
    IN_PROCESS,
    PAID,
    SCHEDULED,
    SINGLE_STATUSES,
    coarse_status,
)
from ap_simulator.company.bill_format import ZERO, Record, bill_id, cents, times, without_unset
from ap_simulator.company.bills import USER_IDS, Bill, exchange_rate_at
from ap_simulator.company.calendar import CLOSING, PERIOD_END, office_moment
from ap_simulator.company.credits import Credit, Use

_BANK_ACCOUNT: Final = {"type": "BANK_ACCOUNT", "id": bill_id("bank_accounts", 1)}
_CARD: Final = {"type": "CARD_ACCOUNT", "id": bill_id("bank_accounts", 2)}
_WALLET: Final = {"type": "WALLET"}
_MOST_PARTS: Final = 50

#: Days before the end of the twelve months: what was due earlier is mostly settled, what is due
#: between the two is on its way, what is due later is open or scheduled.
_SETTLED_DAYS: Final = 40
_MOVING_DAYS: Final = 6
#: A bill entered later than this before the end has no payment yet.
_TIME_TO_PAY: Final = timedelta(days=3)
_MOVING: Final = ("FUNDING_STARTED", "PROCESSED", "SENT", "DELIVERED", "CLEARED", "CLEARED")


@dataclass(slots=True, kw_only=True)
class Part:
    """What a payment pays of one bill: money, and an amount of a credit."""

    bill: Bill
    amount: Decimal
    credit: Credit | None = None
    credited: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class Payment:
    """A payment.

    Attributes:
        ordinal: Its number, from 1.
        parts: What it pays; all bills are of one vendor.
        single_status: BILL's `singleStatus`.
        process_date: When the money is taken.
        created: When it was made.
        updated: When it last changed.
        online: Whether BILL carries it out; else it is only recorded.
        approving: Whether it still waits for an approver.
        funding: Where the money comes from.
    """

    ordinal: int
    parts: list[Part]
    single_status: str
    process_date: date
    created: datetime
    updated: datetime
    online: bool = True
    approving: bool = False
    funding: Record = field(default_factory=lambda: dict(_BANK_ACCOUNT))

    @property
    def id(self) -> str:
        """Its BILL id."""
        return bill_id("payments", self.ordinal)

    @property
    def amount(self) -> Decimal:
        """The money it moves, in the vendor's currency."""
        return sum((part.amount for part in self.parts), ZERO)


class PaymentPlan:
    """Makes payments one by one and lets their bills and credits know."""

    def __init__(self, random: Random) -> None:
        self.payments: list[Payment] = []
        self._random = random
        self._ordinals = count(1)

    def pay(self, parts: Sequence[Part], single_status: str, *, day: date, online: bool = True) -> Payment:
        """Pay `parts` with money taken on `day`, and see the payment get to a status."""
        random = self._random
        latest_entry = max(part.bill.created for part in parts)
        day = max(day, latest_entry.date() + timedelta(days=1))
        if single_status != SCHEDULED:
            day = min(day, PERIOD_END - timedelta(days=1))
        made_on = min(max(day - timedelta(days=random.randint(1, 4)), latest_entry.date()), PERIOD_END)
        created = max(office_moment(made_on, random), latest_entry + timedelta(minutes=7))
        moved = day + timedelta(days=0 if single_status == SCHEDULED else random.randint(0, 6))
        updated = max(created, office_moment(min(moved, PERIOD_END), random))
        payment = Payment(
            ordinal=next(self._ordinals),
            parts=list(parts),
            single_status=single_status,
            process_date=day,
            created=min(created, CLOSING),
            updated=created if single_status == SCHEDULED else min(updated, CLOSING),
            online=online,
            approving=single_status == SCHEDULED and random.randrange(8) == 0,
            funding=random.choice((_BANK_ACCOUNT, _BANK_ACCOUNT, _BANK_ACCOUNT, _CARD, _WALLET)),
        )
        self.payments.append(payment)
        for part in parts:
            _settle(part, payment)
        return payment

    def pay_whole(self, bill: Bill, single_status: str, *, day: date | None = None) -> Payment:
        """Pay all that is open of a bill, by default on its due date."""
        return self.pay([Part(bill=bill, amount=bill.due_amount)], single_status, day=day or bill.due_date)


def plan_payments(bills: Sequence[Bill], credits_: Sequence[Credit], random: Random) -> list[Payment]:
    """All payments; the bills and credits are changed as they pay them."""
    plan = PaymentPlan(random)
    _pay_special_bills(bills, plan)
    for credit in credits_:
        if credit.to_apply:
            part = Part(
                bill=credit.bill,
                amount=credit.bill.due_amount - credit.to_apply,
                credit=credit,
                credited=credit.to_apply,
            )
            plan.pay([part], "CLEARED", day=credit.bill.due_date)
    open_bills = [
        bill
        for bill in sorted(bills, key=lambda bill: (bill.due_date, bill.ordinal))
        if bill.payable and not bill.paid and not bill.scheduled and bill.role not in _LEFT_OPEN
        if bill.created.date() < PERIOD_END - _TIME_TO_PAY
    ]
    for bill in _one_of_each_status(open_bills, plan):
        open_bills.remove(bill)
    for bill in open_bills:
        _pay_in_due_course(bill, plan, random)
    return plan.payments


#: Special bills that nobody pays, or that `_pay_special_bills` has dealt with.
_LEFT_OPEN: Final = frozenset(
    {"partially_paid", "paid_in_two", "paid_and_scheduled", "voided_and_paid_again", "refused"}
)


def _pay_special_bills(bills: Sequence[Bill], plan: PaymentPlan) -> None:
    by_role: dict[str, list[Bill]] = {}
    for bill in bills:
        by_role.setdefault(bill.role, []).append(bill)
    (partial,) = by_role["partially_paid"]
    plan.pay([_share(partial, "0.4")], "CLEARED", day=partial.due_date)
    (in_two,) = by_role["paid_in_two"]
    plan.pay([_share(in_two, "0.5")], "CLEARED", day=in_two.due_date - timedelta(days=12))
    plan.pay_whole(in_two, "CLEARED")
    (half,) = by_role["paid_and_scheduled"]
    plan.pay([_share(half, "0.5")], "CLEARED", day=PERIOD_END - timedelta(days=9))
    plan.pay_whole(half, SCHEDULED, day=PERIOD_END + timedelta(days=4))
    together = by_role["paid_together"]
    parts = [Part(bill=bill, amount=bill.amount) for bill in together]
    plan.pay(parts, "CLEARED", day=max(bill.due_date for bill in together))
    (voided,) = by_role["voided_and_paid_again"]
    plan.pay_whole(voided, "VOIDED")
    plan.pay_whole(voided, "CLEARED", day=voided.due_date + timedelta(days=15))
    (offline,) = by_role["paid_offline"]
    plan.pay([Part(bill=offline, amount=offline.amount)], "CLEARED", day=offline.due_date, online=False)
    (abroad,) = by_role["paid_abroad"]
    plan.pay_whole(abroad, "DELIVERED")
    # A refused bill may be paid all the same: BILL does not know of the refusal.
    plan.pay_whole(by_role["refused"][0], "CLEARED")


def _share(bill: Bill, share: str) -> Part:
    return Part(bill=bill, amount=cents(bill.amount * Decimal(share)))


def _one_of_each_status(open_bills: Sequence[Bill], plan: PaymentPlan) -> Iterator[Bill]:
    """Bring a payment of an ordinary bill into each status."""
    ordinary = [bill for bill in open_bills if not bill.role]
    moving = (bill for bill in reversed(ordinary) if bill.due_date <= PERIOD_END)
    old = (bill for bill in ordinary if bill.due_date < PERIOD_END - timedelta(days=_SETTLED_DAYS))
    late = (bill for bill in reversed(ordinary) if bill.due_date > PERIOD_END)
    for status in sorted(SINGLE_STATUSES):
        bill = next(late if status == SCHEDULED else moving if status in IN_PROCESS else old)
        plan.pay_whole(bill, status)
        yield bill


def _pay_in_due_course(bill: Bill, plan: PaymentPlan, random: Random) -> None:
    overdue = (PERIOD_END - bill.due_date).days
    chance = random.randrange(100)
    if bill.role == "recurring_paid_automatically":
        plan.pay_whole(
            bill, "CLEARED" if overdue > _MOVING_DAYS else "PROCESSED" if overdue >= 0 else SCHEDULED
        )
    elif overdue > _SETTLED_DAYS:
        _settle_old(bill, plan, chance)
    elif overdue >= -_MOVING_DAYS:
        if chance < 70:  # noqa: PLR2004 - per cent
            plan.pay_whole(bill, random.choice(_MOVING) if overdue > 0 else SCHEDULED)
    elif chance < 20:  # noqa: PLR2004 - per cent
        plan.pay_whole(bill, SCHEDULED)


def _settle_old(bill: Bill, plan: PaymentPlan, chance: int) -> None:
    """Nine of ten long due bills are paid, some of them by a check that BILL only recorded."""
    if chance < 80:  # noqa: PLR2004 - per cent
        plan.pay_whole(bill, "CLEARED")
    elif chance < 90:  # noqa: PLR2004
        plan.pay([Part(bill=bill, amount=bill.amount)], "CLEARED", day=bill.due_date, online=False)
    elif chance < 94:  # noqa: PLR2004
        plan.pay([_share(bill, "0.6")], "CLEARED", day=bill.due_date)


def _settle(part: Part, payment: Payment) -> None:
    """Let the bill, and the credit used, know of a payment."""
    status, bill = payment.single_status, part.bill
    bill.touch(payment.updated)
    if status in DEAD:
        return
    if status in PAID:
        bill.paid += part.amount
    else:
        bill.scheduled += part.amount
        bill.in_process = bill.in_process or status in IN_PROCESS
    if part.credit is not None:
        bill.paid += part.credited
        bill.credited += part.credited
        part.credit.updated = max(part.credit.updated, payment.created)
        part.credit.uses.append(Use(bill_id=bill.id, payment_id=payment.id, amount=part.credited))


def payment_record(payment: Payment, random: Random) -> Record:
    """The payment as BILL returns it."""
    vendor = payment.parts[0].bill.vendor
    information = vendor.record.get("paymentInformation", {})
    rate = exchange_rate_at(payment.process_date, vendor.profile.currency)
    record = without_unset(
        {
            "id": payment.id,
            "vendorId": vendor.id,
            "vendorName": vendor.profile.name,
            "billId": payment.parts[0].bill.id if len(payment.parts) == 1 else None,
            "billPayments": [_part_record(payment, n, part) for n, part in enumerate(payment.parts, 1)],
            "description": payment.parts[0].bill.invoice_number or None,
            "processDate": payment.process_date.isoformat(),
            "amount": payment.amount,
            "fundingAmount": payment.amount if rate is None else cents(payment.amount * rate),
            "exchangeRate": 1 if rate is None else rate,
            "transactionNumber": "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=20)),
            "status": "APPROVING" if payment.approving else coarse_status(payment.single_status),
            "singleStatus": payment.single_status,
            "onlinePayment": payment.online,
            "remittanceEmail": information.get("email"),
            "createdBy": USER_IDS[0],
            "voidInfo": _void_info(payment),
            **times(payment.created, payment.updated),
        }
    )
    if not payment.online:
        return {**record, "disbursementType": "OFFLINE"}
    record |= {
        "fundingAccount": dict(payment.funding),
        "disbursementType": information.get("payByType", "CHECK"),
        "confirmationNumber": f"P{payment.created:%y%m%d}01 - {random.randrange(10**7):07d}",
        "processingOptions": {
            "requestPayFaster": False,
            "createBill": False,
            "requestCheckDeliveryType": "STANDARD",
        },
        "cancelRequestSubmitted": payment.single_status == "CANCELED",
    }
    return {**record, **disbursement_fields(record, payment.single_status)}


def _part_record(payment: Payment, number: int, part: Part) -> Record:
    used = [{"id": part.credit.id, "amount": part.credited}] if part.credit else []
    return {
        "id": bill_id("bill_payments", payment.ordinal * _MOST_PARTS + number),
        "billId": part.bill.id,
        "amount": part.amount,
        "vendorCredits": used,
    }


def _void_info(payment: Payment) -> list[Record]:
    accepted = {"VOIDED": "ACCEPTED", "VOID_PENDING": "TO_BE_PROCESSED"}.get(payment.single_status)
    if accepted is None:
        return []
    return [
        {
            "id": bill_id("payment_voids", payment.ordinal),
            "requestedBy": USER_IDS[0],
            "type": "VOID_ONLY",
            "status": accepted,
            "reason": "Check was lost in the mail",
            **times(payment.updated),
        }
    ]
