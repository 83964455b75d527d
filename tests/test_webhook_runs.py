"""From an event in BILL to a vendor in QuickBooks: signed delivery, shim, the real Meltano.

Everything is started as people start it, through Meltano, in the simulator's environment.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from ap_simulator.testing import running
from target_quickbooks.links import Company
from target_quickbooks.store import failure_table
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from target_quickbooks.store.failure_table import Selection
from webhook_shim.events import System
from webhook_shim.reconciliation import reconciled, report_in
from webhook_shim.store import inbox_table, jobs_table, subscription_table
from webhook_shim.store.jobs_table import Kind, Status
from webhook_shim.workplace import reports_of

REALM = "9341452000000001"
ORGANIZATION = "00802DEMOORGANIZTN01"
COMPANY = Company(REALM, ORGANIZATION)
SINGLES = 20
#: The default is five seconds; one shows the same in less time.
DEBOUNCE_SECONDS = 1

pytestmark = [pytest.mark.meltano, pytest.mark.timeout(1200)]


def until(condition, seconds=180):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


class Shim:
    """The server in a project, started through Meltano."""

    def __init__(self, project, books):
        self.project = project
        self.books = books
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        settings = project.simulator.env()
        self.store = open_store(
            settings["TARGET_QUICKBOOKS_STORE_URL"], Cipher((settings["TARGET_QUICKBOOKS_ENCRYPTION_KEY"],))
        )
        self.log = project.directory / "serve.log"
        self._environment = project.environment(
            WEBHOOK_SHIM_PORT=str(self.port), WEBHOOK_SHIM_DEBOUNCE_SECONDS=str(DEBOUNCE_SECONDS)
        )

    @contextlib.contextmanager
    def serving(self):
        with self.log.open("w") as log:
            process = subprocess.Popen(
                ["meltano", "invoke", "webhook-shim:serve"],
                cwd=self.project.directory,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: self._is_ready(process), 300)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            self.exit_code = process.wait(120)

    def _is_ready(self, process):
        assert process.poll() is None, self.log.read_text()
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=10).ok

    def meltano(self, *arguments):
        changes = {"WEBHOOK_SHIM_PORT": str(self.port)}
        return self.project.meltano(*arguments, **changes)

    def jobs(self):
        with self.store.reading() as connection:
            return jobs_table.history(connection, COMPANY, limit=1000)

    def job(self, job_id):
        with self.store.reading() as connection:
            return jobs_table.by_id(connection, job_id)

    def ask(self, kind, arguments=()):
        with self.store.writing() as connection:
            return jobs_table.ask(connection, COMPANY, kind, "person", arguments, datetime.now(UTC))

    def ended(self, kind, arguments=()):
        """Ask for work and wait for its end."""
        job_id = self.ask(kind, arguments)
        ended = {Status.SUCCEEDED, Status.FAILED, Status.LOST, Status.STOPPED}
        until(lambda: self.job(job_id).status in ended)
        return self.job(job_id)

    def is_idle(self):
        """Every event is settled, and nothing is under way."""
        with self.store.reading() as connection:
            waiting = inbox_table.waiting(connection, System.BILL, ORGANIZATION)
            return waiting is None and not jobs_table.running(connection, COMPANY)

    def vendor(self, name):
        return any(vendor["DisplayName"] == name for vendor in self.books.stored("Vendor"))

    def failures(self):
        with self.store.reading() as connection:
            return failure_table.select_failures(connection, self.store.cipher, Selection(realm_id=REALM))


@pytest.fixture(scope="module")
def shim(new_project, books_of, tmp_path_factory):
    with running("empty") as simulator:
        project = new_project(simulator)
        shim = Shim(project, books_of(simulator, tmp_path_factory.mktemp("books")))
        with shim.serving():
            until(lambda: shim.jobs() and shim.is_idle())
            done = shim.meltano("invoke", "webhook-shim:subscribe", "--url", shim.url)
            assert done.returncode == 0, done.stderr
            yield shim
        shim.store.close()
        assert shim.exit_code == 128 + signal.SIGTERM, shim.log.read_text()


def test_a_new_server_begins_with_all_that_there_is(shim):
    first = shim.jobs()[-1]
    assert (first.kind, first.status, first.exit_code) == (Kind.DAILY, Status.SUCCEEDED, 0), first.detail


def test_single_vendors_are_in_quickbooks_within_seconds(shim, capsys):
    """Each comes alone: the wait for more events, and a run; the runs are counted and cover the events."""
    until(shim.is_idle)
    runs_before = len(shim.jobs())
    seconds, bare = [], []
    for number in range(SINGLES):
        if number % 5 == 0:
            bare.append(_timed(lambda: shim.meltano("run", "sync-vendors-and-bills").check_returncode()))
        name = f"Single {number}"
        seconds.append(_timed(lambda: _arrive(shim, name)))  # noqa: B023 - called at once
        until(shim.is_idle)
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    # Other tests may keep the machine busy: the slowest of the runs made in between is the measure.
    allowed = DEBOUNCE_SECONDS + 2 * max(bare)
    with capsys.disabled():
        print(  # noqa: T201 - the figure is what the test is for
            f"\nvendor.created to vendor in QuickBooks: p50 {statistics.median(seconds):.1f} s, "
            f"p95 {p95:.1f} s, {DEBOUNCE_SECONDS} s of it debounce; "
            f"a bare meltano run: {min(bare):.1f} to {max(bare):.1f} s"
        )
    assert p95 < allowed
    jobs = shim.jobs()[: -runs_before or None]
    assert len(jobs) == SINGLES
    assert {(job.reason, job.status) for job in jobs} == {("event", Status.SUCCEEDED)}
    assert all(job.counts["streams"]["vendors"]["created"] == 1 for job in jobs)


def test_a_plan_is_made_with_a_report(shim):
    job = shim.ended(Kind.PLAN)
    assert job.status == Status.SUCCEEDED, job.detail
    report = json.loads(Path(job.log_path).with_suffix(".json").read_text())
    assert "plan" in report


def test_the_books_are_compared_whatever_meltano_makes_of_differences(shim):
    """The loader ends with 2 if they differ, which Meltano calls failed; there is a result."""
    shim.books.simulator.control.write_by_hand("Vendor", "create", values={"DisplayName": "By Hand"})
    job = shim.ended(Kind.RECONCILE)
    assert (job.status, job.detail) == (Status.SUCCEEDED, "Both books agree to the cent."), job.detail
    shim.books.bill.vendor("Compared")
    until(lambda: shim.vendor("Compared") and shim.is_idle())
    [vendor] = [one for one in shim.books.stored("Vendor") if one["DisplayName"] == "Compared"]
    shim.books.simulator.control.set_active("Vendor", vendor["Id"], active=False)
    job = shim.ended(Kind.RECONCILE)
    found = reconciled(job.counts)
    assert (job.status, job.exit_code, found.differences) == (Status.SUCCEEDED, 1, 1), job.detail
    assert "Reconciliation" in report_in(reports_of(Path(job.log_path)), "html").read_text()
    shim.books.simulator.control.set_active("Vendor", vendor["Id"], active=True)


def test_a_failure_is_replayed_with_the_companys_own_settings(shim):
    shim.books.bill.vendor(":")
    [failure] = until(shim.failures)
    until(shim.is_idle)
    job = shim.ended(Kind.REPLAY, [failure.id])
    assert (job.status, job.detail) == (Status.SUCCEEDED, "1 of 1 still fail.")
    [told] = json.loads(Path(job.log_path).with_suffix(".json").read_text())
    assert told["failed"] is True
    with shim.store.reading() as connection:
        [again] = failure_table.select_failures(connection, shim.store.cipher, Selection(realm_id=REALM))
    assert again.attempts == failure.attempts + 1


def test_a_run_beside_another_one_of_meltano_is_tried_again(shim):
    """Meltano's own lock is in the way: nothing failed, and the work is done once the other has ended."""
    until(shim.is_idle)
    shim.project.simulator.control.add_fault(
        "latency", system="bill", path="*/v3/vendors", delay_ms=20_000, nth=1
    )
    other = subprocess.Popen(
        ["meltano", "run", "sync-vendors-and-bills"],
        cwd=shim.project.directory,
        env=shim.project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "Running job with name" not in other.stderr.readline():
        assert other.poll() is None
    job_id = shim.ask(Kind.SYNC)
    until(lambda: "already running" in shim.job(job_id).detail)
    assert shim.job(job_id).status == Status.WAITING
    other.communicate(timeout=120)
    until(lambda: shim.job(job_id).status == Status.SUCCEEDED)


def test_what_an_outage_missed_is_caught_up_and_bill_sends_again(new_project, books_of, tmp_path):
    """BILL gives up on a server that is down for an hour, and says no more until it is told to."""
    with running("empty") as simulator:
        shim = Shim(new_project(simulator), books_of(simulator, tmp_path))
        with shim.serving():
            until(lambda: shim.jobs() and shim.is_idle())
            shim.meltano("invoke", "webhook-shim:subscribe", "--url", shim.url).check_returncode()
        names = [f"While It Was Down {number}" for number in range(3)]
        for name in names:
            shim.books.bill.vendor(name)
            until(lambda: _given_up(simulator))
        shim.books.bill.vendor("Never Told Of")
        with shim.serving():
            until(lambda: all(shim.vendor(name) for name in [*names, "Never Told Of"]))
            until(lambda: _is_enabled(simulator))
            until(lambda: _subscription(shim).disabled_at is None)
            shim.books.bill.vendor("After It")
            until(lambda: shim.vendor("After It"))
            assert shim.jobs()[0].reason == "event"
        shim.store.close()


def _is_enabled(simulator):
    [receiver] = simulator.control.webhooks()["bill"]["subscriptions"]
    return receiver["enabled"]


def _given_up(simulator):
    """Let the time pass that BILL waits between its attempts."""
    simulator.control.advance(1200)
    return not _is_enabled(simulator)


def _subscription(shim):
    with shim.store.reading() as connection:
        return subscription_table.load(connection, shim.store.cipher, ORGANIZATION)


def _arrive(shim, name):
    shim.books.bill.vendor(name)
    until(lambda: shim.vendor(name))


def _timed(act):
    begun = time.monotonic()
    act()
    return time.monotonic() - begun
