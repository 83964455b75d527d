"""BILL vendor to QuickBooks Vendor (QuickBooks manual 6.1)."""

from __future__ import annotations

import re
from typing import Any

from target_quickbooks.mapping import names
from target_quickbooks.mapping.chart import Company
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Address, Vendor

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_EMAIL_LENGTH = 100
_PHONE_LENGTH = 30
_TAX_ID_LENGTH = 20
_ACCOUNT_NUMBER_LENGTH = 100
_ADDRESS_LENGTHS = {
    "Line1": 500,
    "Line2": 500,
    "City": 255,
    "CountrySubDivisionCode": 255,
    "PostalCode": 30,
    "Country": 255,
}
_MASKED = re.compile(r"[Xx*•]{2,}")


def map_vendor(vendor: Vendor, company: Company) -> Mapped:
    """Say what a BILL vendor should look like in QuickBooks.

    Raises:
        Refusal: The name has no character QuickBooks accepts, or the currency cannot be used.
    """
    notes: list[str] = []
    name = display_name(vendor.name)
    if not name:
        raise Refusal(
            "vendor-name-unusable",
            f"The name of vendor {vendor.id} has no character that QuickBooks accepts.",
            advice="Give the vendor another name in BILL.",
        )
    if names.comparable(name) != names.comparable(vendor.name):
        notes.append("QuickBooks does not accept every character of its name in BILL")
    payload: dict[str, Any] = {
        "DisplayName": name,
        "CompanyName": names.plain_line(vendor.company_name or vendor.name, names.COMPANY_NAME_LENGTH),
        "PrintOnCheckName": _check_name(vendor),
        "Active": not vendor.archived,
        "PrimaryEmailAddr": _email(vendor.email, notes),
        "PrimaryPhone": _phone(vendor.phone, notes),
        "BillAddr": _address(vendor.address),
        "AcctNum": names.plain_line(vendor.account_number, _ACCOUNT_NUMBER_LENGTH),
        "Vendor1099": vendor.track_1099,
    }
    tax_id = _tax_id(vendor.tax_id, notes)
    if tax_id:
        payload["TaxIdentifier"] = tax_id
    currency = vendor.currency or company.home_currency
    if company.multicurrency:
        payload["CurrencyRef"] = {"value": currency}
    elif currency != company.home_currency:
        raise Refusal(
            "currency-off",
            f"Vendor '{name}' is paid in {currency}, but multicurrency is off in QuickBooks.",
            advice="Turn multicurrency on in QuickBooks, or change the vendor's currency in BILL.",
        )
    return Mapped(entity="Vendor", payload=payload, label=f"vendor '{name}'", notes=tuple(notes))


def display_name(name: str) -> str:
    """The DisplayName for a BILL vendor name, before uniqueness is looked at."""
    return names.plain_name(name, names.DISPLAY_NAME_LENGTH)


def _check_name(vendor: Vendor) -> str:
    """The payee's name, else the vendor's: it can never be cleared (QuickBooks manual 6.0.1)."""
    payee = names.plain_name(vendor.payee_name, names.CHECK_NAME_LENGTH)
    return payee or names.plain_name(vendor.name, names.CHECK_NAME_LENGTH)


def _email(email: str, notes: list[str]) -> dict[str, str]:
    if not email:
        return {}
    if not _EMAIL.fullmatch(email) or names.plain_line(email, _EMAIL_LENGTH) != email:
        notes.append("e-mail address left out: QuickBooks would refuse it")
        return {}
    return {"Address": email}


def _phone(phone: str, notes: list[str]) -> dict[str, str]:
    text = names.plain_line(phone, len(phone))
    if len(text) > _PHONE_LENGTH:
        notes.append(f"phone number cut to {_PHONE_LENGTH} characters")
    return {"FreeFormNumber": text[:_PHONE_LENGTH].rstrip()} if text else {}


def _tax_id(tax_id: str, notes: list[str]) -> str:
    """A full tax id, or nothing: a masked one must never overwrite the real one."""
    if not tax_id or _MASKED.search(tax_id):
        return ""
    if len(tax_id) > _TAX_ID_LENGTH:
        notes.append("tax id left out: longer than QuickBooks allows")
        return ""
    return tax_id


def _address(address: Address) -> dict[str, str]:
    parts = {
        "Line1": address.line1,
        "Line2": address.line2,
        "City": address.city,
        "CountrySubDivisionCode": address.state,
        "PostalCode": address.postal_code,
        "Country": address.country,
    }
    written = {key: names.plain_line(value, _ADDRESS_LENGTHS[key]) for key, value in parts.items()}
    return {key: value for key, value in written.items() if value}
