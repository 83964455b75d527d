"""The records of one entity in one company, indexed; and its tombstones.

Queries see a table in three partitions: active, inactive and all. Entities without an Active
property use the last one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.store.index import Partition, PropertyIndex
from ap_simulator.quickbooks.store.properties import Property, properties_of
from ap_simulator.quickbooks.store.record import Record, record_number


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted record, for change data capture."""

    id: str
    deleted: datetime


class Table:
    """The records of one entity. `version` counts changes, so that cached results can be told."""

    def __init__(self, entity: EntityType) -> None:
        self.entity = entity
        self.version = 0
        self.tombstones: list[Tombstone] = []
        self._by_number: dict[int, Record] = {}
        self._partitions: dict[bool | None, Partition] = {None: Partition()}
        if entity.hides_inactive:
            self._partitions |= {True: Partition(), False: Partition()}

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._by_number.values())

    @property
    def properties(self) -> Mapping[str, Property]:
        """The entity's properties by lower-case path."""
        return properties_of(self.entity)

    def get(self, record_id: str) -> Record | None:
        """The record of that Id."""
        record = self._by_number.get(record_number(record_id))
        return record if record is not None and record.id == record_id else None

    def at(self, number: int) -> Record:
        """The record of that number."""
        return self._by_number[number]

    def find(self, path: str, key: Any) -> list[Record]:
        """The records with that value of a property, inactive ones included; texts without case."""
        index = self.index(None, path.lower())
        return [self._by_number[number] for number in index.numbers(index.equal(key))]

    def tombstones_since(self, moment: datetime) -> list[Tombstone]:
        """The records deleted at or after a moment, in order."""
        # A clock can be set back, so that the order of entry is not the order of time.
        found = [stone for stone in self.tombstones if stone.deleted >= moment]
        return sorted(found, key=lambda stone: stone.deleted)

    def partition(self, active: bool | None) -> Partition:  # noqa: FBT001 - it is the key
        """The active (True), inactive (False) or all (None) records."""
        return self._partitions[active if self.entity.hides_inactive else None]

    def index(self, active: bool | None, path: str) -> PropertyIndex:  # noqa: FBT001
        """The index of the property `path` (lower case) over a partition."""
        read = self.properties[path].read
        return self.partition(active).index(path, read, self._by_number)

    def prepare(self, *paths: str) -> None:
        """Build the indexes of those properties (lower case) that the entity has."""
        for path in paths:
            if path in self.properties:
                for active in self._partitions:
                    self.index(active, path)

    def load(self, records: Iterable[Record]) -> None:
        """Enter many records at once; one with a known Id replaces the stored one."""
        fresh: dict[int, Record] = {}
        for record in records:
            if record.number in self._by_number:
                self.remove(self._by_number[record.number])
            fresh[record.number] = record
        self._by_number |= fresh
        for active, partition in self._partitions.items():
            partition.load(
                number for number, record in fresh.items() if active is None or _is_active(record) == active
            )
        self.version += 1

    def add(self, record: Record) -> None:
        """Enter a record."""
        self._by_number[record.number] = record
        for partition in self._of(record):
            partition.add(record)
        self.version += 1

    def change(self, record: Record, body: dict[str, Any], *, updated: datetime, sync_token: int) -> None:
        """Give a record a new body, time and version."""
        before = [(partition, partition.keys(record)) for partition in self._of(record)]
        was_active = _is_active(record)
        record.body, record.updated, record.sync_token = body, updated, sync_token
        record.shown = None
        self.version += 1
        if _is_active(record) == was_active:
            for partition, keys in before:
                partition.change(record, keys)
            return
        for partition, keys in before:
            partition.remove(record, keys)
        for partition in self._of(record):
            partition.add(record)

    def remove(self, record: Record, *, deleted: datetime | None = None) -> None:
        """Take a record out; with a time, leave a tombstone."""
        for partition in self._of(record):
            partition.remove(record, partition.keys(record))
        del self._by_number[record.number]
        self.version += 1
        if deleted is not None:
            self.tombstones.append(Tombstone(record.id, deleted))

    def _of(self, record: Record) -> list[Partition]:
        partitions = [self._partitions[None]]
        if self.entity.hides_inactive:
            partitions.append(self._partitions[_is_active(record)])
        return partitions


def _is_active(record: Record) -> bool:
    return record.body.get("Active", True) is not False
