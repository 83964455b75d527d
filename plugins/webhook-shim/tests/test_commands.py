"""Which process does a job, and how its end is read."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest
from target_quickbooks.errors import RunConflict
from target_quickbooks.links import Company
from target_quickbooks.process import this_process
from target_quickbooks.run_lease import RunLease
from target_quickbooks.store import lease_table
from webhook_shim import commands
from webhook_shim.commands import Stop, Verdict
from webhook_shim.store.jobs_table import Job, Kind, Status
from webhook_shim.store.opening import open_for

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
RUN_ID = "65ba9a10-d740-40e7-bc66-256fcc06090b"

GOOD_END = """\
2026-11-22T12:14:13Z [info     ] target-quickbooks No vendors or bills arrived.
2026-11-22T12:14:14Z [info     ] meltano      Block run completed
2026-11-22T12:14:14Z [info     ] meltano      Run completed
"""
TAP_FAILED = """\
2026-11-22T11:46:51Z [error    ] tap-bill-vendors-and-bills BILL does not know this user and password
2026-11-22T11:46:51Z [error    ] meltano      Extractor failed
2026-11-22T11:46:51Z [error    ] meltano      Block run completed
2026-11-22T11:46:51Z [info     ] meltano      Run completed
"""
TARGET_FAILED = """\
2026-11-22T11:46:51Z [info     ] target-quickbooks target-quickbooks: The grant ended. Reconnect.
2026-11-22T11:46:51Z [error    ] meltano      Loader failed
2026-11-22T11:46:51Z [error    ] meltano      Block run completed
2026-11-22T11:46:51Z [info     ] meltano      Run completed
"""


def job(kind=Kind.SYNC, reason="event", arguments=()):
    return Job(RUN_ID, Company("1", "O"), kind, reason, Status.RUNNING, NOW, arguments)


def judge(exit_code, log="", *, kind=Kind.SYNC, report="", stop=None, outcome=None):
    return commands.judge(kind, exit_code, log, report=report, stop=stop, outcome=outcome)


def meltano(books, kind=Kind.SYNC, **changes):
    usual = {"executable": "meltano", "environment": "production", "suffix": "", "report": "/r.json"}
    return commands.meltano(job(kind), books, **usual | changes)


@pytest.mark.parametrize(
    ("kind", "blocks"),
    [
        (Kind.SYNC, ("sync-vendors-and-bills",)),
        (Kind.DAILY, ("sync-vendors-and-bills", "sync-payments-and-recurring")),
        (Kind.PLAN, ("tap-bill", "target-quickbooks-plan")),
        (Kind.RECONCILE, ("reconcile",)),
    ],
)
def test_what_meltano_runs(new_books, kind, blocks):
    found = meltano(new_books(), kind)
    assert found.arguments == ("meltano", "--environment", "production", "run", "--run-id", RUN_ID, *blocks)
    assert ("TARGET_QUICKBOOKS_PLAN_REPORT_PATH" in found.variables) == (kind == Kind.PLAN)
    assert ("TARGET_QUICKBOOKS_RECONCILE_REPORT_PATH" in found.variables) == (kind == Kind.RECONCILE)


def test_several_companies_have_bookmarks_of_their_own(new_books):
    assert "--state-id-suffix north" in " ".join(meltano(new_books(), suffix="north").arguments)


def test_without_an_environment_meltano_takes_its_own(new_books):
    assert meltano(new_books(), environment="").arguments[:2] == ("meltano", "run")


def test_the_trigger_fits_into_the_audit_trail():
    longest = commands.trigger(job(reason="a person with a long name"))
    assert len(longest) == 64
    assert longest.endswith(RUN_ID)


def test_a_process_inherits_nothing_that_is_the_shims_own(new_books):
    inherited = {
        "PATH": "/bin",
        "WEBHOOK_SHIM_PASSWORD": "x",
        "MELTANO_UTILITY_NAME": "webhook-shim",
        "TARGET_QUICKBOOKS_REALM_ID": "2",
    }
    assert commands.environment(inherited, meltano(new_books())).keys() >= {
        "PATH",
        "TARGET_QUICKBOOKS_REALM_ID",
    }
    replay = commands.replay(job(Kind.REPLAY, arguments=[1]), new_books(), executable="q")
    found = commands.environment(inherited, replay)
    assert not any(name.startswith(("WEBHOOK_SHIM", "MELTANO_UTILITY")) for name in found)
    assert found["TARGET_QUICKBOOKS_REALM_ID"] == "9341452000000001"


def test_a_replay_is_told_maps_and_switches_as_the_target_reads_them(new_books):
    books = new_books(account_map={"a": "1"}, fail_on_failed_records=True, report_path=None)
    found = commands.replay(job(Kind.REPLAY, arguments=[1]), books, executable="q").variables
    assert json.loads(found["TARGET_QUICKBOOKS_ACCOUNT_MAP"]) == {"a": "1"}
    assert found["TARGET_QUICKBOOKS_FAIL_ON_FAILED_RECORDS"] == "true"
    assert "TARGET_QUICKBOOKS_REPORT_PATH" not in found


def test_only_numbers_reach_the_arguments_of_a_replay(new_books):
    with pytest.raises(ValueError, match="invalid literal"):
        commands.replay(job(Kind.REPLAY, arguments=["--all"]), new_books(), executable="q")


@pytest.mark.parametrize(
    ("log", "detail"),
    [
        (TAP_FAILED, "BILL does not know this user and password"),
        (TARGET_FAILED, "The grant ended. Reconnect."),
        ("[error    ] meltano      Loader failed\n", "Loader failed"),
        ("quickbooks-admin: realm_id is missing.\n", "realm_id is missing."),
        ("", "It ended with exit code 1; its log says more."),
        ("[error    ] tap-bill Bearer eyJhbGciOiJIUzI1NiJ9.x is refused\n", "[hidden] is refused"),
    ],
)
def test_a_failure_says_what_a_person_should_read_first(log, detail):
    assert judge(1, log) == Verdict(Status.FAILED, detail)


def test_the_target_that_finds_another_run_is_understood(new_books):
    """Its own words, not a copy of them: a change there shows here."""
    store = open_for((new_books(),))
    lease_table.acquire(store, "run:1", "elsewhere process 1", now=NOW, seconds=60)
    lease = RunLease(
        store, realm_id="1", run_id=this_process(), wait_seconds=0, now=lambda: NOW, sleep=time.sleep
    )
    with pytest.raises(RunConflict) as conflict:
        lease.take()
    store.close()
    log = TARGET_FAILED.replace("The grant ended. Reconnect.", str(conflict.value))
    assert judge(1, log) == Verdict(Status.WAITING, str(conflict.value))
    assert judge(1, f"quickbooks-admin: {conflict.value}\n", kind=Kind.REPLAY).status is Status.WAITING


@pytest.mark.parametrize(
    ("log", "status"),
    [
        (GOOD_END, Status.SUCCEEDED),
        (TAP_FAILED, Status.LOST),
        (GOOD_END.rpartition("2026")[0], Status.LOST),
        (f"{TAP_FAILED}{GOOD_END}", Status.LOST),
        ("", Status.LOST),
    ],
)
def test_a_run_whose_end_nobody_saw_is_judged_by_its_log(log, status):
    assert judge(None, log).status is status


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        ('[{"failed": false}]', Verdict(Status.SUCCEEDED)),
        ('[{"failed": true}, {"failed": false}]', Verdict(Status.SUCCEEDED, "1 of 2 still fail.")),
        ("", Verdict(Status.FAILED, "It ended with exit code 1; its log says more.")),
        ('{"odd": 1}', Verdict(Status.FAILED, "It ended with exit code 1; its log says more.")),
    ],
)
def test_a_replay_has_done_its_work_once_it_reports(report, verdict):
    assert judge(1, kind=Kind.REPLAY, report=report) == verdict


@pytest.mark.parametrize("exit_code", [0, 1, 2, None])
def test_differences_are_what_a_reconciliation_is_for_and_no_failure(exit_code):
    """Meltano makes 1 of the loader's 2; what tells is that there is a result."""
    found = judge(exit_code, kind=Kind.RECONCILE, outcome="2 differences between the books.")
    assert found == Verdict(Status.SUCCEEDED, "2 differences between the books.")


