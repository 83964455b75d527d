"""Lines: Ids, amounts, items, accounts, what is refused (QuickBooks manual 6.2)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from ap_simulator.quickbooks.formats import amount, product, quantity
from hypothesis import given
from hypothesis import strategies as st


def ids(order):
    return [line["Id"] for line in order["Line"]]


def test_lines_are_numbered_from_one(books):
    order = books.order(*(books.account_line(n, LineNum=9) for n in (1, 2, 3)))
    assert ids(order) == ["1", "2", "3"]
    assert [line["LineNum"] for line in order["Line"]] == [1, 2, 3]


def test_line_array_replaces_the_stored_one(books):
    order = books.order(*(books.account_line(n) for n in (1, 2, 3)))
    kept = order["Line"][1]
    lines = [{**kept, "Amount": 20}, books.account_line(4), books.account_line(5, Id="77")]
    body = {"Id": order["Id"], "SyncToken": "0", "sparse": True, "Line": lines}
    updated = books.write("PurchaseOrder", body)
    assert ids(updated) == ["2", "4", "5"]
    assert updated["TotalAmt"] == Decimal("29.0")


def test_repeated_line_id_is_one_line_and_a_new_one(books):
    order = books.order(books.account_line(1))
    line = order["Line"][0]
    updated = books.write("PurchaseOrder", {**order, "Line": [line, line]})
    assert ids(updated) == ["1", "2"]


@pytest.mark.parametrize(("switch", "code"), [("2250", "2250"), ("6000", "6000"), ("2020", "2020")])
def test_empty_lines(books, switch, code):
    books.switch(empty_lines=switch)
    assert books.refused("PurchaseOrder", {**books.order_body(), "Line": []})["code"] == code


def test_missing_lines(books):
    error = books.refused("PurchaseOrder", {"VendorRef": {"value": books.VENDOR}})
    assert (error["code"], error["element"]) == ("2020", "Line")


def test_amount_and_detail_type_are_required(books):
    line = books.account_line(1)
    without_amount = {k: v for k, v in line.items() if k != "Amount"}
    without_type = {k: v for k, v in line.items() if k != "DetailType"}
    errors = books.faults(books.call("POST", "purchaseorder", books.order_body(without_amount, without_type)))
    assert [error["element"] for error in errors] == ["Amount", "DetailType"]


@pytest.mark.parametrize(
    ("value", "count", "price", "fits"),
    [
        ("25.01", "1", "25", False),
        ("0.13", "0.5", "0.25", True),
        ("0.12", "0.5", "0.25", False),
        ("33.33", "3", "11.11", True),
        ("1.00", "3", "0.3333333", True),
    ],
)
def test_amount_is_quantity_times_price_half_up(books, value, count, price, fits):
    body = books.order_body(books.item_line(value, count, price))
    if fits:
        assert books.write("PurchaseOrder", body)["TotalAmt"] == amount(Decimal(value))
        return
    error = books.refused("PurchaseOrder", body)
    assert error["code"] == "6070"
    assert error["Detail"].startswith("Amount is not equal to UnitPrice * Qty. Supplied value:")


def test_wrong_amount_is_told_as_supplied(books):
    error = books.refused("PurchaseOrder", books.order_body(books.item_line("25.01", 1, 25)))
    assert error["Detail"] == "Amount is not equal to UnitPrice * Qty. Supplied value:25.01"


def test_precision_of_quantity_and_price(books):
    body = books.order_body(books.item_line("0.01", "0.000001", "10000"))
    assert books.refused("PurchaseOrder", body)["code"] == "2100"
    books.switch(quantity_decimals=6)
    assert books.write("PurchaseOrder", body)


@pytest.mark.parametrize(
    ("item", "code", "text"),
    [
        ("99", "2500", "Items element id 99 not found"),
        ("12", "2500", "set up as a category instead of a product or service."),
        ("13", "6000", "You must select an account for this transaction."),
        ("14", "2500", "Something you're trying to use has been made inactive."),
    ],
)
def test_items_that_cannot_be_bought(books, item, code, text):
    error = books.refused("PurchaseOrder", books.order_body(books.item_line(1, 1, 1, item)))
    assert error["code"] == code
    assert text in error["Detail"]


@pytest.mark.parametrize("account", ["COGS", "EQUIPMENT", "CHECKING", "INCOME"])
def test_line_accounts_of_other_types_by_switch(books, account):
    line = books.account_line(1, getattr(books, account))
    assert books.order(line)
    books.switch(account_line_types="expense")
    if account == "COGS":
        assert books.order(line)
    else:
        assert books.refused("PurchaseOrder", books.order_body(line))["code"] == "6430"


@pytest.mark.parametrize("account", ["PAYABLE", "RECEIVABLE"])
def test_payables_and_receivables_are_no_expense(books, account):
    line = books.account_line(1, getattr(books, account))
    assert books.refused("PurchaseOrder", books.order_body(line))["code"] == "6430"


def test_inactive_account(books):
    error = books.refused("PurchaseOrder", books.order_body(books.account_line(1, books.OLD)))
    assert error["code"] == "2500"
    assert "made inactive" in error["Detail"]


def test_account_line_without_account(books):
    line = {
        "Amount": 5,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"BillableStatus": "NotBillable"},
    }
    assert books.refused("PurchaseOrder", books.order_body(line))["code"] == "6440"


def test_item_line_without_item(books):
    line = {
        "Amount": 5,
        "Description": "About the goods",
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {},
    }
    body = books.order_body(books.account_line(1), line)
    assert books.refused("PurchaseOrder", body)["code"] == "6440"
    books.switch(item_line_without_item="documentation")
    order = books.write("PurchaseOrder", body)
    assert order["TotalAmt"] == 1
    assert order["Line"][1]["Description"] == "About the goods"


def test_text_line_needs_no_amount(books):
    line = {"Description": "Thank you", "DetailType": "ItemBasedExpenseLineDetail"}
    assert books.order(books.account_line(1), line)["Line"][1]["Amount"] == 0


def test_billable_line_needs_a_customer(books):
    line = books.account_line(1, detail={"BillableStatus": "Billable"})
    assert books.refused("PurchaseOrder", books.order_body(line))["code"] == "6310"
    detail = {"BillableStatus": "Billable", "CustomerRef": {"value": books.CUSTOMER}}
    billable = books.account_line(1, detail=detail)
    shown = books.order(billable)["Line"][0]["AccountBasedExpenseLineDetail"]
    assert shown["BillableStatus"] == "Billable"
    books.switch(billable_status="ignore")
    shown = books.order(billable)["Line"][0]["AccountBasedExpenseLineDetail"]
    assert shown["BillableStatus"] == "NotBillable"


def test_tax_code_in_the_us(books):
    def line(code):
        return books.account_line(1, detail={"TaxCodeRef": {"value": code}})

    assert books.order(line("TAX"))
    assert books.refused("PurchaseOrder", books.order_body(line("5")))["code"] == "6100"


def test_tax_code_elsewhere_is_a_record(open_books):
    books = open_books(country="GB", home_currency="USD")
    line = books.account_line(100, detail={"TaxCodeRef": {"value": "5"}})
    assert books.refused("PurchaseOrder", books.order_body(line))["code"] == "2500"
    books.load("TaxCode", {"Id": "5", "Name": "20.0% S", "Active": True})
    order = books.order(line, TxnTaxDetail={"TotalTax": 20})
    assert order["GlobalTaxCalculation"] == "TaxExcluded"
    assert order["TotalAmt"] == 120
    order = books.order(line, TxnTaxDetail={"TotalTax": 20}, GlobalTaxCalculation="TaxInclusive")
    assert order["TotalAmt"] == 100


def test_tax_is_ignored_when_sales_tax_is_off(books):
    books.profile(using_sales_tax=False)
    order = books.order(TxnTaxDetail={"TotalTax": 20})
    assert "TxnTaxDetail" not in order
    assert order["TotalAmt"] == 80


def test_tax_calculation_is_no_matter_of_the_us(books):
    assert "GlobalTaxCalculation" not in books.order(GlobalTaxCalculation="TaxExcluded")


def test_negative_lines_while_the_total_is_not_negative(books):
    assert books.order(books.account_line(10), books.account_line(-4))["TotalAmt"] == 6
    body = books.order_body(books.account_line(10), books.account_line(-14))
    assert books.refused("PurchaseOrder", body)["code"] == "6000"
    books.switch(negative_lines="accept")
    assert books.write("PurchaseOrder", body)["TotalAmt"] == -4
    books.switch(negative_lines="reject")
    assert books.refused("PurchaseOrder", body)["code"] == "2290"


@given(st.decimals(-(10**9), 10**9, places=2))
def test_amounts_are_shown_with_one_or_two_decimals(value):
    shown = amount(value)
    assert shown == value
    text = str(shown)
    assert text == "0" or len(text.partition(".")[2]) in {1, 2}
    assert not (text.endswith("0") and len(text.partition(".")[2]) == 2)


@given(st.decimals(-(10**9), 10**9, places=6))
def test_quantities_are_shown_short_and_exact(value):
    shown = quantity(value)
    assert shown == value
    assert "E" not in str(shown)
    assert "." not in str(shown) or not str(shown).endswith("0")


@given(st.decimals(0, 10**6, places=5), st.decimals(0, 10**6, places=7))
def test_product_is_rounded_half_up(count, price):
    exact = count * price
    assert product(count, price) == exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    assert abs(product(count, price) - exact) <= Decimal("0.005")
