"""A BILL bill as the QuickBooks purchase order it should become: the document and its amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.mapping.purchase_order import (
    VendorInQuickBooks,
    bill_label,
    distinct_document_number,
    marker,
    read_marker,
    references_of,
)
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Kind, read_bill
from target_quickbooks.policies import DocumentNumber, LocationFrom, PaidBill, Policies

EUR_VENDOR = VendorInQuickBooks("42", "Musik GmbH", "EUR")
SEVERAL_CURRENCIES = {"multicurrency": True}
TRAVEL = {"chartOfAccountId": "0ca-travel"}
NOTE = "December trip\n[BILL 00802TESTORGANIZATN1/00n02BILL00000ABC123]"


def test_every_field_of_the_header_is_mapped(map_order):
    result = map_order()
    assert (result.entity, result.label) == ("PurchaseOrder", "bill 'INV-1' of Happy Music Supplies")
    assert (result.notes, result.line_keys) == ((), ("bli01",))
    assert result.payload == {
        "VendorRef": {"value": "41"},
        "APAccountRef": {"value": "33"},
        "PrivateNote": NOTE,
        "POStatus": "Open",
        "TxnDate": "2026-12-15",
        "DueDate": "2026-12-31",
        "DocNumber": "INV-1",
        "Line": [
            {
                "Amount": Decimal("149.00"),
                "Description": "Flight",
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "60"}},
            }
        ],
    }


def test_dates_that_bill_does_not_hold_are_left_to_quickbooks(map_order):
    payload = map_order(invoice={}, dueDate=None).payload
    assert "TxnDate" not in payload
    assert "DueDate" not in payload


def test_a_plan_without_purchase_orders_refuses_every_bill(map_order):
    essentials = {"purchase_orders": False, "plan_has_orders": False, "plan": "QuickBooks Online Essentials"}
    with pytest.raises(Refusal, match=r"Essentials.* has no purchase orders") as refusal:
        map_order(company=essentials)
    assert refusal.value.code == "no-purchase-orders"


def test_purchase_orders_that_are_switched_off_refuse_every_bill(map_order):
    with pytest.raises(Refusal, match="purchase orders are switched off in Test Company") as refusal:
        map_order(company={"purchase_orders": False})
    assert refusal.value.code == "purchase-orders-off"


@pytest.mark.parametrize(
    ("status", "policy", "written"),
    [
        ("PAID", PaidBill.CLOSE, "Closed"),
        ("paid", PaidBill.CLOSE, "Closed"),
        ("PAID", PaidBill.LEAVE, "Open"),
        ("PARTIALLY_PAID", PaidBill.CLOSE, "Open"),
        ("SCHEDULED", PaidBill.CLOSE, "Open"),
        (None, PaidBill.CLOSE, "Open"),
    ],
)
def test_a_paid_bill_closes_its_order(map_order, status, policy, written):
    assert map_order(paymentStatus=status, policies=Policies(paid_bill=policy)).payload["POStatus"] == written


def test_a_bill_without_description_has_only_its_mark_in_the_note(map_order):
    assert map_order(description=None).payload["PrivateNote"] == marker(
        "00802TESTORGANIZATN1", "00n02BILL00000ABC123"
    )


def test_a_long_description_is_cut_and_the_mark_is_kept_whole(map_order):
    note = map_order(description="x" * 5000).payload["PrivateNote"]
    assert len(note) == 4000
    assert read_marker(note) == ("00802TESTORGANIZATN1", "00n02BILL00000ABC123")


@given(st.text(max_size=50), st.sampled_from(["", "[BILL other/bill]", "[BILL"]))
def test_the_mark_is_found_again_whatever_the_description_holds(map_order, text, forged):
    """A description copied from another order may hold that order's mark: ours is the last."""
    note = map_order(description=f"{text}{forged}").payload["PrivateNote"]
    assert read_marker(note) == ("00802TESTORGANIZATN1", "00n02BILL00000ABC123")


@pytest.mark.parametrize("note", ["", "Deliver to rear dock", "[BILL x]", "[BILL a/b", "BILL a/b"])
def test_a_note_without_a_mark_is_nobodys(note):
    assert read_marker(note) is None


