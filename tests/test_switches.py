"""The main job with every open point of both manuals decided the other way.

The manuals leave points open (they are switches in the simulator). Whatever the services really do, the
books must agree: each test turns one switch away from its default and expects the same outcome.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.oauth.switches import OAuthSwitches
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.testing import running
from target_quickbooks.mapping.purchase_order import read_marker

AREAS = {"bill": BillSwitches, "quickbooks": QuickBooksSwitches, "oauth": OAuthSwitches}
#: With these the service takes no such order at all: every bill is refused with a reason instead.
REFUSING = {("quickbooks.purchase_order_needs_item", True)}
#: Not about reading or writing records.
ELSEWHERE = ("bill.webhook_", "bill.mfa_", "oauth.loopback_redirects")


def other_values():
    """Each switch with each value that is not its default."""
    for area, kind in AREAS.items():
        hints = get_type_hints(kind)
        defaults = kind()
        for field in fields(kind):
            name, hint, default = f"{area}.{field.name}", hints[field.name], getattr(defaults, field.name)
            values = get_args(hint) if get_origin(hint) is Literal else (True, False) if hint is bool else ()
            if not name.startswith(ELSEWHERE):
                yield from ((name, value) for value in values if value != default)


@pytest.fixture(scope="module")
def server():
    with running("empty") as simulator:
        yield simulator


@pytest.mark.parametrize(("name", "value"), list(other_values()), ids=str)
def test_both_books_agree_whatever_the_services_do(server, new_books, name, value):
    server.control.reset(switches={name: value})
    books = new_books(server)
    prepare(books)
    first = books.sync()
    bills = {bill["id"]: bill for bill in books.held("bills") if not bill["archived"]}
    if (name, value) in REFUSING:
        assert set(first.reasons) == set(bills)
        return
    assert first.exit_code == 0, (first.error, first.reasons)
    assert in_quickbooks(books) == {bill_id: bill["amount"] for bill_id, bill in bills.items()}

    change(books)
    second = books.sync()
    assert second.exit_code == 0, (second.error, second.reasons)
    bills = {bill["id"]: bill for bill in books.held("bills") if not bill["archived"]}
    assert in_quickbooks(books) == {bill_id: bill["amount"] for bill_id, bill in bills.items()}
    assert len([v for v in books.stored("Vendor") if v["Active"]]) == 3

    server.control.reset_stats()
    again = books.sync(full=True)
    assert (again.exit_code, books.writes()) == (0, 0)


def prepare(books):
    """Three vendors, one of them foreign, and bills with every classification."""
    user = books.bill
    account = expense_account(books)
    coding = {
        "chartOfAccountId": account,
        "locationId": user.classification("locations", books.held("locations")[0]["name"]),
        "departmentId": books.held("departments")[0]["id"],
        "accountingClassId": books.held("accounting_classes")[0]["id"],
        "customerId": books.held("customers")[0]["id"],
    }
    tax = {"taxId": "12-3456789", "taxIdType": "EIN", "track1099": True}
    acme = user.vendor("Acme: Sons & 'Daughters'", phone="5125550100", additionalInfo=tax)
    user.vendor("Quiet Vendor", email="quiet@vendor.example")
    lyon = user.vendor("Société Lyon", billCurrency="EUR")
    user.bill(
        acme["id"],
        "A-1",
        [{"amount": 10.25, "classifications": coding}, {"amount": 89.75}],
        classifications={"chartOfAccountId": account},
    )
    user.bill(
        acme["id"],
        "A-2",
        [{"amount": 5, "quantity": 2, "price": 2.5, "classifications": {"chartOfAccountId": account}}],
    )
    user.bill(
        lyon["id"],
        "A-1",
        [{"amount": 250, "classifications": {"chartOfAccountId": account}}],
        exchangeRate=1.08,
    )


def change(books):
    """A person corrects a vendor and a bill, and takes a bill back."""
    user = books.bill
    vendors = {vendor["name"]: vendor["id"] for vendor in books.held("vendors")}
    user.patch(f"/v3/vendors/{vendors['Quiet Vendor']}", {"name": "Loud Vendor", "phone": "5125550155"})
    bills = {bill["invoice"]["invoiceNumber"]: bill for bill in books.held("bills")}
    line = {"amount": 7.77, "classifications": {"chartOfAccountId": expense_account(books)}}
    user.replace(bills["A-2"], billLineItems=[line])


def expense_account(books):
    return next(
        account["id"]
        for account in books.held("chart_of_accounts")
        if not account["archived"] and account["account"]["type"] == "EXPENSE"
    )


def in_quickbooks(books):
    """Amounts of purchase orders by BILL id; fails on a duplicate."""
    orders = books.stored("PurchaseOrder")
    amounts = {read_marker(order["PrivateNote"])[1]: order["TotalAmt"] for order in orders}
    assert len(amounts) == len(orders)
    return amounts
