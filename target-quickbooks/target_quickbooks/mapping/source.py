"""BILL's records as typed values, and the checks that make an odd one a refusal instead of a crash.

Field names are BILL's (BILL manual 4.1 vendors, 4.2 bills, 4.5 classifications). Unset fields are left out
by BILL; webhook-shaped values (numbers for strings, date-times for dates) are tolerated.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping.fields import (
    SOURCE_ADVICE,
    amount_of,
    date_of,
    object_of,
    optional_amount_of,
    text_of,
)
from target_quickbooks.mapping.refusal import Refusal

_INACTIVE_STATUSES = frozenset({"INACTIVE", "DRAFT", "DRAFT_DELETED"})


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
    record_id = text_of(record, "id")
    more = object_of(record, "additionalInfo")
    name = text_of(record, "name")
    if not name.strip():
        reason = f"Vendor {record_id} has no name."
        raise Refusal("vendor-without-name", reason, advice=SOURCE_ADVICE)
    return Vendor(
        id=record_id,
        name=name,
        archived=record.get("archived") is True,
        company_name=text_of(more, "companyName"),
        payee_name=text_of(object_of(record, "paymentInformation"), "payeeName"),
        account_number=text_of(record, "accountNumber"),
        email=text_of(record, "email").strip(),
        phone=text_of(record, "phone").strip(),
        address=_address(object_of(record, "address")),
        tax_id=text_of(more, "taxId").strip(),
        track_1099=more.get("track1099") is True,
        currency=text_of(record, "billCurrency").upper(),
    )


def read_bill(record: Mapping[str, Any]) -> Bill:
    """Read a BILL bill.

    Raises:
        Refusal: A date or an amount cannot be read, or there is no vendor.
    """
    what = f"Bill {text_of(record, 'id')}"
    invoice = object_of(record, "invoice")
    vendor_id = text_of(record, "vendorId")
    if not vendor_id:
        raise Refusal("bill-without-vendor", f"{what} names no vendor.", advice=SOURCE_ADVICE)
    return Bill(
        id=text_of(record, "id"),
        vendor_id=vendor_id,
        vendor_name=text_of(record, "vendorName"),
        archived=record.get("archived") is True or text_of(record, "recordStatus") in _INACTIVE_STATUSES,
        amount=amount_of(record.get("amount"), f"{what}: amount"),
        funding_amount=optional_amount_of(record.get("fundingAmount"), f"{what}: fundingAmount"),
        exchange_rate=optional_amount_of(record.get("exchangeRate"), f"{what}: exchangeRate"),
        invoice_number=text_of(invoice, "invoiceNumber").strip(),
        invoice_date=date_of(invoice.get("invoiceDate"), f"{what}: invoiceDate"),
        due_date=date_of(record.get("dueDate"), f"{what}: dueDate"),
        description=text_of(record, "description").strip(),
        payment_status=text_of(record, "paymentStatus").upper(),
        coding=_coding(record),
        lines=tuple(_lines(record.get("billLineItems"), what)),
        record_status=text_of(record, "recordStatus"),
        approval_status=text_of(record, "approvalStatus").upper(),
    )


def read_reference(kind: Kind, record: Mapping[str, Any]) -> Reference:
    """Read what bills need of a classification, customer or vendor; never refuses."""
    account = object_of(record, "account")
    name = text_of(record, "name")
    if kind is Kind.EMPLOYEE and not name:
        name = f"{text_of(record, 'firstName')} {text_of(record, 'lastName')}".strip()
    return Reference(
        kind=kind,
        id=text_of(record, "id"),
        name=name.strip(),
        number=text_of(account, "number").strip(),
        parent_id=text_of(record, "parentId"),
        archived=record.get("archived") is True,
        currency=text_of(record, "billCurrency").upper(),
    )


def _lines(value: Any, what: str) -> list[BillLine]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Refusal("bill-unreadable", f"{what}: billLineItems is not a list.", advice=SOURCE_ADVICE)
    return [_line(line, f"{what}, line {number}") for number, line in enumerate(value, start=1)]


def _line(line: Any, what: str) -> BillLine:
    if not isinstance(line, Mapping):
        raise Refusal("bill-unreadable", f"{what} is not an object.", advice=SOURCE_ADVICE)
    return BillLine(
        id=text_of(line, "id"),
        amount=amount_of(line.get("amount"), f"{what}: amount"),
        description=text_of(line, "description").strip(),
        quantity=optional_amount_of(line.get("quantity"), f"{what}: quantity"),
        price=optional_amount_of(line.get("price"), f"{what}: price"),
        coding=_coding(line),
    )


def _coding(record: Mapping[str, Any]) -> Coding:
    ids = object_of(record, "classifications")
    return Coding(
        account=text_of(ids, "chartOfAccountId"),
        accounting_class=text_of(ids, "accountingClassId"),
        department=text_of(ids, "departmentId"),
        location=text_of(ids, "locationId"),
        item=text_of(ids, "itemId"),
        job=text_of(ids, "jobId"),
        customer=text_of(ids, "customerId"),
    )


def _address(value: Mapping[str, Any]) -> Address:
    return Address(
        line1=text_of(value, "line1").strip(),
        line2=text_of(value, "line2").strip(),
        city=text_of(value, "city").strip(),
        state=text_of(value, "stateOrProvince").strip(),
        postal_code=text_of(value, "zipOrPostalCode").strip(),
        country=(text_of(value, "countryName") or text_of(value, "country")).strip(),
    )
