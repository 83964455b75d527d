"""The demo: a whole company from BILL to QuickBooks on the simulator, with what happened as tables.

Runs `meltano run tap-bill target-quickbooks` three times: everything, nothing new, three changed records.
Exits with 1 if a run does not do what it should, e.g. if the second one writes anything.

    python scripts/demo.py [--port 8095] [--keep]      --keep leaves the simulator running
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from rich import box
from rich.console import Console
from rich.rule import Rule
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
RUN_DIR = ROOT / ".simulator"
console = Console(width=100, highlight=False)


@dataclass(frozen=True, slots=True)
class Written:
    """What a run wrote to QuickBooks, counted by the simulator."""

    calls: int
    items: int


def main() -> int:
    """Run the demo; 0 if everything went as it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8095)
    parser.add_argument("--keep", action="store_true", help="leave the simulator running")
    options = parser.parse_args()
    started = time.monotonic()
    environment = os.environ | {
        # Refused records are part of the demo; without this a run that has some ends with exit code 1.
        "TARGET_QUICKBOOKS_FAIL_ON_FAILED_RECORDS": "false",
    }
    try:
        _say("Install the plugins as Meltano does")
        _run("meltano", "install", environment=environment, quiet=True)
        _say("Start the simulator: BILL, QuickBooks Online and Intuit, with a company of 40 people")
        _run("ap-simulator", "start", "--port", str(options.port), "--run-dir", str(RUN_DIR))
        environment |= _settings(options.port)
        passed = _walk_through(options.port, environment)
    except subprocess.CalledProcessError as error:
        console.print(f"[red]{' '.join(error.cmd)} ended with exit code {error.returncode}.[/red]")
        return 1
    finally:
        if not options.keep:
            _run("ap-simulator", "stop", "--run-dir", str(RUN_DIR), check=False)
    console.print(Rule())
    console.print(f"The demo took {time.monotonic() - started:.0f} seconds.")
    return 0 if passed else 1


def _walk_through(port: int, environment: dict[str, str]) -> bool:
    first = _sync("First run: everything BILL has", port, environment)
    _run("ap-simulator", "report", "--run-dir", str(RUN_DIR), environment=environment)
    _run("quickbooks-admin", "failures", "list", environment=environment)
    second = _sync("Second run: nothing has changed", port, environment)
    _say("Somebody edits three records in BILL")
    _run("ap-simulator", "change", "--records", "3", "--run-dir", str(RUN_DIR), environment=environment)
    third = _sync("Third run: the three changes", port, environment)
    checks = (
        ("the first run fills QuickBooks", first.items > 0),
        ("the second run writes nothing", second == Written(0, 0)),
        ("the third run writes three records", third.items == 3),  # noqa: PLR2004
    )
    console.print(Rule())
    for text, holds in checks:
        console.print(f"{'[green]yes[/green]' if holds else '[red]NO [/red]'}  {text}")
    return all(holds for _, holds in checks)


def _sync(title: str, port: int, environment: dict[str, str]) -> Written:
    _say(title)
    before = _written(port)
    began = time.monotonic()
    report = RUN_DIR / "run-report.json"
    command = ("meltano", "run", "tap-bill", "target-quickbooks")
    _run(*command, environment=environment | {"TARGET_QUICKBOOKS_REPORT_PATH": str(report)}, quiet=True)
    _show(json.loads(report.read_text(encoding="utf-8")))
    after = _written(port)
    written = Written(after.calls - before.calls, after.items - before.items)
    console.print(
        f"[bold]{written.items} records written in {written.calls} calls[/bold], "
        f"{time.monotonic() - began:.1f} seconds"
    )
    return written


def _written(port: int) -> Written:
    stats = requests.get(f"http://127.0.0.1:{port}/__control/stats", timeout=10).json()["quickbooks"]
    items = sum(count for operations in stats["written"].values() for count in operations.values())
    return Written(calls=stats["write_calls"], items=items)


def _settings(port: int) -> dict[str, str]:
    """The settings of the running simulator; they go before those of meltano.yml, whatever the port."""
    command = ("ap-simulator", "status", "--env", "--port", str(port))
    text = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value.strip("'\"") for name, _, value in pairs}


def _show(report: dict[str, Any]) -> None:
    """The target's own run report as a table."""
    columns = ("created", "updated", "skipped", "blocked", "failed")
    table = Table("BILL stream", *columns, box=box.SIMPLE_HEAD)
    for stream, counts in report["streams"].items():
        table.add_row(stream, *(str(counts.get(name, 0)) for name in columns))
    console.print(table)


def _run(
    *command: str, environment: dict[str, str] | None = None, check: bool = True, quiet: bool = False
) -> None:
    """Run a command and show what it prints; a quiet one only shows it when it fails."""
    console.print(f"[dim]$ {' '.join(command)}[/dim]")
    if not quiet:
        subprocess.run(command, check=check, cwd=ROOT, env=environment)
        return
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        console.print(done.stdout[-6000:] + done.stderr[-6000:], markup=False)
        raise subprocess.CalledProcessError(done.returncode, command)


def _say(title: str) -> None:
    console.print()
    console.print(Rule(title, align="left"))


if __name__ == "__main__":
    sys.exit(main())
