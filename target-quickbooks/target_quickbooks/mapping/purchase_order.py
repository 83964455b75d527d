"""BILL bill to QuickBooks PurchaseOrder, line by line (QuickBooks manual 6.2).

The order carries its BILL id in the private note, so that a lost store can be rebuilt from QuickBooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping import names
from target_quickbooks.mapping.chart import Chart, ClassTracking, Company, Entry
from target_quickbooks.mapping.exchange import exchange_rate
from target_quickbooks.mapping.order_lines import LineMapper, MappedLine, References
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill, BillLine, Kind
from target_quickbooks.mapping.tax import tax_of
from target_quickbooks.policies import DocumentNumber, LocationFrom, PaidBill, Policies

_LABEL_LENGTH = 100
_COUNT = re.compile(r"(-\d{1,3})?", re.ASCII)
_MARKER = re.compile(r"\[BILL (?P<organization>[^/\s\]]+)/(?P<bill>[^/\s\]]+)\]")


@dataclass(frozen=True, slots=True)
class VendorInQuickBooks:
    """What a purchase order needs of its vendor."""

    quickbooks_id: str
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class OrderContext:
    """Everything besides the bill that decides how its purchase order looks."""

    organization_id: str
    chart: Chart
    references: References
    policies: Policies


def marker(organization_id: str, bill_id: str) -> str:
    """The text in a private note that says which BILL bill an order stands for."""
    return f"[BILL {organization_id}/{bill_id}]"


def read_marker(private_note: str) -> tuple[str, str] | None:
    """The (organization id, bill id) a private note carries, if any; ours is the last."""
    found = list(_MARKER.finditer(private_note or ""))
    return (found[-1]["organization"], found[-1]["bill"]) if found else None


def retired_note(private_note: str) -> str:
    """A private note whose order no longer stands for the bill: another order took its place."""
    marks = [f"[replaced, was BILL {found[1]}/{found[2]}]" for found in _MARKER.finditer(private_note)]
    text, last = _MARKER.sub("", private_note).strip(), marks[-1] if marks else "[replaced]"
    return f"{text[: names.NOTE_LENGTH - len(last) - 1].rstrip()}\n{last}".lstrip()


@dataclass(frozen=True, slots=True)
class Draft:
    """What every transaction made of a bill's lines has in common."""

    payload: dict[str, Any]
    lines: tuple[MappedLine, ...]
    line_keys: tuple[str, ...]
    notes: list[str]

    def mapped(self, entity: str, label: str) -> Mapped:
        """The draft as it is; what is None is left out."""
        return Mapped(
            entity=entity,
            payload={key: value for key, value in self.payload.items() if value is not None},
            label=label,
            notes=tuple(self.notes),
            line_keys=self.line_keys,
        )


def map_bill(bill: Bill, vendor: VendorInQuickBooks, context: OrderContext) -> Mapped:
    """Say what a BILL bill should look like as a QuickBooks purchase order.

    Raises:
        Refusal: A classification cannot be resolved, amounts do not add up, or the company lacks what
            the bill needs (purchase orders, multicurrency, a payables account).
    """
    company = context.chart.company
    what = bill_label(bill)
    if not company.purchase_orders:
        raise _no_orders(company, what)
    draft = draft_of(bill, vendor, context, what, own={"POStatus": _status(bill, context.policies)})
    number = document_number(bill, context.policies.document_number)
    if number and company.own_document_numbers:
        draft.payload["DocNumber"] = number
    if company.class_tracking is ClassTracking.PER_DOCUMENT:
        classes = (line.quickbooks_class for line in draft.lines)
        draft.payload["ClassRef"] = _shared(classes, "class", draft.notes)
    return draft.mapped("PurchaseOrder", what)


