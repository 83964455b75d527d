"""What is remembered of BILL's lists and of streams that are not written: on disk, or for one plan only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from typing_extensions import override

from target_quickbooks.mapping.source import Kind, Reference, read_reference
from target_quickbooks.store import reference_table, run_table
from target_quickbooks.store.database import Store

REFERENCE_STREAMS = frozenset(kind.value for kind in Kind)
TRACKED_STREAMS = frozenset({"payments", "recurring_bills", "vendor_credits", "organization"})
#: Of those, what is kept as it is; the ledger has the others.
_KEPT_WHOLE = frozenset({"organization"})

#: Records by organization and stream.
Arrived = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
References = dict[tuple[Kind, str], Reference]


class Memory(Protocol):
    """What bills refer to by id."""

    def remember(self, arrived: Arrived) -> None:
        """Keep what bills refer to by id, and what is tracked without being written."""

    def references(self, organization_id: str, wanted: Iterable[tuple[Kind, str]]) -> References:
        """What is remembered of these, with their full names."""


class LastingMemory(Memory):
    """Remembers in the store, for later runs too."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @override
    def remember(self, arrived: Arrived) -> None:
        with self._store.writing() as connection:
            for (organization_id, stream), records in arrived.items():
                if stream in REFERENCE_STREAMS:
                    reference_table.save(connection, organization_id, _read(stream, records))
                if stream in _KEPT_WHOLE:
                    run_table.track(connection, organization_id, stream, records)

    @override
    def references(self, organization_id: str, wanted: Iterable[tuple[Kind, str]]) -> References:
        with self._store.reading() as connection:
            return reference_table.find(connection, organization_id, wanted)


class PassingMemory(Memory):
    """Knows what the store knows, and what arrived in this run; keeps nothing beyond it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._arrived: defaultdict[str, References] = defaultdict(dict)

    @override
    def remember(self, arrived: Arrived) -> None:
        for (organization_id, stream), records in arrived.items():
            if stream in REFERENCE_STREAMS:
                self._arrived[organization_id] |= {
                    (found.kind, found.id): found for found in _read(stream, records)
                }

    @override
    def references(self, organization_id: str, wanted: Iterable[tuple[Kind, str]]) -> References:
        with self._store.reading() as connection:
            return reference_table.find(
                connection, organization_id, wanted, newer=self._arrived[organization_id]
            )


def _read(stream: str, records: Iterable[Mapping[str, Any]]) -> list[Reference]:
    kind = Kind(stream)
    return [read_reference(kind, record) for record in records]
