"""The runner with a Meltano that does what the test tells it: what runs when, and what is kept of it."""

# ruff: noqa: ASYNC110, ASYNC221, ASYNC240 - nothing else waits for the loop of a test
from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from target_quickbooks.process import this_process
from target_quickbooks.store import lease_table, run_table
from webhook_shim import commands, jobs, processes, reconciliation, workplace
from webhook_shim.backlog import clean
from webhook_shim.events import Event, System
from webhook_shim.jobs import Workshop
from webhook_shim.runner import Runner
from webhook_shim.settings import read
from webhook_shim.store import inbox_table, jobs_table
from webhook_shim.store.jobs_table import Kind, Status
from webhook_shim.store.opening import open_for

pytestmark = pytest.mark.anyio

_SCRIPT = """#!/bin/sh
cd "{directory}"
printf '%s\\n' "$*" >> calls
env > environment
. ./behaviour
"""
#: Enough for anything that should happen at once, even on a busy machine.
SOON = 60


def now():
    return dt.datetime.now(dt.UTC)


class Meltano:
    """An executable that notes its calls and behaves as it is told."""

    def __init__(self, directory):
        self.directory = directory
        self.path = directory / "meltano"
        self.path.write_text(_SCRIPT.format(directory=directory))
        self.path.chmod(0o755)
        (directory / "calls").touch()
        self.behave("exit 0")

    def behave(self, script):
        (self.directory / "behaviour").write_text(f"{script}\n")

    def hold(self, then="exit 0"):
        """Go on only when told to; but end at once when stopped."""
        self.behave(f"trap 'exit 143' TERM; until rm go 2>/dev/null; do sleep 0.02; done; {then}")

    def go(self):
        (self.directory / "go").touch()

    @property
    def calls(self):
        return (self.directory / "calls").read_text().splitlines()

    @property
    def environment(self):
        lines = (self.directory / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


class Shim:
    """Companies, a store and a runner that is started and stopped by the test."""

    def __init__(self, directory, companies, **variables):
        self.meltano = Meltano(directory)
        self.companies = companies
        self.store = open_for(companies)
        usual = {"meltano": self.meltano.path, "environment": "simulator", "debounce_seconds": 0}
        self.settings = read(
            {"MELTANO_PROJECT_ROOT": str(directory)}
            | {f"WEBHOOK_SHIM_{name.upper()}": str(value) for name, value in (usual | variables).items()}
        )
        self.environ = dict(os.environ) | {"WEBHOOK_SHIM_PASSWORD": "page-secret"}
        self.checked = []

    @contextlib.asynccontextmanager
    async def running(self, *, check=None, patience=SOON):
        workshop = Workshop(
            self.settings, self.store, several=len(self.companies) > 1, now=now, environ=self.environ
        )
        runner = Runner(self.settings, self.companies, self.store, workshop, check=check, now=now)
        runner.start()
        try:
            yield runner
        finally:
            await runner.stop(patience=patience)

    def has_run(self, *, hours=1.0):
        """As if everything had been run so long ago: nothing is due at the start."""
        for books in self.companies:
            begun = now() - dt.timedelta(hours=hours)
            with self.store.writing() as connection:
                job_id = jobs_table.ask(connection, books.company, Kind.DAILY, "daily", (), begun)
                jobs_table.begin(connection, job_id, host="h", log_path="l", last_event=0, now=now())
                jobs_table.end(
                    connection,
                    job_id,
                    status=Status.SUCCEEDED,
                    detail="",
                    exit_code=0,
                    counts={},
                    now=now(),
                )

    def receive(self, *names, books=None, system=System.BILL):
        books = books or self.companies[0]
        tenant = books.organization_id if system is System.BILL else books.realm_id
        events = [
            Event(system, tenant, name, "vendor.created", "vendor", f"id-{name}", None) for name in names
        ]
        with self.store.writing() as connection:
            inbox_table.put(connection, events, now=now())

    def ask(self, kind, arguments=(), books=None):
        with self.store.writing() as connection:
            company = (books or self.companies[0]).company
            return jobs_table.ask(connection, company, kind, "person", arguments, now())

    def history(self, books=None):
        with self.store.reading() as connection:
            return jobs_table.history(connection, (books or self.companies[0]).company)

    def job(self, job_id):
        with self.store.reading() as connection:
            return jobs_table.by_id(connection, job_id)

    def unsettled(self, books=None, system=System.BILL):
        books = books or self.companies[0]
        tenant = books.organization_id if system is System.BILL else books.realm_id
        with self.store.reading() as connection:
            found = inbox_table.waiting(connection, system, tenant)
        return found.number if found else 0

    def settled_by(self):
        books = self.companies[0]
        with self.store.reading() as connection:
            found = inbox_table.latest(connection, System.BILL, books.organization_id)
        return {received.event.event_id: received.job_id for received in found}

    def abandon(self, log_text=None, *, host=jobs.HOST, pid=4194304):
        """A row that a killed server left behind."""
        self.receive("before")
        log = self.settings.log_path / "left.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if log_text is not None:
            log.write_text(log_text)
        job_id = self.ask(Kind.SYNC)
        with self.store.writing() as connection:
            found = inbox_table.waiting(connection, System.BILL, self.companies[0].organization_id)
            jobs_table.begin(
                connection, job_id, host=host, log_path=str(log), last_event=found.last_id, now=now()
            )
            jobs_table.spawned(connection, job_id, pid=pid)
        return job_id


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def until(condition, seconds=SOON):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def new_shim(tmp_path, new_books):
    """Makes a shim whose companies are up to date, so that only what the test does is due."""
    made = []

    def make(*names, fresh=False, **variables):
        companies = tuple(
            new_books(name=name, organization_id=f"O-{name}", realm_id=str(number))
            for number, name in enumerate(names or ("books",), start=1)
        )
        shim = Shim(tmp_path, companies, **variables)
        made.append(shim)
        if not fresh:
            shim.has_run()
        return shim

    yield make
    for shim in made:
        shim.store.close()


@pytest.fixture
def shim(new_shim):
    return new_shim()


def statuses(shim, books=None):
    """Of the jobs of a test, oldest first, without the one before it."""
    return [job.status for job in reversed(shim.history(books)) if job.log_path != "l"]


async def test_an_event_starts_one_run_that_settles_it(shim):
    shim.receive("one", "two")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)
    job = shim.history()[0]
    assert (job.status, job.reason, job.kind, job.exit_code) == (Status.SUCCEEDED, "event", Kind.SYNC, 0)
    assert shim.meltano.calls == [f"--environment simulator run --run-id {job.id} sync-vendors-and-bills"]
    assert shim.settled_by() == {"one": job.id, "two": job.id}


