"""CompanyInfo, Preferences, currencies and rates (QuickBooks manual 6.7, 6.8)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest


def other(preferences):
    return {p["Name"]: p["Value"] for p in preferences["OtherPrefs"]["NameValue"]}


def read_preferences(books):
    return books.get("preferences")["Preferences"]


def test_company_info_by_realm_id(books):
    info = books.get(f"companyinfo/{books.realm_id}")["CompanyInfo"]
    assert (info["Id"], info["CompanyName"]) == ("1", "Craig's Design and Landscaping")
    values = {pair["Name"]: pair["Value"] for pair in info["NameValue"]}
    assert values["OfferingSku"] == "QuickBooks Online Plus"
    assert books.rows("select * from CompanyInfo") == [info]


def test_preferences_say_what_the_profile_says(books):
    books.profile(
        class_tracking="transaction",
        book_close_date=date(2025, 12, 31),
        custom_txn_numbers=False,
        purchase_order_fields={"1": "Crew #"},
    )
    preferences = read_preferences(books)
    accounting = preferences["AccountingInfoPrefs"]
    assert accounting["ClassTrackingPerTxn"] is True
    assert accounting["ClassTrackingPerTxnLine"] is False
    assert accounting["BookCloseDate"] == "2025-12-31"
    assert other(preferences)["VendorAndPurchasesPrefs.UseCustomTxnNumbers"] == "false"
    fields = preferences["VendorAndPurchasesPrefs"]["POCustomField"]
    assert fields[1]["CustomField"][0]["StringValue"] == "Crew #"
    assert preferences["CurrencyPrefs"]["HomeCurrency"] == {"value": "USD"}
    assert preferences["SyncToken"] == "1"


def test_purchase_order_flag_in_both_spellings(open_books):
    books = open_books(plan="Essentials")
    assert other(read_preferences(books))["VendorAndPurchasesPrefs.PurchaseOrderEnabled"] == "false"


def test_update_of_preferences_changes_what_the_company_does(books):
    line = books.account_line(1, detail={"ClassRef": {"value": books.SALES}})
    body = books.order_body(line, TxnDate="2026-01-01")
    assert books.write("PurchaseOrder", body)
    preferences = read_preferences(books)
    accounting = {"ClassTrackingPerTxnLine": False, "BookCloseDate": "2026-01-31"}
    updated = books.write(
        "Preferences",
        {
            "Id": "1",
            "SyncToken": preferences["SyncToken"],
            "sparse": True,
            "AccountingInfoPrefs": accounting,
        },
    )
    assert updated["AccountingInfoPrefs"]["TrackDepartments"] is True
    assert books.refused("PurchaseOrder", body)["code"] == "5030"
    assert books.refused("Bill", books.bill_body(TxnDate="2026-01-01"))["code"] == "6210"
    assert books.realm.profile.book_close_date == date(2026, 1, 31)


def test_whole_preferences_can_be_sent_back(books):
    preferences = read_preferences(books)
    before = books.realm.profile
    updated = books.write("Preferences", preferences)
    assert updated["SyncToken"] == "1"
    assert books.realm.profile == before
    for pair in preferences["OtherPrefs"]["NameValue"]:
        if pair["Name"].endswith("UseCustomTxnNumbers"):
            pair["Value"] = "false"
    books.write("Preferences", {**preferences, "SyncToken": "1"})
    assert books.order(DocNumber="MINE")["DocNumber"] == "1001"


def test_preferences_that_contradict_each_other(books):
    both = {"ClassTrackingPerTxn": True, "ClassTrackingPerTxnLine": True}
    body = {"SyncToken": "0", "sparse": True, "AccountingInfoPrefs": both}
    assert books.refused("Preferences", body)["code"] == "2600"


def test_multicurrency_cannot_be_switched_off(open_books):
    books = open_books(multicurrency=True)
    body = {"SyncToken": "0", "sparse": True, "CurrencyPrefs": {"MultiCurrencyEnabled": False}}
    books.write("Preferences", body)
    assert books.realm.profile.multicurrency is True


def test_company_info_can_be_changed(books):
    info = books.get("companyinfo/1")["CompanyInfo"]
    address = {"Line1": "1 Main", "City": "Austin"}
    books.write("CompanyInfo", {**info, "CompanyName": "New Name", "CompanyAddr": address})
    assert books.realm.profile.name == "New Name"
    assert books.realm.profile.address["City"] == "Austin"
    body = {"SyncToken": "1", "sparse": True, "LegalName": "New Name, Inc."}
    updated = books.write("CompanyInfo", body)
    assert (updated["CompanyName"], updated["LegalName"]) == ("New Name", "New Name, Inc.")


def test_preferences_query_in_both_shapes(books):
    assert books.query("select * from Preferences")["maxResults"] == 1
    books.switch(preferences_query="bare")
    answer = books.get("query", query="select * from Preferences")
    assert answer["Preferences"]["Id"] == "1"


def test_unknown_attributes_of_a_profile(books):
    with pytest.raises(TypeError):
        books.profile(colour="green")


def test_exchange_rates(open_books):
    books = open_books(multicurrency=True)
    rate = {"SourceCurrencyCode": "EUR", "Rate": Decimal("1.25"), "AsOfDate": "2026-03-01"}
    books.write("ExchangeRate", rate)
    books.write("ExchangeRate", {**rate, "Rate": Decimal("1.5"), "AsOfDate": "2026-03-02"})
    shown = books.get("exchangerate", sourcecurrencycode="EUR", asofdate="2026-03-01")
    assert shown["ExchangeRate"]["Rate"] == Decimal("1.25")
    assert shown["ExchangeRate"]["TargetCurrencyCode"] == "USD"
    latest = books.get("exchangerate", sourcecurrencycode="EUR")
    assert latest["ExchangeRate"]["Rate"] == Decimal("1.5")
    response = books.call("GET", "exchangerate", sourcecurrencycode="SEK")
    assert books.fault(response)["code"] == "610"
    assert books.fault(books.call("GET", "exchangerate"))["code"] == "2020"
    vendor = books.vendor(CurrencyRef={"value": "EUR"})
    order = books.order(VendorRef={"value": vendor["Id"]}, CurrencyRef={"value": "EUR"})
    assert order["ExchangeRate"] == Decimal("1.5")


def test_company_currencies(open_books):
    books = open_books(multicurrency=True)
    assert books.write("CompanyCurrency", {"Code": "SEK"})["Name"] == "Swedish Krona"
    assert books.refused("CompanyCurrency", {"Code": "SEK"})["code"] == "630"
    assert books.refused("CompanyCurrency", {"Code": "???"})["code"] == "2220"


def test_currencies_of_a_company_without_multicurrency(books):
    assert books.refused("CompanyCurrency", {"Code": "SEK"})["code"] == "5030"
    rate = {"SourceCurrencyCode": "EUR", "Rate": 1}
    assert books.refused("ExchangeRate", rate)["code"] == "5030"


def test_tax_codes_of_a_us_company(books):
    codes = {code["Id"]: code["Taxable"] for code in books.rows("select * from TaxCode")}
    assert codes == {"TAX": True, "NON": False}
    assert books.read("TaxCode", "NON")["Name"] == "NON"
    assert books.refused("TaxCode", {"Name": "New"})["code"] == "500"


def test_single_named_preference_can_be_changed(books):
    name = "VendorAndPurchasesPrefs.UseCustomTxnNumbers"
    pair = {"Name": name, "Value": "false"}
    body = {"SyncToken": "0", "sparse": True, "OtherPrefs": {"NameValue": [pair]}}
    updated = books.write("Preferences", body)
    assert other(updated)[name] == "false"
    assert "WarnDuplicateBillNumber" in other(updated)
    assert books.order(DocNumber="MINE")["DocNumber"] == "1001"


def test_control_leaves_other_preferences_alone(books):
    preferences = read_preferences(books)
    preferences["EmailMessagesPrefs"]["EstimateMessage"]["Subject"] = "Ours"
    books.write("Preferences", preferences)
    books.profile(class_tracking="off")
    shown = read_preferences(books)
    assert shown["EmailMessagesPrefs"]["EstimateMessage"]["Subject"] == "Ours"
    assert shown["AccountingInfoPrefs"]["ClassTrackingPerTxnLine"] is False


def test_misspelt_purchase_order_flag_by_switch(books):
    books.switch(purchase_order_flag="PurchseOrderEnabled")
    books.profile(plan="Essentials")
    assert other(read_preferences(books))["VendorAndPurchasesPrefs.PurchseOrderEnabled"] == "false"
