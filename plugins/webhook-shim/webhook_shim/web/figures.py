"""Figures of a company, read from the store: counts, sums, what happened per day, use of limits.

The sums are of what was last sent to QuickBooks. They are kept in memory and brought up to date with the
rows that changed, because a company has tens of thousands of orders.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, String, and_, func, literal_column, select, type_coerce
from target_quickbooks.links import Company
from target_quickbooks.store import failure_table
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.tables import audit, links, quotas, references

_ROWS_AT_ONCE = 1000
_OVERLAP = dt.timedelta(minutes=2)
_WROTE = ("create", "update", "close", "void")
#: What bills become: one of these in each company.
_OF_BILLS = ("PurchaseOrder", "Bill")
_MOST_FAILURES = 2000


@dataclass(frozen=True, slots=True)
class Totals:
    """Number and sum per currency; an empty currency is the company's own."""

    number: int = 0
    sums: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """What QuickBooks was last sent: vendors, and purchase orders (or bills) that are open and closed."""

    vendors: int = 0
    open_orders: Totals = field(default_factory=Totals)
    closed_orders: Totals = field(default_factory=Totals)


@dataclass(slots=True)
class _Order:
    updated_at: dt.datetime
    currency: str
    amount: Decimal
    closed: bool


@dataclass(slots=True)
class _Known:
    orders: dict[str, _Order] = field(default_factory=dict)
    seen_until: dt.datetime | None = None


class Figures:
    """Sums of what was sent."""

    def __init__(self) -> None:
        self._known: dict[Company, _Known] = defaultdict(_Known)
        self._lock = threading.Lock()

    def sent(self, connection: Connection, company: Company) -> Sent:
        """Counts and sums of a company."""
        by_entity = select(links.c.entity, func.count()).where(_of(links, company)).group_by(links.c.entity)
        numbers: dict[str, int] = {row[0]: row[1] for row in connection.execute(by_entity)}
        with self._lock:
            known = self._known[company]
            self._catch_up(connection, company, known)
            if len(known.orders) != sum(numbers.get(name, 0) for name in _OF_BILLS):  # links were forgotten
                known = self._known[company] = _Known()
                self._catch_up(connection, company, known)
            orders = list(known.orders.values())
        return Sent(
            vendors=numbers.get("Vendor", 0),
            open_orders=_summed(order for order in orders if not order.closed),
            closed_orders=_summed(order for order in orders if order.closed),
        )

    def _catch_up(self, connection: Connection, company: Company, known: _Known) -> None:
        """Read the orders that changed; those that changed just before were seen last time, mostly."""
        ours = and_(_of(links, company), links.c.entity.in_(_OF_BILLS))
        query = select(links.c.bill_id, links.c.updated_at).where(ours)
        if known.seen_until:
            query = query.where(links.c.updated_at >= known.seen_until - _OVERLAP)
        changed = [
            row.bill_id
            for row in connection.execute(query)
            if row.bill_id not in known.orders or known.orders[row.bill_id].updated_at != row.updated_at
        ]
        for start in range(0, len(changed), _ROWS_AT_ONCE):
            wanted = links.c.bill_id.in_(changed[start : start + _ROWS_AT_ONCE])
            columns = (links.c.bill_id, links.c.desired, links.c.updated_at)
            for row in connection.execute(select(*columns).where(ours, wanted)):
                known.orders[row.bill_id] = _order(row.desired, row.updated_at)
                known.seen_until = max(known.seen_until or row.updated_at, row.updated_at)


def failed(connection: Connection, cipher: Cipher, company: Company) -> Totals:
    """Bills that BILL has and QuickBooks has not, for failures: number and sum of what can be summed."""
    found = failure_table.unsettled(connection, cipher, company, stream="bills")
    vendors = {str(failure.record.get("vendorId") or "") for failure in found[:_MOST_FAILURES]}
    query = select(references.c.bill_id, references.c.currency).where(
        references.c.organization_id == company.organization_id,
        references.c.kind == "vendors",
        references.c.bill_id.in_(sorted(vendors)),
    )
    currencies = {row.bill_id: row.currency for row in connection.execute(query)} if vendors else {}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for failure in found[:_MOST_FAILURES]:
        amount = failure.record.get("amount")
        if isinstance(amount, int | Decimal) and not isinstance(amount, bool):
            sums[currencies.get(str(failure.record.get("vendorId") or ""), "")] += amount
    return Totals(len(found), dict(sums))


def per_day(
    connection: Connection, company: Company, *, since: dt.datetime
) -> dict[dt.date, tuple[int, int]]:
    """Records written, and refused or held back, per day (UTC)."""
    day = func.substr(type_coerce(audit.c.at, String), literal_column("1"), literal_column("10"))
    query = (
        select(day, audit.c.outcome, audit.c.operation, func.count())
        .where(_of(audit, company), audit.c.at >= since)
        .group_by(day, audit.c.outcome, audit.c.operation)
    )
    counted: dict[dt.date, list[int]] = defaultdict(lambda: [0, 0])
    for text, outcome, operation, number in connection.execute(query):
        if outcome == "applied" and operation in _WROTE:
            counted[dt.date.fromisoformat(text)][0] += number
        elif outcome in {"refused", "blocked"}:
            counted[dt.date.fromisoformat(text)][1] += number
    return {date: (written, refused) for date, (written, refused) in counted.items()}


def calls_in_last_minute(connection: Connection, realm_id: str, now: dt.datetime) -> tuple[int, int]:
    """QuickBooks calls, and batches among them, that ended in the last minute, by all processes."""
    row = connection.execute(select(quotas).where(quotas.c.realm_id == realm_id)).mappings().first()
    if row is None:
        return 0, 0
    since = row["ticks"] - ((row["saved_at"] - now).total_seconds() + 60) * 1000

    def recent(name: str) -> int:
        return sum(1 for at in row["ledger"].get(name, ()) if at >= since)

    return recent("ended"), recent("ended_batches")


def _order(desired: Mapping[str, Any], updated_at: dt.datetime) -> _Order:
    lines = desired.get("Line") or ()
    amounts = [line.get("Amount") for line in lines if isinstance(line, Mapping)]
    currency = desired.get("CurrencyRef") or {}
    return _Order(
        updated_at=updated_at,
        currency=str(currency.get("value") or "") if isinstance(currency, Mapping) else "",
        amount=sum((Decimal(amount) for amount in amounts if isinstance(amount, int | Decimal)), Decimal(0)),
        closed=desired.get("POStatus") == "Closed",
    )


def _summed(orders: Any) -> Totals:
    number, sums = 0, defaultdict[str, Decimal](Decimal)
    for order in orders:
        number += 1
        sums[order.currency] += order.amount
    return Totals(number, dict(sorted(sums.items())))


def _of(table: Any, company: Company) -> Any:
    return and_(table.c.realm_id == company.realm_id, table.c.organization_id == company.organization_id)
