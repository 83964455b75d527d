"""The tap feeds targets that others wrote, and nothing gets lost or rounded on the way.

Each target lives in an environment of its own under `.peers/`, because they pin old libraries. The
environments are made once from the lock files in `requirements/` and kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ap_simulator.testing import RunningSimulator, running

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".peers"

STREAMS = (
    "chart_of_accounts",
    "accounting_classes",
    "departments",
    "locations",
    "items",
    "jobs",
    "employees",
    "customers",
    "vendors",
    "bills",
    "payments",
    "recurring_bills",
    "vendor_credits",
    "organization",
)
#: Streams with an `amount`.
MONEY = ("bills", "payments", "vendor_credits")

#: Run by the target's own Python: rows and ids of every table, and the amounts that some hold.
READ_DUCKDB = """
import duckdb, json, sys
path, tables, money = json.load(sys.stdin)
database = duckdb.connect(path, read_only=True)
def query(columns, table):
    return database.execute(f"select {columns} from bill.{table}").fetchall()
rows = {table: query("count(*), count(distinct id)", table)[0] for table in tables}
amounts = {table: sorted(repr(amount) for (amount,) in query("amount", table)) for table in money}
json.dump([rows, amounts], sys.stdout)
"""


def environment(name: str) -> Path:
    """The `bin` directory of a target's environment; makes it if it is not there.

    Parallel test processes wait for each other. An environment belongs to its lock file and Python, so
    that a changed one is made anew.
    """
    requirements = ROOT / "requirements" / f"peers-{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    place = PEERS / f"{name}-{digest}"
    PEERS.mkdir(exist_ok=True)
    (PEERS / ".gitignore").write_text("*\n")
    with (PEERS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "ready").exists():
            shutil.rmtree(place, ignore_errors=True)
            install(place, requirements)
            (place / "ready").touch()
    return place / "bin"


def install(place: Path, requirements: Path) -> None:
    """Make an environment with uv, or with pip where uv is missing."""
    python = str(place / "bin" / "python")
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        commands = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(place)],
            [
                uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                python,
                "--require-hashes",
                "-r",
                str(requirements),
            ],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(place)],
            [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)],
        ]
    for command in commands:
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, f"{' '.join(command)}\n{finished.stderr}"


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    """The demo company."""
    with running("demo") as simulator:
        yield simulator


@pytest.fixture
def run(simulator: RunningSimulator, tmp_path: Path) -> Callable[..., list[str]]:
    """Run the tap into a target through a real pipe; the states that the target printed."""

    def run(executable: Path, config: Mapping[str, Any], *, state: str | None = None) -> list[str]:
        settings = tmp_path / "target.json"
        settings.write_text(json.dumps(config))
        command = [sys.executable, "-m", "tap_bill", "--config=ENV"]
        if state is not None:
            (tmp_path / "state.json").write_text(state)
            command += ["--state", str(tmp_path / "state.json")]
        log = tmp_path / "tap.log"
        with (
            log.open("w") as tap_log,
            subprocess.Popen(
                command, env=os.environ | simulator.env(), stdout=subprocess.PIPE, stderr=tap_log
            ) as tap,
        ):
            target = subprocess.run(
                [executable, "--config", settings],
                stdin=tap.stdout,
                capture_output=True,
                text=True,
                cwd=tmp_path,
                timeout=120,
                check=False,
            )
        assert target.returncode == 0, target.stderr
        assert tap.returncode == 0, log.read_text()
        return target.stdout.splitlines()

    return run


def held(simulator: RunningSimulator, stream: str) -> list[dict[str, Any]]:
    """What BILL holds."""
    return simulator.control.records("bill", stream)


def total(amounts: list[Any]) -> Decimal:
    """The exact sum of amounts, each taken as it is written."""
    return sum((Decimal(str(amount)) for amount in amounts), Decimal())


def test_into_target_jsonl(simulator, run, tmp_path):
    states = run(
        environment("target-jsonl") / "target-jsonl",
        {"destination_path": str(tmp_path), "do_timestamp_file": False},
    )

    assert set(json.loads(states[-1])["bookmarks"]) == set(STREAMS)
    for stream in STREAMS:
        lines = (tmp_path / f"{stream}.jsonl").read_text().splitlines()
        records = [json.loads(line, parse_float=Decimal) for line in lines]
        assert sorted(record["id"] for record in records) == sorted(
            record["id"] for record in held(simulator, stream)
        )
        if stream in MONEY:
            expected = total([record["amount"] for record in held(simulator, stream)])
            assert total([record["amount"] for record in records]) == expected > 0


def test_into_target_duckdb_and_once_more(simulator, run, tmp_path):
    peers = environment("target-duckdb")
    database = tmp_path / "warehouse.duckdb"
    config = {"filepath": str(database), "default_target_schema": "bill"}

    def stored():
        finished = subprocess.run(
            [peers / "python", "-c", READ_DUCKDB],
            input=json.dumps([str(database), STREAMS, MONEY]),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(finished.stdout)

    states = run(peers / "target-duckdb", config)
    rows, amounts = stored()
    for stream in STREAMS:
        count = len(held(simulator, stream))
        assert rows[stream] == [count, count], stream
    for stream in MONEY:
        assert total(amounts[stream]) == total([record["amount"] for record in held(simulator, stream)])

    # What the overlap repeats are the same records: nothing doubles.
    run(peers / "target-duckdb", config, state=states[-1])
    assert stored() == [rows, amounts]
