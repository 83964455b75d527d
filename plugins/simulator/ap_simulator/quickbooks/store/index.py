"""Sorted indexes over one property, and the partitions of a table they belong to.

Indexes are built when a query first needs them and kept from then on. Equality, ranges, prefixes,
counts and any page of a sorted list cost O(log n).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sortedcontainers import SortedList  # type: ignore[import-untyped]

from ap_simulator.quickbooks.store.record import Record

Read = Callable[[Record], Any]


@dataclass(frozen=True, slots=True)
class Range:
    """A run of entries of an index, as positions."""

    start: int
    stop: int

    def __len__(self) -> int:
        return max(0, self.stop - self.start)


class PropertyIndex:
    """The records of a partition, sorted by one property and then by Id."""

    def __init__(self, read: Read, records: Iterable[Record]) -> None:
        self.read = read
        entries: list[tuple[Any, int]] = []
        blanks: list[int] = []
        for record in records:
            key = read(record)
            if key is None:
                blanks.append(record.number)
            else:
                entries.append((key, record.number))
        self._entries: SortedList[tuple[Any, int]] = SortedList(entries)
        self._blanks: SortedList[int] = SortedList(blanks)

    def __len__(self) -> int:
        return len(self._entries) + len(self._blanks)

    def add(self, key: Any, number: int) -> None:
        """Enter a record."""
        if key is None:
            self._blanks.add(number)
        else:
            self._entries.add((key, number))

    def remove(self, key: Any, number: int) -> None:
        """Take a record out."""
        if key is None:
            self._blanks.remove(number)
        else:
            self._entries.remove((key, number))

    def equal(self, key: Any) -> Range:
        """The entries with exactly this value."""
        return Range(self._entries.bisect_left((key, -1)), self._after(key))

    def between(self, low: Any, high: Any, *, low_open: bool = False, high_open: bool = False) -> Range:
        """The entries from `low` to `high`; None is no bound, open leaves the bound itself out."""
        start = 0
        if low is not None:
            start = self._after(low) if low_open else self._entries.bisect_left((low, -1))
        stop = len(self._entries)
        if high is not None:
            stop = self._entries.bisect_left((high, -1)) if high_open else self._after(high)
        return Range(start, stop)

    def prefix(self, text: str) -> Range:
        """The entries whose text begins with `text`."""
        if not text:
            return Range(0, len(self._entries))
        return self.between(text, text + "\U0010ffff")

    def blanks(self) -> list[int]:
        """The records without a value."""
        return list(self._blanks)

    def numbers(self, found: Range, *, descending: bool = False) -> Iterator[int]:
        """The record numbers of a run, in the order of the property."""
        for _, number in self._entries.islice(found.start, found.stop, descending):
            yield number

    def select(self, found: Range, test: Callable[[Any], bool]) -> list[int]:
        """The record numbers of a run whose value passes a test."""
        entries = self._entries.islice(found.start, found.stop)
        return [number for key, number in entries if test(key)]

    def walk(self, start: int, stop: int, *, descending: bool = False) -> Iterator[int]:
        """Positions `start` to `stop` of all records in order, those without a value first."""
        blank = len(self._blanks)
        total = len(self)
        stop = min(stop, total)
        if descending:
            start, stop = max(0, total - stop), total - start
        if start >= stop:
            return
        parts: list[Iterator[int]] = [
            self._blanks.islice(start, min(stop, blank), descending),
            self.numbers(Range(max(start, blank) - blank, stop - blank), descending=descending)
            if stop > blank
            else iter(()),
        ]
        for part in reversed(parts) if descending else parts:
            yield from part

    def _after(self, key: Any) -> int:
        return int(self._entries.bisect_right((key, _BEYOND)))


#: Sorts behind any record number.
_BEYOND = float("inf")


class Partition:
    """The active, the inactive or all records of a table, with the indexes built so far."""

    def __init__(self) -> None:
        self.numbers: SortedList[int] = SortedList()
        self._indexes: dict[str, PropertyIndex] = {}

    def load(self, numbers: Iterable[int]) -> None:
        """Enter many records; indexes built before are dropped, to be built again when needed."""
        self.numbers.update(numbers)
        self._indexes.clear()

    def index(self, path: str, read: Read, records: Mapping[int, Record]) -> PropertyIndex:
        """The index of a property, built on first use."""
        found = self._indexes.get(path)
        if found is None:
            found = PropertyIndex(read, (records[number] for number in self.numbers))
            self._indexes[path] = found
        return found

    def keys(self, record: Record) -> dict[str, Any]:
        """The record's value in each index built so far."""
        return {path: index.read(record) for path, index in self._indexes.items()}

    def add(self, record: Record) -> None:
        """Enter a record."""
        self.numbers.add(record.number)
        for index in self._indexes.values():
            index.add(index.read(record), record.number)

    def remove(self, record: Record, keys: Mapping[str, Any]) -> None:
        """Take a record out that had `keys`."""
        self.numbers.remove(record.number)
        for path, key in keys.items():
            self._indexes[path].remove(key, record.number)

    def change(self, record: Record, keys: Mapping[str, Any]) -> None:
        """Bring the indexes up to date with a changed record that had `keys`."""
        for path, old in keys.items():
            index = self._indexes[path]
            new = index.read(record)
            if new != old:
                index.remove(old, record.number)
                index.add(new, record.number)
