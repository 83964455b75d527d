"""The real Meltano, from its own environment, on a copy of this project: install, run, jobs, checks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ap_simulator.company.demo import EXPECTED_REFUSALS
from ap_simulator.testing import running

ROOT = Path(__file__).resolve().parent.parent
MELTANO = ROOT / ".venv-meltano" / "bin" / "meltano"

pytestmark = [pytest.mark.meltano, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def project(new_project):
    with running("demo") as simulator:
        yield new_project(simulator)


@pytest.fixture(scope="module")
def first_run(project):
    """`meltano run` with the defaults: five records are refused, so it ends with 1, and state is kept."""
    return project.meltano("run", "tap-bill", "target-quickbooks")


def test_the_connection_check_of_the_tap_passes(project):
    done = project.meltano("config", "test", "tap-bill")
    assert done.returncode == 0, done.stderr
    assert "Plugin configuration is valid" in done.stdout + done.stderr


def test_the_connection_check_of_the_target_passes_and_writes_nothing(project):
    """Meltano sends a stream of its own, and takes any line that mentions an error as a failure.

    After its verdict Meltano 4.4.1 stops a process that has already ended, which fails; so the verdict is
    what counts here, not Meltano's exit code.
    """
    before = project.simulator.control.stats()["quickbooks"]["written"]
    done = project.meltano("config", "test", "target-quickbooks")
    assert "Test data was written to your target system" in done.stdout + done.stderr
    assert project.simulator.control.stats()["quickbooks"]["written"] == before


def test_a_run_with_refused_records_fails_keeps_its_state_and_says_why(project, first_run):
    assert first_run.returncode == 1
    for refusal in EXPECTED_REFUSALS:
        assert refusal.bill_id in first_run.stderr
    bookmark = project.states()["singer_state"]["bookmarks"]["bills"]["replication_key_value"]
    assert bookmark == max(bill["updatedTime"] for bill in project.simulator.control.records("bill", "bills"))


def test_a_second_run_writes_nothing_and_can_be_told_to_tolerate_failures(project, first_run):
    assert first_run.returncode == 1
    project.simulator.control.reset_stats()
    tolerant = {"TARGET_QUICKBOOKS_FAIL_ON_FAILED_RECORDS": "false"}
    done = project.meltano("run", "tap-bill", "target-quickbooks", **tolerant)
    assert done.returncode == 0, done.stderr
    assert project.simulator.control.stats()["quickbooks"]["write_calls"] == 0


def test_the_plan_job_writes_nothing_and_keeps_no_state(project, first_run):
    assert first_run.returncode == 1
    project.simulator.control.reset_stats()
    done = project.meltano("run", "plan", TARGET_QUICKBOOKS_FAIL_ON_FAILED_RECORDS="false")
    assert done.returncode == 0, done.stderr
    assert "Plan: " in done.stderr
    assert project.simulator.control.stats()["quickbooks"]["write_calls"] == 0


def test_the_reconcile_job_reads_everything_each_time_and_says_whether_the_books_agree(project, first_run):
    assert first_run.returncode == 1
    project.simulator.control.reset_stats()
    for _ in range(2):
        done = project.meltano("run", "reconcile")
        assert done.returncode == 0, done.stderr
        assert "Both books agree to the cent" in done.stderr
        assert "600 bills" in done.stderr
    assert project.simulator.control.stats()["quickbooks"]["write_calls"] == 0


def test_the_partial_jobs_read_their_own_streams(project, first_run):
    assert first_run.returncode == 1
    wanted = {
        "sync-vendors-and-bills": ({"/connect/v3/vendors", "/connect/v3/bills"}, {"/connect/v3/payments"}),
        "sync-payments-and-recurring": (
            {"/connect/v3/payments", "/connect/v3/recurringbills"},
            {"/connect/v3/vendors"},
        ),
    }
    for job, (read, left) in wanted.items():
        project.simulator.control.reset_stats()
        done = project.meltano("run", job, TARGET_QUICKBOOKS_FAIL_ON_FAILED_RECORDS="false")
        assert done.returncode == 0, done.stderr
        stats = project.simulator.control.stats()
        paths = {endpoint.partition(" ")[2] for endpoint in stats["bill"]["by_endpoint"]}
        assert read <= paths
        assert not left & paths
        assert stats["quickbooks"]["write_calls"] == 0


def test_no_secret_appears_in_anything_meltano_printed(project, first_run):
    assert first_run.returncode == 1
    env = project.simulator.env()
    secrets = [
        env[name]
        for name in env
        if name.endswith(("PASSWORD", "SECRET", "TOKEN", "DEV_KEY", "ENCRYPTION_KEY"))
    ]
    tax_ids = [
        vendor["additionalInfo"]["taxId"]
        for vendor in project.simulator.control.records("bill", "vendors")
        if vendor.get("additionalInfo", {}).get("taxId")
    ]
    logs = "".join(
        path.read_text(errors="replace") for path in project.directory.rglob("*.log") if path.is_file()
    )
    assert len(tax_ids) > 20
    for secret in [*secrets, *tax_ids]:
        assert secret not in project.output
        assert secret not in logs


def test_every_environment_job_and_schedule_is_there(project):
    definition = yaml.safe_load((project.directory / "meltano.yml").read_text())
    assert [environment["name"] for environment in definition["environments"]] == [
        "simulator",
        "sandbox",
        "production",
    ]
    jobs = {job["name"] for job in definition["jobs"]}
    assert {"sync", "sync-vendors-and-bills", "sync-payments-and-recurring", "plan", "reconcile"} <= jobs
    done = project.meltano("schedule", "list", "--format=json")
    assert done.returncode == 0, done.stderr
    schedules = json.loads(done.stdout[done.stdout.index("{") :])["schedules"]["job"]
    assert {schedule["job"]["name"] for schedule in schedules} <= jobs


def test_the_hub_definitions_follow_the_settings():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "definitions.py", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
