"""Links can be looked at, forgotten and moved from the command line, with a trace in the audit trail."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner
from target_quickbooks.admin import commands, links
from target_quickbooks.errors import RunConflict, SettingsError
from target_quickbooks.links import Company, Link
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.run_lease import RunLease
from target_quickbooks.store import audit_table, link_table

REALM = "9341452000000001"
VENDOR = Link(
    "Vendor",
    "009A",
    "41",
    "7",
    quickbooks_name="Acme",
    payload_digest="payload",
    source_digest="source",
    desired={"DisplayName": "Acme", "TaxIdentifier": "XXXXXX8777"},
)
ORDER = Link("PurchaseOrder", "00nB", "257", "0", quickbooks_name="INV-1", line_ids={"bli1": "1"})
BECAUSE = ("--reason", "merged by hand", "--yes")


class FakeCompany:
    """A QuickBooks company of these objects."""

    def __init__(self, *objects):
        self._objects = objects

    def queries(self, statements, **_):
        return [[found for found in self._objects if f"'{found['Id']}'" in text] for text in statements]


@pytest.fixture
def admin(store_url, encryption_key, monkeypatch):
    def run(*arguments, quickbooks=(), answer=None):
        monkeypatch.setattr(links, "client_for", lambda *_: FakeCompany(*quickbooks))
        env = {
            "STORE_URL": store_url,
            "ENCRYPTION_KEY": encryption_key,
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "client-secret-value",
            "REALM_ID": REALM,
        }
        runner = CliRunner(env={f"TARGET_QUICKBOOKS_{name}": value for name, value in env.items()})
        return runner.invoke(commands, ["links", *arguments], input=answer, env={"COLUMNS": "150"})

    return run


@pytest.fixture
def linked(store, pair, moment):
    """Stores links, by default of the company of the settings."""

    def save(*found, company=pair):
        with store.writing() as connection:
            for link in found:
                link_table.save(connection, company, link, now=moment)

    return save


@pytest.fixture
def stored(store, pair):
    """The link of a BILL id as it is in the store."""

    def find(bill_id, entity="Vendor"):
        with store.reading() as connection:
            return link_table.find(connection, pair, entity, [bill_id]).get(bill_id)

    return find


@pytest.fixture
def trail(store):
    def rows():
        with store.reading() as connection:
            return list(audit_table.rows(connection, audit_table.Selection()))

    return rows


@pytest.mark.parametrize("wanted", ["009A", "41"])
def test_a_link_is_shown_by_either_id(admin, linked, wanted):
    linked(VENDOR, ORDER)
    result = admin("show", wanted)
    assert result.exit_code == 0
    assert "Acme" in result.output
    assert "INV-1" not in result.output


def test_a_link_is_shown_to_programs_with_what_was_last_sent(admin, linked):
    linked(VENDOR, ORDER)
    [shown] = json.loads(admin("show", "--stream", "vendors", "--json").stdout)
    assert (shown["stream"], shown["bill_id"], shown["quickbooks_id"]) == ("vendors", "009A", "41")
    assert shown["last_sent"] == {"DisplayName": "Acme", "TaxIdentifier": "XXXXXX8777"}


def test_nothing_to_show_is_said(admin):
    assert admin("show", "none").output == "No such links.\n"


def test_a_forgotten_link_is_gone_and_on_record(admin, linked, stored, trail):
    linked(VENDOR, ORDER)
    result = admin("forget", "009A", *BECAUSE)
    assert result.exit_code == 0, result.output
    assert stored("009A") is None
    assert stored("00nB", "PurchaseOrder") == ORDER
    [row] = trail()
    assert (row["operation"], row["outcome"], row["bill_id"]) == ("forget link", "applied", "009A")
    assert (row["before"]["quickbooks_id"], row["after"], row["detail"]) == ("41", None, "merged by hand")
    assert row["trigger"].startswith("quickbooks-admin forget link")


@pytest.mark.parametrize("command", [("forget", "009A"), ("move", "009A", "58")])
def test_without_a_yes_nothing_happens(admin, linked, stored, trail, command):
    linked(VENDOR)
    result = admin(*command, "--reason", "x", quickbooks=[{"Id": "58", "SyncToken": "3"}], answer="n\n")
    assert result.exit_code == 1
    assert "vendors 009A is Vendor 41 (Acme)" in result.output
    assert stored("009A") == VENDOR
    assert trail() == []


def test_a_moved_link_leads_to_the_other_object_and_is_on_record(admin, linked, stored, trail):
    """What was last sent stays known: from now on, what changes in BILL is written there."""
    linked(VENDOR)
    survivor = {"Id": "58", "SyncToken": "3", "DisplayName": "Acme Corp"}
    result = admin("move", "009A", "58", *BECAUSE, quickbooks=[survivor])
    assert result.exit_code == 0, result.output
    assert "vendors 009A is Vendor 58 (Acme Corp) now" in result.output
    assert stored("009A") == replace(
        VENDOR, quickbooks_id="58", sync_token="3", quickbooks_name="Acme Corp", source_digest=""
    )
    [row] = trail()
    assert (row["operation"], row["quickbooks_id"]) == ("move link", "58")
    assert (row["before"]["quickbooks_id"], row["after"]["quickbooks_id"]) == ("41", "58")


def test_a_vendor_of_another_bill_vendor_is_shared(admin, linked, stored):
    linked(VENDOR, Link("Vendor", "009B", "58", "3"))
    result = admin("move", "009A", "58", *BECAUSE, quickbooks=[{"Id": "58", "SyncToken": "3"}])
    assert "keeps following another BILL vendor" in result.output
    assert stored("009A").reference_only is True
    assert stored("009B").reference_only is False


def test_an_order_of_another_bill_is_not_shared(admin, linked, stored):
    linked(ORDER, Link("PurchaseOrder", "00nC", "258", "0"))
    result = admin("move", "00nB", "258", *BECAUSE, quickbooks=[{"Id": "258", "SyncToken": "3"}])
    assert isinstance(result.exception, SettingsError)
    assert "stands for bills 00nC" in str(result.exception)
    assert stored("00nB", "PurchaseOrder") == ORDER


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("move", "009A", "58"), "no Vendor 58"),
        (("move", "009A", "41"), "already"),
        (("move", "009Z", "58"), "no link of BILL record 009Z"),
        (("forget", "41"), "no link of BILL record 41"),
    ],
)
def test_what_cannot_be_done_is_said(admin, linked, command, said):
    linked(VENDOR)
    result = admin(*command, *BECAUSE)
    assert isinstance(result.exception, SettingsError)
    assert said in str(result.exception)


def test_a_reason_is_needed(admin, linked, stored):
    linked(VENDOR)
    assert isinstance(admin("forget", "009A", "--yes", "--reason", " ").exception, SettingsError)
    assert stored("009A") == VENDOR


def test_a_record_of_two_companies_must_be_told_apart(admin, linked, stored):
    linked(VENDOR)
    linked(VENDOR, company=Company(REALM, "00802OTHER"))
    result = admin("forget", "009A", *BECAUSE)
    assert "give --realm, --organization or --stream" in str(result.exception)
    assert admin("forget", "009A", "--organization", "00802OTHER", *BECAUSE).exit_code == 0
    assert stored("009A") == VENDOR


def test_a_link_is_not_changed_under_a_run(admin, linked, store, stored):
    linked(VENDOR)
    lease = RunLease(store, realm_id=REALM, run_id="1", wait_seconds=0, now=utc_now, sleep=time.sleep)
    lease.take()
    try:
        result = admin("forget", "009A", *BECAUSE)
    finally:
        lease.release()
    assert isinstance(result.exception, RunConflict)
    assert stored("009A") == VENDOR
