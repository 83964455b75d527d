"""Both books side by side in a temporary file, so that their size does not matter to memory.

The file lies in the system's temporary directory, readable by its owner only, and is gone when reconciling
ends.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from target_quickbooks.exact_json import from_json, to_json
from target_quickbooks.reconcile.documents import (
    BillDocument,
    Expected,
    HeldVendor,
    OrderDocument,
    VendorDocument,
)
from target_quickbooks.reconcile.findings import Finding, Kind
from target_quickbooks.reconcile.findings import from_json as finding_from_json

PORTION = 500
_TABLES = """
CREATE TABLE bills (organization TEXT, id TEXT, vendor TEXT, document TEXT, PRIMARY KEY (organization, id));
CREATE TABLE vendors (organization TEXT, id TEXT, document TEXT, PRIMARY KEY (organization, id));
CREATE TABLE orders (id TEXT PRIMARY KEY, mark TEXT, likeness TEXT, matched TEXT, document TEXT);
CREATE INDEX orders_by_mark ON orders (mark);
CREATE INDEX orders_by_likeness ON orders (likeness);
CREATE TABLE held (id TEXT PRIMARY KEY, likeness TEXT, matched TEXT, document TEXT);
CREATE INDEX held_by_likeness ON held (likeness);
CREATE TABLE findings (
    number INTEGER PRIMARY KEY, known INTEGER, rank INTEGER, sorted TEXT, document TEXT
);
"""


class Staging:
    """The temporary file, while it is entered."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="reconcile-")
        self._database = sqlite3.connect(Path(self._directory.name) / "books.sqlite3", isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES)
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        self._database.close()
        self._directory.cleanup()

    def put_bills(self, organization_id: str, bills: Iterable[BillDocument]) -> None:
        """Stage bills; a later version takes the place of an earlier one."""
        self._database.executemany(
            "INSERT OR REPLACE INTO bills VALUES (?, ?, ?, ?)",
            ((organization_id, bill.bill_id, bill.vendor_id, to_json(asdict(bill))) for bill in bills),
        )

    def put_vendors(self, organization_id: str, vendors: Iterable[VendorDocument]) -> None:
        """Stage BILL vendors."""
        self._database.executemany(
            "INSERT OR REPLACE INTO vendors VALUES (?, ?, ?)",
            ((organization_id, vendor.bill_id, to_json(asdict(vendor))) for vendor in vendors),
        )

    def put_orders(self, orders: Iterable[OrderDocument]) -> None:
        """Stage purchase orders."""
        self._database.executemany(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, NULL, ?)",
            (
                (
                    order.quickbooks_id,
                    "/".join(order.mark) if order.mark else None,
                    likeness(order.vendor_id, order.amount),
                    to_json(asdict(order)),
                )
                for order in orders
            ),
        )

    def put_held(self, vendors: Iterable[tuple[str, HeldVendor]]) -> None:
        """Stage QuickBooks vendors, each with what it is alike by."""
        self._database.executemany(
            "INSERT OR REPLACE INTO held VALUES (?, ?, NULL, ?)",
            ((vendor.quickbooks_id, alike, to_json(asdict(vendor))) for alike, vendor in vendors),
        )

    def organizations(self) -> list[str]:
        """The organizations of what is staged."""
        found = self._database.execute(
            "SELECT organization FROM bills UNION SELECT organization FROM vendors"
        )
        return sorted(row[0] for row in found)

    def bills(self, organization_id: str) -> Iterator[list[BillDocument]]:
        """All bills of an organization, in portions."""
        for rows in self._portions("bills", "organization = ?", (organization_id,)):
            yield [_bill(row) for row in rows]

    def vendors(self, organization_id: str) -> Iterator[list[VendorDocument]]:
        """All BILL vendors of an organization, in portions."""
        for rows in self._portions("vendors", "organization = ?", (organization_id,)):
            yield [VendorDocument(**row) for row in rows]

    def vendors_by_id(self, organization_id: str, ids: Iterable[str]) -> dict[str, VendorDocument]:
        """BILL vendors by id."""
        rows = self._some("vendors", "id", ids, "organization = ? AND", (organization_id,))
        return {str(row["bill_id"]): VendorDocument(**row) for row in rows}

    def known_bills(self, marks: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (organization, bill id) that BILL told of."""
        query = "SELECT organization, id FROM bills WHERE organization = ? AND id = ?"
        found = (self._database.execute(query, mark).fetchone() for mark in marks)
        return {(row[0], row[1]) for row in found if row}

    def orders_by_id(self, ids: Iterable[str]) -> dict[str, OrderDocument]:
        """Orders by QuickBooks id."""
        return {str(row["quickbooks_id"]): _order(row) for row in self._some("orders", "id", ids)}

    def orders_by_mark(self, organization_id: str, bill_ids: Iterable[str]) -> dict[str, list[OrderDocument]]:
        """Orders by the BILL id in their note."""
        marks = (f"{organization_id}/{bill_id}" for bill_id in bill_ids)
        found: dict[str, list[OrderDocument]] = {}
        for row in self._some("orders", "mark", marks):
            order = _order(row)
            found.setdefault(order.mark[1] if order.mark else "", []).append(order)
        return found

    def held_by_id(self, ids: Iterable[str]) -> dict[str, HeldVendor]:
        """QuickBooks vendors by id."""
        return {str(row["quickbooks_id"]): HeldVendor(**row) for row in self._some("held", "id", ids)}

    def match(self, table: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Note which BILL record a QuickBooks object was matched with: pairs of QuickBooks id and BILL id."""
        self._database.executemany(
            f"UPDATE {table} SET matched = ? WHERE id = ?",  # noqa: S608 - a name of this module
            ((bill_id, quickbooks_id) for quickbooks_id, bill_id in pairs),
        )

    def unmatched_orders(self) -> Iterator[list[tuple[OrderDocument, tuple[str, str] | None]]]:
        """Orders without a bill, each with the (QuickBooks id, BILL id) of a matched one that is like it."""
        twin = (
            "(SELECT t.id || ' ' || t.matched FROM orders t WHERE t.likeness = o.likeness "
            "AND t.matched IS NOT NULL ORDER BY t.id LIMIT 1)"
        )
        query = f"SELECT o.document, {twin} FROM orders o WHERE o.matched IS NULL ORDER BY o.id"  # noqa: S608
        for rows in _chunks(self._database.execute(query)):
            yield [(_order(from_json(row[0])), _pair(row[1])) for row in rows]

    def unmatched_held(self) -> Iterator[list[tuple[HeldVendor, tuple[str, str] | None]]]:
        """QuickBooks vendors without a BILL vendor, each with a matched one that is like it."""
        twin = (
            "(SELECT t.id || ' ' || t.matched FROM held t WHERE t.likeness = h.likeness AND t.likeness <> '' "
            "AND t.matched IS NOT NULL ORDER BY t.id LIMIT 1)"
        )
        query = f"SELECT h.document, {twin} FROM held h WHERE h.matched IS NULL ORDER BY h.id"  # noqa: S608
        for rows in _chunks(self._database.execute(query)):
            yield [(HeldVendor(**from_json(row[0])), _pair(row[1])) for row in rows]

    def put_findings(self, findings: Iterable[Finding]) -> None:
        """Keep findings."""
        ranks = list(Kind)
        self._database.executemany(
            "INSERT INTO findings (known, rank, sorted, document) VALUES (?, ?, ?, ?)",
            (
                (
                    int(found.known),
                    ranks.index(found.kind),
                    f"{found.entity} {found.vendor} {found.month} {found.label}".casefold(),
                    to_json(found.to_json()),
                )
                for found in findings
            ),
        )

    def findings(self) -> Iterator[Finding]:
        """All findings: those nobody was told of first, by kind, entity, vendor and month."""
        query = "SELECT document FROM findings ORDER BY known, rank, sorted, number"
        for row in self._database.execute(query):
            yield finding_from_json(from_json(row[0]))

    def _portions(
        self, table: str, condition: str, values: tuple[str, ...]
    ) -> Iterator[list[Mapping[str, Any]]]:
        query = f"SELECT document FROM {table} WHERE {condition} ORDER BY id"  # noqa: S608
        for rows in _chunks(self._database.execute(query, values)):
            yield [from_json(row[0]) for row in rows]

    def _some(
        self, table: str, column: str, keys: Iterable[str], also: str = "", values: tuple[str, ...] = ()
    ) -> Iterator[Mapping[str, Any]]:
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), PORTION):
            part = wanted[start : start + PORTION]
            places = ", ".join("?" * len(part))
            query = f"SELECT document FROM {table} WHERE {also} {column} IN ({places}) ORDER BY id"  # noqa: S608
            for row in self._database.execute(query, (*values, *part)):
                yield from_json(row[0])


def likeness(vendor_id: str, amount: Decimal) -> str:
    """What two orders for the same thing have in common."""
    return f"{vendor_id} {amount:.2f}"


def _chunks(cursor: sqlite3.Cursor) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(PORTION):
        yield rows


def _pair(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    quickbooks_id, _, bill_id = text.partition(" ")
    return quickbooks_id, bill_id


def _bill(row: Mapping[str, Any]) -> BillDocument:
    amounts = {name: Decimal(row[name]) for name in ("amount", "open_amount")}
    more = {"expected": Expected(row["expected"]), "unpaid": _amount(row["unpaid"])}
    return BillDocument(**{**row, **amounts, **more})


def _order(row: Mapping[str, Any]) -> OrderDocument:
    mark = tuple(row["mark"]) if row["mark"] else None
    more = {"amount": Decimal(row["amount"]), "unpaid": _amount(row["unpaid"]), "mark": mark}
    return OrderDocument(**{**row, **more})


def _amount(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
