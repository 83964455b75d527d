"""DocNumber: kept, assigned, doubled (QuickBooks manual 6.2, 6.3)."""

from __future__ import annotations

import pytest


def test_number_is_kept_and_may_be_absent(books):
    assert books.order(DocNumber="PO-1")["DocNumber"] == "PO-1"
    assert "DocNumber" not in books.order()


def test_too_long_number(books):
    assert books.order(DocNumber="x" * 21)["DocNumber"] == "x" * 21
    error = books.refused("PurchaseOrder", books.order_body(DocNumber="x" * 22))
    assert error["code"] == "2050"
    assert error["Detail"].endswith("Min:0 Max:21 supported. Supplied length:22")


def test_doubled_number_names_the_holder(books):
    first = books.order(DocNumber="AA_2025-07")
    error = books.refused("PurchaseOrder", books.order_body(DocNumber="AA_2025-07"))
    assert (error["code"], error["Message"]) == ("6140", "Duplicate Document Number Error")
    assert error["Detail"] == (
        "Duplicate Document Number Error : You must specify a different number. This number has "
        "already been used. DocNumber=AA_2025-07 is assigned to TxnType=Purchase Order with "
        f"TxnId={first['Id']}"
    )


def test_doubled_number_may_be_allowed(books):
    books.order(DocNumber="7")
    body = books.order_body(DocNumber="7")
    assert books.write("PurchaseOrder", body, include="allowduplicatedocnum")["DocNumber"] == "7"
    books.switch(purchase_order_duplicates="accept")
    assert books.write("PurchaseOrder", body)["DocNumber"] == "7"


def test_own_number_is_no_double(books):
    order = books.order(DocNumber="7")
    assert books.write("PurchaseOrder", {**order, "Memo": "x"})["DocNumber"] == "7"


def test_number_of_a_deleted_order_is_free(books):
    order = books.order(DocNumber="7")
    books.post("purchaseorder", {"Id": order["Id"], "SyncToken": "0"}, operation="delete")
    assert books.order(DocNumber="7")


def test_change_to_a_taken_number(books):
    books.order(DocNumber="7")
    order = books.order(DocNumber="8")
    assert books.refused("PurchaseOrder", {**order, "DocNumber": "7"})["code"] == "6140"


class TestAssignedNumbers:
    @pytest.fixture
    def books(self, books):
        books.profile(custom_txn_numbers=False)
        return books

    def test_numbers_go_up(self, books):
        assert [books.order()["DocNumber"] for _ in range(2)] == ["1001", "1002"]

    def test_sent_number_is_replaced(self, books):
        assert books.order(DocNumber="MINE")["DocNumber"] == "1001"

    def test_sent_number_is_kept_by_switch(self, books):
        books.switch(supplied_document_number="keep")
        assert books.order(DocNumber="MINE")["DocNumber"] == "MINE"
        assert books.order()["DocNumber"] == "1001"

    def test_numbers_go_on_from_the_highest(self, books):
        line = books.account_line(1)
        books.load(
            "PurchaseOrder",
            {
                "Id": "900",
                "DocNumber": "4711",
                "TxnDate": "2026-01-01",
                "VendorRef": {"value": books.VENDOR},
                "APAccountRef": {"value": books.PAYABLE},
                "POStatus": "Open",
                "TotalAmt": 1,
                "Line": [{"Id": "1", **line}],
            },
        )
        assert books.order()["DocNumber"] == "4712"

    def test_update_keeps_the_number(self, books):
        order = books.order()
        updated = books.write("PurchaseOrder", {**order, "DocNumber": "MINE"})
        assert updated["DocNumber"] == order["DocNumber"]

    def test_bills_keep_the_vendors_number(self, books):
        assert books.bill(DocNumber="INV-9")["DocNumber"] == "INV-9"


class TestBillNumbers:
    def test_doubles_are_accepted_unless_the_company_is_warned(self, books):
        books.bill(DocNumber="INV-1")
        assert books.bill(DocNumber="INV-1")
        books.profile(warn_duplicate_bill_number=True)
        error = books.refused("Bill", books.bill_body(DocNumber="INV-1"))
        assert error["code"] == "6140"
        assert "TxnType=Bill with" in error["Detail"]

    def test_other_vendors_may_have_the_same_number(self, books):
        books.switch(bill_duplicates="reject")
        other = books.vendor()
        books.bill(DocNumber="INV-1")
        body = books.bill_body(DocNumber="INV-1", VendorRef={"value": other["Id"]})
        books.switch(bill_number_scope="company")
        assert books.refused("Bill", body)["code"] == "6140"
        books.switch(bill_number_scope="vendor")
        assert books.write("Bill", body)

    def test_payments_follow_the_check_number_preference(self, books):
        bill = books.bill()
        books.pay(("Bill", bill["Id"], 50), DocNumber="99")
        books.profile(warn_duplicate_check_number=True)
        body = books.payment_body(("Bill", bill["Id"], 50), DocNumber="99")
        error = books.refused("BillPayment", body)
        assert "TxnType=Bill Payment (Check) with" in error["Detail"]
