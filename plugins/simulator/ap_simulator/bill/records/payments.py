"""Payments to vendors: made with BILL or recorded (BILL manual 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.errors import Code, Problem, Refusal, code_text, invalid, no_reference, refusal
from ap_simulator.bill.records import bills
from ap_simulator.bill.records import payment_statuses as statuses
from ap_simulator.bill.records.calendar_days import business_days_after
from ap_simulator.bill.records.payment_bodies import (
    BULK,
    OFFLINE,
    SINGLE,
    Part,
    parts_of,
    parts_of_single,
)
from ap_simulator.bill.records.schema import read_body
from ap_simulator.bill.records.settlement import move, movement_of
from ap_simulator.bill.records.vendor_credits import apply_credit
from ap_simulator.bill.wire import Record, money, stamp

_PART_PREFIX: Final = "blp"
#: Fields of a body that stand in the record as they are.
_TAKEN_OVER: Final = (
    "description",
    "fundingAccount",
    "cardFundingPurpose",
    "paymentPurpose",
    "toPrintCheck",
    "syncReference",
    "classifications",
)
_NO_OPTIONS: Final = {
    "requestPayFaster": False,
    "createBill": False,
    "requestCheckDeliveryType": "STANDARD",
}


def create(books: Books, body: Any, *, actor: str) -> Record:
    """Make a payment of one or several bills of a vendor, or of a bill that is made for it.

    Raises:
        Refusal: 400: the body is invalid, names something that does not exist, overpays a bill
            (BDC_1159), or comes too late for its process date (BDC_1402).
    """
    values = read_body(SINGLE, body, books.switches)
    parts = parts_of_single(values)
    try:
        with books.transaction():
            return _pay(books, values, parts, vendor_id=values["vendorId"], actor=actor)
    except Refusal as error:
        _publish_failure(books, values, parts or (), error, actor=actor)
        raise


def create_bulk(books: Books, body: Any, *, actor: str) -> list[Record]:
    """Pay up to 50 bills, of one vendor or of several: all of them or none.

    Raises:
        Refusal: As for `create`; the bills that were not at fault are rolled back (BDC_1246).
    """
    values = read_body(BULK, body, books.switches)
    parts = parts_of(values["payments"])
    payments: list[Record] = []
    try:
        with books.transaction():
            for part in parts:
                bill = books.reference("billId", "bills", part.bill_id)
                vendor_id: str = values.get("vendorId") or bill["vendorId"]
                payments.append(_pay(books, values, [part], vendor_id=vendor_id, actor=actor))
    except Refusal as error:
        _publish_failure(books, values, parts, error, actor=actor)
        rolled_back = refusal(Code.ROLLED_BACK).problems * (len(parts) - 1)
        faulty = parts[len(payments)].bill_id
        problems = [
            Problem(problem.code, f"{faulty}: {problem.message}", problem.params)
            for problem in error.problems
        ]
        raise Refusal([*problems, *rolled_back], status=error.status) from error
    return payments


def record_offline(books: Books, body: Any, *, actor: str) -> Record:
    """Record a payment that was made outside BILL; it is cleared at once.

    Raises:
        Refusal: 400: the body is invalid, names something that does not exist, or overpays a bill.
    """
    values = read_body(OFFLINE, body, books.switches)
    parts = parts_of(values["payments"])
    with books.transaction():
        _check_parts(books, values["vendorId"], parts)
        offline = {
            "onlinePayment": False,
            "disbursementType": "OFFLINE",
            "status": "PAID",
            "singleStatus": statuses.CLEARED,
            "toPrintCheck": False,
        }
        record = _record(books, values, parts, vendor_id=values["vendorId"], actor=actor, **offline)
        record = books.create("payments", record)
        _settle(books, record, parts, where="payments")
    return record


def _pay(
    books: Books,
    values: Mapping[str, Any],
    parts: Sequence[Part] | None,
    *,
    vendor_id: str,
    actor: str,
) -> Record:
    process_date = _process_date(books, values)
    _check_funding(books, values["fundingAccount"])
    if parts is None:
        books.reference("vendorId", "vendors", vendor_id)
        parts = [_part_of_new_bill(books, values, process_date, actor=actor)]
    _check_parts(books, vendor_id, parts)
    online = {
        "processDate": process_date,
        "processingOptions": {**_NO_OPTIONS, **values.get("processingOptions", {})},
        "confirmationNumber": _confirmation_number(books),
        "status": statuses.coarse_status(statuses.SCHEDULED),
        "singleStatus": statuses.SCHEDULED,
        "onlinePayment": True,
        "voidInfo": [],
        "cancelRequestSubmitted": False,
    }
    record = _record(books, values, parts, vendor_id=vendor_id, actor=actor, **online)
    record = books.create("payments", record)
    _settle(books, record, parts, where="billPayments")
    books.publish("payment.updated", record)
    return record


def _record(
    books: Books,
    values: Mapping[str, Any],
    parts: Sequence[Part],
    *,
    vendor_id: str,
    actor: str,
    **fields: Any,
) -> Record:
    vendor = books.reference("vendorId", "vendors", vendor_id)
    information = vendor.get("paymentInformation", {})
    amount = money(sum((part.amount for part in parts), Decimal(0)))
    record: Record = {
        "vendorId": vendor_id,
        "vendorName": vendor["name"],
        "billPayments": [
            {
                "id": books.ids.mint(_PART_PREFIX),
                "billId": part.bill_id,
                "amount": part.amount,
                "vendorCredits": [{"id": id_, "amount": used} for id_, used in part.credits],
            }
            for part in parts
        ],
        "processDate": values.get("processDate"),
        "amount": amount,
        "transactionNumber": values.get("transactionNumber") or books.ids.mint_text(20),
        "disbursementType": information.get("payByType", "CHECK"),
        "createdBy": actor,
        **{name: values[name] for name in _TAKEN_OVER if name in values},
        **fields,
    }
    if len(parts) == 1:
        record["billId"] = parts[0].bill_id
    if "email" in information:
        record["remittanceEmail"] = information["email"]
    if vendor.get("billCurrency", "USD") == "USD":
        record |= {"fundingAmount": amount, "exchangeRate": 1}
    return record


def _settle(books: Books, payment: Record, parts: Sequence[Part], *, where: str) -> None:
    """Let the bills and credits know of a new payment."""
    single_status = payment["singleStatus"]
    for number, part in enumerate(parts):
        move(books, part.bill_id, movement_of((single_status, part.amount)))
        bill = books.get("bills", part.bill_id)
        for credit_id, used in part.credits:
            place = f"{where}[{number}].vendorCredits"
            apply_credit(books, credit_id, used, bill=bill, payment_id=payment["id"], where=place)


def _process_date(books: Books, values: Mapping[str, Any]) -> str:
    first = business_days_after(books.today(), books.switches.payment_lead_business_days)
    text: str = values.get("processDate") or first.isoformat()
    if date.fromisoformat(text) < first:
        raise refusal(Code.PROCESS_DATE, status=400)
    return text


def _check_funding(books: Books, account: Mapping[str, Any]) -> None:
    kind, account_id = account["type"], account.get("id")
    if kind != "WALLET" and account_id is None:
        msg = "fundingAccount.id: must not be null"
        raise invalid(msg)
    if kind == "BANK_ACCOUNT" and account_id is not None:
        record = books.reference("fundingAccount.id", "bank_accounts", account_id)
        if record.get("archived") or record.get("status") != "VERIFIED":
            raise refusal(Code.PAYMENT_NOT_ALLOWED, status=400)


def _check_parts(books: Books, vendor_id: str, parts: Sequence[Part]) -> None:
    for part in parts:
        bill = books.reference("billId", "bills", part.bill_id)
        if bill["vendorId"] != vendor_id:
            raise no_reference("billId", part.bill_id)
        if bill.get("archived"):
            msg = f"billId: {part.bill_id} is archived"
            raise invalid(msg)


def _part_of_new_bill(books: Books, values: Mapping[str, Any], process_date: str, *, actor: str) -> Part:
    today = books.today().isoformat()
    line = {"amount": values["amount"]}
    if "description" in values:
        line["description"] = values["description"]
    bill = {
        "vendorId": values["vendorId"],
        "dueDate": process_date,
        "invoice": {"invoiceNumber": today, "invoiceDate": today},
        "billLineItems": [line],
    }
    return Part(bills.add(books, bill, actor=actor)["id"], values["amount"])


def _confirmation_number(books: Books) -> str:
    return f"P{books.today():%y%m%d}01 - {books.ids.mint_number(10_000_000):07}"


def _publish_failure(
    books: Books, values: Mapping[str, Any], parts: Sequence[Part], error: Refusal, *, actor: str
) -> None:
    """Tell webhooks of a payment that was refused; it has no id."""
    if not books.switches.payment_failed_on_refusal:
        return
    moment = stamp(books.now())
    vendor = books["vendors"].get(values.get("vendorId", "")) or {}
    payment = {
        "bills": [{"id": part.bill_id, "amount": part.amount} for part in parts],
        "transactionNumber": values.get("transactionNumber"),
        "createdBy": actor,
        "createdTime": moment,
        "updatedTime": moment,
        "fundingAccount": values["fundingAccount"],
        "vendor": {name: vendor[name] for name in ("id", "name") if name in vendor} or None,
        "errors": [
            {"code": code_text(problem, books.switches), "message": problem.message, "timestamp": moment}
            for problem in error.problems
        ],
    }
    books.publish("payment.failed", {name: value for name, value in payment.items() if value is not None})
