"""How long the plugins take to do nothing: to say their version, to describe themselves, to find no news."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.processes import Took, run, simulator, tool
from benchmarks.results import Figure, Scope

SUBJECT = "start"


def figures(folder: Path, *, scope: Scope) -> Iterator[Figure]:
    """Measure each several times in turns; the SDK alone, which both are made with, is the floor."""
    quick = scope is Scope.QUICK
    rounds = 3 if quick else 5
    programs: dict[str, Callable[[], Took]] = {
        "`import singer_sdk`": lambda: run([sys.executable, "-c", "import singer_sdk"]),
    }
    for name in ("tap-bill", "target-quickbooks"):
        for option in ("--version", "--about"):
            programs[f"`{name} {option}`"] = _program(name, option)
    with simulator(vendors=200, bills=200) as both:
        lines, state, none = folder / "first.jsonl", folder / "state.json", folder / "none.jsonl"
        run([tool("tap-bill"), "--config=ENV"], env=both.env, stdout=lines)
        with lines.open(encoding="utf-8") as written:
            states = [message for line in written if (message := json.loads(line))["type"] == "STATE"]
        state.write_text(json.dumps(states[-1]["value"]), encoding="utf-8")
        env = dict(both.env) | {"TARGET_QUICKBOOKS_STORE_URL": f"sqlite:///{folder / 'start.db'}"}
        run([tool("target-quickbooks"), "--config=ENV"], env=env, stdin=lines)
        tap: list[str | Path] = [tool("tap-bill"), "--config=ENV", "--state", state]
        run(tap, env=both.env, stdout=none)
        programs["tap, a run without news"] = lambda: run(tap, env=both.env, stdout=none)
        programs["target, a run without news"] = lambda: run(
            [tool("target-quickbooks"), "--config=ENV"], env=env, stdin=none
        )
        took: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, program in programs.items():
                took[name].append(program().seconds)
    floor = statistics.median(took["`import singer_sdk`"])
    for name, seconds in took.items():
        median = statistics.median(seconds)
        note = f"median of {rounds}; {median / floor:.1f} times the SDK alone"
        yield Figure(SUBJECT, name, median, "s", note=note, digits=2)


def _program(name: str, option: str) -> Callable[[], Took]:
    return lambda: run([tool(name), option])
