"""What reconciling finds: one difference between the books, named, with its fields and its cause. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_TEXTS = (
    "entity",
    "label",
    "bill_id",
    "quickbooks_id",
    "vendor",
    "currency",
    "month",
    "cause",
    "advice",
)


class Kind(enum.StrEnum):
    """What is wrong."""

    MISSING_IN_QUICKBOOKS = "missing in QuickBooks"
    MISSING_IN_BILL = "missing in BILL"
    DUPLICATE = "duplicate"
    WRONG_VENDOR = "wrong vendor"
    WRONG_MONTH = "wrong month"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field, as people call it, and what either side says."""

    field: str
    bill: str
    quickbooks: str

    def to_json(self) -> dict[str, str]:
        """For programs."""
        return {"field": self.field, "bill": self.bill, "quickbooks": self.quickbooks}


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    Attributes:
        entity: ``Vendor`` or ``PurchaseOrder``.
        month: ``2026-03``; empty for vendors.
        bill_amount: What BILL says; None where BILL has nothing.
        quickbooks_amount: What QuickBooks says; None where QuickBooks has nothing.
        cause: Why, in words.
        advice: What to do.
        known: It is on record as a failure already, so that people have been told.
    """

    kind: Kind
    entity: str
    label: str
    bill_id: str = ""
    quickbooks_id: str = ""
    vendor: str = ""
    currency: str = ""
    month: str = ""
    bill_amount: Decimal | None = None
    quickbooks_amount: Decimal | None = None
    fields: tuple[FieldDifference, ...] = ()
    cause: str = ""
    advice: str = ""
    known: bool = False

    def to_json(self) -> dict[str, Any]:
        """For programs; amounts are numbers."""
        return {
            "kind": str(self.kind),
            "entity": self.entity,
            "label": self.label,
            "bill_id": self.bill_id or None,
            "quickbooks_id": self.quickbooks_id or None,
            "vendor": self.vendor or None,
            "currency": self.currency or None,
            "month": self.month or None,
            "bill_amount": self.bill_amount,
            "quickbooks_amount": self.quickbooks_amount,
            "fields": [found.to_json() for found in self.fields],
            "cause": self.cause or None,
            "advice": self.advice or None,
            "known": self.known,
        }


def from_json(document: Mapping[str, Any]) -> Finding:
    """The finding that ``to_json`` told of."""
    texts = {name: str(document[name] or "") for name in _TEXTS}
    return Finding(
        kind=Kind(document["kind"]),
        fields=tuple(FieldDifference(**found) for found in document["fields"]),
        known=bool(document["known"]),
        bill_amount=_amount(document["bill_amount"]),
        quickbooks_amount=_amount(document["quickbooks_amount"]),
        entity=texts["entity"],
        label=texts["label"],
        bill_id=texts["bill_id"],
        quickbooks_id=texts["quickbooks_id"],
        vendor=texts["vendor"],
        currency=texts["currency"],
        month=texts["month"],
        cause=texts["cause"],
        advice=texts["advice"],
    )


def _amount(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
