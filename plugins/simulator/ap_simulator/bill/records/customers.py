"""Customers, which bill lines may name (BILL manual 4.6)."""

from __future__ import annotations

from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.records.archiving import set_archived
from ap_simulator.bill.records.schema import Object, Text, merged, read_body
from ap_simulator.bill.records.shapes import (
    ACCOUNT_TYPE,
    ADDRESS,
    CURRENCY,
    EMAIL,
    ID,
    NAME,
    with_country_names,
)
from ap_simulator.bill.wire import Record, money

_CUSTOMER: Final = Object(
    {
        "name": NAME,
        "companyName": NAME,
        "contact": Object({"firstName": NAME, "lastName": NAME}),
        "email": EMAIL,
        "phone": Text(longest=50),
        "fax": Text(longest=50),
        "description": Text(),
        "invoiceCurrency": CURRENCY,
        "accountType": ACCOUNT_TYPE,
        "paymentTermId": ID,
        "accountNumber": Text(longest=100),
        "billingAddress": ADDRESS,
        "shippingAddress": ADDRESS,
    },
    ("name",),
)


def create(books: Books, body: Any) -> Record:
    """Add a customer.

    Raises:
        Refusal: 400: the body is invalid.
    """
    values = read_body(_CUSTOMER, body, books.switches)
    defaults = {
        "archived": False,
        "accountType": "NONE",
        "invoiceCurrency": "USD",
        "balance": {"amount": money(0)},
        "hasBankAccount": False,
        "authorizedToCharge": False,
    }
    return books.create("customers", with_country_names({**defaults, **values}))


def patch(books: Books, customer_id: str, body: Any) -> Record:
    """Change a customer.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid.
    """
    old = books.get("customers", customer_id)
    changes = read_body(_CUSTOMER, body, books.switches, partial=True)
    return books.save("customers", with_country_names(merged(old, changes)))


def archive(books: Books, customer_id: str, *, archived: bool) -> Record:
    """Archive or restore a customer.

    Raises:
        Refusal: 404 BDC_1205.
    """
    return set_archived(books, "customers", customer_id, archived=archived)
