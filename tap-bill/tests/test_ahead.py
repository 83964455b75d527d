"""Asking ahead: answers come as they like, records come out in order, and not too much lies ready."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from ap_simulator.testing import running
from tap_bill import ahead
from tap_bill.ahead import ReadAhead, Request
from tap_bill.tap import TapBill

DELAYS = random.Random(1)  # noqa: S311 - for variety


class FakePages:
    """A list of numbered pages, each of which can be asked for at any time."""

    def __init__(self, count, *, fails_at=None):
        self.count, self.fails_at = count, fails_at
        self.asked = 0
        self.taken = 0
        self.came = {}
        self.most_ahead = 0

    @property
    def held(self):
        return len(self.came)

    @property
    def is_read(self):
        return self.taken == self.count

    def next_request(self, *, room):
        if self.asked == self.count or not (room or self.asked == self.taken):
            return None
        number = self.asked
        self.asked += 1
        self.most_ahead = max(self.most_ahead, self.asked - self.taken)

        def send():
            time.sleep(DELAYS.random() / 1000)  # answers overtake each other
            if number == self.fails_at:
                raise RuntimeError(f"page {number}")
            return number

        return Request(send=send, arrived=self._arrived, failed=lambda e: self._arrived(number, e))

    def _arrived(self, number, error=None):
        self.came[number] = error

    def take(self):
        if self.taken not in self.came:
            return None
        error = self.came.pop(self.taken)
        self.taken += 1
        if error:
            raise error
        return [{"id": str(self.taken - 1)}]


def taken(pages):
    return [int(page[0]["id"]) for page in pages]


def test_pages_come_in_order_whatever_overtakes():
    pages = FakePages(200)
    assert taken(ReadAhead(threads=3).pages(pages, pages)) == list(range(200))


def test_no_more_lies_ready_than_may():
    pages = FakePages(200)
    assert taken(ReadAhead(threads=3).pages(pages, pages)) == list(range(200))
    assert pages.most_ahead <= ahead.MOST_PAGES


def test_an_error_comes_after_all_pages_before_it():
    pages = FakePages(50, fails_at=20)
    asked = ReadAhead(threads=3).pages(pages, pages)
    assert taken(next(asked) for _ in range(20)) == list(range(20))
    with pytest.raises(RuntimeError, match="page 20"):
        next(asked)


def test_streams_that_follow_are_asked_for_while_there_is_nothing_else_to_ask():
    first, second = FakePages(1), FakePages(40)
    both = ReadAhead(threads=3)
    both.announce([first, second])
    both.begin(first)
    assert taken(both.pages(first, first)) == [0]
    assert second.asked > 0
    both.begin(second)
    assert taken(both.pages(second, second)) == list(range(40))
    assert second.most_ahead <= ahead.MOST_PAGES


def test_threads_end_when_nothing_more_is_wanted():
    before = set(threading.enumerate())
    pages = FakePages(20)
    asked = ReadAhead(threads=3)
    list(asked.pages(pages, pages))
    mine = set(threading.enumerate()) - before
    assert len(mine) <= 3
    asked.stop()
    for thread in mine:
        thread.join(5)
        assert not thread.is_alive()


# Against BILL -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _simulator():
    with running("empty", vendors=3000, bills=3000) as simulator:
        yield simulator


@pytest.fixture
def simulator(_simulator):
    _simulator.control.clear_faults()
    _simulator.control.set_latency(per_call_ms=0)
    _simulator.control.reset_stats()
    return _simulator


@pytest.fixture
def read(simulator, capsys):
    """Run the tap in this process as its command line does; the messages."""

    def run(*, state=None, hook=None, **settings):
        config = {
            name.removeprefix("TAP_BILL_").lower(): value
            for name, value in simulator.env().items()
            if name.startswith("TAP_BILL_")
        }
        del config["session_path"], config["encryption_key"]
        tap = TapBill(config=config | settings, state=state)
        if hook:
            tap.connection.client.http.hooks["response"].append(hook)
        capsys.readouterr()
        try:
            tap.announce_streams()
            tap.sync_all()
        finally:
            tap._close()
            run.messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return run.messages

    return run


def emitted(messages):
    return [(one["stream"], one["record"]["id"]) for one in messages if one["type"] == "RECORD"]


def test_random_delays_change_neither_records_nor_state(simulator, read):
    alone = read(max_concurrency=1)
    simulator.control.reset_stats()
    simulator.control.add_fault("latency", system="bill", delay_ms=[0, 30], seed=7)
    side_by_side = read()
    stats = simulator.control.stats()["bill"]
    assert emitted(side_by_side) == emitted(alone)
    assert [one for one in side_by_side if one["type"] == "STATE"][-1] == [
        one for one in alone if one["type"] == "STATE"
    ][-1]
    assert stats["max_in_flight"] == 3
    assert stats["throttled"] == {}
    # 60 pages of each list; where they are divided a page is seldom full.
    assert stats["calls"] < 170


def test_a_run_with_nothing_new_asks_for_lists_side_by_side(simulator, read):
    first = read()
    state = next(one["value"] for one in reversed(first) if one["type"] == "STATE")
    simulator.control.reset_stats()
    simulator.control.set_latency(system="bill", per_call_ms=5)
    read(state=state)
    stats = simulator.control.stats()["bill"]
    assert stats["max_in_flight"] == 3
    assert stats["calls"] <= 27


@pytest.mark.parametrize("setting", [1, 2])
def test_no_more_requests_are_in_flight_than_the_setting_says(simulator, read, setting):
    simulator.control.set_latency(system="bill", per_call_ms=2)
    read(max_concurrency=setting)
    assert simulator.control.stats()["bill"]["max_in_flight"] == setting


def test_a_session_that_dies_with_three_requests_in_flight_is_renewed_once(simulator, read):
    answers = iter(range(10_000))

    def age(_response, **_):
        if next(answers) == 60:
            simulator.control.advance(36 * 60)

    simulator.control.set_latency(system="bill", per_call_ms=2)
    messages = read(hook=age)
    assert len(set(emitted(messages))) == len(emitted(messages))
    assert len([one for one in emitted(messages) if one[0] == "bills"]) == 3000
    assert simulator.control.stats()["bill"]["logins"] == 2


def test_throttling_of_some_pages_costs_no_record_and_no_order(simulator, read, monkeypatch):
    monkeypatch.setattr("tap_bill.client._FIRST_WAIT", 0.01)
    alone = read(max_concurrency=1)
    simulator.control.add_fault("throttle", system="bill", path="/connect/v3/*", probability=0.1, seed=3)
    assert emitted(read()) == emitted(alone)


def test_a_refused_page_ends_the_run_after_what_came_before_it(simulator, read):
    """The next run goes on from the state, and both together have everything."""
    simulator.control.add_fault(
        "server_error", system="bill", path="/connect/v3/vendors", after=14, status=500
    )
    with pytest.raises(Exception, match="failed on BILL's side"):
        read(max_retry_seconds=0)
    before = read.messages
    assert 300 < len(emitted(before)) < 3000
    simulator.control.clear_faults()
    state = next(one["value"] for one in reversed(before) if one["type"] == "STATE")
    times = [
        one["record"]["updatedTime"]
        for one in before
        if one["type"] == "RECORD" and one["stream"] == "vendors"
    ]
    assert times == sorted(times)
    assert state["bookmarks"]["vendors"]["replication_key_value"] <= times[-1]
    after = read(state=state)
    assert {one for one in emitted(before) + emitted(after) if one[0] == "vendors"} == {
        ("vendors", record["id"]) for record in simulator.control.records("bill", "vendors")
    }


def test_a_signal_while_three_requests_are_in_flight_ends_the_run_with_a_safe_state(simulator):
    simulator.control.set_latency(system="bill", per_call_ms=20)
    with subprocess.Popen(
        [sys.executable, "-m", "tap_bill", "--config=ENV"],
        env=os.environ | simulator.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if len(lines) == 1500:
                process.send_signal(signal.SIGTERM)
                break
        lines += process.stdout.readlines()
    assert process.returncode == 143
    messages = [json.loads(line) for line in lines]
    bookmark = messages[-1]["value"]["bookmarks"]["vendors"]["replication_key_value"]
    out = [one["record"] for one in messages if one["type"] == "RECORD" and one["stream"] == "vendors"]
    assert out[0]["updatedTime"] < bookmark <= out[-1]["updatedTime"]
    written = {record["id"] for record in out}
    for record in simulator.control.records("bill", "vendors"):
        assert record["updatedTime"] >= bookmark or record["id"] in written
