"""Runs with the store on PostgreSQL: the demo company, several at once, killed ones, a server that goes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from ap_simulator.company.demo import EXPECTED_REFUSALS
from ap_simulator.testing import running
from sqlalchemy import text
from target_quickbooks.store import audit_table
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store

REALM = "9341452000000001"
VENDORS = 40
SECONDS = 120
TOKEN = """
import sys
from target_quickbooks.admin.environment import opened_store, read_settings
from target_quickbooks.quickbooks.oauth import TokenSource
with opened_store() as store:
    tokens = TokenSource(read_settings(), store)
    print("ready", flush=True)
    sys.stdin.readline()
    print(tokens.access_token()[-8:])
"""


def opened(books, url):
    key = books.settings("TARGET_QUICKBOOKS_")["encryption_key"]
    return open_store(url, Cipher((key,)))


def assert_history_is_whole(books, url):
    store = opened(books, url)
    with store.reading() as connection:
        assert audit_table.count(connection, REALM) > 0
        assert audit_table.first_break(connection, store.fingerprint_key, REALM) is None
    store.close()


# --- the demo company


@pytest.fixture(scope="module")
def demo_in_postgres(postgres, tmp_path_factory, books_of):
    with running("demo") as simulator, postgres.database() as name:
        books = books_of(simulator, tmp_path_factory.mktemp("postgres"))
        url = postgres.url(name)
        yield SimpleNamespace(books=books, url=url, run=books.sync(store_url=url))


def test_the_demo_company_is_synced_as_with_any_store(demo_in_postgres):
    run = demo_in_postgres.run
    assert run.error == ""
    assert set(run.reasons) == {refusal.bill_id for refusal in EXPECTED_REFUSALS}
    assert run.streams["vendors"]["created"] > 100
    assert run.streams["bills"]["created"] > 200
    assert_history_is_whole(demo_in_postgres.books, demo_in_postgres.url)


def test_the_second_run_writes_nothing(demo_in_postgres):
    books = demo_in_postgres.books
    books.simulator.control.reset_stats()
    run = books.sync(full=True, store_url=demo_in_postgres.url)
    assert (run.written(), books.writes()) == (0, 0)
    assert_history_is_whole(books, demo_in_postgres.url)


def test_what_is_paid_in_bill_is_known(demo_in_postgres):
    books = demo_in_postgres.books
    cleared = [payment for payment in books.held("payments") if payment.get("singleStatus") == "CLEARED"]
    store = opened(books, demo_in_postgres.url)
    with store.reading() as connection:
        known = connection.execute(text("SELECT count(*) FROM payments")).scalar_one()
        texts = set(connection.execute(text("SELECT amount FROM payment_parts")).scalars())
    store.close()
    assert known >= len(cleared) > 0
    assert all("." in amount or amount.isdecimal() for amount in texts)


def test_the_commands_for_people_read_it(demo_in_postgres):
    books = demo_in_postgres.books
    env = os.environ | books.simulator.env() | {"TARGET_QUICKBOOKS_STORE_URL": demo_in_postgres.url}
    for arguments in (("status",), ("audit", "verify")):
        command = [sys.executable, "-c", "from target_quickbooks.admin import main; main()", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_secret_lies_in_the_database(demo_in_postgres):
    """As the search for secrets does it with files; a cluster's directory is not among them."""
    books = demo_in_postgres.books
    store = opened(books, demo_in_postgres.url)
    with store.reading() as connection:
        names = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        rows = [connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in names]  # noqa: S608
    store.close()
    content = repr(rows)
    settings = books.settings("TARGET_QUICKBOOKS_") | books.settings("TAP_BILL_")
    for name in ("client_secret", "refresh_token", "encryption_key", "dev_key", "password"):
        assert settings[name] not in content, name
    tax_ids = {(vendor.get("additionalInfo") or {}).get("taxId") for vendor in books.held("vendors")}
    assert not [tax_id for tax_id in filter(None, tax_ids) if tax_id in content]


def test_records_that_are_too_long_for_every_column_stop_nothing(fresh_books, postgres_url, rent):
    """SQLite keeps any length; PostgreSQL refuses what is longer than a column says."""
    books = fresh_books
    good = books.bill.vendor("Good")
    books.bill.bill(good["id"], "INV-1", [rent])
    lines = books.read()
    vendor = next(json.loads(line) for line in lines if '"Good"' in line and '"RECORD"' in line)
    for number, fields in enumerate(
        (
            {"id": "00902LONG0000000001", "name": "n" * 2000},
            {"id": "00902LONG0000000002", "name": "Long", "updatedTime": "2026-01-01T00:00:00." + "1" * 90},
            {
                "id": "00902LONG0000000003",
                "name": "Longer",
                "billCurrency": "U" * 200,
                "accountNumber": "9" * 500,
            },
        )
    ):
        lines.insert(-1, json.dumps(vendor | {"record": vendor["record"] | {"name": f"V{number}"} | fields}))
    run = books.write(lines, store_url=postgres_url)
    assert run.error == ""
    assert len(books.stored("PurchaseOrder")) == 1
    odd = vendor | {"record": vendor["record"] | {"id": "x" * 300}}
    schema = next(line for line in lines if '"SCHEMA"' in line and '"vendors"' in line)
    assert "300 characters in id" in books.write([schema, json.dumps(odd)], store_url=postgres_url).error
    again = books.write(lines, store_url=postgres_url)
    assert (again.error, again.written()) == ("", 0)


