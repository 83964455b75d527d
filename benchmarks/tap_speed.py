"""How fast the tap reads, beside a bare loop of `requests` that pages through the same lists one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import Simulator, run, script, simulator, tool
from benchmarks.results import Bound, Figure, Scope

SUBJECT = "tap"
LATENCY_MS = 150


def figures(folder: Path, *, scope: Scope) -> Iterator[Figure]:
    """Measure without and with latency."""
    quick = scope is Scope.QUICK
    half = 4_000 if quick else 20_000
    with simulator(vendors=half, bills=half) as bill:
        yield from _compared(bill, folder, "without latency", rounds=3 if quick else 5, bound=0.7)
    half = 2_500 if quick else 10_000
    with simulator(vendors=half, bills=half) as bill:
        bill.control.set_latency(system="bill", per_call_ms=LATENCY_MS)
        yield from _compared(bill, folder, f"at {LATENCY_MS} ms a call", rounds=1 if quick else 2, bound=2.5)


def _compared(bill: Simulator, folder: Path, when: str, *, rounds: int, bound: float) -> Iterator[Figure]:
    """Both in turns, the best of each: what else the machine does only ever makes them slower."""
    start = min(run([tool("tap-bill"), "--version"]).seconds for _ in range(3))
    bare, tap, lines = [], [], folder / "tap.jsonl"
    records = calls = 0
    for _ in range(rounds):
        read = json.loads(run(script("bare_reader.py"), env=bill.env, keep=True).output)
        bare.append(read["records"] / read["seconds"])
        bill.control.reset_stats()
        took = run([tool("tap-bill"), "--config=ENV"], env=bill.env, stdout=lines)
        with lines.open("rb") as written:
            records = sum(line.startswith(b'{"type":"RECORD"') for line in written)
        tap.append(records / (took.seconds - start))
        calls = bill.calls("bill")[0]
    stats = bill.control.stats()["bill"]
    yield Figure(SUBJECT, f"bare loop {when}", max(bare), "records/s", note="`requests`, nothing written")
    yield Figure(
        SUBJECT,
        f"tap {when}",
        max(tap),
        "records/s",
        note=f"{records:,} records, {calls} calls, start left out",
    )
    yield Figure(
        SUBJECT,
        f"tap beside the bare loop {when}",
        max(tap) / max(bare),
        "times",
        Bound(bound),
        f"best of {rounds} in turns",
        digits=2,
    )
    yield Figure(
        SUBJECT,
        f"calls in flight {when}",
        stats["max_in_flight"],
        bound=Bound(3, at_most=True),
        note=f"refused for it: {sum(stats['throttled'].values())}",
    )