@pytest.mark.parametrize(
    ("exit_code", "stop", "status"),
    [
        (0, None, Status.FAILED),
        (1, None, Status.FAILED),
        (None, None, Status.LOST),
        (143, Stop.SHUTDOWN, Status.STOPPED),
        (143, Stop.LIMIT, Status.FAILED),
    ],
)
def test_a_reconciliation_without_a_result_is_none(exit_code, stop, status):
    assert judge(exit_code, kind=Kind.RECONCILE, stop=stop).status is status


def test_a_run_that_was_stopped_did_not_fail_unless_it_took_too_long():
    assert judge(143, stop=Stop.SHUTDOWN).status is Status.STOPPED
    assert judge(143, stop=Stop.LIMIT).status is Status.FAILED
    assert judge(0, stop=Stop.SHUTDOWN).status is Status.SUCCEEDED


def test_the_counts_of_several_runs_are_added_up():
    one = {"streams": {"vendors": {"created": 2}}, "calls": {"reads": 3}}
    two = {"streams": {"vendors": {"created": 1, "failed": 1}, "bills": {"created": 5}}, "note": "kept out"}
    assert commands.added_up([one, two]) == {
        "streams": {"vendors": {"created": 3, "failed": 1}, "bills": {"created": 5}},
        "calls": {"reads": 3},
    }
    assert commands.added_up([]) == {}
