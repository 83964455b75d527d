"""Accounts, classes, departments, items, terms, customers (QuickBooks manual 6.5, 6.6)."""

from __future__ import annotations

from decimal import Decimal

import pytest


def test_account_has_its_defaults(books):
    account = books.write("Account", {"Name": "MyJobs", "AccountType": "Accounts Receivable"})
    for name, value in {
        "FullyQualifiedName": "MyJobs",
        "Classification": "Asset",
        "AccountSubType": "AccountsReceivable",
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "CurrentBalance": 0,
        "CurrentBalanceWithSubAccounts": 0,
        "Active": True,
        "SubAccount": False,
    }.items():
        assert account[name] == value


@pytest.mark.parametrize(
    ("sent", "kind", "subtype"),
    [
        ({"AccountType": "Expense"}, "Expense", "Travel"),
        ({"AccountSubType": "CostOfLaborCos"}, "Cost of Goods Sold", "CostOfLaborCos"),
        ({"AccountType": "Bank", "AccountSubType": "Savings"}, "Bank", "Savings"),
    ],
)
def test_type_and_subtype_complete_each_other(books, sent, kind, subtype):
    account = books.write("Account", {"Name": "N", **sent})
    assert (account["AccountType"], account["AccountSubType"]) == (kind, subtype)


@pytest.mark.parametrize(
    "sent",
    [{}, {"AccountType": "Fun"}, {"AccountType": "Bank", "AccountSubType": "Travel"}],
)
def test_types_that_do_not_fit(books, sent):
    assert books.refused("Account", {"Name": "N", **sent})["code"] == "6010"


@pytest.mark.parametrize("name", ['Say "no"', "A:B", "A\tB"])
def test_forbidden_characters_of_account_names(books, name):
    error = books.refused("Account", {"Name": name, "AccountType": "Expense"})
    assert (error["code"], error["Message"]) == ("2180", "Invalid Enumeration")


def test_account_names_are_unique_below_their_parent(books):
    error = books.refused("Account", {"Name": "travel", "AccountType": "Expense"})
    assert error["code"] == "6240"
    assert error["Detail"] == (
        "The name supplied already exists. : An account already has the same display name. "
        "Display Name must be unique. Please provide a different display name."
    )
    child = {"Name": "Travel", "AccountType": "Expense", "ParentRef": {"value": books.TRAVEL}}
    account = books.write("Account", child)
    assert account["FullyQualifiedName"] == "Travel:Travel"
    assert account["SubAccount"] is True


def test_child_has_its_parents_type(books):
    child = {"Name": "Odd", "AccountType": "Bank", "ParentRef": {"value": books.TRAVEL}}
    error = books.refused("Account", child)
    assert error["Detail"] == (
        "Business Validation Error: For subaccounts, you must select the same account type as their parent."
    )


def test_five_levels_are_the_most(books):
    parent = books.TRAVEL
    for level in range(2, 6):
        body = {"Name": f"L{level}", "AccountType": "Expense", "ParentRef": {"value": parent}}
        parent = books.write("Account", body)["Id"]
    body = {"Name": "L6", "AccountType": "Expense", "ParentRef": {"value": parent}}
    assert books.refused("Account", body)["code"] == "6180"


def test_parent_cannot_be_its_own_child(books):
    body = {"Name": "Child", "ParentRef": {"value": books.ENGINEERING}}
    child = books.write("Class", body)
    parent = books.read("Class", books.ENGINEERING)
    error = books.refused("Class", {**parent, "ParentRef": {"value": child["Id"]}})
    assert error["code"] == "900"


def test_renamed_parent_renames_its_children(books):
    child = books.write("Class", {"Name": "Web", "ParentRef": {"value": books.ENGINEERING}})
    parent = books.read("Class", books.ENGINEERING)
    books.write("Class", {**parent, "Name": "R&D"})
    shown = books.read("Class", child["Id"])
    assert (shown["FullyQualifiedName"], shown["SyncToken"]) == ("R&D:Web", "0")


def test_account_numbers(books):
    number = {"AccountType": "Expense", "AcctNum": "6100"}
    error = books.refused("Account", {"Name": "N", **number})
    assert error["Detail"] == (
        "Business Validation Error: Another account is already using this number.  Please use a "
        "different number."
    )
    assert books.refused("Account", {"Name": "N", **number, "AcctNum": "12345678"})["code"] == "2050"
    assert books.refused("Account", {"Name": "N", **number, "AcctNum": "1:2"})["code"] == "2040"
    # The number of an inactive account is free.
    assert books.write("Account", {"Name": "N", **number, "AcctNum": "6900"})["AcctNum"] == "6900"


def test_account_numbers_may_be_off(books):
    books.profile(account_numbers=False)
    body = {"Name": "N", "AccountType": "Expense", "AcctNum": "6100"}
    assert "AcctNum" not in books.write("Account", body)


