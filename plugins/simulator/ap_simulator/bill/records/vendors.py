"""Vendors: what they take, what BILL adds, and who shows their name (BILL manual 4.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from ap_simulator.bill.books import VENDOR_ID, Books
from ap_simulator.bill.errors import Code, refusal
from ap_simulator.bill.records.archiving import set_archived
from ap_simulator.bill.records.schema import Flag, Object, Text, Whole, choice, merged, read_body
from ap_simulator.bill.records.shapes import (
    ACCOUNT_TYPE,
    ADDRESS,
    CURRENCY,
    EMAIL,
    FULL_ADDRESS,
    ID,
    MONEY,
    NAME,
    TAX_ID_TYPE,
    with_country_name,
)
from ap_simulator.bill.wire import Record, money, stamp

_BANK_ACCOUNT_FIELDS: Final = {
    "nameOnAccount": NAME,
    "accountNumber": Text(longest=34),
    "routingNumber": Text(longest=34),
    "type": choice("CHECKING", "SAVINGS"),
    "ownerType": choice("BUSINESS", "PERSON", "PERSONAL"),
    "paymentCurrency": CURRENCY,
}
_BANK_ACCOUNT: Final = Object(_BANK_ACCOUNT_FIELDS, ("nameOnAccount", "accountNumber", "routingNumber"))


def _shape(address: Object) -> Object:
    return Object(
        {
            "name": NAME,
            "shortName": NAME,
            "accountNumber": Text(longest=100),
            "accountType": ACCOUNT_TYPE,
            "email": EMAIL,
            "phone": Text(longest=50),
            "address": address,
            "paymentInformation": Object(
                {
                    "payeeName": NAME,
                    "email": EMAIL,
                    "bankAccount": _BANK_ACCOUNT,
                    "paymentPurpose": Object({"text": NAME, "code": Object({"name": NAME, "value": NAME})}),
                }
            ),
            "additionalInfo": Object(
                {
                    "taxId": Text(longest=30),
                    "taxIdType": TAX_ID_TYPE,
                    "track1099": Flag(),
                    "leadTimeInDays": Whole(),
                    "combinePayments": Flag(),
                    "paymentTermId": ID,
                    "companyName": NAME,
                }
            ),
            "billCurrency": CURRENCY,
            "autoPay": Object(
                {
                    "enabled": Flag(),
                    "bankAccountId": ID,
                    "maxAmount": MONEY,
                    "daysBeforeDueDate": Whole(),
                }
            ),
        },
        ("name", "address"),
    )


_CREATE: Final = _shape(FULL_ADDRESS)
_PATCH: Final = _shape(ADDRESS)


def create(books: Books, body: Any, *, where: str = "") -> Record:
    """Add a vendor.

    Raises:
        Refusal: 400: the body is invalid.
    """
    values = read_body(_CREATE, body, books.switches, where=where)
    payment = values.pop("paymentInformation", {})
    has_bank_account = "bankAccount" in payment
    defaults = {
        "archived": False,
        "accountType": "NONE",
        "paymentInformation": {
            "payeeName": values["name"],
            "payByType": "ACH" if has_bank_account else "CHECK",
            "payBySubType": "NONE",
            "virtualCard": {"status": "UNKNOWN"},
            **payment,
        },
        "bankAccountStatus": "NO_NET_LINKED_ACCOUNT" if has_bank_account else "NO_ACCOUNT",
        "recurringPayments": False,
        "billCurrency": "USD",
        "balance": {"amount": money(0)},
        "autoPay": {"enabled": False},
        "networkStatus": "NOT_CONNECTED",
    }
    record = {**defaults, **values, "address": with_country_name(values["address"])}
    with books.transaction():
        record = books.create("vendors", record)
        books.publish("vendor.created", record)
    return record


def patch(books: Books, vendor_id: str, body: Any) -> Record:
    """Change a vendor. A new name shows at once in the vendor's bills and payments.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid.
    """
    old = books.get("vendors", vendor_id)
    changes = read_body(_PATCH, body, books.switches, partial=True)
    record = merged(old, changes)
    if "address" in changes:
        record["address"] = with_country_name(record.get("address", {}))
    with books.transaction():
        record = books.save("vendors", record)
        if record["name"] != old["name"]:
            _rename_in_documents(books, record)
        books.publish("vendor.updated", record)
    return record


def asks_for_auto_pay(body: Any) -> bool:
    """Whether a body switches automatic payment on, which needs a trusted session."""
    auto_pay = body.get("autoPay") if isinstance(body, dict) else None
    return isinstance(auto_pay, dict) and auto_pay.get("enabled") is True


def archive(books: Books, vendor_id: str, *, archived: bool) -> Record:
    """Archive or restore a vendor.

    Raises:
        Refusal: 404 BDC_1205.
    """
    with books.transaction():
        before = books.get("vendors", vendor_id)
        record = set_archived(books, "vendors", vendor_id, archived=archived)
        if record is not before:
            books.publish("vendor.archived" if archived else "vendor.restored", record)
    return record


def bank_account(books: Books, vendor_id: str) -> Record:
    """The vendor's bank account.

    Raises:
        Refusal: 404 BDC_1205: no such vendor, or it has none.
    """
    record = books.get("vendors", vendor_id)
    account: Record | None = record.get("paymentInformation", {}).get("bankAccount")
    if account is None:
        raise refusal(Code.NO_SUCH_OBJECT)
    return account


def set_bank_account(books: Books, vendor_id: str, body: Any) -> Record:
    """Give the vendor a bank account, or None to take it away.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid.
    """
    old = books.get("vendors", vendor_id)
    account = None if body is None else read_body(_BANK_ACCOUNT, body, books.switches)
    if account is None:
        bank_account(books, vendor_id)
    information = {
        **old.get("paymentInformation", {}),
        "bankAccount": account,
        "payByType": "CHECK" if account is None else "ACH",
    }
    status = "NO_ACCOUNT" if account is None else "NO_NET_LINKED_ACCOUNT"
    cleared = {name: value for name, value in information.items() if value is not None}
    with books.transaction():
        record = {**old, "paymentInformation": cleared, "bankAccountStatus": status}
        record = books.save("vendors", record)
        books.publish("vendor.updated", record)
    return account or {}


def owe(books: Books, vendor_id: str, amount: Decimal) -> None:
    """Add `amount`, which may be negative, to the balance owed to a vendor that has one."""
    record = books["vendors"].get(vendor_id)
    if record is None or "balance" not in record or not amount:
        return
    balance = {
        "amount": money(Decimal(record["balance"].get("amount", 0)) + amount),
        "lastUpdatedDate": stamp(books.now()),
    }
    bumps = books.switches.bill_bumps_vendor
    books.save("vendors", {**record, "balance": balance}, operation="update" if bumps else None)


def _rename_in_documents(books: Books, vendor: Record) -> None:
    for collection in ("bills", "payments"):
        for document in books[collection].with_value(VENDOR_ID, vendor["id"]):
            if "vendorName" in document:
                renamed = {**document, "vendorName": vendor["name"]}
                books.save(collection, renamed, operation=None)
