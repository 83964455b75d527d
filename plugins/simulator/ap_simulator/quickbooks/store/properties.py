"""The properties of an entity that can be looked up: where they are and how they compare.

Texts compare without case, references by id, times as times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from ap_simulator.quickbooks.entities.fields import (
    Day,
    EntityType,
    Field,
    Flag,
    Group,
    Number,
    Reference,
)
from ap_simulator.quickbooks.store.record import Record

PropertyKind = Literal["id", "text", "number", "flag", "day", "reference", "time"]


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity as a query sees it.

    Attributes:
        path: Dotted name in its own spelling.
        kind: How its values compare.
        filterable: Whether WHERE takes it.
        sortable: Whether ORDERBY takes it.
        read: The comparable value of a record, None if it has none.
    """

    path: str
    kind: PropertyKind
    filterable: bool
    sortable: bool
    read: Callable[[Record], Any]


_known: dict[str, Mapping[str, Property]] = {}


def properties_of(entity: EntityType) -> Mapping[str, Property]:
    """All properties of an entity by lower-case path."""
    found = _known.get(entity.name)
    if found is None:
        found = _known[entity.name] = _all(entity)
    return found


def _all(entity: EntityType) -> Mapping[str, Property]:
    found = [
        Property("Id", "id", True, False, lambda record: record.number),
        Property("MetaData.CreateTime", "time", True, True, lambda record: record.created),
        Property("MetaData.LastUpdatedTime", "time", True, True, lambda record: record.updated),
    ]
    for entry in entity.fields:
        found += _of_field(entry, (entry.name,))
    return {entry.path.lower(): entry for entry in found}


def _of_field(entry: Field, path: tuple[str, ...]) -> list[Property]:
    kind = entry.kind
    if isinstance(kind, Group) and not entry.many:
        inner = [p for sub in kind.fields for p in _of_field(sub, (*path, sub.name))]
        return [_property(entry, path, "text"), *inner]
    if isinstance(kind, Reference):
        return [_property(entry, path, "reference")]
    if isinstance(kind, Number):
        return [_property(entry, path, "number")]
    if isinstance(kind, Flag):
        return [_property(entry, path, "flag")]
    if isinstance(kind, Day):
        return [_property(entry, path, "day")]
    return [_property(entry, path, "text")]


def _property(entry: Field, path: tuple[str, ...], kind: PropertyKind) -> Property:
    return Property(".".join(path), kind, entry.filterable, entry.sortable, _reader(path, kind))


def _reader(path: tuple[str, ...], kind: PropertyKind) -> Callable[[Record], Any]:
    def raw(record: Record) -> Any:
        value: Any = record.body
        for name in path:
            value = value.get(name)
            if value is None:
                return None
        return value

    def text(record: Record) -> Any:
        value = raw(record)
        return None if not isinstance(value, str) or not value else value.casefold()

    def reference(record: Record) -> Any:
        value = raw(record)
        return None if value is None else value["value"].casefold()

    def number(record: Record) -> Any:
        value = raw(record)
        return None if value is None else Decimal(value)

    readers: dict[str, Callable[[Record], Any]] = {
        "text": text,
        "reference": reference,
        "number": number,
    }
    return readers.get(kind, raw)