async def test_events_that_come_during_a_run_are_settled_by_the_next_one(shim):
    shim.meltano.hold()
    shim.receive("early")
    async with shim.running() as runner:
        await until(lambda: shim.meltano.calls)
        shim.receive("late", "later")
        runner.wake()
        shim.meltano.go()
        await until(lambda: shim.unsettled() == 2)
        shim.meltano.go()
        await until(lambda: shim.unsettled() == 0)
    second, first, _ = shim.history()
    assert shim.settled_by() == {"early": first.id, "late": second.id, "later": second.id}
    assert len(shim.meltano.calls) == 2
    assert second.started_at >= first.finished_at


async def test_a_new_server_runs_everything_once(new_shim):
    shim = new_shim(fresh=True)
    async with shim.running():
        await until(lambda: statuses(shim) == [Status.SUCCEEDED])
    job = shim.history()[0]
    assert (job.kind, job.reason) == (Kind.DAILY, "daily")
    assert shim.meltano.calls[0].endswith("sync-vendors-and-bills sync-payments-and-recurring")


async def test_a_failed_run_keeps_its_events_and_says_why(shim):
    line = "2026-11-22T11:46:51Z [error    ] tap-bill-vendors-and-bills BILL does not know this user"
    shim.meltano.behave(f"echo '{line}'; exit 1")
    shim.receive("one")
    async with shim.running():
        await until(lambda: statuses(shim) == [Status.FAILED])
    job = shim.history()[0]
    assert (job.exit_code, job.detail) == (1, "BILL does not know this user")
    assert shim.unsettled() == 1
    assert len(shim.meltano.calls) == 1


