"""What arrived: fetches both books from the control API, compares them, and shows the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ap_simulator.comparison import Comparison, Totals, VendorTotals, compare
from ap_simulator.control_client import ControlClient

#: What becomes of BILL's collections in QuickBooks, as a reader of both would expect it.
_COUNTERPARTS: Final = {
    "vendors": "Vendor",
    "bills": "PurchaseOrder",
    "payments": "BillPayment",
    "vendor_credits": "VendorCredit",
    "chart_of_accounts": "Account",
    "accounting_classes": "Class",
    "locations": "Department",
    "items": "Item",
    "customers": "Customer",
    "employees": "Employee",
}
_TOP_VENDORS: Final = 15
_TOP_RECORDS: Final = 5
#: What the columns of numbers take for amounts below a hundred million.
_NUMBERS_WIDTH: Final = 76
_LEAST_NAME_WIDTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Both books side by side, and what it took.

    Attributes:
        realm: QuickBooks company.
        organization: BILL organization.
        counts: Records in QuickBooks by entity.
        bill_counts: Records in BILL by collection.
        comparison: Totals and differences.
        stats: As `/__control/stats` has them.
    """

    realm: str
    organization: str
    counts: Mapping[str, int]
    bill_counts: Mapping[str, int]
    comparison: Comparison
    stats: Mapping[str, Any]


def fetch(control: ControlClient, *, realm: str, organization: str) -> Report:
    """Read both books of one company.

    Raises:
        ControlError: No simulator answers.
    """
    status = control.status()
    counts = status["records"]["quickbooks"].get(realm, {})
    return Report(
        realm=realm,
        organization=organization,
        counts=counts,
        bill_counts=status["records"]["bill"].get(organization, {}),
        comparison=compare(
            bill_vendors=control.records("bill", "vendors", organization=organization),
            bills=control.records("bill", "bills", organization=organization),
            quickbooks_vendors=control.records("quickbooks", "Vendor", realm=realm),
            orders=control.records("quickbooks", _kept_as(counts), realm=realm),
        ),
        stats=control.stats(),
    )


def _kept_as(counts: Mapping[str, int]) -> str:
    """What bills have become: orders, or bills where payables are kept in QuickBooks."""
    return "Bill" if counts.get("Bill") and not counts.get("PurchaseOrder") else "PurchaseOrder"


def as_json(report: Report) -> dict[str, Any]:
    """The whole report as JSON; money is `Decimal`."""
    comparison = report.comparison
    return {
        "realm": report.realm,
        "organization": report.organization,
        "quickbooks": dict(report.counts),
        "bill": dict(report.bill_counts),
        "vendors": [
            {"name": row.name, "currency": row.currency, **_totals(row.totals)} for row in comparison.vendors
        ],
        "currencies": {name: _totals(totals) for name, totals in comparison.currencies.items()},
        **{
            name: value for name, value in asdict(comparison).items() if name not in {"vendors", "currencies"}
        },
        "stats": dict(report.stats),
    }


def show(report: Report, console: Console, *, everything: bool) -> None:
    """Print the report as tables.

    Args:
        report: What to print.
        console: Where to.
        everything: All vendors and records in place of the first few.
    """
    comparison = report.comparison
    console.print(_count_table(report))
    if comparison.vendors:
        width = max(_LEAST_NAME_WIDTH, console.width - _NUMBERS_WIDTH)
        shown = comparison.vendors if everything else comparison.vendors[:_TOP_VENDORS]
        console.print(_vendor_table(shown, width=width))
        if left := len(comparison.vendors) - len(shown):
            console.print(f"and {left} more vendors (--all shows them)\n", highlight=False)
        console.print(_currency_table(comparison.currencies))
    limit = None if everything else _TOP_RECORDS
    noun = "purchase order" if _kept_as(report.counts) == "PurchaseOrder" else "bill in QuickBooks"
    nouns = "Purchase orders" if noun == "purchase order" else "Bills in QuickBooks"
    for title, names in (
        (f"Active bills without a {noun}", comparison.bills_without_order),
        (f"Bills with more than one {noun}", comparison.bills_with_several_orders),
        (f"{nouns} that name no bill", comparison.orders_without_bill),
        ("Active vendors only in BILL", comparison.vendors_only_in_bill),
        ("Active vendors only in QuickBooks", comparison.vendors_only_in_quickbooks),
    ):
        _show_names(console, title, names, limit)
    if comparison.orders_of_inactive_bills:
        count = comparison.orders_of_inactive_bills
        console.print(f"{nouns} of archived or draft bills, not in the totals: {count}")
    console.print(_call_table(report.stats))


