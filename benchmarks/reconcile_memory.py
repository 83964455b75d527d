"""What reconciling many bills costs more than reconciling few: memory, and calls to QuickBooks.

Runs both plugins as programs against a simulator, once for each size: all bills are written to QuickBooks,
then both books are reconciled. The largest memory of the process that reconciles is measured. Limits are
lifted, since writing so many takes an hour at QuickBooks'.

    python benchmarks/reconcile_memory.py
    python benchmarks/reconcile_memory.py --bills 2000 20000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ap_simulator.testing import UNLIMITED, RunningSimulator, running

REALM = "9341452000000001"
MOST_MEGABYTES = 60
MOST_CALLS_BEYOND_PAGES = 5
PAGE = 1000
_VENDORS = 500
#: The target with its own limits lifted, as the simulator's are. It tells its peak itself: to the usage that
#: the system reports of a child, what the parent held when it started it counts, and that is the simulator.
_UNHURRIED = """
from target_quickbooks.quickbooks import governor
governor.REQUESTS = governor.BATCHES = (governor.Bucket(10**6, 60.0),)
"""
_TELLING = """
import atexit, os, pathlib, resource, sys

def tell():
    status = pathlib.Path("/proc/self/status")
    unit = 1024 if sys.platform == "darwin" else 1
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
    if status.exists():
        lines = status.read_text().splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    pathlib.Path(os.environ["PEAK_PATH"]).write_text(str(kilobytes))

atexit.register(tell)
"""
_TARGET = (
    f"{_TELLING}{_UNHURRIED}from target_quickbooks.target import TargetQuickbooks\nTargetQuickbooks.cli()"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What reconciling one size cost."""

    bills: int
    megabytes: float
    seconds: float
    calls: int
    pages: int
    exit_code: int


def main() -> int:
    """Measure and print; 1 if the books were not in step, or a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--bills", type=int, nargs=2, default=(5_000, 50_000), metavar=("FEW", "MANY"))
    few, many = (measure(bills) for bills in parser.parse_args().bills)
    for one in (few, many):
        print(
            f"{one.bills:>7,} bills: {one.megabytes:6.1f} MB at most, {one.seconds:6.1f} s, "
            f"{one.calls} calls for {one.pages} pages, exit code {one.exit_code}"
        )
    more = many.megabytes - few.megabytes
    print(f"{more:.1f} MB more (at most {MOST_MEGABYTES})")
    in_step = few.exit_code == many.exit_code == 0
    few_calls = all(one.calls <= one.pages + MOST_CALLS_BEYOND_PAGES for one in (few, many))
    return 0 if in_step and few_calls and more < MOST_MEGABYTES else 1


def measure(bills: int) -> Measured:
    """Reconcile so many bills in step."""
    with (
        running("empty", vendors=_VENDORS, bills=bills, switches=UNLIMITED) as simulator,
        tempfile.TemporaryDirectory(prefix="reconcile-memory-") as folder,
    ):
        lines = Path(folder) / "bill.jsonl"
        with lines.open("wb") as output:
            subprocess.run(
                [sys.executable, "-m", "tap_bill", "--config=ENV"],
                env=os.environ | simulator.env(),
                stdout=output,
                stderr=subprocess.DEVNULL,
                check=True,
            )
        _target(simulator, lines, mode="sync")
        simulator.control.reset_stats()
        began = time.monotonic()
        exit_code, megabytes = _target(simulator, lines, mode="reconcile")
        seconds = time.monotonic() - began
        calls = simulator.control.stats()["quickbooks"]["calls"]
        held = simulator.on_loop(lambda world: world.quickbooks.counts()[REALM])
    pages = sum(held[entity] // PAGE + 1 for entity in ("Vendor", "PurchaseOrder"))
    return Measured(bills, megabytes, seconds, calls, pages, exit_code)


def _target(simulator: RunningSimulator, lines: Path, *, mode: str) -> tuple[int, float]:
    """Run the target: its exit code, and the most memory that it had, in megabytes."""
    peak = lines.with_name("peak")
    env = {"TARGET_QUICKBOOKS_MODE": mode, "PEAK_PATH": str(peak)}
    with lines.open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-c", _TARGET, "--config=ENV"],
            env=os.environ | simulator.env() | env,
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    return done.returncode, int(peak.read_text()) / 1024


if __name__ == "__main__":
    sys.exit(main())