async def test_a_run_that_meltano_refuses_waits_and_is_not_a_failure(shim):
    refusal = "Another 'simulator:tap-bill-to-target-quickbooks' pipeline is already running which started"
    shim.meltano.behave(f'echo "[error    ] meltano      {refusal}"; exit 1')
    shim.receive("one")
    async with shim.running():
        await until(lambda: shim.history()[0].detail)
    job = shim.history()[0]
    assert (job.status, job.started_at) == (Status.WAITING, None)
    assert job.detail == refusal
    assert shim.unsettled() == 1


async def test_a_run_that_was_refused_is_tried_again_under_the_same_number(shim, monkeypatch):
    monkeypatch.setattr("webhook_shim.scheduling.RETRY", dt.timedelta(seconds=0.1))
    shim.meltano.behave(
        "echo \"Another 'x' pipeline is already running\"; rm behaviour; echo exit 0 > behaviour; exit 1"
    )
    shim.receive("one")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)
    assert statuses(shim) == [Status.SUCCEEDED]
    assert len(shim.meltano.calls) == 2
    assert len(set(shim.meltano.calls)) == 1


async def test_a_meltano_that_is_not_there_is_told(new_shim):
    shim = new_shim(meltano="/nowhere/meltano")
    shim.receive("one")
    async with shim.running():
        await until(lambda: statuses(shim) == [Status.FAILED])
    assert "/nowhere/meltano could not be started" in shim.history()[0].detail


async def test_a_run_that_takes_too_long_is_stopped(new_shim):
    shim = new_shim()
    shim.settings = replace(shim.settings, run_limit=dt.timedelta(seconds=0.2))
    shim.meltano.hold()
    shim.receive("one")
    async with shim.running():
        await until(lambda: statuses(shim) == [Status.FAILED])
    job = shim.history()[0]
    assert "too long" in job.detail
    assert job.exit_code == 143
    assert shim.unsettled() == 1


async def test_a_process_that_does_not_stop_is_killed_with_all_that_it_started(tmp_path):
    script = "trap '' TERM; sleep 60 & echo $! > child; wait; sleep 60"
    child = await processes.start(
        ("/bin/sh", "-c", script), dict(os.environ), directory=tmp_path, log=tmp_path / "log"
    )
    await until((tmp_path / "child").exists)
    exit_code, stop = await processes.supervise(child, seconds=0.05, hurry=asyncio.Event(), grace=0.2)
    assert (exit_code, stop) == (-signal.SIGKILL, commands.Stop.LIMIT)
    pid = int((tmp_path / "child").read_text())
    await until(lambda: not _lives(pid))


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_secrets_are_neither_in_arguments_nor_readable_by_others(shim):
    job_id = shim.ask(Kind.REPLAY, [12, 15])
    job = shim.job(job_id)
    command = commands.replay(job, shim.companies[0], executable="quickbooks-admin")
    assert command.arguments == ("quickbooks-admin", "failures", "replay", "--json", "--", "12", "15")
    assert command.variables["TARGET_QUICKBOOKS_CLIENT_SECRET"] == "secret-of-the-app"
    assert "secret-of-the-app" not in repr(command)
    shim.meltano.behave("umask > mask; exit 0")
    shim.receive("one")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)
    log = Path(shim.history()[0].log_path)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700
    assert (shim.meltano.directory / "mask").read_text().strip() == "0077"
    assert "WEBHOOK_SHIM_PASSWORD" not in shim.meltano.environment


