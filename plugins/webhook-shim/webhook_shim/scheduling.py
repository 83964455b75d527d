"""What to run next for a company, and whose turn it is. Pure: what is known goes in, a decision comes out.

A run covers every event that was received before it began, so one run at a time is enough, and one more if
events came meanwhile. Nothing here counts on events: the poll finds what they miss.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from webhook_shim.store.jobs_table import SYNCING, Kind, Status

#: How long to wait after a run that another run was in the way of.
RETRY = dt.timedelta(seconds=20)
#: The first wait after a failure; each further one doubles it.
FIRST_BACK_OFF = dt.timedelta(seconds=30)
LONGEST_BACK_OFF = dt.timedelta(minutes=15)
#: A daily run has a day to succeed, and the ordinary runs go on meanwhile.
LONGEST_DAILY_BACK_OFF = dt.timedelta(hours=4)
#: A server that keeps being started again does not start a run each time.
BETWEEN_STARTS = dt.timedelta(minutes=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say.

    Attributes:
        reconcile_at: When to compare the books each day; None for never.
        receive_only: Begin nothing but what somebody asked for: another scheduler does the rest.
    """

    debounce: dt.timedelta
    poll_every: dt.timedelta
    daily_at: dt.time
    reconcile_at: dt.time | None = None
    receive_only: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Work that waits.

    Attributes:
        refused_at: When another run was in its way, if one was.
    """

    job_id: str
    kind: str
    reason: str
    asked_at: dt.datetime
    refused_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """An ended run."""

    kind: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a company for which nothing is under way.

    Attributes:
        up_since: When this server began to look after it.
        first_event: When the oldest event of BILL that no run has covered was received.
        asked: What waits, in the order of asking.
        past: The latest runs, newest first: enough of them to hold the latest success, or many failures.
        last_daily: When the last daily run that succeeded began.
        reconciliations: The latest reconciliations, newest first.
    """

    up_since: dt.datetime
    first_event: dt.datetime | None = None
    asked: Sequence[Asked] = ()
    past: Sequence[Past] = ()
    last_daily: dt.datetime | None = None
    reconciliations: Sequence[Past] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, not before ``due``.

    Attributes:
        job_id: The work that waits for it; None if it is to be asked for.
    """

    due: dt.datetime
    kind: str
    reason: str
    job_id: str | None = None


def next_step(situation: Situation, rules: Rules, now: dt.datetime) -> Step | None:
    """What a company's next run is and when; None if there will be none unless something happens."""
    steps = [_asked(work) for work in situation.asked]
    if not rules.receive_only:
        waiting = {work.kind for work in situation.asked}
        if Kind.DAILY not in waiting:
            steps.append(_daily(situation, rules, now))
        if not waiting & set(SYNCING):
            steps.append(_sync(situation, rules))
        if rules.reconcile_at and Kind.RECONCILE not in waiting:
            steps.append(_reconcile(situation, rules.reconcile_at, now))
    due = [step for step in steps if step.due <= now]
    if due:
        return min(due, key=_urgency)
    return min(steps, key=lambda step: step.due, default=None)


def turns(
    steps: Mapping[str, Step], begun: Mapping[str, dt.datetime], *, free: int, now: dt.datetime
) -> list[str]:
    """Which companies begin their step now: those served longest ago first, so that none is left out.

    Args:
        steps: The next step of each company for which nothing is under way.
        begun: When a company's latest run began; those that had none go first.
        free: How many more runs there may be at the same time.
        now: The current time.
    """
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    due = [name for name, step in steps.items() if step.due <= now]
    due.sort(key=lambda name: (begun.get(name, never), steps[name].due, name))
    return due[: max(free, 0)]


def back_off(failures: int, longest: dt.timedelta = LONGEST_BACK_OFF) -> dt.timedelta:
    """How long to wait after so many failures in a row."""
    if failures < 1:
        return dt.timedelta()
    return min(FIRST_BACK_OFF * (1 << min(failures - 1, 30)), longest)