def draft_of(
    bill: Bill,
    vendor: VendorInQuickBooks,
    context: OrderContext,
    what: str,
    *,
    own: Mapping[str, Any] | None = None,
) -> Draft:
    """Map what purchase orders, bills and vendor credits have in common.

    Args:
        bill: The bill, or what reads like one.
        vendor: Its vendor.
        context: What it refers to.
        what: How to call it.
        own: What only this kind of transaction has.

    Raises:
        Refusal: A classification cannot be resolved, or amounts do not add up.
    """
    company = context.chart.company
    notes: list[str] = []
    lines = _lines_of(bill, what)
    tax = tax_of(context.chart, context.policies, what)
    mapper = LineMapper(context.chart, context.references, context.policies, what, tax_code=tax.code)
    mapped_lines = tuple(mapper.map_line(number, line, bill.coding) for number, line in enumerate(lines, 1))
    notes.extend(mapper.notes)
    payload: dict[str, Any] = {
        "VendorRef": {"value": vendor.quickbooks_id},
        "APAccountRef": {"value": payables_account(context.chart, vendor.currency, what).id},
        "PrivateNote": _private_note(bill, context.organization_id),
        **(own or {}),
        "Line": [line.payload for line in mapped_lines],
    }
    if bill.invoice_date:
        payload["TxnDate"] = bill.invoice_date.isoformat()
    if bill.due_date:
        payload["DueDate"] = bill.due_date.isoformat()
    if tax.calculation:
        payload["GlobalTaxCalculation"] = tax.calculation
    if company.locations and context.policies.location_from is not LocationFrom.NONE:
        payload["DepartmentRef"] = _location(bill, lines, context, mapper, notes)
    payload |= _currency(bill, vendor, context.chart, what)
    return Draft(payload, mapped_lines, _keys(lines), notes)


def bill_label(bill: Bill) -> str:
    """How a person would call a bill: invoice number and vendor."""
    invoice = names.plain_line(bill.invoice_number, _LABEL_LENGTH)
    vendor = names.plain_line(bill.vendor_name, _LABEL_LENGTH)
    number = f"'{invoice}'" if invoice else bill.id
    return f"bill {number} of {vendor}" if vendor else f"bill {number}"


def document_number(bill: Bill, policy: DocumentNumber) -> str:
    """The document number to ask for, before uniqueness is looked at; empty leaves it to QuickBooks."""
    match policy:
        case DocumentNumber.AUTO:
            return ""
        case DocumentNumber.BILL_ID:
            return bill.id[: names.DOCUMENT_NUMBER_LENGTH]
        case DocumentNumber.INVOICE_NUMBER:
            number = names.plain_line(bill.invoice_number, len(bill.invoice_number))
            if len(number) > names.DOCUMENT_NUMBER_LENGTH:
                return distinct_document_number(number, bill.id)
            return number or bill.id[: names.DOCUMENT_NUMBER_LENGTH]


def distinct_document_number(number: str, bill_id: str) -> str:
    """The number, made unlike any other bill's by the end of the bill's id, within 21 characters.

    A number made so before is counted on: an order that was given up keeps its own.
    """
    mark = f"~{bill_id[-6:]}"
    base, found, count = number.rpartition(mark)
    ending = f"{mark}-{int(count.removeprefix('-') or 1) + 1}" if found and _COUNT.fullmatch(count) else mark
    plain = base if ending != mark else number
    return names.with_suffix(plain, ending, names.DOCUMENT_NUMBER_LENGTH).replace(" ~", "~")


def references_of(bill: Bill) -> set[tuple[Kind, str]]:
    """All BILL records that mapping this bill may ask for, besides its vendor."""
    wanted: set[tuple[Kind, str]] = set()
    for coding in (bill.coding, *(line.coding for line in bill.lines)):
        wanted |= {
            (Kind.ACCOUNT, coding.account),
            (Kind.CLASS, coding.accounting_class),
            (Kind.DEPARTMENT, coding.department),
            (Kind.LOCATION, coding.location),
            (Kind.ITEM, coding.item),
            (Kind.JOB, coding.job),
            (Kind.CUSTOMER, coding.customer),
        }
    return {(kind, bill_id) for kind, bill_id in wanted if bill_id}


