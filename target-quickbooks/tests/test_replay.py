"""Failures are tried again the way a run takes them, or let go with a reason."""

from __future__ import annotations

import datetime as dt
import json
import signal

import pytest
from ap_simulator.testing import running
from click.testing import CliRunner
from sqlalchemy import select
from target_quickbooks.admin import commands
from target_quickbooks.assembly import assemble
from target_quickbooks.errors import RunConflict, SettingsError
from target_quickbooks.links import Company
from target_quickbooks.mapping.source import Kind, read_reference
from target_quickbooks.replay import replay
from target_quickbooks.store import failure_table, lease_table, reference_table, tables
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from target_quickbooks.store.failure_table import Failure, Status

REALM = "9341452000000001"


@pytest.fixture(scope="module")
def server():
    with running("empty") as simulator:
        yield simulator


@pytest.fixture
def simulator(server):
    server.control.reset()
    return server


@pytest.fixture
def env(simulator, store_url, encryption_key):
    found = {name: value for name, value in simulator.env().items() if name.startswith("TARGET_")}
    changed = {"STORE_URL": store_url, "ENCRYPTION_KEY": encryption_key}
    return found | {f"TARGET_QUICKBOOKS_{name}": value for name, value in changed.items()}


@pytest.fixture
def admin(env):
    def run(*arguments, **changed):
        more = {f"TARGET_QUICKBOOKS_{name}": value for name, value in changed.items()}
        return CliRunner(env={**env, **more, "COLUMNS": "150"}).invoke(commands, list(arguments))

    return run


@pytest.fixture
def fail(store, moment):
    """Stores failures, numbered from 1."""

    def build(*records, stream="vendors", code="name-taken", run_id="run-1", realm=REALM, **changed):
        with store.writing() as connection:
            for record in records:
                company = Company(realm, record["organizationId"])
                failed = Failure(stream, record["id"], "a record", code, "Refused.", "Do.", record, **changed)
                failure_table.save(connection, store.cipher, company, failed, run_id=run_id, now=moment)

    return build


@pytest.fixture
def stored(store):
    def status(number):
        with store.reading() as connection:
            return failure_table.by_number(connection, store.cipher, number).status

    return status


def audited(store):
    with store.reading() as connection:
        return connection.execute(select(tables.audit).order_by(tables.audit.c.sequence)).mappings().all()


def vendors(simulator):
    return [row["DisplayName"] for row in simulator.control.records("quickbooks", "Vendor", realm=REALM)]


def test_a_record_that_can_be_written_now_is(admin, simulator, fail, vendor_record, stored):
    fail(vendor_record())
    before = vendors(simulator)
    result = admin("failures", "replay", "1")
    assert result.exit_code == 0, result.output
    assert "1: vendors 00902VENDOR000000001 (a record): went through" in result.output
    assert set(vendors(simulator)) - set(before) == {"Happy Music Supplies"}
    assert stored(1) is Status.RESOLVED


def test_what_still_fails_is_told_with_the_reason(admin, fail, bill_record, stored):
    fail(bill_record(), stream="bills")
    result = admin("failures", "replay", "--stream", "bills")
    assert result.exit_code == 1
    assert "1: bills 00n02BILL00000ABC123 (a record): still waits: " in result.output
    assert "0 of 1 are settled, 1 still fail." in result.output
    assert stored(1) is Status.WAITING


def test_a_vendor_goes_before_its_bill(admin, simulator, store, fail, vendor_record, bill_record):
    """Whatever the order in which they failed."""
    account = simulator.control.records("quickbooks", "Account", realm=REALM)
    name = next(row["FullyQualifiedName"] for row in account if row["AccountType"] == "Expense")
    with store.writing() as connection:
        references = [read_reference(Kind.ACCOUNT, {"id": "0ca-travel", "name": name})]
        reference_table.save(connection, bill_record()["organizationId"], references)
    fail(bill_record(), stream="bills")
    fail(vendor_record())
    result = admin("failures", "replay", "--all", "--json", ACCOUNT_MAP=json.dumps({"0ca-travel": name}))
    assert result.exit_code == 0, result.output
    assert [found["told"] for found in json.loads(result.stdout)] == ["went through", "went through"]


def test_a_replay_is_a_run_with_a_trigger_in_the_audit_trail(admin, store, fail, vendor_record):
    fail(vendor_record())
    admin("failures", "replay", "1")
    with store.reading() as connection:
        (run,) = connection.execute(select(tables.runs)).mappings().all()
    assert (run["mode"], run["exit_code"]) == ("replay", 0)
    assert run["finished_at"]
    assert {(row["run_id"], row["operation"], row["outcome"]) for row in audited(store)} == {
        (run["id"], "create", "applied")
    }
    assert audited(store)[0]["trigger"].startswith("quickbooks-admin replay: ")


def test_what_went_through_is_not_written_again(admin, simulator, fail, vendor_record):
    fail(vendor_record())
    admin("failures", "replay", "1")
    before = simulator.control.stats()["quickbooks"]["calls"]
    result = admin("failures", "replay", "1")
    assert (result.exit_code, "went through before" in result.output) == (0, True)
    assert simulator.control.stats()["quickbooks"]["calls"] == before


def test_a_dismissed_record_that_went_through_later_is_not_replayed(
    admin, store, moment, fail, vendor_record
):
    """The stored record is older than what QuickBooks holds."""
    fail(vendor_record())
    admin("failures", "dismiss", "1", "--reason", "later")
    with store.writing() as connection:
        failure_table.resolve(
            connection, pair_of(vendor_record()), "vendors", ["00902VENDOR000000001"], now=moment
        )
    assert "went through before" in admin("failures", "replay", "1").output


