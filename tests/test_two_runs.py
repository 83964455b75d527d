"""Two targets on one company at the same time: one waits for the other, and nothing is written twice."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time

import pytest


class Process:
    """The target in a process of its own, fed by the test."""

    def __init__(self, books, **changes):
        settings = {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in changes.items()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "target_quickbooks", "--config=ENV"],
            env=os.environ | books.simulator.env() | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said = []
        self._news = threading.Condition()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def said(self):
        return "".join(self._said)

    def feed(self, lines):
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()

    def finish(self, lines=()):
        """Feed the rest; the exit code."""
        self.feed(lines)
        self._process.stdin.close()
        code = self._process.wait(60)
        self._listener.join(10)
        return code

    def kill(self):
        self._process.kill()
        self._process.wait(10)
        self._listener.join(10)
        self._process.stdin.close()

    def wait_until_it_says(self, text):
        with self._news:
            assert self._news.wait_for(lambda: text in self.said, 30), self.said

    def close(self):
        if self._process.poll() is None:
            self.kill()
        self._process.stderr.close()

    def _listen(self):
        for line in self._process.stderr:
            with self._news:
                self._said.append(line)
                self._news.notify_all()


@pytest.fixture
def start(books):
    """Start targets; what still runs at the end is killed."""
    processes = []

    def build(**options):
        processes.append(Process(books, **options))
        return processes[-1]

    yield build
    for process in processes:
        process.close()


@pytest.fixture
def lines(books):
    """What the tap says about 40 new vendors with a bill each."""
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    for number in range(40):
        vendor = books.bill.vendor(f"Vendor {number}")
        line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
        books.bill.bill(vendor["id"], f"INV-{number}", [line])
    return books.read()


def until_first_record(lines):
    """How many lines a target needs to begin its run."""
    return next(number for number, line in enumerate(lines, 1) if json.loads(line)["type"] == "RECORD")


def check(books):
    """Every vendor and bill is in QuickBooks once, and the next run has nothing to write."""
    names = [v["DisplayName"] for v in books.stored("Vendor") if v["DisplayName"].startswith("Vendor ")]
    assert len(names) == len(set(names)) == 40
    assert len(books.stored("PurchaseOrder")) == 40
    again = books.sync(full=True)
    assert (again.exit_code, again.written()) == (0, 0), again.error


def wait_for_lease(books):
    """Until a run holds the company."""
    give_up = time.monotonic() + 30
    while not held(books):
        assert time.monotonic() < give_up, "no run began"
        threading.Event().wait(0.05)


def held(books):
    url = books.settings("TARGET_QUICKBOOKS_")["store_url"]
    try:
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            return database.execute("SELECT 1 FROM leases WHERE name LIKE 'run:%'").fetchall()
    except sqlite3.OperationalError:
        return []


def test_the_second_run_waits_for_the_first(books, start, lines):
    first = start()
    beginning = until_first_record(lines)
    first.feed(lines[:beginning])
    wait_for_lease(books)
    second = start()
    second.feed(lines[:beginning])
    second.wait_until_it_says("Waiting for it, at most 600 s")
    assert first.finish(lines[beginning:]) == 0, first.said
    assert second.finish(lines[beginning:]) == 0, second.said
    assert second.said.count("Another run") == 1
    assert "Traceback" not in first.said + second.said
    check(books)


def test_two_runs_that_start_at_the_same_moment_agree(books, start, lines):
    """Also about the token: both begin with the seed."""
    runs, codes = [start(), start()], []
    feeders = [threading.Thread(target=lambda run=run: codes.append(run.finish(lines))) for run in runs]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.join(60)
    assert codes == [0, 0], [run.said for run in runs]
    check(books)


def test_a_run_that_must_not_wait_stops_with_one_clear_line(books, start, lines):
    first = start()
    beginning = until_first_record(lines)
    first.feed(lines[:beginning])
    wait_for_lease(books)
    second = start(wait_for_run_seconds="0", loglevel="WARNING")
    assert second.finish(lines[:beginning]) == 1
    complaint = [line for line in second.said.splitlines() if line.strip()]
    assert len(complaint) == 1
    assert "is writing to company (realm)" in complaint[0]
    assert books.stored("PurchaseOrder") == []
    assert first.finish(lines[beginning:]) == 0, first.said
    check(books)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the lease has to run out first")
def test_a_killed_run_does_not_keep_the_company(books, start, lines):
    first = start()
    beginning = until_first_record(lines)
    first.feed(lines[:beginning])
    wait_for_lease(books)
    first.kill()
    second = start()
    assert second.finish(lines) == 0, second.said
    assert "A run that was killed" in second.said
    check(books)


def test_planning_waits_for_nobody(books, start, lines):
    first = start()
    beginning = until_first_record(lines)
    first.feed(lines[:beginning])
    wait_for_lease(books)
    plan = books.write(lines, mode="plan")
    assert plan.exit_code == 0, plan.error
    assert first.finish(lines[beginning:]) == 0, first.said
    check(books)
