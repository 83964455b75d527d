"""The server as people start it: a process of its own, with a Meltano that does what the test tells it."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from cryptography.fernet import Fernet
from target_quickbooks.links import Company
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from webhook_shim.cli import commands
from webhook_shim.events import Event, System
from webhook_shim.store import inbox_table, jobs_table
from webhook_shim.store.jobs_table import Status
from webhook_shim.store.migrations import upgrade

TAP = {"organization_id": "O", "dev_key": "d", "username": "u", "password": "p", "environment": "sandbox"}
TOKEN = "verifier-token"
SECONDS = 60
_SCRIPT = """#!/bin/sh
cd "{directory}"
case "$*" in
  *"config --unsafe print tap-bill"*) cat tap.json ;;
  *"config --unsafe print target-quickbooks"*) cat target.json ;;
  *)
    echo "$*" >> calls
    . ./behaviour
    echo "[info     ] meltano      Run completed" ;;
esac
"""


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


class Server:
    """A project in a directory, and the server that is started in it."""

    def __init__(self, directory, **variables):
        self.directory = directory
        key = Fernet.generate_key().decode()
        target = {
            "client_id": "c",
            "client_secret": "s",
            "realm_id": "1",
            "encryption_key": key,
            "store_url": f"sqlite:///{directory / 'store.sqlite3'}",
        }
        (directory / "tap.json").write_text(json.dumps(TAP))
        (directory / "target.json").write_text(json.dumps(target))
        meltano = directory / "meltano"
        meltano.write_text(_SCRIPT.format(directory=directory))
        meltano.chmod(0o755)
        (directory / "calls").touch()
        self.behave(":")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WEBHOOK_SHIM_")},
            "MELTANO_PROJECT_ROOT": str(directory),
            "WEBHOOK_SHIM_MELTANO": str(meltano),
            "WEBHOOK_SHIM_PORT": str(self.port),
            "WEBHOOK_SHIM_DEBOUNCE_SECONDS": "0",
            "WEBHOOK_SHIM_QUICKBOOKS_VERIFIER_TOKEN": TOKEN,
            **variables,
        }
        self.store = open_store(target["store_url"], Cipher((key,)))
        with self.store.writing() as connection:
            upgrade(connection)
        self.process = None
        self.log = directory / "server.log"

    def behave(self, script):
        (self.directory / "behaviour").write_text(f"{script}\n")

    def hold(self):
        self.behave("trap 'exit 143' TERM; while [ ! -e go ]; do sleep 0.02; done")

    def go(self):
        (self.directory / "go").touch()

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from webhook_shim.cli import main; main()", "serve"],
                env=self.environ,
                cwd=self.directory,
                stdout=log,
                stderr=log,
            )
        until(self.is_ready)

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/readyz", timeout=10).ok

    @property
    def calls(self):
        return (self.directory / "calls").read_text().splitlines()

    def jobs(self):
        company = Company("1", "O")
        with self.store.reading() as connection:
            return [job.status for job in reversed(jobs_table.history(connection, company))]

    def receive(self, name):
        event = Event(System.BILL, "O", name, "vendor.created", "vendor", "v", None)
        with self.store.writing() as connection:
            inbox_table.put(connection, [event], now=dt.datetime.now(dt.UTC))

    def unsettled(self):
        with self.store.reading() as connection:
            return inbox_table.waiting(connection, System.BILL, "O")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    if server.process and server.process.poll() is None:
        server.process.kill()
        server.process.wait(SECONDS)
    server.go()
    server.store.close()


def test_it_serves_catches_up_and_ends_as_signals_do(server):
    server.start()
    until(lambda: server.jobs() == [Status.SUCCEEDED])
    assert server.calls[0].startswith("run --run-id ")
    assert requests.get(f"{server.url}/", timeout=10).ok
    assert server.end() == 128 + signal.SIGTERM
    assert "Traceback" not in server.log.read_text()


def test_an_event_of_quickbooks_is_taken_from_a_signed_delivery(server):
    server.start()
    event = {"id": "e1", "type": "qbo.account.created.v1", "intuitaccountid": "1", "intuitentityid": "5"}
    body = json.dumps([event]).encode()
    signature = base64.b64encode(hmac.new(TOKEN.encode(), body, hashlib.sha256).digest()).decode()
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

    until(settled)


def test_the_first_signal_lets_the_run_end(server):
    server.hold()
    server.start()
    until(lambda: server.calls)
    server.process.send_signal(signal.SIGTERM)
    until(lambda: "Waiting for what is under way" in server.log.read_text())
    server.go()
    assert server.process.wait(SECONDS) == 128 + signal.SIGTERM
    assert server.jobs() == [Status.SUCCEEDED]


def test_the_second_signal_has_the_run_stopped(server):
    server.hold()
    server.start()
    until(lambda: server.calls)
    server.process.send_signal(signal.SIGINT)
    until(lambda: "Waiting for what is under way" in server.log.read_text())
    assert server.end(signal.SIGINT) == 128 + signal.SIGINT
    assert server.jobs() == [Status.STOPPED]


def test_a_killed_server_loses_no_event_and_leaves_its_run_to_the_next(server):
    server.receive("before")
    server.hold()
    server.start()
    until(lambda: server.calls)
    until(lambda: server.jobs() == [Status.RUNNING])
    server.receive("during")
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    server.start()
    until(lambda: "waiting for it" in server.log.read_text())
    assert len(server.calls) == 1
    server.go()
    until(lambda: server.unsettled() is None)
    assert set(server.jobs()) == {Status.SUCCEEDED}
    assert len(server.calls) == 2


def test_an_address_in_use_is_told_in_one_line(server):
    with socket.create_server(("127.0.0.1", server.port)):
        done = subprocess.run(
            [sys.executable, "-c", "from webhook_shim.cli import main; main()", "serve"],
            env=server.environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
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
        [sys.executable, "-c", "from webhook_shim.cli import main; main()", "serve"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
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
    until(lambda: server.jobs() == [Status.SUCCEEDED])
    server.end()
    [log] = Path(server.directory, "logs", "runs").glob("*.log")
    assert "Run completed" in log.read_text()
