"""Runs without Meltano: the same jobs on the same plugins, bookmarks in the store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ap_simulator.testing import running
from target_quickbooks.links import Company
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from webhook_shim import direct
from webhook_shim.companies import TAP, configured_by
from webhook_shim.store import bookmarks_table, jobs_table

ROOT = Path(__file__).resolve().parents[3]
COMPANY = Company("9341452000000001", "00802DEMOORGANIZTN01")
RUN = (sys.executable, "-c", "from webhook_shim.cli import main; main()", "run")
#: As long as nothing else works on the machine, a job takes some three seconds.
SECONDS = 120


class Firm:
    """A company, and the command in an environment without Meltano."""

    def __init__(self, simulator, directory):
        self.control = simulator.control
        self.env = simulator.env()
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TAP_BILL_", "TARGET_QUICKBOOKS_", "WEBHOOK_SHIM_", "MELTANO_"))
        }
        self.environ = (
            inherited
            | self.env
            | {
                "WEBHOOK_SHIM_DIRECT": "true",
                "WEBHOOK_SHIM_MELTANO": "/nowhere/meltano",
                "WEBHOOK_SHIM_PROJECT_ROOT": str(directory),
            }
        )
        self.directory = directory
        self.store = open_store(
            self.env["TARGET_QUICKBOOKS_STORE_URL"], Cipher((self.env["TARGET_QUICKBOOKS_ENCRYPTION_KEY"],))
        )

    def run(self, job, **changes):
        done = subprocess.run(
            [*RUN, job, "--json"],
            cwd=self.directory,
            env=self.environ | changes,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        assert told["exit_code"] == done.returncode
        [result] = told["companies"]
        return result

    def bookmarks(self, pipeline="sync-vendors-and-bills"):
        with self.store.reading() as connection:
            return bookmarks_table.load(connection, COMPANY, pipeline).get("bookmarks", {})

    def job(self, result):
        with self.store.reading() as connection:
            return jobs_table.by_id(connection, result["job_id"])


@pytest.fixture
def firm(tmp_path):
    with running("empty", vendors=6, bills=9) as simulator:
        firm = Firm(simulator, tmp_path)
        yield firm
        firm.store.close()


def test_the_daily_job_writes_everything_and_a_second_one_goes_on_from_there(firm):
    first = firm.run("daily")
    assert (first["outcome"], first["created"], first["refused"]) == ("done", 15, 0), first
    assert len(firm.control.records("quickbooks", "PurchaseOrder")) == 9
    read = firm.bookmarks()
    assert read["bills"]["organization_id"] == COMPANY.organization_id
    assert set(firm.bookmarks("sync-payments-and-recurring")) <= {
        "payments",
        "recurring_bills",
        "vendor_credits",
    }
    firm.control.reset_stats()
    second = firm.run("sync")
    assert (second["outcome"], second["created"], second["updated"]) == ("done", 0, 0)
    assert firm.control.stats()["quickbooks"]["write_calls"] == 0
    paths = {endpoint.partition(" ")[2] for endpoint in firm.control.stats()["bill"]["by_endpoint"]}
    assert "/connect/v3/vendors" in paths
    assert "/connect/v3/payments" not in paths


def test_a_connection_that_is_gone_fails_the_job_with_the_reason_and_no_bookmark_moves(firm):
    firm.control.disconnect(COMPANY.realm_id)
    result = firm.run("sync")
    assert result["outcome"] == "failed"
    assert "no longer accepts the connection" in result["detail"]
    assert "vendors" not in firm.bookmarks()


def test_a_tap_that_fails_fails_the_job_with_its_reason(firm):
    result = firm.run("sync", TAP_BILL_PASSWORD="wrong", TAP_BILL_SESSION_PATH=str(firm.directory / "own"))
    assert result["outcome"] == "failed"
    assert result["detail"].startswith("BILL does not know this user and password")
    assert "vendors" not in firm.bookmarks()


def test_a_plan_writes_nothing_but_its_report(firm):
    result = firm.run("plan")
    assert result["outcome"] == "done", result
    assert json.loads(Path(result["report"]).read_text())["plan"]
    assert firm.control.stats()["quickbooks"]["write_calls"] == 0
    assert firm.bookmarks() == {}


def test_the_end_of_the_log_tells_a_later_server_that_it_went_well(firm):
    result = firm.run("sync")
    assert Path(result["log_path"]).read_text().rstrip().endswith(direct.COMPLETED)
    assert firm.job(result).exit_code == 0


def test_pipelines_select_what_the_jobs_of_the_project_select(firm):
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    selected = {
        plugin["name"]: {name.removesuffix(".*") for name in plugin.get("select", ())}
        for plugin in project["plugins"]["extractors"]
    }
    tasks = {job["name"]: job["tasks"][0].split()[0] for job in project["jobs"]}
    config = configured_by(TAP, firm.env)
    for name, pipeline in direct.PIPELINES.items():
        assert set(pipeline.streams) == selected[tasks[name]], name
        catalog = direct._catalog(config, pipeline.streams)
        chosen = {
            stream["tap_stream_id"]
            for stream in catalog["streams"]
            for entry in stream["metadata"]
            if not entry["breadcrumb"] and entry["metadata"]["selected"]
        }
        every = {stream["tap_stream_id"] for stream in catalog["streams"]}
        assert chosen == (set(pipeline.streams) or every)
