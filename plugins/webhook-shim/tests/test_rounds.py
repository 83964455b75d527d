"""A job for many companies at once: whose turn, what is waited for, what becomes of each; and the command."""

# ruff: noqa: ASYNC110, ASYNC220 - nothing else waits for the loop of a test
from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from target_quickbooks.errors import StoreError
from target_quickbooks.store import lease_table, run_table
from webhook_shim.events import Event, System
from webhook_shim.jobs import Workshop
from webhook_shim.rounds import Outcome, Result, Round, exit_code
from webhook_shim.settings import read
from webhook_shim.store import inbox_table, jobs_table
from webhook_shim.store.jobs_table import Kind, Status
from webhook_shim.store.opening import open_for

pytestmark = pytest.mark.anyio

RUN = (sys.executable, "-c", "from webhook_shim.cli import main; main()", "run")
#: Notes who it runs for, and how; then does what the test wants of this realm.
MELTANO = """#!/bin/sh
cd "{directory}"
case "$*" in
  *"config --unsafe print tap-bill"*) cat tap.config.json; exit ;;
  *"config --unsafe print target-quickbooks"*) cat target.config.json; exit ;;
esac
realm="$TARGET_QUICKBOOKS_REALM_ID"
echo "$realm $TARGET_QUICKBOOKS_TRIGGER" >> begun
echo "$realm $MELTANO_SYS_DIR_ROOT $*" >> calls
[ ! -e "behaviour-$realm" ] || . "./behaviour-$realm"
echo "$realm" >> ended
echo "[info     ] meltano      Run completed"
"""
HOLD = "trap 'exit 143' TERM; while [ ! -e go ]; do sleep 0.02; done"


def now():
    return dt.datetime.now(dt.UTC)


class Firm:
    """Some companies, a store, and a Meltano that behaves for each as the test says."""

    def __init__(self, directory, companies):
        self.directory = directory
        self.companies = companies
        script = directory / "meltano"
        script.write_text(MELTANO.format(directory=directory))
        script.chmod(0o755)
        for name in ("begun", "calls", "ended"):
            (directory / name).touch()
        self.settings = read(
            {"MELTANO_PROJECT_ROOT": str(directory), "WEBHOOK_SHIM_MELTANO": str(script)}
            | {"WEBHOOK_SHIM_ENVIRONMENT": "simulator"}
        )
        self.store = open_for(companies)
        self.workshop = Workshop(self.settings, self.store, several=True, now=now)
        self.told = []

    def behave(self, books, script):
        (self.directory / f"behaviour-{books.realm_id}").write_text(f"{script}\n")

    def lines(self, name):
        return (self.directory / name).read_text().splitlines()

    def running(self):
        return len(self.lines("begun")) - len(self.lines("ended"))

    def round(self, *, kind=Kind.SYNC, parallel=2, patience=60.0, chosen=None):
        the_round = Round(
            self.store,
            self.workshop,
            kind=kind,
            reason="test",
            parallel=parallel,
            patience=dt.timedelta(seconds=patience),
            tell=self.told.append,
            now=now,
            look_seconds=0.02,
        )
        return the_round.run(chosen or self.companies)

    def history(self, books):
        with self.store.reading() as connection:
            return jobs_table.history(connection, books.company)


@pytest.fixture
def new_firm(tmp_path, new_books):
    made = []

    def new(number, **target):
        companies = tuple(
            replace(
                new_books(name=f"company-{n}", organization_id=f"O{n}", realm_id=str(n), **target),
                variables={"TARGET_QUICKBOOKS_REALM_ID": str(n)},
            )
            for n in range(1, number + 1)
        )
        made.append(Firm(tmp_path, companies))
        return made[-1]

    yield new
    for firm in made:
        firm.store.close()


@pytest.fixture
def firm(new_firm):
    return new_firm(3)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_each_company_has_its_own_state_and_system_directory(firm):
    results = await firm.round()
    assert [(result.company, result.outcome) for result in results] == [
        (books.name, Outcome.DONE) for books in firm.companies
    ]
    shared = (firm.directory / ".meltano").resolve()
    for realm, directory, call in (line.split(" ", 2) for line in firm.lines("calls")):
        name = f"company-{realm}"
        assert Path(directory) == shared / "run" / "webhook-shim" / name
        assert f"--state-id-suffix {name} sync-vendors-and-bills" in call


async def test_a_company_that_fails_leaves_the_others_alone(firm, monkeypatch):
    firm.behave(firm.companies[0], "exit 1")
    begin = Workshop._begin

    def broken(workshop, books, *others):
        if books is firm.companies[1]:
            raise StoreError("The database is gone.")
        return begin(workshop, books, *others)

    monkeypatch.setattr(Workshop, "_begin", broken)
    results = await firm.round(parallel=1)
    assert [result.outcome for result in results] == [Outcome.FAILED, Outcome.FAILED, Outcome.DONE]
    assert results[1].detail == "The database is gone."
    assert exit_code(results) == 1
    assert {result.company for result in firm.told} == {books.name for books in firm.companies}


