"""How close a load of new vendors comes to what QuickBooks' limits allow: 40 batches of 30 a minute.

Runs both plugins as programs against a simulator that keeps the documented limits. The first 40 batches may
go out at once, so writes a second over a short load can exceed the ceiling; the time is therefore also
compared with the least that the limits allow for so many batches. With --readers, that many processes ask
QuickBooks for a vendor again and again meanwhile, as fast as the shared limits let them.

    python benchmarks/throttle.py --vendors 2000
    python benchmarks/throttle.py --vendors 2000 --readers 1
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ap_simulator.testing import RunningSimulator, running

BATCHES_A_MINUTE = 40
CEILING = BATCHES_A_MINUTE * 30 / 60
WANTED_SHARE = 0.9
_LIMIT_SECONDS = 1800
_READER = """
from target_quickbooks.admin.company import client_for, settings_for
from target_quickbooks.admin.environment import opened_store

with opened_store() as store:
    client = client_for(settings_for(None), store)
    while True:
        client.query("SELECT * FROM Vendor MAXRESULTS 1")
"""


def main() -> int:
    """Measure and print; 1 if less than 90 % of the ceiling or any throttle answer came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vendors", type=int, default=2000, help="how many new vendors (default: 2000)")
    parser.add_argument("--readers", type=int, default=0, help="how many processes read beside (default: 0)")
    arguments = parser.parse_args()
    vendors = arguments.vendors
    with (
        running("empty", vendors=vendors) as simulator,
        tempfile.TemporaryDirectory(prefix="throttle-") as folder,
    ):
        lines = Path(folder) / "vendors.jsonl"
        _read(simulator, lines)
        held = len(simulator.control.records("quickbooks", "Vendor"))
        simulator.control.reset_stats()
        with _readers(simulator, arguments.readers):
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
    print(f"calls                {stats['calls']} ({stats['calls'] / seconds:.1f} a second)")
    if arguments.readers:
        print(f"queries              {_queries(stats)}, most of them by {arguments.readers} readers")
    print(f"throttle answers     {throttled}")
    return 0 if created == vendors and rate >= WANTED_SHARE * CEILING and not throttled else 1


@contextmanager
def _readers(simulator: RunningSimulator, count: int) -> Iterator[None]:
    """Processes that read as fast as they may while the block lasts."""
    readers = [
        subprocess.Popen([sys.executable, "-c", _READER], env=os.environ | simulator.env())
        for _ in range(count)
    ]
    try:
        yield
        ended = [reader.returncode for reader in readers if reader.poll() is not None]
        if ended:
            msg = f"A reader ended by itself with exit code {ended[0]}: nothing was measured"
            raise RuntimeError(msg)
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()


def _queries(stats: dict[str, Any]) -> int:
    return sum(
        sum(answers.values())
        for endpoint, answers in stats["by_endpoint"].items()
        if endpoint.endswith("/query")
    )


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
