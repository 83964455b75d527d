"""Vendors: names, defaults, uniqueness, tax identifiers, activation (QuickBooks manual 6.1)."""

from __future__ import annotations

from decimal import Decimal

import pytest

NAME_TAKEN = (
    "The name supplied already exists. : Another customer, vendor or employee is already using "
    "this \nname. Please use a different name."
)


def test_minimal_create_has_the_defaults(books):
    vendor = books.vendor("Smith Family Grocery")
    assert vendor == {
        "domain": "QBO",
        "sparse": False,
        "Id": "42",
        "SyncToken": "0",
        "MetaData": {
            "CreateTime": "2026-03-02T12:00:00-08:00",
            "LastUpdatedTime": "2026-03-02T12:00:00-08:00",
        },
        "DisplayName": "Smith Family Grocery",
        "PrintOnCheckName": "Smith Family Grocery",
        "Active": True,
        "Vendor1099": False,
        "Balance": 0,
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
    }


def test_complete_create_is_read_back_with_the_tax_identifier_masked(books):
    body = {
        "DisplayName": "Dianne's Auto Shop",
        "Title": "Ms.",
        "GivenName": "Dianne",
        "FamilyName": "Bradley",
        "Suffix": "Sr.",
        "CompanyName": "Dianne's Auto Shop",
        "PrintOnCheckName": "Dianne's Auto Shop",
        "PrimaryEmailAddr": {"Address": "dbradley@myemail.com"},
        "PrimaryPhone": {"FreeFormNumber": "(650) 555-2342"},
        "Mobile": {"FreeFormNumber": "(650) 555-2000"},
        "WebAddr": {"URI": "http://DiannesAutoShop.com"},
        "TaxIdentifier": "99-5688293",
        "AcctNum": "35372649",
        "BillAddr": {
            "Line1": "29834 Mustang Ave.",
            "City": "Millbrae",
            "CountrySubDivisionCode": "CA",
            "PostalCode": "94030",
            "Country": "U.S.A",
        },
    }
    created = books.write("Vendor", body)
    assert created["TaxIdentifier"] == "99-5688293"
    read = books.read("Vendor", created["Id"])
    assert read["TaxIdentifier"] == "XXXXXX8293"
    assert read["BillAddr"].pop("Id") == created["BillAddr"].pop("Id")
    assert {name: read[name] for name in body} == {**body, "TaxIdentifier": "XXXXXX8293"}
    assert (
        books.rows("select * from Vendor where DisplayName = 'Dianne\\'s Auto Shop'")[0]["TaxIdentifier"]
        == "XXXXXX8293"
    )


def test_create_echo_can_be_masked_too(books):
    books.switch(tax_identifier_echo=False)
    assert books.vendor(TaxIdentifier="123456789")["TaxIdentifier"] == "XXXXX6789"


def test_control_sees_the_tax_identifier_in_full(books):
    books.vendor(TaxIdentifier="123456789")
    stored = books.simulator.control.records("quickbooks", "Vendor", realm=books.realm_id)
    assert stored[-1]["TaxIdentifier"] == "123456789"


def test_posted_mask_keeps_the_stored_tax_identifier(books):
    vendor = books.vendor(TaxIdentifier="123456789")
    shown = books.read("Vendor", vendor["Id"])
    books.write("Vendor", {**shown, "AcctNum": "7"})
    assert books.service.records(books.realm_id, "Vendor")[-1]["TaxIdentifier"] == "123456789"


def test_posted_mask_is_stored_by_switch(books):
    books.switch(masked_tax_identifier="store")
    vendor = books.vendor(TaxIdentifier="123456789")
    books.write("Vendor", books.read("Vendor", vendor["Id"]))
    assert books.service.records(books.realm_id, "Vendor")[-1]["TaxIdentifier"] == "XXXXX6789"


def test_display_name_is_built_from_the_parts_of_a_name(books):
    parts = {"Title": "Dr.", "GivenName": "Ada", "FamilyName": "King", "Suffix": "II"}
    vendor = books.write("Vendor", parts)
    assert vendor["DisplayName"] == "Dr. Ada King II"