async def test_no_more_companies_at_a_time_than_asked_for(new_firm):
    firm = new_firm(4)
    for books in firm.companies:
        firm.behave(books, HOLD)
    task = asyncio.create_task(firm.round(parallel=2))
    await until(lambda: firm.running() == 2)
    (firm.directory / "go").touch()
    assert len(await task) == 4
    assert len(firm.lines("begun")) == 4


async def test_a_company_that_a_server_is_at_work_for_is_waited_for_and_holds_no_place(firm):
    busy = firm.companies[0]
    lease = f"shim:{busy.realm_id}:{busy.organization_id}"
    assert lease_table.acquire(firm.store, lease, "another-host 1 2", now=now(), seconds=600)
    task = asyncio.create_task(firm.round(parallel=1))
    await until(lambda: len(firm.lines("ended")) == 2)
    assert not task.done()
    lease_table.release(firm.store, lease, "another-host 1 2")
    results = await task
    assert {result.outcome for result in results} == {Outcome.DONE}
    assert firm.lines("ended")[-1] == busy.realm_id


async def test_two_rounds_at_once_never_run_a_company_twice_at_a_time(firm):
    """The lease of a company belongs to a process; within it, one round at a time has it."""
    script = "[ ! -e busy-$realm ] || touch twice; touch busy-$realm; sleep 0.05; rm busy-$realm"
    for books in firm.companies:
        firm.behave(books, script)
    command = (*RUN, "sync", "--json", "--parallel", "3")
    environ = _project(firm)
    both = [
        subprocess.Popen(command, cwd=firm.directory, env=environ, stdout=-1, stderr=-3) for _ in range(2)
    ]
    for process in both:
        output, _ = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, output
    assert not (firm.directory / "twice").exists()
    assert len(firm.lines("ended")) == 6


async def test_a_run_that_never_gets_out_of_the_way_is_told_of(firm):
    held = firm.companies[0]
    lease = f"shim:{held.realm_id}:{held.organization_id}"
    assert lease_table.acquire(firm.store, lease, "another-host 1 2", now=now(), seconds=600)
    results = await firm.round(patience=0.1, chosen=[held])
    assert (results[0].outcome, results[0].job_id) == (Outcome.BUSY, None)
    assert "at work for this company" in results[0].detail
    assert exit_code(results) == 1


async def test_another_run_of_meltano_is_waited_for(firm):
    books = firm.companies[0]
    says = "Another 'simulator:x' pipeline is already running"
    firm.behave(books, f'[ -e tried ] || {{ touch tried; echo "[error    ] meltano   {says}"; exit 1; }}')
    results = await firm.round(chosen=[books])
    assert results[0].outcome is Outcome.DONE
    assert len(firm.lines("begun")) == 2
    assert len(firm.history(books)) == 1


async def test_what_a_killed_server_left_running_is_judged_first(firm):
    books = firm.companies[0]
    with firm.store.writing() as connection:
        job_id = jobs_table.ask(connection, books.company, Kind.SYNC, "event", (), now())
        jobs_table.begin(connection, job_id, host="h", log_path="/nowhere", last_event=0, now=now())
    results = await firm.round(chosen=[books])
    assert results[0].outcome is Outcome.DONE
    assert [job.status for job in firm.history(books)] == [Status.SUCCEEDED, Status.LOST]


@pytest.mark.parametrize(("tolerant", "outcome"), [(False, Outcome.REFUSED), (True, Outcome.DONE)])
async def test_refused_records_are_counted_and_not_well_unless_the_project_says_so(
    new_firm, tolerant, outcome
):
    firm = new_firm(1, fail_on_failed_records=not tolerant)
    [books] = firm.companies
    firm.behave(books, HOLD)
    task = asyncio.create_task(firm.round())
    await until(lambda: firm.lines("begun"))
    trigger = firm.lines("begun")[0].partition(" ")[2]
    counts = {"vendors": {"created": 3, "updated": 1, "failed": 1}, "bills": {"closed": 2, "blocked": 4}}
    with firm.store.writing() as connection:
        run_table.start(connection, "r", realm_id=books.realm_id, mode="sync", trigger=trigger, now=now())
        run_table.finish(connection, "r", exit_code=1, counts={"streams": counts}, now=now())
    (firm.directory / "go").touch()
    [result] = await task
    assert (result.created, result.updated, result.refused) == (3, 3, 5)
    assert result.outcome is outcome


def test_differences_alone_have_an_exit_code_of_their_own():
    def of(*outcomes):
        return exit_code([Result("a", "A", outcome) for outcome in outcomes])

    assert of(Outcome.DONE, Outcome.DONE) == 0
    assert of(Outcome.DONE, Outcome.DIFFERENCES) == 2
    for bad in (Outcome.FAILED, Outcome.REFUSED, Outcome.BUSY, Outcome.STOPPED):
        assert of(Outcome.DIFFERENCES, bad) == 1


