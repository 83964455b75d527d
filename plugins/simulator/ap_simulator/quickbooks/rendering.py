"""Writes records as JSON: names of references, masks, the envelope fields of an entity.

The JSON of a record is kept with it until the record changes or a name that it might show does
(QuickBooks manual 1.5, 6.0, 10).
"""

from __future__ import annotations

import re
from typing import Any, Final

import simplejson

from ap_simulator.quickbooks.currencies import CURRENCIES
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.entities.fields import EntityType, Field, Group, Reference
from ap_simulator.quickbooks.formats import stored_time
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record

#: Properties of which answers show the last four characters only.
MASKED: Final = frozenset({"TaxIdentifier", "PrimaryTaxIdentifier", "BankAccountNumber"})
_SHOWN_CHARACTERS: Final = 4
_MASK: Final = re.compile(r"X+.{4}")


def mask(value: str) -> str:
    """A tax identifier as answers show it: `XXXXXXX6789`."""
    hidden = max(0, len(value) - _SHOWN_CHARACTERS)
    return "X" * hidden + value[hidden:]


def looks_masked(value: str) -> bool:
    """Whether a posted tax identifier is one that an answer had masked."""
    return _MASK.fullmatch(value) is not None


def dumps(value: Any) -> bytes:
    """JSON with Decimals as numbers."""
    text: str = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def entity_json(realm: Realm, entity: EntityType, record: Record) -> bytes:
    """The JSON of a record as reads and queries answer it."""
    if record.shown is None or record.shown_for != realm.names_generation:
        record.shown = dumps(entity_dict(realm, entity, record))
        record.shown_for = realm.names_generation
    return record.shown


def created_json(realm: Realm, entity: EntityType, record: Record) -> bytes:
    """The JSON of a record as the answer to its create, which shows the tax identifier."""
    if realm.switches.tax_identifier_echo and not MASKED.isdisjoint(record.body):
        return dumps(entity_dict(realm, entity, record, plain=True))
    return entity_json(realm, entity, record)


def deleted_json(entity: EntityType, record_id: str) -> bytes:
    """What the answer to a delete shows of the record."""
    return dumps({entity.name: {"status": "Deleted", "domain": "QBO", "Id": record_id}})


def entity_dict(realm: Realm, entity: EntityType, record: Record, *, plain: bool = False) -> dict[str, Any]:
    """The entity as answers show it.

    Args:
        realm: Where names of references come from.
        entity: Of the record.
        record: What to show.
        plain: Show what is masked elsewhere.
    """
    body = _shown(realm, entity.fields, record.body, plain=plain)
    if "CurrencyRef" in body and not realm.profile.multicurrency and not realm.switches.single_currency_refs:
        del body["CurrencyRef"]
    if entity.family == "currency":
        return body | {"domain": "QBO", "sparse": False, "MetaData": _times(record)}
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": record.id,
        "SyncToken": str(record.sync_token),
        "MetaData": _times(record),
        **body,
    }


def _times(record: Record) -> dict[str, str]:
    return {
        "CreateTime": stored_time(record.created),
        "LastUpdatedTime": stored_time(record.updated),
    }


def _shown(realm: Realm, fields: tuple[Field, ...], body: dict[str, Any], *, plain: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for entry in fields:
        value = body.get(entry.name)
        if value is None:
            continue
        kind = entry.kind
        if isinstance(kind, Reference):
            value = _reference(realm, kind, value)
        elif isinstance(kind, Group):
            if entry.many:
                value = [_shown(realm, kind.fields, one, plain=plain) for one in value]
            else:
                value = _shown(realm, kind.fields, value, plain=plain)
        elif entry.name in MASKED and not plain:
            value = mask(value)
        elif entry.name == "SSN":
            value = "XXX-XX-XXXX"
        shown[entry.name] = value
    return shown


def _reference(realm: Realm, kind: Reference, value: dict[str, str]) -> dict[str, str]:
    if not kind.named or kind.keeps_name:
        return value
    target = value["value"]
    if kind.entity == "Currency":
        name = CURRENCIES.get(target)
    elif kind.entity in ENTITIES:
        name = realm.name_of(kind.entity, target)
    else:
        name = None
    return {"value": target, "name": name} if name else value