async def test_the_runs_of_the_target_are_found_by_their_trigger(shim):
    """Meltano hands the variable on to the target, which keeps it with its run."""
    shim.meltano.hold()
    shim.receive("one")
    async with shim.running():
        await until(lambda: shim.meltano.calls and "TARGET_QUICKBOOKS_TRIGGER" in shim.meltano.environment)
        trigger = shim.meltano.environment["TARGET_QUICKBOOKS_TRIGGER"]
        for number in (1, 2):
            with shim.store.writing() as connection:
                name = f"run-{number}"
                run_table.start(connection, name, realm_id="1", mode="sync", trigger=trigger, now=now())
                counts = {"streams": {"vendors": {"created": number}}, "calls": {"reads": 1}}
                run_table.finish(connection, name, exit_code=0, counts=counts, now=now())
        shim.meltano.go()
        await until(lambda: shim.unsettled() == 0)
    job = shim.history()[0]
    assert trigger == f"webhook-shim event {job.id}"
    assert job.counts == {"streams": {"vendors": {"created": 3}}, "calls": {"reads": 2}}


async def test_refused_records_do_not_make_a_run_fail(shim):
    shim.receive("one")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)
    assert shim.meltano.environment["TARGET_QUICKBOOKS_FAIL_ON_FAILED_RECORDS"] == "false"


async def test_companies_run_side_by_side_up_to_the_limit_each_in_a_place_of_its_own(new_shim):
    shim = new_shim("a", "b", "c", max_runs=2)
    shim.meltano.hold()
    for books in shim.companies:
        shim.receive("one", books=books)
    async with shim.running():
        await until(lambda: len(shim.meltano.calls) == 2)
        running = [books for books in shim.companies if statuses(shim, books) == [Status.RUNNING]]
        assert len(running) == 2
        for _ in range(3):
            shim.meltano.go()
            await until(lambda: not (shim.meltano.directory / "go").exists())
        await until(lambda: not any(shim.unsettled(books) for books in shim.companies))
    suffixes = sorted(call.partition("--state-id-suffix ")[2].split()[0] for call in shim.meltano.calls)
    assert suffixes == ["a", "b", "c"]
    place = Path(shim.meltano.environment["MELTANO_SYS_DIR_ROOT"])
    assert place.parent == shim.settings.project_root / ".meltano" / "run" / "webhook-shim"


async def test_what_is_shared_in_meltanos_directory_is_linked(new_shim):
    shim = new_shim("a", "b")
    shared = shim.settings.project_root / ".meltano"
    (shared / "extractors" / "tap-bill").mkdir(parents=True)
    (shared / "run" / "tap-bill").mkdir(parents=True)
    place = Path(workplace.own_system_directory(shim.settings, "a", {})["MELTANO_SYS_DIR_ROOT"])
    assert (place / "extractors" / "tap-bill").is_dir()
    (place / "meltano.db").write_text("one for all")
    assert (shared / "meltano.db").read_text() == "one for all"
    assert not (place / "run").exists()
    assert workplace.own_system_directory(shim.settings, "a", {})["MELTANO_SYS_DIR_ROOT"] == str(place)


async def test_a_run_may_end_when_the_server_stops_and_the_rest_is_kept(shim):
    shim.meltano.hold()
    shim.receive("one")
    async with shim.running() as runner:
        await until(lambda: shim.meltano.calls)
        shim.receive("two")
        runner.wake()
        stopping = asyncio.create_task(runner.stop(patience=SOON))
        await asyncio.sleep(0)
        shim.meltano.go()
        await stopping
    assert statuses(shim) == [Status.SUCCEEDED]
    assert shim.unsettled() == 1
    assert len(shim.meltano.calls) == 1


async def test_a_run_that_does_not_end_in_time_is_stopped_with_the_server(shim):
    shim.meltano.hold()
    shim.receive("one")
    async with shim.running(patience=0.05):
        await until(lambda: shim.meltano.calls)
    assert statuses(shim) == [Status.STOPPED]
    assert shim.unsettled() == 1


async def test_whoever_is_in_a_hurry_does_not_wait_for_the_run(shim):
    shim.meltano.hold()
    shim.receive("one")
    async with shim.running() as runner:
        await until(lambda: shim.meltano.calls)
        runner.hurry()
    assert statuses(shim) == [Status.STOPPED]


async def test_work_left_by_a_killed_server_is_lost_and_its_events_are_run_again(shim):
    lost = shim.abandon("2026-11-22T11:46:51Z [info     ] meltano      Running job\n")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)
    assert shim.job(lost).status == Status.LOST
    assert statuses(shim) == [Status.LOST, Status.SUCCEEDED]


