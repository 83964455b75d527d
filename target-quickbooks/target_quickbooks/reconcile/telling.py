"""What reconciling found, told: lines for the terminal, JSON, CSV, and one printable page.

``report_path`` decides: its ending names the kind (``.html``, ``.csv``, else JSON); a directory takes all.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from target_quickbooks.exact_json import to_json
from target_quickbooks.page import render
from target_quickbooks.quickbooks.client import CallCount
from target_quickbooks.reconcile.charts import HEIGHT, WIDTH, side_by_side
from target_quickbooks.reconcile.comparing import money
from target_quickbooks.reconcile.findings import Finding
from target_quickbooks.reconcile.matching import Outcome
from target_quickbooks.reconcile.totals import AGES, Total, summed

_SHOWN = 40
_ON_PAGE = 1000
_NAME = "reconciliation"
_WIDTHS = (12, 8, 20, 8, 20, 18)
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "finding",
    "on record",
    "entity",
    "record",
    "vendor",
    "currency",
    "month",
    "BILL amount",
    "QuickBooks amount",
    "differences",
    "cause",
    "advice",
    "BILL id",
    "QuickBooks id",
)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All there is to tell.

    Attributes:
        find: Gives the findings, anew each time.
    """

    company: str
    realm_id: str
    run_id: str
    finished_at: dt.datetime
    outcome: Outcome
    find: Callable[[], Iterable[Finding]]
    calls: CallCount

    @property
    def in_step(self) -> bool:
        """Whether nothing differs but what people have been told of."""
        return self.outcome.differences == 0

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        outcome = self.outcome
        known = f"{outcome.known} record{'s' if outcome.known != 1 else ''}"
        if self.in_step and not outcome.known:
            return "Both books agree to the cent."
        if self.in_step:
            verb = "were" if outcome.known != 1 else "was"
            return f"Both books agree to the cent, but for {known} that {verb} refused and are on record."
        count = outcome.differences
        differ = f"{count} difference{'s' if count != 1 else ''} between the books"
        return f"{differ}, and {known} on record as refused." if outcome.known else f"{differ}."


def lines(told: Reconciliation) -> list[str]:
    """The summary for the terminal."""
    outcome = told.outcome
    checked = ", ".join(f"{number:,} {name}" for name, number in outcome.checked.items() if number)
    found = [f"{number} {kind}" for kind, number in outcome.found.items()]
    return [
        f"Reconciliation of {told.company or told.realm_id}: {told.headline}",
        f"Compared: {checked or 'nothing'}.",
        *_currency_lines(outcome),
        *([f"Found: {', '.join(found)}."] if found else []),
        *_finding_lines(told),
        *_foreign_lines(outcome),
        *_age_lines(outcome),
        f"QuickBooks calls: {told.calls.reads} reads. Nothing was written.",
    ]


def write(path: Path, told: Reconciliation) -> list[Path]:
    """Write the report file, or all three into a directory.

    Raises:
        OSError: A file cannot be written.
    """
    endings = (".html", ".json", ".csv")
    paths = [path / f"{_NAME}{ending}" for ending in endings] if path.is_dir() else [path]
    for each in paths:
        with each.open("w", encoding="utf-8", newline="") as file:
            _WRITERS.get(each.suffix.lower(), _write_json)(file, told)
    return paths


def to_document(told: Reconciliation) -> dict[str, Any]:
    """Everything but the findings, for programs."""
    outcome = told.outcome
    return {
        "company": told.company,
        "realm_id": told.realm_id,
        "run_id": told.run_id,
        "finished_at": told.finished_at.isoformat(),
        "in_step": told.in_step,
        "differences": outcome.differences,
        "refused_on_record": outcome.known,
        "checked": dict(outcome.checked),
        "found": {str(kind): number for kind, number in outcome.found.items()},
        "totals": {
            "by_currency": _totals(outcome.totals.by(1), ("currency",)),
            "by_month": _totals(outcome.totals.by(1, 2), ("currency", "month")),
            "by_vendor": _totals(outcome.totals.by(0, 1), ("vendor", "currency")),
        },
        "open_in_bill_by_age": {
            currency: dict(zip(AGES, amounts, strict=True))
            for currency, amounts in sorted(outcome.totals.ages.items())
        },
        "not_from_bill": [
            {"currency": currency, "orders": number, "sum": amount}
            for currency, (number, amount) in sorted(outcome.foreign.items())
        ],
        "calls": {"reads": told.calls.reads, "repeats": told.calls.repeats},
    }


def _write_json(file: IO[str], told: Reconciliation) -> None:
    """Findings one by one: there may be more of them than fit in memory."""
    head = to_json(to_document(told))
    file.write(f'{head[:-1]},"findings":[')
    for number, found in enumerate(told.find()):
        file.write(f"{',' if number else ''}\n{to_json(found.to_json())}")
    file.write("\n]}\n")


