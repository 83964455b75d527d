"""What was measured: figures, bounds, the table on the terminal and the section of the README."""

from __future__ import annotations

import datetime as dt
import enum
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

README = Path(__file__).parent / "README.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


class Scope(enum.StrEnum):
    """How much is measured."""

    QUICK = "a quick run, with smaller companies"
    FULL = "a full run"
    LONG = "a long run"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure has to be.

    Attributes:
        limit: The bound itself.
        at_most: Whether it is an upper bound; else a lower one.
    """

    limit: float
    at_most: bool = False

    def holds(self, value: float) -> bool:
        """Whether a figure keeps it."""
        return value <= self.limit if self.at_most else value >= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that was measured.

    Attributes:
        subject: What it belongs to.
        name: What it is.
        value: The figure.
        unit: Of the figure.
        bound: What it has to be, if anything.
        note: What it was made of.
        digits: Behind the point.
    """

    subject: str
    name: str
    value: float
    unit: str = ""
    bound: Bound | None = None
    note: str = ""
    digits: int = 0

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None without one."""
        return None if self.bound is None else self.bound.holds(self.value)

    @property
    def cells(self) -> list[str]:
        """The figure as text: subject, name, value, bound, verdict, note."""
        bound = ""
        if self.bound:
            sign = "≤" if self.bound.at_most else "≥"
            bound = f"{sign} {self._number(self.bound.limit)}"
        verdict = {None: "", True: "met", False: "NOT MET"}[self.met]
        return [self.subject, self.name, self._number(self.value), bound, verdict, self.note]

    def _number(self, value: float) -> str:
        digits = self.digits if value != int(value) or self.digits < 3 else 0  # noqa: PLR2004 - 0.0000
        return f"{value:,.{digits}f} {self.unit}".strip()


HEADINGS = ("Subject", "Figure", "Measured", "Bound", "", "How")


def show(figures: Iterable[Figure], console: Console) -> None:
    """Print the table."""
    table = Table(title=f"Benchmarks: {machine()}", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in HEADINGS:
        number = heading in {"Measured", "Bound"}
        table.add_column(
            heading, justify="right" if number else "left", no_wrap=number or heading == "Subject"
        )
    for figure in figures:
        *cells, verdict, note = figure.cells
        colour = {None: "", True: "[green]", False: "[bold red]"}[figure.met]
        table.add_row(*cells, f"{colour}{verdict}", note)
    console.print(table)


def write_readme(figures: Sequence[Figure], *, scope: Scope, path: Path = README) -> None:
    """Put the figures into the README, between its markers."""
    rows = ["| " + " | ".join(figure.cells) + " |" for figure in figures]
    section = "\n".join(
        [
            _BEGIN,
            "",
            f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d}, {machine()}, in {scope}.",
            "",
            "| " + " | ".join(HEADINGS) + " |",
            "|---|---|---:|---:|---|---|",
            *rows,
            "",
            _END,
        ]
    )
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    path.write_text(pattern.sub(lambda _: section, text), encoding="utf-8")


def machine() -> str:
    """The machine in a few words; nothing that names it."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {_memory()}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _memory() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{pages * size / 2**30:.0f} GiB"
