"""Rules of Vendor, Customer and Employee (QuickBooks manual 6.1, 10)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from typing_extensions import override

from ap_simulator.quickbooks import references
from ap_simulator.quickbooks.currencies import CURRENCIES
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.naming import (
    appends_suffix,
    deactivated_name,
    duplicate_name,
    full_name,
    has_suffix,
    holder_of_person_name,
    without_suffix,
)
from ap_simulator.quickbooks.problems import business, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import looks_masked
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.writing.addresses import numbered
from ap_simulator.quickbooks.writing.context import PlainRules, Write

_NAME_PARTS: Final = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
_PRINT_NAME_LIMIT: Final = 100
_ZERO: Final = Decimal(0)


class PeopleRules(PlainRules):
    """What vendors, customers and employees have in common, and what each has alone."""

    def prepare(self, write: Write) -> None:
        """Name, uniqueness, defaults, currency, tax identifier, references."""
        body = write.body
        body.setdefault("Active", True)
        _name(write)
        body.setdefault("PrintOnCheckName", without_suffix(body["DisplayName"]))
        body["PrintOnCheckName"] = body["PrintOnCheckName"][:_PRINT_NAME_LIMIT]
        for name in ("TaxIdentifier", "PrimaryTaxIdentifier"):
            _keep_masked(write, name)
        if write.entity.name != "Employee":
            _currency(write)
        if write.entity.name == "Vendor":
            _vendor(write)
        elif write.entity.name == "Customer":
            _customer(write)
        numbered(write.realm, body, write.stored, "BillAddr", "ShipAddr", "PrimaryAddr")

    @override
    def settle(self, write: Write, record: Record) -> None:
        """A currency that the company did not have joins its list; sub-customers follow."""
        code = record.body.get("CurrencyRef", {}).get("value")
        if code and write.realm.profile.multicurrency:
            add_company_currency(write.realm, code)
        if write.before is not None and write.entity.name == "Customer":
            _rename_jobs(write.realm, record)


def add_company_currency(realm: Realm, code: str) -> None:
    """Put a currency on the company's list unless it is there."""
    entity = ENTITIES["CompanyCurrency"]
    if code != realm.profile.home_currency and not realm.tables[entity.name].find("Code", code.casefold()):
        body = {"Code": code, "Name": CURRENCIES[code], "Active": True}
        realm.add(entity, realm.next_id(entity), body)


def _name(write: Write) -> None:
    """Settle DisplayName: built if absent, unique, with or without the suffix of inactive ones."""
    realm, body, before = write.realm, write.body, write.before
    name = body.get("DisplayName") or " ".join(body[p] for p in _NAME_PARTS if p in body)
    if not name:
        raise refused(
            "6080",
            "No Name Provided : at least one of Title, GivenName, MiddleName, FamilyName, "
            "DisplayName and Suffix must be specified",
        )
    was_inactive = before is not None and before.body.get("Active") is False
    if was_inactive and before is not None and has_suffix(before.body["DisplayName"]):
        name = without_suffix(name)
    if body["Active"] or not appends_suffix(realm, write.entity):
        holder = holder_of_person_name(realm, name, besides=before)
        if holder is not None:
            raise duplicate_name(realm, write.entity, holder)
        body["DisplayName"] = name
    elif was_inactive and before and without_suffix(before.body["DisplayName"]) == name:
        body["DisplayName"] = before.body["DisplayName"]
    else:
        body["DisplayName"] = deactivated_name(realm, write.entity.name, name, before)


def _keep_masked(write: Write, name: str) -> None:
    """A posted mask is no tax identifier: keep what is stored."""
    value = write.body.get(name)
    if not isinstance(value, str) or not looks_masked(value):
        return
    if write.realm.switches.masked_tax_identifier == "store":
        return
    if name in write.stored:
        write.body[name] = write.stored[name]
    else:
        del write.body[name]


def _currency(write: Write) -> None:
    body = write.body
    if write.is_create:
        body["CurrencyRef"] = {"value": references.currency(write.realm, body.get("CurrencyRef"))}
        return
    stored = write.stored.get("CurrencyRef")
    if stored is not None and body.get("CurrencyRef") != stored:
        if write.realm.switches.changed_currency == "reject":
            raise business("The currency of a name cannot be changed once it has been saved.")
        body["CurrencyRef"] = stored


def _vendor(write: Write) -> None:
    body, realm = write.body, write.realm
    body.setdefault("Vendor1099", False)
    body.setdefault("Balance", _ZERO)
    if write.is_create and realm.switches.term_on_vendor_create == "drop":
        body.pop("TermRef", None)
    if write.sends("TermRef") and "TermRef" in body:
        references.resolve(write, "Term", body["TermRef"])
    if write.sends("APAccountRef") and "APAccountRef" in body:
        references.account(write, body["APAccountRef"], fits=lambda kind: kind == references.PAYABLE)
    deactivated = not body["Active"] and write.stored.get("Active", False)
    if deactivated and body["Balance"] and realm.switches.deactivation_with_balance == "6220":
        raise refused("6220", "Delete Entity Has Balance Error : the vendor has an open balance.")


def _customer(write: Write) -> None:
    body = write.body
    body.setdefault("Taxable", True)
    body.setdefault("BillWithParent", False)
    body.setdefault("Balance", _ZERO)
    body.setdefault("BalanceWithJobs", body["Balance"])
    parent = body.get("ParentRef")
    if parent is not None and write.sends("ParentRef"):
        found = references.resolve(write, "Customer", parent)
        if write.before is not None and _descends(write.realm, found, write.before):
            raise refused("900", "Parent cannot be child : a customer cannot be below itself.")
    body["Job"] = parent is not None
    parent_id = None if parent is None else parent["value"]
    body["FullyQualifiedName"] = full_name(write.realm, write.entity, body["DisplayName"], parent_id)


def _descends(realm: Realm, record: Record, ancestor: Record) -> bool:
    """Whether `record` is `ancestor` or below it."""
    at: Record | None = record
    while at is not None:
        if at is ancestor:
            return True
        parent = at.body.get("ParentRef")
        at = None if parent is None else realm.record("Customer", parent["value"])
    return False


def _rename_jobs(realm: Realm, parent: Record) -> None:
    entity = ENTITIES["Customer"]
    for child in realm.tables["Customer"].find("ParentRef", parent.id):
        name = full_name(realm, entity, child.body["DisplayName"], parent.id)
        if child.body.get("FullyQualifiedName") != name:
            realm.change(entity, child, {**child.body, "FullyQualifiedName": name}, advance=False)
            _rename_jobs(realm, child)
