"""One planned change as it is told, in text, JSON and HTML alike; and what all of them come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.changes import Submission
from target_quickbooks.mapping.names import plain_line
from target_quickbooks.plan.differences import FieldChange, Label, LineChange, object_change, total
from target_quickbooks.planning import Operation
from target_quickbooks.store.failure_table import Failure

#: In the order in which they are told.
OPERATIONS = (
    Operation.CREATE,
    Operation.UPDATE,
    Operation.CLOSE,
    Operation.VOID,
    Operation.LINK,
    Operation.BLOCKED,
)
_VENDOR_LENGTH = 100
#: What is added up by vendor.
_OF_BILLS = frozenset({"PurchaseOrder", "Bill"})
_TRANSACTIONS = _OF_BILLS | {"VendorCredit"}


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One record that a run would not skip.

    Attributes:
        quickbooks_id: Of the object; empty for a create, ``(new)`` if an earlier entry creates it.
        vendor: For bills, the vendor's name in BILL.
        currency: For bills, of the amounts.
        amount: For transactions with lines, what the lines would come to.
        amount_before: What they come to now.
        reason: For linked and blocked ones, why.
        waits_for: The BILL id of the record that a blocked one waits for.
    """

    operation: Operation
    stream: str
    bill_id: str
    entity: str
    label: str
    quickbooks_id: str = ""
    vendor: str = ""
    currency: str = ""
    amount: Decimal | None = None
    amount_before: Decimal | None = None
    fields: tuple[FieldChange, ...] = ()
    lines: tuple[LineChange, ...] = ()
    code: str = ""
    reason: str = ""
    advice: str = ""
    waits_for: str = ""

    def to_json(self) -> dict[str, Any]:
        """For programs; every key is always there."""
        return {
            "operation": str(self.operation),
            "stream": self.stream,
            "id": self.bill_id,
            "entity": self.entity,
            "label": self.label,
            "quickbooks_id": self.quickbooks_id or None,
            "vendor": self.vendor or None,
            "currency": self.currency or None,
            "amount": self.amount,
            "amount_before": self.amount_before,
            "fields": [_field(found) for found in self.fields],
            "lines": [
                {
                    "kind": str(found.kind),
                    "number": found.number,
                    "line": dict(found.line),
                    "fields": [_field(change) for change in found.changes],
                }
                for found in self.lines
            ],
            "code": self.code or None,
            "reason": self.reason or None,
            "advice": self.advice or None,
            "waits_for": self.waits_for or None,
        }


@dataclass(slots=True)
class Total:
    """What would be written for one vendor in one currency."""

    vendor: str
    currency: str
    created: int = 0
    created_amount: Decimal = Decimal(0)
    changed: int = 0
    changed_by: Decimal = Decimal(0)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "vendor": self.vendor,
            "currency": self.currency,
            "created": self.created,
            "created_amount": self.created_amount,
            "changed": self.changed,
            "changed_by": self.changed_by,
        }


def entry_of(submission: Submission, *, home_currency: str, label: Label) -> PlanEntry:
    """The entry for a planned change."""
    change, item = submission.change, submission.item
    is_order = item.mapped.entity in _TRANSACTIONS
    known = is_order and change.operation.writes and "Line" in change.body
    held = change.held or {}
    found = object_change(change, label)
    return PlanEntry(
        operation=change.operation,
        stream=item.stream,
        bill_id=item.bill_id,
        entity=item.mapped.entity,
        label=item.mapped.label,
        quickbooks_id=change.quickbooks_id,
        vendor=_vendor(submission.record) if is_order else "",
        currency=_currency(change.body, held, home_currency) if known else "",
        amount=total(change.body.get("Line")) if known else _paid(change.body),
        amount_before=total(held.get("Line")) if known and held else None,
        fields=found.fields,
        lines=found.lines,
        code=change.code,
        reason=change.reason,
        advice=change.advice,
        waits_for=change.awaited.bill_id if change.awaited else "",
    )


def entry_of_failure(failure: Failure, entity: str) -> PlanEntry:
    """The entry for a record that does not get as far as planning."""
    return PlanEntry(
        operation=Operation.BLOCKED,
        stream=failure.stream,
        bill_id=failure.bill_id,
        entity=entity,
        label=failure.label,
        code=failure.code,
        reason=failure.reason,
        advice=failure.advice,
    )


def totals(entries: Iterable[PlanEntry]) -> list[Total]:
    """What would be written by vendor and currency, vendors in alphabetical order."""
    found: dict[tuple[str, str], Total] = {}
    for entry in entries:
        if entry.amount is None or entry.entity not in _OF_BILLS:
            continue
        one = found.setdefault((entry.vendor, entry.currency), Total(entry.vendor, entry.currency))
        if entry.operation is Operation.CREATE:
            one.created += 1
            one.created_amount += entry.amount
        else:
            one.changed += 1
            one.changed_by += entry.amount - (entry.amount_before or Decimal(0))
    return sorted(found.values(), key=lambda one: (one.vendor.casefold(), one.vendor, one.currency))


def by_currency(found: Iterable[Total]) -> list[Total]:
    """The totals of all vendors together, by currency."""
    sums: dict[str, Total] = {}
    for one in found:
        every = sums.setdefault(one.currency, Total("", one.currency))
        every.created += one.created
        every.created_amount += one.created_amount
        every.changed += one.changed
        every.changed_by += one.changed_by
    return [sums[currency] for currency in sorted(sums)]


def _vendor(record: Mapping[str, Any]) -> str:
    return plain_line(str(record.get("vendorName") or record.get("vendorId") or ""), _VENDOR_LENGTH)


def _paid(body: Mapping[str, Any]) -> Decimal | None:
    """What a payment comes to."""
    return Decimal(body["TotalAmt"]) if "PayType" in body and "TotalAmt" in body else None


def _currency(body: Mapping[str, Any], held: Mapping[str, Any], home_currency: str) -> str:
    for source in (body, held):
        currency = (source.get("CurrencyRef") or {}).get("value")
        if currency:
            return str(currency)
    return home_currency


def _field(found: FieldChange) -> dict[str, Any]:
    return {"field": found.field, "before": found.before, "after": found.after}
