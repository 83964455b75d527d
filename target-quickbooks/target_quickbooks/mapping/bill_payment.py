"""BILL payments, and vendor credits used without one, to QuickBooks BillPayment. Pure.

A BillPayment (QuickBooks manual 6.4) says how much money moves, which bills it pays and which vendor credits
it uses: a line for each.
What BILL pays of a bill is paid in QuickBooks up to the bill's amount; the rest is money that the vendor has
too much, which QuickBooks keeps open as a credit. A credit used without a payment is a payment of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from target_quickbooks.mapping import names
from target_quickbooks.mapping.chart import Entry
from target_quickbooks.mapping.payload import Mapped, Payload
from target_quickbooks.mapping.payments import Credit, Payment, Standing
from target_quickbooks.mapping.purchase_order import marker
from target_quickbooks.mapping.refusal import Awaited, Refusal

ENTITY = "BillPayment"
_NOTHING = Decimal(0)
_CENT = Decimal("0.01")
_RATE_STEP = Decimal("0.0000001")
_LABEL_LENGTH = 100
_METHOD_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Share:
    """What a settlement pays of one bill: money, and vendor credits by id."""

    bill_id: str
    money: Decimal
    credits: tuple[tuple[str, Decimal], ...] = ()

    @property
    def amount(self) -> Decimal:
        """Money and credits together."""
        return self.money + sum((amount for _, amount in self.credits), _NOTHING)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What pays bills: a payment, or a vendor credit that is used without one.

    Attributes:
        id: BILL's id of the payment or credit.
        money: What is paid, credits not included.
        funding: The same in the currency that BILL pays from, if it says so.
        date: ISO date; empty if unset.
        standing: What the payment's status means; a credit is paid with.
        version: BILL's ``updatedTime``.
    """

    id: str
    vendor_id: str
    vendor_name: str
    money: Decimal
    date: str
    method: str
    reference: str
    standing: Standing
    version: str
    shares: tuple[Share, ...]
    funding: Decimal | None = None
    is_payment: bool = True

    @property
    def bill_ids(self) -> tuple[str, ...]:
        """The bills it pays."""
        return tuple(share.bill_id for share in self.shares)

    @property
    def credit_ids(self) -> tuple[str, ...]:
        """The vendor credits it uses, each once."""
        return tuple(dict.fromkeys(credit_id for share in self.shares for credit_id, _ in share.credits))

    @property
    def label(self) -> str:
        """How a person would call it."""
        what = "payment" if self.is_payment else "use of vendor credit"
        name = names.plain_line(self.reference or self.id, _LABEL_LENGTH)
        vendor = names.plain_line(self.vendor_name, _LABEL_LENGTH)
        return f"{what} '{name}' of {vendor}" if vendor else f"{what} '{name}'"


@dataclass(frozen=True, slots=True)
class PaidFrom:
    """Everything besides the settlement that decides how its BillPayment looks.

    Attributes:
        vendor_id: Of the vendor, in QuickBooks.
        payables_id: Of the accounts payable account of its currency.
        account: That it is paid from: a bank or a credit card account.
        currency: Of the vendor; empty where the company has one only.
        rate: Home currency units for one of ``currency``; None at home.
        bills: QuickBooks' ids of bills by BILL id.
        credits: QuickBooks' ids of vendor credits by BILL id.
        numbered: Whether it gets a document number.
    """

    organization_id: str
    vendor_id: str
    payables_id: str
    account: Entry
    bills: Mapping[str, str]
    credits: Mapping[str, str]
    currency: str = ""
    rate: Decimal | None = None
    numbered: bool = True


@dataclass(slots=True)
class Room:
    """What of bills and vendor credits is not used up yet, by BILL id."""

    bills: dict[str, Decimal] = field(default_factory=dict)
    credits: dict[str, Decimal] = field(default_factory=dict)

    def take(self, settlement: Settlement) -> tuple[Share, ...]:
        """What a settlement pays, no bill beyond its amount and no credit beyond its own; that is used up."""
        return tuple(share for one in settlement.shares if (share := self._share(one)).amount > 0)

    def _share(self, wanted: Share) -> Share:
        left = max(self.bills.get(wanted.bill_id, _NOTHING), _NOTHING)
        credits_: list[tuple[str, Decimal]] = []
        for credit_id, amount in wanted.credits:
            used = min(amount, max(self.credits.get(credit_id, _NOTHING), _NOTHING), left)
            if used > 0:
                credits_.append((credit_id, used))
                self.credits[credit_id] -= used
                left -= used
        money = min(wanted.money, left)
        share = Share(wanted.bill_id, max(money, _NOTHING), tuple(credits_))
        if wanted.bill_id in self.bills:
            self.bills[wanted.bill_id] -= share.amount
        return share


