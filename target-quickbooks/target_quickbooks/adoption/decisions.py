"""What a person decided about records that QuickBooks may hold already: the file of ``adoptions_path``.

A row for each proposal; of its columns only the ids and ``decision`` are read: ``link`` takes the QuickBooks
object over, ``new`` writes a new one whatever is there, ``skip`` leaves the record out. A record whose rows
say nothing waits.
"""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from target_quickbooks.errors import SettingsError
from target_quickbooks.exact_json import from_json

COLUMNS = (
    "organization_id",
    "stream",
    "bill_id",
    "bill_name",
    "quickbooks_id",
    "quickbooks_name",
    "confidence",
    "evidence",
    "decision",
)
_KEYS = ("organization_id", "stream", "bill_id")
STREAMS = ("vendors", "bills")


class Decision(enum.StrEnum):
    """What is to become of a record."""

    LINK = "link"
    NEW = "new"
    SKIP = "skip"
    OPEN = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided of one record; ``quickbooks_id`` is what it is linked with."""

    decision: Decision
    quickbooks_id: str = ""


@dataclass(frozen=True, slots=True)
class Adoptions:
    """All decisions, by organization, stream and BILL id."""

    decided: Mapping[tuple[str, str, str], Decided] = field(default_factory=dict)

    @property
    def claimed(self) -> dict[str, str]:
        """Which BILL vendor each QuickBooks vendor is to be linked with: nobody else takes it."""
        return {
            found.quickbooks_id: bill_id
            for (_, stream, bill_id), found in self.decided.items()
            if stream == "vendors" and found.quickbooks_id
        }

    def of(self, organization_id: str, stream: str, bill_id: str) -> Decided | None:
        """What was decided of a record; None if it is not in the file."""
        return self.decided.get((organization_id, stream, bill_id))


def read_adoptions(path: Path) -> Adoptions:
    """Read the file: JSON (a list of objects) if its name ends in ``.json``, else CSV.

    Raises:
        SettingsError: It cannot be read, or what it says is not clear.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"adoptions_path: {path} cannot be read: {reason}."
        raise SettingsError(msg) from None
    if path.suffix.lower() != ".json":
        separator = ";" if ";" in text.partition("\n")[0] else ","
        return from_rows(csv.DictReader(io.StringIO(text), delimiter=separator), str(path))
    try:
        rows = from_json(text)
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        msg = f"adoptions_path: {path} is not a JSON list of objects."
        raise SettingsError(msg)
    return from_rows(rows, str(path))


def from_rows(rows: Iterable[Mapping[str, Any]], source: str) -> Adoptions:
    """Make decisions of rows.

    Args:
        rows: Values by column.
        source: What to call them in errors.

    Raises:
        SettingsError: A row lacks a column or decides something unknown, or two rows contradict.
    """
    decided: dict[tuple[str, str, str], Decided] = {}
    linked: dict[tuple[str, str], str] = {}
    for number, row in enumerate(rows, start=1):
        where = f"adoptions_path: row {number} of {source}"
        organization_id, stream, bill_id = key = _key(row, where)
        found = _decision(row, where)
        before = decided.get(key)
        if found.decision is Decision.LINK:
            place = (stream, found.quickbooks_id)
            if linked.setdefault(place, bill_id) != bill_id:
                msg = f"{where} links {found.quickbooks_id} with {bill_id}, another row with {linked[place]}."
                raise SettingsError(msg)
        if before and Decision.OPEN not in {before.decision, found.decision} and before != found:
            msg = f"{where} contradicts an earlier row of {bill_id}: decide once."
            raise SettingsError(msg)
        if before is None or before.decision is Decision.OPEN:
            decided[organization_id, stream, bill_id] = found
    return Adoptions(decided)


def _key(row: Mapping[str, Any], where: str) -> tuple[str, str, str]:
    values = [str(row.get(name) or "").strip() for name in _KEYS]
    if not all(values):
        missing = ", ".join(name for name, value in zip(_KEYS, values, strict=True) if not value)
        msg = f"{where} has no {missing}. Its first row names the columns: {', '.join(COLUMNS)}."
        raise SettingsError(msg)
    if values[1] not in STREAMS:
        msg = f"{where} is of stream '{values[1]}': it can be vendors or bills."
        raise SettingsError(msg)
    return values[0], values[1], values[2]


def _decision(row: Mapping[str, Any], where: str) -> Decided:
    said = str(row.get("decision") or "").strip().lower()
    try:
        decision = Decision(said)
    except ValueError:
        msg = f"{where} decides '{said}': it can be link, new or skip, or nothing yet."
        raise SettingsError(msg) from None
    quickbooks_id = str(row.get("quickbooks_id") or "").strip()
    if decision is Decision.LINK and not quickbooks_id:
        msg = f"{where} decides to link, but names no quickbooks_id."
        raise SettingsError(msg)
    return Decided(decision, quickbooks_id if decision is Decision.LINK else "")
