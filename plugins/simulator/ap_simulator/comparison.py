"""Compares what BILL and QuickBooks hold: per vendor, per currency, and record by record. Pure.

It is the simulator's own view and knows nothing of the programs that moved the data: a purchase
order belongs to the bill whose id stands anywhere in its private note, else to the vendor of the
same name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

Record = Mapping[str, Any]

_BILL_ID: Final = re.compile(r"[0-9A-Za-z]{20}")
_HOME_CURRENCY: Final = "USD"


@dataclass(slots=True, kw_only=True)
class Totals:
    """Count and sum on both sides, in one currency."""

    bills: int = 0
    bill_total: Decimal = Decimal(0)
    orders: int = 0
    order_total: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        """QuickBooks less BILL."""
        return self.order_total - self.bill_total

    def add(self, other: Totals) -> None:
        """Add another count and sum."""
        self.bills += other.bills
        self.bill_total += other.bill_total
        self.orders += other.orders
        self.order_total += other.order_total


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorTotals:
    """One vendor in one currency."""

    name: str
    currency: str
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What agrees and what does not.

    Attributes:
        vendors: Largest difference first, then largest total.
        currencies: Grand totals.
        vendors_only_in_bill: Names of active vendors of BILL that QuickBooks does not have.
        vendors_only_in_quickbooks: Display names of active vendors that BILL does not have.
        bills_without_order: Active bills without a purchase order.
        orders_without_bill: Purchase orders that name no bill of BILL.
        orders_of_inactive_bills: How many belong to archived or draft bills; not in the totals.
        bills_with_several_orders: Active bills that arrived more than once.
    """

    vendors: Sequence[VendorTotals]
    currencies: Mapping[str, Totals]
    vendors_only_in_bill: Sequence[str]
    vendors_only_in_quickbooks: Sequence[str]
    bills_without_order: Sequence[str]
    orders_without_bill: Sequence[str]
    orders_of_inactive_bills: int
    bills_with_several_orders: Sequence[str]


def compare(
    *,
    bill_vendors: Iterable[Record],
    bills: Iterable[Record],
    quickbooks_vendors: Iterable[Record],
    orders: Iterable[Record],
) -> Comparison:
    """Compare BILL's vendors and bills with QuickBooks' vendors and purchase orders."""
    ledger = _Ledger(
        bill_vendors={vendor["id"]: vendor for vendor in bill_vendors},
        bills={bill["id"]: bill for bill in bills},
        quickbooks_vendors={vendor["Id"]: vendor for vendor in quickbooks_vendors},
    )
    for order in orders:
        ledger.enter_order(order)
    ledger.enter_bills()
    return ledger.close()


