"""The command line: what it prints, and that every failure is one line that says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from ap_simulator.testing import running
from tap_bill import client
from tap_bill.tap import TapBill


@pytest.fixture(scope="module")
def simulator():
    with running("demo") as simulator:
        yield simulator


@pytest.fixture
def real_config(simulator):
    names = ("DEV_KEY", "USERNAME", "PASSWORD", "ORGANIZATION_ID", "API_URL")
    return {name.lower(): simulator.env()[f"TAP_BILL_{name}"] for name in names}


@pytest.fixture
def config_file(tmp_path, config):
    def write(given=None, **changes):
        path = tmp_path / "config.json"
        path.write_text(json.dumps((given or config) | changes))
        return path

    return write


def the_error(finished):
    """The one line of a failure."""
    assert finished.code == 1
    (line,) = finished.errors
    assert "Traceback" not in finished.err
    assert '"RECORD"' not in finished.out
    return line


# What it prints -----------------------------------------------------------------------------------


def test_version(cli):
    assert cli("--version").out.startswith("tap-bill v")


def test_about_in_every_form(cli):
    assert "Name: tap-bill" in cli("--about").out
    about = json.loads(cli("--about", "--format=json").out)
    assert about["settings"]["properties"]["password"]["secret"] is True
    assert "stream-maps" in about["capabilities"]
    assert "| page_size | False | 100 |" in cli("--about", "--format=markdown").out


def test_discovery_needs_no_settings(cli):
    finished = cli("--discover")
    assert finished.code == 0
    streams = json.loads(finished.out)["streams"]
    assert len(streams) == 14
    assert {stream["replication_key"] for stream in streams} == {"updatedTime"}
    assert all(stream["key_properties"] == ["id"] for stream in streams)


def test_the_connection_test_reads_a_record_of_each_stream(cli, config_file, real_config):
    finished = cli("--config", config_file(real_config), "--test")
    assert (finished.code, finished.errors) == (0, [])
    messages = [json.loads(line) for line in finished.out.splitlines()]
    assert len({message["stream"] for message in messages if message["type"] == "RECORD"}) == 14


def test_the_schema_test_needs_no_network(cli, config_file):
    finished = cli("--config", config_file(), "--test=schema")
    assert finished.code == 0
    assert len(finished.out.splitlines()) == 14


def test_settings_come_from_the_environment(simulator):
    """In a process of its own, as it is installed."""
    finished = subprocess.run(
        [sys.executable, "-m", "tap_bill", "--config=ENV"],
        env=os.environ | simulator.env() | {"TAP_BILL_PAGE_SIZE": "90"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count('"RECORD"') > 1000
    assert '"STATE"' in finished.stdout.splitlines()[-1]


# Failures -----------------------------------------------------------------------------------------


def test_missing_settings(cli):
    line = the_error(cli())
    assert line.startswith(
        "dev_key is missing: set it in the configuration or as TAP_BILL_DEV_KEY; username is"
    )


def test_a_missing_configuration_file(cli, tmp_path):
    assert the_error(cli("--config", tmp_path / "nowhere.json")) == (
        f"the configuration cannot be read: File at '{tmp_path}/nowhere.json' was not found."
    )


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"', "null"])
def test_a_configuration_file_that_is_no_json_object(cli, tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    assert the_error(cli("--config", tmp_path / "config.json")).startswith(
        "the configuration is no JSON object"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"start_date": "soon"}, "start_date 'soon' is no date"),
        ({"session_path": "s", "encryption_key": "short"}, "encryption_key is no Fernet key"),
        ({"page_size": 1000}, "page_size must be at most 100"),
        ({"environment": "prod"}, "environment must be one of production, sandbox"),
    ],
)
def test_wrong_settings(cli, config_file, changes, told):
    assert the_error(cli("--config", config_file(**changes))).startswith(told)


def test_wrong_settings_are_told_by_the_connection_test_too(cli, config_file):
    assert the_error(cli("--config", config_file(start_date="soon"), "--test")).startswith(
        "start_date 'soon'"
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", '{"bookmarks": 5}', '{"bookmarks": {"vendors": {"replication_key_value": "soon"}}}'],
)
def test_a_malformed_state_file(cli, config_file, tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    line = the_error(cli("--config", config_file(), "--state", tmp_path / "state.json"))
    assert line.startswith("the state")
    assert "correct or remove it" in line


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_malformed_catalog_file(cli, config_file, tmp_path, text):
    (tmp_path / "catalog.json").write_text(text)
    line = the_error(cli("--config", config_file(), "--catalog", tmp_path / "catalog.json"))
    assert line.startswith("the catalog file")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": "wrong-password"}, "BILL does not know this user and password"),
        ({"username": "nobody@example.com"}, "BILL does not know this user and password"),
        ({"organization_id": "00802ANOTHERORGANIZT"}, "in organization 00802ANOTHERORGANIZT"),
        ({"dev_key": "01WRONGDEVELOPERKEY0"}, "BILL does not know the developer key"),
    ],
)
@pytest.mark.parametrize("status", [401, 400])
def test_refused_logins_tell_credentials_and_keys_apart(
    cli, simulator, config_file, real_config, changes, told, status
):
    simulator.control.set_switches({"bill.credentials_status": status})
    line = the_error(cli("--config", config_file(real_config, **changes)))
    assert told in line
    assert "of the other environment are refused like this, too" in line
    assert not any(secret in line for secret in ("wrong-password", "01WRONGDEVELOPERKEY0"))


def test_mfa_is_told_apart(cli, simulator, config_file, real_config):
    simulator.control.set_switches({"bill.mfa_required_for": "everything"})
    try:
        line = the_error(cli("--config", config_file(real_config)))
    finally:
        simulator.control.set_switches({"bill.mfa_required_for": "nothing"})
    assert line.startswith("BILL asks for multi-factor authentication")
    assert "use a sync token" in line


def test_an_unreachable_host(cli, config_file, monkeypatch):
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)
    line = the_error(cli("--config", config_file(api_url="http://127.0.0.1:9/connect")))
    assert line.startswith("could not reach http://127.0.0.1:9/connect: check api_url")


def test_an_unknown_host(cli, config_file, monkeypatch):
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)
    line = the_error(cli("--config", config_file(api_url="https://nowhere.invalid/connect")))
    assert line.startswith("could not reach https://nowhere.invalid/connect")


def test_an_address_without_its_end(cli, simulator, config_file, real_config):
    line = the_error(cli("--config", config_file(real_config, api_url=simulator.url)))
    assert line.startswith("BILL has nothing at POST /v3/login")
    assert "check api_url, it ends in /connect" in line


def test_a_state_of_another_organization(cli, config_file, tmp_path):
    state = {"bookmarks": {"vendors": {"organization_id": "00801OTHER"}}}
    (tmp_path / "state.json").write_text(json.dumps(state))
    line = the_error(cli("--config", config_file(), "--state", tmp_path / "state.json"))
    assert "the state belongs to organization 00801OTHER" in line


def test_an_unexpected_failure_shows_its_traceback_without_secrets(config):
    """A mistake of ours is reported whole, for the issue tracker."""
    script = (
        "import tap_bill.streams as s\n"
        "def fail(self, context):\n"
        "    raise KeyError('about ' + self.config['password'])\n"
        "s.BillStream.get_records = fail\n"
        "from tap_bill.tap import TapBill\n"
        "TapBill.cli()\n"
    )
    environment = {f"TAP_BILL_{name.upper()}": value for name, value in config.items()}
    finished = subprocess.run(
        [sys.executable, "-c", script, "--config=ENV"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 1
    assert "Traceback" in finished.stderr
    assert "KeyError" in finished.stderr
    assert config["password"] not in finished.stderr


def test_a_reader_that_goes_away_is_one_line_too(simulator):
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_bill", "--config=ENV"],
        env=os.environ | simulator.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
    assert process.returncode == 1
    errors = [line for line in error.splitlines() if "| ERROR " in line]
    assert len(errors) == 1
    assert "the program that reads the tap's output has ended" in errors[0]
    assert "Traceback" not in error
    assert "BrokenPipe" not in error


def test_the_tap_is_usable_as_a_library(config):
    tap = TapBill(config=config)
    assert list(tap.streams)[:1] == ["chart_of_accounts"]
