"""QuickBooks fault codes in the words of the person who keeps the books, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.quickbooks.faults import Fault


@dataclass(frozen=True, slots=True)
class Explanation:
    """A short stable code to select failures by, the reason in plain words, and what to do."""

    code: str
    reason: str
    advice: str


_INACTIVE = (
    "refers to an account, class, vendor, customer or item that is inactive or gone in QuickBooks",
    "Make it active again in QuickBooks, or code the record to another one in BILL.",
)
_CLOSED = (
    "is dated in a period whose books are closed in QuickBooks",
    "Reopen the period in QuickBooks; the next run tries again by itself.",
)
_PERMISSION = (
    "needs a feature that this QuickBooks plan or user does not have",
    "Check that the plan is Plus or Advanced and that the connected user may do this.",
)
_TAX = (
    "has tax that QuickBooks does not accept",
    "Set tax_code to an active purchase tax code of QuickBooks, or tax_calculation to not_applicable.",
)
_NEGATIVE = (
    "has a negative amount or total, which QuickBooks does not accept on a purchase order",
    "Enter the credit as a vendor credit in BILL in place of a negative line.",
)
_RULE_OR_TAX = (
    "was refused by a QuickBooks rule",
    "See what QuickBooks said: about tax, set tax_code and tax_calculation; else correct the record.",
)
#: Codes for whatever a rule of QuickBooks forbids; the texts are localised, so the content has to tell.
_RULES = frozenset({"6000", "2290"})

_WORDS: dict[str, tuple[str, str]] = {
    "610": _INACTIVE,
    "2500": _INACTIVE,
    "2010": (
        "has a field that QuickBooks does not accept here",
        "Report this with the details below: the mapping needs to learn about it.",
    ),
    "2020": ("lacks something that QuickBooks requires", "Complete the record in BILL."),
    "2050": ("has a text that is too long for QuickBooks", "Shorten it in BILL."),
    "2180": ("has a name that QuickBooks does not accept", "Change the name in BILL."),
    "2210": ("has an e-mail address that QuickBooks does not accept", "Correct it in BILL."),
    "2290": _NEGATIVE,
    "5010": (
        "was edited in QuickBooks again and again while it was being written",
        "The next run tries again by itself.",
    ),
    "5020": _PERMISSION,
    "5030": _PERMISSION,
    "6000": ("was refused by a QuickBooks rule", "See what QuickBooks said; correct the record in BILL."),
    "6070": (
        "has a line whose quantity times price is not its amount",
        "Correct quantity, price or amount in BILL.",
    ),
    "6100": _TAX,
    "6140": (
        "has a document number that QuickBooks already uses",
        "Change the number in BILL, or set document_number to bill_id or auto.",
    ),
    "6160": _TAX,
    "6170": _TAX,
    "6200": _CLOSED,
    "6210": _CLOSED,
    "6220": (
        "cannot be made inactive while it has an open balance in QuickBooks",
        "Settle the balance in QuickBooks, the next run tries again; or set archived_vendor to leave.",
    ),
    "6240": (
        "has a name that another customer, vendor or employee uses in QuickBooks",
        "Rename one of the two, or set vendor_conflict to suffix.",
    ),
    "6430": (
        "has a line on an account of a type that QuickBooks does not allow there",
        "Code the line to an expense account in BILL, or use account_map.",
    ),
    "6440": ("has a line without an account or item", "Code the line in BILL."),
}


#: What holds it, where the fault tells by its id.
_HELD = {"6140": "transaction", "6240": "QuickBooks id"}


def explain(fault: Fault, label: str, body: Mapping[str, Any] | None = None) -> Explanation:
    """Say in plain words why QuickBooks refused the object called ``label``.

    Args:
        fault: The refusal.
        label: What to call the object.
        body: What was sent, if known: some codes stand for many rules.
    """
    reason, advice = _about(fault, body or {}) or _WORDS.get(
        fault.code,
        ("was refused by QuickBooks", "See what QuickBooks said; correct the record and replay it."),
    )
    subject = sentence_start(label)
    if fault.holder_id and fault.code in _HELD:
        reason = f"{reason} ({_HELD[fault.code]} {fault.holder_id})"
    return Explanation(
        code=f"quickbooks-{fault.code}",
        reason=f"{subject} {reason}. QuickBooks said: {fault.text}",
        advice=advice,
    )


def _about(fault: Fault, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """More exact words, where what was sent shows which rule it may be."""
    if fault.code not in _RULES:
        return None
    if any(line.get("Amount", 0) < 0 for line in body.get("Line") or ()):
        return _NEGATIVE
    return _RULE_OR_TAX if "GlobalTaxCalculation" in body else None
