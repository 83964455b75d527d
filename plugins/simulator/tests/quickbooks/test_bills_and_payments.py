"""Bills, payments, credits: links to orders, balances, voids, closed books (manual 6.3, 6.4, 10)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest


def link(order, line="1", **changes):
    return [{"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": line, **changes}]


def balance(books, vendor_id=None):
    return books.read("Vendor", vendor_id or books.VENDOR)["Balance"]


def test_bill_has_its_defaults(books):
    bill = books.bill(books.account_line(200), DepartmentRef={"value": books.OAKLAND})
    assert bill["DueDate"] == bill["TxnDate"] == "2026-03-02"
    assert bill["TotalAmt"] == bill["Balance"] == Decimal("200.0")
    assert bill["APAccountRef"] == {"value": "33", "name": "Accounts Payable (A/P)"}
    assert bill["DepartmentRef"]["name"] == "Oakland"
    assert bill["SyncToken"] == "0"
    assert "LinkedTxn" not in bill


def test_bill_needs_its_vendor_in_a_sparse_update_too(books):
    bill = books.bill()
    body = {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
    error = books.refused("Bill", body)
    assert (error["code"], error["element"]) == ("2020", "VendorRef")
    assert books.write("Bill", {**body, "VendorRef": bill["VendorRef"]})["PrivateNote"] == "x"


class TestLinksToOrders:
    def test_bill_of_a_whole_order_closes_it(self, books):
        order = books.order(books.item_line(40, 4, 10), books.account_line(60))
        bill = books.bill(
            books.item_line(40, 4, 10, LinkedTxn=link(order)),
            books.account_line(60, LinkedTxn=link(order, "2")),
        )
        assert bill["LinkedTxn"] == [{"TxnId": order["Id"], "TxnType": "PurchaseOrder"}]
        assert bill["SyncToken"] == "0"
        billed = books.read("PurchaseOrder", order["Id"])
        assert billed["POStatus"] == "Closed"
        assert billed["LinkedTxn"] == [{"TxnId": bill["Id"], "TxnType": "Bill"}]
        assert [line["Received"] for line in billed["Line"]] == [4, 60]
        assert billed["SyncToken"] == "1"

    def test_bill_of_a_part_leaves_it_open(self, books):
        order = books.order(books.item_line(40, 4, 10))
        books.bill(books.item_line(30, 3, 10, LinkedTxn=link(order)))
        billed = books.read("PurchaseOrder", order["Id"])
        assert (billed["POStatus"], billed["Line"][0]["Received"]) == ("Open", 3)
        books.bill(books.item_line(10, 1, 10, LinkedTxn=link(order)))
        assert books.read("PurchaseOrder", order["Id"])["POStatus"] == "Closed"

    def test_order_opens_again_without_the_bill(self, books):
        order = books.order()
        bill = books.bill(books.account_line("80.00", LinkedTxn=link(order)))
        assert books.read("PurchaseOrder", order["Id"])["POStatus"] == "Closed"
        books.post("bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete")
        opened = books.read("PurchaseOrder", order["Id"])
        assert (opened["POStatus"], opened["Line"][0]["Received"]) == ("Open", 0)
        assert "LinkedTxn" not in opened

    def test_order_stays_open_by_switch(self, books):
        books.switch(billed_order_closes=False, linking_advances_token=False)
        order = books.order()
        books.bill(books.account_line("80.00", LinkedTxn=link(order)))
        billed = books.read("PurchaseOrder", order["Id"])
        assert (billed["POStatus"], billed["SyncToken"]) == ("Open", "0")
        assert billed["LinkedTxn"]

    @pytest.mark.parametrize("changes", [{"TxnLineId": None}, {"TxnLineId": "9"}, {"TxnId": "999"}])
    def test_link_that_does_not_fit_is_dropped_in_silence(self, books, changes):
        order = books.order()
        line = books.account_line(80, LinkedTxn=link(order, **changes))
        bill = books.bill(line)
        assert "LinkedTxn" not in bill
        assert "LinkedTxn" not in bill["Line"][0]
        books.switch(bad_order_link="620")
        error = books.refused("Bill", books.bill_body(line))
        assert (error["code"], error["Message"]) == ("620", "Txn ID Cannot Be Linked")

    def test_link_to_another_vendors_order_is_dropped(self, books):
        order = books.order(VendorRef={"value": books.vendor()["Id"]})
        assert "LinkedTxn" not in books.bill(books.account_line(80, LinkedTxn=link(order)))

    def test_old_line_cannot_be_linked(self, books):
        order, bill = books.order(), books.bill(books.account_line(80))
        linked = {**bill["Line"][0], "LinkedTxn": link(order)}
        assert "LinkedTxn" not in books.write("Bill", {**bill, "Line": [linked]})
        fresh = {**linked, "Id": "99"}
        updated = books.write("Bill", {**bill, "SyncToken": "1", "Line": [fresh]})
        assert updated["LinkedTxn"]
        again = books.write("Bill", updated)
        assert again["Line"][0]["LinkedTxn"] == link(order)

    def test_order_with_a_bill_cannot_be_deleted(self, books):
        order = books.order()
        books.bill(books.account_line(80, LinkedTxn=link(order)))
        body = {"Id": order["Id"], "SyncToken": "1"}
        assert books.refused("PurchaseOrder", body, operation="delete")["code"] == "6000"
        books.switch(delete_linked="620")
        assert books.refused("PurchaseOrder", body, operation="delete")["code"] == "620"

    def test_received_quantities_survive_an_update_of_the_order(self, books):
        order = books.order(books.item_line(40, 4, 10))
        books.bill(books.item_line(30, 3, 10, LinkedTxn=link(order)))
        shown = books.read("PurchaseOrder", order["Id"])
        assert books.write("PurchaseOrder", {**shown, "Memo": "x"})["Line"][0]["Received"] == 3


class TestBalances:
    def test_payment_pays_the_bill(self, books):
        bill = books.bill(books.account_line(200))
        assert balance(books) == 200
        payment = books.pay(("Bill", bill["Id"], 150), PrivateNote="Acct. 1JK90")
        assert payment["CheckPayment"] == {
            "BankAccountRef": {"value": "34", "name": "Checking"},
            "PrintStatus": "NeedToPrint",
        }
        assert payment["Line"] == [
            {
                "Amount": Decimal("150.0"),
                "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}],
            }
        ]
        paid = books.read("Bill", bill["Id"])
        assert paid["Balance"] == 50
        assert paid["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "BillPaymentCheck"}]
        assert paid["SyncToken"] == "1"
        assert balance(books) == 50

    def test_vendors_time_moves_with_its_balance_and_its_token_does_not(self, books):
        before = books.read("Vendor", books.VENDOR)
        books.advance(minutes=5)
        books.bill()
        after = books.read("Vendor", books.VENDOR)
        assert after["SyncToken"] == before["SyncToken"]
        assert after["MetaData"]["LastUpdatedTime"] == "2026-03-02T12:05:00-08:00"
        assert books.rows("select * from Vendor where Balance > '0'") == [after]

    def test_credit_card_payment(self, books):
        bill = books.bill()
        payment = books.pay(
            ("Bill", bill["Id"], 200),
            PayType="CreditCard",
            CheckPayment={},
            CreditCardPayment={"CCAccountRef": {"value": books.CARD}},
        )
        assert payment["CreditCardPayment"]["CCAccountRef"]["name"] == "Visa"
        linked = books.read("Bill", bill["Id"])["LinkedTxn"]
        assert linked[0]["TxnType"] == "BillPaymentCreditCard"

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"CheckPayment": {"BankAccountRef": {"value": "36"}}}, "6430"),
            ({"CheckPayment": {}}, "2020"),
            ({"PayType": "CreditCard"}, "2020"),
            ({"PayType": "Cash"}, "2010"),
            ({"TotalAmt": -1}, "2240"),
            ({"TotalAmt": 10}, "6000"),
            ({"Line": []}, "2020"),
            ({"Line": [{"Amount": 1}]}, "2020"),
        ],
    )
    def test_bad_payments(self, books, fields, code):
        bill = books.bill()
        error = books.refused("BillPayment", books.payment_body(("Bill", bill["Id"], 200), **fields))
        assert error["code"] == code
        assert books.read("Bill", bill["Id"])["Balance"] == 200

    def test_payment_needs_what_it_needs(self, books):
        errors = books.faults(books.call("POST", "billpayment", {}))
        assert [e["element"] for e in errors] == ["VendorRef", "TotalAmt", "PayType", "Line"]

    @pytest.mark.parametrize(
        ("kind", "record_id", "code"), [("Bill", "999", "2500"), ("JournalEntry", "1", "620")]
    )
    def test_payment_of_what_is_not_there(self, books, kind, record_id, code):
        body = books.payment_body((kind, record_id, 1))
        assert books.refused("BillPayment", body)["code"] == code

    def test_payment_of_more_than_is_open(self, books):
        bill = books.bill()
        body = books.payment_body(("Bill", bill["Id"], "200.01"))
        assert "open balance" in books.refused("BillPayment", body)["Detail"]

    def test_payment_of_another_vendors_bill(self, books):
        bill = books.bill(VendorRef={"value": books.vendor()["Id"]})
        body = books.payment_body(("Bill", bill["Id"], 1))
        assert "another vendor" in books.refused("BillPayment", body)["Detail"]

    def test_credit_pays_a_part(self, books):
        bill, credit = books.bill(), books.write("VendorCredit", books.bill_body())
        assert balance(books) == 0
        books.pay(("Bill", bill["Id"], 200), ("VendorCredit", credit["Id"], 50), TotalAmt=150)
        assert books.read("Bill", bill["Id"])["Balance"] == 0
        assert books.read("VendorCredit", credit["Id"])["Balance"] == 150
        assert balance(books) == -150

    def test_overpayment_is_owed_back(self, books):
        bill = books.bill()
        books.pay(("Bill", bill["Id"], 200), TotalAmt=230)
        assert balance(books) == -30

    def test_changed_payment_moves_everything_along(self, books):
        first, second = books.bill(), books.bill()
        payment = books.pay(("Bill", first["Id"], 200))
        body = books.payment_body(("Bill", second["Id"], 120))
        books.write("BillPayment", {**body, "Id": payment["Id"], "SyncToken": "0"})
        assert books.read("Bill", first["Id"])["Balance"] == 200
        assert "LinkedTxn" not in books.read("Bill", first["Id"])
        assert books.read("Bill", second["Id"])["Balance"] == 80
        assert balance(books) == 280

    def test_deleted_payment_opens_the_bill(self, books):
        bill = books.bill()
        payment = books.pay(("Bill", bill["Id"], 200))
        books.post("billpayment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")
        assert books.read("Bill", bill["Id"])["Balance"] == 200
        assert balance(books) == 200

    @pytest.mark.parametrize(("note", "voided"), [(None, "Voided"), ("Paid", "Voided - Paid")])
    def test_voided_payment(self, books, note, voided):
        bill = books.bill()
        payment = books.pay(("Bill", bill["Id"], 200), PrivateNote=note)
        body = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
        answer = books.write("BillPayment", body, operation="update", include="void")
        assert (answer["TotalAmt"], answer["Line"]) == (0, [])
        assert answer["PrivateNote"] == voided
        assert answer["SyncToken"] == "1"
        assert books.read("Bill", bill["Id"])["Balance"] == 200
        assert balance(books) == 200

    def test_void_without_include_is_not_supported(self, books):
        bill = books.bill()
        payment = books.pay(("Bill", bill["Id"], 200))
        body = {"Id": payment["Id"], "SyncToken": "0"}
        error = books.refused("BillPayment", body, operation="void")
        assert error["Detail"] == "Operation void is not supported."

    def test_paid_bill_cannot_be_deleted_or_made_smaller(self, books):
        bill = books.bill()
        books.pay(("Bill", bill["Id"], 150))
        shown = books.read("Bill", bill["Id"])
        body = {"Id": bill["Id"], "SyncToken": shown["SyncToken"]}
        assert books.refused("Bill", body, operation="delete")["code"] == "6000"
        smaller = {**shown, "Line": [books.account_line(149)]}
        assert books.refused("Bill", smaller)["code"] == "6000"
        larger = books.write("Bill", {**shown, "Line": [books.account_line(160)]})
        assert larger["Balance"] == 10

    def test_bill_for_another_vendor_moves_both_balances(self, books):
        bill, other = books.bill(), books.vendor()
        books.write("Bill", {**bill, "VendorRef": {"value": other["Id"]}})
        assert balance(books) == 0
        assert balance(books, other["Id"]) == 200

    def test_home_balance_of_a_foreign_bill(self, open_books):
        books = open_books(multicurrency=True, exchange_rates={"EUR": Decimal("1.1")})
        vendor = books.vendor(CurrencyRef={"value": "EUR"})
        bill = books.bill(VendorRef={"value": vendor["Id"]}, CurrencyRef={"value": "EUR"})
        assert bill["HomeBalance"] == 220


class TestClosedBooks:
    @pytest.fixture
    def books(self, books):
        books.profile(book_close_date=date(2026, 1, 31))
        return books

    def test_nothing_can_be_booked_before(self, books):
        error = books.refused("Bill", books.bill_body(TxnDate="2026-01-31"))
        assert error["code"] == "6210"
        assert error["Message"] == "Account Period Closed, Cannot Update Through Services API"
        assert "through through the QBO Services API" in error["Detail"]
        assert books.bill(TxnDate="2026-02-01")

    def test_nothing_can_be_moved_there_or_away(self, books):
        bill = books.bill(TxnDate="2026-02-01")
        assert books.refused("Bill", {**bill, "TxnDate": "2026-01-01"})["code"] == "6210"
        books.profile(book_close_date=date(2026, 2, 28))
        assert books.refused("Bill", {**bill, "TxnDate": "2026-03-01"})["code"] == "6210"
        body = {"Id": bill["Id"], "SyncToken": "0"}
        assert books.refused("Bill", body, operation="delete")["code"] == "6210"

    def test_payments_and_voids_too(self, books):
        bill = books.bill(TxnDate="2026-02-01")
        payment = books.pay(("Bill", bill["Id"], 5), TxnDate="2026-02-02")
        books.profile(book_close_date=date(2026, 2, 28))
        body = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
        error = books.refused("BillPayment", body, operation="update", include="void")
        assert error["code"] == "6210"
