"""What failed before, in the runs after: let go, tried again, taken along, and told once in the history."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from target_quickbooks.admin import commands
from target_quickbooks.mapping.purchase_order import read_marker


@pytest.fixture
def admin(books):
    def run(*arguments, **changed):
        env = books.simulator.env() | {f"TARGET_QUICKBOOKS_{name}": value for name, value in changed.items()}
        result = CliRunner(env=env).invoke(commands, list(arguments))
        return result.exit_code, json.loads(result.stdout) if result.stdout.startswith(("[", "{")) else result

    return run


@pytest.fixture
def uncoded(books):
    """A bill without an account, which no policy codes."""
    vendor = books.bill.vendor("Vendor 1")
    bill = books.bill.bill(vendor["id"], "INV-1", [{"amount": 12.34}])
    run = books.sync()
    assert list(run.reasons) == [bill["id"]]
    return bill


def listed(admin, *arguments):
    return admin("failures", "list", "--json", *arguments)[1]


def history(admin):
    _, result = admin("audit", "export")
    return result if isinstance(result, list) else [json.loads(line) for line in result.stdout.splitlines()]


def correct(books, bill):
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
    books.bill.replace(bill, billLineItems=[line])


def test_a_dismissed_record_stays_dismissed_until_it_changes(books, admin, uncoded):
    admin("failures", "dismiss", "--all", "--reason", "entered by hand")
    for changes in ({}, {"line_class_from": "department"}):
        run = books.sync(full=True, **changes)
        assert (run.exit_code, run.reasons) == (0, {})
        assert [failure["status"] for failure in listed(admin, "--all")] == ["dismissed"]
    correct(books, uncoded)
    assert books.sync(full=True).exit_code == 0
    assert [read_marker(order["PrivateNote"])[1] for order in books.stored("PurchaseOrder")] == [
        uncoded["id"]
    ]
    assert listed(admin) == []


def test_a_dismissed_record_that_changes_and_still_fails_is_open_again(books, admin, uncoded):
    admin("failures", "dismiss", "--all", "--reason", "entered by hand")
    books.bill.replace(uncoded, description="Other", billLineItems=[{"amount": 12.34}])
    assert list(books.sync().reasons) == [uncoded["id"]]
    assert [failure["status"] for failure in listed(admin)] == ["open"]


@pytest.mark.usefixtures("uncoded")
def test_a_dismissed_record_can_be_replayed_by_number(admin):
    admin("failures", "dismiss", "--all", "--reason", "entered by hand")
    [failure] = listed(admin, "--all")
    _, [told] = admin("failures", "replay", str(failure["id"]), "--json")
    assert told["told"].startswith("still fails")


def test_a_failure_that_stays_the_same_is_told_once(books, admin, uncoded):
    before = history(admin)
    for _ in range(3):
        assert books.sync(full=True).exit_code == 1
    assert history(admin) == before
    [failure] = listed(admin)
    assert admin("failures", "show", str(failure["id"]))[1]["attempts"] == 4
    books.bill.replace(uncoded, description="Other", billLineItems=[{"amount": 12.34}])
    books.sync()
    assert len(history(admin)) == len(before) + 1


def test_a_replayed_vendor_takes_its_bills_along(books, admin):
    """The name is a customer's; the bill waits for the vendor, and another for a vendor that still fails."""
    customer, other = (books.stored("Customer")[number]["DisplayName"] for number in (0, 1))
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
    vendors = [books.bill.vendor(name) for name in (customer, other)]
    bills = [books.bill.bill(vendor["id"], f"INV-{vendor['id'][-3:]}", [line]) for vendor in vendors]
    books.sync(vendor_conflict="fail")
    waiting = {failure["record_id"]: failure for failure in listed(admin)}
    assert waiting[bills[0]["id"]]["status"] == "waiting"
    number = str(waiting[vendors[0]["id"]]["id"])
    exit_code, told = admin("failures", "replay", number, "--json", VENDOR_CONFLICT="suffix")
    assert exit_code == 0
    assert [(found["record_id"], found["told"]) for found in told] == [
        (vendors[0]["id"], "went through"),
        (bills[0]["id"], "went through"),
    ]
    assert [read_marker(order["PrivateNote"])[1] for order in books.stored("PurchaseOrder")] == [
        bills[0]["id"]
    ]


def test_a_replay_never_goes_back_to_an_older_record(books, admin, uncoded, answers_lost):
    """A newer version was on its way when its run was interrupted."""
    [failure] = listed(admin)
    correct(books, uncoded)
    with answers_lost():
        assert books.sync().error == "cut off"
    _, [told] = admin("failures", "replay", str(failure["id"]), "--json")
    assert told["told"] == "went through before; nothing to do"
    assert len(books.stored("PurchaseOrder")) == 1
    assert listed(admin) == []