async def test_differences_are_what_a_reconciliation_found(new_firm, monkeypatch):
    firm = new_firm(2)
    do = Workshop.do

    async def done(workshop, books, *others):
        job = await do(workshop, books, *others)
        return replace(job, counts={"reconciliation": {"in_step": books is firm.companies[0]}})

    monkeypatch.setattr(Workshop, "do", done)
    results = await firm.round()
    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.DIFFERENCES]
    assert exit_code(results) == 2


def _project(firm, **variables):
    """What the command needs: a list, and what Meltano says of the project."""
    listed = [
        {
            "name": books.name,
            "title": books.title,
            "variables": {
                "TAP_BILL_ORGANIZATION_ID": books.organization_id,
                "TARGET_QUICKBOOKS_REALM_ID": books.realm_id,
            },
        }
        for books in firm.companies
    ]
    (firm.directory / "companies.json").write_text(json.dumps(listed))
    target = {**firm.companies[0].target_config, "realm_id": ""}
    (firm.directory / "target.config.json").write_text(json.dumps(target))
    (firm.directory / "tap.config.json").write_text(json.dumps({"dev_key": "d"}))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WEBHOOK_SHIM_")}
    return inherited | {
        "MELTANO_PROJECT_ROOT": str(firm.directory),
        "WEBHOOK_SHIM_MELTANO": str(firm.directory / "meltano"),
        "WEBHOOK_SHIM_COMPANIES": "companies.json",
        "COLUMNS": "140",
        **variables,
    }


def test_the_command_tells_of_every_company_and_ends_with_what_the_worst_did(firm):
    firm.behave(firm.companies[1], "exit 1")
    done = subprocess.run(
        [*RUN, "daily"], cwd=firm.directory, env=_project(firm), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    for word in ("daily: 3 companies", "company-1", "company-2", "failed", "refused", "took"):
        assert word in done.stdout
    assert "3 of 3: " in done.stderr
    assert all(call.endswith("sync-payments-and-recurring") for call in firm.lines("calls"))


def test_the_command_takes_some_companies_by_name_and_speaks_json(firm):
    command = [*RUN, "plan", "--company", "company-3", "--reason", "cron", "--json"]
    done = subprocess.run(
        command, cwd=firm.directory, env=_project(firm), capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["exit_code"], told["job"]) == (0, 0, "plan")
    [result] = told["companies"]
    assert (result["company"], result["outcome"]) == ("company-3", "done")
    assert firm.lines("begun")[0].startswith("3 webhook-shim cron ")
    assert "--state-id-suffix company-3" in firm.lines("calls")[0]


def test_schedulers_are_told_which_companies_have_events(firm):
    last = firm.companies[2]
    with firm.store.writing() as connection:
        for system, tenant, name in (
            (System.BILL, last.organization_id, "one"),
            (System.BILL, last.organization_id, "two"),
            (System.BILL, "O-of-nobody", "three"),
            (System.QUICKBOOKS, firm.companies[0].realm_id, "four"),
        ):
            event = Event(system, tenant, name, "vendor.updated", "vendor", "v", None)
            inbox_table.put(connection, [event], now=now())
    done = subprocess.run(
        [*RUN[:-1], "waiting", "--json"],
        cwd=firm.directory,
        env=_project(firm),
        capture_output=True,
        text=True,
        check=True,
    )
    [told] = json.loads(done.stdout)["companies"]
    assert (told["company"], told["events"], told["last_event"]) == ("company-3", 2, 2)


def test_a_name_that_is_not_in_the_list_is_refused(firm):
    command = [*RUN, "sync", "--company", "nobody"]
    done = subprocess.run(
        command, cwd=firm.directory, env=_project(firm), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "There is no company 'nobody'. There are: company-1, company-2, company-3." in done.stderr


async def test_a_signal_ends_what_runs_and_begins_nothing_more(firm):
    for books in firm.companies:
        firm.behave(books, HOLD)
    process = await asyncio.create_subprocess_exec(
        *RUN,
        "sync",
        "--json",
        "--parallel",
        "1",
        cwd=firm.directory,
        env=_project(firm),
        stdout=-1,
        stderr=-3,
    )
    await until(lambda: firm.running() == 1)
    process.send_signal(signal.SIGTERM)
    output, _ = await process.communicate()
    told = json.loads(output)
    assert process.returncode == told["exit_code"] == 128 + signal.SIGTERM
    assert [result["outcome"] for result in told["companies"]] == ["stopped"] * 3
    assert len(firm.lines("begun")) == 1


def test_two_companies_that_meet_on_a_side_are_refused(firm):
    environ = _project(firm)
    path = firm.directory / "companies.json"
    listed = json.loads(path.read_text())
    for side, named in (("TAP_BILL_ORGANIZATION_ID", "O1"), ("TARGET_QUICKBOOKS_REALM_ID", "1")):
        crossed = json.loads(json.dumps(listed))
        crossed[2]["variables"][side] = named
        path.write_text(json.dumps(crossed))
        done = subprocess.run(
            [*RUN, "sync"], cwd=firm.directory, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "The companies 'company-1' and 'company-3' have the same" in done.stderr
        assert "make a project of its own" in done.stderr
    assert not firm.lines("calls")
