"""Ordered indexes of records, and the positions in them that page tokens remember.

A position is a tuple of the record's sort values and, last, its id, so that every record has one of
its own and a list can be taken up again behind a record that has since been changed or archived.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sortedcontainers import SortedList  # type: ignore[import-untyped] # has no stubs
from typing_extensions import override

from ap_simulator.bill.filters import Condition
from ap_simulator.bill.list_fields import ListField
from ap_simulator.bill.wire import Record

Position = tuple[Any, ...]

#: Sorts behind every id and every text that begins alike.
_LAST: Final = chr(0x10FFFF)


@functools.total_ordering
class Descending:
    """A value that sorts the other way round, for sort keys of mixed direction."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and bool(self.value == other.value)

    def __lt__(self, other: Descending) -> bool:
        return bool(other.value < self.value)

    @override
    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True, slots=True)
class Ordering:
    """The order of a list: fields, each ascending or descending; ids decide ties.

    `asc` and `desc` of one field are the same index, walked in opposite directions.
    """

    keys: tuple[tuple[ListField, bool], ...]

    @property
    def reversed(self) -> bool:
        """Whether the index is walked from its end."""
        return self.keys[0][1]

    @property
    def index_keys(self) -> tuple[tuple[ListField, bool], ...]:
        """The fields of the index, with whether each sorts against the first one."""
        return tuple((field, descending != self.reversed) for field, descending in self.keys)

    def position(self, record: Record) -> Position:
        """Where the record stands in the index."""
        return self.position_of([field.value(record) for field, _ in self.keys], record["id"])

    def position_of(self, values: Iterable[Any], record_id: str) -> Position:
        """The position that plain sort values and an id make."""
        wrapped = [
            Descending(value) if against else value
            for value, (_, against) in zip(values, self.index_keys, strict=True)
        ]
        return (*wrapped, record_id)

    def values(self, position: Position) -> list[Any]:
        """The plain sort values and the id of a position, for a page token."""
        return [part.value if isinstance(part, Descending) else part for part in position]


def by_field(field: ListField) -> Ordering:
    """Ascending by one field."""
    return Ordering(((field, False),))


@dataclass(frozen=True, slots=True)
class Bounds:
    """A stretch of an index; None is open."""

    lowest: Position | None = None
    highest: Position | None = None

    def within(self, other: Bounds) -> Bounds:
        """The stretch that both have in common."""
        lows = [low for low in (self.lowest, other.lowest) if low is not None]
        highs = [high for high in (self.highest, other.highest) if high is not None]
        return Bounds(max(lows, default=None), min(highs, default=None))


def bounds_of(condition: Condition) -> list[Bounds] | None:  # noqa: PLR0911 - one per operator
    """The stretches of the index by the condition's field that fulfil it; None for ne and nin."""
    operand = condition.operand
    # An index entry is (value, id): (value,) sorts before and (value, _LAST) behind all of a value.
    # Unset values, which are in no range, sort at the kind's least one.
    after_unset = (condition.field.kind.least, _LAST)
    match condition.operator:
        case "eq":
            return [_one_value(operand)]
        case "in":
            return [_one_value(value) for value in sorted(set(operand))]
        case "sw":
            return [Bounds((operand,), (operand + _LAST, _LAST))]
        case "gte":
            return [Bounds(lowest=(operand,))]
        case "gt":
            return [Bounds(lowest=(operand, _LAST))]
        case "lt":
            return [Bounds(lowest=after_unset, highest=(operand,))]
        case "lte":
            return [Bounds(lowest=after_unset, highest=(operand, _LAST))]
        case _:
            return None


def _one_value(value: Any) -> Bounds:
    return Bounds((value,), (value, _LAST))


class OrderedIndex:
    """The positions of records in one order, kept sorted."""

    def __init__(self, ordering: Ordering, records: Iterable[Record] = ()) -> None:
        """Index `records`; takes about a microsecond and a half for each."""
        self.ordering = ordering
        self._positions: SortedList[Position] = SortedList(map(self._positioner(), records))

    def __len__(self) -> int:
        return len(self._positions)

    def add_all(self, records: Iterable[Record]) -> None:
        """Index more records."""
        self._positions.update(map(self._positioner(), records))

    def add(self, record: Record) -> None:
        """Index one more record."""
        self._positions.add(self.ordering.position(record))

    def discard(self, record: Record) -> None:
        """Take a record out, if it is in."""
        self._positions.discard(self.ordering.position(record))

    def change(self, old: Record, new: Record) -> None:
        """Move a record that was changed."""
        before, after = self.ordering.position(old), self.ordering.position(new)
        if before != after:
            self._positions.discard(before)
            self._positions.add(after)

    def count(self, bounds: Bounds) -> int:
        """How many records stand within `bounds`."""
        end = len(self._positions)
        low = 0 if bounds.lowest is None else self._positions.bisect_left(bounds.lowest)
        high = end if bounds.highest is None else self._positions.bisect_right(bounds.highest)
        return max(0, high - low)

    def walk(
        self, bounds: Bounds, *, after: Position | None = None, reverse: bool = False
    ) -> Iterator[Position]:
        """The positions within `bounds`, in order or `reverse`, behind `after` in that direction."""
        low, high = bounds.lowest, bounds.highest
        inclusive = (True, True)
        if after is not None and not reverse and (low is None or after >= low):
            low, inclusive = after, (False, True)
        elif after is not None and reverse and (high is None or after <= high):
            high, inclusive = after, (True, False)
        if low is not None and high is not None and low > high:
            return iter(())
        return iter(self._positions.irange(low, high, inclusive, reverse=reverse))

    def _positioner(self) -> Any:
        """The fast way to the position, for an index of one top-level field."""
        ordering = self.ordering
        if len(ordering.keys) == 1 and len(ordering.keys[0][0].path) == 1:
            field = ordering.keys[0][0]
            name, least = field.name, field.kind.least

            def position(record: Record) -> Position:
                value = record.get(name)
                return (least if value is None else value, record["id"])

            return position
        return ordering.position
