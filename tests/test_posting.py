"""`transaction_type: bill`: bills, vendor credits and payments of BILL as such in QuickBooks."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from collections import defaultdict
from decimal import Decimal
from types import SimpleNamespace

import pytest
from ap_simulator import report
from ap_simulator.testing import UNLIMITED, running
from click.testing import CliRunner
from target_quickbooks.admin import commands
from target_quickbooks.quickbooks import governor

ACCOUNT = "Operating Checking"
BILLS = {"transaction_type": "bill", "payment_account": ACCOUNT}
ORGANIZATION = "00802DEMOORGANIZTN01"
REALM = "9341452000000001"
_numbers = itertools.count(1)


@pytest.fixture
def books(fresh_books):
    return fresh_books


@pytest.fixture
def control(books):
    return books.simulator.control


@pytest.fixture
def sync(books):
    """A run that keeps payables in QuickBooks."""
    return lambda **changes: books.sync(**BILLS | changes)


@pytest.fixture
def bill(books, rent):
    """Add a bill of 120.50."""

    def add(vendor=None, lines=None, **fields):
        number = next(_numbers)
        owner = vendor or books.bill.vendor(f"Vendor {number}")
        return books.bill.bill(owner["id"], f"INV-{number}", lines or [rent], **fields)

    return add


@pytest.fixture
def pay(books, control):
    """Pay bills of one vendor, and see the payment get to a status."""

    def make(*parts, status="CLEARED"):
        account = books.held("bank_accounts")[0]["id"]
        bills = [{"billId": one["id"], "amount": amount, **more} for one, amount, more in parts]
        body = {
            "vendorId": parts[0][0]["vendorId"],
            "payments": bills,
            "fundingAccount": {"type": "BANK_ACCOUNT", "id": account},
        }
        payment = books.bill.post("/v3/payments/bulk", body)["payments"][0]
        if status != "SCHEDULED":
            control.set_payment_status(payment["id"], status)
        return payment

    return make


@pytest.fixture
def record(books):
    """Record a payment of several bills that was made outside BILL."""

    def make(*parts, **fields):
        body = {
            "vendorId": parts[0][0]["vendorId"],
            "processDate": "2026-11-20",
            "payments": [{"billId": one["id"], "amount": amount, **more} for one, amount, more in parts],
            **fields,
        }
        return books.bill.post("/v3/bills/record-payment", body)

    return make


@pytest.fixture
def credit(books, rent):
    """Add a vendor credit."""

    def add(vendor_id, amount=20.50):
        number = next(_numbers)
        body = {
            "vendorId": vendor_id,
            "referenceNumber": f"CR-{number}",
            "creditDate": "2026-11-02",
            "vendorCreditLineItems": [{**rent, "amount": amount}],
        }
        return books.bill.post("/v3/vendor-credits", body)

    return add


def the(found):
    """The one object there is."""
    assert len(found) == 1, found
    return found[0]


def balances(books):
    """Open balances of bills in QuickBooks by number."""
    return {one["DocNumber"]: Decimal(str(one["Balance"])) for one in books.stored("Bill")}


def lines_of(payment):
    return {
        (line["LinkedTxn"][0]["TxnType"], line["LinkedTxn"][0]["TxnId"]): Decimal(str(line["Amount"]))
        for line in payment["Line"]
    }


# --- bills --------------------------------------------------------------------------------------------------


def test_a_bill_becomes_a_bill_with_its_number_dates_lines_and_id(books, sync, bill):
    source = bill()
    assert sync().exit_code == 0
    stored = the(books.stored("Bill"))
    assert books.stored("PurchaseOrder") == []
    assert stored["DocNumber"] == source["invoice"]["invoiceNumber"]
    assert (stored["TxnDate"], stored["DueDate"]) == ("2026-11-01", "2026-11-30")
    assert Decimal(str(stored["TotalAmt"])) == Decimal(str(stored["Balance"])) == Decimal("120.5")
    assert stored["PrivateNote"].endswith(f"[BILL {ORGANIZATION}/{source['id']}]")


def test_a_second_run_writes_nothing(books, control, sync, bill, credit, record):
    source = bill()
    credit(source["vendorId"])
    record((source, 50, {}))
    sync()
    control.reset_stats()
    run = sync(full=True)
    assert (run.exit_code, run.written(), books.calls()) == (0, 0, 0)


def test_two_vendors_may_use_one_number_and_one_vendor_may_not(books, sync, rent):
    for name in ("One", "Two"):
        books.bill.bill(books.bill.vendor(name)["id"], "2026-01", [rent])
    sync()
    assert [one["DocNumber"] for one in books.stored("Bill")] == ["2026-01", "2026-01"]
    vendor = books.held("vendors")[0]
    twin = books.bill.bill(vendor["id"], "2026-01", [rent])
    assert sync().exit_code == 0
    numbers = sorted(one["DocNumber"] for one in books.stored("Bill"))
    assert numbers == ["2026-01", "2026-01", f"2026-01~{twin['id'][-6:]}"]


def test_numbers_that_must_be_unique_in_the_company_are_made_so(books, control, sync, rent):
    control.set_switches({"quickbooks.bill_number_scope": "company", "quickbooks.bill_duplicates": "reject"})
    for name in ("One", "Two"):
        books.bill.bill(books.bill.vendor(name)["id"], "2026-01", [rent])
    assert sync().exit_code == 0
    assert len({one["DocNumber"] for one in books.stored("Bill")}) == 2


def test_a_change_in_bill_keeps_what_a_person_changed(books, bookkeeper, sync, bill, rent):
    source = bill()
    sync()
    stored = the(books.stored("Bill"))
    bookkeeper.edit("Bill", stored, DueDate="2026-12-24")
    books.bill.replace(source, billLineItems=[{**rent, "amount": 99.99}])
    assert sync().exit_code == 0
    stored = the(books.stored("Bill"))
    assert Decimal(str(stored["TotalAmt"])) == Decimal("99.99")
    assert stored["DueDate"] == "2026-12-24"


@pytest.mark.parametrize(("policy", "total"), [("hold", "100.00"), ("quickbooks_wins", "100.00")])
def test_a_conflict_is_settled_as_edit_conflict_says(books, bookkeeper, sync, bill, policy, total):
    source = bill()
    sync()
    stored = the(books.stored("Bill"))
    bookkeeper.edit("Bill", stored, Line=[{**stored["Line"][0], "Amount": 100}])
    books.bill.replace(source, billLineItems=[{**source["billLineItems"][0], "amount": 99.99}])
    run = sync(edit_conflict=policy)
    assert run.exit_code == (1 if policy == "hold" else 0)
    assert Decimal(str(the(books.stored("Bill"))["TotalAmt"])) == Decimal(total)
    if policy == "hold":
        assert "and its bill in QuickBooks, both in" in run.reasons[source["id"]]


def test_an_archived_bill_is_voided_and_a_restored_one_comes_back(books, sync, bill):
    source = bill()
    sync()
    books.bill.post(f"/v3/bills/{source['id']}/archive")
    run = sync()
    assert run.streams["bills"]["voided"] == 1
    stored = the(books.stored("Bill"))
    assert (stored["TotalAmt"], stored["PrivateNote"].startswith("Voided - ")) == (0, True)
    assert sync(full=True).written() == 0
    books.bill.post(f"/v3/bills/{source['id']}/restore")
    sync()
    stored = the(books.stored("Bill"))
    assert Decimal(str(stored["TotalAmt"])) == Decimal("120.5")
    assert not stored["PrivateNote"].startswith("Voided")


def test_an_archived_bill_is_left_where_archived_bill_says_so(books, sync, bill):
    source = bill()
    sync()
    books.bill.post(f"/v3/bills/{source['id']}/archive")
    assert sync(archived_bill="leave").written() == 0
    assert the(books.stored("Bill"))["TotalAmt"] == 120.5


def test_a_void_takes_along_what_a_person_added(books, bookkeeper, sync, bill):
    source = bill()
    sync()
    stored = the(books.stored("Bill"))
    line = {name: value for name, value in stored["Line"][0].items() if name != "Id"}
    bookkeeper.edit("Bill", stored, Line=[stored["Line"][0], {**line, "Amount": 7}])
    books.bill.post(f"/v3/bills/{source['id']}/archive")
    assert sync().exit_code == 0
    assert the(books.stored("Bill"))["TotalAmt"] == 0


def test_a_bill_with_payments_that_are_not_bills_is_not_voided(books, bookkeeper, sync, bill):
    source = bill()
    sync()
    stored = the(books.stored("Bill"))
    bank = next(one["Id"] for one in books.stored("Account") if one["Name"] == ACCOUNT)
    bookkeeper.write(
        "BillPayment",
        VendorRef=stored["VendorRef"],
        CurrencyRef=stored["CurrencyRef"],
        TotalAmt=20,
        PayType="Check",
        CheckPayment={"BankAccountRef": {"value": bank}},
        Line=[{"Amount": 20, "LinkedTxn": [{"TxnId": stored["Id"], "TxnType": "Bill"}]}],
    )
    books.bill.post(f"/v3/bills/{source['id']}/archive")
    run = sync()
    assert run.exit_code == 1
    assert "payments in QuickBooks stand against its bill" in run.reasons[source["id"]]
    assert the(books.stored("Bill"))["TotalAmt"] == 120.5


@pytest.mark.parametrize("policy", ["hold", "redate"])
def test_closed_books_are_kept(books, control, sync, bill, policy):
    control.change_profile(book_close_date="2026-11-15")
    source = bill()
    run = sync(closed_period=policy)
    if policy == "redate":
        assert the(books.stored("Bill"))["TxnDate"] == "2026-11-16"
    else:
        assert "whose books are closed" in run.reasons[source["id"]]
        assert books.stored("Bill") == []


def test_an_unapproved_bill_waits_and_a_denied_one_is_voided(books, control, sync, bill):
    source = bill()
    assert sync(unapproved_bill="wait").written() == 1
    assert books.stored("Bill") == []
    control.set_bill_status(source["id"], approval_status="APPROVED")
    sync(unapproved_bill="wait")
    assert the(books.stored("Bill"))["TotalAmt"] == 120.5
    control.set_bill_status(source["id"], approval_status="DENIED")
    sync(unapproved_bill="wait", denied_bill="close")
    assert the(books.stored("Bill"))["TotalAmt"] == 0


def test_the_location_is_that_of_the_bill(books, sync, bill, rent):
    location = books.bill.classification("locations", books.held("locations")[0]["name"])
    line = {**rent, "classifications": {**rent["classifications"], "locationId": location}}
    bill(lines=[line])
    sync()
    assert the(books.stored("Bill")).get("DepartmentRef")


# --- payments -----------------------------------------------------------------------------------------------


def test_a_cleared_payment_pays_its_bill(books, sync, bill, pay):
    source = bill()
    payment = pay((source, 120.50, {}))
    assert sync().exit_code == 0
    stored = the(books.stored("BillPayment"))
    paid = the(books.stored("Bill"))
    assert paid["Balance"] == 0
    assert stored["DocNumber"] == payment["confirmationNumber"]
    assert stored["TxnDate"] == payment["processDate"]
    assert stored["CheckPayment"]["PrintStatus"] == "NotSet"
    assert f"/{payment['id']}]" in stored["PrivateNote"]
    assert lines_of(stored) == {("Bill", paid["Id"]): Decimal("120.5")}


def test_a_payment_on_its_way_is_not_written_until_it_clears(books, control, sync, bill, pay):
    source = bill()
    payment = pay((source, 120.50, {}), status="PROCESSED")
    assert sync().exit_code == 0
    assert books.stored("BillPayment") == []
    control.set_payment_status(payment["id"], "CLEARED")
    sync()
    assert the(books.stored("Bill"))["Balance"] == 0


def test_payments_in_parts_and_one_payment_of_two_bills(books, sync, bill, record):
    vendor = books.bill.vendor("Two Bills")
    first, second = bill(vendor), bill(vendor)
    record((first, 100, {}))
    record((first, 20.50, {}), (second, 20, {}))
    assert sync().exit_code == 0
    assert sorted(balances(books).values()) == [Decimal(0), Decimal("100.5")]
    assert sorted(one["TotalAmt"] for one in books.stored("BillPayment")) == [40.5, 100]


@pytest.mark.parametrize("status", ["VOIDED", "DISBURSEMENT_FAILED_ACTION_NEEDED"])
def test_a_payment_that_comes_to_nothing_is_voided(books, control, sync, bill, pay, status):
    payment = pay((bill(), 120.50, {}))
    sync()
    control.set_payment_status(payment["id"], status)
    run = sync()
    assert run.streams["bill_payments"]["voided"] == 1
    voided = the(books.stored("BillPayment"))
    assert (voided["TotalAmt"], the(books.stored("Bill"))["Balance"]) == (0, 120.5)
    assert sync(full=True).written() == 0


def test_a_payment_that_clears_again_after_it_failed_is_written_again(books, control, sync, bill, pay):
    payment = pay((bill(), 120.50, {}))
    for status in ("DISBURSEMENT_FAILED_ACTION_NEEDED", "SENT", "CLEARED"):
        sync()
        control.set_payment_status(payment["id"], status)
    assert sync().exit_code == 0
    assert the(books.stored("Bill"))["Balance"] == 0
    assert sorted(one["TotalAmt"] for one in books.stored("BillPayment")) == [0, 120.5]
    assert sync(full=True).written() == 0


def test_a_bill_whose_payment_was_voided_can_be_archived_in_the_same_run(books, control, sync, bill, pay):
    source = bill()
    payment = pay((source, 120.50, {}))
    sync()
    control.set_payment_status(payment["id"], "VOIDED")
    books.bill.post(f"/v3/bills/{source['id']}/archive")
    assert sync().exit_code == 0
    assert the(books.stored("Bill"))["TotalAmt"] == 0


def test_a_payment_waits_for_its_bill(books, sync, bill, record, rent):
    account = books.bill.post(
        "/v3/classifications/chart-of-accounts", {"name": "Only in BILL", "account": {"type": "EXPENSE"}}
    )
    source = bill(lines=[{**rent, "classifications": {"chartOfAccountId": account["id"]}}])
    payment = record((source, 120.50, {}))
    run = sync()
    assert run.exit_code == 1
    assert "waits for bill" in run.reasons[payment["id"]]
    assert run.streams["bill_payments"] == {"blocked": 1}
    run = sync(default_expense_account=rent_account(books))
    assert run.exit_code == 0
    assert the(books.stored("Bill"))["Balance"] == 0


def test_a_payment_of_a_bill_that_was_archived_before_it_was_seen_is_left(books, sync, bill, record):
    source = bill()
    record((source, 120.50, {}))
    books.bill.post(f"/v3/bills/{source['id']}/archive")
    run = sync()
    assert (run.exit_code, books.stored("Bill"), books.stored("BillPayment")) == (0, [], [])
    notes = [note["notes"] for note in run.report["notes"] if note["stream"] == "bill_payments"]
    assert notes == [["not written: what it pays is archived in BILL, and was never written"]]


def rent_account(books):
    return next(one["Id"] for one in books.stored("Account") if one["AccountType"] == "Expense")


def test_more_than_a_bill_has_open_stays_with_the_vendor(books, bill, record):
    """BILL says that a bill is less than what was paid of it: the money has moved all the same."""
    record((bill(), 120.50, {}))
    less = [
        line.replace('"amount":120.50', '"amount":100.00') if '"stream":"bills"' in line else line
        for line in books.read()
    ]
    assert books.write(less, **BILLS).exit_code == 0
    stored = the(books.stored("BillPayment"))
    assert (stored["TotalAmt"], the(books.stored("Bill"))["TotalAmt"]) == (120.5, 100)
    assert [line["Amount"] for line in stored["Line"]] == [100]


def test_payments_by_card_name_the_card(books, sync, bill, pay):
    pay((bill(), 120.50, {}))
    assert sync(payment_account="Corporate Card").exit_code == 0
    stored = the(books.stored("BillPayment"))
    assert stored["PayType"] == "CreditCard"
    assert stored["CreditCardPayment"]["CCAccountRef"]["value"]


def test_payments_that_are_not_written_are_noted(books, sync, bill, pay):
    pay((bill(), 120.50, {}))
    assert sync(post_payments="never", payment_account="").exit_code == 0
    assert books.stored("BillPayment") == []
    stored = the(books.stored("Bill"))
    assert (stored["Balance"], "Paid 120.50 on " in stored["PrivateNote"]) == (120.5, True)


def test_what_quickbooks_refuses_of_a_payment_is_told(books, control, sync, bill, pay):
    payment = pay((bill(), 120.50, {}))
    control.change_profile(book_close_date="2027-12-31")
    run = sync()
    assert run.exit_code == 1
    control.change_profile(book_close_date=None)
    assert payment["id"] not in sync().reasons
    assert the(books.stored("Bill"))["Balance"] == 0


def test_a_foreign_payment_has_the_currency_and_rate_of_its_bill(books, sync, bill, pay):
    vendor = books.bill.vendor("Lyon", billCurrency="EUR")
    pay((bill(vendor, exchangeRate=1.08), 120.50, {}))
    run = sync()
    assert run.exit_code == 0, run.reasons
    stored, paid = the(books.stored("BillPayment")), the(books.stored("Bill"))
    assert (stored["CurrencyRef"]["value"], stored["ExchangeRate"]) == ("EUR", Decimal("1.08"))
    assert stored["APAccountRef"]["value"] == paid["APAccountRef"]["value"]
    assert paid["Balance"] == 0


def test_bills_and_payments_follow_a_vendor_that_was_merged(books, bookkeeper, sync, bill, record):
    vendor = books.bill.vendor("Acme")
    first = bill(vendor)
    sync()
    survivor = bookkeeper.write("Vendor", DisplayName="Acme Corp", CurrencyRef={"value": "USD"})
    losing = {"Id": the(books.stored("Bill"))["VendorRef"]["value"]}
    bookkeeper.merge_vendors(losing=losing, surviving=survivor)
    second = bill(vendor)
    record((first, 120.50, {}), (second, 20.50, {}))
    run = sync()
    assert run.exit_code == 0, run.reasons
    assert {one["VendorRef"]["value"] for one in books.stored("Bill")} == {survivor["Id"]}
    assert the(books.stored("BillPayment"))["VendorRef"]["value"] == survivor["Id"]


def test_a_plan_foresees_a_void(books, control, sync, bill, pay):
    payment = pay((bill(), 120.50, {}))
    sync()
    control.set_payment_status(payment["id"], "VOIDED")
    control.reset_stats()
    run = books.write(books.read(), mode="plan", **BILLS)
    assert (run.exit_code, books.writes()) == (0, 0)
    entry = the([one for one in run.report["plan"] if one["entity"] == "BillPayment"])
    assert (entry["operation"], entry["id"]) == ("void", payment["id"])
    assert {"field": "TotalAmt", "before": 120.5, "after": 0} in entry["fields"]


# --- vendor credits -----------------------------------------------------------------------------------------


def test_a_credit_becomes_a_vendor_credit_and_is_used_with_its_payment(books, sync, bill, credit, record):
    source = bill()
    note = credit(source["vendorId"])
    record((source, 100, {"vendorCredits": [{"id": note["id"], "amount": 20.50}]}))
    assert sync().exit_code == 0
    held = the(books.stored("VendorCredit"))
    assert (held["DocNumber"], held["TotalAmt"]) == (note["referenceNumber"], 20.5)
    payment = the(books.stored("BillPayment"))
    paid = the(books.stored("Bill"))
    assert payment["TotalAmt"] == 100
    assert lines_of(payment) == {
        ("Bill", paid["Id"]): Decimal("120.5"),
        ("VendorCredit", held["Id"]): Decimal("20.5"),
    }
    assert paid["Balance"] == held["Balance"] == 0


def test_a_credit_used_without_a_payment_is_a_payment_of_nothing(books, sync, bill, credit):
    source = bill()
    note = credit(source["vendorId"])
    books.bill.patch(f"/v3/bills/{source['id']}", {"vendorCredits": [{"id": note["id"], "amount": 20.50}]})
    assert sync().exit_code == 0
    payment = the(books.stored("BillPayment"))
    assert (payment["TotalAmt"], the(books.stored("Bill"))["Balance"]) == (0, 100)
    assert the(books.stored("VendorCredit"))["Balance"] == 0
    assert sync(full=True).written() == 0


def test_a_credit_that_is_archived_is_voided(books, sync, bill, credit):
    source = bill()
    note = credit(source["vendorId"])
    sync()
    books.bill.post(f"/v3/vendor-credits/{note['id']}/archive")
    run = sync()
    assert run.streams["vendor_credits"]["voided"] == 1
    assert the(books.stored("VendorCredit"))["TotalAmt"] == 0


# --- as ever ------------------------------------------------------------------------------------------------


def test_a_plan_tells_all_and_writes_nothing(books, control, bill, credit, record):
    source = bill()
    note = credit(source["vendorId"])
    payment = record((source, 100, {"vendorCredits": [{"id": note["id"], "amount": 20.50}]}))
    control.reset_stats()
    run = books.write(books.read(), mode="plan", **BILLS)
    assert (run.exit_code, books.writes()) == (0, 0)
    planned = {(entry["entity"], entry["id"]): entry for entry in run.report["plan"]}
    assert planned["Bill", source["id"]]["amount"] == 120.5
    assert planned["VendorCredit", note["id"]]["operation"] == "create"
    assert planned["BillPayment", payment["id"]]["amount"] == 100
    assert run.report["totals"]["by_currency"][0]["created_amount"] == 120.5


@pytest.fixture
def cut_off(books, answers_lost):
    """Run until the first write of an entity, which QuickBooks carries out, or not, without an answer."""

    def run(entity, *, applied):
        with answers_lost(entity, applied=applied):
            assert books.write(books.read(), **BILLS).exit_code == 1

    return run


@pytest.mark.parametrize(
    ("entity", "applied"),
    [("Bill", True), ("VendorCredit", True), ("BillPayment", True), ("BillPayment", False)],
)
def test_a_crash_at_any_write_is_made_up_for(books, sync, bill, credit, record, cut_off, entity, applied):
    source = bill()
    note = credit(source["vendorId"])
    record((source, 100, {"vendorCredits": [{"id": note["id"], "amount": 20.50}]}))
    cut_off(entity, applied=applied)
    assert len(books.stored(entity)) == int(applied)
    assert sync().exit_code == 0
    assert [len(books.stored(name)) for name in ("Bill", "VendorCredit", "BillPayment")] == [1, 1, 1]
    assert the(books.stored("Bill"))["Balance"] == 0
    assert sync(full=True).written() == 0


def test_a_void_that_was_not_answered_is_made_up_for(books, control, sync, bill, pay, cut_off):
    payment = pay((bill(), 120.50, {}))
    sync()
    control.set_payment_status(payment["id"], "VOIDED")
    cut_off("BillPayment", applied=True)
    assert sync().exit_code == 0
    assert the(books.stored("BillPayment"))["TotalAmt"] == 0
    assert sync(full=True).written() == 0


def test_a_payment_that_failed_can_be_replayed(books, control, sync, bill, record):
    source = bill()
    sync()
    control.change_profile(book_close_date="2027-12-31")
    payment = record((source, 120.50, {}))
    run = sync(closed_period="fail")
    assert (run.exit_code, list(run.reasons)) == (1, [payment["id"]])
    control.change_profile(book_close_date=None)
    settings = {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in BILLS.items()}
    runner = CliRunner(env=books.simulator.env() | settings)
    told = runner.invoke(commands, ["failures", "replay", "--stream", "bill_payments"])
    assert told.exit_code == 0, told.output
    assert the(books.stored("Bill"))["Balance"] == 0


@pytest.mark.parametrize(
    ("first", "then", "word", "mode"),
    [({}, BILLS, "purchase orders", "sync"), (BILLS, {}, "bills", "plan")],
)
def test_the_setting_cannot_be_changed_on_books_that_were_begun(
    books, control, bill, first, then, word, mode
):
    bill()
    books.sync(**first)
    bill()
    control.reset_stats()
    run = books.sync(mode=mode, **then)
    assert (run.exit_code, books.writes()) == (1, 0)
    assert len(run.error.splitlines()) == 1
    assert f"as {word}" in run.error
    assert "Set transaction_type back to" in run.error


def test_a_changed_setting_is_told_by_preflight_too(books, bill):
    bill()
    books.sync()
    changed = {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in BILLS.items()}
    told = CliRunner(env=books.simulator.env() | changed).invoke(commands, ["preflight", "--json"])
    assert told.exit_code == 1
    assert [found["code"] for found in json.loads(told.stdout)["findings"]] == ["transaction-type-changed"]


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ("", "payment_account is not set"),
        ("No Such Account", "which is not in QuickBooks"),
        ("Accounts Payable (A/P)", "payments are made from an account of type Bank or Credit Card"),
    ],
)
def test_the_account_of_payments_is_looked_at_first(books, control, bill, sync, account, told):
    bill()
    control.reset_stats()
    run = sync(payment_account=account)
    assert (run.exit_code, books.writes()) == (1, 0)
    assert told in run.error


def test_payments_are_no_drift_and_what_people_change_is(books, bookkeeper, sync, bill, pay):
    pay((bill(), 120.50, {}))
    sync()
    path = books.settings("TARGET_QUICKBOOKS_")["store_url"].removeprefix("sqlite:///")

    def found():
        with contextlib.closing(sqlite3.connect(path)) as store, store:
            store.execute("UPDATE drift_searches SET searched_at = '2020-01-01T00:00:00.000000+00:00'")
        assert sync().exit_code == 0
        with contextlib.closing(sqlite3.connect(path)) as store:
            return store.execute("SELECT kind, entity FROM drift").fetchall()

    assert found() == []
    bookkeeper.edit("Bill", the(books.stored("Bill")), DueDate="2026-12-24")
    assert found() == [("changed", "Bill")]


# --- the demo company ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def posted(tmp_path_factory, books_of):
    """The demo company after one run, for tests that only look."""
    with pytest.MonkeyPatch.context() as patched:
        for limits in ("REQUESTS", "BATCHES"):
            patched.setattr(governor, limits, ())
        with running("demo", switches=UNLIMITED) as simulator:
            books = books_of(simulator, tmp_path_factory.mktemp("posted"))
            yield SimpleNamespace(books=books, run=books.sync(**BILLS))


def test_open_balances_are_those_of_bill_to_the_cent(posted):
    """By vendor: what bills and credits that were written leave open, in BILL and in QuickBooks."""
    expected = open_in_bill(posted.books, owners_of(posted.books), without=set(posted.run.reasons))
    stored = {one["Id"]: Decimal(str(one["Balance"])) for one in posted.books.stored("Vendor")}
    assert len(expected) > 50
    assert {vendor: stored[vendor] for vendor in expected} == expected


def test_the_simulator_s_report_compares_bills(posted):
    control = posted.books.simulator.control
    found = report.fetch(control, realm=REALM, organization=ORGANIZATION).comparison
    failed = [one for one in posted.run.report["failures"] if one["stream"] == "bills"]
    assert len(found.bills_without_order) == len(failed)
    assert (found.bills_with_several_orders, found.orders_without_bill) == ([], [])


def test_the_demo_company_reconciles_and_is_not_written_twice(posted):
    assert posted.books.sync(full=True, **BILLS).written() == 0
    assert differences(posted.books) == []


def test_a_lost_store_is_rebuilt(posted, tmp_path):
    books = posted.books
    new = {"store_url": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    named = {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in (BILLS | new).items()}
    text = "".join(f"{line}\n" for line in books.read())
    runner = CliRunner(env=books.simulator.env() | named)
    told = runner.invoke(commands, ["links", "rebuild", "--from", "-", "--yes", "--json"], input=text)
    assert told.exit_code == 0, told.output
    held = {name: len(books.stored(name)) for name in ("Bill", "VendorCredit", "BillPayment")}
    linked = json.loads(told.stdout)["linked"]
    assert linked["bills"] == held["Bill"]
    assert (linked["vendor_credits"], linked["bill_payments"]) == (held["VendorCredit"], held["BillPayment"])
    books.simulator.control.reset_stats()
    run = books.write(books.read(), **BILLS, **new)
    assert (run.written(), books.writes()) == (0, 0)
    assert held == {name: len(books.stored(name)) for name in held}


def test_reconciling_tells_what_is_open_and_what_is_missing(books, control, sync, bill, pay):
    first, second = bill(), bill()
    pay((first, 120.50, {}))
    assert sync().exit_code == 0
    assert differences(books) == []
    payment = the(books.stored("BillPayment"))
    control.delete_by_hand("BillPayment", payment["Id"])
    other = next(one for one in books.stored("Bill") if second["id"] in one["PrivateNote"])
    control.delete_by_hand("Bill", other["Id"])
    found = {one["bill_id"]: one for one in differences(books)}
    assert found[first["id"]]["fields"] == [{"field": "open amount", "bill": "0.00", "quickbooks": "120.50"}]
    assert found[second["id"]]["kind"] == "missing in QuickBooks"


def differences(books):
    """What reconciling says that nobody has been told of."""
    run = books.write(books.read(), mode="reconcile", **BILLS)
    return [] if run.exit_code == 0 else [one for one in run.report["findings"] if not one["known"]]


def owners_of(books):
    """The QuickBooks vendor of each bill and vendor credit of BILL that was written."""
    return {
        one["PrivateNote"].rpartition("/")[2].rstrip("]"): one["VendorRef"]["value"]
        for entity in ("Bill", "VendorCredit")
        for one in books.stored(entity)
    }


def open_in_bill(books, owners, *, without):
    """What is open by vendor: bills less credits less what has cleared."""
    moves = [(one["id"], one["amount"]) for one in books.held("bills")]
    moves += [(one["id"], -one["amount"]) for one in books.held("vendor_credits")]
    moves += [
        (part["billId"], -part["amount"])
        for one in books.held("payments")
        if one["singleStatus"] in {"CLEARED", "FUNDS_ESCHEATED"} and one["id"] not in without
        for part in one["billPayments"]
    ]
    found = defaultdict(Decimal)
    for bill_id, amount in moves:
        if bill_id in owners:
            found[owners[bill_id]] += Decimal(str(amount))
    return dict(found)
