"""Saying the version loads nothing that only a run needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit
import sys
from target_quickbooks.target import TargetQuickbooks
atexit.register(lambda: print("loaded:", *sys.modules))
TargetQuickbooks.cli.main(sys.argv[1:])
"""
#: What a run needs, or a page, or people's commands, or PostgreSQL.
HEAVY = {
    "alembic",
    "cryptography",
    "fastjsonschema",
    "jinja2",
    "psycopg",
    "rich",
    "sqlalchemy.dialects.postgresql",
    "target_quickbooks.assembly",
    "target_quickbooks.admin",
    "tenacity",
}


@pytest.mark.parametrize("option", ["--version", "--about"])
def test_the_machinery_of_a_run_is_not_loaded(option):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, option], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(done.stdout.rpartition("loaded: ")[2].split())
    assert "target_quickbooks.settings_schema" in loaded
    assert not HEAVY & loaded
