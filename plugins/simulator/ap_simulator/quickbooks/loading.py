"""Seeding: complete records into a company, and the links between them.

Fast enough for hundreds of thousands; bodies are brought into stored form, not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from ap_simulator.quickbooks.decoding import ENVELOPE
from ap_simulator.quickbooks.entities.fields import (
    EntityType,
    Field,
    Group,
    Number,
    Reference,
)
from ap_simulator.quickbooks.formats import amount, quantity
from ap_simulator.quickbooks.naming import appends_suffix, has_suffix, name_field
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record, record_number
from ap_simulator.quickbooks.transactions.links import Payable

#: From so many records on, indexes are built while loading, not by the first query.
_MANY: Final = 10_000
_SOUGHT: Final = ("displayname", "name", "docnumber", "txndate", "metadata.lastupdatedtime")
_PAYABLES: Final = ("Bill", "VendorCredit")
Converter = Callable[[Any], Any]


def load_records(realm: Realm, entity: EntityType, records: Iterable[Mapping[str, Any]]) -> None:
    """Store records as they are.

    Raises:
        ValueError: A record without an Id.
    """
    convert = _converter(entity.fields)
    now = realm.now()
    loaded = [_record(entity, raw, convert, now) for raw in records]
    if appends_suffix(realm, entity):
        for record in loaded:
            _suffix(entity, record)
    realm.load(entity, loaded)
    if len(loaded) >= _MANY:
        realm.tables[entity.name].prepare(*_SOUGHT)
    if entity.name == "Bill":
        for record in loaded:
            _link_bill(realm, record)
    elif entity.name == "BillPayment":
        for record in loaded:
            realm.links.set_payment(record.id, _amounts(record))


def _record(entity: EntityType, raw: Mapping[str, Any], convert: Converter, now: datetime) -> Record:
    record_id = str(raw.get("Id", ""))
    if not record_id:
        msg = f"A {entity.name} without an Id cannot be loaded"
        raise ValueError(msg)
    meta = raw.get("MetaData", {})
    created = _time(meta.get("CreateTime"), now)
    return Record(
        id=record_id,
        number=record_number(record_id),
        sync_token=int(raw.get("SyncToken", 0)),
        created=created,
        updated=_time(meta.get("LastUpdatedTime"), created),
        body=convert(raw),
    )


def _time(value: Any, default: datetime) -> datetime:
    if value is None:
        return default
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC).replace(microsecond=0)


def _converter(fields: tuple[Field, ...]) -> Converter:
    """A function that brings a body into stored form: Decimals as shown, references by Id."""
    converters = {entry.name: _value_converter(entry) for entry in fields}

    def convert(raw: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, value in raw.items():
            if value is None or value in ("", [], {}) or name in _ENVELOPE_OF_RECORDS:
                continue
            convert_value = converters.get(name)
            body[name] = value if convert_value is None else convert_value(value)
        return body

    return convert


#: An address or line has an Id of its own; a record's is in its envelope.
_ENVELOPE_OF_RECORDS: Final = ENVELOPE - {"Id", "status"}


def _value_converter(entry: Field) -> Converter | None:
    kind = entry.kind
    if isinstance(kind, Number):
        return _money if kind.is_money else _quantity
    if isinstance(kind, Reference):
        return _named_reference if kind.keeps_name else _reference
    if isinstance(kind, Group):
        inner = _converter(kind.fields)
        if entry.many:
            return lambda values: [inner(value) for value in values]
        return inner
    return None


def _money(value: Any) -> Decimal:
    return amount(Decimal(str(value)))


def _quantity(value: Any) -> Decimal:
    return quantity(Decimal(str(value)))


def _reference(value: Mapping[str, Any]) -> dict[str, str]:
    return {"value": str(value["value"])}


def _named_reference(value: Mapping[str, Any]) -> dict[str, str]:
    return {"value": str(value["value"]), "name": str(value.get("name", value["value"]))}


def _suffix(entity: EntityType, record: Record) -> None:
    name = name_field(entity)
    if record.body.get("Active") is False and not has_suffix(record.body[name]):
        for path in {name, "FullyQualifiedName"} & record.body.keys():
            record.body[path] += " (deleted)"


def _link_bill(realm: Realm, record: Record) -> None:
    orders = {
        link["TxnId"]
        for line in record.body.get("Line", ())
        for link in line.get("LinkedTxn", ())
        if link.get("TxnType") == "PurchaseOrder"
    }
    if orders:
        realm.links.set_orders(record.id, orders)


def _amounts(record: Record) -> dict[Payable, Decimal]:
    amounts: dict[Payable, Decimal] = {}
    for line in record.body.get("Line", ()):
        for link in line.get("LinkedTxn", ())[:1]:
            if link.get("TxnType") in _PAYABLES:
                payable = (link["TxnType"], link["TxnId"])
                amounts[payable] = amounts.get(payable, Decimal(0)) + line["Amount"]
    return amounts