def test_deactivated_account_gives_name_and_number_free(books):
    account = books.read("Account", books.TRAVEL)
    gone = books.write("Account", {**account, "Active": False})
    assert gone["Name"] == gone["FullyQualifiedName"] == "Travel (deleted)"
    body = {"Name": "Travel", "AccountType": "Expense", "AcctNum": "6100"}
    assert books.write("Account", body)["Id"] != account["Id"]
    assert books.refused("Account", {**gone, "Active": True})["code"] in {"6240", "6000"}


def test_accounts_cannot_be_deleted(books):
    body = {"Id": books.TRAVEL, "SyncToken": "0"}
    assert books.refused("Account", body, operation="delete")["code"] == "500"


def test_loaded_inactive_records_carry_the_suffix(books):
    assert books.read("Account", books.OLD)["FullyQualifiedName"] == "Old Travel (deleted)"
    assert books.read("Vendor", books.RETIRED)["DisplayName"] == "Retired Supplies (deleted)"


def test_class_ids_have_nineteen_digits(books):
    assert books.write("Class", {"Name": "France"})["Id"] == "5000000000000007282"


@pytest.mark.parametrize(
    ("entity", "profile"),
    [("Class", {"class_tracking": "off"}), ("Department", {"track_departments": False})],
)
def test_lists_that_are_not_tracked(books, entity, profile):
    books.profile(**profile)
    assert books.refused(entity, {"Name": "New"})["code"] == "5030"
    books.switch(tracking_off="drop")
    assert books.write(entity, {"Name": "New"})["Active"] is True


@pytest.mark.parametrize("entity", ["Class", "Department", "Item", "Account", "Term"])
def test_names_are_required_and_unique(books, entity):
    assert books.refused(entity, {})["element"] == "Name"
    extra = {
        "Account": {"AccountType": "Expense"},
        "Item": {"Type": "Category"},
    }.get(entity, {})
    books.write(entity, {"Name": "Once", **extra})
    assert books.refused(entity, {"Name": "ONCE", **extra})["code"] == "6240"


def test_term_kinds(books):
    assert books.write("Term", {"Name": "N45", "DueDays": 45})["Type"] == "STANDARD"
    assert books.write("Term", {"Name": "5th", "DayOfMonthDue": 5})["Type"] == "DATE_DRIVEN"
    assert books.refused("Term", {"Name": "Long", "DueDays": 1000})["code"] == "2240"
    assert books.refused("Term", {"Name": "x" * 32})["code"] == "2050"


def test_item_that_can_be_bought(books):
    item = books.write(
        "Item",
        {
            "Name": "Hose",
            "Type": "NonInventory",
            "PurchaseCost": Decimal("12.75"),
            "ExpenseAccountRef": {"value": books.TRAVEL},
            "ParentRef": {"value": books.CATEGORY},
        },
    )
    assert item["FullyQualifiedName"] == "Trees:Hose"
    assert (item["SubItem"], item["Level"]) == (True, 1)
    assert item["ExpenseAccountRef"]["name"] == "Travel"


def test_items_need_accounts(books):
    assert books.refused("Item", {"Name": "N", "Type": "Service"})["element"] == "IncomeAccountRef"
    inventory = {
        "Name": "N",
        "Type": "Inventory",
        "IncomeAccountRef": {"value": books.INCOME},
        "ExpenseAccountRef": {"value": books.TRAVEL},
        "AssetAccountRef": {"value": books.EQUIPMENT},
        "InvStartDate": "2026-01-01",
        "QtyOnHand": 5,
    }
    assert books.refused("Item", inventory)["code"] == "6430"
    item = books.write("Item", {**inventory, "ExpenseAccountRef": {"value": books.COGS}})
    assert item["TrackQtyOnHand"] is True
    errors = books.faults(books.call("POST", "item", {"Name": "M", "Type": "Inventory"}))
    assert len(errors) == 4


def test_customers_below_customers(books):
    job = books.write("Customer", {"DisplayName": "Paint", "ParentRef": {"value": books.CUSTOMER}})
    assert (job["FullyQualifiedName"], job["Job"]) == ("Cool Cars:Paint", True)
    parent = books.read("Customer", books.CUSTOMER)
    books.write("Customer", {**parent, "DisplayName": "Hot Cars"})
    assert books.read("Customer", job["Id"])["FullyQualifiedName"] == "Hot Cars:Paint"
    body = {**books.read("Customer", books.CUSTOMER), "ParentRef": {"value": job["Id"]}}
    assert books.refused("Customer", body)["code"] == "900"


def test_employees_are_masked(books):
    employee = books.write("Employee", {"GivenName": "A", "FamilyName": "B", "SSN": "123-45-6789"})
    assert employee["DisplayName"] == "A B"
    assert employee["SSN"] == "XXX-XX-XXXX"