@pytest.mark.parametrize(
    ("invoice_number", "policy", "written"),
    [
        ("INV-1", DocumentNumber.INVOICE_NUMBER, "INV-1"),
        ("x" * 21, DocumentNumber.INVOICE_NUMBER, "x" * 21),
        ("2026/December/Consulting", DocumentNumber.INVOICE_NUMBER, "2026/December~ABC123"),
        ("December consulting II", DocumentNumber.INVOICE_NUMBER, "December cons~ABC123"),
        ("A\tB\n1", DocumentNumber.INVOICE_NUMBER, "A B 1"),
        (None, DocumentNumber.INVOICE_NUMBER, "00n02BILL00000ABC123"),
        ("🚀", DocumentNumber.INVOICE_NUMBER, "00n02BILL00000ABC123"),
        ("INV-1", DocumentNumber.BILL_ID, "00n02BILL00000ABC123"),
    ],
)
def test_the_document_number(map_order, invoice_number, policy, written):
    invoice = {"invoiceNumber": invoice_number}
    payload = map_order(invoice=invoice, policies=Policies(document_number=policy)).payload
    assert payload["DocNumber"] == written


def test_quickbooks_numbers_documents_itself_where_it_is_told_to(map_order):
    assert "DocNumber" not in map_order(policies=Policies(document_number=DocumentNumber.AUTO)).payload


def test_no_number_is_sent_to_a_company_that_makes_its_own(map_order):
    """It would be overridden, and could not be looked up again (QuickBooks manual 6.2)."""
    assert "DocNumber" not in map_order(company={"own_document_numbers": False}).payload


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=40))
def test_a_distinct_number_fits_and_tells_bills_apart(number):
    one, other = (distinct_document_number(number, f"00n02BILL0000{end}") for end in ("ABC123", "ABC124"))
    assert one != other
    assert max(len(one), len(other)) <= 21


def test_the_home_currency_is_named_where_there_are_several(map_order):
    payload = map_order(company=SEVERAL_CURRENCIES).payload
    assert payload["CurrencyRef"] == {"value": "USD"}
    assert payload["APAccountRef"] == {"value": "33"}
    assert "ExchangeRate" not in payload


def test_a_foreign_bill_goes_to_its_currencys_payables_account_with_a_rate(map_order):
    rate = {"fundingAmount": Decimal("163.90"), "exchangeRate": Decimal("1.1")}
    payload = map_order(vendor=EUR_VENDOR, company=SEVERAL_CURRENCIES, **rate).payload
    assert payload["CurrencyRef"] == {"value": "EUR"}
    assert payload["APAccountRef"] == {"value": "90"}
    assert payload["ExchangeRate"] == Decimal("1.1")


def test_a_foreign_bill_needs_multicurrency(map_order):
    with pytest.raises(Refusal, match="is in EUR, but multicurrency is off") as refusal:
        map_order(vendor=EUR_VENDOR)
    assert refusal.value.code == "currency-off"


def test_a_foreign_bill_without_a_rate_is_refused(map_order):
    with pytest.raises(Refusal) as refusal:
        map_order(vendor=EUR_VENDOR, company=SEVERAL_CURRENCIES)
    assert refusal.value.code == "exchange-rate-missing"


def test_a_currency_without_a_payables_account_is_refused(map_order):
    with pytest.raises(Refusal, match="no active accounts payable account in GBP") as refusal:
        map_order(vendor=VendorInQuickBooks("43", "Tea Ltd.", "GBP"), company=SEVERAL_CURRENCIES)
    assert refusal.value.code == "payables-account-missing"


def test_a_bill_without_lines_has_one_over_its_amount(map_order):
    result = map_order(billLineItems=[], amount=Decimal("20.00"), classifications=TRAVEL)
    [line] = result.payload["Line"]
    assert (line["Amount"], line["Description"]) == (Decimal("20.00"), "December trip")
    assert line["AccountBasedExpenseLineDetail"] == {"AccountRef": {"value": "60"}}
    assert result.line_keys == ("#1",)


def test_lines_that_do_not_add_up_are_refused(map_order):
    with pytest.raises(Refusal, match=r"add up to 149.00, but the bill says 150.00") as refusal:
        map_order(amount=Decimal("150.00"))
    assert refusal.value.code == "lines-do-not-add-up"


