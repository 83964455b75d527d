"""Measures speed, calls, memory and start-up of both plugins, beside what people would use otherwise.

    python -m benchmarks                       everything, some minutes
    python -m benchmarks --quick tap           one subject with a small company
    python -m benchmarks --long                and some minutes more
    python -m benchmarks --no-readme           without writing benchmarks/README.md

What is compared is measured in turns in the same run, so the figures that count are ratios. Ends with 1 if a
bound is not met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from benchmarks import memory, reconciling, start_up, tap_speed, target_speed
from benchmarks.processes import ProgramFailedError
from benchmarks.results import Figure, Scope, show, write_readme

#: Of what is not printed to a terminal, a log of a job say.
_WIDE = 150
SUBJECTS: dict[str, Callable[..., Iterator[Figure]]] = {
    "tap": tap_speed.figures,
    "target": target_speed.figures,
    "memory": memory.figures,
    "reconcile": reconciling.figures,
    "start": start_up.figures,
}


def main() -> int:
    """Measure, print the table, write the README."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"{', '.join(SUBJECTS)}; default: all")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="small companies, few rounds")
    size.add_argument("--long", action="store_true", help="with the largest company for the target, too")
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md alone")
    arguments = parser.parse_args()
    if unknown := set(arguments.subjects) - set(SUBJECTS):
        parser.error(f"unknown subject: {', '.join(sorted(unknown))}")
    scope = Scope.QUICK if arguments.quick else Scope.LONG if arguments.long else Scope.FULL
    console, began = Console(), time.monotonic()
    if not console.is_terminal:
        console.width = _WIDE
    figures: list[Figure] = []
    failed = False
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for subject in arguments.subjects or SUBJECTS:
            console.print(f"Measuring {subject} ...")
            try:
                for figure in SUBJECTS[subject](Path(folder), scope=scope):
                    console.print(f"  {figure.name}: {figure.cells[2]} {figure.cells[4]}", highlight=False)
                    figures.append(figure)
            except ProgramFailedError as error:
                console.print(f"[bold red]{subject} could not be measured:[/] {error}")
                failed = True
    show(figures, console)
    console.print(f"{time.monotonic() - began:.0f} s")
    if not (failed or arguments.no_readme or arguments.subjects):
        write_readme(figures, scope=scope)
    return 1 if failed or any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
