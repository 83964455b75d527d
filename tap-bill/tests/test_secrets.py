"""No secret is ever printed, whatever goes wrong and however much is logged."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from ap_simulator.testing import running
from cryptography.fernet import Fernet

TAX_ID = "987-65-4321"


@pytest.fixture(scope="module")
def simulator():
    with running("demo") as simulator:
        simulator.on_loop(
            lambda world: world.bill.load(
                simulator.env()["TAP_BILL_ORGANIZATION_ID"],
                "vendors",
                [
                    {
                        "id": "00902TAXIDVENDOR0001",
                        "archived": False,
                        "name": "Solo Trader",
                        "additionalInfo": {"taxId": TAX_ID, "taxIdType": "SSN"},
                        "createdTime": "2026-01-01T00:00:00.000+00:00",
                        "updatedTime": "2026-01-01T00:00:00.000+00:00",
                    }
                ],
            )
        )
        yield simulator


@pytest.fixture
def environment(simulator, tmp_path):
    simulator.control.clear_faults()
    key = Fernet.generate_key().decode()
    return simulator.env() | {
        "TAP_BILL_SESSION_PATH": str(tmp_path / "sessions"),
        "TAP_BILL_ENCRYPTION_KEY": key,
        "TAP_BILL_LOGLEVEL": "DEBUG",
        "LOGLEVEL": "DEBUG",
        "TAP_BILL_MAX_RETRY_SECONDS": "1",
    }


#: The tap in a hurry, which also tells which sessions it was given.
WATCHED = """
import atexit, os, pathlib, requests
import tap_bill.client as client, tap_bill.limits as limits
client._FIRST_WAIT = client._LONGEST_WAIT = 0.01
limits._SECOND_LOOK = 0.01
sessions = set()
send = requests.Session.send
def watched(self, request, **kwargs):
    sessions.add(request.headers.get("sessionId"))
    return send(self, request, **kwargs)
requests.Session.send = watched
atexit.register(lambda: pathlib.Path(os.environ["SEEN"]).write_text("\\n".join(filter(None, sessions))))
from tap_bill.tap import TapBill
TapBill.cli()
"""


@pytest.fixture
def run(environment, tmp_path):
    def run(*arguments, **changes):
        """Run the tap; return its exit code, what it logged, and what of it is secret."""
        seen = tmp_path / "seen"
        given = environment | changes
        finished = subprocess.run(
            [sys.executable, "-c", WATCHED, "--config=ENV", *map(str, arguments)],
            env=os.environ | given | {"SEEN": str(seen)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        states = [line for line in finished.stdout.splitlines() if '"STATE"' in line]
        secrets = [given[f"TAP_BILL_{name}"] for name in ("PASSWORD", "DEV_KEY", "ENCRYPTION_KEY")]
        secrets += seen.read_text().split()
        return finished, finished.stderr + "".join(states), [*secrets, TAX_ID]

    return run


def assert_silent(printed, secrets):
    assert len(printed) > 100
    for secret in secrets:
        assert secret not in printed
        assert json.dumps(secret)[1:-1] not in printed


def test_a_run_with_every_fault_at_debug_prints_no_secret(run, simulator):
    kinds = [
        "throttle",
        "server_error",
        "html_error",
        "reset_before",
        "reset_after",
        "truncated",
        "slow_drip",
    ]
    for seed, kind in enumerate(kinds):
        simulator.control.add_fault(kind, system="bill", method="GET", probability=0.08, seed=seed)
    simulator.control.add_fault("expired_token", system="bill", method="GET", nth=9)
    simulator.control.add_fault("server_error", system="bill", path="/connect/v3/login", nth=1)

    finished, printed, secrets = run()

    assert finished.returncode == 0, finished.stderr[-2000:]
    assert "trying again" in printed
    assert len(secrets) >= 6  # Two sessions, three settings, a tax id.
    assert_silent(printed, secrets)
    # As data the tax id belongs to the vendor.
    assert TAX_ID in finished.stdout


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ({"kind": "server_error", "path": "/connect/v3/vendors"}, {}),
        ({"kind": "truncated", "path": "/connect/v3/login"}, {}),
        ({"kind": "expired_token", "path": "/connect/v3/bills"}, {}),
        ({"kind": "html_error", "path": "/connect/v3/login"}, {}),
        (None, {"TAP_BILL_PASSWORD": 'wrong "pass\\word" äöü'}),
        (None, {"TAP_BILL_DEV_KEY": "01WRONG&KEY=VALUE00"}),
        (None, {"TAP_BILL_ORGANIZATION_ID": "00802ANOTHERORGANIZT"}),
        (None, {"TAP_BILL_ENCRYPTION_KEY": "zzTOP-not-a-fernet-key"}),
        (None, {"TAP_BILL_PAGE_SIZE": "many"}),
        (None, {"TAP_BILL_START_DATE": "soon"}),
    ],
)
def test_a_run_that_fails_prints_no_secret(run, simulator, fault, changes):
    if fault is not None:
        simulator.control.add_fault(fault["kind"], system="bill", path=fault["path"])
    finished, printed, secrets = run(**changes)
    assert finished.returncode == 1
    assert len([line for line in finished.stderr.splitlines() if "| ERROR " in line]) == 1
    assert_silent(printed, secrets)


def test_the_connection_test_and_about_print_no_secret(run):
    for arguments in (["--test"], ["--about"]):
        finished, _, secrets = run(*arguments)
        assert finished.returncode == 0
        assert not any(secret in finished.stderr for secret in secrets)
    assert not any(secret in finished.stdout for secret in secrets)


def test_structured_logs_print_no_secret(run, simulator, tmp_path):
    """As under Meltano, whose log has tracebacks as fields."""
    config = tmp_path / "logging.yml"
    config.write_text(
        "{version: 1, disable_existing_loggers: false, root: {level: DEBUG, handlers: [out]}, "
        "formatters: {structured: {(): singer_sdk.logging.StructuredFormatter}}, "
        "handlers: {out: {class: logging.StreamHandler, formatter: structured, stream: ext://sys.stderr}}}"
    )
    simulator.control.add_fault("truncated", system="bill", path="/connect/v3/vendors")
    finished, printed, secrets = run(SINGER_SDK_LOG_CONFIG=str(config))
    assert finished.returncode == 1
    assert '"level":"error"' in printed
    assert_silent(printed, secrets)
