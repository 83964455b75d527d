"""One record of BILL against the one QuickBooks holds for it, field by field. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.comparison import as_sent, compare
from target_quickbooks.fingerprints import same_entry
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.purchase_order import distinct_document_number
from target_quickbooks.order_edits import has_bill
from target_quickbooks.plan.differences import Label, line_changes
from target_quickbooks.policies import ClosedPeriod, Policies
from target_quickbooks.reconcile.documents import (
    BillDocument,
    Expected,
    HeldVendor,
    OrderDocument,
    VendorDocument,
)
from target_quickbooks.reconcile.findings import FieldDifference

#: What is compared with BILL's own record; the rest is compared with what was last sent.
_FROM_BILL = frozenset(
    {"VendorRef", "TxnDate", "DueDate", "DocNumber", "POStatus", "TotalAmt", "CurrencyRef"}
)
_NAMES = {
    "APAccountRef": "payables account",
    "ClassRef": "class",
    "DepartmentRef": "location",
    "ExchangeRate": "exchange rate",
    "PrivateNote": "note",
    "GlobalTaxCalculation": "tax calculation",
    "DisplayName": "name",
    "CompanyName": "company name",
    "PrintOnCheckName": "name on checks",
    "PrimaryEmailAddr": "email",
    "PrimaryPhone": "phone",
    "BillAddr": "address",
    "AcctNum": "account number",
    "Vendor1099": "1099",
    "CurrencyRef": "currency",
    "Active": "state",
}
_MONTH = 7
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """What besides the two records decides whether they agree.

    Attributes:
        close_date: Last day of the closed books.
        label: Names accounts, classes and the like by their id.
    """

    policies: Policies
    close_date: dt.date | None
    label: Label


def compare_order(
    bill: BillDocument, order: OrderDocument, link: Link | None, vendor_id: str, vendor: str, rules: Rules
) -> list[FieldDifference]:
    """The fields in which an order is not what its bill lets one expect.

    Args:
        bill: The bill.
        order: The order.
        link: What was last sent, if that is known.
        vendor_id: QuickBooks id of the bill's vendor; empty if it has none.
        vendor: The vendor's name.
        rules: What else decides.
    """
    if bill.reason or bill.unreadable:
        return list(_status(bill, order))
    return [
        *_header(bill, order, link, vendor_id, vendor, rules),
        *_unpaid(bill, order),
        *_status(bill, order),
        *(_sent(bill, order, link, rules) if link else ()),
    ]


def compare_vendor(vendor: VendorDocument, held: HeldVendor, link: Link | None) -> list[FieldDifference]:
    """The fields in which a QuickBooks vendor is not what its BILL vendor lets one expect."""
    if vendor.unreadable or (link and link.reference_only):
        return []
    found = []
    payload = vendor.payload
    for difference in compare(as_sent(held.live, payload), payload):
        if difference.field == "DisplayName" and _same_name(held, payload, link):
            continue
        found.append(
            FieldDifference(
                _NAMES.get(difference.field, difference.field),
                _told(difference.field, difference.after),
                _told(difference.field, difference.before),
            )
        )
    return found


def is_other_month(bill: BillDocument, order: OrderDocument, link: Link | None, rules: Rules) -> bool:
    """Whether the order is in another month than its bill, other than by a policy."""
    other = bool(bill.date) and order.date[:_MONTH] != bill.date[:_MONTH]
    return other and not _is_redated(bill, order, link, rules)


def month_of(day: str) -> str:
    """The month of an ISO date."""
    return day[:_MONTH]


def money(amount: Decimal) -> str:
    """An amount as people write it."""
    return f"{amount:,.2f}"


def _header(
    bill: BillDocument, order: OrderDocument, link: Link | None, vendor_id: str, vendor: str, rules: Rules
) -> Iterator[FieldDifference]:
    if vendor_id and order.vendor_id != vendor_id:
        yield FieldDifference("vendor", vendor or bill.vendor_name, order.vendor_name or order.vendor_id)
    if bill.amount != order.amount:
        yield FieldDifference("amount", money(bill.amount), money(order.amount))
    if bill.date and order.date != bill.date and not _is_redated(bill, order, link, rules):
        yield FieldDifference("date", bill.date, order.date)
    if bill.due and order.due != bill.due:
        yield FieldDifference("due date", bill.due, order.due or "none")
    if not _same_number(bill, order, link):
        yield FieldDifference("number", bill.number, order.number or "none")


def _unpaid(bill: BillDocument, order: OrderDocument) -> Iterator[FieldDifference]:
    """What is open of a bill, where payments are written; another amount is told by itself."""
    if bill.unpaid is None or order.unpaid is None or bill.amount != order.amount:
        return
    if bill.unpaid != order.unpaid:
        yield FieldDifference("open amount", money(bill.unpaid), money(order.unpaid))


def _status(bill: BillDocument, order: OrderDocument) -> Iterator[FieldDifference]:
    if bill.expected is Expected.CLOSED and order.status != "Closed":
        why = "paid" if bill.paid and not bill.reason else (bill.reason or "closed")
        yield FieldDifference("state", f"closed ({why})", "open")
    elif bill.expected is Expected.OPEN and _is_closed_early(bill, order):
        yield FieldDifference("state", "open", "closed")


def _is_closed_early(bill: BillDocument, order: OrderDocument) -> bool:
    """Whether somebody closed it; QuickBooks itself closes what was turned into a bill as a whole."""
    return order.status == "Closed" and not bill.paid and not has_bill(order.live)


def _sent(bill: BillDocument, order: OrderDocument, link: Link, rules: Rules) -> Iterator[FieldDifference]:
    """What a person changed of what was last sent; not asked of bills that changed in BILL since."""
    if not same_entry(bill.digest, link.source_digest) or not link.desired:
        return
    sent = {key: value for key, value in link.desired.items() if key not in _FROM_BILL}
    for difference in compare(as_sent(order.live, sent), sent):
        if difference.field == "DepartmentRef" and not difference.before:
            continue  # QuickBooks need not keep a location on purchase orders (QuickBooks manual 6.2)
        if difference.field == "Line":
            yield from _lines(order.live.get("Line"), _with_ids(link), rules.label)
        else:
            yield FieldDifference(
                _NAMES.get(difference.field, difference.field),
                _told(difference.field, difference.after, rules.label),
                _told(difference.field, difference.before, rules.label),
            )


def _lines(held: Any, sent: Sequence[Mapping[str, Any]], label: Label) -> Iterator[FieldDifference]:
    for change in line_changes(held, sent, label):
        where = f"line {change.number}"
        if change.changes:
            for one in change.changes:
                yield FieldDifference(f"{where}: {one.field}", _plain(one.after), _plain(one.before))
            continue
        told = ", ".join(_plain(value) for value in change.line.values())
        missing = str(change.kind) == "added"
        yield FieldDifference(where, told if missing else "none", "none" if missing else told)


def _with_ids(link: Link) -> list[Mapping[str, Any]]:
    """The lines last sent, with the ids QuickBooks gave them."""
    ids = list(link.line_ids.values())
    lines = link.desired.get("Line") or ()
    return [{**line, "Id": ids[place]} if place < len(ids) else line for place, line in enumerate(lines)]


def _same_number(bill: BillDocument, order: OrderDocument, link: Link | None) -> bool:
    if not bill.number:
        return True
    sent = link.desired.get("DocNumber") if link else None
    if link and link.quickbooks_name and (sent == bill.number or sent is None):
        return order.number in {link.quickbooks_name, bill.number}  # a person may have given it its own
    return order.number in {bill.number, distinct_document_number(bill.number, bill.bill_id)}


def _same_name(held: HeldVendor, payload: Mapping[str, Any], link: Link | None) -> bool:
    """A name with a suffix, given where the plain one was taken, is as good."""
    if comparable(held.name) == comparable(str(payload.get("DisplayName") or "")):
        return True
    sent = link.desired.get("DisplayName") if link else None
    return bool(link) and sent == payload.get("DisplayName") and held.name == link.quickbooks_name  # type: ignore[union-attr]


def _is_redated(bill: BillDocument, order: OrderDocument, link: Link | None, rules: Rules) -> bool:
    """Whether the policy for closed books moved the order to the day after the close.

    It may have been an earlier close: then nobody may have touched the order since it was written.
    """
    if rules.close_date is None or rules.policies.closed_period is not ClosedPeriod.REDATE:
        return False
    if bill.date > rules.close_date.isoformat():
        return False
    after = (rules.close_date + _DAY).isoformat()
    untouched = link is not None and str(order.live.get("SyncToken") or "") == link.sync_token
    return order.date == after or (untouched and bill.date < order.date < after)


def _told(name: str, value: Any, label: Label | None = None) -> str:
    if value in (None, "", {}):
        return "none"
    if name == "Active":
        return "active" if value else "inactive"
    if isinstance(value, Mapping) and "value" in value:
        named = label(name, str(value["value"])) if label else ""
        return named or str(value.get("name") or value["value"])
    if isinstance(value, Mapping):
        return ", ".join(str(part) for part in value.values() if part not in (None, ""))
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return money(value)
    return "none" if value in (None, "") else str(value)
