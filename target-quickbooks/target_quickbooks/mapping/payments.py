"""BILL payments, vendor credits and what BILL says of a bill, and what of the bill is paid by them. Pure.

Field names are BILL's (BILL manual 4.2 bills, 4.3 payments, 4.9 vendor credits). Two sources say what is
paid: the bill itself (``paymentStatus``, ``paidAmount``) and its payments. BILL leaves open whether a payment
moves the bill's ``updatedTime``, so either may be older than the other. What was learned last decides:

- The bill was learned after its payments' last change: what the bill says counts.
- A payment changed since the bill was learned: what the bill said counts, plus what was seen to be paid
  since, less what was seen to be given back since; but never less than what the tracked payments and credits
  add up to. Payments that nobody tracked (from before ``start_date``, say) stay counted that way.
- The bill was never learned: its tracked payments and credits count.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal

_NOTHING = Decimal(0)
_PAID = "PAID"


class Standing(enum.StrEnum):
    """What a payment's status means for the bills it pays."""

    MOVING = "on its way"
    PAID = "paid"
    FAILED = "failed"
    ENDED = "ended"


_STANDINGS = {
    **dict.fromkeys(("CLEARED", "FUNDS_ESCHEATED"), Standing.PAID),
    **dict.fromkeys(
        (
            "DISBURSEMENT_FAILED_ACTION_NEEDED",
            "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
            "FUNDING_FAILED_ACTION_NEEDED",
            "FAILED",
        ),
        Standing.FAILED,
    ),
    **dict.fromkeys(
        ("CANCELED", "CANCELLED", "VOIDED", "VOID", "FUNDING_FAILED_VOIDED"),
        Standing.ENDED,
    ),
}
#: Statuses after which nothing more happens; a cleared payment can still fail or be voided.
_FINAL = frozenset({"CANCELED", "CANCELLED", "VOIDED", "VOID", "FUNDING_FAILED_VOIDED", "FUNDS_ESCHEATED"})


@dataclass(frozen=True, slots=True)
class Sight:
    """A payment's status and when it was first seen so.

    Attributes:
        version: BILL's ``updatedTime`` of the payment then.
    """

    at: dt.datetime
    status: str
    single_status: str
    version: str

    @property
    def name(self) -> str:
        """The finer of the two statuses, if BILL tells it."""
        return self.single_status or self.status

    @property
    def standing(self) -> Standing:
        """What it means; a status that nobody knows leaves the payment on its way."""
        known = _STANDINGS.get(self.single_status)
        if known or self.single_status:
            return known or Standing.MOVING
        return Standing.PAID if self.status == _PAID else _STANDINGS.get(self.status, Standing.MOVING)


@dataclass(frozen=True, slots=True)
class Part:
    """What a payment pays of one bill, in the vendor's currency.

    Attributes:
        amount: Without credits; zero if the payment no longer pays the bill.
        credits: Vendor credits used besides: id and amount.
    """

    bill_id: str
    amount: Decimal
    credits: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment with all statuses it was seen in, the latest last.

    Attributes:
        method: BILL's ``disbursementType``.
        reference: Confirmation number, else transaction number or check number.
        process_date: ISO date; empty if unset.
        version: BILL's ``updatedTime``.
        funding_amount: The amount in the currency that BILL pays from; None if it does not say.
    """

    id: str
    vendor_id: str
    vendor_name: str
    amount: Decimal
    process_date: str
    method: str
    reference: str
    version: str
    parts: tuple[Part, ...]
    sights: tuple[Sight, ...]
    funding_amount: Decimal | None = None

    @property
    def latest(self) -> Sight:
        """The status as it was last seen."""
        return self.sights[-1]

    @property
    def standing(self) -> Standing:
        """What the latest status means."""
        return self.latest.standing

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to it."""
        return self.latest.name in _FINAL

    def standing_at(self, moment: dt.datetime) -> Standing | None:
        """What its status meant at a moment; None if it was not known then."""
        before = [sight for sight in self.sights if sight.at <= moment]
        return before[-1].standing if before else None

    def part_of(self, bill_id: str) -> Part:
        """What it pays of a bill."""
        return next((part for part in self.parts if part.bill_id == bill_id), Part(bill_id, _NOTHING))