def _write_csv(file: IO[str], told: Reconciliation) -> None:
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for found in told.find():
        fields = (f"{one.field}: BILL {one.bill}, QuickBooks {one.quickbooks}" for one in found.fields)
        differences = "; ".join(fields)
        texts = (found.label, found.vendor, differences, found.cause, found.advice)
        label, vendor, differences, cause, advice = (_harmless(text) for text in texts)
        writer.writerow(
            (
                str(found.kind),
                "yes" if found.known else "no",
                found.entity,
                label,
                vendor,
                found.currency,
                found.month,
                "" if found.bill_amount is None else f"{found.bill_amount:.2f}",
                "" if found.quickbooks_amount is None else f"{found.quickbooks_amount:.2f}",
                differences,
                cause,
                advice,
                found.bill_id,
                found.quickbooks_id,
            )
        )


def _write_page(file: IO[str], told: Reconciliation) -> None:
    outcome = told.outcome
    by_currency = outcome.totals.by(1)
    findings = list(itertools.islice(told.find(), _ON_PAGE))
    file.write(
        render(
            "reconciliation.html",
            told=told,
            title="Reconciliation",
            company=told.company or "QuickBooks company",
            outcome=outcome,
            findings=findings,
            left_out=sum(outcome.found.values()) - len(findings),
            by_currency=[(currency, total) for (currency,), total in by_currency.items()],
            months=_months(outcome),
            vendors=_differing(outcome.totals.by(0, 1)),
            vendor_count=len(outcome.totals.by(0, 1)),
            ages=sorted(outcome.totals.ages.items()),
            age_names=AGES,
            width=WIDTH,
            height=HEIGHT,
        )
    )


_WRITERS = {".html": _write_page, ".htm": _write_page, ".csv": _write_csv}


def _months(outcome: Outcome) -> list[tuple[str, list[tuple[str, Total]], Any]]:
    """For each currency its months, and the chart of them."""
    found: dict[str, list[tuple[str, Total]]] = {}
    for (currency, month), total in outcome.totals.by(1, 2).items():
        found.setdefault(currency, []).append((month or "no date", total))
    return [
        (
            currency,
            months,
            side_by_side([(month, total.bill_sum, total.order_sum) for month, total in months], currency),
        )
        for currency, months in found.items()
    ]


def _differing(totals: Mapping[tuple[str, ...], Total]) -> list[tuple[str, str, Total]]:
    """Vendors whose sums differ, the largest difference first."""
    found = [(group[0], group[1], total) for group, total in totals.items() if not total.agrees]
    return sorted(found, key=lambda one: -abs(one[2].difference))[:_ON_PAGE]


def _totals(totals: Mapping[tuple[str, ...], Total], names: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, group, strict=True)) | total.to_json() for group, total in totals.items()]


def _currency_lines(outcome: Outcome) -> Iterator[str]:
    totals = outcome.totals.by(1)
    if not totals:
        return
    yield _row("currency", "bills", "BILL", "orders", "QuickBooks", "difference")
    for (currency,), total in totals.items():
        sums = money(total.bill_sum), money(total.order_sum), money(total.difference)
        yield _row(currency, f"{total.bills:,}", sums[0], f"{total.orders:,}", sums[1], sums[2])
    if len(totals) > 1:
        whole = summed(totals.values())
        yield _row("all", f"{whole.bills:,}", "", f"{whole.orders:,}", "", "")


def _finding_lines(told: Reconciliation) -> Iterator[str]:
    for found in itertools.islice(told.find(), _SHOWN):
        where = f" ({found.vendor})" if found.vendor and found.vendor not in found.label else ""
        yield f"  {found.kind}: {found.label}{where}{_amounts(found)}"
        for one in found.fields:
            yield f"      {one.field}: BILL {one.bill}, QuickBooks {one.quickbooks}"
        if found.cause or found.advice:
            yield f"      {' '.join(part for part in (found.cause, found.advice) if part)}"
    rest = sum(told.outcome.found.values()) - _SHOWN
    if rest > 0:
        yield f"  ... and {rest:,} more; set report_path to have all of them in a file."


def _amounts(found: Finding) -> str:
    amount = found.bill_amount if found.bill_amount is not None else found.quickbooks_amount
    return "" if amount is None else f": {money(amount)} {found.currency}".rstrip()


def _foreign_lines(outcome: Outcome) -> Iterator[str]:
    for currency, (number, amount) in sorted(outcome.foreign.items()):
        orders = f"{outcome.noun} does" if number == 1 else f"{outcome.noun}s do"
        yield f"{number:,} {orders} not come from BILL: {money(amount)} {currency}. They are not compared."


def _age_lines(outcome: Outcome) -> Iterator[str]:
    for currency, amounts in sorted(outcome.totals.ages.items()):
        named = zip(AGES, amounts, strict=True)
        ages = ", ".join(f"{name} {money(amount)}" for name, amount in named if amount)
        yield f"Open in BILL, {currency}: {money(sum(amounts, Decimal(0)))} ({ages or 'nothing due'})."


def _row(*cells: str) -> str:
    first, *others = cells
    padded = (f"{cell:>{width}}" for cell, width in zip(others, _WIDTHS[1:], strict=True))
    return f"  {first:<{_WIDTHS[0]}}{''.join(padded)}".rstrip()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text
