"""Work that is asked for, begun and ended."""

from __future__ import annotations

import datetime as dt

import pytest
from target_quickbooks.links import Company
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Kind, Status

COMPANY = Company("1", "O")
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture
def database(new_context):
    with new_context().store.writing() as connection:
        yield connection


def ask(database, kind=Kind.SYNC, arguments=(), *, company=COMPANY, minutes=0):
    moment = NOW + dt.timedelta(minutes=minutes)
    return jobs_table.ask(database, company, kind, "person", arguments, moment)


def begin(database, job_id, minutes=0):
    moment = NOW + dt.timedelta(minutes=minutes)
    return jobs_table.begin(database, job_id, host="h", log_path="/l", last_event=7, now=moment)


def end(database, job_id, status=Status.SUCCEEDED, minutes=1):
    moment = NOW + dt.timedelta(minutes=minutes)
    jobs_table.end(
        database, job_id, status=status, detail="d", exit_code=0, counts={"calls": {"reads": 1}}, now=moment
    )


def test_the_same_question_is_the_same_work_as_long_as_it_waits(database):
    first = ask(database)
    assert ask(database, minutes=1) == first
    begin(database, first)
    assert ask(database, minutes=2) != first


def test_other_kinds_arguments_and_companies_are_other_questions(database):
    found = {
        ask(database),
        ask(database, Kind.DAILY),
        ask(database, Kind.REPLAY, [1, 2]),
        ask(database, Kind.REPLAY, [1]),
        ask(database, company=Company("1", "P")),
    }
    assert len(found) == 5
    assert ask(database, Kind.REPLAY, (1, 2)) in found


def test_work_goes_from_waiting_to_its_end(database):
    job_id = ask(database)
    assert [job.id for job in jobs_table.waiting(database, COMPANY)] == [job_id]
    assert begin(database, job_id)
    jobs_table.spawned(database, job_id, pid=12)
    [running] = jobs_table.running(database, COMPANY)
    assert (running.pid, running.host, running.log_path, running.last_event) == (12, "h", "/l", 7)
    end(database, job_id)
    job = jobs_table.by_id(database, job_id)
    assert (job.status, job.exit_code, job.detail, job.counts) == (
        Status.SUCCEEDED,
        0,
        "d",
        {"calls": {"reads": 1}},
    )
    assert jobs_table.waiting(database, COMPANY) == jobs_table.running(database, COMPANY) == []


def test_work_is_begun_once(database):
    job_id = ask(database)
    assert begin(database, job_id)
    assert not begin(database, job_id)


def test_work_that_was_in_the_way_of_another_run_waits_again(database):
    job_id = ask(database)
    begin(database, job_id)
    jobs_table.put_back(database, job_id, detail="another run", now=NOW)
    [job] = jobs_table.waiting(database, COMPANY)
    assert (job.detail, job.finished_at, job.started_at, job.pid) == ("another run", NOW, None, None)
    assert begin(database, job_id)
    assert jobs_table.by_id(database, job_id).detail == ""


def test_the_latest_runs_are_found(database):
    for minutes, (kind, status) in enumerate(
        [(Kind.DAILY, Status.SUCCEEDED), (Kind.SYNC, Status.FAILED), (Kind.PLAN, Status.SUCCEEDED)]
    ):
        job_id = ask(database, kind, minutes=minutes)
        begin(database, job_id, minutes)
        end(database, job_id, status, minutes + 1)
    ask(database, minutes=9)
    latest = jobs_table.last_begun(database, COMPANY, kinds=jobs_table.SYNCING, limit=5)
    assert [job.kind for job in latest] == [Kind.SYNC, Kind.DAILY]
    assert jobs_table.last_success(database, COMPANY, Kind.DAILY).started_at == NOW
    assert jobs_table.last_success(database, COMPANY, Kind.SYNC) is None
    kinds = [job.kind for job in jobs_table.history(database, COMPANY)]
    assert kinds == [Kind.SYNC, Kind.PLAN, Kind.SYNC, Kind.DAILY]
    before = NOW + dt.timedelta(minutes=2)
    assert len(jobs_table.history(database, COMPANY, before=before)) == 2


def test_only_what_ended_is_forgotten(database):
    done, under_way, waiting = ask(database), ask(database, Kind.PLAN), ask(database, Kind.DAILY)
    for job_id in (done, under_way):
        begin(database, job_id)
    end(database, done)
    assert jobs_table.prune(database, before=NOW + dt.timedelta(days=1)) == 1
    left = {job.id for job in jobs_table.history(database, COMPANY)}
    assert left == {under_way, waiting}