@dataclass(frozen=True, slots=True)
class Use:
    """What a vendor credit pays of a bill, with a payment or without one; zero if it no longer does."""

    bill_id: str
    payment_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Credit:
    """A vendor credit.

    Attributes:
        date: ISO date; empty if unset.
        version: BILL's ``updatedTime``.
    """

    id: str
    vendor_id: str
    reference: str
    date: str
    amount: Decimal
    applied: Decimal
    status: str
    archived: bool
    version: str
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """What BILL said of a bill when it was last sent.

    Attributes:
        paid: BILL's ``paidAmount``: cleared payments and credits; None if it does not say.
        due: What is still to be paid; None if it does not say.
        archived: Out of use: archived or a draft.
        version: BILL's ``updatedTime``.
        seen_at: When it was first seen so.
    """

    bill_id: str
    vendor_id: str
    vendor_name: str
    invoice_number: str
    due_date: str
    amount: Decimal | None
    paid: Decimal | None
    due: Decimal | None
    payment_status: str
    approval_status: str
    archived: bool
    version: str
    seen_at: dt.datetime

    @property
    def told(self) -> Decimal | None:
        """What it says is paid, credits included; None if it does not say."""
        if self.payment_status == _PAID and self.amount is not None:
            return max(self.amount, self.paid or _NOTHING)
        if self.paid is not None:
            return self.paid
        return _NOTHING if self.payment_status == "UNPAID" else None


@dataclass(frozen=True, slots=True)
class Account:
    """All that is known of what is paid of a bill."""

    bill_id: str
    balance: Balance | None = None
    payments: tuple[Payment, ...] = ()
    credits: tuple[Credit, ...] = ()

    @property
    def credited(self) -> dict[str, Decimal]:
        """Vendor credits in force by id.

        A credit that was read tells itself where it is used; of another one, the payments that use it tell.
        """
        ended = {payment.id for payment in self.payments if payment.standing is Standing.ENDED}
        uses: dict[tuple[str, str], Decimal] = {}
        for payment in self.payments:
            for credit_id, amount in payment.part_of(self.bill_id).credits:
                uses[credit_id, payment.id] = uses.get((credit_id, payment.id), _NOTHING) + amount
        read = {credit.id for credit in self.credits}
        uses = {key: amount for key, amount in uses.items() if key[0] not in read}
        for credit in self.credits:
            for use in credit.uses:
                if use.bill_id == self.bill_id:
                    uses[credit.id, use.payment_id] = use.amount
        totals: dict[str, Decimal] = {}
        for (credit_id, payment_id), amount in uses.items():
            if payment_id not in ended and amount:
                totals[credit_id] = totals.get(credit_id, _NOTHING) + amount
        return totals

    @property
    def tracked(self) -> Decimal:
        """What the known payments and credits have paid."""
        paid = (one.part_of(self.bill_id).amount for one in self.payments if one.standing is Standing.PAID)
        return sum(paid, _NOTHING) + sum(self.credited.values(), _NOTHING)

    @property
    def paid(self) -> Decimal:
        """What is paid, credits included."""
        told = self.balance.told if self.balance else None
        if self.balance is None or told is None:
            return self.tracked
        balance = self.balance
        later = [payment for payment in self.payments if payment.latest.at >= balance.seen_at]
        if not later:
            return told
        return max(self.tracked, told + sum((self._moved(payment, balance) for payment in later), _NOTHING))

    def is_paid(self, total: Decimal) -> bool:
        """Whether the bill is paid in full.

        Args:
            total: The bill's amount, if BILL did not say it.
        """
        amount = self.balance.amount if self.balance and self.balance.amount is not None else total
        if amount <= 0:
            return self.balance is not None and self.balance.payment_status == _PAID
        return self.paid >= amount

    def _moved(self, payment: Payment, balance: Balance) -> Decimal:
        """By how much a payment moved what is paid since the bill was learned."""
        part, now = payment.part_of(self.bill_id), payment.standing
        credit = sum((amount for _, amount in part.credits), _NOTHING)
        before = payment.standing_at(balance.seen_at)
        if before is None:
            # It was not known then. It may count there still only if it ended after the bill last changed.
            lost = now in {Standing.FAILED, Standing.ENDED} and payment.version > balance.version
            return -(part.amount + credit) if lost else _NOTHING
        moved = _NOTHING
        if (before is Standing.PAID) != (now is Standing.PAID):
            moved += part.amount if now is Standing.PAID else -part.amount
        if (before is Standing.ENDED) != (now is Standing.ENDED):
            moved += credit if before is Standing.ENDED else -credit
        return moved


def bills_of(payment: Payment | None) -> set[str]:
    """The bills that a payment pays or once paid."""
    return {part.bill_id for part in payment.parts} if payment else set()
