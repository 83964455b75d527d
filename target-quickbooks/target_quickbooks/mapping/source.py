"""BILL's records as typed values, and the checks that make an odd one a refusal instead of a crash.

Field names are BILL's (BILL manual 4.1 vendors, 4.2 bills, 4.5 classifications). Unset fields are left out
by BILL; webhook-shaped values (numbers for strings, date-times for dates) are tolerated.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from target_quickbooks.mapping.refusal import Refusal

_LARGEST = Decimal("1E+13")  # QuickBooks keeps 15 digits, two of them behind the point (manual 6.2)
_SMALLEST = Decimal("1E-13")
_SHOWN_OF_VALUE = 40
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([T ].*)?", re.ASCII | re.DOTALL)
_INACTIVE_STATUSES = frozenset({"INACTIVE", "DRAFT", "DRAFT_DELETED"})
_SOURCE_ADVICE = "Correct the record in BILL; it is sent again with its next change."


class Kind(enum.StrEnum):
    """The BILL lists that bills refer to by id; values are stream names."""

    ACCOUNT = "chart_of_accounts"
    CLASS = "accounting_classes"
    DEPARTMENT = "departments"
    LOCATION = "locations"
    ITEM = "items"
    JOB = "jobs"
    EMPLOYEE = "employees"
    CUSTOMER = "customers"
    VENDOR = "vendors"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; every part may be empty."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A BILL vendor."""

    id: str
    name: str
    archived: bool
    company_name: str
    payee_name: str
    account_number: str
    email: str
    phone: str
    address: Address
    tax_id: str
    track_1099: bool
    currency: str


@dataclass(frozen=True, slots=True)
class Coding:
    """The classification ids of a bill or of one of its lines; empty where not coded."""

    account: str = ""
    accounting_class: str = ""
    department: str = ""
    location: str = ""
    item: str = ""
    job: str = ""
    customer: str = ""

    def over(self, fallback: Coding) -> Coding:
        """This coding, completed with ``fallback`` where it says nothing."""
        return Coding(
            account=self.account or fallback.account,
            accounting_class=self.accounting_class or fallback.accounting_class,
            department=self.department or fallback.department,
            location=self.location or fallback.location,
            item=self.item or fallback.item,
            job=self.job or fallback.job,
            customer=self.customer or fallback.customer,
        )


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a BILL bill; ``amount`` in the vendor's currency."""

    id: str
    amount: Decimal
    description: str
    quantity: Decimal | None
    price: Decimal | None
    coding: Coding


