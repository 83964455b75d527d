"""`status --env`: lines that a shell and a .env file read alike."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from ap_simulator.environment import UnquotableError, as_lines, environment, quoted
from ap_simulator.rundir import RunDir
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

SH = shutil.which("sh") or "/bin/sh"


def read_by_shell(lines: str, name: str) -> str:
    script = f'set -a; eval "$1"; set +a; printf %s "${name}"'
    answer = subprocess.run(
        [SH, "-c", script, "sh", lines], capture_output=True, check=True, encoding="utf-8"
    )
    return answer.stdout


@pytest.mark.parametrize(
    "value",
    [
        "plain-1.2/x:@%+=,",
        "",
        "two words",
        'say "hi"',
        "it's",
        'it\'s "both"',
        "a#b",
        "a & b; c | d > e",
        "$HOME",
        "`id`",
        "é中 ~ * ? [x] (y) {z}",
        "trailing ",
    ],
)
def test_a_value_is_the_same_for_a_shell_and_a_dotenv_file(value):
    line = f"NAME={quoted('NAME', value)}"
    assert read_by_shell(line, "NAME") == value
    assert dotenv_values(stream=io.StringIO(line)) == {"NAME": value}


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12))
def test_any_value_is_read_alike_or_refused(value):
    try:
        line = f"NAME={quoted('NAME', value)}"
    except UnquotableError:
        return
    assert dotenv_values(stream=io.StringIO(line)) == {"NAME": value}
    assert read_by_shell(line, "NAME") == value


@pytest.mark.parametrize("value", ["two\nlines", "it's $5", "${HOME}", "C:\\it's"])
def test_a_value_without_a_common_notation_is_refused(value):
    with pytest.raises(UnquotableError, match="Choose a run directory"):
        quoted("NAME", value)


def test_the_environment_names_the_simulator_and_the_run_directory():
    found = environment(url="http://127.0.0.1:8095", run_dir=RunDir(Path("/run/s")))
    assert found["TAP_BILL_API_URL"] == "http://127.0.0.1:8095/connect"
    assert found["TARGET_QUICKBOOKS_API_URL"] == "http://127.0.0.1:8095"
    assert found["TARGET_QUICKBOOKS_TOKEN_URL"] == "http://127.0.0.1:8095/oauth2/v1/tokens/bearer"
    assert found["TARGET_QUICKBOOKS_STORE_URL"] == "sqlite:////run/s/store.sqlite3"
    assert found["TAP_BILL_SESSION_PATH"].startswith("/run/s/")


def test_every_setting_has_a_line_of_its_own():
    found = environment(url="http://127.0.0.1:8095", run_dir=RunDir(Path("/run dir/s")))
    lines = as_lines(found)
    assert len(lines.splitlines()) == len(found) == 17
    assert dict(dotenv_values(stream=io.StringIO(lines))) == found
