"""Runs of one machine keep BILL's limits together."""

from __future__ import annotations

import contextlib
import itertools
import logging
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_bill import limits
from tap_bill.connection import connect
from tap_bill.errors import HourlyLimitError
from tap_bill.limits import Governor
from tap_bill.settings import parse
from tap_bill.shared_limits import CALLS_IN_FLIGHT, FileCount, FileSlots

HOUR = datetime(2026, 5, 1, 14, tzinfo=UTC)
LIMIT = 100
HOLD_A_SLOT = """
import sys, pathlib, time
from tap_bill.shared_limits import FileSlots

slot = FileSlots(pathlib.Path(sys.argv[1])).try_slot()
print(slot is not None, flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "sessions.key"


def governor(path, *, now=lambda: HOUR, **options):
    """Of one process; flock keeps descriptors apart as it does processes."""
    count, slots = FileCount(path.with_suffix(".calls")), FileSlots(path)
    return Governor(**{"max_concurrency": 3, "now": now, "count": count, "shared_slot": slots.hold} | options)


def call(governed):
    with governed.slot():
        pass


def calls_until_refused(*runs):
    """How many calls runs make, each seven and then the next, until the hour is used up."""
    made = 0
    for run in itertools.cycle(runs):
        for _ in range(7):
            try:
                call(run)
            except HourlyLimitError:
                return made
            made += 1
    raise AssertionError


# Calls of the hour --------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["calls", "calls", "calls", "ends", "an hour passes"])),
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_processes_never_make_more_calls_in_an_hour_than_bill_allows(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("limits") / "sessions"
    times, made, processes = [HOUR], 0, {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "CALLS_PER_HOUR", LIMIT)
        for who, step in steps:
            if step == "an hour passes":
                times.append(times[-1] + timedelta(hours=1))
                made = 0
            elif step == "ends" and who in processes:
                processes.pop(who).close()
            elif step == "calls":
                run = processes.setdefault(who, governor(path, now=lambda: times[-1]))
                for _ in range(9):
                    with contextlib.suppress(HourlyLimitError):
                        call(run)
                        made += 1
            assert made <= LIMIT


def test_what_ended_processes_did_not_use_is_left_to_others(path, monkeypatch):
    monkeypatch.setattr(limits, "CALLS_PER_HOUR", LIMIT)
    for _ in range(10):
        run = governor(path)
        for _ in range(7):
            call(run)
        run.close()
    assert calls_until_refused(governor(path)) == LIMIT - 70


def test_what_parallel_processes_hold_back_is_little(path, monkeypatch):
    monkeypatch.setattr(limits, "CALLS_PER_HOUR", 10 * LIMIT)
    made = calls_until_refused(governor(path), governor(path), governor(path))
    assert 10 * LIMIT - 2 * 64 <= made <= 10 * LIMIT


def test_a_process_that_is_killed_costs_no_more_than_a_block(path, monkeypatch):
    monkeypatch.setattr(limits, "CALLS_PER_HOUR", 10 * LIMIT)
    killed = governor(path)
    for _ in range(300):
        call(killed)
    assert calls_until_refused(governor(path)) >= 10 * LIMIT - 300 - 64


def test_hardly_any_call_of_a_long_run_touches_the_file(path):
    class Counted(FileCount):
        times = 0

        def reserve(self, *args, **options):
            self.times += 1
            return super().reserve(*args, **options)

    count = Counted(path)
    run = governor(path, count=count)
    for _ in range(2000):
        call(run)
    assert count.times <= 2000 / 64 + 7


@pytest.mark.parametrize("noted", [b"", b"garbage", b'{"hour": "2026-05-01T14:00:00", "calls": 7}', b"[]"])
def test_a_count_that_cannot_be_read_begins_anew(path, noted):
    path.parent.mkdir()
    path.write_bytes(noted)
    assert FileCount(path).reserve(HOUR, 7, limit=10) == 7
    assert FileCount(path).reserve(HOUR, 7, limit=10) == 3


def test_an_hour_that_a_wrong_clock_noted_is_forgotten(path):
    FileCount(path).reserve(HOUR + timedelta(hours=5), 10, limit=10)
    assert FileCount(path).reserve(HOUR, 7, limit=10) == 7


def test_a_clock_that_is_a_little_behind_counts_for_the_hour_that_has_begun(path):
    FileCount(path).reserve(HOUR + timedelta(hours=1), 10, limit=10)
    assert FileCount(path).reserve(HOUR, 7, limit=10) == 0


def test_a_place_that_cannot_be_written_to_is_told_once_and_each_run_counts_alone(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    run = governor(tmp_path / "file" / "sessions", count=None)
    count = FileCount(tmp_path / "file" / "calls")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            call(run)
            assert count.reserve(HOUR, 1, limit=10) == 1
    assert len(caplog.messages) == 2
    assert all("without regard to others" in message for message in caplog.messages)


# Calls in flight ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=60))
def test_processes_never_have_more_calls_in_flight_than_bill_allows(tmp_path_factory, steps):
    """A free slot is always found, and no more than three are ever held."""
    path = tmp_path_factory.mktemp("slots") / "sessions"
    processes = [FileSlots(path) for _ in range(5)]
    held = []
    for who, takes in steps:
        if takes:
            slot = processes[who].try_slot()
            assert (slot is not None) == (len(held) < CALLS_IN_FLIGHT)
            if slot is not None:
                held.append(slot)
        elif held:
            held.pop(who % len(held)).release()


def test_who_waits_gets_the_next_slot(path):
    """Those who come later find the queue taken, also if they are quicker."""
    first, waiting, later = FileSlots(path), FileSlots(path), FileSlots(path)
    held = [first.try_slot() for _ in range(CALLS_IN_FLIGHT)]
    assert waiting.try_queue()
    held.pop().release()
    assert not later.try_queue()
    assert waiting.try_slot() is not None
    waiting.leave_queue()
    assert later.try_queue()


def test_one_call_gets_its_slot_beside_busy_processes(path):
    busy, stop, one = [governor(path) for _ in range(2)], threading.Event(), governor(path)

    def work(run):
        while not stop.is_set():
            call(run)

    threads = [threading.Thread(target=work, args=(run,)) for run in busy for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            call(one)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def test_threads_of_one_process_do_not_wait_longer_for_each_other_than_they_have_to(path):
    """There is a slot for each of three, so none has to look again."""
    slept = []
    slots = FileSlots(path, sleep=slept.append)

    def work():
        for _ in range(200):
            with slots.hold():
                pass

    threads = [threading.Thread(target=work) for _ in range(CALLS_IN_FLIGHT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert slept == []


def test_a_process_that_is_killed_gives_its_slots_back(path):
    held = [FileSlots(path).try_slot() for _ in range(CALLS_IN_FLIGHT - 1)]
    with subprocess.Popen([sys.executable, "-c", HOLD_A_SLOT, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"True\n"
        assert FileSlots(path).try_slot() is None
        child.kill()
    assert FileSlots(path).try_slot() is not None
    assert len(held) == CALLS_IN_FLIGHT - 1


def test_a_process_that_was_stopped_in_a_call_does_not_stop_others_for_ever(path):
    slept = []
    stopped = FileSlots(path)
    held = [stopped.try_slot() for _ in range(CALLS_IN_FLIGHT)]
    with FileSlots(path, sleep=slept.append, monotonic=lambda: sum(slept)).hold():
        assert 85 < sum(slept) < 95
    assert all(held)


def test_a_login_on_behalf_of_a_call_takes_no_other_slot(path):
    run = governor(path, max_concurrency=1)
    others = [FileSlots(path).try_slot() for _ in range(CALLS_IN_FLIGHT - 1)]
    with run.slot(), run.slot():
        assert FileSlots(path).try_slot() is None
    assert all(others)


# Files --------------------------------------------------------------------------------------------


def config(path, **changed):
    required = {
        "dev_key": "01DEVKEYSECRET",
        "username": "user@example.com",
        "password": "pass-secret",
        "organization_id": "00801ORGANIZATION001",
        "environment": "sandbox",
        "session_path": str(path),
        "encryption_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    return parse(required | changed)


def test_runs_that_share_a_session_cache_share_the_limits(path):
    one, same = (connect(config(path)).governor for _ in range(2))
    call(one)
    with one.slot(), same.slot():
        pass
    names = {file.name for file in path.parent.iterdir()}
    assert len(names) == 1 + 1 + 2  # calls, queue, and as many slots as were needed at a time
    other = connect(config(path, dev_key="01ANOTHERKEY", organization_id="00801ORGANIZATION002")).governor
    call(other)
    assert len(list(path.parent.iterdir())) == len(names) + 3


def test_nothing_in_the_files_or_their_names_tells_who_called(path):
    call(connect(config(path)).governor)
    for file in path.parent.iterdir():
        text = f"{file.name} {file.read_text()}"
        assert not any(secret in text for secret in ("01DEVKEY", "00801ORG", "user@", "pass-secret"))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_session_cache_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call(connect(config(tmp_path, session_path=None, encryption_key=None)).governor)
    assert list(tmp_path.iterdir()) == []
