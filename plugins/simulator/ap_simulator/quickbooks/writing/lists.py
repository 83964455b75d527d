"""Rules of Account, Class, Department, Item and Term (QuickBooks manual 6.5, 6.6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from typing_extensions import override

from ap_simulator.quickbooks import references
from ap_simulator.quickbooks.account_types import CLASSIFICATIONS, complete_type
from ap_simulator.quickbooks.decoding import NAME_RULE
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.naming import (
    appends_suffix,
    duplicate_name,
    full_name,
    has_suffix,
    holder_of_list_name,
    with_suffix,
    without_suffix,
)
from ap_simulator.quickbooks.problems import (
    Problem,
    RefusedError,
    business,
    feature_off,
    missing,
    refused,
)
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.writing.context import PlainRules, Write

_DEEPEST: Final = 5
_NUMBER_LENGTHS: Final = {"AU": 20, "CA": 20, "FR": 20}
_NUMBER_LENGTH: Final = 7
_SAME_NUMBER: Final = "Another account is already using this number.  Please use a different number."
_PARENT_TYPE: Final = "For subaccounts, you must select the same account type as their parent."
_SUB_FLAGS: Final = {
    "Account": "SubAccount",
    "Class": "SubClass",
    "Department": "SubDepartment",
    "Item": "SubItem",
}


class ListRules(PlainRules):
    """Names below a parent, and what each kind of list has besides."""

    def prepare(self, write: Write) -> None:
        """Parent, full name, uniqueness, and the kind's own rules."""
        body = write.body
        body.setdefault("Active", True)
        match write.entity.name:
            case "Account":
                _account(write)
            case "Item":
                _item(write)
            case "Term":
                body["Type"] = "STANDARD" if "DueDays" in body else "DATE_DRIVEN"
            case "Class" if write.is_create and write.realm.profile.class_tracking == "off":
                _tracking_off(write.realm)
            case "Department" if write.is_create and not write.realm.profile.track_departments:
                _tracking_off(write.realm)
        _parent(write)
        _name(write)

    @override
    def settle(self, write: Write, record: Record) -> None:
        """Records below a renamed one carry its name."""
        if write.before is not None and write.entity.name in _SUB_FLAGS:
            _rename_children(write.realm, write.entity, record)


def _tracking_off(realm: Realm) -> None:
    if realm.switches.tracking_off == "reject":
        raise feature_off()


def _parent(write: Write) -> None:
    """Check the parent: it exists, is not below the record, and the tree is not too deep."""
    flag = _SUB_FLAGS.get(write.entity.name)
    if flag is None:
        return
    parent = write.body.get("ParentRef")
    write.body[flag] = parent is not None
    if write.entity.name == "Item":
        write.body["Level"] = Decimal(0)
    if parent is None:
        return
    if write.sends("ParentRef"):
        references.resolve(write, write.entity.name, parent)
    depth = 1
    at = write.realm.record(write.entity.name, parent["value"])
    while at is not None:
        if at is write.before:
            raise refused("900", "Parent cannot be child : a record cannot be below itself.")
        depth += 1
        above = at.body.get("ParentRef")
        at = write.realm.record(write.entity.name, above["value"]) if above else None
    if depth > _DEEPEST:
        raise refused("6180", f"Sub Level Limit : at most {_DEEPEST} levels are supported.")
    if write.entity.name == "Item":
        write.body["Level"] = Decimal(depth - 1)


def _name(write: Write) -> None:
    """Settle Name and FullyQualifiedName: unique, with the suffix of inactive records."""
    realm, entity, body, before = write.realm, write.entity, write.body, write.before
    parent = body.get("ParentRef")
    parent_id = None if parent is None else parent["value"]
    name = body["Name"]
    was_inactive = before is not None and before.body.get("Active") is False
    if was_inactive and before is not None and has_suffix(before.body["Name"]):
        name = without_suffix(name)

    def holder(candidate: str) -> Record | None:
        full = full_name(realm, entity, candidate, parent_id)
        return holder_of_list_name(realm, entity, full, besides=before)

    if not body["Active"] and appends_suffix(realm, entity):
        name = with_suffix(name, lambda candidate: holder(candidate) is not None)
    elif (found := holder(name)) is not None:
        raise duplicate_name(realm, entity, found)
    body["Name"] = name
    if "FullyQualifiedName" in entity.by_name:
        body["FullyQualifiedName"] = full_name(realm, entity, name, parent_id)


