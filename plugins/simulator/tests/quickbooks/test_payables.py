"""Payables as those use them who keep them in step from outside: voids, credits, payments of nothing, CDC."""

from __future__ import annotations

from datetime import date

import pytest


@pytest.fixture
def credit(books):
    """A vendor credit of 200."""
    return books.write("VendorCredit", books.bill_body(DocNumber="CR-1"))


def test_bill_may_be_voided_as_the_product_does_it(books):
    """The API has no void for bills: amounts of zero and a memo are what the product leaves."""
    bill = books.bill()
    shown = books.read("Bill", bill["Id"])
    voided = books.write(
        "Bill", {**shown, "Line": [{**shown["Line"][0], "Amount": 0}], "PrivateNote": "Voided"}
    )
    assert (voided["TotalAmt"], voided["Balance"], voided["PrivateNote"]) == (0, 0, "Voided")
    body = {"Id": bill["Id"], "SyncToken": voided["SyncToken"], "sparse": True}
    error = books.refused("Bill", body, operation="update", include="void")
    assert error["Detail"] == "Operation Void is not supported."


def test_payment_of_nothing_uses_a_credit(books, credit):
    bill = books.bill()
    payment = books.pay(("Bill", bill["Id"], 50), ("VendorCredit", credit["Id"], 50), TotalAmt=0)
    assert payment["TotalAmt"] == 0
    assert books.read("Bill", bill["Id"])["Balance"] == 150
    used = books.read("VendorCredit", credit["Id"])
    assert used["Balance"] == 150
    assert used["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "BillPaymentCheck"}]


def test_used_credit_cannot_be_deleted_or_made_smaller(books, credit):
    books.pay(("Bill", books.bill()["Id"], 150), ("VendorCredit", credit["Id"], 150), TotalAmt=0)
    shown = books.read("VendorCredit", credit["Id"])
    body = {"Id": credit["Id"], "SyncToken": shown["SyncToken"]}
    assert books.refused("VendorCredit", body, operation="delete")["code"] == "6000"
    smaller = {**shown, "Line": [books.account_line(149)]}
    assert books.refused("VendorCredit", smaller)["code"] == "6000"


def test_batch_creates_voids_and_deletes(books, credit):
    bill = books.bill()
    payment = books.pay(("Bill", bill["Id"], 200))
    named = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
    answers = books.batch(
        {"bId": "1", "operation": "update", "optionsData": "void", "BillPayment": named},
        {"bId": "2", "operation": "delete", "VendorCredit": {"Id": credit["Id"], "SyncToken": "0"}},
    )
    assert answers[0]["BillPayment"]["TotalAmt"] == 0
    assert answers[1]["VendorCredit"] == {"status": "Deleted", "domain": "QBO", "Id": credit["Id"]}


def test_queries_find_credits_by_vendor_total_and_number(books, credit):
    for where in (f"VendorRef = '{credit['VendorRef']['value']}'", "TotalAmt = '200'", "DocNumber = 'cr-1'"):
        rows = books.rows(f"select * from VendorCredit where {where}")  # noqa: S608 - of this test
        assert [row["Id"] for row in rows] == [credit["Id"]]


@pytest.mark.usefixtures("credit")
def test_change_data_capture_tells_of_all_three(books):
    bill = books.bill()
    books.pay(("Bill", bill["Id"], 200))
    answer = books.get(
        "cdc", entities="Bill,BillPayment,VendorCredit", changedSince="2026-03-02T11:00:00-08:00"
    )
    (response,) = answer["CDCResponse"]
    told = {name: rows for part in response["QueryResponse"] for name, rows in part.items()}
    assert [len(told[name]) for name in ("Bill", "BillPayment", "VendorCredit")] == [1, 1, 1]
    assert told["Bill"][0]["Balance"] == 0


def test_credit_in_closed_books_stays(books, credit):
    books.profile(book_close_date=date(2030, 12, 31))
    shown = books.read("VendorCredit", credit["Id"])
    assert books.refused("VendorCredit", shown)["code"] == "6210"
