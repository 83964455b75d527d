"""Signals to a real ``tap-bill | target-quickbooks``: what was in flight is finished, nothing is doubled.

The moment is found by watching the simulator: its latency holds an answer back while the signal is sent.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from target_quickbooks.mapping.purchase_order import read_marker

VENDORS = 40
SIGNALS = pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=lambda found: found.name)


PATIENT = """
from target_quickbooks.quickbooks import governor
governor.BATCHES = (governor.Bucket(2, 600.0),)
from target_quickbooks.target import TargetQuickbooks
TargetQuickbooks.cli()
"""


@pytest.fixture
def filled(books):
    """Two batches of vendors in BILL and one of bills, nothing of them in QuickBooks."""
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
    for number in range(VENDORS):
        vendor = books.bill.vendor(f"Vendor {number:02}")
        if number < 10:
            books.bill.bill(vendor["id"], f"INV-{number}", [line])
    return books


@pytest.fixture
def start(tmp_path):
    """Start both plugins as a shell would start ``tap | target``; the target's output goes to files."""
    started = []

    def start(books, *, source="tap_bill", program=("-m", "target_quickbooks")):
        environment = os.environ | books.simulator.env()
        tap = [sys.executable, "-m", source, "--config=ENV"] if source else ["cat"]
        feed = subprocess.Popen(
            tap, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with (tmp_path / "states").open("wb") as states, (tmp_path / "log").open("wb") as log:
            target = subprocess.Popen(
                [sys.executable, *program, "--config=ENV"],
                env=environment,
                stdin=feed.stdout,
                stdout=states,
                stderr=log,
            )
        feed.stdout.close()
        started.extend([feed, target])
        return feed, target

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


@pytest.fixture
def ended(tmp_path):
    """Wait for a target's end; its exit code, STATE messages and log."""

    def ended(target):
        code = target.wait(timeout=30)
        states = [json.loads(line) for line in (tmp_path / "states").read_text().splitlines()]
        log = (tmp_path / "log").read_text()
        assert "Traceback" not in log
        return code, states, log

    return ended


def until(condition):
    """Watch until something is so; fail if it never is."""
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up, "it never came to that"
        time.sleep(0.02)


def written(books, entity="Vendor"):
    return books.simulator.control.stats()["quickbooks"]["written"].get(entity, {}).get("create", 0)


def batches(books):
    calls = books.simulator.control.stats()["quickbooks"]["by_endpoint"]
    return sum(sum(found.values()) for endpoint, found in calls.items() if endpoint.endswith("/batch"))


def agree(books):
    names = sorted(v["DisplayName"] for v in books.stored("Vendor") if v["DisplayName"].startswith("Vendor "))
    assert names == [f"Vendor {number:02}" for number in range(VENDORS)]
    marks = sorted(read_marker(order["PrivateNote"])[1] for order in books.stored("PurchaseOrder"))
    assert marks == sorted(bill["id"] for bill in books.held("bills"))


@SIGNALS
def test_the_batch_in_flight_is_finished_and_recorded(filled, start, ended, signum):
    filled.simulator.control.set_latency(system="quickbooks", per_call_ms=400)
    _, target = start(filled)
    until(lambda: written(filled) == 30)  # applied, and the answer is on its way
    target.send_signal(signum)
    code, states, _ = ended(target)
    assert code == 128 + signum
    assert written(filled) == 30, "nothing was begun after the signal"
    filled.simulator.control.set_latency(system="quickbooks", per_call_ms=0)
    again = filled.write(filled.read(states[-1] if states else None))
    assert again.exit_code == 0, (again.error, again.reasons)
    assert again.streams["vendors"]["created"] == VENDORS - 30, "the outcomes were on disk"
    agree(filled)


def test_a_wait_for_another_try_ends_at_once(filled, start, ended):
    filled.simulator.control.set_switches({"quickbooks.throttle_retry_after": 60})
    filled.simulator.control.add_fault("throttle", path="*/batch")
    _, target = start(filled)
    until(lambda: any(fault["fired"] for fault in filled.simulator.control.faults()))
    target.terminate()
    code, states, log = ended(target)
    assert code == 128 + signal.SIGTERM
    assert "Stopped by signal" in log
    filled.simulator.control.clear_faults()
    assert filled.write(filled.read(states[-1] if states else None)).exit_code == 0
    agree(filled)


def test_a_wait_for_the_rate_limits_ends_at_once(filled, start, ended):
    """With two batches in ten minutes the target soon waits, and would for long."""
    _, target = start(filled, program=("-c", PATIENT))
    until(lambda: batches(filled) == 2)
    target.terminate()
    code, states, _ = ended(target)
    assert code == 128 + signal.SIGTERM
    assert batches(filled) == 2
    assert filled.write(filled.read(states[-1] if states else None)).exit_code == 0
    agree(filled)


@SIGNALS
def test_an_idle_target_stops_at_once_and_tells_what_is_durable(filled, start, ended, signum):
    """It waits for input with records queued: STATE that came before them is good, later STATE is not."""
    early, late = {"bookmarks": {"early": {}}}, {"bookmarks": {"late": {}}}
    records = [line for line in filled.read() if json.loads(line)["type"] != "STATE"]
    lines = [as_state(early), *records, as_state(late)]
    feed, target = start(filled, source="")
    feed.stdin.write("".join(f"{line}\n" for line in lines).encode())
    feed.stdin.flush()
    until(lambda: is_assembled(filled))
    target.send_signal(signum)
    code, states, _ = ended(target)
    assert code == 128 + signum
    assert states == [early]
    assert filled.sync().exit_code == 0
    agree(filled)


def as_state(value):
    return json.dumps({"type": "STATE", "value": value})


def is_assembled(books):
    path = books.settings("TARGET_QUICKBOOKS_")["store_url"].removeprefix("sqlite:///")
    return Path(path).exists()
