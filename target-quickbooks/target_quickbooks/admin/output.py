"""How ``quickbooks-admin`` prints: tables for people, JSON and CSV for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click
import simplejson
from rich import box
from rich.console import Console
from rich.table import Table

from target_quickbooks.sheet import csv_line, plain

__all__ = ["console", "csv_line", "plain", "print_json", "print_table", "wide_table"]


def console() -> Console:
    """Prints texts as they are: names may hold brackets and colons."""
    return Console(markup=False, emoji=False, highlight=False)


def print_json(document: Any) -> None:
    """Print a document for programs; numbers stay exact, times are ISO 8601."""
    click.echo(simplejson.dumps(plain(document), indent=2, ensure_ascii=False, use_decimal=True))


def print_table(title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows of the same keys."""
    found = list(rows)
    if not found:
        console().print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left")
    for name in found[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in found:
        table.add_row(*(("" if value is None else str(value)) for value in row.values()))
    console().print(table)


def wide_table(*columns: tuple[str, int]) -> Table:
    """A table over the whole width, whose long texts are folded; columns are names and ratios."""
    table = Table(box=box.SIMPLE_HEAD, expand=True)
    for name, ratio in columns:
        table.add_column(name, ratio=ratio, overflow="fold")
    return table