# --- several at once, and what dies


@pytest.fixture
def filled(fresh_books, rent):
    """New vendors with a bill each in BILL."""
    for number in range(VENDORS):
        vendor = fresh_books.bill.vendor(f"Vendor {number:03}")
        fresh_books.bill.bill(vendor["id"], f"INV-{number}", [rent])
    return fresh_books


@pytest.fixture
def start(fresh_books, tmp_path):
    """Starts targets on what the tap says, in processes of their own."""
    processes = []

    def begin(url):
        source = tmp_path / "lines"
        if not source.exists():
            source.write_text("".join(f"{line}\n" for line in fresh_books.read()))
        log = tmp_path / f"log-{len(processes)}"
        with source.open("rb") as lines, log.open("wb") as said:
            env = os.environ | fresh_books.simulator.env() | {"TARGET_QUICKBOOKS_STORE_URL": url}
            process = subprocess.Popen(
                [sys.executable, "-m", "target_quickbooks", "--config=ENV"],
                env=env,
                stdin=lines,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        processes.append(process)
        return SimpleNamespace(process=process, said=log.read_text, wait=lambda: process.wait(SECONDS))

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def check(books, url):
    """All is in QuickBooks once, and there is nothing left to do."""
    again = books.sync(full=True, store_url=url)
    assert again.exit_code == 0, again.error or again.reasons
    names = [v["DisplayName"] for v in books.stored("Vendor") if v["DisplayName"].startswith("Vendor ")]
    assert len(names) == len(set(names)) == VENDORS
    assert len(books.stored("PurchaseOrder")) == VENDORS
    assert books.sync(full=True, store_url=url).written() == 0
    assert_history_is_whole(books, url)


def test_of_two_runs_that_begin_at_once_one_waits(filled, start, postgres_url):
    runs = [start(postgres_url), start(postgres_url)]
    assert [run.wait() for run in runs] == [0, 0]
    assert sum("is writing to company (realm)" in run.said() for run in runs) == 1
    written = filled.simulator.control.stats()["quickbooks"]["written"]
    assert (written["Vendor"]["create"], written["PurchaseOrder"]["create"]) == (VENDORS, VENDORS)
    check(filled, postgres_url)


def test_a_killed_run_leaves_no_lock_behind_and_is_finished_by_the_next(filled, start, postgres_url):
    control = filled.simulator.control
    control.set_latency(system="quickbooks", per_call_ms=150)
    run = start(postgres_url)
    until(lambda: filled.stored("PurchaseOrder"))
    run.process.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    control.set_latency(system="quickbooks", per_call_ms=0)
    begun = time.monotonic()
    check(filled, postgres_url)
    assert time.monotonic() - begun < 60  # a lease that is not given back lasts 90 s


def test_a_server_that_crashes_in_the_middle_of_a_run_costs_nothing(filled, start, own_postgres):
    url = own_postgres.url("postgres")
    control = filled.simulator.control
    control.set_latency(system="quickbooks", per_call_ms=150)
    run = start(url)
    until(lambda: filled.stored("PurchaseOrder"))
    own_postgres.stop(signal.SIGQUIT)
    own_postgres.start()
    control.set_latency(system="quickbooks", per_call_ms=0)
    code = run.wait()
    said = run.said()
    assert "Traceback" not in said
    # In the middle of a transaction nobody can tell whether it was committed; else the run goes on.
    assert code == 0 or (code == 1 and "cannot be reached" in said), said
    check(filled, url)


def test_of_four_processes_that_need_a_token_one_renews_it(fresh_books, postgres_url):
    books = fresh_books
    books.sync(store_url=postgres_url)
    store = opened(books, postgres_url)
    with store.writing() as connection:
        connection.execute(
            text("UPDATE connections SET access_expires_at = '2020-01-01T00:00:00.000000+00:00'")
        )
    store.close()
    books.simulator.control.reset_stats()
    env = os.environ | books.simulator.env() | {"TARGET_QUICKBOOKS_STORE_URL": postgres_url}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TOKEN], env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    tokens = {process.communicate(timeout=SECONDS)[0].strip() for process in processes}
    assert len(tokens) == 1
    assert all(tokens)
    assert books.simulator.control.stats()["oauth"]["calls"] == 1
