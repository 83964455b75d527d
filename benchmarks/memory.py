"""How much memory the plugins hold at most, for companies of very different size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import run, simulator, tool
from benchmarks.results import Bound, Figure
from benchmarks.target_speed import write

SUBJECT = "memory"
MOST_MIB = 150
MOST_APART = 20


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Measure the tap on companies of each size, and the target on as many of the largest one's records."""
    sizes = (1_000, 6_000, 12_000) if quick else (5_000, 60_000, 200_000)
    everything, tap, target = folder / "everything.jsonl", [], []
    for size in sizes:
        with simulator(vendors=size // 2, bills=size - size // 2) as both:
            tap.append(run([tool("tap-bill"), "--config=ENV"], env=both.env, stdout=everything).peak)
            if size != sizes[-1]:
                continue
            for size_of_part in sizes:
                part = folder / "part.jsonl"
                _take(everything, part, size_of_part)
                target.append(write(both, part, folder / "memory.db").peak)
    for name, peaks in (("tap", tap), ("target", target)):
        for size, peak in zip(sizes, peaks, strict=True):
            yield Figure(
                SUBJECT,
                f"{name}, {size:,} records",
                peak,
                "MiB",
                Bound(MOST_MIB, at_most=True),
                "peak of RSS",
            )
        apart = (max(peaks) / min(peaks) - 1) * 100
        yield Figure(
            SUBJECT, f"{name}, most over least", apart, "% more", Bound(MOST_APART, at_most=True), digits=1
        )


def _take(everything: Path, part: Path, records: int) -> None:
    """As many vendors and bills as wanted, half of each, with all other lines."""
    left = {"vendors": records // 2, "bills": records - records // 2}
    with everything.open(encoding="utf-8") as source, part.open("w", encoding="utf-8") as sink:
        vendors: set[str] = set()
        for line in source:
            message = json.loads(line)
            stream = message.get("stream")
            if message["type"] == "STATE":
                continue
            if message["type"] != "RECORD" or stream not in left:
                sink.write(line)
                continue
            record = message["record"]
            if left[stream] and (stream == "vendors" or record["vendorId"] in vendors):
                left[stream] -= 1
                sink.write(line)
                if stream == "vendors":
                    vendors.add(record["id"])
