"""Create, full and sparse update, delete and void of any entity (QuickBooks manual 6.0.1).

Everything is checked before anything changes: an operation that refuses leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ap_simulator.quickbooks.decoding import Decoder
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.entitlements import check_company
from ap_simulator.quickbooks.problems import (
    Problem,
    RefusedError,
    missing,
    not_found,
    stale,
    unparsable,
    unsupported,
)
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import created_json, deleted_json, entity_json
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.transactions.bills import BillRules
from ap_simulator.quickbooks.transactions.orders import PurchaseOrderRules
from ap_simulator.quickbooks.transactions.payments import BillPaymentRules, void
from ap_simulator.quickbooks.writing.company import (
    SINGLETON_ID,
    CompanyCurrencyRules,
    CompanyRules,
    ExchangeRateRules,
)
from ap_simulator.quickbooks.writing.context import Rules, Write
from ap_simulator.quickbooks.writing.lists import ListRules
from ap_simulator.quickbooks.writing.merge import (
    created,
    fully_updated,
    missing_fields,
    sparsely_updated,
)
from ap_simulator.quickbooks.writing.people import PeopleRules

_PEOPLE = PeopleRules()
_LISTS = ListRules()
_COMPANY = CompanyRules()
RULES: Final[Mapping[str, Rules]] = {
    "Vendor": _PEOPLE,
    "Customer": _PEOPLE,
    "Employee": _PEOPLE,
    "Account": _LISTS,
    "Class": _LISTS,
    "Department": _LISTS,
    "Item": _LISTS,
    "Term": _LISTS,
    "PurchaseOrder": PurchaseOrderRules(),
    "Bill": BillRules("Bill"),
    "VendorCredit": BillRules("VendorCredit"),
    "BillPayment": BillPaymentRules(),
    "CompanyInfo": _COMPANY,
    "Preferences": _COMPANY,
    "CompanyCurrency": CompanyCurrencyRules(),
    "ExchangeRate": ExchangeRateRules(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A write as asked for, by path and query string or by a batch item.

    Attributes:
        name: create, update, delete, void or any other word that the caller used.
        include: Values of `include` or `optionsData`, lower case.
        stale: Whether to answer as if the SyncToken were stale.
        partial: Whether an update leaves what it does not carry, whatever the API makes of `sparse`.
    """

    name: str
    include: frozenset[str] = frozenset()
    stale: bool = False
    partial: bool = False


def perform(realm: Realm, entity: EntityType, payload: Any, operation: Operation) -> bytes:
    """Carry out a write.

    Returns:
        A JSON object with the entity under its name, as answers and batch items carry it.

    Raises:
        RefusedError: Whatever stands against it.
    """
    if not isinstance(payload, dict):
        raise unparsable()
    name = _effective(entity, operation)
    check_company(realm, entity, writes=True)
    if operation.stale and name != "create":
        raise stale()
    match name:
        case "create":
            return _wrapped(entity, _create(realm, entity, payload, operation))
        case "update":
            return _wrapped(entity, _update(realm, entity, payload, operation))
        case "delete":
            return _delete(realm, entity, payload)
        case _:
            return _wrapped(entity, _void(realm, entity, payload))


def _effective(entity: EntityType, operation: Operation) -> str:
    """Which operation is meant; refuse one that the entity does not have."""
    name = operation.name
    if name == "update" and "void" in operation.include:
        name = "void"
    elif name == "void":
        # Only the invoice kind is voided by this word; here it takes include=void.
        raise unsupported("void")
    if name not in {"create", "update", "delete", "void"} or name not in entity.operations:
        raise unsupported(name.capitalize())
    return name


def _wrapped(entity: EntityType, body: bytes) -> bytes:
    return b'{"' + entity.name.encode() + b'":' + body + b"}"


def _create(realm: Realm, entity: EntityType, payload: Mapping[str, Any], operation: Operation) -> bytes:
    sent = _decoded(realm, entity, payload, sparse=False)
    write = Write(
        realm=realm,
        entity=entity,
        before=None,
        sent=sent,
        body=created(sent),
        include=operation.include,
    )
    rules = RULES[entity.name]
    rules.prepare(write)
    record = realm.add(entity, realm.next_id(entity), write.body)
    rules.settle(write, record)
    return created_json(realm, entity, record)


def _update(realm: Realm, entity: EntityType, payload: Mapping[str, Any], operation: Operation) -> bytes:
    record = _target(realm, entity, payload)
    sparse = operation.partial or _is_sparse(realm, entity, payload)
    sent = _decoded(realm, entity, payload, sparse=sparse)
    if sparse:
        nested = "merge" if entity.family == "singleton" else realm.switches.sparse_nested
        body = sparsely_updated(entity, record.body, sent, nested=nested)
    else:
        body = fully_updated(entity, record.body, sent)
    write = Write(
        realm=realm,
        entity=entity,
        before=record,
        sent=sent,
        body=body,
        sparse=sparse,
        include=operation.include,
    )
    rules = RULES[entity.name]
    rules.prepare(write)
    advance = realm.switches.unchanged_update_advances_token or write.body != record.body
    realm.change(entity, record, write.body, advance=advance)
    realm.told(entity, record.id, "Update")
    rules.settle(write, record)
    return entity_json(realm, entity, record)


def _delete(realm: Realm, entity: EntityType, payload: Mapping[str, Any]) -> bytes:
    record = _target(realm, entity, payload)
    rules = RULES[entity.name]
    rules.may_delete(realm, record)
    realm.remove(entity, record)
    realm.told(entity, record.id, "Delete")
    rules.deleted(realm, record)
    return deleted_json(entity, record.id)


def _void(realm: Realm, entity: EntityType, payload: Mapping[str, Any]) -> bytes:
    record = _target(realm, entity, payload)
    void(realm, record)
    realm.told(entity, record.id, "Void")
    return entity_json(realm, entity, record)


def _target(realm: Realm, entity: EntityType, payload: Mapping[str, Any]) -> Record:
    """The record that an update, delete or void is for, if its SyncToken is the stored one.

    Raises:
        RefusedError: 2020 without Id or SyncToken, 2030 for an Id that is none, 610 for an unknown
            one, 5010 for another SyncToken.
    """
    absent = [missing(n) for n in ("Id", "SyncToken") if payload.get(n) in (None, "")]
    if entity.family == "singleton":
        absent = [problem for problem in absent if problem.element != "Id"]
    if absent:
        raise RefusedError(absent)
    record_id = str(payload.get("Id") or SINGLETON_ID)
    if not (record_id.isascii() and record_id.isdigit()):
        raise RefusedError([Problem("2030", f"Invalid ID. Supplied value:{record_id}", "Id")])
    record = realm.record(entity.name, record_id)
    if record is None:
        raise not_found()
    if str(payload["SyncToken"]) != str(record.sync_token):
        raise stale()
    return record


def _is_sparse(realm: Realm, entity: EntityType, payload: Mapping[str, Any]) -> bool:
    sparse = payload.get("sparse")
    if str(sparse).lower() != "true":
        return False
    return entity.sparse_documented or realm.switches.undocumented_sparse == "accept"


def _decoded(realm: Realm, entity: EntityType, payload: Mapping[str, Any], *, sparse: bool) -> dict[str, Any]:
    decoder = Decoder(country=realm.profile.country, switches=realm.switches)
    sent = decoder.entity(entity, payload)
    problems = [*missing_fields(entity, sent, sparse=sparse), *decoder.problems]
    if problems:
        raise RefusedError(problems)
    return sent