def last_daily_time(daily_at: dt.time, now: dt.datetime) -> dt.datetime:
    """The latest moment, not after now, at which a daily run was due."""
    today = dt.datetime.combine(now.astimezone(dt.UTC).date(), daily_at.replace(tzinfo=dt.UTC))
    return today if today <= now else today - _DAY


def _urgency(step: Step) -> tuple[int, dt.datetime]:
    """What somebody waits for goes first; then the daily run, which does all that the other one does.

    The books are compared when nothing is left to be written.
    """
    if step.job_id:
        return (0, step.due)
    return ({Kind.DAILY: 1, Kind.RECONCILE: 3}.get(Kind(step.kind), 2), step.due)


def _asked(work: Asked) -> Step:
    due = work.asked_at if work.refused_at is None else work.refused_at + RETRY
    return Step(due, work.kind, work.reason, work.job_id)


def _daily(situation: Situation, rules: Rules, now: dt.datetime) -> Step:
    moment = last_daily_time(rules.daily_at, now)
    if situation.last_daily and situation.last_daily >= moment:
        return Step(moment + _DAY, Kind.DAILY, "daily")
    failures = _in_a_row(past for past in situation.past if past.kind == Kind.DAILY)
    due = max(situation.up_since if not situation.past else moment, moment)
    return Step(_backed_off(due, failures, LONGEST_DAILY_BACK_OFF), Kind.DAILY, "daily")


def _reconcile(situation: Situation, reconcile_at: dt.time, now: dt.datetime) -> Step:
    """Once a day, of which one that was missed is made up for; the first one not before its time has come."""
    moment = last_daily_time(reconcile_at, now)
    past = situation.reconciliations
    if not past and situation.up_since > moment:
        return Step(moment + _DAY, Kind.RECONCILE, "nightly")
    if any(one.status == Status.SUCCEEDED and one.started_at >= moment for one in past):
        return Step(moment + _DAY, Kind.RECONCILE, "nightly")
    return Step(_backed_off(moment, _in_a_row(past), LONGEST_DAILY_BACK_OFF), Kind.RECONCILE, "nightly")


def _sync(situation: Situation, rules: Rules) -> Step:
    last = situation.past[0] if situation.past else None
    if last is None:
        step = Step(situation.up_since, Kind.SYNC, "start")
    elif last.started_at < situation.up_since:
        due = max(situation.up_since, last.started_at + BETWEEN_STARTS)
        step = Step(min(due, last.started_at + rules.poll_every), Kind.SYNC, "start")
    else:
        step = Step(last.started_at + rules.poll_every, Kind.SYNC, "poll")
    if situation.first_event:
        # What came during a run waits for more, too: a storm of events is no storm of runs.
        quiet = max(situation.first_event, last.finished_at if last else situation.first_event)
        if quiet + rules.debounce < step.due:
            step = Step(quiet + rules.debounce, Kind.SYNC, "event")
    # A daily run may have failed over payments alone, which says nothing about vendors and bills.
    failures = _in_a_row(
        past for past in situation.past if past.kind == Kind.SYNC or past.status == Status.SUCCEEDED
    )
    return Step(_backed_off(step.due, failures, LONGEST_BACK_OFF), step.kind, step.reason)


def _in_a_row(newest_first: Iterable[Past]) -> list[Past]:
    """The failures since the last success; runs that were stopped or lost are neither."""
    found: list[Past] = []
    for past in newest_first:
        if past.status == Status.SUCCEEDED:
            break
        if past.status == Status.FAILED:
            found.append(past)
    return found


def _backed_off(due: dt.datetime, failures: Sequence[Past], longest: dt.timedelta) -> dt.datetime:
    if not failures:
        return due
    return max(due, failures[0].finished_at + back_off(len(failures), longest))
