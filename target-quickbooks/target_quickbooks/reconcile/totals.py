"""Counts and sums of both sides per vendor, currency and month, and the age of what is open. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

AGES = ("not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days")
_LIMITS = (0, 30, 60, 90)


@dataclass(slots=True)
class Total:
    """Both sides of one sum."""

    bills: int = 0
    bill_sum: Decimal = Decimal(0)
    orders: int = 0
    order_sum: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        """What QuickBooks has more than BILL."""
        return self.order_sum - self.bill_sum

    @property
    def agrees(self) -> bool:
        """Whether both sides are the same, in number and to the cent."""
        return self.bills == self.orders and self.bill_sum == self.order_sum

    def add(self, other: Total) -> None:
        """Count what another total counts."""
        self.bills += other.bills
        self.bill_sum += other.bill_sum
        self.orders += other.orders
        self.order_sum += other.order_sum

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "bills": self.bills,
            "bill_sum": self.bill_sum,
            "orders": self.orders,
            "order_sum": self.order_sum,
            "difference": self.difference,
        }


@dataclass(slots=True)
class Totals:
    """Sums by vendor, currency and month; amounts of different currencies are never added."""

    by_group: defaultdict[tuple[str, str, str], Total] = field(default_factory=lambda: defaultdict(Total))
    ages: defaultdict[str, list[Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: [Decimal(0)] * len(AGES))
    )

    def bill(self, vendor: str, currency: str, month: str, amount: Decimal) -> None:
        """Count a bill."""
        total = self.by_group[vendor, currency, month]
        total.bills += 1
        total.bill_sum += amount

    def order(self, vendor: str, currency: str, month: str, amount: Decimal) -> None:
        """Count a purchase order."""
        total = self.by_group[vendor, currency, month]
        total.orders += 1
        total.order_sum += amount

    def age(self, currency: str, due: str, amount: Decimal, today: dt.date) -> None:
        """Count what is open by how long it has been due."""
        days = (today - dt.date.fromisoformat(due)).days if due else 0
        place = sum(days > limit for limit in _LIMITS)
        self.ages[currency][place] += amount

    def by(self, *places: int) -> Mapping[tuple[str, ...], Total]:
        """Sums by some parts of the group: 0 vendor, 1 currency, 2 month; in order of the groups."""
        found: defaultdict[tuple[str, ...], Total] = defaultdict(Total)
        for group in sorted(self.by_group):
            found[tuple(group[place] for place in places)].add(self.by_group[group])
        return {group: found[group] for group in sorted(found)}


def summed(totals: Iterable[Total]) -> Total:
    """All of them in one; only for numbers of documents, or where there is one currency."""
    whole = Total()
    for total in totals:
        whole.add(total)
    return whole
