"""Payments, vendor credits and recurring bills on the command line."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner
from target_quickbooks.admin import commands
from target_quickbooks.errors import SettingsError
from target_quickbooks.ledger import LastingLedger
from target_quickbooks.links import Link
from target_quickbooks.mapping.source import Kind, Reference
from target_quickbooks.store import link_table, reference_table

PAYMENT = {
    "id": "stp1",
    "vendorId": "0091",
    "vendorName": "Happy Music",
    "amount": Decimal("90.10"),
    "billPayments": [{"billId": "00n1", "amount": Decimal("90.10")}],
    "processDate": "2026-12-31",
    "confirmationNumber": "P24123101 - 0411839",
    "singleStatus": "CLEARED",
}
CREDIT = {
    "id": "vcr1",
    "vendorId": "0091",
    "referenceNumber": "CR-1",
    "amount": Decimal("64.99"),
    "usage": [{"billId": "00n1", "paymentId": "stp1", "amount": 10}],
}
PLAN = {"period": "MONTHLY", "frequency": 2, "nextDueDate": "2020-01-31", "endDate": "2020-03-31"}
SCHEDULE = {
    "id": "btp1",
    "vendorId": "0091",
    "description": "Rent",
    "schedule": PLAN,
    "recurringBillLineItems": [{"amount": Decimal("19.99")}],
}
BILL = {"id": "00n1", "vendorId": "0091", "invoice": {"invoiceNumber": "INV-1"}, "amount": Decimal("90.10")}


@pytest.fixture
def learned(store, pair, moment):
    """A company of a payment, its bill and order, a credit and two recurring bills."""
    ended = SCHEDULE | {"id": "btp2", "archived": True}
    LastingLedger(store, lambda: moment).learn(
        pair,
        {
            "payments": [PAYMENT],
            "vendor_credits": [CREDIT],
            "bills": [BILL],
            "recurring_bills": [SCHEDULE, ended],
        },
    )
    link = Link("PurchaseOrder", "00n1", "257", "0", desired={"POStatus": "Closed"})
    with store.writing() as connection:
        link_table.save(connection, pair, link, now=moment)
        reference_table.save(
            connection, pair.organization_id, [Reference(Kind.VENDOR, "0091", "Happy Music")]
        )


@pytest.fixture
def admin(store_url, encryption_key):
    def run(*arguments):
        env = {"TARGET_QUICKBOOKS_STORE_URL": store_url, "TARGET_QUICKBOOKS_ENCRYPTION_KEY": encryption_key}
        result = CliRunner(env=env).invoke(commands, list(arguments), env={"COLUMNS": "150"})
        if isinstance(result.exception, SettingsError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.mark.usefixtures("learned")
def test_payments_are_listed_with_their_bills_and_orders(admin):
    output = admin("payments", "list")
    for text in ("2026-12-31 Happy Music", "P24123101 - 0411839", "90.10", "CLEARED", "INV-1", "257 Closed"):
        assert text in output


@pytest.mark.usefixtures("learned")
def test_a_payment_is_shown_with_every_status(admin, pair):
    shown = json.loads(admin("payments", "show", "stp1"))
    assert (shown["organization_id"], shown["final"]) == (pair.organization_id, False)
    assert [status["status"] for status in shown["statuses"]] == ["CLEARED"]
    assert shown["bills"][0]["purchase_order"] == "257"
    assert json.loads(admin("payments", "list", "--json")) == [shown]


@pytest.mark.usefixtures("learned")
@pytest.mark.parametrize(
    "option", [("--bill", "00n2"), ("--vendor", "x"), ("--standing", "failed"), ("--since", "2027-01-01")]
)
def test_options_choose(admin, option):
    assert admin("payments", "list", *option) == "No payments of that kind.\n"


def test_an_empty_store_says_where_payments_come_from(admin, store):
    assert "stream payments" in admin("payments", "list")
    assert "stream vendor_credits" in admin("payments", "credits")
    assert "stream recurring_bills" in admin("recurring", "list")
    assert "No bill is missing" in admin("recurring", "list", "--missing")
    with pytest.raises(SettingsError, match="There is no payment stp9"):
        admin("payments", "show", "stp9")
    assert store.url


@pytest.mark.usefixtures("learned")
def test_credits_are_listed_with_what_is_left(admin):
    (row,) = json.loads(admin("payments", "credits", "--json"), parse_float=Decimal)
    assert (row["used"], row["left"]) == (10, Decimal("54.99"))
    assert "CR-1" in admin("payments", "credits")


@pytest.mark.usefixtures("learned")
def test_recurring_bills_are_listed_with_what_is_missing(admin):
    output = admin("recurring", "list")
    for text in ("Happy Music", "Rent", "19.99", "every 2 months", "2020-01-31 is missing"):
        assert text in output
    (row,) = json.loads(admin("recurring", "list", "--missing", "--json"))
    assert (row["id"], row["missing"]) == ("btp1", ["2020-01-31"])


@pytest.mark.usefixtures("learned")
def test_archived_ones_are_shown_on_demand(admin):
    rows = json.loads(admin("recurring", "list", "--all", "--json"))
    assert {row["id"]: row["state"] for row in rows} == {"btp1": "active", "btp2": "archived"}