def pair_of(record):
    return Company(REALM, record["organizationId"])


def test_records_that_are_only_looked_up_are_not_tried(admin, fail, vendor_record):
    fail(vendor_record(), stream="departments", code="record-invalid")
    result = admin("failures", "replay", "1")
    assert result.exit_code == 1
    assert "records of departments are not written" in result.output


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["--code", "6240"], [2]),
        (["--code", "quickbooks-6240", "--code", "name-taken"], [1, 2]),
        (["--run", "run-2"], [3]),
        (["--stream", "bills"], [3]),
        (["--realm", "77"], [4]),
        (["--older-than", "1d"], [1, 2, 3, 4]),
        (["--newer-than", "1d"], []),
        (["--status", "waiting"], []),
        (["2", "4"], [2, 4]),
        (["2", "--stream", "bills"], []),
    ],
)
def test_failures_are_chosen_by_what_they_have(
    admin, monkeypatch, fail, moment, vendor_record, bill_record, arguments, numbers
):
    monkeypatch.setattr("target_quickbooks.admin.failures.utc_now", lambda: moment.replace(day=20))
    fail(vendor_record())
    fail(vendor_record(id="00902B"), code="quickbooks-6240")
    fail(bill_record(), stream="bills", run_id="run-2", code="account-unknown")
    fail(vendor_record(), realm="77", code="other")
    found = json.loads(admin("failures", "list", "--json", *arguments).output)
    assert [failure["id"] for failure in found] == numbers


def test_a_failure_of_another_company_is_refused(admin, fail, vendor_record):
    fail(vendor_record(), realm="77")
    result = admin("failures", "replay", "1")
    assert "Failure 1 is of company (realm) 77" in str(result.exception)


def test_without_a_choice_nothing_is_tried(admin, fail, vendor_record, stored):
    fail(vendor_record())
    for arguments in (["replay"], ["dismiss", "--reason", "x"]):
        result = admin("failures", *arguments)
        assert isinstance(result.exception, SettingsError)
    assert stored(1) is Status.OPEN


def test_a_number_that_is_not_there_is_told(admin, fail, vendor_record):
    fail(vendor_record())
    assert "There is no failure 7, 9." in str(admin("failures", "replay", "1", "9", "7").exception)


def test_a_mode_that_writes_nothing_is_respected(admin, simulator, fail, vendor_record):
    fail(vendor_record())
    before = vendors(simulator)
    result = admin("failures", "replay", "1", MODE="plan")
    assert "mode is 'plan'" in str(result.exception)
    assert vendors(simulator) == before


def test_a_replay_leaves_signals_as_they_were(admin, fail, vendor_record):
    fail(vendor_record())
    before = signal.getsignal(signal.SIGTERM)
    admin("failures", "replay", "1")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_dismissed_failure_is_let_go_with_the_reason_on_record(admin, store, fail, vendor_record, stored):
    fail(vendor_record())
    result = admin("failures", "dismiss", "1", "--reason", "entered by  hand,\ntax id 99-5688293")
    assert result.exit_code == 0, result.output
    assert stored(1) is Status.DISMISSED
    (row,) = audited(store)
    assert (row["operation"], row["outcome"], row["bill_id"]) == (
        "dismiss",
        "dismissed",
        vendor_record()["id"],
    )
    assert row["detail"] == "entered by hand, tax id XXXXXX8293"
    assert "the chain holds" in admin("audit", "verify").output


def test_what_is_settled_cannot_be_dismissed(admin, store, fail, vendor_record):
    fail(vendor_record())
    admin("failures", "dismiss", "1", "--reason", "once")
    result = admin("failures", "dismiss", "1", "--reason", "twice")
    assert "Neither open nor waiting: 1." in str(result.exception)
    assert len(audited(store)) == 1


def test_a_replay_reads_with_an_old_key_too(admin, store_url, fail, vendor_record, encryption_key):
    """While keys rotate."""
    newest = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
    fail(vendor_record())
    result = admin("failures", "replay", "1", ENCRYPTION_KEY=f"{newest},{encryption_key}")
    assert "went through" in result.output
    open_store(store_url, Cipher((newest, encryption_key))).close()


def test_the_record_is_the_latest_when_the_run_begins(
    simulator, store, env, make_settings, fail, vendor_record, encryption_key
):
    """Another run may have seen a newer one while this one waited for it to end."""
    names = ("client_id", "client_secret", "refresh_token", "api_url", "token_url", "store_url")
    given = {name: env[f"TARGET_QUICKBOOKS_{name.upper()}"] for name in names}
    fail(vendor_record(name="Old Name"))
    with store.reading() as connection:
        found = failure_table.select_failures(connection, store.cipher)

    def after_another_run(*arguments, **more):
        fail(vendor_record(name="New Name"))
        return assemble(*arguments, **more)

    settings = make_settings(**given, encryption_keys=(encryption_key,))
    (result,) = replay(settings, found, trigger="tests", assembled=after_another_run)
    assert not result.failed
    assert "New Name" in vendors(simulator)
    assert "Old Name" not in vendors(simulator)


def test_a_replay_waits_for_a_run_and_says_so_in_the_end(admin, store, fail, vendor_record):
    now = dt.datetime.now(dt.UTC)
    lease_table.acquire(store, f"run:{REALM}", "another", now=now, seconds=90)
    fail(vendor_record())
    result = admin("failures", "replay", "1", WAIT_FOR_RUN_SECONDS="0")
    assert isinstance(result.exception, RunConflict)
    assert "\n" not in str(result.exception)
