"""What runs next, and whose turn it is: by example, and for any history."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webhook_shim.scheduling import (
    LONGEST_BACK_OFF,
    LONGEST_DAILY_BACK_OFF,
    RETRY,
    Asked,
    Past,
    Rules,
    Situation,
    Step,
    back_off,
    last_daily_time,
    next_step,
    turns,
)
from webhook_shim.store.jobs_table import Kind, Status

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
RULES = Rules(dt.timedelta(seconds=5), dt.timedelta(minutes=15), dt.time(5, 30, tzinfo=dt.UTC))
ALL_DAY = dt.timedelta(days=1)


def ago(**units):
    return NOON - dt.timedelta(**units)


def past(status=Status.SUCCEEDED, *, kind=Kind.SYNC, started=3.0, lasted=0.5):
    begun = NOON - dt.timedelta(minutes=started)
    return Past(kind, status, begun, begun + dt.timedelta(minutes=lasted))


def situation(**changes):
    """A server that has been up for an hour; all is well and the daily run was made."""
    usual = {"up_since": ago(hours=1), "past": (past(),), "last_daily": ago(hours=6)}
    return Situation(**usual | changes)


def step_at(moment, **changes):
    return next_step(situation(**changes), RULES, moment)


def test_without_events_the_next_run_is_the_poll():
    assert step_at(NOON) == Step(ago(minutes=3) + RULES.poll_every, Kind.SYNC, "poll")


def test_after_the_first_event_more_are_waited_for():
    event = ago(seconds=1)
    assert step_at(NOON, first_event=event) == Step(event + RULES.debounce, Kind.SYNC, "event")


def test_the_wait_begins_with_the_first_event_so_that_a_stream_of_events_cannot_put_it_off():
    assert step_at(NOON, first_event=ago(minutes=2)).due <= NOON


def test_events_that_came_during_a_run_wait_for_more_after_it():
    ended = past(started=1, lasted=59 / 60)
    found = step_at(NOON, past=(ended,), first_event=ago(seconds=30))
    assert found == Step(ended.finished_at + RULES.debounce, Kind.SYNC, "event")
    assert found.due > NOON


def test_a_poll_that_is_due_sooner_is_not_put_off_by_an_event():
    found = step_at(NOON, past=(past(started=16),), first_event=ago(seconds=1))
    assert found.reason == "poll"
    assert found.due < NOON


def test_events_of_a_failed_run_wait_for_its_back_off():
    failed = (past(Status.FAILED, started=1, lasted=0.5), past(Status.FAILED, started=2, lasted=0.5), past())
    found = step_at(NOON, past=failed, first_event=ago(minutes=2))
    assert found == Step(ago(minutes=0.5) + back_off(2), Kind.SYNC, "event")


def test_a_success_ends_the_back_off():
    found = step_at(NOON, past=(past(), past(Status.FAILED)), first_event=ago(minutes=2))
    assert found.due <= NOON


@pytest.mark.parametrize("status", [Status.STOPPED, Status.LOST])
def test_a_run_that_was_stopped_or_lost_is_not_held_against_anybody(status):
    assert step_at(NOON, past=(past(status),), first_event=ago(minutes=2)).due <= NOON


def test_a_daily_run_that_fails_does_not_hold_up_events():
    failed = tuple(past(Status.FAILED, kind=Kind.DAILY, started=minutes) for minutes in (1, 2, 3, 4))
    found = step_at(NOON, past=failed, first_event=ago(seconds=30), last_daily=ago(days=1))
    assert (found.kind, found.reason) == (Kind.SYNC, "event")
    assert found.due <= NOON


def test_a_daily_run_that_keeps_failing_is_tried_a_few_times_a_day():
    failed = tuple(past(Status.FAILED, kind=Kind.DAILY, started=minutes) for minutes in range(1, 20))
    only = replace(situation(past=failed, last_daily=ago(days=1)), first_event=None)
    found = next_step(only, replace(RULES, poll_every=ALL_DAY), NOON)
    assert found == Step(failed[0].finished_at + LONGEST_DAILY_BACK_OFF, Kind.DAILY, "daily")


def test_the_daily_run_goes_first_because_it_does_both():
    found = step_at(NOON, last_daily=ago(days=1), past=(past(started=20),))
    assert found.kind == Kind.DAILY


def test_the_daily_run_is_made_once_a_day():
    assert step_at(NOON, past=(), up_since=NOON, last_daily=ago(hours=6, minutes=30)).kind == Kind.SYNC
    assert step_at(NOON, past=(), up_since=NOON, last_daily=ago(hours=6, minutes=31)).kind == Kind.DAILY


def test_a_new_server_begins_with_everything():
    found = step_at(NOON, up_since=NOON, past=(), last_daily=None)
    assert (found.kind, found.due) == (Kind.DAILY, NOON)


def test_a_server_that_was_down_catches_up_at_once():
    found = step_at(NOON, up_since=NOON, past=(past(started=10),))
    assert (found.reason, found.due) == ("start", NOON)


def test_a_server_that_is_started_again_and_again_does_not_run_each_time():
    found = step_at(NOON, up_since=NOON, past=(past(started=0.2, lasted=0.1),))
    assert found == Step(ago(seconds=12) + dt.timedelta(minutes=1), Kind.SYNC, "start")


def test_what_a_person_asks_for_is_due_at_once_even_in_a_back_off():
    work = Asked("j", Kind.REPLAY, "person", ago(seconds=1))
    found = step_at(NOON, asked=(work,), past=(past(Status.FAILED, started=1),), first_event=ago(minutes=1))
    assert found == Step(work.asked_at, Kind.REPLAY, "person", "j")


def test_what_was_refused_is_tried_again_later_and_others_may_go_before_it():
    refused = Asked("j", Kind.REPLAY, "person", ago(minutes=5), refused_at=ago(seconds=1))
    assert step_at(NOON, asked=(refused,)).due == refused.refused_at + RETRY
    assert step_at(NOON, asked=(refused,), first_event=ago(seconds=10)).reason == "event"


def test_a_run_that_waits_covers_the_events_so_that_no_second_one_is_begun():
    refused = Asked("j", Kind.SYNC, "event", ago(minutes=5), refused_at=ago(seconds=1))
    found = step_at(NOON, asked=(refused,), first_event=ago(minutes=6))
    assert found.job_id == "j"
    assert found.due > NOON


def test_a_server_that_only_receives_begins_only_what_people_ask_for():
    only = replace(RULES, receive_only=True)
    busy = situation(first_event=ago(minutes=5), past=(), last_daily=None)
    assert next_step(busy, only, NOON) is None
    work = Asked("j", Kind.REPLAY, "person", ago(seconds=1))
    assert next_step(replace(busy, asked=(work,)), only, NOON).job_id == "j"


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 30), (2, 60), (5, 480), (6, 900), (10**6, 900)]
)
def test_the_wait_after_failures_doubles_up_to_a_limit(failures, seconds):
    assert back_off(failures) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("now", "last"),
    [("2026-11-22T05:29", "2026-11-21T05:30"), ("2026-11-22T05:30", "2026-11-22T05:30"),
     ("2026-11-22T23:00-08:00", "2026-11-23T05:30")],
)  # fmt: skip
def test_the_time_of_the_daily_run_is_in_utc(now, last):
    moment = dt.datetime.fromisoformat(now)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    assert last_daily_time(RULES.daily_at, moment) == dt.datetime.fromisoformat(f"{last}:00+00:00")


times = st.integers(0, 2 * 24 * 3600).map(lambda seconds: NOON - dt.timedelta(seconds=seconds))


@st.composite
def situations(draw):
    """Any history up to noon."""

    def run(begun):
        minutes = draw(st.floats(0.01, 120))
        finished = min(begun + dt.timedelta(minutes=minutes), NOON)
        ended = st.sampled_from([Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.LOST])
        return Past(draw(st.sampled_from([Kind.SYNC, Kind.DAILY])), draw(ended), begun, finished)

    begun = sorted(draw(st.lists(times, max_size=8, unique=True)), reverse=True)
    ran = tuple(run(moment) for moment in begun)
    successes = [p.started_at for p in ran if p.kind == Kind.DAILY and p.status == Status.SUCCEEDED]
    asked = draw(st.lists(st.tuples(times, st.sampled_from(list(Kind)), st.none() | times), max_size=3))
    return Situation(
        up_since=draw(times),
        first_event=draw(st.none() | times),
        asked=tuple(
            Asked(str(number), kind, "person", moment, refused)
            for number, (moment, kind, refused) in enumerate(sorted(asked, key=lambda work: work[0]))
        ),
        past=ran,
        last_daily=max(successes, default=None),
    )


@given(situations())
def test_every_company_is_run_again_before_long(found):
    """Whatever happened, there is a next run, within the poll or the longest back-off."""
    step = next_step(found, RULES, NOON)
    assert step.due <= NOON + max(RULES.poll_every, LONGEST_BACK_OFF, RETRY)


@given(situations())
def test_an_event_is_never_forgotten_nor_late(found):
    """With an event that no run has covered, a run that covers it is due within debounce or back-off."""
    event = found.first_event or NOON
    step = next_step(replace(found, asked=(), first_event=event), RULES, NOON)
    failed = any(run.status == Status.FAILED for run in found.past)
    ended = found.past[0].finished_at if found.past else event
    latest = max(event + RULES.debounce, ended + RULES.debounce, NOON)
    assert step.kind in {Kind.SYNC, Kind.DAILY}
    assert step.due <= (latest + LONGEST_BACK_OFF if failed else latest)


@given(situations())
def test_no_run_is_repeated_right_after_it_failed(found):
    """Only a person can have a run begun that would fall into its own back-off."""
    step = next_step(replace(found, asked=()), RULES, NOON)
    last = found.past[0] if found.past else None
    if step.due <= NOON and last and last.status == Status.FAILED and last.kind == step.kind:
        assert NOON - last.finished_at >= back_off(1)


@given(situations())
def test_a_step_stays_the_same_until_it_is_due(found):
    """Looking again changes nothing: what was said to be due at a time is due at that time."""
    step = next_step(found, RULES, NOON)
    if step.due > NOON:
        assert next_step(found, RULES, step.due - dt.timedelta(microseconds=1)) == step
        assert next_step(found, RULES, step.due).due <= step.due


@given(st.integers(1, 6), st.integers(1, 3), st.integers(3, 40))
def test_no_company_is_left_out_however_busy_the_others_are(companies, free, rounds):
    """All are always due: each has its turn as soon as all others may have had theirs."""
    steps = {str(number): Step(NOON, Kind.SYNC, "event") for number in range(companies)}
    begun, served = {}, []
    for second in range(rounds):
        served.append(turns(steps, begun, free=free, now=NOON + ALL_DAY))
        assert len(served[-1]) == min(free, companies)
        begun |= dict.fromkeys(served[-1], NOON + dt.timedelta(seconds=second))
    window = math.ceil(companies / free)
    for start in range(rounds - window + 1):
        assert {name for chosen in served[start : start + window] for name in chosen} == set(steps)


def test_nobody_gets_a_turn_when_there_is_no_room_or_nothing_due():
    steps = {"a": Step(NOON, Kind.SYNC, "event")}
    assert turns(steps, {}, free=0, now=NOON) == []
    assert turns(steps, {}, free=-1, now=NOON) == []
    assert turns(steps, {}, free=1, now=NOON - dt.timedelta(seconds=1)) == []


NIGHTLY = replace(RULES, reconcile_at=dt.time(2, 45, tzinfo=dt.UTC))


def night(**changes):
    """What comes after nothing else is due."""
    calm = {"past": (past(started=1, lasted=0.5),), "up_since": ago(days=2)}
    return next_step(situation(**calm | changes), NIGHTLY, NOON)


def compared(status=Status.SUCCEEDED, **units):
    return Past(Kind.RECONCILE, status, ago(**units), ago(**units) + dt.timedelta(minutes=5))


def test_the_books_are_compared_once_a_night_and_a_night_that_was_missed_is_made_up_for():
    missed = night(reconciliations=(compared(days=1),))
    assert missed == Step(ago(hours=9, minutes=15), Kind.RECONCILE, "nightly")
    assert night(reconciliations=(compared(hours=9),)).kind == Kind.SYNC


def test_the_first_comparison_waits_for_its_time():
    """A server that has just been started has other things to do."""
    assert night(up_since=ago(hours=1), past=()).kind == Kind.SYNC
    assert night().kind == Kind.RECONCILE


def test_the_books_are_not_compared_where_that_is_switched_off_or_others_do_it():
    assert next_step(situation(up_since=ago(days=2)), RULES, NOON).kind == Kind.SYNC
    assert next_step(situation(up_since=ago(days=2)), replace(NIGHTLY, receive_only=True), NOON) is None


def test_what_is_to_be_written_goes_before_the_comparison():
    assert night(past=(past(started=60),)).kind == Kind.SYNC
    assert night(last_daily=ago(days=2)).kind == Kind.DAILY


def test_a_comparison_that_failed_is_tried_again_later():
    failed = night(reconciliations=(compared(Status.FAILED, minutes=6), compared(days=1)))
    assert failed.kind == Kind.RECONCILE
    assert failed.due == ago(minutes=1) + dt.timedelta(seconds=30)


def test_a_comparison_that_was_asked_for_is_made_at_once_and_not_twice():
    asked = Asked("j1", Kind.RECONCILE, "person", ago(seconds=1))
    assert night(asked=(asked,)) == Step(ago(seconds=1), Kind.RECONCILE, "person", "j1")
