"""One run at a time writes to a company."""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from target_quickbooks import run_lease
from target_quickbooks.errors import RunConflict, StoreError
from target_quickbooks.run_lease import LEASE_SECONDS, RunLease
from target_quickbooks.store import lease_table

REALM = "9341452000000001"
NAME = f"run:{REALM}"


@pytest.fixture
def make_lease(store, clock):
    """Leases of runs of one realm; what is left is given back at the end."""
    made = []

    def build(run_id, *, wait_seconds=600, realm_id=REALM, sleep=clock.sleep):
        lease = RunLease(
            store,
            realm_id=realm_id,
            run_id=run_id,
            wait_seconds=wait_seconds,
            now=clock.moment,
            sleep=sleep,
        )
        made.append(lease)
        return lease

    yield build
    for lease in made:
        lease.release()


def test_a_free_company_is_taken_without_a_wait(make_lease, store, clock):
    make_lease("first").take()
    held = lease_table.holder(store, NAME)
    assert "run first" in held.owner
    assert held.expires_at == clock.moment() + dt.timedelta(seconds=LEASE_SECONDS)
    assert clock.slept == []


def test_another_run_is_waited_for_and_told_once(make_lease, clock, caplog):
    caplog.set_level(logging.INFO)
    first, start = make_lease("first"), clock.moment()
    first.take()

    def sleep(seconds):
        clock.sleep(seconds)
        if len(clock.slept) == 5:
            first.release()

    make_lease("second", sleep=sleep).take()
    told = [record.getMessage() for record in caplog.records]
    until = (start + dt.timedelta(seconds=LEASE_SECONDS)).strftime("%H:%M:%S")
    assert len(told) == 2
    assert "run first" in told[0]
    assert f"until {until} UTC" in told[0]
    assert "going on after 5 s" in told[1]


def test_the_wait_ends_with_a_clear_error(make_lease, clock):
    make_lease("first").take()
    with pytest.raises(RunConflict, match=r"run first\).* did not end within 30 s\. Nothing was written"):
        make_lease("second", wait_seconds=30).take()
    assert sum(clock.slept) == 30


def test_a_run_that_must_not_wait_stops_at_once(make_lease, clock):
    make_lease("first").take()
    with pytest.raises(RunConflict, match="Nothing was written"):
        make_lease("second", wait_seconds=0).take()
    assert clock.slept == []


def test_another_company_is_free(make_lease):
    make_lease("first").take()
    make_lease("second", realm_id="2", wait_seconds=0).take()


def test_the_lease_of_a_dead_run_runs_out(store, make_lease, clock):
    lease_table.acquire(store, NAME, "dead", now=clock.moment(), seconds=LEASE_SECONDS)
    make_lease("second").take()
    assert sum(clock.slept) == LEASE_SECONDS


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="only Linux tells which processes live")
def test_the_lease_of_a_process_that_is_gone_is_free_at_once(store, make_lease, clock, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(30)
    monkeypatch.setattr("os.getpid", lambda: child.pid)
    dead = make_lease("dead")
    monkeypatch.undo()
    dead.take()
    make_lease("second", wait_seconds=0).take()
    assert "run second" in lease_table.holder(store, NAME).owner
    assert clock.slept == []


def test_a_process_of_another_host_may_live(store, make_lease, clock):
    lease_table.acquire(store, NAME, "elsewhere process 1 run dead", now=clock.moment(), seconds=90)
    with pytest.raises(RunConflict):
        make_lease("second", wait_seconds=0).take()


def test_a_run_that_gave_up_waiting_leaves_the_other_ones_lease(make_lease, store):
    make_lease("first").take()
    with pytest.raises(RunConflict):
        make_lease("second", wait_seconds=0).take()
    assert "run first" in lease_table.holder(store, NAME).owner


def test_a_lease_that_ran_out_and_nobody_took_is_renewed(make_lease, store, clock):
    lease = make_lease("first")
    lease.take()
    clock.time += 1000
    lease.check()
    assert lease_table.holder(store, NAME).expires_at > clock.moment()


def test_a_lease_that_another_run_took_meanwhile_stops_the_run(make_lease, clock):
    lease = make_lease("first")
    lease.take()
    lease.check()
    clock.time += LEASE_SECONDS
    make_lease("second", wait_seconds=0).take()
    with pytest.raises(RunConflict, match="begun to write"):
        lease.check()


def test_a_lease_that_another_run_took_and_gave_back_stops_the_run_too(make_lease, clock):
    """What this run planned is out of date then."""
    lease, other = make_lease("first"), make_lease("second")
    lease.take()
    clock.time += LEASE_SECONDS
    other.take()
    other.release()
    with pytest.raises(RunConflict):
        lease.check()


def test_a_lease_is_renewed_while_the_run_does_something_else(make_lease, monkeypatch):
    renewed = threading.Event()
    renew = lease_table.renew

    def note(*arguments, **options):
        kept = renew(*arguments, **options)
        renewed.set()
        return kept

    monkeypatch.setattr(run_lease, "LEASE_SECONDS", 0.03)
    monkeypatch.setattr(lease_table, "renew", note)
    make_lease("first").take()
    assert renewed.wait(10)


def test_trouble_of_the_database_while_renewing_is_not_the_end(make_lease, monkeypatch, caplog):
    tries, again = [], threading.Event()

    def fail_once(*_, **__):
        tries.append(1)
        if len(tries) == 1:
            msg = "The store cannot be used."
            raise StoreError(msg)
        again.set()
        return True

    monkeypatch.setattr(run_lease, "LEASE_SECONDS", 0.03)
    monkeypatch.setattr(lease_table, "renew", fail_once)
    make_lease("first").take()
    assert again.wait(10)
    assert "was not renewed: The store cannot be used." in caplog.text