@pytest.mark.parametrize("body", [{}, {"CompanyName": "Only a company"}, {"DisplayName": "  "}])
def test_vendor_without_any_name_is_refused(books, body):
    assert books.refused("Vendor", body)["code"] == "6080"


@pytest.mark.parametrize("name", ["A:B", "A\tB", "A\nB"])
@pytest.mark.parametrize(
    "field", ["DisplayName", "Title", "GivenName", "FamilyName", "Suffix", "PrintOnCheckName"]
)
def test_forbidden_characters_in_names(books, field, name):
    error = books.refused("Vendor", {"DisplayName": "Fine", field: name})
    assert error["code"] == "2180"
    assert error["Message"] == "Invalid Enumeration"
    assert error["Detail"].startswith("Names must have at least one character, must be on one line")


def test_company_name_may_have_a_colon(books):
    assert books.vendor(CompanyName="Shop: Annex")["CompanyName"] == "Shop: Annex"


@pytest.mark.parametrize("taken", ["Hicks Hardware", " hicks HARDWARE ", "Cool Cars", "Emily Platt"])
def test_names_are_unique_among_vendors_customers_and_employees(books, taken):
    error = books.refused("Vendor", {"DisplayName": taken})
    assert (error["code"], error["Message"]) == ("6240", "Duplicate Name Exists Error")
    assert error["Detail"] == NAME_TAKEN


def test_detail_of_a_taken_name_may_carry_the_holder(books):
    books.switch(duplicate_name_holder=True)
    error = books.refused("Vendor", {"DisplayName": "Cool Cars"})
    assert error["Detail"].endswith(f"Id={books.CUSTOMER}")


def test_rename_to_a_taken_name_is_refused_and_changes_nothing(books):
    vendor = books.vendor("Free Name")
    body = {**vendor, "DisplayName": "Cool Cars"}
    assert books.refused("Vendor", body)["code"] == "6240"
    assert books.read("Vendor", vendor["Id"])["DisplayName"] == "Free Name"


def test_name_may_change_its_case(books):
    vendor = books.vendor("lower case")
    renamed = books.write("Vendor", {**vendor, "DisplayName": "Lower Case"})
    assert renamed["DisplayName"] == "Lower Case"


