"""The rate governor keeps QuickBooks' limits in every window, whenever requests come."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.quickbooks.governor import BATCHES, REQUESTS, Governor, log_long_wait


@pytest.fixture
def governor(clock):
    return Governor(now=clock.now, sleep=clock.sleep)


def most_in_a_window(starts, seconds):
    """The largest number of starts within any window of so many seconds."""
    window, most = deque(), 0
    for start in starts:
        window.append(start)
        while window[0] <= start - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


@pytest.fixture(scope="session")
def run(make_clock):
    """Starts a request at each arrival (pause before it, whether it is a batch); tells when they started."""

    def build(arrivals):
        clock = make_clock()
        governor = Governor(now=clock.now, sleep=clock.sleep)
        starts, batches = [], []
        for pause, batch in arrivals:
            clock.time += pause
            with governor.request(batch=batch):
                starts.append(clock.time)
                if batch:
                    batches.append(clock.time)
        return starts, batches

    return build


arrivals = st.lists(st.tuples(st.sampled_from([0.0, 0.0, 0.01, 0.3, 1.0, 20.0]), st.booleans()), max_size=120)


@given(requests=arrivals)
def test_no_window_holds_more_than_a_limit_allows(run, requests):
    starts, batches = run(requests)
    for bucket in REQUESTS:
        assert most_in_a_window(starts, bucket.seconds) <= bucket.calls
    for bucket in BATCHES:
        assert most_in_a_window(batches, bucket.seconds) <= bucket.calls


def test_a_long_burst_keeps_the_limit_of_a_minute(run):
    starts, _ = run([(0.0, False)] * 1200)
    assert most_in_a_window(starts, 60.0) <= 500
    assert most_in_a_window(starts, 1.0) <= 10


def test_a_long_burst_is_not_slower_than_the_limits_ask(run):
    """1,200 requests at 500 a minute fit into two minutes and what is left over at ten a second."""
    starts, _ = run([(0.0, False)] * 1200)
    assert starts[-1] - starts[0] < 2 * 60 + 20 + 5


def test_a_burst_of_batches_keeps_their_own_limit(run):
    _, batches = run([(0.0, True)] * 100)
    assert most_in_a_window(batches, 60.0) <= 40
    assert batches[-1] - batches[0] < 2 * 60 + 5


def test_batches_count_as_requests_too(run):
    starts, _ = run([(0.0, True)] * 5 + [(0.0, False)] * 6)
    assert starts[-1] - starts[0] >= 1.0


def test_nothing_waits_below_the_limits(governor, clock):
    for _ in range(10):
        with governor.request():
            pass
    assert clock.slept == []


def test_after_a_throttle_nothing_starts_for_a_while(governor, clock):
    governor.close_for(30)
    with governor.request():
        assert clock.time == pytest.approx(1030)


def test_the_longer_of_two_waits_counts(governor, clock):
    governor.close_for(30)
    governor.close_for(5)
    with governor.request():
        assert clock.time == pytest.approx(1030)


def test_waiting_is_told(clock):
    told = []
    governor = Governor(now=clock.now, sleep=clock.sleep, on_wait=told.append)
    governor.close_for(7)
    with governor.request():
        pass
    assert told == [pytest.approx(7)]


def test_a_wait_that_is_prolonged_is_told_once(clock):
    told = []

    def sleep(seconds):
        clock.sleep(seconds)
        if len(clock.slept) == 1:
            governor.close_for(20)

    governor = Governor(now=clock.now, sleep=sleep, on_wait=told.append)
    governor.close_for(15)
    with governor.request():
        assert clock.time == pytest.approx(1035)
    assert told == [pytest.approx(15)]


def test_only_a_long_wait_is_logged_with_its_end(caplog):
    caplog.set_level(logging.INFO)
    log_long_wait(10)
    assert caplog.text == ""
    before = dt.datetime.now(dt.UTC)
    log_long_wait(42)
    after = dt.datetime.now(dt.UTC)
    [said] = [record.getMessage() for record in caplog.records]
    ends = {f"{moment + dt.timedelta(seconds=42):%H:%M:%S}" for moment in (before, after)}
    assert any(f"going on at {end} UTC (in 42 s)" in said for end in ends)


def test_what_must_hold_is_checked_after_the_wait_and_before_the_request(clock):
    """A lease may run out during a long wait."""
    checked = []
    governor = Governor(now=clock.now, sleep=clock.sleep, before_start=lambda: checked.append(clock.time))
    governor.close_for(30)
    with governor.request():
        assert checked == [pytest.approx(1030)]


def test_a_failed_request_gives_its_place_back(governor):
    for _ in range(11):
        with pytest.raises(OSError, match="reset"), governor.request():
            raise OSError("reset")
    with governor.request():
        pass


def test_at_most_ten_requests_are_in_flight(governor):
    in_flight, go_on = threading.Semaphore(0), threading.Event()

    def request():
        with governor.request():
            in_flight.release()
            go_on.wait(10)

    threads = [threading.Thread(target=request) for _ in range(12)]
    for thread in threads:
        thread.start()
    ten = [in_flight.acquire(timeout=10) for _ in range(10)]
    eleventh = in_flight.acquire(timeout=0.05)
    go_on.set()
    others = [in_flight.acquire(timeout=10) for _ in range(2)]
    for thread in threads:
        thread.join(10)
    assert all(ten)
    assert not eleventh
    assert all(others)
