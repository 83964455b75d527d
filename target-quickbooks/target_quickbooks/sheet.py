"""CSV for spreadsheets: one line at a time, and no text that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from target_quickbooks.exact_json import to_json

#: What makes a spreadsheet take a cell for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_line(values: Iterable[Any]) -> str:
    """One line of CSV; texts that a spreadsheet would run as a formula are quoted with an apostrophe."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_cell(value) for value in values])
    return line.getvalue()


def plain(value: Any) -> Any:
    """The document with times and other foreign values as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = to_json(plain(value)) if isinstance(value, Mapping | list) else str(plain(value))
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
