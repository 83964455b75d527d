"""What comparing many bills costs more than comparing few (see ``reconcile_memory.py``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import reconcile_memory
from benchmarks.processes import ProgramFailedError
from benchmarks.results import Bound, Figure, Scope

SUBJECT = "reconcile"


def figures(folder: Path, *, scope: Scope) -> Iterator[Figure]:
    """Reconcile two sizes that are in step."""
    del folder
    quick = scope is Scope.QUICK
    few, many = (reconcile_memory.measure(bills) for bills in ((500, 3_000) if quick else (1_000, 10_000)))
    for one in (few, many):
        if one.exit_code:
            msg = f"reconciling {one.bills} bills ended with {one.exit_code}: the books were not in step"
            raise ProgramFailedError(msg)
        yield Figure(
            SUBJECT, f"{one.bills:,} bills", one.megabytes, "MiB", note=f"peak of RSS, {one.seconds:.1f} s"
        )
        yield Figure(
            SUBJECT,
            f"{one.bills:,} bills, calls beyond their pages",
            one.calls - one.pages,
            bound=Bound(reconcile_memory.MOST_CALLS_BEYOND_PAGES, at_most=True),
            note=f"{one.calls} calls for {one.pages} pages",
        )
    more = Bound(reconcile_memory.MOST_MEGABYTES, at_most=True)
    yield Figure(SUBJECT, "memory of many over few", many.megabytes - few.megabytes, "MiB", more)