@dataclass(slots=True, kw_only=True)
class _Ledger:
    bill_vendors: dict[str, Record]
    bills: dict[str, Record]
    quickbooks_vendors: dict[str, Record]
    ids_by_name: dict[str, str] = field(init=False)
    totals: dict[tuple[str, str], Totals] = field(default_factory=lambda: defaultdict(Totals))
    names: dict[str, str] = field(default_factory=dict)
    orders_by_bill: Counter[str] = field(default_factory=Counter)
    unclaimed: list[str] = field(default_factory=list)
    of_inactive: int = 0
    met: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ids_by_name = {
            _plain(vendor.get("name", "")): vendor_id for vendor_id, vendor in self.bill_vendors.items()
        }

    def enter_order(self, order: Record) -> None:
        """Count a purchase order for its bill's vendor, else for the vendor of that name."""
        reference = order.get("VendorRef", {}).get("value", "")
        display_name = self.quickbooks_vendors.get(reference, {}).get("DisplayName", reference)
        bill = self._bill_of(order)
        if bill is None:
            vendor_id = self.ids_by_name.get(_plain(display_name), f"quickbooks:{reference}")
            self.unclaimed.append(f"{order.get('DocNumber') or order['Id']} ({display_name})")
        else:
            vendor_id = bill["vendorId"]
            self.met.update({vendor_id, reference})
            if not _is_active(bill):
                self.of_inactive += 1
                return
            self.orders_by_bill[bill["id"]] += 1
        currency = order.get("CurrencyRef", {}).get("value", _HOME_CURRENCY)
        self.names.setdefault(vendor_id, display_name)
        total = Decimal(order.get("TotalAmt", 0))
        self.totals[vendor_id, currency].add(Totals(orders=1, order_total=total))

    def enter_bills(self) -> None:
        """Count the active bills."""
        for bill in self.bills.values():
            if _is_active(bill):
                vendor = self.bill_vendors.get(bill["vendorId"], {})
                currency = vendor.get("billCurrency", _HOME_CURRENCY)
                total = Decimal(bill.get("amount", 0))
                self.totals[bill["vendorId"], currency].add(Totals(bills=1, bill_total=total))

    def close(self) -> Comparison:
        """Draw the balance."""
        currencies: dict[str, Totals] = defaultdict(Totals)
        for (_, currency), totals in self.totals.items():
            currencies[currency].add(totals)
        rows = [
            VendorTotals(name=self._name(vendor_id), currency=currency, totals=totals)
            for (vendor_id, currency), totals in self.totals.items()
        ]
        rows.sort(key=lambda row: (-abs(row.totals.difference), -row.totals.bill_total, row.name))
        only_in_bill, only_in_quickbooks = self._unmatched_vendors()
        return Comparison(
            vendors=rows,
            currencies=dict(sorted(currencies.items())),
            vendors_only_in_bill=only_in_bill,
            vendors_only_in_quickbooks=only_in_quickbooks,
            bills_without_order=sorted(
                self._bill_label(bill)
                for bill in self.bills.values()
                if _is_active(bill) and not self.orders_by_bill[bill["id"]]
            ),
            orders_without_bill=sorted(self.unclaimed),
            orders_of_inactive_bills=self.of_inactive,
            bills_with_several_orders=sorted(
                f"{self._bill_label(self.bills[bill_id])}: {count} purchase orders"
                for bill_id, count in self.orders_by_bill.items()
                if count > 1
            ),
        )

    def _bill_of(self, order: Record) -> Record | None:
        for candidate in _BILL_ID.findall(order.get("PrivateNote", "")):
            if candidate in self.bills:
                return self.bills[candidate]
        return None

    def _unmatched_vendors(self) -> tuple[list[str], list[str]]:
        """Vendors that neither a purchase order nor an equal name connects."""
        active = {i: v for i, v in self.bill_vendors.items() if not v.get("archived")}
        theirs = {i: v for i, v in self.quickbooks_vendors.items() if v.get("Active", True)}
        our_names = {_plain(vendor.get("name", "")) for vendor in active.values()}
        their_names = {_plain(v.get("DisplayName", "")) for v in theirs.values()}
        only_in_bill = sorted(
            vendor["name"]
            for vendor_id, vendor in active.items()
            if vendor_id not in self.met and _plain(vendor.get("name", "")) not in their_names
        )
        only_in_quickbooks = sorted(
            vendor["DisplayName"]
            for vendor_id, vendor in theirs.items()
            if vendor_id not in self.met and _plain(vendor.get("DisplayName", "")) not in our_names
        )
        return only_in_bill, only_in_quickbooks

    def _name(self, vendor_id: str) -> str:
        name: str | None = self.bill_vendors.get(vendor_id, {}).get("name")
        return name or self.names.get(vendor_id, vendor_id)

    def _bill_label(self, bill: Record) -> str:
        number = bill.get("invoice", {}).get("invoiceNumber", "without number")
        return f"{bill['id']} no. {number}, {self._name(bill['vendorId'])}, {bill.get('amount', 0)}"


def _is_active(bill: Record) -> bool:
    return not bill.get("archived") and bill.get("recordStatus", "ACTIVE") == "ACTIVE"


def _plain(name: str) -> str:
    """A name without what one side forbids or ignores: case, blanks, punctuation."""
    return "".join(character for character in name.casefold() if character.isalnum())
