"""What lets one take a QuickBooks vendor for a BILL vendor: its name and its details. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_quickbooks.mapping.chart import Company as Profile
from target_quickbooks.mapping.names import comparable, own_name, with_suffix, without_form
from target_quickbooks.mapping.payload import Payload

_TAX_ID_SHOWN = 4
_PHONE_DIGITS = 10
_NOT_A_DIGIT = re.compile(r"\D+")
_NOT_A_CHARACTER = re.compile(r"[\W_]+")
_CHARACTERS = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Details:
    """What tells vendors of one name apart, in a form that can be compared; empty where not known.

    Attributes:
        tax_id: Its last four characters: all that QuickBooks shows.
        address: First line and postal code.
    """

    tax_id: str = ""
    account_number: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""

    def shared(self, other: Details) -> tuple[str, ...]:
        """The details in which two vendors agree, in words."""
        return tuple(
            words
            for name, words in _WORDS.items()
            if (mine := getattr(self, name)) and mine == getattr(other, name)
        )

    def contradicted(self, other: Details) -> tuple[str, ...]:
        """The details that both have, and that differ, in words."""
        pairs = ((words, getattr(self, name), getattr(other, name)) for name, words in _WORDS.items())
        return tuple(words for words, mine, theirs in pairs if mine and theirs and mine != theirs)


_WORDS = {
    "tax_id": "tax id",
    "account_number": "account number",
    "email": "e-mail",
    "phone": "phone",
    "address": "address",
}


@dataclass(frozen=True, slots=True)
class BillVendor:
    """A BILL vendor, as far as finding it in QuickBooks goes."""

    organization_id: str
    bill_id: str
    name: str
    currency: str
    archived: bool
    details: Details

    @property
    def key(self) -> tuple[str, str]:
        """Organization and BILL id."""
        return self.organization_id, self.bill_id

    def names(self) -> list[str]:
        """The names that we may have given it, most likely ones first, in comparable form."""
        suffixes = ("(Vendor)", f"({self.currency})", f"({self.bill_id[-6:]})")
        return [comparable(self.name), *(comparable(with_suffix(self.name, suffix)) for suffix in suffixes)]


@dataclass(frozen=True, slots=True)
class QuickBooksVendor:
    """A vendor of QuickBooks, likewise; its name without what QuickBooks writes behind inactive ones."""

    quickbooks_id: str
    name: str
    currency: str
    active: bool
    details: Details


def bill_vendor(
    organization_id: str, record: Mapping[str, Any], payload: Payload, profile: Profile
) -> BillVendor:
    """A BILL vendor from its record and what it is mapped to."""
    return BillVendor(
        organization_id=organization_id,
        bill_id=str(record["id"]),
        name=str(payload["DisplayName"]),
        currency=_currency(payload, profile),
        archived=record.get("archived") is True,
        details=details_of(payload),
    )


def quickbooks_vendor(live: Mapping[str, Any], profile: Profile) -> QuickBooksVendor:
    """A vendor from what QuickBooks holds."""
    return QuickBooksVendor(
        quickbooks_id=str(live["Id"]),
        name=own_name(live),
        currency=_currency(live, profile),
        active=live.get("Active") is not False,
        details=details_of(live),
    )


def details_of(vendor: Mapping[str, Any]) -> Details:
    """The details of a vendor in QuickBooks' form, live or mapped."""
    address = vendor.get("BillAddr") or {}
    lines = (str(address.get(part) or "") for part in ("Line1", "PostalCode"))
    street, code = (_NOT_A_CHARACTER.sub("", comparable(line)) for line in lines)
    tax_id = "".join(_CHARACTERS.findall(str(vendor.get("TaxIdentifier") or "")))
    phone = _NOT_A_DIGIT.sub("", str((vendor.get("PrimaryPhone") or {}).get("FreeFormNumber") or ""))
    return Details(
        tax_id=tax_id[-_TAX_ID_SHOWN:].casefold() if len(tax_id) >= _TAX_ID_SHOWN else "",
        account_number=_NOT_A_CHARACTER.sub("", comparable(str(vendor.get("AcctNum") or ""))),
        email=comparable(str((vendor.get("PrimaryEmailAddr") or {}).get("Address") or "")),
        phone=phone[-_PHONE_DIGITS:],
        address=f"{street} {code}" if street else "",
    )


def spelled_alike(one: str, other: str) -> bool:
    """Whether two names are the same but for punctuation and legal form."""
    plain = without_form(one)
    return bool(plain) and plain == without_form(other)


def _currency(vendor: Mapping[str, Any], profile: Profile) -> str:
    return str((vendor.get("CurrencyRef") or {}).get("value") or profile.home_currency)
