"""How close a load of new vendors comes to what QuickBooks' limits allow: 40 batches of 30 a minute.

Runs both plugins as programs against a simulator that keeps the documented limits. The first 40 batches may
go out at once, so writes a second over a short load can exceed the ceiling; the time is therefore also
compared with the least that the limits allow for so many batches.

    python benchmarks/throttle.py --vendors 2000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ap_simulator.testing import RunningSimulator, running

BATCHES_A_MINUTE = 40
CEILING = BATCHES_A_MINUTE * 30 / 60
WANTED_SHARE = 0.9
_LIMIT_SECONDS = 1800


def main() -> int:
    """Measure and print; 1 if less than 90 % of the ceiling or any throttle answer came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vendors", type=int, default=2000, help="how many new vendors (default: 2000)")
    vendors = parser.parse_args().vendors
    with (
        running("empty", vendors=vendors) as simulator,
        tempfile.TemporaryDirectory(prefix="throttle-") as folder,
    ):
        lines = Path(folder) / "vendors.jsonl"
        _read(simulator, lines)
        held = len(simulator.control.records("quickbooks", "Vendor"))
        simulator.control.reset_stats()
        seconds = _write(simulator, lines)
        stats = simulator.control.stats()["quickbooks"]
        created = len(simulator.control.records("quickbooks", "Vendor")) - held
    batches = sum(
        sum(answers.values())
        for endpoint, answers in stats["by_endpoint"].items()
        if endpoint.endswith("/batch")
    )
    least = (max(batches, 1) - 1) // BATCHES_A_MINUTE * 60
    rate, throttled = created / seconds, sum(stats["throttled"].values())
    print(f"vendors created      {created} of {vendors} in {seconds:.1f} s")
    print(f"writes a second      {rate:.1f} ({rate / CEILING:.0%} of the ceiling of {CEILING:.0f})")
    print(f"least time allowed   {least} s for {batches} batches ({least / seconds:.0%} of the time taken)")
    print(f"calls                {stats['calls']}")
    print(f"throttle answers     {throttled}")
    return 0 if created == vendors and rate >= WANTED_SHARE * CEILING and not throttled else 1


def _read(simulator: RunningSimulator, lines: Path) -> None:
    with lines.open("w", encoding="utf-8") as output:
        subprocess.run(
            [sys.executable, "-m", "tap_bill", "--config=ENV"],
            env=os.environ | simulator.env(),
            stdout=output,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_SECONDS,
            check=True,
        )


def _write(simulator: RunningSimulator, lines: Path) -> float:
    """Seconds that the target took, from its start to its end."""
    with lines.open(encoding="utf-8") as source:
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "target_quickbooks", "--config=ENV"],
            env=os.environ | simulator.env(),
            stdin=source,
            stdout=subprocess.DEVNULL,
            timeout=_LIMIT_SECONDS,
            check=True,
        )
        return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
