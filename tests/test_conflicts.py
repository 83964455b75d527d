"""What QuickBooks already holds, and what people do there, against the real rules of the simulator."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from target_quickbooks.mapping.purchase_order import read_marker


def only(records):
    assert len(records) == 1, records
    return records[0]


def without_records(lines):
    """What the tap prints when nothing changed."""
    return [line for line in lines if json.loads(line)["type"] != "RECORD"]


def named(books, name):
    return [vendor for vendor in books.stored("Vendor") if vendor["DisplayName"] == name]


def test_a_vendor_typed_by_hand_is_adopted_not_doubled(books, bookkeeper):
    by_hand = bookkeeper.write("Vendor", DisplayName="Acme Supply", Notes="by hand")
    books.bill.vendor("ACME Supply", phone="5125550100")
    run = books.sync()
    vendor = only([v for v in books.stored("Vendor") if v["DisplayName"].casefold() == "acme supply"])
    assert vendor["Id"] == by_hand["Id"]
    assert vendor["PrimaryPhone"] == {"FreeFormNumber": "5125550100"}
    assert run.streams["vendors"]["updated"] == 1


def test_adopting_clears_nothing_that_bill_does_not_know(books, bookkeeper):
    bookkeeper.write("Vendor", DisplayName="Acme Supply", PrimaryPhone={"FreeFormNumber": "1"})
    books.bill.vendor("Acme Supply")
    books.sync()
    assert only(named(books, "Acme Supply"))["PrimaryPhone"] == {"FreeFormNumber": "1"}


@pytest.mark.parametrize("holder", ["Customer", "Employee"])
def test_a_name_that_a_customer_or_employee_holds_gets_a_suffix(books, bookkeeper, holder):
    names = {"GivenName": "Dana", "FamilyName": "Whit"} if holder == "Employee" else {}
    bookkeeper.write(holder, DisplayName="Dana Whit", **names)
    books.bill.vendor("Dana Whit")
    run = books.sync()
    assert run.exit_code == 0, run.report
    assert len(named(books, "Dana Whit (Vendor)")) == 1


def test_two_bill_vendors_of_one_name_become_two_vendors(books):
    first, second = books.bill.vendor("Twin Co"), books.bill.vendor("Twin Co")
    run = books.sync()
    assert run.streams["vendors"]["created"] == 2
    assert {v["DisplayName"] for v in books.stored("Vendor") if v["DisplayName"].startswith("Twin Co")} == {
        "Twin Co",
        "Twin Co (Vendor)",
    }
    assert first["id"] != second["id"]
    assert books.sync(full=True).written() == 0


def test_a_suffixed_vendor_keeps_its_name_when_something_else_changes(books):
    books.bill.vendor("Twin Co")
    second = books.bill.vendor("Twin Co")
    books.sync()
    books.bill.patch(f"/v3/vendors/{second['id']}", {"phone": "5125550111"})
    run = books.sync()
    assert run.streams["vendors"]["updated"] == 1
    phones = {v["DisplayName"]: v.get("PrimaryPhone") for v in books.stored("Vendor")}
    assert phones["Twin Co (Vendor)"] == {"FreeFormNumber": "5125550111"}
    assert phones["Twin Co"] is None


def test_a_taken_name_is_refused_when_the_policy_says_so(books, bookkeeper):
    bookkeeper.write("Vendor", DisplayName="Acme Supply")
    vendor = books.bill.vendor("Acme Supply")
    run = books.sync(vendor_conflict="fail")
    assert "already used" in run.reasons[vendor["id"]]
    assert run.exit_code == 1


def test_a_vendor_of_its_own_is_created_when_the_policy_says_so(books, bookkeeper):
    bookkeeper.write("Vendor", DisplayName="Acme Supply")
    books.bill.vendor("Acme Supply")
    books.sync(vendor_conflict="suffix")
    assert len(named(books, "Acme Supply (Vendor)")) == 1


def test_an_edit_in_quickbooks_of_another_field_survives(books, bookkeeper):
    vendor = books.bill.vendor("Acme")
    books.sync()
    bookkeeper.edit("Vendor", only(named(books, "Acme")), PrimaryEmailAddr={"Address": "ap@acme.example"})
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"phone": "5125550122"})
    run = books.sync()
    stored = only(named(books, "Acme"))
    assert run.exit_code == 0
    assert stored["PrimaryEmailAddr"] == {"Address": "ap@acme.example"}
    assert stored["PrimaryPhone"] == {"FreeFormNumber": "5125550122"}


@pytest.mark.parametrize(
    ("policy", "phone", "failed"),
    [("bill_wins", "5125550133", 0), ("quickbooks_wins", "1", 0), ("hold", "1", 1)],
)
def test_the_same_field_edited_on_both_sides_follows_the_policy(books, bookkeeper, policy, phone, failed):
    vendor = books.bill.vendor("Acme", phone="5125550100")
    books.sync()
    bookkeeper.edit("Vendor", only(named(books, "Acme")), PrimaryPhone={"FreeFormNumber": "1"})
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"phone": "5125550133"})
    run = books.sync(edit_conflict=policy)
    assert only(named(books, "Acme"))["PrimaryPhone"] == {"FreeFormNumber": phone}
    assert run.streams["vendors"].get("failed", 0) == failed


def test_the_same_invoice_number_at_two_vendors_gives_two_orders(books, rent):
    first, second = books.bill.vendor("One"), books.bill.vendor("Two")
    for vendor in (first, second):
        books.bill.bill(vendor["id"], "INV-1", [rent])
    run = books.sync()
    assert run.exit_code == 0, run.report
    numbers = sorted(order["DocNumber"] for order in books.stored("PurchaseOrder"))
    assert numbers[0] == "INV-1"
    assert numbers[1].startswith("INV-1~")


def test_an_order_typed_by_hand_with_the_same_number_is_left_alone(books, bookkeeper, rent):
    vendor = books.bill.vendor("One")
    books.sync()
    account = next(a for a in books.stored("Account") if a["AccountType"] == "Expense" and a["Active"])
    payable = next(a for a in books.stored("Account") if a["AccountType"] == "Accounts Payable")
    detail = {"AccountRef": {"value": account["Id"]}}
    by_hand = bookkeeper.write(
        "PurchaseOrder",
        DocNumber="INV-1",
        VendorRef={"value": only(named(books, "One"))["Id"]},
        APAccountRef={"value": payable["Id"]},
        CurrencyRef={"value": "USD"},
        Line=[
            {
                "Amount": 5,
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": detail,
            }
        ],
    )
    books.bill.bill(vendor["id"], "INV-1", [rent])
    books.sync()
    orders = {order["Id"]: order for order in books.stored("PurchaseOrder")}
    assert len(orders) == 2
    assert orders[by_hand["Id"]]["SyncToken"] == by_hand["SyncToken"]


def test_an_order_found_by_its_note_is_linked_after_the_store_is_lost(books, rent):
    vendor = books.bill.vendor("One")
    bill = books.bill.bill(vendor["id"], "INV-1", [rent])
    books.sync()
    books.simulator.run_dir.remove_company_files()
    books.simulator.control.reset_stats()
    books.state = None
    refresh = books.simulator.control.stats()
    assert refresh["quickbooks"]["write_calls"] == 0
    run = books.sync()
    order = only(books.stored("PurchaseOrder"))
    assert read_marker(order["PrivateNote"])[1] == bill["id"]
    assert run.exit_code == 0, run.report
    assert run.streams["bills"].get("created", 0) == 0


def test_changed_lines_keep_the_ids_of_those_that_stay(books, rent):
    vendor = books.bill.vendor("One")
    bill = books.bill.bill(vendor["id"], "INV-1", [rent, {**rent, "amount": 10}])
    books.sync()
    before = [line["Id"] for line in only(books.stored("PurchaseOrder"))["Line"]]
    lines = bill["billLineItems"]
    changed = [{"id": lines[0]["id"], **rent, "amount": 99.99}, {**rent, "amount": 7, "description": "New"}]
    books.bill.replace(bill, billLineItems=changed)
    books.sync()
    order = only(books.stored("PurchaseOrder"))
    assert [line["Amount"] for line in order["Line"]] == [Decimal("99.99"), 7]
    assert order["Line"][0]["Id"] == before[0]
    assert order["Line"][1]["Id"] not in before


def test_an_archived_bill_closes_its_order_and_a_restored_one_opens_it(books, rent):
    vendor = books.bill.vendor("One")
    bill = books.bill.bill(vendor["id"], "INV-1", [rent])
    books.sync()
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    run = books.sync()
    assert only(books.stored("PurchaseOrder"))["POStatus"] == "Closed"
    assert run.streams["bills"]["closed"] == 1
    books.bill.post(f"/v3/bills/{bill['id']}/restore")
    books.sync()
    assert only(books.stored("PurchaseOrder"))["POStatus"] == "Open"


def test_a_bill_that_comes_before_its_vendor_waits_for_it(books, rent):
    vendor = books.bill.vendor("Late Vendor")
    books.bill.bill(vendor["id"], "INV-1", [rent])
    lines = books.read()
    bills = [line for line in lines if '"stream":"vendors"' not in line.replace(" ", "")]
    first = books.write(bills)
    assert first.streams["bills"] == {"blocked": 1}
    assert books.stored("PurchaseOrder") == []
    vendors = [line for line in lines if '"stream":"vendors"' in line.replace(" ", "")]
    second = books.write(vendors)
    assert second.streams["bills"] == {"created": 1}
    assert len(books.stored("PurchaseOrder")) == 1


def test_a_bill_refused_for_an_inactive_account_goes_through_once_it_is_active(books, bookkeeper, rent):
    vendor = books.bill.vendor("One")
    number = next(
        record["account"]["number"]
        for record in books.held("chart_of_accounts")
        if record["id"] == rent["classifications"]["chartOfAccountId"]
    )
    account = next(a for a in books.stored("Account") if a.get("AcctNum") == number)
    inactive = bookkeeper.write("Account", **{**account, "Active": False, "sparse": False})
    bill = books.bill.bill(vendor["id"], "INV-1", [rent])
    assert bill["id"] in books.sync().reasons
    bookkeeper.write("Account", **{**inactive, "Name": account["Name"], "AcctNum": number, "Active": True})
    run = books.sync()
    assert run.streams["bills"] == {"created": 1}


@pytest.fixture
def closed_books(books, bookkeeper):
    """The books are closed up to the end of 2026, for purchase orders, too; gives a way to reopen them."""
    books.simulator.control.set_switches({"quickbooks.closed_books_purchase_orders": True})
    stored = only(books.stored("Preferences"))
    accounting = stored["AccountingInfoPrefs"]

    def close(date):
        nonlocal stored
        changed = {**accounting, "BookCloseDate": date} if date else accounting
        stored = bookkeeper.write("Preferences", **{**stored, "AccountingInfoPrefs": changed})

    close("2026-12-31")
    return lambda: close(None)


def test_a_bill_in_a_closed_period_is_held_and_goes_through_once_it_is_reopened(books, rent, closed_books):
    bill = books.bill.bill(books.bill.vendor("One")["id"], "INV-1", [rent])
    run = books.sync()
    assert "books are closed in QuickBooks (closed up to 2026-12-31)" in run.reasons[bill["id"]]
    closed_books()
    assert books.write(without_records(books.read())).streams["bills"] == {"created": 1}


@pytest.mark.usefixtures("closed_books")
def test_a_bill_in_a_closed_period_is_dated_after_it_when_the_policy_says_so(books, rent):
    books.bill.bill(books.bill.vendor("One")["id"], "INV-1", [rent])
    run = books.sync(closed_period="redate")
    assert run.exit_code == 0, run.reasons
    assert only(books.stored("PurchaseOrder"))["TxnDate"] == "2027-01-01"
    assert books.sync(full=True, closed_period="redate").written() == 0


def test_a_bill_in_a_closed_period_fails_for_good_when_the_policy_says_so(books, rent, closed_books):
    bill = books.bill.bill(books.bill.vendor("One")["id"], "INV-1", [rent])
    assert bill["id"] in books.sync(closed_period="fail").reasons
    closed_books()
    assert "bills" not in books.write(without_records(books.read()), closed_period="fail").streams
