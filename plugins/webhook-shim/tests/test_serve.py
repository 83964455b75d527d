"""The server as people start it: a process of its own, with a Meltano that does what the test tells it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests
from click.testing import CliRunner
from webhook_shim.cli import commands
from webhook_shim.events import System
from webhook_shim.store import inbox_table
from webhook_shim.store.jobs_table import Status

SERVE = (sys.executable, "-c", "from webhook_shim.cli import main; main()", "serve")


def test_it_serves_catches_up_and_ends_as_signals_do(server):
    server.start()
    server.until(lambda: server.jobs() == [Status.SUCCEEDED])
    assert server.calls[0].startswith("run --run-id ")
    assert requests.get(f"{server.url}/", timeout=10).ok
    assert server.end() == 128 + signal.SIGTERM
    assert "Traceback" not in server.log.read_text()


def test_an_event_of_quickbooks_is_taken_from_a_signed_delivery(server):
    server.start()
    event = {"id": "e1", "type": "qbo.account.created.v1", "intuitaccountid": "1", "intuitentityid": "5"}
    body = json.dumps([event]).encode()
    signature = base64.b64encode(hmac.new(server.token.encode(), body, hashlib.sha256).digest()).decode()
    answer = requests.post(
        f"{server.url}/webhooks/quickbooks/1",
        data=body,
        headers={"intuit-signature": signature},
        timeout=10,
    )
    assert answer.json() == {"received": 1, "new": 1}

    def settled():
        with server.store.reading() as connection:
            return inbox_table.latest(connection, System.QUICKBOOKS, "1")[0].settled_at

    server.until(settled)


def test_the_first_signal_lets_the_run_end(server):
    server.hold()
    server.start()
    server.until(lambda: server.calls)
    server.process.send_signal(signal.SIGTERM)
    server.until(lambda: "Waiting for what is under way" in server.log.read_text())
    server.go()
    assert server.process.wait(server.seconds) == 128 + signal.SIGTERM
    assert server.jobs() == [Status.SUCCEEDED]


def test_the_second_signal_has_the_run_stopped(server):
    server.hold()
    server.start()
    server.until(lambda: server.calls)
    server.process.send_signal(signal.SIGINT)
    server.until(lambda: "Waiting for what is under way" in server.log.read_text())
    assert server.end(signal.SIGINT) == 128 + signal.SIGINT
    assert server.jobs() == [Status.STOPPED]


def test_a_killed_server_loses_no_event_and_leaves_its_run_to_the_next(server):
    server.receive("before")
    server.hold()
    server.start()
    server.until(lambda: server.calls)
    server.until(lambda: server.jobs() == [Status.RUNNING])
    server.receive("during")
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    server.start()
    server.until(lambda: "waiting for it" in server.log.read_text())
    assert len(server.calls) == 1
    server.go()
    server.until(lambda: server.unsettled() is None)
    assert set(server.jobs()) == {Status.SUCCEEDED}
    assert len(server.calls) == 2


def test_an_address_in_use_is_told_in_one_line(server):
    with socket.create_server(("127.0.0.1", server.port)):
        done = subprocess.run(
            SERVE,
            env=server.environ,
            capture_output=True,
            text=True,
            timeout=server.seconds,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"webhook-shim: Cannot listen on 127.0.0.1 port {server.port}: Address already in use. Set "
        "WEBHOOK_SHIM_HOST and WEBHOOK_SHIM_PORT, or stop what listens there.\n"
    )


def test_a_project_without_meltano_is_told_in_one_line(tmp_path, server):
    environ = server.environ | {"WEBHOOK_SHIM_MELTANO": str(tmp_path / "nowhere")}
    done = subprocess.run(
        SERVE,
        env=environ,
        capture_output=True,
        text=True,
        timeout=server.seconds,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("webhook-shim: Meltano could not be asked")
    assert done.stderr.count("\n") == 1


def test_help_has_examples():
    done = CliRunner().invoke(commands, ["serve", "--help"])
    assert done.exit_code == 0
    assert "Examples:\n    webhook-shim serve\n    meltano invoke webhook-shim:serve\n" in done.output


def test_the_logs_of_runs_are_where_the_settings_say(server):
    server.start()
    server.until(lambda: server.jobs() == [Status.SUCCEEDED])
    server.end()
    [log] = Path(server.directory, "logs", "runs").glob("*.log")
    assert "Run completed" in log.read_text()
