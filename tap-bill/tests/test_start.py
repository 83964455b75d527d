"""Saying the version loads nothing that only a run needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit
import sys
from tap_bill.tap import TapBill
atexit.register(lambda: print("loaded:", *sys.modules))
TapBill.cli.main(sys.argv[1:])
"""
HEAVY = {"alembic", "cryptography", "faker", "jinja2", "pandas", "rich"}


@pytest.mark.parametrize("option", ["--version", "--about", "--discover"])
def test_what_only_a_run_needs_is_not_loaded(option):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, option], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(done.stdout.rpartition("loaded: ")[2].split())
    assert "tap_bill.streams" in loaded
    assert not HEAVY & loaded
