"""What the target takes to write and to find nothing to write, beside `python-quickbooks`.

Limits of calls per second and minute are lifted on both sides, in the simulator and in the target's governor:
with them, 40 batches a minute are all that any of these ways could send (see ``throttle.py``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import Simulator, Took, run, script, simulator, tool
from benchmarks.results import Bound, Figure, Scope

SUBJECT = "target"
PER_CALL_MS, PER_ITEM_MS = 120, 15


def figures(folder: Path, *, scope: Scope) -> Iterator[Figure]:
    """Measure speed on vendors, which all ways can write, and calls on vendors and bills."""
    quick = scope is Scope.QUICK
    with simulator(vendors=600 if quick else 3_000) as both:
        yield from _compared(both, folder, "without latency", rounds=1 if quick else 3, singles=300)
    with simulator(vendors=150 if quick else 600) as both:
        both.control.set_latency(system="quickbooks", per_call_ms=PER_CALL_MS, per_item_ms=PER_ITEM_MS)
        when = f"at {PER_CALL_MS} ms a call and {PER_ITEM_MS} ms an item"
        yield from _compared(both, folder, when, rounds=1 if quick else 2, singles=30)
    half = 1_500 if quick else 7_500
    with simulator(vendors=half, bills=half) as both:
        yield from _written_and_again(both, folder)


def write(both: Simulator, lines: Path, store: Path) -> Took:
    """Run the target on a tap's output, with a store of its own."""
    env = dict(both.env) | {"TARGET_QUICKBOOKS_STORE_URL": f"sqlite:///{store}"}
    return run([*script("limitless_target.py"), "--config=ENV"], env=env, stdin=lines)


def read(both: Simulator, lines: Path) -> int:
    """Run the tap; the number of vendors and bills it wrote that are in use."""
    run([tool("tap-bill"), "--config=ENV"], env=both.env, stdout=lines)
    with lines.open(encoding="utf-8") as written:
        messages = (json.loads(line) for line in written if line.startswith('{"type":"RECORD"'))
        return sum(
            message["stream"] in {"vendors", "bills"} and not message["record"]["archived"]
            for message in messages
        )


def rate(both: Simulator, lines: Path, folder: Path, *, records: int, store: Path | None = None) -> float:
    """Records a second beyond the first one, whose run pays for the start, the store and the first look-ups.

    Args:
        both: The simulator; its company is made anew in between, if the store is.
        lines: A tap's output.
        folder: For stores and the first record.
        records: How many are in ``lines``.
        store: One that knows the records already; a new one for each run if not given.
    """
    first = folder / "first.jsonl"
    _first_record(lines, first)
    least = write(both, first, store or _new_store(folder)).seconds
    if store is None:
        anew(both)
    return (records - 1) / (write(both, lines, store or _new_store(folder)).seconds - least)


def _first_record(lines: Path, first: Path) -> None:
    with lines.open(encoding="utf-8") as source, first.open("w", encoding="utf-8") as sink:
        for line in source:
            sink.write(line)
            if line.startswith('{"type":"RECORD","stream":"vendors"'):
                return


def _new_store(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder)) / "store.db"


def _compared(both: Simulator, folder: Path, when: str, *, rounds: int, singles: int) -> Iterator[Figure]:
    lines, records = folder / "target.jsonl", 0
    rates: dict[str, list[float]] = {"ours": [], "batch_create": [], "save": []}
    for _ in range(rounds):
        anew(both)
        records = read(both, lines)
        rates["ours"].append(rate(both, lines, folder, records=records))
        for how, most in (("batch_create", records), ("save", singles)):
            anew(both)
            done = json.loads(
                run([*script("library_writer.py"), how, lines, str(most)], env=both.env, keep=True).output
            )
            rates[how].append(done["records"] / done["seconds"])
    best = {how: max(found) for how, found in rates.items()}
    for how in ("save", "batch_create"):
        yield Figure(SUBJECT, f"`{how}` {when}", best[how], "records/s", note="python-quickbooks", digits=1)
    yield Figure(
        SUBJECT,
        f"target {when}",
        best["ours"],
        "records/s",
        note=f"{records:,} vendors, beyond the first",
        digits=1,
    )
    yield Figure(
        SUBJECT,
        f"target beside `batch_create` {when}",
        best["ours"] / best["batch_create"],
        "times",
        Bound(1.0),
        f"best of {rounds} in turns",
        digits=2,
    )
    yield Figure(SUBJECT, f"target beside `save` {when}", best["ours"] / best["save"], "times", digits=1)


def _written_and_again(both: Simulator, folder: Path) -> Iterator[Figure]:
    lines, store = folder / "load.jsonl", folder / "load.db"
    records = read(both, lines)
    both.control.reset_stats()
    took = write(both, lines, store)
    calls, _ = both.calls("quickbooks")
    yield Figure(
        SUBJECT,
        "calls per record of a first load",
        calls / records,
        bound=Bound(0.036, at_most=True),
        note=f"{calls} calls for {records:,} vendors and bills",
        digits=4,
    )
    yield Figure(
        SUBJECT, "first load of vendors and bills", records / took.seconds, "records/s", note="start included"
    )
    rates, writes = [], 0
    for _ in range(3):
        both.control.reset_stats()
        rates.append(rate(both, lines, folder, records=records, store=store))
        calls, writes = both.calls("quickbooks")
    yield Figure(SUBJECT, "writes of an identical run", writes, bound=Bound(0, at_most=True))
    yield Figure(
        SUBJECT,
        "calls per record of an identical run",
        calls / records,
        bound=Bound(0.002, at_most=True),
        note=f"{calls} calls",
        digits=4,
    )
    yield Figure(
        SUBJECT,
        "identical run without latency",
        max(rates),
        "records/s",
        Bound(3_000),
        "best of 3, beyond the first",
    )


def anew(both: Simulator) -> None:
    """The same company as at the beginning; latency and switches stay."""
    latency = both.control.set_latency(system="bill")
    both.control.reset()
    held = latency["quickbooks"]
    both.control.set_latency(
        system="quickbooks", per_call_ms=held["per_call_ms"], per_item_ms=held["per_item_ms"]
    )
