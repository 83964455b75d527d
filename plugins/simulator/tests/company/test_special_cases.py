"""Every trap that the demo promises is there, on the side and in the form that it should have."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from ap_simulator.company.chart import ACCOUNT_DIFFERENCES
from ap_simulator.company.demo import (
    EXISTING_VENDORS,
    EXPECTED_REFUSALS,
    SPECIAL_BILLS,
    SPECIAL_VENDORS,
)


@pytest.fixture
def special(vendors):
    def find(role):
        return [vendors[vendor_id] for vendor_id in SPECIAL_VENDORS[role]]

    return find


@pytest.fixture
def special_bills(bills):
    def find(role):
        return [bills[bill_id] for bill_id in SPECIAL_BILLS[role]]

    return find


@pytest.fixture(scope="session")
def quickbooks_names(demo):
    return {
        entity: {record["DisplayName"]: record for record in demo.quickbooks[entity]}
        for entity in ("Vendor", "Customer", "Employee")
    }


def test_every_role_names_records_that_exist(bills, vendors):
    assert all(set(ids) <= set(vendors) for ids in SPECIAL_VENDORS.values())
    assert all(set(ids) <= set(bills) for ids in SPECIAL_BILLS.values())


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("accents", "é"),
        ("apostrophe", "'"),
        ("double_quotes", '"'),
        ("colon", ":"),
        ("tab", "\t"),
        ("cjk", "株"),
        ("emoji", "\N{COOKING}"),
        ("query_characters", "%"),
        ("query_characters", "\\"),
        ("query_characters", "_"),
    ],
)
def test_vendor_names_with_awkward_characters(special, role, text):
    (vendor,) = special(role)
    assert text in vendor["name"]


def test_vendor_name_of_200_characters(special):
    assert [len(vendor["name"]) for vendor in special("long_name")] == [200]


def test_vendor_name_with_trailing_spaces(special):
    (vendor,) = special("trailing_spaces")
    assert vendor["name"] == "Summit Couriers  "


def test_tax_ids_of_persons_and_firms(special, vendors):
    for role, kind in (("ssn_1099", "SSN"), ("ein_1099", "EIN")):
        (vendor,) = special(role)
        assert vendor["additionalInfo"]["taxIdType"] == kind
        assert len(vendor["additionalInfo"]["taxId"]) == 9
        assert vendor["additionalInfo"]["track1099"] is True
    tax_ids = [vendor.get("additionalInfo", {}).get("taxId") for vendor in vendors.values()]
    known = [tax_id for tax_id in tax_ids if tax_id]
    assert len(set(known)) == len(known) > 90


def test_foreign_currencies(special, vendors):
    for currency in ("EUR", "GBP", "CAD"):
        (vendor,) = special(currency.lower())
        assert vendor["billCurrency"] == currency
    assert {vendor["billCurrency"] for vendor in vendors.values()} == {"USD", "EUR", "GBP", "CAD"}


def test_vendor_named_like_a_customer_and_one_like_an_employee(special, quickbooks_names):
    (customer,), (employee,) = special("name_of_customer"), special("name_of_employee")
    assert customer["name"] in quickbooks_names["Customer"]
    assert employee["name"] in quickbooks_names["Employee"]


def test_vendor_with_an_inactive_twin(special, quickbooks_names):
    (vendor,) = special("inactive_twin")
    assert quickbooks_names["Vendor"][vendor["name"]]["Active"] is False


def test_vendors_that_quickbooks_has_already(special, quickbooks_names):
    (same,), (other_case,) = special("in_quickbooks"), special("in_quickbooks_other_case")
    assert quickbooks_names["Vendor"][same["name"]]["Active"] is True
    assert other_case["name"] not in quickbooks_names["Vendor"]
    assert other_case["name"].title() in quickbooks_names["Vendor"]
    assert set(quickbooks_names["Vendor"]) == set(EXISTING_VENDORS.values())


def test_two_vendors_of_one_name_and_no_others(special, vendors):
    names = [vendor["name"] for vendor in vendors.values()]
    assert len(set(names)) == len(names) - 1
    first, second = special("same_name")
    assert first["name"] == second["name"]
    assert first["address"] != second["address"]


def test_archived_vendors_have_no_active_bills(special, bills):
    for vendor in special("archived"):
        assert vendor["archived"] is True
        own = [bill for bill in bills.values() if bill["vendorId"] == vendor["id"]]
        assert own
        assert all(bill["archived"] for bill in own)


def test_minimal_vendor(special):
    (vendor,) = special("minimal")
    assert set(vendor) == {
        "id",
        "archived",
        "name",
        "address",
        "billCurrency",
        "balance",
        "createdTime",
        "updatedTime",
    }


def test_exactly_these_bills_are_to_be_refused(demo, bills):
    """By the chart alone: an account is inactive or missing under its number and its full name."""
    accounts = {record["id"]: record for record in demo.bill["chart_of_accounts"]}
    by_number = {entry["AcctNum"]: entry for entry in demo.quickbooks["Account"] if "AcctNum" in entry}
    by_name = {entry["FullyQualifiedName"]: entry for entry in demo.quickbooks["Account"]}

    def full_name(record):
        parent = record.get("parentId")
        return f"{full_name(accounts[parent])}:{record['name']}" if parent else record["name"]

    def cause(account_id):
        record = accounts[account_id]
        number = record["account"].get("number")
        found = by_number.get(number) or by_name.get(full_name(record))
        if found is None:
            return "account_missing"
        return None if found["Active"] else "account_inactive"

    refused = set()
    for bill in bills.values():
        for number, line in enumerate(bill["billLineItems"], 1):
            own = line.get("classifications", {})
            fallback = {} if "itemId" in own else bill.get("classifications", {})
            account_id = own.get("chartOfAccountId", fallback.get("chartOfAccountId"))
            if account_id is None:
                assert "itemId" in own or bill["recordStatus"].startswith("DRAFT")
                continue
            if (why := cause(account_id)) is not None:
                refused.add((bill["id"], why, account_id, number))
                break
    assert refused == {
        (refusal.bill_id, refusal.cause, refusal.account_id, refusal.line) for refusal in EXPECTED_REFUSALS
    }
    assert 4 <= len(EXPECTED_REFUSALS) <= 6
    assert not any(bills[refusal.bill_id]["archived"] for refusal in EXPECTED_REFUSALS)
    assert {refusal.account for refusal in EXPECTED_REFUSALS} == {
        "6900 Printing & Reproduction",
        "6620 Training and Conferences",
    }


def test_accounts_that_differ(demo):
    bill = {record["id"]: record for record in demo.bill["chart_of_accounts"]}
    by_name = {record["name"]: record for record in bill.values()}
    books = {entry["FullyQualifiedName"]: entry for entry in demo.quickbooks["Account"]}
    by_number = {entry["AcctNum"]: entry for entry in books.values() if "AcctNum" in entry}

    assert by_name["Recruiting"]["account"]["number"] != books["Recruiting"]["AcctNum"]
    assert by_name["Recruiting"]["account"]["number"] not in by_number

    telecom = by_name["Internet & Phone"]
    assert by_number[telecom["account"]["number"]]["Name"] == "Telecommunications"

    lodging = by_name["Travel:Lodging"]
    assert "number" not in lodging["account"]
    assert "parentId" not in lodging
    assert books["Travel:Lodging"]["SubAccount"] is True

    transport = by_name["Ground Transport"]
    assert "number" not in transport["account"]
    assert bill[transport["parentId"]]["name"] == "Travel"
    assert "Travel:Ground Transport" in books

    assert books["Printing & Reproduction"]["Active"] is False
    assert by_name["Training and Conferences"]["account"]["number"] not in by_number
    assert "Training & Conference Fees" in books
    assert "Training & Conference Fees" not in by_name
    assert by_name["Charitable Contributions"]["archived"] is True
    assert books["Charitable Contributions"]["Active"] is True
    assert "number" not in by_name["Uncategorized Expense"]["account"]


def test_all_other_accounts_match(demo):
    different = {account.key for account in ACCOUNT_DIFFERENCES.values()}
    assert len(different) == len(ACCOUNT_DIFFERENCES)
    books = {entry.get("AcctNum"): entry["Name"] for entry in demo.quickbooks["Account"]}
    names = {account.bill_name or account.name for account in ACCOUNT_DIFFERENCES.values()}
    for record in demo.bill["chart_of_accounts"]:
        if record["name"] not in names:
            assert books[record["account"]["number"]] == record["name"]


def test_classes_departments_and_locations_match(demo):
    classes = {entry["FullyQualifiedName"] for entry in demo.quickbooks["Class"]}
    for collection in ("accounting_classes", "departments"):
        records = {record["id"]: record for record in demo.bill[collection]}
        for record in records.values():
            parent = records.get(record.get("parentId"))
            assert (f"{parent['name']}:{record['name']}" if parent else record["name"]) in classes
    assert {record["name"] for record in demo.bill["locations"]} == {
        entry["FullyQualifiedName"] for entry in demo.quickbooks["Department"]
    }
    assert all(len(entry["Id"]) == 19 for entry in demo.quickbooks["Class"])


def test_jobs_and_customers_match(demo):
    customers = {entry["FullyQualifiedName"] for entry in demo.quickbooks["Customer"]}
    jobs = {record["id"]: record for record in demo.bill["jobs"]}
    for record in jobs.values():
        parent = jobs.get(record.get("parentId"))
        assert (f"{parent['name']}:{record['name']}" if parent else record["name"]) in customers
    assert any("parentId" in record for record in jobs.values())
    assert {record["name"] for record in demo.bill["customers"]} <= customers


def test_items_match_and_some_cannot_be_bought(demo):
    items = {entry["FullyQualifiedName"]: entry for entry in demo.quickbooks["Item"]}
    records = {record["id"]: record for record in demo.bill["items"]}
    for record in records.values():
        parent = records.get(record.get("parentId"))
        assert (f"{parent['name']}:{record['name']}" if parent else record["name"]) in items
    assert "ExpenseAccountRef" in items["Hardware:Laptop 14 inch"]
    assert "ExpenseAccountRef" not in items["Advisory Retainer"]


def test_every_classification_on_one_line(special_bills):
    (bill,) = special_bills("every_classification")
    assert len(bill["billLineItems"][0]["classifications"]) == 8
    assert len(bill["classifications"]) == 5


def test_bills_coded_as_a_whole_or_in_part(special_bills):
    (whole,) = special_bills("coded_on_the_bill_only")
    assert all("classifications" not in line for line in whole["billLineItems"])
    assert "chartOfAccountId" in whole["classifications"]
    (partly,) = special_bills("coded_partly_on_the_bill")
    assert ["classifications" in line for line in partly["billLineItems"]] == [True, False]


def product_of(line):
    return (line["quantity"] * line["price"]).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_quantities_times_prices(special_bills, bills):
    (exact,) = special_bills("quantity_exact")
    assert all(line["quantity"] * line["price"] == line["amount"] for line in exact["billLineItems"])
    (rounded,) = special_bills("quantity_rounded")
    for line in rounded["billLineItems"]:
        assert line["quantity"] * line["price"] != line["amount"] == product_of(line)
    (mismatch,) = special_bills("quantity_mismatch")
    assert product_of(mismatch["billLineItems"][0]) != mismatch["billLineItems"][0]["amount"]
    wrong = [
        bill["id"]
        for bill in bills.values()
        for line in bill["billLineItems"]
        if "quantity" in line and product_of(line) != line["amount"]
    ]
    assert wrong == [mismatch["id"]]


def test_zero_negative_tiny_and_large_amounts(special_bills, bills):
    (zero,), (negative,) = special_bills("zero_line"), special_bills("negative_line")
    assert zero["billLineItems"][1]["amount"] == 0
    assert negative["billLineItems"][1]["amount"] < 0
    assert special_bills("one_cent")[0]["amount"] == Decimal("0.01")
    assert special_bills("large_amount")[0]["amount"] > 100_000
    assert all(bill["amount"] > 0 for bill in bills.values() if not bill["archived"])


def test_shared_and_long_invoice_numbers(special_bills):
    shared = special_bills("shared_number")
    assert len({bill["invoice"]["invoiceNumber"] for bill in shared}) == 1
    assert len({bill["vendorId"] for bill in shared}) == len(shared) == 4
    numbers = [bill["invoice"]["invoiceNumber"] for bill in special_bills("long_number")]
    assert all(len(number) > 21 for number in numbers)
    assert len({number[:21] for number in numbers}) == 1
    assert len(set(numbers)) == 2


def test_reissued_bill_has_the_number_of_its_archived_forerunner(special_bills):
    old, new = special_bills("reissued")
    assert (old["archived"], new["archived"]) == (True, False)
    assert old["invoice"]["invoiceNumber"] == new["invoice"]["invoiceNumber"]
    assert old["vendorId"] == new["vendorId"]


def test_states(special_bills):
    assert special_bills("denied")[0]["approvalStatus"] == "DENIED"
    with_number, without_number = special_bills("draft")
    assert with_number["recordStatus"] == without_number["recordStatus"] == "DRAFT"
    assert "invoiceNumber" not in without_number["invoice"]
    assert special_bills("draft_deleted")[0]["recordStatus"] == "DRAFT_DELETED"
    assert special_bills("archived")[0]["recordStatus"] == "INACTIVE"


def test_payments_in_parts_together_and_again(special_bills, payments):
    def paying(bill):
        return [
            payment["singleStatus"]
            for payment in sorted(payments.values(), key=lambda payment: payment["createdTime"])
            if any(part["billId"] == bill["id"] for part in payment["billPayments"])
        ]

    (partial,), (in_two,) = special_bills("partially_paid"), special_bills("paid_in_two")
    assert (paying(partial), partial["paymentStatus"]) == (["CLEARED"], "PARTIALLY_PAID")
    assert (paying(in_two), in_two["paymentStatus"]) == (["CLEARED", "CLEARED"], "PAID")
    (half,) = special_bills("paid_and_scheduled")
    assert (paying(half), half["paymentStatus"]) == (["CLEARED", "SCHEDULED"], "SCHEDULED")
    (again,) = special_bills("voided_and_paid_again")
    assert (paying(again), again["paymentStatus"]) == (["VOIDED", "CLEARED"], "PAID")
    together = [bill["id"] for bill in special_bills("paid_together")]
    joint = [payment for payment in payments.values() if len(payment["billPayments"]) > 1]
    assert [[part["billId"] for part in payment["billPayments"]] for payment in joint] == [together]
    (offline,) = special_bills("paid_offline")
    assert [
        payment["onlinePayment"] for payment in payments.values() if payment.get("billId") == offline["id"]
    ] == [False]


def test_texts_with_every_kind_of_character(special_bills):
    (texts,) = special_bills("texts")
    assert "\n" in texts["description"]
    assert max(texts["description"]) > "\uffff"
    assert '"' in texts["billLineItems"][0]["description"]
    (cjk,) = special_bills("cjk")
    assert "受託開発" in cjk["billLineItems"][0]["description"]


def test_payables_account_for_each_currency(demo):
    payables = {
        entry["CurrencyRef"]["value"]
        for entry in demo.quickbooks["Account"]
        if entry["AccountType"] == "Accounts Payable"
    }
    assert payables == {"USD", "CAD", "EUR", "GBP"}


def test_company_settings_in_quickbooks(demo):
    profile = demo.profile
    assert (profile.plan, profile.class_tracking, profile.home_currency) == ("Plus", "line", "USD")
    assert profile.multicurrency
    assert profile.track_departments
    assert profile.custom_txn_numbers
    assert profile.account_numbers
    assert profile.book_close_date is None


def test_names_in_quickbooks_are_unique_across_people(demo):
    names = [
        record["DisplayName"].strip().casefold()
        for entity in ("Vendor", "Customer", "Employee")
        for record in demo.quickbooks[entity]
    ]
    assert len(set(names)) == len(names)
    ids = [
        record["Id"] for entity in ("Vendor", "Customer", "Employee") for record in demo.quickbooks[entity]
    ]
    assert len(set(ids)) == len(ids)


def test_empty_company_has_the_same_structure_and_nothing_else(demo, empty):
    for collection in ("chart_of_accounts", "accounting_classes", "departments", "items", "jobs"):
        assert [record["id"] for record in empty.bill[collection]] == sorted(
            (record["id"] for record in demo.bill[collection]),
            key=[record["id"] for record in empty.bill[collection]].index,
        )
    assert not {"vendors", "bills", "payments", "recurring_bills"} & set(empty.bill)
    assert "Vendor" not in empty.quickbooks
    for entity, records in empty.quickbooks.items():
        assert list(records) == list(demo.quickbooks[entity])