def test_the_sum_is_exact(map_order, bill_line):
    """Ten cents thirty times is three dollars, which floats would miss."""
    lines = [bill_line(id=str(number), amount=Decimal("0.10")) for number in range(30)]
    assert len(map_order(billLineItems=lines, amount=Decimal(3)).payload["Line"]) == 30


def test_a_fraction_of_a_cent_is_refused(map_order, bill_line):
    halves = [bill_line(id="a", amount=Decimal("0.005")), bill_line(id="b", amount=Decimal("0.005"))]
    with pytest.raises(Refusal, match=r"amount of 0.005: QuickBooks keeps two decimals") as refusal:
        map_order(billLineItems=halves)
    assert refusal.value.code == "fraction-of-a-cent"


def test_trailing_zeros_are_no_fraction_of_a_cent(map_order, bill_line):
    assert map_order(billLineItems=[bill_line(amount=Decimal("1.5000"))]).payload["Line"][0][
        "Amount"
    ] == Decimal("1.5")


def test_a_negative_line_stays_negative(map_order, bill_line):
    lines = [bill_line(id="a", amount=Decimal(100)), bill_line(id="b", amount=Decimal(-10))]
    assert [line["Amount"] for line in map_order(billLineItems=lines).payload["Line"]] == [100, -10]


@pytest.fixture(scope="session")
def located_order(map_order, bill_line):
    def build(*locations, bill=None, kind="locationId", **options):
        lines = [
            bill_line(id=str(number), classifications={**TRAVEL, kind: name})
            for number, name in enumerate(locations)
        ]
        return map_order(billLineItems=lines, classifications={kind: bill}, **options)

    return build


def test_the_bills_location_is_the_documents(located_order):
    assert located_order("loc-boston", bill="loc-austin").payload["DepartmentRef"] == {"value": "300"}


def test_the_location_all_lines_share_is_the_documents(located_order):
    assert located_order("loc-boston", None, "loc-boston").payload["DepartmentRef"] == {"value": "301"}


def test_lines_of_different_locations_leave_the_document_without_one_with_a_note(located_order):
    result = located_order("loc-boston", "loc-austin")
    assert "DepartmentRef" not in result.payload
    assert result.notes == ("no location: the lines have 2 different ones, the document only one",)


def test_the_location_may_come_from_the_department(located_order):
    policies = Policies(location_from=LocationFrom.DEPARTMENT)
    payload = located_order("0de-boston", kind="departmentId", policies=policies).payload
    assert payload["DepartmentRef"] == {"value": "301"}


def test_an_unknown_location_is_refused(located_order):
    with pytest.raises(Refusal) as refusal:
        located_order("loc-sales")
    assert refusal.value.code == "location-unknown"


@pytest.mark.parametrize(
    "options", [{"policies": Policies(location_from=LocationFrom.NONE)}, {"company": {"locations": False}}]
)
def test_locations_are_not_looked_at_where_they_are_off(located_order, options):
    assert "DepartmentRef" not in located_order("loc-never-seen", **options).payload


def test_all_that_a_bill_refers_to_is_listed(bill_record, bill_line):
    codes = {
        "chartOfAccountId": "a",
        "accountingClassId": "c",
        "itemId": "i",
        "jobId": "j",
        "customerId": "u",
    }
    bill = read_bill(
        bill_record(
            billLineItems=[bill_line(classifications=codes)],
            classifications={"departmentId": "d", "locationId": "l"},
        )
    )
    assert references_of(bill) == {
        (Kind.ACCOUNT, "a"),
        (Kind.CLASS, "c"),
        (Kind.ITEM, "i"),
        (Kind.JOB, "j"),
        (Kind.CUSTOMER, "u"),
        (Kind.DEPARTMENT, "d"),
        (Kind.LOCATION, "l"),
    }


@pytest.mark.parametrize(
    ("number", "vendor", "label"),
    [
        ("INV-1", "Acme", "bill 'INV-1' of Acme"),
        ("INV\n1", "Ac\nme", "bill 'INV 1' of Ac me"),
        (None, "Acme", "bill 00n02BILL00000ABC123 of Acme"),
        ("INV-1", None, "bill 'INV-1'"),
    ],
)
def test_what_a_bill_is_called(bill_record, number, vendor, label):
    assert bill_label(read_bill(bill_record(invoice={"invoiceNumber": number}, vendorName=vendor))) == label
