"""How ``quickbooks-admin`` prints: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import click
import simplejson
from rich import box
from rich.console import Console
from rich.table import Table

from target_quickbooks.exact_json import to_json

#: What makes a spreadsheet take a cell for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def console() -> Console:
    """Prints texts as they are: names may hold brackets and colons."""
    return Console(markup=False, emoji=False, highlight=False)


def print_json(document: Any) -> None:
    """Print a document for programs; numbers stay exact, times are ISO 8601."""
    click.echo(simplejson.dumps(plain(document), indent=2, ensure_ascii=False, use_decimal=True))


def plain(value: Any) -> Any:
    """The document with times and other foreign values as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


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


def csv_line(values: Iterable[Any]) -> str:
    """One line of CSV; texts that a spreadsheet would run as a formula are quoted with an apostrophe."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_cell(value) for value in values])
    return line.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = to_json(plain(value)) if isinstance(value, Mapping | list) else str(plain(value))
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