def _lines_of(bill: Bill, what: str) -> tuple[BillLine, ...]:
    """The bill's lines; a bill without any has one over its whole amount."""
    lines = bill.lines or (BillLine("", bill.amount, bill.description, None, None, bill.coding),)
    total = sum((line.amount for line in lines), Decimal(0))
    if total != bill.amount:
        raise Refusal(
            "lines-do-not-add-up",
            f"The lines of {what} add up to {total}, but the bill says {bill.amount}.",
            advice="Open the bill in BILL and save it again; if the totals still differ, tell BILL support.",
        )
    for line in lines:
        if line.amount != line.amount.quantize(Decimal("0.01")):
            raise Refusal(
                "fraction-of-a-cent",
                f"A line of {what} has an amount of {line.amount}: QuickBooks keeps two decimals.",
                advice="Correct the amount in BILL.",
            )
    return lines


def _keys(lines: Iterable[BillLine]) -> tuple[str, ...]:
    """BILL's ids of the lines, each once; a line without one goes by its place."""
    keys: list[str] = []
    for number, line in enumerate(lines, start=1):
        keys.append(line.id if line.id and line.id not in keys else f"#{number}")
    return tuple(keys)


def _no_orders(company: Company, what: str) -> Refusal:
    subject = names.sentence_start(what)
    if company.plan_has_orders:
        return Refusal(
            "purchase-orders-off",
            f"{subject} cannot be written: purchase orders are switched off in {company.name}.",
            advice="Switch them on in QuickBooks (Account and settings, Expenses); the next run goes on.",
        )
    return Refusal(
        "no-purchase-orders",
        f"{subject} cannot be written: the plan of {company.name} ({company.plan or 'unknown'}) has no "
        "purchase orders.",
        advice="Purchase orders need QuickBooks Online Plus or Advanced.",
    )


def payables_account(chart: Chart, currency: str, what: str) -> Entry:
    """The accounts payable account for a currency.

    Raises:
        Refusal: There is none.
    """
    account = chart.payables_account(currency)
    if account is None:
        raise Refusal(
            "payables-account-missing",
            f"QuickBooks has no active accounts payable account in {currency} for {what}.",
            advice=f"Add an account of type Accounts Payable in {currency} in QuickBooks.",
        )
    return account


def _private_note(bill: Bill, organization_id: str) -> str:
    mark = marker(organization_id, bill.id)
    text = names.plain_text(bill.description, names.NOTE_LENGTH - len(mark) - 1)
    return f"{text}\n{mark}" if text else mark


def _status(bill: Bill, policies: Policies) -> str:
    paid = bill.payment_status == "PAID" and policies.paid_bill is PaidBill.CLOSE
    return "Closed" if paid else "Open"


def _currency(bill: Bill, vendor: VendorInQuickBooks, chart: Chart, what: str) -> Mapping[str, Any]:
    company = chart.company
    if not company.multicurrency:
        if vendor.currency != company.home_currency:
            raise Refusal(
                "currency-off",
                f"{names.sentence_start(what)} is in {vendor.currency}, but multicurrency is off in "
                "QuickBooks.",
                advice="Turn multicurrency on in QuickBooks, or change the vendor's currency in BILL.",
            )
        return {}
    if vendor.currency == company.home_currency:
        return {"CurrencyRef": {"value": vendor.currency}}
    return {
        "CurrencyRef": {"value": vendor.currency},
        "ExchangeRate": exchange_rate(bill, what, currency=vendor.currency, home=company.home_currency),
    }


def _location(
    bill: Bill,
    lines: Iterable[BillLine],
    context: OrderContext,
    mapper: LineMapper,
    notes: list[str],
) -> dict[str, str] | None:
    """The document's location: the bill's own, else the one that all coded lines share."""
    if context.policies.location_from is LocationFrom.LOCATION:
        kind, own = Kind.LOCATION, bill.coding.location
        on_lines = [line.coding.location for line in lines]
    else:
        kind, own = Kind.DEPARTMENT, bill.coding.department
        on_lines = [line.coding.department for line in lines]
    if own:
        return mapper.location(kind, own)
    return _shared((mapper.location(kind, value) for value in on_lines if value), "location", notes)


def _shared(values: Iterable[dict[str, str] | None], what: str, notes: list[str]) -> dict[str, str] | None:
    found = {value["value"]: value for value in values if value}
    if len(found) > 1:
        notes.append(f"no {what}: the lines have {len(found)} different ones, the document only one")
        return None
    return next(iter(found.values()), None)
