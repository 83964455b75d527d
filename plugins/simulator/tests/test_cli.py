"""The command line, as a person and a script use it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from ap_simulator.cli import main
from ap_simulator.company.identities import DEMO
from ap_simulator.rundir import RunDir
from ap_simulator.testing import running
from click.testing import CliRunner, Result
from dotenv import dotenv_values

COMMAND = [sys.executable, "-m", "ap_simulator"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


@pytest.fixture
def background(tmp_path) -> Iterator[Path]:
    """A run directory in which whatever was started is stopped at the end."""
    run_dir = tmp_path / "run"
    yield run_dir
    run("stop", "--run-dir", str(run_dir))


@pytest.fixture
def serving() -> Iterator[subprocess.Popen[str]]:
    """`ap-simulator serve` in the foreground, after its first line."""
    arguments = [*COMMAND, "serve", "--port", "0", "--company", "empty"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        yield child
        child.kill()


def url_in(line: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found
    return found[0]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_serve_says_where_it_listens_and_ends_in_order(serving, signum, code):
    assert serving.stdout is not None
    url = url_in(serving.stdout.readline())
    with requests.Session() as http:
        status = http.get(f"{url}/__control/status", timeout=5).json()
        assert Path(status["run_dir"]).is_dir()
        serving.send_signal(signum)
        assert serving.wait(timeout=10) == code
    assert not Path(status["run_dir"]).exists()
    assert serving.stdout.read() == ""
    assert serving.stderr is not None
    assert serving.stderr.read() == ""


def test_serve_ends_soon_though_an_answer_is_under_way(serving):
    assert serving.stdout is not None
    url = url_in(serving.stdout.readline())
    requests.post(f"{url}/__control/latency", json={"per_call_ms": 60_000}, timeout=5)
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as sock:
        sock.sendall(b"GET /connect/v3/health HTTP/1.1\r\nHost: x\r\n\r\n")
        with requests.Session() as http:
            while http.get(f"{url}/__control/stats", timeout=5).json()["bill"]["max_in_flight"] == 0:
                pass
        serving.terminate()
        assert serving.wait(timeout=10) == 0
    assert serving.stderr is not None
    assert serving.stderr.read() == ""


def test_serve_refuses_a_port_in_use_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        result = run("serve", "--port", str(port), "--company", "empty")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: Port {port} on 127.0.0.1 is already in use; stop what runs there or choose --port\n"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "example.com", "10.1.2.3"])  # noqa: S104 - refused
def test_serve_refuses_to_let_others_in(host):
    result = run("serve", "--host", host, "--port", "0", "--company", "empty")
    assert result.exit_code == 1
    assert f"Refusing to listen on {host}" in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "start"])
def test_a_wrong_switch_is_one_line_that_names_the_right_ones(command, background):
    result = run(command, "--port", "0", "--switch", "bill.x=1", "--run-dir", str(background))
    assert result.exit_code == 1
    assert "There is no switch 'bill.x'; the switches are bill." in result.output


def test_a_switch_without_a_value_is_refused():
    result = run("serve", "--switch", "bill.throttle_status")
    assert (result.exit_code, "AREA.NAME=VALUE" in result.output) == (2, True)


def test_start_status_and_stop(background):
    where = ["--run-dir", str(background)]
    started = run("start", "--port", "0", "--company", "empty", *where)
    assert started.exit_code == 0
    url = url_in(started.output)
    again = run("start", "--port", url.rpartition(":")[2], *where)
    assert (again.exit_code, "already runs" in again.output) == (0, True)
    status = run("status", *where)
    assert (status.exit_code, url in status.output) == (0, True)
    stopped = run("stop", *where)
    assert (stopped.exit_code, f"Stopped the simulator at {url}" in stopped.output) == (0, True)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)
    assert run("stop", *where).output == f"No simulator runs in {background}\n"


def test_start_refuses_another_port_while_one_runs(background):
    where = ["--run-dir", str(background)]
    run("start", "--port", "0", "--company", "empty", *where)
    result = run("start", "--port", "1", *where)
    assert (result.exit_code, "stop it first" in result.output) == (1, True)


def test_start_leaves_a_simulator_alone_that_does_not_answer_yet(background):
    run_dir = RunDir(background)
    with run_dir.held():
        run_dir.log.write_text("of the one that is starting")
        result = run("start", "--port", "0", "--run-dir", str(background))
        assert (result.exit_code, "does not answer yet" in result.output) == (1, True)
        assert run("stop", "--run-dir", str(background)).exit_code == 1
    assert run_dir.log.read_text() == "of the one that is starting"


def test_start_shows_the_log_of_a_simulator_that_died(background):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
        result = run("start", "--port", port, "--company", "empty", "--run-dir", str(background))
    assert result.exit_code == 1
    assert "ended with exit code 1" in result.output
    assert "is already in use" in result.output


def test_start_begins_a_new_company(background):
    run_dir = RunDir(background)
    run_dir.create()
    for path in (run_dir.store, run_dir.session):
        path.write_text("of an earlier company")
    (run_dir.path / "notes.txt").touch()
    run("start", "--port", "0", "--company", "empty", "--run-dir", str(background))
    assert not run_dir.store.exists()
    assert not run_dir.session.exists()
    assert (run_dir.path / "notes.txt").exists()


def test_stop_ends_a_simulator_that_does_not_listen_to_sigterm(background, monkeypatch):
    monkeypatch.setattr("ap_simulator.process._TERM_SECONDS", 0.3)
    where = ["--run-dir", str(background)]
    run("start", "--port", "0", "--company", "empty", *where)
    state = RunDir(background).read_state()
    assert state is not None
    os.kill(state.pid, signal.SIGSTOP)
    assert run("stop", *where).exit_code == 0
    assert not RunDir(background).is_held()


def test_a_simulator_that_was_killed_does_not_run(background):
    where = ["--run-dir", str(background)]
    run("start", "--port", "0", "--company", "empty", *where)
    state = RunDir(background).read_state()
    assert state is not None
    os.kill(state.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while RunDir(background).is_held() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert run("stop", *where).output == f"No simulator runs in {background}\n"
    assert run("start", "--port", "0", "--company", "empty", *where).exit_code == 0


@pytest.mark.parametrize("command", ["status", "report", "change", "switches", "webhooks"])
def test_a_command_without_a_simulator_ends_with_3(command, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
    result = run(command, "--port", port, "--run-dir", str(tmp_path))
    assert result.exit_code == 3
    assert result.output.startswith("Error: No simulator answers at")
    assert len(result.output.splitlines()) == 1


def test_something_else_on_the_port_is_no_simulator(tmp_path):
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    Thread(target=server.handle_request).start()
    result = run("status", "--port", str(server.server_port), "--run-dir", str(tmp_path))
    server.server_close()
    assert (result.exit_code, "is not a simulator" in result.output) == (3, True)


def test_env_prints_the_settings_of_both_plugins_and_nothing_else():
    with running() as simulator:
        port = simulator.url.rpartition(":")[2]
        result = run("status", "--env", "--port", port)
        assert dict(dotenv_values(stream=io.StringIO(result.output))) == simulator.env()
        assert len(result.output.splitlines()) == len(simulator.env())


def test_status_can_be_json():
    with running() as simulator:
        result = run("status", "--json", "--port", simulator.url.rpartition(":")[2])
        assert json.loads(result.output)["url"] == simulator.url


def test_switches_are_listed_with_those_that_were_moved_marked():
    with running(switches={"oauth.rotation": "always"}) as simulator:
        result = run("switches", "--port", simulator.url.rpartition(":")[2])
        assert re.search(r"oauth\.rotation\W+always \*", result.output)


@pytest.mark.parametrize(
    "command", ["serve", "start", "stop", "status", "report", "change", "switches", "webhooks"]
)
def test_every_command_has_help_with_an_example(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"  ap-simulator {command}" in result.output


def test_a_receiver_of_webhooks_is_added_and_listed():
    with running() as simulator:
        port = simulator.url.rpartition(":")[2]
        url = "http://127.0.0.1:9/hooks"
        result = run("webhooks", "--port", port, "--add", url, "--realm", DEMO.realm_id)
        assert result.exit_code == 0
        assert url in result.output
        assert "never" in result.output
        listed = json.loads(run("webhooks", "--port", port, "--json").output)
        (endpoint,) = listed["quickbooks"]["endpoints"]
        assert (endpoint["url"], endpoint["realm_id"]) == (url, DEMO.realm_id)


def test_a_realm_without_a_receiver_is_a_mistake():
    result = run("webhooks", "--realm", "1")
    assert (result.exit_code, "--realm goes with --add" in result.output) == (2, True)
