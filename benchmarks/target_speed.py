"""What the target takes to write and to find nothing to write, beside `python-quickbooks`.

Limits of calls per second and minute are lifted on both sides, in the simulator and in the target's governor:
with them, 40 batches a minute are all that any of these ways could send (see ``throttle.py``).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Rounds:
    """Runs over all records, and runs that only start: a new store is made, and no record comes."""

    records: int = 0
    starts: list[float] = field(default_factory=list)
    all: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Records a second of the best run, without the start: look-ups and all calls count."""
        return self.records / (min(self.all) - min(self.starts))

    def measure(self, both: Simulator, lines: Path, folder: Path, *, store: Path | None = None) -> None:
        """Run both kinds once.

        Args:
            both: The simulator.
            lines: A tap's output.
            folder: For stores and the lines without records.
            store: One that knows the records already; a new one for each run if not given.
        """
        schemas = folder / "schemas.jsonl"
        with lines.open(encoding="utf-8") as source:
            found = [line for line in source if line.startswith('{"type":"SCHEMA"')]
        schemas.write_text("".join(found), encoding="utf-8")
        self.starts.append(write(both, schemas, store or _new_store(folder)).seconds)
        self.all.append(write(both, lines, store or _new_store(folder)).seconds)


def _new_store(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder)) / "store.db"


def _compared(both: Simulator, folder: Path, when: str, *, rounds: int, singles: int) -> Iterator[Figure]:
    lines, ours = folder / "target.jsonl", Rounds()
    rates: dict[str, list[float]] = {"batch_create": [], "save": []}
    for _ in range(rounds):
        anew(both)
        ours.records = read(both, lines)
        ours.measure(both, lines, folder)
        for how, most in (("batch_create", ours.records), ("save", singles)):
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
        ours.rate,
        "records/s",
        note=f"{ours.records:,} vendors, without the start",
        digits=1,
    )
    yield Figure(
        SUBJECT,
        f"target beside `batch_create` {when}",
        ours.rate / best["batch_create"],
        "times",
        Bound(1.0),
        f"best of {rounds} in turns",
        digits=2,
    )
    yield Figure(SUBJECT, f"target beside `save` {when}", ours.rate / best["save"], "times", digits=1)


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
    again, writes = Rounds(records), 0
    for _ in range(3):
        both.control.reset_stats()
        again.measure(both, lines, folder, store=store)
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
        again.rate,
        "records/s",
        Bound(3_000),
        "best of 3, without the start",
    )


def anew(both: Simulator) -> None:
    """The same company as at the beginning; latency and switches stay."""
    latency = both.control.set_latency(system="bill")
    both.control.reset()
    held = latency["quickbooks"]
    both.control.set_latency(
        system="quickbooks", per_call_ms=held["per_call_ms"], per_item_ms=held["per_item_ms"]
    )
