"""Purchase orders: defaults, references, features, addresses, delete, send (manual 6.2)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

INACTIVE = (
    "Invalid Reference Id : Something you're trying to use has been made inactive. Check the "
    "fields with accounts, customers, items, vendors or employees."
)
PLAN_REFUSAL = "Permission Denied Error : You do not have permissions to access this feature."


def test_create_fills_in_the_defaults(books):
    order = books.order(books.account_line("80.00", Description="Freight"))
    assert order == {
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "0",
        "MetaData": {
            "CreateTime": "2026-03-02T12:00:00-08:00",
            "LastUpdatedTime": "2026-03-02T12:00:00-08:00",
        },
        "VendorRef": {"value": "41", "name": "Hicks Hardware"},
        "APAccountRef": {"value": "33", "name": "Accounts Payable (A/P)"},
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "TxnDate": "2026-03-02",
        "POStatus": "Open",
        "EmailStatus": "NotSet",
        "TotalAmt": Decimal("80.0"),
        "VendorAddr": {
            "Id": "1",
            "Line1": "42 Main St.",
            "City": "Middlefield",
            "CountrySubDivisionCode": "CA",
            "PostalCode": "94303",
        },
        "Line": [
            {
                "Id": "1",
                "LineNum": 1,
                "Description": "Freight",
                "Amount": Decimal("80.0"),
                "DetailType": "AccountBasedExpenseLineDetail",
                "Received": 0,
                "AccountBasedExpenseLineDetail": {
                    "AccountRef": {"value": "36", "name": "Travel"},
                    "TaxCodeRef": {"value": "NON"},
                    "BillableStatus": "NotBillable",
                },
            }
        ],
    }


def test_both_kinds_of_lines_with_every_classification(books):
    classified = {"ClassRef": {"value": books.ENGINEERING}, "CustomerRef": {"value": books.CUSTOMER}}
    order = books.order(
        books.item_line(51, 4, "12.75", detail=classified),
        books.account_line("80.25", books.SOFTWARE, detail=classified),
        DocNumber="PO-1001",
        TxnDate="2026-03-02",
        DueDate="2026-04-01",
        PrivateNote="ext-id: 7f3c",
        Memo="Deliver to rear dock",
        SalesTermRef={"value": books.NET_30},
        DepartmentRef={"value": books.BERLIN},
        POEmail={"Address": "orders@hicks.example"},
        ShipTo={"value": books.CUSTOMER},
        ShipMethodRef={"value": "UPS", "name": "UPS"},
    )
    assert order["TotalAmt"] == Decimal("131.25")
    details = [line[line["DetailType"]] for line in order["Line"]]
    for detail in details:
        assert detail["ClassRef"] == {"value": books.ENGINEERING, "name": "Engineering"}
        assert detail["CustomerRef"] == {"value": "3", "name": "Cool Cars"}
    assert (details[0]["Qty"], details[0]["UnitPrice"]) == (4, Decimal("12.75"))
    assert order["DepartmentRef"] == {"value": "1", "name": "Berlin"}
    assert order["ShipMethodRef"] == {"value": "UPS", "name": "UPS"}
    assert books.read("PurchaseOrder", order["Id"]) == order


def test_total_sent_is_ignored(books):
    assert books.order(TotalAmt=1)["TotalAmt"] == Decimal("80.0")


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("VendorRef", "583", "Invalid Reference Id : Names element id 583 not found"),
        ("APAccountRef", "583", "Invalid Reference Id : Accounts element id 583 not found"),
        ("SalesTermRef", "583", "Invalid Reference Id : Terms element id 583 not found"),
        ("ShipTo", "583", "Invalid Reference Id : Names element id 583 not found"),
        ("DepartmentRef", "583", "Invalid Reference Id : Departments element id 583 not found"),
        ("VendorRef", "9", INACTIVE),
    ],
)
def test_bad_references_of_the_header(books, field, value, detail):
    error = books.refused("PurchaseOrder", books.order_body(**{field: {"value": value}}))
    assert (error["code"], error["Message"]) == ("2500", "Invalid Reference Id")
    assert error["Detail"] == detail


def test_customer_is_no_vendor(books):
    body = books.order_body(VendorRef={"value": books.CUSTOMER})
    assert books.refused("PurchaseOrder", body)["code"] == "2500"


def test_payable_account_must_be_one(books):
    body = books.order_body(APAccountRef={"value": books.TRAVEL})
    assert books.refused("PurchaseOrder", body)["code"] == "6430"
    books.switch(wrong_account_type="6000")
    assert "different type of account" in books.refused("PurchaseOrder", body)["Detail"]


def test_payable_account_is_implied_only_if_there_is_one(books):
    second = {"Name": "Payable 2", "AccountType": "Accounts Payable"}
    books.write("Account", second)
    error = books.refused("PurchaseOrder", books.order_body())
    assert (error["code"], error["element"]) == ("2020", "APAccountRef")
    assert books.order(APAccountRef={"value": books.PAYABLE})["APAccountRef"]["value"] == books.PAYABLE


@pytest.mark.parametrize("tracking", ["off", "transaction"])
def test_class_of_a_line_needs_tracking_by_line(books, tracking):
    books.profile(class_tracking=tracking)
    line = books.account_line(1, detail={"ClassRef": {"value": books.SALES}})
    error = books.refused("PurchaseOrder", books.order_body(line))
    assert (error["code"], error["Message"]) == ("5030", "Feature Not Supported")
    books.switch(tracking_off="drop")
    assert "ClassRef" not in books.order(line)["Line"][0]["AccountBasedExpenseLineDetail"]


def test_class_of_an_order_needs_tracking_by_transaction(books):
    body = books.order_body(ClassRef={"value": books.SALES})
    assert books.refused("PurchaseOrder", body)["code"] == "5030"
    books.profile(class_tracking="transaction")
    assert books.write("PurchaseOrder", body)["ClassRef"]["name"] == "Sales"


def test_unknown_class(books):
    line = books.account_line(1, detail={"ClassRef": {"value": "999999"}})
    error = books.refused("PurchaseOrder", books.order_body(line))
    assert error["Detail"] == "Invalid Reference Id : Klasses element id 999999 not found"


def test_location_of_an_order_by_switch(books):
    body = books.order_body(DepartmentRef={"value": books.BERLIN})
    books.switch(purchase_order_department="drop")
    assert "DepartmentRef" not in books.write("PurchaseOrder", body)
    books.switch(purchase_order_department="reject")
    assert books.refused("PurchaseOrder", body)["code"] == "2010"
    books.switch(purchase_order_department="accept")
    books.profile(track_departments=False)
    assert books.refused("PurchaseOrder", body)["code"] == "5030"


def test_due_date_by_days(books):
    order = books.order(SalesTermRef={"value": books.NET_30}, TxnDate="2026-01-31")
    assert order["DueDate"] == "2026-03-02"


@pytest.mark.parametrize(
    ("day", "due"),
    [("2026-01-03", "2026-01-10"), ("2026-01-06", "2026-02-10"), ("2026-12-20", "2027-01-10")],
)
def test_due_date_on_a_day_of_the_month(books, day, due):
    order = books.order(SalesTermRef={"value": books.TENTH}, TxnDate=day)
    assert order["DueDate"] == due


def test_due_date_sent_wins(books):
    order = books.order(SalesTermRef={"value": books.NET_30}, DueDate="2026-03-03")
    assert order["DueDate"] == "2026-03-03"


def test_new_term_moves_the_due_date(books):
    order = books.order(SalesTermRef={"value": books.NET_30}, TxnDate="2026-01-01")
    body = {"Id": order["Id"], "SyncToken": "0", "sparse": True}
    updated = books.write("PurchaseOrder", {**body, "SalesTermRef": {"value": books.AT_ONCE}})
    assert updated["DueDate"] == "2026-01-01"


def test_default_date_is_the_pacific_one(books):
    books.advance(hours=11)  # 07:00 UTC on 3 March
    assert books.order()["TxnDate"] == "2026-03-02"


def test_header_only_sparse_update_keeps_the_lines(books):
    order = books.order(books.account_line(1), books.account_line(2))
    closed = books.write(
        "PurchaseOrder", {"Id": order["Id"], "SyncToken": "0", "sparse": True, "POStatus": "Closed"}
    )
    assert closed["POStatus"] == "Closed"
    assert closed["Line"] == order["Line"]
    assert closed["SyncToken"] == "1"


def test_sparse_update_may_need_the_vendor(books):
    order = books.order()
    books.switch(purchase_order_sparse_needs_vendor=True)
    body = {"Id": order["Id"], "SyncToken": "0", "sparse": True, "Memo": "x"}
    assert books.refused("PurchaseOrder", body)["element"] == "VendorRef"
    assert books.write("PurchaseOrder", {**body, "VendorRef": order["VendorRef"]})["Memo"] == "x"


def test_full_update_opens_an_order_that_it_does_not_say_is_closed(books):
    order = books.order(POStatus="Closed")
    body = {k: v for k, v in order.items() if k != "POStatus"}
    assert books.write("PurchaseOrder", body)["POStatus"] == "Open"


def test_addresses_are_flattened_by_an_update_and_then_stay(books):
    ship = {"Line1": "65 Ocean Dr.", "City": "Half Moon Bay", "CountrySubDivisionCode": "CA"}
    order = books.order(ShipAddr={**ship, "PostalCode": "94213"})
    assert order["ShipAddr"]["City"] == "Half Moon Bay"
    updated = books.write("PurchaseOrder", {**order, "PrivateNote": "x"})
    assert updated["ShipAddr"] == {
        "Id": order["ShipAddr"]["Id"],
        "Line1": "65 Ocean Dr.",
        "Line2": "Half Moon Bay, CA  94213",
    }
    assert updated["VendorAddr"] == {
        "Id": order["VendorAddr"]["Id"],
        "Line1": "Geoff Hicks",
        "Line2": "Hicks Hardware",
        "Line3": "42 Main St.",
        "Line4": "Middlefield, CA  94303",
    }
    again = books.write("PurchaseOrder", updated)
    assert again["VendorAddr"] == updated["VendorAddr"]


def test_addresses_stay_as_they_are_by_switch(books):
    books.switch(flatten_addresses=False)
    order = books.order()
    updated = books.write("PurchaseOrder", {**order, "PrivateNote": "x"})
    assert updated["VendorAddr"] == order["VendorAddr"]


def test_ship_to_brings_its_address(books):
    address = {"Line1": "12 Ocean Dr.", "City": "Half Moon Bay"}
    customer = books.write("Customer", {"DisplayName": "Jeff", "ShipAddr": address})
    order = books.order(ShipTo={"value": customer["Id"]})
    assert order["ShipAddr"]["City"] == "Half Moon Bay"


def test_custom_fields_of_the_company(books):
    books.profile(purchase_order_fields={"1": "Crew #", "2": "Sales Rep"})
    order = books.order(CustomField=[{"DefinitionId": "2", "StringValue": "JD"}])
    assert order["CustomField"] == [
        {"DefinitionId": "1", "Name": "Crew #", "Type": "StringType"},
        {"DefinitionId": "2", "Name": "Sales Rep", "Type": "StringType", "StringValue": "JD"},
    ]
    body = books.order_body(CustomField=[{"DefinitionId": "7", "StringValue": "x"}])
    assert books.refused("PurchaseOrder", body)["code"] == "3000"


def test_delete_and_delete_again(books):
    order = books.order()
    body = {"Id": order["Id"], "SyncToken": "0"}
    answer = books.post("purchaseorder", body, operation="delete")
    assert answer["PurchaseOrder"] == {"status": "Deleted", "domain": "QBO", "Id": order["Id"]}
    assert books.refused("PurchaseOrder", body, operation="delete")["code"] == "610"
    assert books.fault(books.call("GET", f"purchaseorder/{order['Id']}"))["code"] == "610"


def test_delete_with_a_stale_token(books):
    order = books.order()
    error = books.refused("PurchaseOrder", {"Id": order["Id"], "SyncToken": "3"}, operation="delete")
    assert error["code"] == "5010"


def test_orders_cannot_be_voided(books):
    order = books.order()
    body = {"Id": order["Id"], "SyncToken": "0", "sparse": True}
    error = books.refused("PurchaseOrder", body, operation="update", include="void")
    assert (error["code"], error["Detail"]) == ("500", "Operation Void is not supported.")


@pytest.mark.parametrize("plan", ["Simple Start", "Essentials"])
def test_plans_without_purchase_orders(books, plan):
    books.profile(plan=plan)
    error = books.refused("PurchaseOrder", books.order_body())
    assert (error["code"], error["Message"], error["Detail"]) == (
        "5020",
        "Permission Denied",
        PLAN_REFUSAL,
    )
    assert books.query_error("select * from PurchaseOrder")["code"] == "5020"
    assert books.vendor()


def test_refusal_for_lack_of_purchase_orders_by_switch(books):
    books.profile(purchase_orders=False)
    books.switch(purchase_orders_missing="5030", purchase_orders_missing_status=403)
    response = books.call("POST", "purchaseorder", books.order_body())
    assert books.fault(response, status=403)["code"] == "5030"


def test_ended_subscription_takes_no_writes(books):
    books.profile(subscription="EXPIRED")
    assert books.refused("Vendor", {"DisplayName": "Late"})["code"] == "6190"
    assert books.read("Vendor", books.VENDOR)["Id"] == books.VENDOR


def test_closed_books_do_not_matter_to_orders_unless_switched(books):
    books.profile(book_close_date=date(2026, 1, 31))
    order = books.order(TxnDate="2026-01-15")
    books.switch(closed_books_purchase_orders=True)
    assert books.refused("PurchaseOrder", {**order, "Memo": "x"})["code"] == "6210"


def test_item_line_may_be_needed(books):
    books.switch(purchase_order_needs_item=True)
    assert books.refused("PurchaseOrder", books.order_body())["code"] == "6000"
    assert books.order(books.item_line(10, 1, 10))


def test_names_follow_the_records_they_name(books):
    order = books.order()
    vendor = books.read("Vendor", books.VENDOR)
    books.write("Vendor", {**vendor, "DisplayName": "Hicks & Sons"})
    assert books.read("PurchaseOrder", order["Id"])["VendorRef"]["name"] == "Hicks & Sons"


def test_inactive_vendor_may_stay_on_an_order(books):
    order = books.order()
    books.write("Vendor", {"Id": books.VENDOR, "SyncToken": "0", "sparse": True, "Active": False})
    assert books.write("PurchaseOrder", {**order, "POStatus": "Closed"})["POStatus"] == "Closed"
    books.switch(kept_inactive_references="reject")
    body = {**order, "SyncToken": "1"}
    assert books.refused("PurchaseOrder", body)["Detail"] == INACTIVE
    assert books.refused("PurchaseOrder", books.order_body())["Detail"] == INACTIVE


def test_send_marks_the_order(books):
    order = books.order()
    octets = {"Content-Type": "application/octet-stream"}
    path = f"purchaseorder/{order['Id']}/send"
    sent = books.parsed(books.call("POST", path, b"", headers=octets))["PurchaseOrder"]
    assert sent["EmailStatus"] == "EmailSent"
    assert sent["POEmail"] == {"Address": "geoff@hicks.example"}
    response = books.call("POST", path, b"", headers=octets, sendTo="ada@hicks.example")
    assert books.parsed(response)["PurchaseOrder"]["POEmail"] == {"Address": "ada@hicks.example"}
    response = books.call("POST", path, b"", headers=octets, sendTo="nobody")
    assert books.fault(response)["code"] == "6000"


def test_send_needs_an_address(books):
    vendor = books.vendor()
    order = books.order(VendorRef={"value": vendor["Id"]})
    response = books.call("POST", f"purchaseorder/{order['Id']}/send", b"")
    assert books.fault(response)["code"] == "6420"


def test_pdf(books):
    order = books.order(books.account_line(5, Description="Paper (A4)"), DocNumber="77")
    response = books.call("GET", f"purchaseorder/{order['Id']}/pdf")
    assert response.headers["content-type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-1.4")
    assert b"Purchase Order 77" in response.content
    assert b"Paper \\(A4\\)" in response.content


class TestCurrencies:
    @pytest.fixture
    def euro(self, open_books):
        books = open_books(multicurrency=True, exchange_rates={"EUR": Decimal("1.0865")})
        vendor = books.vendor("Euro Vendor", CurrencyRef={"value": "EUR"})
        return books, {"value": vendor["Id"]}

    def test_currency_is_required(self, euro):
        books, vendor = euro
        error = books.refused("PurchaseOrder", books.order_body(VendorRef=vendor))
        assert (error["code"], error["element"]) == ("2020", "CurrencyRef")
        books.switch(currency_required=False)
        assert books.order(VendorRef=vendor)["CurrencyRef"]["value"] == "EUR"

    def test_currency_must_be_the_vendors(self, euro):
        books, vendor = euro
        body = books.order_body(VendorRef=vendor, CurrencyRef={"value": "USD"})
        error = books.refused("PurchaseOrder", body)
        assert "one foreign currency per transaction" in error["Detail"]

    def test_rate_is_the_companys_unless_sent(self, euro):
        books, vendor = euro
        order = books.order(VendorRef=vendor, CurrencyRef={"value": "EUR"})
        assert order["ExchangeRate"] == Decimal("1.0865")
        order = books.order(VendorRef=vendor, CurrencyRef={"value": "EUR"}, ExchangeRate=Decimal("1.1"))
        assert order["ExchangeRate"] == Decimal("1.1")
        assert books.order(CurrencyRef={"value": "USD"})["ExchangeRate"] == 1

    def test_account_in_another_foreign_currency(self, euro):
        books, vendor = euro
        body = {"Name": "CAD costs", "AccountType": "Expense", "CurrencyRef": {"value": "CAD"}}
        account = books.write("Account", body)
        order = books.order_body(
            books.account_line(1, account["Id"]), VendorRef=vendor, CurrencyRef={"value": "EUR"}
        )
        assert books.refused("PurchaseOrder", order)["code"] == "6000"

    def test_foreign_currency_without_multicurrency(self, books):
        body = books.order_body(CurrencyRef={"value": "EUR"})
        assert books.refused("PurchaseOrder", body)["code"] == "5030"
        assert books.order(CurrencyRef={"value": "USD"}).get("ExchangeRate") is None
