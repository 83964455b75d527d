"""The settable clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from ap_simulator.clock import Clock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_new_clock_tells_real_time_in_utc():
    before = datetime.now(UTC)
    moment = Clock().now()
    assert before <= moment <= datetime.now(UTC)
    assert moment.tzinfo is UTC


def test_a_clock_that_was_set_runs_on_from_there():
    clock = Clock(start=NOON)
    first = clock.now()
    assert NOON <= first <= clock.now() < NOON + HOUR


def test_a_frozen_clock_stands_still_until_it_is_advanced():
    clock = Clock(start=NOON, frozen=True)
    assert clock.now() == clock.now() == NOON
    clock.advance(HOUR)
    assert clock.now() == NOON + HOUR


def test_a_frozen_clock_stays_frozen_when_it_is_set():
    clock = Clock(frozen=True)
    clock.set(NOON)
    assert clock.frozen
    assert clock.now() == NOON


def test_run_goes_on_from_the_frozen_moment():
    clock = Clock(start=NOON, frozen=True)
    clock.run()
    assert not clock.frozen
    assert NOON <= clock.now() < NOON + HOUR


def test_time_can_go_back():
    clock = Clock(start=NOON, frozen=True)
    clock.advance(-HOUR)
    assert clock.now() == NOON - HOUR


def test_a_moment_in_another_zone_is_kept_in_utc():
    clock = Clock(frozen=True)
    clock.set(NOON.astimezone(timezone(-8 * HOUR)))
    assert clock.now().tzinfo is UTC
    assert clock.now() == NOON


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Clock().set(NOON.replace(tzinfo=None))


@pytest.mark.parametrize("frozen", [False, True])
def test_who_sleeps_wakes_when_the_clock_is_moved(frozen):
    async def sleep_through_an_hour() -> datetime:
        clock = Clock(start=NOON, frozen=frozen)
        sleeper = asyncio.create_task(clock.sleep(3600))
        await asyncio.sleep(0)
        clock.advance(HOUR / 2)
        await asyncio.sleep(0)
        assert not sleeper.done()
        clock.advance(HOUR / 2)
        await asyncio.wait_for(sleeper, timeout=5)
        return clock.now()

    assert asyncio.run(sleep_through_an_hour()) >= NOON + HOUR


def test_a_running_clock_lets_sleepers_wake_by_themselves():
    async def sleep() -> None:
        await asyncio.wait_for(Clock(start=NOON).sleep(0.01), timeout=5)

    asyncio.run(sleep())


def test_a_sleeper_notices_that_a_frozen_clock_runs_again():
    async def sleep() -> None:
        clock = Clock(start=NOON, frozen=True)
        sleeper = asyncio.create_task(clock.sleep(0.01))
        await asyncio.sleep(0)
        clock.run()
        await asyncio.wait_for(sleeper, timeout=5)

    asyncio.run(sleep())