async def test_work_that_ended_well_after_its_server_was_killed_is_not_repeated(shim):
    done = shim.abandon(
        "2026-11-22T11:46:51Z [info     ] meltano      Block run completed\n"
        "2026-11-22T11:46:52Z [info     ] meltano      Run completed\n"
    )
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)
    assert shim.job(done).status == Status.SUCCEEDED
    assert shim.meltano.calls == []


async def test_work_on_another_host_that_died_is_lost(shim):
    lost = shim.abandon("[info     ] meltano      Running job\n", host="elsewhere")
    async with shim.running():
        await until(lambda: shim.job(lost).status == Status.LOST)
        await until(lambda: shim.unsettled() == 0)


async def test_a_process_that_outlives_its_server_is_waited_for(shim):
    """The server starts a run and is killed; the next one waits for the run and judges it by its log."""
    shim.meltano.hold(then="echo '[info     ] meltano      Run completed'; exit 0")
    log = shim.settings.log_path / "left.log"
    starter = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from webhook_shim import processes\n"
        "async def main():\n"
        f"    child = await processes.start(({str(shim.meltano.path)!r},), dict(os.environ),"
        f" directory=Path({str(shim.meltano.directory)!r}), log=Path({str(log)!r}))\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    killed = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = shim.abandon(pid=int(killed.stdout))
    assert processes.is_alive(log)
    async with shim.running():
        await until(lambda: shim.meltano.calls)
        assert shim.job(left).status == Status.RUNNING
        shim.meltano.go()
        await until(lambda: shim.unsettled() == 0)
    assert shim.job(left).status == Status.SUCCEEDED
    assert len(shim.meltano.calls) == 1


async def test_only_one_server_works_for_a_company(shim):
    name = f"shim:1:{shim.companies[0].organization_id}"
    lease_table.acquire(shim.store, name, "elsewhere process 1 shim", now=now(), seconds=60)
    shim.receive("one")
    async with shim.running():
        await asyncio.sleep(0.3)
        assert shim.meltano.calls == []
    lease_table.release(shim.store, name, "elsewhere process 1 shim")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)


async def test_the_lease_of_a_server_that_died_here_is_free_at_once(shim):
    place = this_process().partition(" process ")[0]
    name = f"shim:1:{shim.companies[0].organization_id}"
    lease_table.acquire(shim.store, name, f"{place} process 4194304 shim", now=now(), seconds=60)
    shim.receive("one")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)


async def test_a_replay_is_done_by_the_admin_command_and_its_report_is_kept(shim, monkeypatch, tmp_path):
    admin = tmp_path / "quickbooks-admin"
    admin.write_text('#!/bin/sh\necho told >&2\necho \'[{"failed": true}, {"failed": false}]\'\nexit 1\n')
    admin.chmod(0o755)
    monkeypatch.setattr("webhook_shim.jobs.sysconfig.get_path", lambda _: str(tmp_path))
    job_id = shim.ask(Kind.REPLAY, [3, 4])
    async with shim.running():
        await until(lambda: shim.job(job_id).status == Status.SUCCEEDED)
    job = shim.job(job_id)
    assert job.detail == "1 of 2 still fail."
    log = Path(job.log_path)
    assert log.read_text() == "told\n"
    assert json.loads(workplace.report_of(log).read_text()) == [{"failed": True}, {"failed": False}]


async def test_a_server_that_only_receives_runs_what_people_ask_for(new_shim):
    shim = new_shim(receive_only="true", fresh=True)
    shim.receive("one")
    job_id = shim.ask(Kind.PLAN)
    async with shim.running():
        await until(lambda: shim.job(job_id).status == Status.SUCCEEDED)
        assert shim.unsettled() == 1
    assert len(shim.meltano.calls) == 1
    report = Path(shim.job(job_id).log_path).with_suffix(".json")
    assert shim.meltano.environment["TARGET_QUICKBOOKS_PLAN_REPORT_PATH"] == str(report)


