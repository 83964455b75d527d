"""Proposes which QuickBooks vendors and orders, typed by hand, are those of BILL; with evidence. Pure."""

from __future__ import annotations

import enum
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import SequenceMatcher
from pathlib import PurePath

from target_quickbooks.adoption.decisions import COLUMNS, Decision
from target_quickbooks.adoption.likeness import BillVendor, QuickBooksVendor, spelled_alike
from target_quickbooks.exact_json import to_json
from target_quickbooks.mapping.names import comparable, without_form
from target_quickbooks.sheet import csv_line

_SAME, _ALIKE, _NEAR = 60, 50, 35
_NEAR_ENOUGH = 0.84
_WEIGHTS = {"tax id": 40, "account number": 25, "e-mail": 20, "phone": 15, "address": 15}
_AGAINST = {"tax id": 40, "account number": 10}
_HIGH, _MEDIUM, _LOW = 75, 45, 30
#: A word or detail that more vendors than this have tells nothing.
_COMMON = 50
_MOST = 3
_DIGITS = re.compile(r"\d+")


class Confidence(enum.StrEnum):
    """How sure a proposal is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A QuickBooks object that may be a record of BILL.

    Attributes:
        evidence: What speaks for it, and against it, in words.
        exact: The name, and nothing speaks against it: what ``vendor_conflict: adopt`` takes by itself.
    """

    organization_id: str
    stream: str
    bill_id: str
    bill_name: str
    quickbooks_id: str
    quickbooks_name: str
    confidence: Confidence
    evidence: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill without an order."""

    organization_id: str
    bill_id: str
    label: str
    vendor_id: str
    number: str
    date: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that does not come from BILL."""

    quickbooks_id: str
    vendor_id: str
    number: str
    date: str
    amount: Decimal


def propose_vendors(vendors: Sequence[BillVendor], held: Iterable[QuickBooksVendor]) -> list[Proposal]:
    """Propose vendors: for each of BILL's the likeliest first.

    Args:
        vendors: Those that are not linked.
        held: Those that stand for no BILL vendor.
    """
    index: defaultdict[tuple[str, str], list[QuickBooksVendor]] = defaultdict(list)
    for one in held:
        for key in _keys(one):
            index[key].append(one)
    proposals: list[Proposal] = []
    for vendor in vendors:
        lists = (index[key] for key in _keys(vendor) if key in index)
        known = {
            one.quickbooks_id: one
            for found in lists
            if len(found) <= _COMMON
            for one in found
            if one.currency == vendor.currency
        }
        scored = [(_score(vendor, one), one) for one in known.values()]
        likely = sorted(
            ((score, one) for score, one in scored if score >= _LOW),
            key=lambda pair: (
                -pair[0],
                -_likeness(vendor.name, pair[1].name),
                not pair[1].active,
                pair[1].quickbooks_id,
            ),
        )[:_MOST]
        proposals += [_proposal(vendor, one, score, len(likely)) for score, one in likely]
    return _only_once(proposals)


def propose_orders(
    bills: Iterable[OpenBill], orders: Iterable[OpenOrder], vendors: Mapping[tuple[str, str], Sequence[str]]
) -> list[Proposal]:
    """Propose orders: of a vendor that is, or may be, the bill's, with its number or its amount and date.

    Args:
        bills: Those that are not linked.
        orders: Those that carry no BILL id and are not linked.
        vendors: By organization and BILL vendor the QuickBooks vendors that it is or may be.
    """
    by_vendor: defaultdict[str, list[OpenOrder]] = defaultdict(list)
    for order in orders:
        by_vendor[order.vendor_id].append(order)
    proposals: list[Proposal] = []
    for bill in bills:
        ids = vendors.get((bill.organization_id, bill.vendor_id), ())
        found = [
            (confidence, order)
            for vendor_id in ids
            for order in by_vendor.get(vendor_id, ())
            if (confidence := _order_confidence(bill, order))
        ]
        ranks = list(Confidence)
        likely = sorted(found, key=lambda pair: (ranks.index(pair[0]), pair[1].quickbooks_id))[:_MOST]
        proposals += [
            Proposal(
                bill.organization_id,
                "bills",
                bill.bill_id,
                bill.label,
                order.quickbooks_id,
                order.number or order.date,
                confidence,
                _order_evidence(bill, order) + _several(len(likely)),
            )
            for confidence, order in likely
        ]
    return _only_once(proposals)