def _count_table(report: Report) -> Table:
    table = _table("Records")
    for column in ("BILL", "QuickBooks"):
        table.add_column(column, no_wrap=True)
        table.add_column("Count", justify="right")
    ours = {name: count for name, count in report.bill_counts.items() if count}
    theirs = {name: count for name, count in report.counts.items() if count}
    counterparts = {**_COUNTERPARTS, "bills": _kept_as(theirs)}
    pairs = [*counterparts.items()]
    pairs += [(name, "") for name in ours if name not in counterparts]
    pairs += [("", name) for name in theirs if name not in counterparts.values()]
    for our_name, their_name in pairs:
        if our_name in ours or their_name in theirs:
            our_count = f"{ours.get(our_name, 0):,}" if our_name else ""
            their_count = f"{theirs.get(their_name, 0):,}" if their_name else ""
            table.add_row(our_name, our_count, their_name, their_count)
    return table


def _vendor_table(rows: Sequence[VendorTotals], *, width: int) -> Table:
    table = _table("Active bills in BILL and purchase orders in QuickBooks, by vendor")
    table.add_column("Vendor", overflow="ellipsis", no_wrap=True, max_width=width)
    _add_total_columns(table)
    for row in rows:
        table.add_row(Text(_one_line(row.name)), row.currency, *_cells(row.totals))
    return table


def _currency_table(currencies: Mapping[str, Totals]) -> Table:
    table = _table("Grand totals")
    _add_total_columns(table)
    for currency, totals in currencies.items():
        table.add_row(currency, *_cells(totals))
    return table


def _call_table(stats: Mapping[str, Any]) -> Table:
    table = _table("Calls since the statistics were last reset")
    table.add_column("System")
    for column in ("Calls", "Write calls", "Records written", "Throttled", "Logins"):
        table.add_column(column, justify="right")
    for system in ("bill", "quickbooks", "oauth"):
        own = stats[system]
        written = sum(sum(operations.values()) for operations in own["written"].values())
        throttled = sum(own["throttled"].values())
        numbers = (own["calls"], own["write_calls"], written, throttled, own["logins"])
        table.add_row(system, *(f"{number:,}" for number in numbers))
    return table


def _show_names(console: Console, title: str, names: Sequence[str], limit: int | None) -> None:
    if not names:
        return
    console.print(f"{title}: {len(names)}", markup=False, highlight=False)
    for name in names[:limit]:
        console.print(
            f"  {_one_line(name)}", markup=False, highlight=False, no_wrap=True, overflow="ellipsis"
        )
    if limit is not None and len(names) > limit:
        console.print(f"  and {len(names) - limit} more (--all shows them)", highlight=False)
    console.print()


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold")


def _add_total_columns(table: Table) -> None:
    table.add_column("Cur.", no_wrap=True)
    for column in ("Bills", "BILL total", "POs", "QuickBooks total", "Difference"):
        table.add_column(column, justify="right", no_wrap=True)


def _cells(totals: Totals) -> Iterable[str]:
    return (
        f"{totals.bills:,}",
        _money(totals.bill_total),
        f"{totals.orders:,}",
        _money(totals.order_total),
        _money(totals.difference),
    )


def _one_line(name: str) -> str:
    """A name without tabs and newlines, which BILL allows."""
    return " ".join(name.split())


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _totals(totals: Totals) -> dict[str, Any]:
    return {**asdict(totals), "difference": totals.difference}
