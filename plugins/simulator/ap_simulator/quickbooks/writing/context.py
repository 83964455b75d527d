"""One create or update on its way: what was sent, what was stored, what is about to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ap_simulator.quickbooks.decoding import CLEARED
from ap_simulator.quickbooks.entities.fields import EntityType, Field, Group, Reference
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record


@dataclass(slots=True, kw_only=True)
class Write:
    """A create or update.

    Attributes:
        realm: The company.
        entity: What is written.
        before: The stored record, None in a create.
        sent: What the caller sent, decoded.
        body: What will be stored; rules complete it.
        sparse: Whether only what was sent changes.
        include: Values of the `include` parameter or `optionsData`, lower case.
        stored: The body before the write, empty in a create.
        notes: What a rule found while preparing and needs when settling.
    """

    realm: Realm
    entity: EntityType
    before: Record | None
    sent: dict[str, Any]
    body: dict[str, Any]
    sparse: bool = False
    include: frozenset[str] = frozenset()
    stored: dict[str, Any] = field(init=False)
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stored = {} if self.before is None else self.before.body

    @property
    def is_create(self) -> bool:
        """Whether there is no stored record yet."""
        return self.before is None

    def sends(self, name: str) -> bool:
        """Whether the caller sent a value for a property."""
        value = self.sent.get(name)
        return value is not None and value is not CLEARED and value != []

    def refers_already(self, entity: str, record_id: str) -> bool:
        """Whether the stored record has a reference to that record."""
        return (entity, record_id) in _references(self.entity.fields, self.stored)


class Rules(Protocol):
    """What an entity demands of its records and what follows from a change."""

    def prepare(self, write: Write) -> None:
        """Check and complete `write.body`; nothing may have changed when it refuses."""

    def settle(self, write: Write, record: Record) -> None:
        """Do what follows from the stored change; it cannot fail."""

    def may_delete(self, realm: Realm, record: Record) -> None:
        """Refuse a delete that must not be."""

    def deleted(self, realm: Realm, record: Record) -> None:
        """Do what follows from a delete."""


class PlainRules:
    """Rules without consequences, to inherit from."""

    def settle(self, write: Write, record: Record) -> None:
        """Nothing follows."""

    def may_delete(self, realm: Realm, record: Record) -> None:
        """Nothing stands against it."""

    def deleted(self, realm: Realm, record: Record) -> None:
        """Nothing follows."""


def _references(fields: tuple[Field, ...], body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Entity and Id of every record that a body refers to."""
    for entry in fields:
        value = body.get(entry.name)
        if not value:
            continue
        if isinstance(entry.kind, Reference):
            yield entry.kind.entity, value["value"]
        elif isinstance(entry.kind, Group):
            for one in value if entry.many else [value]:
                yield from _references(entry.kind.fields, one)