def settlement_of(payment: Payment, credits_: Mapping[str, Credit]) -> Settlement:
    """What a payment settles.

    A credit that was read tells itself where it is used; of another one, the payment tells.

    Args:
        payment: The payment.
        credits_: Vendor credits that were read, by id.
    """
    money = {part.bill_id: part.amount for part in payment.parts if part.amount > 0}
    used: dict[str, dict[str, Decimal]] = {}
    for part in payment.parts:
        for credit_id, amount in part.credits:
            if credit_id not in credits_ and amount > 0:
                _add(used, part.bill_id, credit_id, amount)
    for credit in credits_.values():
        for use in credit.uses:
            if use.payment_id == payment.id and use.amount > 0:
                _add(used, use.bill_id, credit.id, use.amount)
    return Settlement(
        id=payment.id,
        vendor_id=payment.vendor_id,
        vendor_name=payment.vendor_name,
        money=payment.amount or sum(money.values(), _NOTHING),
        date=payment.process_date,
        method=payment.method,
        reference=payment.reference,
        standing=payment.standing,
        version=payment.version,
        shares=_shares(money, used),
        funding=payment.funding_amount,
    )


def settlement_by_credit(credit: Credit) -> Settlement:
    """What a vendor credit settles without a payment; nothing is left of it once it is used no more."""
    used: dict[str, dict[str, Decimal]] = {}
    for use in credit.uses:
        if not use.payment_id and use.amount > 0:
            _add(used, use.bill_id, credit.id, use.amount)
    return Settlement(
        id=credit.id,
        vendor_id=credit.vendor_id,
        vendor_name="",
        money=_NOTHING,
        date=credit.date,
        method="",
        reference=credit.reference,
        standing=Standing.PAID if used else Standing.ENDED,
        version=credit.version,
        shares=_shares({}, used),
        is_payment=False,
    )


def check(settlement: Settlement) -> None:
    """Make sure that the parts are not more than the whole.

    Raises:
        Refusal: They are, or an amount has fractions of a cent.
    """
    parts = sum((share.money for share in settlement.shares), _NOTHING)
    subject = names.sentence_start(settlement.label)
    if parts > settlement.money:
        raise Refusal(
            "payment-does-not-add-up",
            f"{subject} pays {parts} of bills, but its amount is {settlement.money}.",
            advice="Look at the payment in BILL; if it shows the same, tell BILL support.",
        )
    amounts = [settlement.money, *(share.amount for share in settlement.shares)]
    if any(amount != amount.quantize(_CENT, ROUND_HALF_UP) for amount in amounts):
        raise Refusal(
            "fraction-of-a-cent",
            f"{subject} has fractions of a cent: QuickBooks keeps two decimals.",
            advice="Look at the payment in BILL; if it shows the same, tell BILL support.",
        )


def missing(settlement: Settlement, bills: Iterable[str], credits_: Iterable[str]) -> Refusal | None:
    """What a settlement waits for: a bill or vendor credit that is not in QuickBooks (yet)."""
    known_bills, known_credits = set(bills), set(credits_)
    for stream, ids, known, noun in (
        ("bills", settlement.bill_ids, known_bills, "bill"),
        ("vendor_credits", settlement.credit_ids, known_credits, "vendor credit"),
    ):
        for one in ids:
            if one not in known:
                return Refusal(
                    f"{noun.replace(' ', '-')}-awaited",
                    f"{names.sentence_start(settlement.label)} waits for {noun} {one}, which is not in "
                    "QuickBooks yet.",
                    advice=f"It follows by itself once the {noun} is there; see whether that failed.",
                    awaited=Awaited(stream, one),
                )
    return None


