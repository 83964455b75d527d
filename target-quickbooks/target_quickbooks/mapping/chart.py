"""The QuickBooks side that is looked up and never written: accounts, classes, locations, customers, items.

Also the company's preferences as far as they change what a document may carry (QuickBooks manual 6.7, 6.8).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from target_quickbooks.mapping.names import comparable


class ClassTracking(enum.StrEnum):
    """Where the company lets a class be set."""

    OFF = "off"
    PER_LINE = "line"
    PER_DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Company:
    """What CompanyInfo and Preferences say about the realm.

    Attributes:
        country: As CompanyInfo spells it: two letters, three letters or a name.
        plan: ``OfferingSku``, e.g. ``QuickBooks Online Plus``; empty if not told.
        own_document_numbers: Whether purchase orders take numbers from outside.
        purchase_orders: Whether the plan has purchase orders and the setting for them is on.
        plan_has_orders: Whether the plan has them; an unknown plan gets the benefit of the doubt.
        book_close_date: The last day of the closed period.
        subscription: ``SubscriptionStatus``, e.g. ``PAID``; empty if not told.
    """

    name: str
    country: str
    plan: str
    home_currency: str
    multicurrency: bool
    class_tracking: ClassTracking
    locations: bool
    own_document_numbers: bool
    purchase_orders: bool
    book_close_date: dt.date | None
    plan_has_orders: bool = True
    subscription: str = ""

    @property
    def in_us(self) -> bool:
        """Whether US rules (no tax code per line) apply."""
        return self.country.upper() in {"US", "USA", "UNITED STATES"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An account, class, location, customer or item of QuickBooks."""

    id: str
    name: str
    full_name: str
    active: bool = True
    number: str = ""
    type: str = ""
    subtype: str = ""
    currency: str = ""
    expense_account_id: str = ""

    @property
    def label(self) -> str:
        """How a person would call it, e.g. ``6100 Travel``."""
        return f"{self.number} {self.full_name}".strip()


@dataclass(frozen=True)
class Entries:
    """Entries of one kind, findable by id, number and full name."""

    kind: str
    entries: tuple[Entry, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        """Entries by QuickBooks id."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def by_number(self) -> dict[str, Entry]:
        """Entries by account number; an active entry goes before an inactive one."""
        return _first((entry.number, entry) for entry in self._ordered if entry.number)

    @cached_property
    def by_full_name(self) -> dict[str, Entry]:
        """Entries by comparable full name; an active entry goes before an inactive one."""
        return _first((comparable(_without_deleted(entry)), entry) for entry in self._ordered)

    @cached_property
    def _ordered(self) -> list[Entry]:
        return sorted(self.entries, key=lambda entry: not entry.active)

    def find(self, wanted: str) -> Entry | None:
        """The entry a person means by an id, a number or a full name."""
        return (
            self.by_id.get(wanted) or self.by_number.get(wanted) or self.by_full_name.get(comparable(wanted))
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a bill's lines can refer to in one company."""

    company: Company
    accounts: Entries = field(default_factory=lambda: Entries("account"))
    classes: Entries = field(default_factory=lambda: Entries("class"))
    locations: Entries = field(default_factory=lambda: Entries("location"))
    customers: Entries = field(default_factory=lambda: Entries("customer"))
    items: Entries = field(default_factory=lambda: Entries("item"))
    tax_codes: Entries = field(default_factory=lambda: Entries("tax code"))

    def payables_account(self, currency: str) -> Entry | None:
        """The accounts payable account for a currency (QuickBooks keeps one for each).

        The home currency's account is the one of the lowest id, which is the one QuickBooks made itself.
        """
        payables = [
            entry for entry in self.accounts.entries if entry.type == "Accounts Payable" and entry.active
        ]
        matching = [entry for entry in payables if (entry.currency or self.company.home_currency) == currency]
        return min(matching, key=lambda entry: (len(entry.id), entry.id), default=None)


def read_company(info: Mapping[str, Any], preferences: Mapping[str, Any]) -> Company:
    """Combine the CompanyInfo and Preferences entities; missing names count as off or unknown."""
    features = _named_values(info.get("NameValue"))
    accounting = preferences.get("AccountingInfoPrefs") or {}
    currency = preferences.get("CurrencyPrefs") or {}
    other = _named_values((preferences.get("OtherPrefs") or {}).get("NameValue"))
    orders = other.get(
        "VendorAndPurchasesPrefs.PurchaseOrderEnabled",
        other.get("VendorAndPurchasesPrefs.PurchseOrderEnabled", ""),
    )
    plan = features.get("OfferingSku", "")
    closed = accounting.get("BookCloseDate")
    plan_has_orders = _plan_has_purchase_orders(plan)
    return Company(
        name=str(info.get("CompanyName") or ""),
        country=str(info.get("Country") or "US"),
        plan=plan,
        home_currency=str((currency.get("HomeCurrency") or {}).get("value") or "USD"),
        multicurrency=_true(currency.get("MultiCurrencyEnabled")),
        class_tracking=_class_tracking(accounting),
        locations=_true(accounting.get("TrackDepartments")),
        own_document_numbers=_true(other.get("VendorAndPurchasesPrefs.UseCustomTxnNumbers")),
        purchase_orders=orders.lower() != "false" and plan_has_orders,
        book_close_date=dt.date.fromisoformat(str(closed)[:10]) if closed else None,
        plan_has_orders=plan_has_orders,
        subscription=features.get("SubscriptionStatus", ""),
    )


def read_entry(entity: str, raw: Mapping[str, Any]) -> Entry:
    """Read an Account, Class, Department, Customer or Item as QuickBooks returns it."""
    name = str(raw.get("Name") or raw.get("DisplayName") or "")
    return Entry(
        id=str(raw["Id"]),
        name=name,
        full_name=str(raw.get("FullyQualifiedName") or name),
        active=raw.get("Active") is not False,
        number=str(raw.get("AcctNum") or ""),
        type=str(raw.get("AccountType") or (raw.get("Type") if entity == "Item" else "") or ""),
        subtype=str(raw.get("AccountSubType") or ""),
        currency=str((raw.get("CurrencyRef") or {}).get("value") or ""),
        expense_account_id=str((raw.get("ExpenseAccountRef") or {}).get("value") or ""),
    )


def _plan_has_purchase_orders(plan: str) -> bool:
    """Purchase orders exist in Plus and Advanced; an unknown plan gets the benefit of the doubt."""
    name = plan.lower()
    return not any(word in name for word in ("simple start", "essentials", "self-employed", "ledger"))


def _class_tracking(accounting: Mapping[str, Any]) -> ClassTracking:
    if _true(accounting.get("ClassTrackingPerTxnLine")):
        return ClassTracking.PER_LINE
    if _true(accounting.get("ClassTrackingPerTxn")):
        return ClassTracking.PER_DOCUMENT
    return ClassTracking.OFF


def _named_values(pairs: Any) -> dict[str, str]:
    return {
        str(pair.get("Name")): str(pair.get("Value")) for pair in pairs or [] if isinstance(pair, Mapping)
    }


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _without_deleted(entry: Entry) -> str:
    return entry.full_name if entry.active else entry.full_name.removesuffix(" (deleted)")


def _first(pairs: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for key, entry in pairs:
        found.setdefault(key, entry)
    return found