def test_deactivated_vendor_gives_its_name_free(books):
    vendor = books.vendor("Twin")
    gone = books.write("Vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert (gone["DisplayName"], gone["Active"]) == ("Twin (deleted)", False)
    assert gone["PrintOnCheckName"] == "Twin"
    second = books.vendor("Twin")
    assert second["Id"] != vendor["Id"]
    gone_too = books.write("Vendor", {"Id": second["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert gone_too["DisplayName"] == "Twin (deleted-2)"


def test_reactivated_vendor_gets_its_name_back_unless_taken(books):
    vendor = books.vendor("Phoenix")
    change = {"Id": vendor["Id"], "sparse": True}
    books.write("Vendor", {**change, "SyncToken": "0", "Active": False})
    back = books.write("Vendor", {**change, "SyncToken": "1", "Active": True})
    assert back["DisplayName"] == "Phoenix"
    books.write("Vendor", {**change, "SyncToken": "2", "Active": False})
    books.vendor("Phoenix")
    error = books.refused("Vendor", {**change, "SyncToken": "3", "Active": True})
    assert error["code"] == "6240"


def test_without_the_suffix_an_inactive_vendor_keeps_its_name(books):
    books.switch(deleted_suffix=False)
    vendor = books.vendor("Twin")
    gone = books.write("Vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert gone["DisplayName"] == "Twin"
    assert books.refused("Vendor", {"DisplayName": "twin"})["code"] == "6240"


def test_term_is_dropped_on_create_and_kept_on_update(books):
    vendor = books.vendor(TermRef={"value": books.NET_30})
    assert "TermRef" not in vendor
    updated = books.write("Vendor", {**vendor, "TermRef": {"value": books.NET_30}})
    assert updated["TermRef"] == {"value": books.NET_30}
    books.switch(term_on_vendor_create="keep")
    assert books.vendor("Other", TermRef={"value": books.NET_30})["TermRef"]


def test_unknown_term_is_refused(books):
    error = books.refused(
        "Vendor",
        {
            "Id": books.VENDOR,
            "SyncToken": "0",
            "sparse": True,
            "TermRef": {"value": "99"},
        },
    )
    assert error["Detail"] == "Invalid Reference Id : Terms element id 99 not found"


def test_vendors_cannot_be_deleted(books):
    body = {"Id": books.VENDOR, "SyncToken": "0"}
    error = books.refused("Vendor", body, operation="delete")
    assert error["code"] == "500"
    assert error["Message"] == "Unsupported Operation"
    assert error["Detail"] == "Operation Delete is not supported."


def test_foreign_currency_needs_multicurrency(books):
    body = {"DisplayName": "Euro Vendor", "CurrencyRef": {"value": "EUR"}}
    assert books.refused("Vendor", body)["code"] == "5030"
    books.switch(multicurrency_off="ignore")
    assert books.write("Vendor", body)["CurrencyRef"]["value"] == "USD"


def test_foreign_vendor_adds_its_currency_to_the_company(open_books):
    books = open_books(multicurrency=True)
    vendor = books.vendor(CurrencyRef={"value": "EUR"})
    assert vendor["CurrencyRef"] == {"value": "EUR", "name": "Euro"}
    assert [c["Code"] for c in books.rows("select * from CompanyCurrency")] == ["EUR"]
    assert (
        books.refused("Vendor", {"DisplayName": "No Money", "CurrencyRef": {"value": "XXZ"}})["code"]
        == "2220"
    )


def test_currency_is_given_once(open_books):
    books = open_books(multicurrency=True)
    vendor = books.vendor(CurrencyRef={"value": "EUR"})
    body = {**vendor, "CurrencyRef": {"value": "USD"}}
    assert books.refused("Vendor", body)["code"] == "6000"
    books.switch(changed_currency="ignore")
    assert books.write("Vendor", body)["CurrencyRef"]["value"] == "EUR"


def test_single_currency_answers_may_lack_the_currency(books):
    books.switch(single_currency_refs=False)
    assert "CurrencyRef" not in books.vendor()


def test_opening_balance_is_taken_on_create_only(books):
    vendor = books.vendor(Balance=Decimal("10.50"))
    assert vendor["Balance"] == Decimal("10.5")
    assert books.write("Vendor", {**vendor, "Balance": 99})["Balance"] == Decimal("10.5")


def test_deactivation_with_an_open_balance_by_switch(books):
    vendor = books.vendor(Balance=5)
    body = {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Active": False}
    books.switch(deactivation_with_balance="6220")
    assert books.refused("Vendor", body)["code"] == "6220"
    books.switch(deactivation_with_balance="accept")
    assert books.write("Vendor", body)["Active"] is False


def test_address_gets_a_new_id_only_when_it_changes(books):
    vendor = books.vendor(BillAddr={"Line1": "1 Road", "City": "Rome"})
    same = books.write("Vendor", {**vendor, "AcctNum": "1"})
    assert same["BillAddr"] == vendor["BillAddr"]
    moved = books.write("Vendor", {**same, "BillAddr": {"Line1": "2 Road"}})
    assert moved["BillAddr"]["Id"] != vendor["BillAddr"]["Id"]
    assert "City" not in moved["BillAddr"]


def test_fields_of_other_countries_have_no_effect(books):
    assert "TaxReportingBasis" not in books.vendor(TaxReportingBasis="", GSTIN="22AAAAA0000A1Z5")


def test_long_names_are_kept_whole_and_cut_on_checks(books):
    vendor = books.vendor("N" * 200)
    assert vendor["DisplayName"] == "N" * 200
    assert vendor["PrintOnCheckName"] == "N" * 100


@pytest.mark.parametrize("name", ["Café Zoë & Søn", 'O\'Neil "Quoted" Ltd', "50% Off \\ Co", "株式会社"])
def test_names_of_all_kinds_are_found_again(books, name):
    vendor = books.vendor(name)
    assert books.named("Vendor", name) == [vendor]
