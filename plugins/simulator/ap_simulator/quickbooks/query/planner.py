"""Finds the rows of a bound query through the indexes, without scanning where that can be helped.

- No condition, or one on the property that is sorted by: a page is a slice of an index.
- A selective condition: its run of an index is read, tested, sorted.
- A LIKE that begins with `%`: every key of the index is tested.
- An unselective one with another order: records are walked in order and tested, only as far as the
  page needs. How far that got is kept for the next page until the table changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from ap_simulator.quickbooks.query.binding import BoundQuery, Predicate
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.index import Range
from ap_simulator.quickbooks.store.properties import Property
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.store.table import Table

#: Up to so many candidates are read and sorted at once.
_FEW: Final = 5000
_CURSORS_KEPT: Final = 16


@dataclass(slots=True)
class Cursor:
    """The matches of a query in order, as far as they have been looked for."""

    version: int
    source: Iterator[int]
    found: list[int] = field(default_factory=list)

    def upto(self, stop: int) -> list[int]:
        """Look on until there are `stop` matches or no more."""
        if len(self.found) < stop:
            self.found += islice(self.source, stop - len(self.found))
        return self.found

    def all(self) -> list[int]:
        """Every match."""
        self.found += self.source
        return self.found


class Search:
    """One query over one table."""

    def __init__(self, realm: Realm, query: BoundQuery) -> None:
        self._realm = realm
        self._query = query
        self._table: Table = realm.tables[query.entity.name]
        self._newest_first = realm.switches.default_query_order == "newest"

    def count(self) -> int:
        """How many records match."""
        query = self._query
        if query.nothing:
            return 0
        if not query.predicates:
            return len(self._table.partition(query.active).numbers)
        if len(query.predicates) == 1 and (found := self._runs(query.predicates[0])) is not None:
            runs, blanks = found
            if query.predicates[0].is_exact:
                return sum(map(len, runs)) + len(blanks)
        return len(self._matches().all())

    def page(self) -> list[Record]:
        """The rows of the page asked for."""
        query = self._query
        if query.nothing or not query.limit:
            return []
        start = query.start - 1
        stop = start + query.limit
        numbers = self._slice(start, stop)
        if numbers is None:
            numbers = self._matches().upto(stop)[start:stop]
        return [self._table.at(number) for number in numbers]

    def _slice(self, start: int, stop: int) -> Iterable[int] | None:
        """The page as a slice of an index, if one has the matches in the order asked for."""
        query = self._query
        if not query.predicates:
            return self._walk(start, stop)
        run = self._ordered_run(query.predicates[0]) if len(query.predicates) == 1 else None
        if run is None:
            return None
        backwards = self._newest_first if query.order is None else query.descending
        if backwards:
            part = Range(max(run.start, run.stop - stop), run.stop - start)
        else:
            part = Range(run.start + start, min(run.stop, run.start + stop))
        if not len(part):
            return []
        index = self._table.index(query.active, query.predicates[0].on.path.lower())
        return index.numbers(part, descending=backwards)

    def _ordered_run(self, predicate: Predicate) -> Range | None:
        """Where all matches of the only condition lie in the order asked for, if they do."""
        order = self._query.order
        by_itself = order is not None and order.path == predicate.on.path
        by_id = order is None and predicate.is_single_value
        if not predicate.is_exact or not (by_itself or by_id):
            return None
        found = self._runs(predicate)
        if found is None or found[1] or len(found[0]) != 1:
            return None
        return found[0][0]

    def _matches(self) -> Cursor:
        """All matches in order, from where an earlier page of the same query got to."""
        query = self._query
        key = (
            *(query.entity.name, query.active, query.predicates),
            *(query.order, query.descending, self._newest_first),
        )
        cursors: dict[Any, Cursor] = self._realm.cursors
        cursor = cursors.pop(key, None)
        if cursor is None or cursor.version != self._table.version:
            cursor = Cursor(self._table.version, self._find())
        cursors[key] = cursor
        while len(cursors) > _CURSORS_KEPT:
            del cursors[next(iter(cursors))]
        return cursor

    def _find(self) -> Iterator[int]:
        query = self._query
        candidates = self._candidates()
        if candidates is None:
            return (n for n in self._walk(0, len(self._table)) if self._fits(n, query.predicates))
        if len(query.predicates) > 1 or query.predicates[0].on.kind == "id":
            candidates = [n for n in candidates if self._fits(n, query.predicates)]
        return iter(self._sorted(candidates))

    def _candidates(self) -> list[int] | None:
        """The records of the most selective condition, None if that is still many."""
        best: tuple[int, Predicate, list[Range], list[int]] | None = None
        for predicate in self._query.predicates:
            found = self._runs(predicate)
            if found is None:
                numbers = self._table.partition(self._query.active).numbers
                return [number for number in predicate.keys if number in numbers]
            runs, blanks = found
            size = sum(map(len, runs)) + len(blanks)
            if best is None or size < best[0]:
                best = (size, predicate, runs, blanks)
        if best is None:
            return None
        size, predicate, runs, blanks = best
        index = self._table.index(self._query.active, predicate.on.path.lower())
        if predicate.pattern is not None:
            # Nothing but a look at every key can tell; the keys lie in the index.
            return [number for run in runs for number in index.select(run, predicate.matches)]
        if size > _FEW:
            return None
        return [*blanks, *(number for run in runs for number in index.numbers(run))]

    def _runs(self, predicate: Predicate) -> tuple[list[Range], list[int]] | None:
        """Where the matches of a condition are in its index, and those without a value.

        None for a condition on Id, which needs no index.
        """
        if predicate.on.kind == "id":
            return None
        index = self._table.index(self._query.active, predicate.on.path.lower())
        return predicate.ranges(index), index.blanks() if predicate.blank else []

    def _fits(self, number: int, predicates: tuple[Predicate, ...]) -> bool:
        record = self._table.at(number)
        return all(p.matches(p.on.read(record)) for p in predicates)

    def _walk(self, start: int, stop: int) -> Iterator[int]:
        """Positions of all records of the partition in the order asked for."""
        query = self._query
        if query.order is not None:
            index = self._table.index(query.active, query.order.path.lower())
            return index.walk(start, stop, descending=query.descending)
        numbers = self._table.partition(query.active).numbers
        total = len(numbers)
        stop = min(stop, total)
        if start >= stop:
            return iter(())
        if self._newest_first:
            start, stop = total - stop, total - start
        found: Iterator[int] = numbers.islice(start, stop, reverse=self._newest_first)
        return found

    def _sorted(self, numbers: list[int]) -> list[int]:
        order = self._query.order
        if order is None:
            return sorted(numbers, reverse=self._newest_first)
        return sorted(numbers, key=self._sort_key(order), reverse=self._query.descending)

    def _sort_key(self, order: Property) -> Any:
        def key(number: int) -> tuple[bool, Any, int]:
            value = order.read(self._table.at(number))
            return (value is not None, 0 if value is None else value, number)

        return key
