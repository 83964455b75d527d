"""The bodies of payment requests, and what each asks to be paid. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from ap_simulator.bill.errors import invalid
from ap_simulator.bill.records.schema import Day, Flag, ListOf, Number, Object, Shape, Text, choice
from ap_simulator.bill.records.shapes import ID, NAME, POSITIVE_MONEY
from ap_simulator.bill.wire import Record, money

_CREDITS: Final = ListOf(Object({"id": ID, "amount": POSITIVE_MONEY}, ("id", "amount")))
#: Credits alone may settle a bill, so that the amount of money can be 0.
_PART: Final = Object({"billId": ID, "amount": Number(), "vendorCredits": _CREDITS}, ("billId", "amount"))
_FUNDING_ACCOUNT: Final = Object(
    {"type": choice("BANK_ACCOUNT", "CARD_ACCOUNT", "WALLET", "AP_CARD"), "id": ID}, ("type",)
)
_OPTIONS: Final = Object(
    {
        "requestPayFaster": Flag(),
        "createBill": Flag(),
        "requestCheckDeliveryType": choice("STANDARD", "UPS_1DAY", "UPS_2DAY", "UPS_3DAY", "RTP_DELIVERY"),
    }
)
_COMMON: Final[Mapping[str, Shape]] = {
    "vendorId": ID,
    "processDate": Day(),
    "description": Text(),
    "fundingAccount": _FUNDING_ACCOUNT,
    "processingOptions": _OPTIONS,
    "transactionNumber": Text(longest=50),
    "cardFundingPurpose": NAME,
    "paymentPurpose": Object({"text": NAME, "code": Object({"name": NAME, "value": NAME})}),
}

SINGLE: Final = Object(
    {**_COMMON, "billId": ID, "amount": POSITIVE_MONEY, "billPayments": ListOf(_PART, least=1)},
    ("vendorId", "fundingAccount"),
)
BULK: Final = Object({**_COMMON, "payments": ListOf(_PART, least=1, most=50)}, ("fundingAccount", "payments"))
OFFLINE: Final = Object(
    {
        "vendorId": ID,
        "processDate": Day(),
        "description": Text(),
        "toPrintCheck": Flag(),
        "syncReference": NAME,
        "transactionNumber": Text(longest=50),
        "classifications": Object({"chartOfAccountId": ID}),
        "payments": ListOf(_PART, least=1),
    },
    ("vendorId", "processDate", "payments"),
)
VOID: Final = Object(
    {
        "reason": Text(longest=1_000),
        "type": choice("VOID_ONLY", "VOID_AND_CREDIT", "VOID_AND_REISSUE", "VOID_AND_REISSUE_VCARD"),
    },
    ("reason", "type"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be paid of one bill: money, and amounts of vendor credits by id."""

    bill_id: str
    amount: Decimal
    credits: tuple[tuple[str, Decimal], ...] = ()


def parts_of(entries: list[Record]) -> list[Part]:
    """The parts that a body lists."""
    return [
        Part(
            entry["billId"],
            entry["amount"],
            tuple((used["id"], used["amount"]) for used in entry.get("vendorCredits", ())),
        )
        for entry in entries
    ]


def parts_of_single(values: Mapping[str, Any]) -> list[Part] | None:
    """The parts of a single payment's body; None if the bill is still to be made.

    Raises:
        Refusal: 400: the body names no bill, or amounts that do not add up.
    """
    amount = values.get("amount")
    if values.get("processingOptions", {}).get("createBill"):
        if amount is None or "billId" in values or "billPayments" in values:
            msg = "processingOptions.createBill: needs an amount and no bill"
            raise invalid(msg)
        return None
    if "billPayments" in values:
        parts = parts_of(values["billPayments"])
        total = money(sum((part.amount for part in parts), Decimal(0)))
        if amount is not None and amount != total:
            msg = f"amount: must be the sum of the bill payments, {total}"
            raise invalid(msg)
        return parts
    if "billId" not in values:
        msg = "billId: must not be null"
        raise invalid(msg)
    if amount is None:
        msg = "amount: must not be null"
        raise invalid(msg)
    return [Part(values["billId"], amount)]
