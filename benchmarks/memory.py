"""How much memory the plugins hold at most, for companies of very different size."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.processes import run, simulator, tool
from benchmarks.results import Bound, Figure, Scope
from benchmarks.target_speed import write

SUBJECT = "memory"
MOST_MIB = 150
MOST_APART = 20


def figures(folder: Path, *, scope: Scope) -> Iterator[Figure]:
    """Measure the tap on companies of each size, and the target on parts of the largest one.

    Writing the largest part takes some minutes more than all the rest, so it is only done in a long run.
    """
    quick = scope is Scope.QUICK
    sizes = (1_000, 6_000, 12_000) if quick else (5_000, 60_000, 200_000)
    written = sizes if scope is not Scope.FULL else sizes[:-1]
    everything, tap, target = folder / "everything.jsonl", [], []
    for size in sizes:
        with simulator(vendors=size // 2, bills=size - size // 2) as both:
            tap.append(run([tool("tap-bill"), "--config=ENV"], env=both.env, stdout=everything).peak)
            for part_size in written if size == written[-1] else ():
                part = folder / "part.jsonl"
                _take(everything, part, part_size)
                target.append(write(both, part, folder / "memory.db").peak)
    note = "" if len(written) == len(sizes) else f"{sizes[-1]:,} records: with --long"
    yield from _peaks("tap", sizes, tap)
    yield from _peaks("target", written, target, note)


def _peaks(name: str, sizes: Sequence[int], peaks: Sequence[float], note: str = "") -> Iterator[Figure]:
    for size, peak in zip(sizes, peaks, strict=True):
        yield Figure(
            SUBJECT, f"{name}, {size:,} records", peak, "MiB", Bound(MOST_MIB, at_most=True), "peak of RSS"
        )
    apart = (max(peaks) / min(peaks) - 1) * 100
    bound = Bound(MOST_APART, at_most=True)
    yield Figure(SUBJECT, f"{name}, most over least", apart, "% more", bound, note, digits=1)


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
