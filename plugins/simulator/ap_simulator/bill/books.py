"""One organization's books: its records, and the only way in which they change.

Everything that a write does happens in a `transaction`: if it is refused half way, all of it is
undone; if not, its writes are counted and its events are published at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from ap_simulator.bill.collection import Records
from ap_simulator.bill.errors import Code, no_reference, refusal
from ap_simulator.bill.identifiers import PREFIXES, Identifiers
from ap_simulator.bill.list_fields import Kind, ListField
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record, stamp
from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock

VENDOR_ID: Final = ListField("vendorId", ("vendorId",), Kind.TEXT)
#: Takes an event's type, such as `bill.created`, and the record or payload it is about.
Publish = Callable[[str, Record], None]

_EAGER: Final = dict.fromkeys(("bills", "payments", "recurring_bills", "vendor_credits"), (VENDOR_ID,))


@dataclass(slots=True)
class _Journal:
    """What a transaction did: old records to undo with, and what to make known when it is done."""

    undo: list[tuple[str, str, Record | None]] = field(default_factory=list)
    events: list[tuple[str, Record]] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)


class Books:
    """The records of one organization."""

    def __init__(
        self,
        organization_id: str,
        *,
        clock: Clock,
        switches: BillSwitches,
        calls: CallLog,
        publish: Publish,
    ) -> None:
        self.organization_id = organization_id
        self.switches = switches
        self.ids = Identifiers(organization_id)
        self._clock = clock
        self._calls = calls
        self._publish = publish
        self._collections = {name: Records(name, eager=_EAGER.get(name, ())) for name in PREFIXES}
        self._journal: _Journal | None = None

    def __getitem__(self, collection: str) -> Records:
        """The records of a collection, by its name.

        Raises:
            KeyError: There is no such collection.
        """
        return self._collections[collection]

    def __iter__(self) -> Iterator[str]:
        return iter(self._collections)

    def now(self) -> datetime:
        """The simulated moment."""
        return self._clock.now()

    def today(self) -> date:
        """The simulated day, in UTC."""
        return self._clock.now().date()

    def get(self, collection: str, record_id: str) -> Record:
        """A record by its id.

        Raises:
            Refusal: 404 BDC_1205: there is none.
        """
        record = self._collections[collection].get(record_id)
        if record is None:
            raise refusal(Code.NO_SUCH_OBJECT)
        return record

    def reference(self, field_name: str, collection: str, record_id: str) -> Record:
        """A record that the field of a body names.

        Raises:
            Refusal: 400 BDC_1205: there is none.
        """
        record = self._collections[collection].get(record_id)
        if record is None:
            raise no_reference(field_name, record_id)
        return record

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. One inside another is part of the outer one."""
        if self._journal is not None:
            yield
            return
        self._journal = journal = _Journal()
        try:
            yield
        except BaseException:
            self._roll_back(journal)
            raise
        finally:
            self._journal = None
        for collection, operation in journal.writes:
            self._calls.wrote(system="bill", entity=collection, operation=operation)
        for event_type, record in journal.events:
            self._publish(event_type, record)

    def create(self, collection: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Record:
        """Add a record: `values` with an id of its own and its times; `at` is by default now."""
        moment = stamp(at or self.now())
        record_id = self.ids.mint(PREFIXES[collection])
        while self._collections[collection].get(record_id) is not None:
            record_id = self.ids.mint(PREFIXES[collection])
        record = {"id": record_id, **values, "createdTime": moment, "updatedTime": moment}
        with self.transaction():
            self._record(collection, record_id, "create")
            self._collections[collection].add(record)
        return record

    def save(
        self,
        collection: str,
        record: Record,
        *,
        operation: str | None = "update",
        at: datetime | None = None,
    ) -> Record:
        """Put `record` in the place of the one with its id.

        Args:
            collection: The collection's name.
            record: A new dictionary, not the stored one.
            operation: What it counts as, with the record's `updatedTime` moved; None is a mere
                consequence of another write, which moves and counts nothing.
            at: The new `updatedTime`, by default now.
        """
        if operation is not None:
            record = {**record, "updatedTime": stamp(at or self.now())}
        with self.transaction():
            self._record(collection, record["id"], operation)
            self._collections[collection].replace(record)
        return record

    def publish(self, event_type: str, record: Record) -> None:
        """Notify webhooks of an event when the transaction is done."""
        if self._journal is None:
            self._publish(event_type, record)
        else:
            self._journal.events.append((event_type, record))

    def _record(self, collection: str, record_id: str, operation: str | None) -> None:
        journal = self._journal
        assert journal is not None  # noqa: S101 - create and save open a transaction
        journal.undo.append((collection, record_id, self._collections[collection].get(record_id)))
        if operation is not None:
            journal.writes.append((collection, operation))

    def _roll_back(self, journal: _Journal) -> None:
        for collection, record_id, old in reversed(journal.undo):
            if old is None:
                self._collections[collection].remove(record_id)
            else:
                self._collections[collection].replace(old)
