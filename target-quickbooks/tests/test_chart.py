"""Reading the QuickBooks company and its lists."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from target_quickbooks.mapping.chart import Chart, ClassTracking, Entries, Entry, read_company, read_entry

INFO = {
    "CompanyName": "Larry's Bakery",
    "Country": "US",
    "NameValue": [{"Name": "OfferingSku", "Value": "QuickBooks Online Plus"}, "odd"],
}
PREFERENCES = {
    "AccountingInfoPrefs": {
        "ClassTrackingPerTxn": False,
        "ClassTrackingPerTxnLine": True,
        "TrackDepartments": True,
        "BookCloseDate": "2025-12-31",
    },
    "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "CAD"}},
    "OtherPrefs": {
        "NameValue": [
            {"Name": "VendorAndPurchasesPrefs.UseCustomTxnNumbers", "Value": "true"},
            {"Name": "VendorAndPurchasesPrefs.PurchaseOrderEnabled", "Value": "true"},
        ]
    },
}


def test_the_company_is_read_whole():
    company = read_company(INFO, PREFERENCES)
    assert (company.name, company.home_currency) == ("Larry's Bakery", "CAD")
    assert company.plan == "QuickBooks Online Plus"
    assert company.multicurrency
    assert company.locations
    assert company.own_document_numbers
    assert company.purchase_orders
    assert company.in_us
    assert company.class_tracking is ClassTracking.PER_LINE
    assert company.book_close_date == dt.date(2025, 12, 31)


def test_what_is_not_there_counts_as_off_or_unknown():
    """Names may be absent (QuickBooks manual 6.8)."""
    company = read_company({}, {})
    assert (company.home_currency, company.class_tracking) == ("USD", ClassTracking.OFF)
    assert not any([company.multicurrency, company.locations, company.own_document_numbers])
    assert company.purchase_orders
    assert company.book_close_date is None


def test_one_class_per_document():
    company = read_company(INFO, {"AccountingInfoPrefs": {"ClassTrackingPerTxn": True}})
    assert company.class_tracking is ClassTracking.PER_DOCUMENT


@pytest.mark.parametrize("name", ["PurchaseOrderEnabled", "PurchseOrderEnabled"])
def test_both_spellings_of_the_switch_for_purchase_orders_are_read(name):
    other = {"NameValue": [{"Name": f"VendorAndPurchasesPrefs.{name}", "Value": "False"}]}
    assert not read_company(INFO, {"OtherPrefs": other}).purchase_orders


@pytest.mark.parametrize(
    ("plan", "has"),
    [
        ("QuickBooks Online Plus", True),
        ("QuickBooks Online Advanced", True),
        ("", True),
        ("QuickBooks Online Essentials", False),
        ("QuickBooks Online Simple Start", False),
    ],
)
def test_only_plus_and_advanced_have_purchase_orders(plan, has):
    info = {"NameValue": [{"Name": "OfferingSku", "Value": plan}]}
    assert read_company(info, {}).purchase_orders is has


def test_an_account_is_read():
    raw = {
        "Id": "60",
        "Name": "Airfare",
        "FullyQualifiedName": "Travel:Airfare",
        "AcctNum": "6110",
        "AccountType": "Expense",
        "AccountSubType": "Travel",
        "CurrencyRef": {"value": "USD"},
        "Active": True,
    }
    expected = Entry("60", "Airfare", "Travel:Airfare", True, "6110", "Expense", "Travel", "USD")
    assert read_entry("Account", raw) == expected


def test_an_item_is_read_with_its_expense_account():
    account = {"value": "60"}
    entry = read_entry("Item", {"Id": 11, "Name": "Pump", "Type": "Service", "ExpenseAccountRef": account})
    assert (entry.id, entry.type, entry.expense_account_id) == ("11", "Service", "60")


def test_a_customer_is_read_by_its_display_name():
    assert read_entry("Customer", {"Id": "3", "DisplayName": "Cool Cars"}).full_name == "Cool Cars"


def test_long_ids_stay_strings():
    """Class ids pass 2^53 (QuickBooks manual 1.5)."""
    assert read_entry("Class", {"Id": "5000000000000007280", "Name": "West"}).id == "5000000000000007280"


def test_an_entry_is_called_by_number_and_full_name():
    assert Entry("60", "Airfare", "Travel:Airfare", number="6110").label == "6110 Travel:Airfare"
    assert Entry("3", "Cool Cars", "Cool Cars").label == "Cool Cars"


@pytest.mark.parametrize("wanted", ["60", "6110", "Travel:Airfare", " travel:airfare "])
def test_an_entry_is_found_by_what_a_person_writes(wanted):
    airfare = Entry("60", "Airfare", "Travel:Airfare", number="6110")
    assert Entries("account", (airfare,)).find(wanted) is airfare


def payables(*accounts, company):
    entries = tuple(
        Entry(number, number, number, type="Accounts Payable", currency=currency, active=active)
        for number, currency, active in accounts
    )
    return Chart(company=company, accounts=Entries("account", entries))


def test_the_payables_account_of_a_currency(company):
    chart = payables(("33", "", True), ("90", "EUR", True), company=company())
    assert chart.payables_account("USD").id == "33"
    assert chart.payables_account("EUR").id == "90"
    assert chart.payables_account("GBP") is None


def test_of_several_payables_accounts_the_oldest_is_taken(company):
    """The one QuickBooks made itself; ids are numbers, so 9 is older than 33."""
    chart = payables(("120", "USD", True), ("33", "USD", True), ("9", "USD", False), company=company())
    assert chart.payables_account("USD").id == "33"


def test_a_currencyless_payables_account_is_the_home_currencys(company):
    chart = payables(("33", "", True), company=replace(company(), home_currency="CAD"))
    assert chart.payables_account("CAD").id == "33"
    assert chart.payables_account("USD") is None
