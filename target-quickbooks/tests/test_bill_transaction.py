"""BILL bills and vendor credits as bills and vendor credits of QuickBooks, and what voiding makes of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.links import Link
from target_quickbooks.mapping.bill_transaction import is_voided, map_as_bill, retired, voided
from target_quickbooks.mapping.chart import ClassTracking
from target_quickbooks.mapping.names import NOTE_LENGTH
from target_quickbooks.mapping.purchase_order import VendorInQuickBooks, map_bill, marker, read_marker
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import read_bill
from target_quickbooks.mapping.vendor_credit import credit_label, map_vendor_credit, read_vendor_credit
from target_quickbooks.planning import Change, Operation
from target_quickbooks.voiding import resolve_void

VENDOR = VendorInQuickBooks("41", "Happy Music Supplies", "USD")
MARK = marker("00802TESTORGANIZATN1", "00n02BILL00000ABC123")


@pytest.fixture
def mapped(bill_record, context):
    def build(*, company=None, vendor=VENDOR, **changed):
        return map_as_bill(read_bill(bill_record(**changed)), vendor, context(**(company or {})))

    return build


def credit_record(**changed):
    return {
        "id": "vcr02CREDIT",
        "vendorId": "00902VENDOR000000001",
        "referenceNumber": "CR-1",
        "creditDate": "2026-12-28",
        "amount": Decimal("64.99"),
        "vendorCreditLineItems": [
            {"id": "vci1", "amount": Decimal("64.99"), "classifications": {"chartOfAccountId": "0ca-travel"}}
        ],
        **changed,
    }


def test_a_bill_is_its_order_without_a_status(mapped, bill_record, context):
    order = map_bill(read_bill(bill_record()), VENDOR, context())
    bill = mapped()
    assert (bill.entity, bill.label, bill.line_keys) == ("Bill", order.label, order.line_keys)
    assert bill.payload == {key: value for key, value in order.payload.items() if key != "POStatus"}


def test_a_bill_has_its_number_whatever_the_company_does_with_numbers_of_orders(mapped):
    assert mapped(company={"own_document_numbers": False}).payload["DocNumber"] == "INV-1"


def test_a_bill_needs_no_purchase_orders(mapped):
    assert mapped(company={"purchase_orders": False}).entity == "Bill"


def test_a_class_of_the_document_is_left_out_and_told(mapped, bill_line):
    line = bill_line(classifications={"chartOfAccountId": "0ca-travel", "accountingClassId": "cls-sales"})
    bill = mapped(company={"class_tracking": ClassTracking.PER_DOCUMENT}, billLineItems=[line])
    assert "ClassRef" not in bill.payload
    assert any("no class" in note for note in bill.notes)


# --- voids --------------------------------------------------------------------------------------------------


def test_a_voided_bill_has_nothing_to_pay_and_keeps_everything_else(mapped):
    payload = mapped().payload
    void = voided(payload)
    assert [line["Amount"] for line in void["Line"]] == [0]
    assert void["PrivateNote"] == f"Voided - {payload['PrivateNote']}"
    assert {**void, "Line": 0, "PrivateNote": 0} == {**payload, "Line": 0, "PrivateNote": 0}
    assert is_voided(void)
    assert not is_voided(payload)
    assert voided(void) == void


def test_an_item_line_is_voided_by_its_price(mapped, bill_line):
    line = bill_line(amount=Decimal(50), quantity=5, price=10, classifications={"itemId": "0ii-pump"})
    (void,) = voided(mapped(billLineItems=[line]).payload)["Line"]
    assert void["ItemBasedExpenseLineDetail"]["UnitPrice"] == 0
    assert void["ItemBasedExpenseLineDetail"]["Qty"] == 5


@given(st.text(max_size=NOTE_LENGTH))
def test_the_id_outlives_a_void_however_long_the_memo_is(text):
    note = f"{text}\n{MARK}"[-NOTE_LENGTH:]
    void = voided({"PrivateNote": note, "Line": []})
    assert len(void["PrivateNote"]) <= NOTE_LENGTH
    assert read_marker(void["PrivateNote"]) == ("00802TESTORGANIZATN1", "00n02BILL00000ABC123")


def test_what_is_given_up_no_longer_stands_for_the_bill(mapped):
    given_up = retired(mapped().payload)
    assert is_voided(given_up)
    assert read_marker(given_up["PrivateNote"]) is None


@pytest.fixture
def void_of(mapped, make_item):
    """Settles the void of a bill against what QuickBooks holds."""

    def settle(**held):
        bill = mapped()
        live = {"Id": "9", "SyncToken": "4", **bill.payload, "TotalAmt": 149, "Balance": 149, **held}
        live["Line"] = held.get("Line") or [{"Id": "1", **bill.payload["Line"][0]}]
        link = Link("Bill", "00n", "9", "3", desired=bill.payload, line_ids={"bli01": "1"})
        item = make_item(bill, stream="bills", link=link)
        return resolve_void(Change(Operation.UPDATE, item, quickbooks_id="9"), link, live)

    return settle


def test_a_void_takes_all_lines_that_are_there(void_of, mapped):
    line = mapped().payload["Line"][0]
    change = void_of(Line=[{"Id": "1", **line}, {"Id": "2", **line, "Amount": Decimal(7)}])
    assert change.operation is Operation.VOID
    assert [(found["Id"], found["Amount"]) for found in change.body["Line"]] == [("1", 0), ("2", 0)]
    assert change.line_keys == ("bli01", "")
    assert change.body["SyncToken"] == "4"


@pytest.mark.parametrize("kind", ["BillPaymentCheck", "BillPaymentCreditCard"])
def test_what_payments_stand_against_is_not_voided(void_of, kind):
    change = void_of(LinkedTxn=[{"TxnId": "7", "TxnType": kind}])
    assert (change.operation, change.code) == (Operation.BLOCKED, "paid-in-quickbooks")


def test_what_a_person_voided_is_only_confirmed(void_of, mapped):
    bill = mapped()
    lines = [{"Id": "1", **bill.payload["Line"][0], "Amount": 0}]
    change = void_of(Line=lines, PrivateNote=f"Voided - {bill.payload['PrivateNote']}")
    assert change.operation is Operation.LINK


# --- vendor credits -----------------------------------------------------------------------------------------


def test_a_vendor_credit_has_its_number_date_and_lines(context):
    credit = map_vendor_credit(read_vendor_credit(credit_record()), VENDOR, context())
    assert credit.entity == "VendorCredit"
    assert credit.label == "vendor credit 'CR-1' of Happy Music Supplies"
    assert (credit.payload["DocNumber"], credit.payload["TxnDate"]) == ("CR-1", "2026-12-28")
    assert "DueDate" not in credit.payload
    assert [line["Amount"] for line in credit.payload["Line"]] == [Decimal("64.99")]
    assert credit.payload["PrivateNote"].endswith("/vcr02CREDIT]")


@pytest.mark.parametrize(
    ("changed", "code", "word"),
    [
        ({"vendorId": None}, "credit-without-vendor", "Vendor credit vcr02CREDIT"),
        ({"vendorCreditLineItems": "x"}, "credit-unreadable", "its lines"),
        ({"amount": None}, "amount-missing", "Vendor credit vcr02CREDIT"),
    ],
)
def test_an_odd_credit_is_refused_as_a_credit(changed, code, word):
    with pytest.raises(Refusal) as refused:
        read_vendor_credit(credit_record(**changed))
    assert refused.value.code == code
    assert word in refused.value.reason


def test_a_foreign_credit_has_no_rate_and_is_left_to_people(context):
    vendor = VendorInQuickBooks("41", "Happy Music Supplies", "EUR")
    with pytest.raises(Refusal, match="no exchange rate for vendor credit") as refused:
        map_vendor_credit(read_vendor_credit(credit_record()), vendor, context(multicurrency=True))
    assert "by hand" in refused.value.advice


def test_a_credit_without_a_number_goes_by_its_id():
    assert (
        credit_label(read_vendor_credit(credit_record(referenceNumber=None))) == "vendor credit vcr02CREDIT"
    )
