"""Rules of BillPayment, and its void (QuickBooks manual 6.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from typing_extensions import override

from ap_simulator.quickbooks import references
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.formats import amount
from ap_simulator.quickbooks.problems import (
    RefusedError,
    business,
    missing,
    refused,
    unknown_reference,
)
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.transactions.balances import move_vendor_balance, refresh_payable
from ap_simulator.quickbooks.transactions.dates import check_open_books, settle_dates
from ap_simulator.quickbooks.transactions.links import Payable
from ap_simulator.quickbooks.transactions.numbers import settle_number
from ap_simulator.quickbooks.transactions.parties import (
    settle_currency,
    settle_department,
    settle_payable_account,
    settle_vendor,
)
from ap_simulator.quickbooks.writing.context import PlainRules, Write

_ZERO: Final = Decimal(0)
_PAYABLES: Final = ("Bill", "VendorCredit")
_VOIDED: Final = "Voided"


class BillPaymentRules(PlainRules):
    """What a payment must have, and what it does to bills, credits and the vendor."""

    def prepare(self, write: Write) -> None:
        """Check and complete the payment."""
        vendor = settle_vendor(write)
        currency = settle_currency(write, vendor)
        settle_payable_account(write, currency, implied=True)
        _settle_account(write)
        settle_department(write)
        settle_dates(write)
        settle_number(write)
        if write.sent.get("Line") == []:
            raise RefusedError([missing("Line")])
        write.notes["amounts"] = _amounts(write)

    @override
    def settle(self, write: Write, record: Record) -> None:
        """Bills, credits and vendor follow."""
        _apply(write.realm, record.id, write.notes["amounts"])
        move_vendor_balance(write.realm, "BillPayment", write.stored, record.body)

    @override
    def may_delete(self, realm: Realm, record: Record) -> None:
        """Not in a closed period."""
        check_open_books(realm, ENTITIES["BillPayment"], record.body)

    @override
    def deleted(self, realm: Realm, record: Record) -> None:
        """What was paid is open again."""
        _apply(realm, record.id, {})
        move_vendor_balance(realm, "BillPayment", record.body, {})


def void(realm: Realm, record: Record) -> None:
    """Void a payment: nothing paid, nothing applied, a note that says so.

    Raises:
        RefusedError: 6210 in a closed period.
    """
    entity = ENTITIES["BillPayment"]
    check_open_books(realm, entity, record.body)
    note = record.body.get("PrivateNote")
    before = record.body
    body = {
        **before,
        "TotalAmt": _ZERO,
        "Line": [],
        "PrivateNote": f"{_VOIDED} - {note}" if note else _VOIDED,
    }
    realm.change(entity, record, body)
    _apply(realm, record.id, {})
    move_vendor_balance(realm, entity.name, before, body)


def _apply(realm: Realm, payment_id: str, amounts: dict[Payable, Decimal]) -> None:
    for payable in sorted(realm.links.set_payment(payment_id, amounts)):
        refresh_payable(realm, payable)


def _settle_account(write: Write) -> None:
    """Check what the payment is made from: a bank account for checks, a card account for cards."""
    body = write.body
    if body["PayType"] == "Check":
        body.pop("CreditCardPayment", None)
        name, ref_name, kind = "CheckPayment", "BankAccountRef", references.BANK
    else:
        body.pop("CheckPayment", None)
        name, ref_name, kind = "CreditCardPayment", "CCAccountRef", references.CREDIT_CARD
    detail = body.get(name, {})
    if ref_name not in detail:
        raise RefusedError([missing(ref_name)])
    if write.sends(name) or write.is_create:
        references.account(write, detail[ref_name], fits=lambda found: found == kind)
    if name == "CheckPayment":
        body[name] = {"PrintStatus": "NeedToPrint", **detail}


def _amounts(write: Write) -> dict[Payable, Decimal]:
    """What the payment pays of which bill, and uses of which credit.

    Raises:
        RefusedError: 2020 for a line without amount or link, 620 for a link to something else,
            2500 for one to nothing, 6000 for another vendor's or for more than is open.
    """
    amounts: dict[Payable, Decimal] = {}
    lines = []
    for line in write.body["Line"]:
        if "Amount" not in line or not line.get("LinkedTxn"):
            raise RefusedError([missing("Amount" if "Amount" not in line else "LinkedTxn")])
        link = line["LinkedTxn"][0]
        payable = _payable(write, link)
        amounts[payable] = amounts.get(payable, _ZERO) + line["Amount"]
        lines.append(
            {
                "Amount": line["Amount"],
                "LinkedTxn": [{"TxnId": payable[1], "TxnType": payable[0]}],
            }
        )
    write.body["Line"] = lines
    own = "" if write.before is None else write.before.id
    for (name, record_id), value in amounts.items():
        record = write.realm.record(name, record_id)
        applied = write.realm.links.applied((name, record_id), besides=own)
        if record is None or value > amount(record.body["TotalAmt"] - applied):
            raise business("The amount applied is more than the open balance.")
    paid = sum((v for (name, _), v in amounts.items() if name == "Bill"), _ZERO)
    used = sum((v for (name, _), v in amounts.items() if name != "Bill"), _ZERO)
    if paid - used > write.body["TotalAmt"]:
        raise business("The amounts of the lines are more than the total of the payment.")
    return amounts


def _payable(write: Write, link: dict[str, Any]) -> Payable:
    name, record_id = link.get("TxnType", ""), link.get("TxnId", "")
    if name not in _PAYABLES:
        raise refused("620", f"Txn ID Cannot Be Linked : TxnId={record_id} TxnType={name}")
    record = write.realm.record(name, record_id)
    if record is None:
        raise unknown_reference("Transactions", record_id)
    if record.body["VendorRef"] != write.body["VendorRef"]:
        raise business("The transaction that is paid belongs to another vendor.")
    return name, record_id