def _rename_children(realm: Realm, entity: EntityType, parent: Record) -> None:
    for child in realm.tables[entity.name].find("ParentRef", parent.id):
        name = full_name(realm, entity, child.body["Name"], parent.id)
        if child.body.get("FullyQualifiedName") != name:
            realm.change(entity, child, {**child.body, "FullyQualifiedName": name}, advance=False)
            _rename_children(realm, entity, child)


def _account(write: Write) -> None:
    body = write.body
    if any(mark in body["Name"] for mark in '":\t\n\r'):
        raise RefusedError([Problem("2180", NAME_RULE, "Name")])
    if write.is_create or write.sends("AccountType") or write.sends("AccountSubType"):
        # A new type alone gets its own default, not the subtype of the old one.
        subtype = body.get("AccountSubType")
        if write.sends("AccountType") and not write.sends("AccountSubType"):
            subtype = None
        if write.sends("AccountSubType") and not write.sends("AccountType"):
            body.pop("AccountType", None)
        completed = complete_type(body.get("AccountType"), subtype)
        if completed is None:
            raise refused("6010", "Invalid Account.AccountType && Account.SubType.")
        body["AccountType"], body["AccountSubType"] = completed
    else:
        for name in ("AccountType", "AccountSubType"):
            body[name] = write.stored[name]
    body["Classification"] = CLASSIFICATIONS[body["AccountType"]]
    if write.is_create:
        body["CurrencyRef"] = {"value": references.currency(write.realm, body.get("CurrencyRef"))}
        body["CurrentBalance"] = body["CurrentBalanceWithSubAccounts"] = Decimal(0)
    parent = body.get("ParentRef")
    above = write.realm.record("Account", parent["value"]) if parent else None
    if above is not None and above.body["AccountType"] != body["AccountType"]:
        raise business(_PARENT_TYPE)
    _account_number(write)


def _account_number(write: Write) -> None:
    body, realm = write.body, write.realm
    number = body.get("AcctNum")
    if number is None:
        return
    if not realm.profile.account_numbers:
        del body["AcctNum"]
        return
    longest = _NUMBER_LENGTHS.get(realm.profile.country, _NUMBER_LENGTH)
    if len(number) > longest:
        raise refused(
            "2050",
            "String length specified does not match the supported length. "
            f"Min:0 Max:{longest} supported. Supplied length:{len(number)}",
            "AcctNum",
        )
    if ":" in number:
        raise refused("2040", "Invalid String. AcctNum cannot include colons.", "AcctNum")
    if body["Active"] and any(
        other is not write.before and other.body.get("Active") is not False
        for other in realm.tables["Account"].find("AcctNum", number.casefold())
    ):
        raise business(_SAME_NUMBER)


def _item(write: Write) -> None:
    body = write.body
    tracked = "Inventory" if body.get("TrackQtyOnHand") else "Service"
    kind = body.setdefault("Type", write.stored.get("Type", tracked))
    for name in ("IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef"):
        if write.sends(name) and name in body:
            references.resolve(write, "Account", body[name])
    if kind == "Category":
        return
    if kind == "Inventory":
        needed = ("IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef", "InvStartDate")
        if absent := [missing(name) for name in needed if name not in body]:
            raise RefusedError(absent)
        references.account(write, body["ExpenseAccountRef"], fits=lambda type_: type_ == "Cost of Goods Sold")
    elif "IncomeAccountRef" not in body and "ExpenseAccountRef" not in body:
        raise RefusedError([missing("IncomeAccountRef")])
    body.setdefault("Taxable", False)
    body.setdefault("UnitPrice", Decimal(0))
    body.setdefault("TrackQtyOnHand", kind == "Inventory")