@pytest.mark.parametrize(
    ("exit_code", "counts", "left"),
    [(0, {}, 0), (1, {"streams": {"bills": {"failed": 1}}}, 0), (1, {"streams": {}}, 1)],
)
async def test_a_server_that_only_receives_sees_the_runs_of_others(new_shim, exit_code, counts, left):
    shim = new_shim(receive_only="true", fresh=True)
    shim.receive("one")
    later = now() + dt.timedelta(minutes=5)
    with shim.store.writing() as connection:
        run_table.start(connection, "r", realm_id="1", mode="sync", trigger="cron", now=later)
        run_table.finish(connection, "r", exit_code=exit_code, counts=counts, now=later)
    async with shim.running():
        await asyncio.sleep(0.2)
        assert shim.unsettled() == left


async def test_events_of_quickbooks_lead_to_a_check_and_to_no_run(shim):
    def check(books):
        with shim.store.writing() as connection:
            found = inbox_table.waiting(connection, System.QUICKBOOKS, books.realm_id)
            inbox_table.settle(
                connection, System.QUICKBOOKS, books.realm_id, up_to=found.last_id, job_id=None, now=now()
            )
        shim.checked.append(found.number)

    shim.receive("q1", "q2", system=System.QUICKBOOKS)
    async with shim.running(check=check):
        await until(lambda: shim.checked == [2])
    assert shim.meltano.calls == []
    assert shim.unsettled(system=System.QUICKBOOKS) == 0


async def test_a_comparison_of_the_books_keeps_its_verdict_with_the_job_and_its_reports_beside_the_log(shim):
    """Differences end Meltano with 1; that is no failure."""
    head = {"finished_at": "2026-11-22T02:47:00+00:00", "in_step": False, "differences": 2}
    head |= {"refused_on_record": 1, "checked": {"bills": 3}, "found": {"missing": 2}}
    total = {"currency": "USD", "bills": 3, "bill_sum": 30.10, "orders": 1, "order_sum": 10.05}
    text = json.dumps(head | {"totals": {"by_currency": [total], "by_vendor": []}})[:-1] + ',"findings":['
    reports = '"$TARGET_QUICKBOOKS_RECONCILE_REPORT_PATH"'
    shim.meltano.behave(f"printf '%s\\n' '{text}' ']}}' > {reports}/reconciliation.json; exit 1")
    job_id = shim.ask(Kind.RECONCILE)
    async with shim.running():
        await until(lambda: shim.job(job_id).status == Status.SUCCEEDED)
    job = shim.job(job_id)
    assert job.detail == "2 differences between the books, and 1 refused record on record."
    found = reconciliation.reconciled(job.counts)
    assert (found.in_step, found.differences, found.known) == (False, 2, 1)
    assert [(one.currency, str(one.difference)) for one in found.sums] == [("USD", "20.05")]
    directory = workplace.reports_of(Path(job.log_path))
    assert directory.stat().st_mode & 0o077 == 0
    past = time.time() - 91 * 24 * 3600
    os.utime(directory, (past, past))
    clean(shim.settings, shim.store, now() + dt.timedelta(days=91))
    assert not directory.exists()


async def test_a_comparison_that_broke_off_has_no_verdict(shim):
    reports = '"$TARGET_QUICKBOOKS_RECONCILE_REPORT_PATH"'
    shim.meltano.behave(
        f"""printf '{{"in_step": true,"findings":[' > {reports}/reconciliation.json; exit 1"""
    )
    job_id = shim.ask(Kind.RECONCILE)
    async with shim.running():
        await until(lambda: shim.job(job_id).status == Status.FAILED)
    assert reconciliation.reconciled(shim.job(job_id).counts) is None


async def test_what_is_old_is_forgotten(shim):
    shim.receive("one")
    async with shim.running():
        await until(lambda: shim.unsettled() == 0)
    log = Path(shim.history()[0].log_path)
    clean(shim.settings, shim.store, now() + dt.timedelta(days=89))
    assert log.exists()
    past = time.time() - 91 * 24 * 3600
    os.utime(log, (past, past))
    clean(shim.settings, shim.store, now() + dt.timedelta(days=91))
    assert not log.exists()
    assert shim.history() == []
    assert shim.settled_by() == {}
