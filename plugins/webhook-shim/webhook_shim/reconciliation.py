"""What a reconciliation found: read from the reports that its run leaves, kept with the job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from target_quickbooks.exact_json import from_json

#: In the counts of a job.
KEY = "reconciliation"
#: What a run leaves, by ending, and what browsers are told it is.
REPORTS = {"html": "text/html", "csv": "text/csv", "json": "application/json"}
_NAME = "reconciliation"
_LARGEST = 256 * 1024 * 1024
#: What a browser takes of the report's head; the findings after it may be many.
_FINDINGS = ',"findings":['
_END = 16
_KEPT = ("finished_at", "in_step", "differences", "refused_on_record", "checked", "found", "not_from_bill")


@dataclass(frozen=True, slots=True)
class Sum:
    """The sums of one currency on both sides."""

    currency: str
    bills: int
    bill_sum: Decimal
    orders: int
    order_sum: Decimal

    @property
    def difference(self) -> Decimal:
        """What QuickBooks has less than BILL."""
        return self.bill_sum - self.order_sum


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A reconciliation that came to an end.

    Attributes:
        differences: Records that differ and that nobody was told of before.
        known: Records that were refused and are on record.
        checked: How many of what were compared.
        found: Number of findings by kind.
    """

    finished_at: dt.datetime | None
    in_step: bool
    differences: int
    known: int
    checked: Mapping[str, int]
    found: Mapping[str, int]
    sums: Sequence[Sum]

    @property
    def sentence(self) -> str:
        """The answer."""
        known = f"{self.known:,} refused record{'s' if self.known != 1 else ''} on record"
        if not self.differences:
            return f"Both books agree to the cent{f', but for {known}' if self.known else ''}."
        differ = f"{self.differences:,} difference{'s' if self.differences != 1 else ''}"
        return f"{differ} between the books{f', and {known}' if self.known else ''}."


def report_in(reports: Path, ending: str) -> Path:
    """One of the reports."""
    return reports / f"{_NAME}.{ending}"


def read_summary(reports: Path) -> dict[str, Any] | None:
    """What is to be kept of the reports in a directory; None if they are not there, or cut short."""
    path = report_in(reports, "json")
    try:
        if path.stat().st_size > _LARGEST:
            return None
        text = path.read_text(encoding="utf-8")
        head, found, _ = text.partition(_FINDINGS)
        document = from_json(f"{head}}}") if found and text[-_END:].rstrip().endswith("]}") else None
    except (OSError, ValueError):
        return None
    if not isinstance(document, Mapping) or not isinstance(document.get("in_step"), bool):
        return None
    totals = document.get("totals")
    by_currency = totals.get("by_currency") if isinstance(totals, Mapping) else None
    return {name: document[name] for name in _KEPT if name in document} | {"by_currency": by_currency or []}


def reconciled(counts: Mapping[str, Any]) -> Reconciled | None:
    """What was kept of a reconciliation with its job; None if it came to nothing."""
    kept = counts.get(KEY)
    if not isinstance(kept, Mapping):
        return None
    return Reconciled(
        finished_at=_moment(kept.get("finished_at")),
        in_step=kept.get("in_step") is True,
        differences=_number(kept.get("differences")),
        known=_number(kept.get("refused_on_record")),
        checked=_numbers(kept.get("checked")),
        found=_numbers(kept.get("found")),
        sums=[_sum(one) for one in kept.get("by_currency") or () if isinstance(one, Mapping)],
    )


def _sum(total: Mapping[str, Any]) -> Sum:
    return Sum(
        currency=str(total.get("currency") or ""),
        bills=_number(total.get("bills")),
        bill_sum=_amount(total.get("bill_sum")),
        orders=_number(total.get("orders")),
        order_sum=_amount(total.get("order_sum")),
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _numbers(value: Any) -> dict[str, int]:
    return {str(key): _number(number) for key, number in value.items()} if isinstance(value, Mapping) else {}


def _amount(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)


def _moment(value: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
