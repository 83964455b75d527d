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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping.fields import amount_of, date_of, object_of, optional_amount_of, text_of

_NOTHING = Decimal(0)
_PAID = "PAID"
_TEXT_LENGTH = 100
_VERSION_LENGTH = 40


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


def observe_payment(record: Mapping[str, Any], known: Payment | None, *, now: dt.datetime) -> Payment:
    """The payment as it is known once BILL sent this; equal to ``known`` if that says nothing new.

    A version older than the known one is passed over.

    Raises:
        Refusal: An amount or a date cannot be read.
    """
    what = f"Payment {text_of(record, 'id')}"
    version = text_of(record, "updatedTime")[:_VERSION_LENGTH]
    if known and version < known.version:
        return known
    sight = Sight(
        at=now,
        status=_status(record, "status"),
        single_status=_status(record, "singleStatus"),
        version=version,
    )
    sights = known.sights if known else ()
    if not sights or (sights[-1].status, sights[-1].single_status) != (sight.status, sight.single_status):
        sights = (*sights, sight)
    parts = _parts(record, what)
    gone = {part.bill_id for part in known.parts} - {part.bill_id for part in parts} if known else set()
    return Payment(
        id=text_of(record, "id"),
        vendor_id=text_of(record, "vendorId"),
        vendor_name=text_of(record, "vendorName"),
        amount=optional_amount_of(record.get("amount"), f"{what}: amount") or _NOTHING,
        process_date=_day(record, "processDate", what),
        method=_status(record, "disbursementType"),
        reference=_reference(record),
        version=version,
        parts=tuple(sorted((*parts, *(Part(one, _NOTHING) for one in gone)), key=lambda part: part.bill_id)),
        sights=sights,
    )


def observe_credit(record: Mapping[str, Any], known: Credit | None) -> Credit:
    """The vendor credit as it is known once BILL sent this.

    Raises:
        Refusal: An amount or a date cannot be read.
    """
    what = f"Vendor credit {text_of(record, 'id')}"
    version = text_of(record, "updatedTime")[:_VERSION_LENGTH]
    if known and version < known.version:
        return known
    uses: dict[tuple[str, str], Decimal] = {}
    for use in _objects(record.get("usage")):
        key = (text_of(use, "billId"), text_of(use, "paymentId"))
        if key[0]:
            uses[key] = uses.get(key, _NOTHING) + amount_of(use.get("amount"), f"{what}: usage")
    for before in known.uses if known else ():
        uses.setdefault((before.bill_id, before.payment_id), _NOTHING)
    return Credit(
        id=text_of(record, "id"),
        vendor_id=text_of(record, "vendorId"),
        reference=text_of(record, "referenceNumber").strip()[:_TEXT_LENGTH],
        date=_day(record, "creditDate", what),
        amount=optional_amount_of(record.get("amount"), f"{what}: amount") or _NOTHING,
        applied=optional_amount_of(record.get("appliedAmount"), f"{what}: appliedAmount") or _NOTHING,
        status=_status(record, "status"),
        archived=record.get("archived") is True,
        version=version,
        uses=tuple(Use(*key, amount) for key, amount in sorted(uses.items())),
    )


def observe_bill(record: Mapping[str, Any], known: Balance | None, *, now: dt.datetime) -> Balance:
    """What BILL says of a bill now; equal to ``known`` if that is nothing new.

    A version older than the known one, as a stored failure may be, is passed over.

    Raises:
        Refusal: An amount or a date cannot be read.
    """
    what = f"Bill {text_of(record, 'id')}"
    version = text_of(record, "updatedTime")[:_VERSION_LENGTH]
    if known and version < known.version:
        return known
    inactive = text_of(record, "recordStatus") in {"INACTIVE", "DRAFT", "DRAFT_DELETED"}
    balance = Balance(
        bill_id=text_of(record, "id"),
        vendor_id=text_of(record, "vendorId"),
        vendor_name=text_of(record, "vendorName"),
        invoice_number=text_of(object_of(record, "invoice"), "invoiceNumber").strip(),
        due_date=_day(record, "dueDate", what),
        amount=optional_amount_of(record.get("amount"), f"{what}: amount"),
        paid=optional_amount_of(record.get("paidAmount"), f"{what}: paidAmount"),
        due=optional_amount_of(record.get("dueAmount"), f"{what}: dueAmount"),
        payment_status=_status(record, "paymentStatus"),
        approval_status=_status(record, "approvalStatus"),
        archived=record.get("archived") is True or inactive,
        version=version,
        seen_at=now,
    )
    return known if known and replace(balance, seen_at=known.seen_at) == known else balance


def bills_of(payment: Payment | None) -> set[str]:
    """The bills that a payment pays or once paid."""
    return {part.bill_id for part in payment.parts} if payment else set()


def _parts(record: Mapping[str, Any], what: str) -> list[Part]:
    parts: dict[str, Part] = {}
    for found in _objects(record.get("billPayments")):
        bill_id = text_of(found, "billId")
        if not bill_id:
            continue
        amount = optional_amount_of(found.get("amount"), f"{what}: billPayments") or _NOTHING
        used = tuple(
            (text_of(credit, "id"), optional_amount_of(credit.get("amount"), f"{what}: credit") or _NOTHING)
            for credit in _objects(found.get("vendorCredits"))
        )
        before = parts.get(bill_id, Part(bill_id, _NOTHING))
        parts[bill_id] = Part(bill_id, before.amount + amount, before.credits + used)
    single = text_of(record, "billId")
    if not parts and single:
        amount = optional_amount_of(record.get("amount"), f"{what}: amount") or _NOTHING
        return [Part(single, amount)]
    return list(parts.values())


def _reference(record: Mapping[str, Any]) -> str:
    check = object_of(object_of(record, "disbursementInfo"), "checkDisbursement")
    texts = (
        text_of(record, "confirmationNumber"),
        text_of(record, "transactionNumber"),
        text_of(check, "checkNumber"),
    )
    return next((text.strip()[:_TEXT_LENGTH] for text in texts if text.strip()), "")


def _status(record: Mapping[str, Any], key: str) -> str:
    return text_of(record, key).strip().upper()[:_TEXT_LENGTH]


def _day(record: Mapping[str, Any], key: str, what: str) -> str:
    day = date_of(record.get(key), f"{what}: {key}")
    return day.isoformat() if day else ""


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
