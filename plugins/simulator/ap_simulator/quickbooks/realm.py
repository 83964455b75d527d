"""One company: its profile, its tables, its sequences. Realms share nothing but clock and switches.

Other modules change a realm through `add`, `change` and `remove`, which keep indexes, name
generations and events in step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.events import ChangeEvent, EventLog, EventOperation
from ap_simulator.quickbooks.profile import RealmProfile
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.store.table import Table
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.quickbooks.transactions.links import TransactionLinks

_WRITTEN: Mapping[EventOperation, str] = {
    "Create": "create",
    "Update": "update",
    "Delete": "delete",
    "Void": "void",
    "Merge": "merge",
    "Emailed": "send",
}


@dataclass(slots=True, eq=False)
class Realm:
    """One company.

    Attributes:
        realm_id: Its id in paths.
        profile: What it has switched on.
        clock: The world's.
        switches: The open points; shared, may change between requests.
        calls: Where applied writes are counted.
        events: Where changes are told.
        tables: By entity name.
        links: Which transactions are linked to which.
        names_generation: Changes whenever the name of a record does that references show.
        highest_numbers: The highest numeric DocNumber of each entity.
    """

    realm_id: str
    profile: RealmProfile
    clock: Clock
    switches: QuickBooksSwitches
    calls: CallLog
    events: EventLog
    tables: dict[str, Table] = field(
        default_factory=lambda: {name: Table(entity) for name, entity in ENTITIES.items()}
    )
    links: TransactionLinks = field(default_factory=TransactionLinks)
    names_generation: int = 0
    highest_numbers: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 1000))
    #: Results of statements that were asked page by page; kept by the query planner.
    cursors: dict[Any, Any] = field(default_factory=dict)
    _sequences: dict[str, int] = field(default_factory=dict)

    def now(self) -> datetime:
        """The moment of a change: whole seconds, UTC."""
        return self.clock.now().replace(microsecond=0)

    def record(self, entity: str, record_id: str) -> Record | None:
        """The record of that entity and Id."""
        return self.tables[entity].get(record_id)

    def next_id(self, entity: EntityType) -> str:
        """The Id of the next record of an entity."""
        number = self._sequences.get(entity.ids, entity.first_id - 1) + 1
        self._sequences[entity.ids] = number
        return str(number)

    def next_address_id(self) -> str:
        """The Id of the next address."""
        number = self._sequences["addresses"] = self._sequences.get("addresses", 0) + 1
        return str(number)

    def add(self, entity: EntityType, record_id: str, body: dict[str, Any]) -> Record:
        """Store a new record, and tell and count it."""
        now = self.now()
        record = Record(record_id, int(record_id), 0, now, now, body)
        self.tables[entity.name].add(record)
        self._note_number(entity, body)
        self.told(entity, record_id, "Create")
        return record

    def change(
        self, entity: EntityType, record: Record, body: dict[str, Any], *, advance: bool = True
    ) -> None:
        """Give a record a new body, without telling or counting it.

        Args:
            entity: Of the record.
            record: What changes.
            body: All its properties.
            advance: Whether its SyncToken moves on; its LastUpdatedTime does in any case.
        """
        if entity.display and body.get(entity.display) != record.body.get(entity.display):
            self.names_generation += 1
        self._note_number(entity, body)
        self.tables[entity.name].change(
            record, body, updated=self.now(), sync_token=record.sync_token + advance
        )

    def remove(self, entity: EntityType, record: Record) -> None:
        """Take a record out and leave a tombstone, without telling or counting it."""
        self.tables[entity.name].remove(record, deleted=self.now())
        if entity.display:
            self.names_generation += 1

    def told(
        self,
        entity: EntityType,
        record_id: str,
        operation: EventOperation,
        *,
        deleted_id: str | None = None,
    ) -> None:
        """Tell listeners of an applied write and count it."""
        self.calls.wrote(system="quickbooks", entity=entity.name, operation=_WRITTEN[operation])
        self.events.tell(
            ChangeEvent(
                realm_id=self.realm_id,
                entity=entity.name,
                id=record_id,
                operation=operation,
                time=self.clock.now(),
                deleted_id=deleted_id,
            )
        )

    def load(self, entity: EntityType, records: Iterable[Record]) -> None:
        """Store complete records as they are; nothing is told or counted."""
        loaded = list(records)
        if not loaded:
            return
        self.tables[entity.name].load(loaded)
        highest = max(record.number for record in loaded)
        self._sequences[entity.ids] = max(self._sequences.get(entity.ids, entity.first_id - 1), highest)
        for record in loaded:
            self._note_number(entity, record.body)
        self.names_generation += 1

    def name_of(self, entity: str, record_id: str) -> str | None:
        """What references to a record show as its name."""
        record = self.record(entity, record_id)
        if record is None:
            return None
        display = ENTITIES[entity].display
        name = record.body.get(display)
        return str(name) if name is not None else None

    def _note_number(self, entity: EntityType, body: Mapping[str, Any]) -> None:
        number = body.get("DocNumber")
        if number and number.isascii() and number.isdigit():
            highest = self.highest_numbers[entity.name]
            self.highest_numbers[entity.name] = max(highest, int(number))
