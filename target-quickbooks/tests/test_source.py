"""Reading BILL's records: typed values, or a refusal; never a crash."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.mapping.exchange import exchange_rate
from target_quickbooks.mapping.purchase_order import VendorInQuickBooks, map_bill
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Coding, Kind, read_bill, read_reference, read_vendor
from target_quickbooks.mapping.vendor import map_vendor

numbers = st.integers() | st.decimals() | st.floats() | st.decimals(-1000, 1000, places=2)
json = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def with_keys(keys, **inner):
    """Objects that may hold these keys, with any JSON value or one of the given shape."""
    return st.fixed_dictionaries(
        {}, optional={key: inner.get(key, st.nothing()) | json for key in keys.split()}
    )


codings = with_keys("chartOfAccountId itemId jobId customerId locationId departmentId")
lines = with_keys("id amount quantity price description classifications", classifications=codings)
bills = with_keys(
    "id vendorId vendorName archived recordStatus amount fundingAmount exchangeRate invoice dueDate "
    "description classifications billLineItems paymentStatus",
    vendorId=st.text(min_size=1, max_size=4),
    amount=numbers,
    fundingAmount=numbers,
    exchangeRate=numbers,
    invoice=with_keys("invoiceNumber invoiceDate"),
    classifications=codings,
    billLineItems=st.lists(lines, max_size=3),
)
vendors = with_keys(
    "id name archived email phone accountNumber address additionalInfo paymentInformation billCurrency",
    name=st.text(min_size=1, max_size=20),
    address=with_keys("line1 line2 city stateOrProvince zipOrPostalCode country countryName"),
    additionalInfo=with_keys("taxId track1099 companyName"),
    paymentInformation=with_keys("payeeName"),
)
references = with_keys("id name firstName lastName account parentId archived")


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@given(record=bills)
def test_any_bill_is_mapped_or_refused(context, currency, record):
    """Whatever a bill holds: mapping it ends in a payload or in a refusal, nothing else."""
    try:
        bill = read_bill(record)
        mapped = map_bill(bill, VendorInQuickBooks("1", "V", currency), context(multicurrency=True))
    except Refusal:
        return
    assert mapped.payload["Line"]


@given(vendors)
def test_any_vendor_is_mapped_or_refused(company, record):
    try:
        mapped = map_vendor(read_vendor(record), company(multicurrency=True))
    except Refusal:
        return
    assert mapped.payload["DisplayName"]


@given(st.sampled_from(list(Kind)), references)
def test_any_reference_is_read(kind, record):
    assert isinstance(read_reference(kind, record).name, str)


@given(st.integers(-(10**20), 10**20))
def test_amounts_beyond_all_bounds_are_refused(amount):
    """Nothing that QuickBooks cannot hold reaches the arithmetic of mapping."""
    try:
        bill = read_bill({"vendorId": "1", "amount": amount})
    except Refusal:
        return
    assert abs(bill.amount) < 10**13


def test_a_bill_is_read_whole(bill_record, bill_line):
    classified = bill_line(
        quantity=Decimal(2),
        price=Decimal("74.50"),
        classifications={
            "chartOfAccountId": "a",
            "accountingClassId": "c",
            "departmentId": "d",
            "locationId": "l",
            "itemId": "i",
            "jobId": "j",
            "customerId": "u",
        },
    )
    bill = read_bill(
        bill_record(
            billLineItems=[classified], fundingAmount=Decimal("150.00"), exchangeRate=Decimal("1.0067")
        )
    )
    assert (bill.id, bill.vendor_id, bill.invoice_number) == (
        "00n02BILL00000ABC123",
        "00902VENDOR000000001",
        "INV-1",
    )
    assert (bill.invoice_date, bill.due_date) == (dt.date(2026, 12, 15), dt.date(2026, 12, 31))
    assert (bill.amount, bill.funding_amount, bill.exchange_rate) == (
        Decimal("149.00"),
        Decimal("150.00"),
        Decimal("1.0067"),
    )
    [line] = bill.lines
    assert line.coding == Coding("a", "c", "d", "l", "i", "j", "u")
    assert (line.quantity, line.price) == (Decimal(2), Decimal("74.50"))


def test_a_vendor_is_read_whole(vendor_record):
    vendor = read_vendor(vendor_record(billCurrency="eur"))
    assert (vendor.name, vendor.company_name, vendor.payee_name) == (
        "Happy Music Supplies",
        "Happy Music Inc.",
        "Happy Music Payee",
    )
    assert (vendor.tax_id, vendor.track_1099, vendor.currency) == ("99-9888777", True, "EUR")
    assert vendor.address.country == "United States"


def test_webhook_shaped_values_are_tolerated(bill_record):
    """Numbers for strings, strings for numbers, date-times for dates (BILL manual 5)."""
    bill = read_bill(
        bill_record(
            id=4711,
            invoice={"invoiceNumber": 20260101, "invoiceDate": "2026-12-15T23:59:59.000-08:00"},
            amount="149.00",
        )
    )
    assert (bill.id, bill.invoice_number, bill.invoice_date) == ("4711", "20260101", dt.date(2026, 12, 15))
    assert bill.amount == Decimal(149)


@pytest.mark.parametrize("status", ["DRAFT", "DRAFT_DELETED", "INACTIVE"])
def test_only_active_bills_count_as_active(bill_record, status):
    assert read_bill(bill_record(recordStatus=status)).archived


def test_a_bill_without_record_status_goes_by_its_archived_flag(bill_record):
    assert not read_bill(bill_record(recordStatus=None)).archived
    assert read_bill(bill_record(recordStatus=None, archived=True)).archived


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"vendorId": None}, "bill-without-vendor", "names no vendor"),
        ({"amount": None}, "amount-missing", "amount is missing"),
        ({"amount": "much"}, "amount-unreadable", "amount is not a number"),
        ({"amount": True}, "amount-unreadable", "amount is not a number"),
        ({"amount": "NaN"}, "amount-unreadable", "amount is not a number"),
        ({"amount": Decimal("1E+30")}, "amount-out-of-range", "amount is beyond all bounds"),
        ({"amount": Decimal("1E-30")}, "amount-out-of-range", "amount is beyond all bounds"),
        ({"dueDate": "soon"}, "date-unreadable", "dueDate 'soon' is not a date"),
        ({"dueDate": {"year": 2026}}, "date-unreadable", "is not a date"),
        ({"dueDate": ["x" * 500]}, "date-unreadable", "is not a date"),
        ({"amount": 0, "billLineItems": 7}, "bill-unreadable", "billLineItems is not a list"),
        ({"amount": 0, "billLineItems": ["line"]}, "bill-unreadable", "line 1 is not an object"),
        ({"amount": 0, "billLineItems": [{}]}, "amount-missing", "line 1: amount is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(bill_record, changed, code, words):
    record = bill_record()
    record.update(changed)
    with pytest.raises(Refusal) as refusal:
        read_bill(record)
    assert refusal.value.code == code
    assert words in refusal.value.reason
    assert len(refusal.value.reason) < 150


@pytest.mark.parametrize("name", [None, "", "  ", [], False])
def test_a_vendor_without_a_name_is_refused(vendor_record, name):
    with pytest.raises(Refusal, match="has no name"):
        read_vendor(vendor_record(name=name))


def test_a_refusal_is_always_one_line():
    assert Refusal("code", "Vendor 'A\nB'\tis\r\nodd.", advice="").reason == "Vendor 'A B' is odd."


@pytest.mark.parametrize("amount", ["1_000", "\uff11\uff12", " 12 ", "1,000.00", "", "0x1F"])
def test_texts_that_only_python_takes_for_numbers_are_refused(amount):
    with pytest.raises(Refusal, match="amount is not a number"):
        read_bill({"id": "1", "vendorId": "2", "amount": amount})


@pytest.mark.parametrize("day", ["20261101", 20261101, "2026-W45-1", "2026-11-01x", "2026-11-01-01"])
def test_dates_are_written_with_dashes_and_end_after_the_day(day):
    with pytest.raises(Refusal, match="is not a date"):
        read_bill({"id": "1", "vendorId": "2", "amount": 1, "dueDate": day})


def test_an_employee_is_known_by_both_names():
    reference = read_reference(Kind.EMPLOYEE, {"id": "emp1", "firstName": "James", "lastName": "Milner"})
    assert reference.name == "James Milner"


def test_an_account_is_known_by_number_and_parent():
    record = {"id": "0ca1", "name": " Travel ", "account": {"number": " 6100 "}, "parentId": "0ca0"}
    reference = read_reference(Kind.ACCOUNT, record)
    assert (reference.name, reference.number, reference.parent_id) == ("Travel", "6100", "0ca0")


@given(numbers, numbers, numbers)
def test_a_rate_is_found_or_refused(amount, funding, rate):
    record = {"vendorId": "1", "amount": amount, "fundingAmount": funding, "exchangeRate": rate}
    try:
        found = exchange_rate(read_bill(record), "bill", currency="EUR")
    except Refusal:
        return
    assert found > 0