@dataclass(frozen=True, slots=True)
class Bill:
    """A BILL bill with its lines; drafts count as archived, as they do in BILL.

    Attributes:
        record_status: ``ACTIVE``, ``INACTIVE``, ``DRAFT`` or ``DRAFT_DELETED``; empty if not told.
        approval_status: ``UNASSIGNED``, ``ASSIGNED``, ``APPROVING``, ``APPROVED``, ``DENIED`` or
            ``UNDEFINED``; empty if not told.
    """

    id: str
    vendor_id: str
    vendor_name: str
    archived: bool
    amount: Decimal
    funding_amount: Decimal | None
    exchange_rate: Decimal | None
    invoice_number: str
    invoice_date: dt.date | None
    due_date: dt.date | None
    description: str
    payment_status: str
    coding: Coding
    lines: tuple[BillLine, ...]
    record_status: str = ""
    approval_status: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What is remembered of a record that bills refer to by id.

    ``full_name`` is the path from the top, parts joined with ``:`` as QuickBooks writes it.
    """

    kind: Kind
    id: str
    name: str
    number: str = ""
    parent_id: str = ""
    full_name: str = ""
    archived: bool = False
    currency: str = ""

    @property
    def label(self) -> str:
        """How a person would call it, e.g. ``6100 Travel``."""
        return f"{self.number} {self.full_name or self.name}".strip()


def read_vendor(record: Mapping[str, Any]) -> Vendor:
    """Read a BILL vendor.

    Raises:
        Refusal: The record has no name.
    """
    record_id = _text(record, "id")
    more = _object(record, "additionalInfo")
    name = _text(record, "name")
    if not name.strip():
        reason = f"Vendor {record_id} has no name."
        raise Refusal("vendor-without-name", reason, advice=_SOURCE_ADVICE)
    return Vendor(
        id=record_id,
        name=name,
        archived=record.get("archived") is True,
        company_name=_text(more, "companyName"),
        payee_name=_text(_object(record, "paymentInformation"), "payeeName"),
        account_number=_text(record, "accountNumber"),
        email=_text(record, "email").strip(),
        phone=_text(record, "phone").strip(),
        address=_address(_object(record, "address")),
        tax_id=_text(more, "taxId").strip(),
        track_1099=more.get("track1099") is True,
        currency=_text(record, "billCurrency").upper(),
    )


def read_bill(record: Mapping[str, Any]) -> Bill:
    """Read a BILL bill.

    Raises:
        Refusal: A date or an amount cannot be read, or there is no vendor.
    """
    what = f"Bill {_text(record, 'id')}"
    invoice = _object(record, "invoice")
    vendor_id = _text(record, "vendorId")
    if not vendor_id:
        raise Refusal("bill-without-vendor", f"{what} names no vendor.", advice=_SOURCE_ADVICE)
    return Bill(
        id=_text(record, "id"),
        vendor_id=vendor_id,
        vendor_name=_text(record, "vendorName"),
        archived=record.get("archived") is True or _text(record, "recordStatus") in _INACTIVE_STATUSES,
        amount=_amount(record.get("amount"), f"{what}: amount"),
        funding_amount=_optional_amount(record.get("fundingAmount"), f"{what}: fundingAmount"),
        exchange_rate=_optional_amount(record.get("exchangeRate"), f"{what}: exchangeRate"),
        invoice_number=_text(invoice, "invoiceNumber").strip(),
        invoice_date=_date(invoice.get("invoiceDate"), f"{what}: invoiceDate"),
        due_date=_date(record.get("dueDate"), f"{what}: dueDate"),
        description=_text(record, "description").strip(),
        payment_status=_text(record, "paymentStatus").upper(),
        coding=_coding(record),
        lines=tuple(_lines(record.get("billLineItems"), what)),
        record_status=_text(record, "recordStatus"),
        approval_status=_text(record, "approvalStatus").upper(),
    )


def read_reference(kind: Kind, record: Mapping[str, Any]) -> Reference:
    """Read what bills need of a classification, customer or vendor; never refuses."""
    account = _object(record, "account")
    name = _text(record, "name")
    if kind is Kind.EMPLOYEE and not name:
        name = f"{_text(record, 'firstName')} {_text(record, 'lastName')}".strip()
    return Reference(
        kind=kind,
        id=_text(record, "id"),
        name=name.strip(),
        number=_text(account, "number").strip(),
        parent_id=_text(record, "parentId"),
        archived=record.get("archived") is True,
        currency=_text(record, "billCurrency").upper(),
    )


def _lines(value: Any, what: str) -> list[BillLine]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Refusal("bill-unreadable", f"{what}: billLineItems is not a list.", advice=_SOURCE_ADVICE)
    return [_line(line, f"{what}, line {number}") for number, line in enumerate(value, start=1)]


def _line(line: Any, what: str) -> BillLine:
    if not isinstance(line, Mapping):
        raise Refusal("bill-unreadable", f"{what} is not an object.", advice=_SOURCE_ADVICE)
    return BillLine(
        id=_text(line, "id"),
        amount=_amount(line.get("amount"), f"{what}: amount"),
        description=_text(line, "description").strip(),
        quantity=_optional_amount(line.get("quantity"), f"{what}: quantity"),
        price=_optional_amount(line.get("price"), f"{what}: price"),
        coding=_coding(line),
    )


def _coding(record: Mapping[str, Any]) -> Coding:
    ids = _object(record, "classifications")
    return Coding(
        account=_text(ids, "chartOfAccountId"),
        accounting_class=_text(ids, "accountingClassId"),
        department=_text(ids, "departmentId"),
        location=_text(ids, "locationId"),
        item=_text(ids, "itemId"),
        job=_text(ids, "jobId"),
        customer=_text(ids, "customerId"),
    )


def _address(value: Mapping[str, Any]) -> Address:
    return Address(
        line1=_text(value, "line1").strip(),
        line2=_text(value, "line2").strip(),
        city=_text(value, "city").strip(),
        state=_text(value, "stateOrProvince").strip(),
        postal_code=_text(value, "zipOrPostalCode").strip(),
        country=(_text(value, "countryName") or _text(value, "country")).strip(),
    )


def _object(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if value is None or isinstance(value, bool | Mapping | list):
        return ""
    return str(value)


def _amount(value: Any, what: str) -> Decimal:
    amount = _optional_amount(value, what)
    if amount is None:
        raise Refusal("amount-missing", f"{what} is missing.", advice=_SOURCE_ADVICE)
    return amount


def _optional_amount(value: Any, what: str) -> Decimal | None:
    if value is None:
        return None
    try:
        readable = not isinstance(value, bool) and _NUMBER.fullmatch(str(value))
        amount = Decimal(str(value)) if readable else Decimal("NaN")
    except (InvalidOperation, ValueError):
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Refusal("amount-unreadable", f"{what} is not a number.", advice=_SOURCE_ADVICE)
    if amount and not _SMALLEST <= abs(amount) < _LARGEST:
        raise Refusal("amount-out-of-range", f"{what} is beyond all bounds.", advice=_SOURCE_ADVICE)
    return amount


def _date(value: Any, what: str) -> dt.date | None:
    """A date from ``YYYY-MM-DD`` or a date-time, whose own calendar day counts."""
    if value is None or value == "":
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    day = _DAY.fullmatch(str(value))
    try:
        return dt.date.fromisoformat(day[1] if day else "")
    except ValueError:
        reason = f"{what} '{str(value)[:_SHOWN_OF_VALUE]}' is not a date."
        raise Refusal("date-unreadable", reason, advice=_SOURCE_ADVICE) from None