def map_settlement(settlement: Settlement, shares: Sequence[Share], paid_from: PaidFrom) -> Mapped:
    """Say what a settlement should look like in QuickBooks.

    Args:
        settlement: The payment or credit.
        shares: What of it QuickBooks has room for.
        paid_from: Everything else.

    Raises:
        Refusal: There is nothing left to pay.
    """
    if not shares:
        raise Refusal(
            "nothing-to-pay",
            f"{names.sentence_start(settlement.label)} finds nothing to pay: its bills are paid or voided in "
            "QuickBooks.",
            advice="If it is an advance or a double payment, enter it in QuickBooks and dismiss this.",
        )
    payload: dict[str, Any] = {
        "VendorRef": {"value": paid_from.vendor_id},
        "APAccountRef": {"value": paid_from.payables_id},
        **_method(paid_from.account),
        "TotalAmt": settlement.money,
        "PrivateNote": _note(settlement, paid_from.organization_id),
        "Line": _lines(shares, paid_from),
    }
    if settlement.date:
        payload["TxnDate"] = settlement.date
    number = names.plain_line(settlement.reference, names.DOCUMENT_NUMBER_LENGTH)
    if number and paid_from.numbered:
        payload["DocNumber"] = number
    if paid_from.currency:
        payload["CurrencyRef"] = {"value": paid_from.currency}
    if paid_from.rate is not None:
        payload["ExchangeRate"] = paid_from.rate
    excess = settlement.money - sum((share.money for share in shares), _NOTHING)
    notes = (f"{excess:.2f} more than is to be paid, left with the vendor as a credit",) if excess else ()
    keys = tuple(line["LinkedTxn"][0]["TxnId"] for line in payload["Line"])
    return Mapped(ENTITY, payload, settlement.label, notes=notes, line_keys=keys)


def rate_of(settlement: Settlement, bill_rates: Iterable[Decimal]) -> Decimal | None:
    """The rate of a foreign payment: what BILL paid for it, else that of its bills if they share one."""
    if settlement.funding and settlement.money:
        return (settlement.funding / settlement.money).quantize(_RATE_STEP, ROUND_HALF_UP)
    found = set(bill_rates)
    return found.pop() if len(found) == 1 else None


def amount_of(payload: Payload) -> Decimal:
    """What the lines of a bill or vendor credit come to."""
    return sum((Decimal(line["Amount"]) for line in payload.get("Line") or ()), _NOTHING)


def is_voided_payment(live: Mapping[str, Any]) -> bool:
    """Whether a payment that QuickBooks holds is void: nothing paid, nothing applied."""
    return not live.get("Line") and not Decimal(live.get("TotalAmt") or 0)


def _add(used: dict[str, dict[str, Decimal]], bill_id: str, credit_id: str, amount: Decimal) -> None:
    by_credit = used.setdefault(bill_id, {})
    by_credit[credit_id] = by_credit.get(credit_id, _NOTHING) + amount


def _shares(money: Mapping[str, Decimal], used: Mapping[str, Mapping[str, Decimal]]) -> tuple[Share, ...]:
    return tuple(
        Share(bill_id, money.get(bill_id, _NOTHING), tuple(sorted(used.get(bill_id, {}).items())))
        for bill_id in sorted({*money, *used})
    )


def _method(account: Entry) -> dict[str, Any]:
    """How it is paid; BILL has sent the money, so that there is no check to print."""
    reference = {"value": account.id}
    if account.type == "Credit Card":
        return {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": reference}}
    return {"PayType": "Check", "CheckPayment": {"BankAccountRef": reference, "PrintStatus": "NotSet"}}


def _lines(shares: Sequence[Share], paid_from: PaidFrom) -> list[dict[str, Any]]:
    used: dict[str, Decimal] = {}
    for share in shares:
        for credit_id, amount in share.credits:
            used[credit_id] = used.get(credit_id, _NOTHING) + amount
    amounts = [("Bill", paid_from.bills[share.bill_id], share.amount) for share in shares]
    amounts += [("VendorCredit", paid_from.credits[one], used[one]) for one in sorted(used)]
    return [
        {"Amount": amount, "LinkedTxn": [{"TxnId": found, "TxnType": kind}]}
        for kind, found, amount in amounts
    ]


def _note(settlement: Settlement, organization_id: str) -> str:
    mark = marker(organization_id, settlement.id)
    method = names.plain_line(settlement.method.replace("_", " ").replace("[", "(").lower(), _METHOD_LENGTH)
    reference = names.plain_line(settlement.reference, _LABEL_LENGTH).replace("[", "(").replace("]", ")")
    if settlement.is_payment:
        text = f"BILL payment{f' by {method}' if method else ''}{f', {reference}' if reference else ''}"
    else:
        text = f"Vendor credit{f' {reference}' if reference else ''} used in BILL"
    return f"{text}\n{mark}"
