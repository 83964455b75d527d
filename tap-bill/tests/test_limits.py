"""BILL's limits."""

from __future__ import annotations

import logging
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from tap_bill import limits
from tap_bill.errors import HourlyLimitError, HourlyLimitStopError
from tap_bill.limits import Governor

ERROR = HourlyLimitError("GET /v3/bills: used up")


class Time:
    def __init__(self, *moment):
        self.now = datetime(2026, 5, 1, *moment, tzinfo=UTC)
        self.slept = []

    def read(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def governor(time, **settings):
    return Governor(**{"max_concurrency": 3, "now": time.read, "sleep": time.sleep} | settings)


def test_the_hour_is_waited_out_and_announced_once(caplog):
    time = Time(14, 20, 0)
    governed = governor(time)
    with caplog.at_level(logging.WARNING):
        governed.wait_out(ERROR, nth=1)
        governed.wait_out(ERROR, nth=2)
    assert timedelta(0) < time.now - datetime(2026, 5, 1, 15, tzinfo=UTC) <= timedelta(seconds=10)
    (announced,) = caplog.messages
    assert re.fullmatch(r"GET /v3/bills: used up; waiting until 15:00:(0\d|10) UTC", announced)


def test_the_first_refusal_is_checked_again_before_an_hour_is_spent():
    time = Time(14, 20, 0)
    governor(time).wait_out(ERROR, nth=1)
    assert sum(time.slept) < 5


def test_a_late_reset_is_not_waited_for_another_hour():
    time = Time(15, 0, 4)
    governor(time).wait_out(ERROR, nth=3)
    assert time.slept == [60.0]


def test_stopping_says_when_to_run_again():
    time = Time(14, 20, 0)
    governed = governor(time, hourly_limit="stop")
    governed.wait_out(ERROR, nth=1)
    with pytest.raises(HourlyLimitStopError, match=r"hourly_limit is stop. Run again after 15:00 UTC"):
        governed.wait_out(ERROR, nth=2)


def test_the_calls_of_an_hour_are_counted_and_begin_anew_with_the_next(monkeypatch):
    monkeypatch.setattr(limits, "CALLS_PER_HOUR", 2)
    time = Time(14, 59, 0)
    governed = governor(time)
    for _ in range(2):
        with governed.slot():
            pass
    with pytest.raises(HourlyLimitError, match="2 calls were made since 14:00 UTC"), governed.slot():
        pass
    time.now += timedelta(minutes=1)
    with governed.slot():
        pass


def test_no_more_than_the_allowed_calls_are_in_flight():
    governed = governor(Time(14, 0, 0), max_concurrency=2)
    lock = threading.Lock()
    barrier = threading.Barrier(2, timeout=10)
    inside, most = 0, 0

    def call():
        nonlocal inside, most
        for _ in range(20):
            with governed.slot():
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1

    def hold():
        with governed.slot():
            barrier.wait()

    pair = [threading.Thread(target=hold) for _ in range(2)]
    crowd = [threading.Thread(target=call) for _ in range(6)]
    for thread in pair + crowd:
        thread.start()
    for thread in pair + crowd:
        thread.join(10)
    # Two can be inside together (else the barrier would break), and never three.
    assert not barrier.broken
    assert most <= 2


def test_a_login_on_behalf_of_a_call_does_not_wait_for_its_slot():
    governed = governor(Time(14, 0, 0), max_concurrency=1)
    with governed.slot(), governed.slot():
        pass
    with governed.slot():
        pass
