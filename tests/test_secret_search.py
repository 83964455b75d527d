"""The search of everything that a test run leaves can fail: a run of its own that plants secrets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent.parent / "conftest.py"
#: Only the run inside knows the key, so that the search of this run finds nothing.
PLANTS = """
import subprocess, sys, tempfile
from pathlib import Path
from cryptography.fernet import Fernet

KEY = Fernet.generate_key().decode()

def test_harmless(tmp_path, capsys):
    (tmp_path / "config.json").write_text(KEY)
    (tmp_path / "records.jsonl").write_text('{"type":"RECORD","record":{"taxId":"12-3456789"}}')
    (tmp_path / "sealed.bin").write_text("k3J_" * 30 + "AB11" + "x" * 46 + "-9sD" * 20)

def test_file(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "store.bin").write_bytes(b"\\x00" + KEY.encode() + b"\\x00")

def test_removed_directory():
    with tempfile.TemporaryDirectory(prefix="gone-") as directory:
        Path(directory, "session").write_text(KEY)

def test_output():
    print("the key is", KEY)

def test_command_line():
    subprocess.run([sys.executable, "-c", "pass", KEY], check=True)

def test_grandchild():
    code = "import subprocess, sys; subprocess.run(['sh', '-c', 'sleep 1; exit', sys.stdin.read()])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        child.communicate(KEY.encode())

def test_tax_id(tmp_path):
    (tmp_path / "report.txt").write_text("tax id 12-3456789")

def test_token(tmp_path):
    (tmp_path / "log.txt").write_text("AB11" + "x" * 46)

def test_token_beside_other_columns(tmp_path):
    (tmp_path / "row.bin").write_text("9341453000000001" + "AB11" + "x" * 46 + "2026-07-10")
"""
FOUND = {
    "test_file": r"encryption key in file .*test_file0/deep/store\.bin",
    "test_removed_directory": r"encryption key in file gone-\w+/session",
    "test_output": r"encryption key in Captured stdout call of .*test_output",
    "test_command_line": r"encryption key in command line of python",
    "test_grandchild": r"encryption key in command line of sh",
    "test_tax_id": r"full tax id in file .*report\.txt",
    "test_token": r"refresh token in file .*log\.txt",
    "test_token_beside_other_columns": r"refresh token in file .*row\.bin",
}


@pytest.fixture
def planted(tmp_path):
    """Runs the planting tests; nothing of them is left."""

    def run(*arguments):
        shutil.copy(PLUGIN, tmp_path / "conftest.py")
        (tmp_path / "test_plants.py").write_text(PLANTS)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
        done = subprocess.run(
            [*command, "--rootdir", ".", "--basetemp", "left", *arguments, "test_plants.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PLUGIN.parent / "tests" / "plugins")},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    yield run
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_planted_secret_is_found_and_the_run_fails(planted, workers):
    exit_code, told = planted("-n", workers)
    assert exit_code == 1, told
    assert "9 passed" in told
    missing = [test for test, finding in FOUND.items() if not re.search(finding, told)]
    assert missing == [], told
    assert "12-3456789" not in told
    assert "AB11" not in told
    assert len(re.findall(r"^  \S.* in ", told, re.MULTILINE)) == len(FOUND), told


def test_a_run_without_secrets_passes_and_says_what_was_searched(planted):
    exit_code, told = planted("-n", "0", "-k", "harmless")
    assert exit_code == 0, told
    assert re.search(r"No secret in \d+ files, \d+ outputs, \d+ command lines\.", told)