def rows_of(proposals: Iterable[Proposal], *, adopts: bool) -> list[dict[str, str]]:
    """Rows of the file that a person decides in, by column.

    Args:
        proposals: The proposals.
        adopts: Whether a run takes a vendor of the same name over by itself.
    """
    return [
        {name: str(getattr(one, name, "")) for name in COLUMNS}
        | {"decision": str(Decision.LINK if one.exact and adopts else Decision.OPEN)}
        for one in proposals
    ]


def as_file(rows: Sequence[Mapping[str, str]], path: PurePath) -> str:
    """The text of a file of that name: JSON if it ends in ``.json``, else CSV."""
    if path.suffix.lower() == ".json":
        return to_json(list(rows))
    return "".join([csv_line(COLUMNS), *(csv_line(row.values()) for row in rows)])


def _keys(vendor: BillVendor | QuickBooksVendor) -> set[tuple[str, str]]:
    """What vendors that may be one have in common: a word of the name or its beginning, or a detail."""
    words = without_form(vendor.name).split()
    keys = {("word", word) for word in words if len(word) > 2}  # noqa: PLR2004 - shorter ones tell nothing
    keys |= {("start", "".join(words)[:4]), ("name", comparable(vendor.name)), ("plain", " ".join(words))}
    details = vendor.details
    named = {
        name: getattr(details, name) for name in ("tax_id", "account_number", "email", "phone", "address")
    }
    return {key for key in {*keys, *named.items()} if key[1]}


def _score(vendor: BillVendor, one: QuickBooksVendor) -> int:
    shared, against = vendor.details.shared(one.details), vendor.details.contradicted(one.details)
    details = sum(_WEIGHTS[what] for what in shared) - sum(_AGAINST.get(what, 0) for what in against)
    return _name_score(vendor.name, one.name) + details


def _name_score(ours: str, theirs: str) -> int:
    if comparable(ours) == comparable(theirs):
        return _SAME
    if spelled_alike(ours, theirs):
        return _ALIKE
    return _NEAR if _likeness(ours, theirs) >= _NEAR_ENOUGH else 0


def _likeness(ours: str, theirs: str) -> float:
    """How alike two names are, from 0 to 1; names with different numbers in them are not."""
    one, other = without_form(ours), without_form(theirs)
    if not one or not other or _DIGITS.findall(one) != _DIGITS.findall(other):
        return 0
    return SequenceMatcher(None, one, other).ratio()


def _proposal(vendor: BillVendor, one: QuickBooksVendor, score: int, likely: int) -> Proposal:
    name = {
        _SAME: "same name",
        _ALIKE: "same name but for spelling",
        _NEAR: "similar name",
        0: "another name",
    }
    told = [
        name[_name_score(vendor.name, one.name)],
        *(f"same {what}" for what in vendor.details.shared(one.details)),
    ]
    against = vendor.details.contradicted(one.details)
    told += [f"other {what}" for what in against]
    if not one.active:
        told.append("inactive")
    confidence = (
        Confidence.HIGH if score >= _HIGH else Confidence.MEDIUM if score >= _MEDIUM else Confidence.LOW
    )
    return Proposal(
        vendor.organization_id,
        "vendors",
        vendor.bill_id,
        vendor.name,
        one.quickbooks_id,
        one.name,
        confidence,
        ", ".join(told) + _several(likely),
        exact=comparable(vendor.name) == comparable(one.name) and not set(against) & set(_AGAINST),
    )


def _order_confidence(bill: OpenBill, order: OpenOrder) -> Confidence | None:
    number = bool(bill.number) and comparable(bill.number) == comparable(order.number)
    if number:
        return Confidence.HIGH if bill.amount == order.amount else Confidence.LOW
    same = bill.amount == order.amount and bill.amount != 0 and bill.date == order.date
    return Confidence.MEDIUM if same else None


def _order_evidence(bill: OpenBill, order: OpenOrder) -> str:
    pairs = (
        ("number", bill.number, order.number),
        ("amount", bill.amount, order.amount),
        ("date", bill.date, order.date),
    )
    return ", ".join(f"{'same' if ours == theirs else 'other'} {what}" for what, ours, theirs in pairs)


def _several(likely: int) -> str:
    return f", one of {likely} likely ones" if likely > 1 else ""


def _only_once(proposals: Sequence[Proposal]) -> list[Proposal]:
    """What is proposed for several records says so, and is taken by itself for none."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for one in proposals:
        wanted[one.quickbooks_id].add(one.bill_id)
    return [
        one
        if len(wanted[one.quickbooks_id]) == 1
        else replace(
            one, evidence=f"{one.evidence}, also like {len(wanted[one.quickbooks_id]) - 1} other", exact=False
        )
        for one in proposals
    ]
