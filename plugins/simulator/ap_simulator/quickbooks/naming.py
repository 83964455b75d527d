"""Names: who may have which, and what becomes of the name of a deactivated record.

Vendors, customers and employees share one name space, without regard to case and outer blanks;
accounts, classes, departments, items and terms are unique below their parent. Inactive records
count (QuickBooks manual 6.1, 6.5, 7.3, 10).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ap_simulator.quickbooks.entities import ENTITIES, PEOPLE
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.problems import RefusedError, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record

_SUFFIX: Final = re.compile(r" \(deleted(?:-\d+)?\)$")
_PERSON_EXISTS: Final = (
    "The name supplied already exists. : Another customer, vendor or employee is already using "
    "this \nname. Please use a different name."
)
_LIST_EXISTS: Final = (
    "The name supplied already exists. : {article} {what} already has the same display name. "
    "Display Name must be unique. Please provide a different display name."
)


def holder_of_person_name(realm: Realm, name: str, *, besides: Record | None) -> Record | None:
    """The vendor, customer or employee that has a name, other than `besides`."""
    key = name.strip().casefold()
    for entity in PEOPLE:
        for record in realm.tables[entity].find("DisplayName", key):
            if record is not besides:
                return record
    return None


def holder_of_list_name(
    realm: Realm, entity: EntityType, full_name: str, *, besides: Record | None
) -> Record | None:
    """The record of a list that has a full name, other than `besides`."""
    path = "FullyQualifiedName" if "FullyQualifiedName" in entity.by_name else "Name"
    for record in realm.tables[entity.name].find(path, full_name.casefold()):
        if record is not besides:
            return record
    return None


def duplicate_name(realm: Realm, entity: EntityType, holder: Record) -> RefusedError:
    """The refusal of a name that `holder` has."""
    if entity.family == "people":
        detail = _PERSON_EXISTS
    else:
        what = entity.name.lower()
        article = "An" if what[0] in "aeiou" else "A"
        detail = _LIST_EXISTS.format(article=article, what=what)
    if realm.switches.duplicate_name_holder:
        detail += f" Id={holder.id}"
    return refused("6240", detail)


def appends_suffix(realm: Realm, entity: EntityType) -> bool:
    """Whether deactivated records of an entity get a suffix that frees their name."""
    if entity.family == "people":
        return realm.switches.deleted_suffix
    return entity.name in {"Account", "Item", "Class", "Department"}


def with_suffix(name: str, taken: Callable[[str], bool]) -> str:
    """The name of a deactivated record: the first of `X (deleted)`, `X (deleted-2)`... free."""
    candidate, count = f"{name} (deleted)", 1
    while taken(candidate):
        count += 1
        candidate = f"{name} (deleted-{count})"
    return candidate


def without_suffix(name: str) -> str:
    """The name that a deactivated record had."""
    return _SUFFIX.sub("", name)


def has_suffix(name: str) -> bool:
    """Whether a name carries the suffix of deactivated records."""
    return _SUFFIX.search(name) is not None


def name_field(entity: EntityType) -> str:
    """The property that holds the name people type."""
    return "DisplayName" if entity.family == "people" else "Name"


def full_name(realm: Realm, entity: EntityType, name: str, parent_id: str | None) -> str:
    """`Parent:Child` of a record, at most as deep as its parents are."""
    if parent_id is None:
        return name
    parent = realm.record(entity.name, parent_id)
    if parent is None:
        return name
    return f"{parent.body.get('FullyQualifiedName', '')}:{name}"


def deactivated_name(realm: Realm, entity_name: str, name: str, record: Record | None) -> str:
    """The name that a person's or top-level record gets when it is deactivated."""
    entity = ENTITIES[entity_name]
    if entity.family == "people":
        return with_suffix(name, lambda n: holder_of_person_name(realm, n, besides=record) is not None)
    return with_suffix(name, lambda n: holder_of_list_name(realm, entity, n, besides=record) is not None)
