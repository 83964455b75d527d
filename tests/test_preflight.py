"""What is wrong with a company is told before anything is written, all of it together."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner
from target_quickbooks import target, walk
from target_quickbooks.admin import commands
from target_quickbooks.gate import Gate

REALM = "9341452000000001"


@pytest.fixture(autouse=True)
def _in_one_go(monkeypatch):
    """A window is full or the input ends; how long reading takes does not matter."""
    monkeypatch.setattr(target, "_FLUSH_AFTER_SECONDS", 3600)


@pytest.fixture
def change_company(books):
    """Change what the company has switched on, as a person does in its settings."""

    def change(**profile):
        books.simulator.on_loop(lambda world: world.quickbooks.change_profile(REALM, **profile))

    return change


@pytest.fixture
def deactivate(books):
    """Make entries of a list inactive."""

    def act(entity, chosen):
        found = [record for record in books.stored(entity) if chosen(record)]
        assert found
        inactive = [record | {"Active": False} for record in found]
        books.simulator.on_loop(lambda world: world.quickbooks.load(REALM, entity, inactive))

    return act


@pytest.fixture
def billed(books, rent):
    """A new vendor with a bill, not yet in QuickBooks."""
    vendor = books.bill.vendor("Acme Supply")
    books.bill.bill(vendor["id"], "INV-1", [rent])
    return vendor


def nothing_written(books):
    return books.writes() == 0 and not books.stored("PurchaseOrder")


def problems(run):
    """The lines of the list a run stopped with, without its headline."""
    first, *lines = run.error.splitlines()
    assert first.startswith("Stopped before the first write: ")
    return lines


def payables(record):
    return record["AccountType"] == "Accounts Payable" and record["CurrencyRef"]["value"] == "USD"


def test_everything_wrong_is_told_at_once_and_nothing_is_written(books, billed, change_company, deactivate):
    assert billed
    change_company(plan="Essentials", track_departments=False, custom_txn_numbers=False)
    deactivate("Account", payables)
    run = books.sync(
        account_map={"6100": "Nowhere", "6200": "Nowhere"},
        class_map={"A": "No such class"},
        customer_map={"B": "No such customer"},
        item_map={"C": "No such item"},
        location_map={"D": "No such location"},
        default_expense_account="nix",
    )
    assert run.exit_code == 1
    assert "7 problems with Larkfield Software Services" in run.error
    told = problems(run)
    assert [line.split(":")[0] for line in told] == ["- error"] * 7 + ["- warning"] * 2
    for words in (
        "(QuickBooks Online Essentials) has no purchase orders",
        "no active accounts payable account in USD",
        "account_map sends '6100' and '6200' to 'Nowhere'",
        "class_map sends 'A' to 'No such class'",
        "customer_map sends 'B' to 'No such customer'",
        "item_map sends 'C' to 'No such item'",
        "default_expense_account is 'nix'",
        "location_map is set, but",
        "numbers purchase orders itself",
    ):
        assert sum(words in line for line in told) == 1, words
    assert nothing_written(books)
    assert run.states == []
    assert run.report["failures"] == []
    assert [found["severity"] for found in run.report["preflight"]["findings"]] == ["error"] * 7 + [
        "warning"
    ] * 2


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"plan": "Simple Start"}, "(QuickBooks Online Simple Start) has no purchase orders"),
        ({"purchase_orders": False}, "Purchase orders are switched off"),
        ({"subscription": "EXPIRED"}, "subscription of Larkfield Software Services has ended"),
    ],
)
def test_a_company_that_cannot_take_bills_stops_the_run_and_then_goes_on(
    books, billed, change_company, profile, words
):
    assert billed
    before = {"plan": "Plus", "purchase_orders": True, "subscription": "PAID"}
    change_company(**profile)
    run = books.sync()
    assert run.exit_code == 1
    assert words in problems(run)[0]
    assert nothing_written(books)
    change_company(**before)
    again = books.sync()
    assert again.exit_code == 0, again.error
    assert again.streams["bills"]["created"] == 1


@pytest.mark.parametrize("order_flag", ["PurchaseOrderEnabled", "PurchseOrderEnabled"])
def test_both_spellings_of_the_purchase_order_setting_are_read(books, billed, change_company, order_flag):
    assert billed
    books.simulator.control.set_switches({"quickbooks.purchase_order_flag": order_flag})
    change_company(purchase_orders=False)
    assert "switched off" in problems(books.sync())[0]


def test_without_a_payables_account_no_bill_can_be_written(books, billed, deactivate):
    assert billed
    deactivate("Account", payables)
    run = books.sync()
    (line,) = problems(run)
    assert "no active accounts payable account in USD" in line
    assert nothing_written(books)


def test_a_map_to_something_inactive_stops_the_run(books, billed, deactivate):
    assert billed
    deactivate("Class", lambda record: record["Name"] == "Product")
    (line,) = problems(books.sync(class_map={"X": "Product"}))
    assert "class_map sends 'X' to 'Product', which is inactive in QuickBooks." in line


def test_maps_by_id_number_and_full_name_pass(books, billed):
    assert billed
    customer = next(found for found in books.stored("Customer") if ":" in found["FullyQualifiedName"])
    item = next(found for found in books.stored("Item") if ":" in found["FullyQualifiedName"])
    account = next(found for found in books.stored("Account") if found.get("AcctNum") and found["Active"])
    run = books.sync(
        customer_map={"A": customer["Id"], "B": customer["FullyQualifiedName"]},
        item_map={"A": item["Id"], "B": item["FullyQualifiedName"]},
        account_map={"A": account["Id"], "B": account["AcctNum"], "C": account["FullyQualifiedName"]},
    )
    assert run.exit_code == 0, run.error
    assert run.report["preflight"]["findings"] == []


def test_vendors_alone_are_written_to_a_company_without_purchase_orders(books, change_company):
    books.bill.vendor("Acme Supply")
    change_company(plan="Essentials")
    run = books.sync(account_map={"6100": "Nowhere"})
    assert (run.exit_code, run.streams["vendors"]) == (0, {"created": 1})


def test_bills_that_come_after_a_full_window_of_vendors_stop_before_the_first_order(
    books, billed, change_company, monkeypatch
):
    assert billed
    monkeypatch.setattr(walk, "WINDOW", 1)
    change_company(plan="Essentials")
    run = books.sync()
    assert run.error.startswith("Stopped before the first purchase order: 1 problem with ")
    assert len([vendor for vendor in books.stored("Vendor") if vendor["DisplayName"] == "Acme Supply"]) == 1
    assert not books.stored("PurchaseOrder")
    assert run.states
    change_company(plan="Plus")
    monkeypatch.undo()
    again = books.sync()
    assert (again.exit_code, again.streams["bills"]["created"]) == (0, 1)


def test_a_wrong_map_stops_even_the_first_window_of_vendors(books, billed, monkeypatch):
    """Bills may follow, and then the setting would be wrong for them."""
    assert billed
    monkeypatch.setattr(walk, "WINDOW", 1)
    problems(books.sync(account_map={"6100": "Nowhere"}))
    assert nothing_written(books)


def test_a_wrong_setting_does_not_matter_to_a_run_that_has_nothing_to_write(books, billed):
    assert billed
    assert books.sync(account_map={"6100": "6100"}).exit_code == 0
    books.simulator.control.reset_stats()
    again = books.sync(account_map={"6100": "6100"})
    assert (again.exit_code, again.written(), books.calls()) == (0, 0, 0)
    assert again.report["preflight"] is None


def test_the_pre_flight_of_vendors_costs_no_call_beyond_the_company(books):
    """One batch for company and preferences, one for the names, one write."""
    books.state = json.loads(books.read()[-1])["value"]
    books.bill.vendor("Acme Supply")
    books.simulator.control.reset_stats()
    assert books.sync(account_map={"6100": "6100"}).exit_code == 0
    assert books.calls() == 3


def test_the_pre_flight_of_bills_costs_no_call_beyond_what_bills_need(books, billed, monkeypatch):
    """A plan asks the same and writes nothing, so that the same bills can be taken twice."""
    assert billed
    customer, item = books.stored("Customer")[0], books.stored("Item")[-1]
    maps = {
        "customer_map": {"A": customer["DisplayName"], "B": customer["Id"]},
        "item_map": {"A": item["Name"], "B": item["FullyQualifiedName"]},
        "account_map": {"A": "6100"},
    }
    lines = books.read()
    for settings in ({}, maps):
        with_gate = calls_of_a_plan(books, lines, settings)
        with monkeypatch.context() as patched:
            patched.setattr(Gate, "open", lambda *_: None)
            assert with_gate == calls_of_a_plan(books, lines, settings)


def calls_of_a_plan(books, lines, settings):
    books.simulator.control.reset_stats()
    plan = books.write(lines, mode="plan", **settings)
    assert plan.exit_code == 0, plan.error
    assert plan.streams["bills"] == {"created": 1}
    return books.calls()


def test_a_grant_that_soon_ends_is_a_warning(books, billed):
    assert billed
    books.simulator.control.set_switches({"oauth.refresh_token_days": 5})
    run = books.sync()
    assert run.exit_code == 0
    (found,) = run.report["preflight"]["findings"]
    assert (found["severity"], found["code"]) == ("warning", "grant-ends")


def test_what_the_company_has_switched_on_is_in_the_report(books, billed, change_company):
    assert billed
    change_company(class_tracking="transaction", country="CA", home_currency="USD")
    told = books.sync().report["preflight"]["company"]
    assert (told["class_tracking"], told["country"], told["plan"]) == (
        "document",
        "CA",
        "QuickBooks Online Plus",
    )


def test_a_plan_tells_what_is_wrong_and_goes_on(books, billed, change_company):
    assert billed
    change_company(plan="Essentials")
    plan = books.sync(mode="plan", account_map={"6100": "Nowhere"}, fail_on_failed_records=False)
    assert plan.exit_code == 1
    assert [found["code"] for found in plan.report["preflight"]["findings"]] == [
        "no-purchase-orders",
        "account-map-broken",
    ]
    assert [(entry["operation"], entry["stream"]) for entry in plan.report["plan"]] == [
        ("create", "vendors"),
        ("blocked", "bills"),
    ]


@pytest.fixture
def admin(books):
    def run(*arguments, **changed):
        env = books.simulator.env() | {
            f"TARGET_QUICKBOOKS_{name.upper()}": json.dumps(value) for name, value in changed.items()
        }
        return CliRunner(env=env).invoke(commands, ["preflight", *arguments])

    return run


def test_the_command_tells_all_that_is_wrong(admin, change_company):
    assert "Nothing is wrong with the company" in admin().output
    change_company(plan="Essentials")
    done = admin(account_map={"6100": "Nowhere"})
    assert done.exit_code == 1
    assert (
        "Larkfield Software Services (realm 9341452000000001): US, QuickBooks Online Essentials"
        in done.output
    )
    assert done.output.count("error: ") == 2
    told = json.loads(admin("--json").output, parse_float=Decimal)
    assert (told["ok"], len(told["findings"])) == (False, 1)
