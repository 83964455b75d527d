"""The code location in Dagster's own environment: twenty companies for real, one run at a time for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from ap_simulator.testing import running
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from webhook_shim.events import Event, System
from webhook_shim.store import inbox_table
from webhook_shim.store.migrations import upgrade

ROOT = Path(__file__).resolve().parent.parent
DAGSTER = ROOT / ".venv-dagster" / "bin"
SHIM = Path(sys.executable).with_name("webhook-shim")
COMPANIES = 20
BROKEN, REFUSED = "company-03", "company-07"
OURS = (
    "TAP_BILL_",
    "TARGET_QUICKBOOKS_",
    "WEBHOOK_SHIM_",
    "MELTANO_",
    "VIRTUAL_ENV",
    "DAGSTER",
    "PYTHONPATH",
)
SECONDS = 900
IDS = ("TAP_BILL_ORGANIZATION_ID", "TARGET_QUICKBOOKS_REALM_ID")
TOKEN = "TARGET_QUICKBOOKS_REFRESH_TOKEN"

pytestmark = pytest.mark.timeout(SECONDS)


class Firm:
    """Many small companies on one simulator, with the list of them, a store and an instance of Dagster."""

    def __init__(self, simulator, directory):
        self.control = simulator.control
        self.simulator = simulator
        self.directory = directory
        self.names = [f"company-{number:02}" for number in range(1, COMPANIES + 1)]
        env = simulator.env()
        self.variables = {self.names[0]: env}
        for number, name in enumerate(self.names[1:], start=2):
            self.variables[name] = self.control.add_company(
                organization_id=f"00802COMPANY000000{number:02}",
                realm_id=f"93414520000001{number:02}",
                name=f"Company {number}",
                vendors=1,
                bills=1,
            )
        tokens = {f"TOKEN_{name[-2:]}": found[TOKEN] for name, found in self.variables.items()}
        listed = [
            {
                "name": name,
                "variables": {key: found[key] for key in IDS} | {TOKEN: f"${{TOKEN_{name[-2:]}}}"},
            }
            for name, found in self.variables.items()
        ]
        (directory / "companies.json").write_text(json.dumps(listed))
        home = directory / "home"
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environ = (
            inherited
            | env
            | tokens
            | {
                "BILL_QUICKBOOKS_COMMAND": str(SHIM),
                "DAGSTER_HOME": str(home),
                "WEBHOOK_SHIM_COMPANIES": "companies.json",
                "WEBHOOK_SHIM_DIRECT": "true",
                "WEBHOOK_SHIM_PROJECT_ROOT": str(directory),
            }
        )
        self.store = open_store(
            env["TARGET_QUICKBOOKS_STORE_URL"], Cipher((env["TARGET_QUICKBOOKS_ENCRYPTION_KEY"],))
        )
        with self.store.writing() as connection:
            upgrade(connection)

    def realm(self, name):
        return self.variables[name]["TARGET_QUICKBOOKS_REALM_ID"]

    def organization(self, name):
        return self.variables[name]["TAP_BILL_ORGANIZATION_ID"]

    def receive(self, name):
        event = Event(System.BILL, self.organization(name), "e", "vendor.created", "vendor", "v", None)
        with self.store.writing() as connection:
            inbox_table.put(connection, [event], now=datetime.now(UTC))

    def waiting(self):
        with self.store.reading() as connection:
            return {
                name
                for name in self.names
                if inbox_table.waiting(connection, System.BILL, self.organization(name))
            }

    def vendors(self, name):
        return self.control.records("quickbooks", "Vendor", realm=self.realm(name))

    def execute(self, **asked):
        done = subprocess.run(
            [DAGSTER / "python", ROOT / "tests" / "dagster" / "execute.py", json.dumps(asked)],
            cwd=self.directory,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-5000:]
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    with running("empty", vendors=1, bills=1) as simulator:
        firm = Firm(simulator, tmp_path_factory.mktemp("firm"))
        yield firm
        firm.store.close()


@pytest.fixture(scope="module")
def told(firm, books_of):
    """Events for each of twenty companies; one has lost its connection, one has a vendor without a name."""
    for name in firm.names:
        firm.receive(name)
    firm.control.disconnect(firm.realm(BROKEN))
    env = firm.simulator.env() | firm.variables[REFUSED]
    own = SimpleNamespace(env=lambda: env, control=firm.control)
    books_of(own, firm.directory).bill.vendor(":")
    return firm.execute(parallel=2)


def test_the_sensor_asks_once_for_each_company_that_has_events(firm, told):
    first, second = told["ticks"]
    assert [company for _, company, _ in first] == firm.names
    assert first == second
    assert len({run_key for run_key, _, _ in first}) == COMPANIES
    assert all(tags["bill-quickbooks/company"] == company for _, company, tags in first)


def test_twenty_companies_are_brought_in_step_and_their_events_settled(firm, told):
    runs = {run["company"]: run for run in told["runs"]}
    assert set(runs) == set(firm.names)
    assert [name for name, run in runs.items() if not run["success"]] == [BROKEN]
    for name in set(firm.names) - {BROKEN}:
        metadata = runs[name]["metadata"]
        assert (metadata["created"], metadata["outcome"]) == (2, "refused" if name == REFUSED else "done")
        assert Path(metadata["log"]).is_file()
        assert len(firm.vendors(name)) == 1
        assert runs[name]["tags"] == {"bill-quickbooks/company": name}
    assert firm.waiting() == {BROKEN}
    assert told["materialized"]["vendors_and_bills"] == sorted(set(firm.names) - {BROKEN})


def test_a_company_that_fails_is_tried_again_and_leaves_the_others_alone(firm, told):
    runs = {run["company"]: run for run in told["runs"]}
    assert {name: run["attempts"] for name, run in runs.items() if run["attempts"] > 1} == {BROKEN: 2}
    assert "no longer accepts the connection" in runs[BROKEN]["failure"]
    assert firm.vendors(BROKEN) == []


def test_refused_records_are_a_verdict(told):
    verdicts = {run["company"]: run["checks"]["nothing_refused"] for run in told["runs"] if run["success"]}
    assert {name for name, verdict in verdicts.items() if not verdict["passed"]} == {REFUSED}
    assert verdicts[REFUSED]["severity"] == "WARN"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the package makes of outcomes, interruptions, broken commands and the time."""
    done = subprocess.run(
        [DAGSTER / "python", ROOT / "tests" / "dagster" / "verdicts.py", tmp_path_factory.mktemp("verdicts")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout)


def test_each_outcome_is_seen_as_what_it_is(shown):
    """Books that differ fail their partition, and are not compared again; what may pass is tried again."""
    assert shown["verdicts"] == {
        "done": {"materialized": True, "check": [True, "WARN"], "retried": None},
        "refused": {"materialized": True, "check": [False, "WARN"], "retried": None},
        "differences": {"materialized": False, "check": [False, "ERROR"], "retried": False},
        "failed": {"materialized": False, "check": None, "retried": True},
        "busy": {"materialized": False, "check": None, "retried": True},
        "stopped": {"materialized": False, "check": None, "retried": False},
    }


def test_a_run_that_is_interrupted_is_stopped_in_good_order(shown):
    assert shown["interrupted"] == {"interrupted": True, "stopped": True}


def test_a_command_that_comes_to_no_result_says_why(shown):
    mute, wordy, missing = shown["broken"]
    assert mute.endswith("it ended with exit code 3")
    assert wordy.endswith("The settings are wrong.")
    assert "could not be started" in missing


def test_companies_take_turns_minute_by_minute_and_all_come_once_a_day(shown):
    turns, schedules = shown["requests"]["turns"], shown["requests"]["schedules"]
    companies = {f"c{number}" for number in range(12)}
    assert turns[:5] == turns[5:]
    assert sorted(name for turn in turns[:5] for name in turn) == sorted(companies)
    assert set(schedules["bill_quickbooks_daily_at"]) == companies
    assert set(schedules["bill_quickbooks_reconcile_at"]) == companies
    assert schedules["bill_quickbooks_sync_every_5_minutes"] in turns


def test_the_instance_that_is_shipped_lets_one_run_at_a_time_at_each_company(shown):
    coordinator, limits = shown["limits"]
    assert coordinator == "QueuedRunCoordinator"
    assert limits == [
        {"key": "bill-quickbooks/company", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    ]


def test_the_sensor_does_not_ask_again_while_a_run_waits_in_the_queue(shown):
    """That run will cover what comes meanwhile."""
    assert shown["asked"] == ["b", None, "a", "b"]
