"""Wrong credentials, realms and grants on either side: one line that says what to do, nothing written."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from ap_simulator.testing import running

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def server():
    with running("empty", vendors=3, bills=0) as simulator:
        yield simulator


@pytest.fixture
def simulator(server):
    server.control.clear_faults()
    server.control.reset()
    server.control.reset_stats()
    return server


def run(simulator, tmp_path, command, **changes):
    """Run a shell command line with the simulator's own settings."""
    settings = {**simulator.env(), "TARGET_QUICKBOOKS_MAX_RETRY_SECONDS": "1", **changes}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "LOGLEVEL": "WARNING", **settings},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def complaint(result, plugin):
    """The last line of the plugin that failed, after checking what else there is."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if plugin in line]
    assert lines, result.stderr
    return lines[-1]


PIPE = "tap-bill --config=ENV | target-quickbooks --config=ENV"


def test_a_wrong_bill_password_stops_the_pipe(simulator, tmp_path):
    result = run(simulator, tmp_path, PIPE, TAP_BILL_PASSWORD="wrong-password")
    line = complaint(result, "tap-bill")
    assert "password" in line.lower()
    assert "wrong-password" not in result.stderr
    assert simulator.control.stats()["quickbooks"]["write_calls"] == 0


def test_a_wrong_developer_key_is_told_apart_from_a_wrong_password(simulator, tmp_path):
    result = run(simulator, tmp_path, PIPE, TAP_BILL_DEV_KEY="01WRONGDEVELOPERKEY1")
    assert "developer key" in complaint(result, "tap-bill").lower()
    assert "01WRONGDEVELOPERKEY1" not in result.stderr


def test_a_wrong_client_secret_says_where_the_right_one_is(simulator, tmp_path):
    result = run(simulator, tmp_path, PIPE, TARGET_QUICKBOOKS_CLIENT_SECRET="wrong-secret")
    assert "client_id and client_secret" in complaint(result, "target-quickbooks")
    assert "wrong-secret" not in result.stderr


def test_an_unknown_realm_is_named(simulator, tmp_path):
    result = run(simulator, tmp_path, PIPE, TARGET_QUICKBOOKS_REALM_ID="1234567890")
    assert "1234567890" in complaint(result, "target-quickbooks")
    assert simulator.control.stats()["quickbooks"]["written"] == {}


def test_a_revoked_grant_says_how_to_reconnect(simulator, tmp_path):
    simulator.control.disconnect("9341452000000001")
    line = complaint(run(simulator, tmp_path, PIPE), "target-quickbooks")
    assert "quickbooks-admin connect" in line


def test_a_grant_revoked_between_two_runs_says_how_to_reconnect(simulator, tmp_path):
    assert run(simulator, tmp_path, PIPE).returncode == 0
    simulator.control.disconnect("9341452000000001")
    simulator.control.advance(7200)
    vendor = json.dumps({"id": "00999", "organizationId": "00802DEMOORGANIZTN01", "name": "Later"})
    schema = '{"type": "SCHEMA", "stream": "vendors", "schema": {"properties": {}}, "key_properties": ["id"]}'
    message = f'{{"type": "RECORD", "stream": "vendors", "record": {vendor}}}'
    command = f"printf '%s\\n' {shlex.quote(schema)} {shlex.quote(message)} | target-quickbooks --config=ENV"
    assert "quickbooks-admin connect" in complaint(run(simulator, tmp_path, command), "target-quickbooks")


def test_the_lines_of_status_env_are_all_that_the_pipe_needs(simulator, tmp_path):
    url = simulator.url.rpartition(":")[2]
    command = f'set -a; eval "$(ap-simulator status --env --port {url})"; set +a; {PIPE}'
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    vendors = simulator.control.records("quickbooks", "Vendor")
    assert len([vendor for vendor in vendors if vendor["Active"]]) >= 3
