"""One collection of an organization: its records, their JSON, and the indexes that answer lists.

Records are never changed in place: `replace` puts a new dictionary where the old one was, which is
what keeps indexes and serialised bodies true.

A page is found by the cheapest way that will do:

1. ids named in a filter are looked up;
2. where all filters are bounds of the list's order, its index is walked from the one to the other;
3. an index that exists and leaves few candidates has them sorted on the spot;
4. else the index of the list's order is walked, records that fail the filters being skipped;
5. if too many would be skipped, and this is no longer rare for the filtered field, it gets an index
   and 3 is tried again;
6. what is left gets a `View`, an index of only the records that pass, kept for the next pages.

Indexes beyond those of `_EAGER` are made when they are first needed. Making an index or a view takes
some tenths of a second in 200,000 records, once; everything else takes milliseconds.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Collection as Sized
from dataclasses import dataclass
from typing import Any, Final

from ap_simulator.bill.filters import Condition
from ap_simulator.bill.indexes import (
    Bounds,
    OrderedIndex,
    Ordering,
    Position,
    bounds_of,
    by_field,
)
from ap_simulator.bill.list_fields import ARCHIVED, CREATED, UPDATED, Kind, ListField
from ap_simulator.bill.wire import Record, canonical_stamp

_EAGER: Final = (CREATED, UPDATED, ARCHIVED)
#: So many candidates are sorted for a page rather than walked past.
_FEW: Final = 1_000
#: So many records may be skipped on a walk before another way is taken.
_PATIENCE: Final = 3_000
_MOST_VIEWS: Final = 6
#: So many lists by one field get by without an index for it.
_RARE: Final = 3

Test = Callable[[Record], bool]


@dataclass(slots=True)
class View:
    """The records that pass some filters, in one order."""

    tests: tuple[Test, ...]
    index: OrderedIndex

    def passes(self, record: Record) -> bool:
        """Whether the record belongs in the view."""
        return all(test(record) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The records among which those that pass some filters are: stretches of an index."""

    count: int
    index: OrderedIndex
    stretches: list[Bounds]

    def ids(self) -> Iterator[str]:
        """Their ids."""
        return (position[-1] for bounds in self.stretches for position in self.index.walk(bounds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A page to be found.

    Attributes:
        conditions: All of which a record has to fulfil.
        ordering: The order of the list.
        after: The position behind which the page begins; None is the start.
        backward: Find the page that ends before `after` in place of the one that begins behind it.
        limit: How many records the page has at most.
    """

    conditions: tuple[Condition, ...]
    ordering: Ordering
    after: Position | None
    backward: bool
    limit: int

    @property
    def index_reversed(self) -> bool:
        """Whether the index is walked from its end."""
        return self.ordering.reversed != self.backward


class Records:
    """A collection of records with the same fields."""

    def __init__(self, name: str, *, eager: Iterable[ListField] = ()) -> None:
        """Keep records of the collection `name`, with an index for each field of `eager`."""
        self.name = name
        self._records: dict[str, Record] = {}
        self._bodies: dict[str, bytes] = {}
        self._rendering: object = None
        self._indexes: dict[tuple[tuple[ListField, bool], ...], OrderedIndex] = {}
        self._views: OrderedDict[Any, View] = OrderedDict()
        self._asked: Counter[ListField] = Counter()
        for field in (*_EAGER, *eager):
            self._index(by_field(field))

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def get(self, record_id: str) -> Record | None:
        """The record of that id."""
        return self._records.get(record_id)

    def load(self, records: Iterable[Record]) -> None:
        """Take complete records as they are; one with a known id replaces the older one."""
        added: dict[str, Record] = {}
        for record in records:
            for name in ("createdTime", "updatedTime"):
                if name in record:
                    record[name] = canonical_stamp(record[name])
            if record["id"] in self._records:
                self.replace(record)
            else:
                added[record["id"]] = record
        self._records.update(added)
        self._views.clear()
        for index in self._indexes.values():
            index.add_all(added.values())

    def add(self, record: Record) -> None:
        """Take a new record."""
        self._records[record["id"]] = record
        for index in self._indexes.values():
            index.add(record)
        for view in self._views.values():
            if view.passes(record):
                view.index.add(record)

    def remove(self, record_id: str) -> None:
        """Take a record back that was added by mistake; BILL deletes none."""
        old = self._records.pop(record_id)
        self._bodies.pop(record_id, None)
        for index in self._indexes.values():
            index.discard(old)
        for view in self._views.values():
            view.index.discard(old)

    def replace(self, record: Record) -> None:
        """Put `record` in the place of the one with its id."""
        old = self._records[record["id"]]
        self._records[record["id"]] = record
        self._bodies.pop(record["id"], None)
        for index in self._indexes.values():
            index.change(old, record)
        for view in self._views.values():
            view.index.discard(old)
            if view.passes(record):
                view.index.add(record)

    def body(self, record_id: str, render: Callable[[Record], bytes], rendering: object) -> bytes:
        """The record's JSON, made once for as long as neither it nor `rendering` changes.

        Args:
            record_id: The id of a record that exists.
            render: Makes the JSON.
            rendering: What else the JSON depends on.
        """
        if rendering != self._rendering:
            self._bodies.clear()
            self._rendering = rendering
        body = self._bodies.get(record_id)
        if body is None:
            body = self._bodies[record_id] = render(self._records[record_id])
        return body

    def with_value(self, field: ListField, value: Any) -> list[Record]:
        """The records whose `field` has that value."""
        index = self._index(by_field(field))
        stretches = bounds_of(Condition(field, "eq", value)) or []
        found = (position for bounds in stretches for position in index.walk(bounds))
        return [self._records[position[-1]] for position in found]

    def find(self, query: Query) -> list[Position]:
        """The positions of the page's records, in walking order: last first if `backward`."""
        tests = [condition.test() for condition in query.conditions]
        ids = _named_ids(query.conditions)
        if ids is not None:
            return self._sorted_page(query, ids, tests)
        bounds, rest = _bounds_in(query)
        if not rest and query.ordering.index_keys in self._indexes:
            return self._walk(query, self._index(query.ordering), bounds, [], patience=None) or []
        candidates = self._candidates(query)
        if candidates is not None and candidates.count <= _FEW:
            return self._sorted_page(query, candidates.ids(), tests)
        key = (query.conditions, query.ordering.index_keys)
        view = self._views.get(key)
        if view is None:
            page = self._walk(query, self._index(query.ordering), bounds, rest, patience=_PATIENCE)
            if page is not None:
                return page
            self._make_wanted_indexes(query)
            candidates = self._candidates(query)
            if candidates is not None and candidates.count <= _FEW:
                return self._sorted_page(query, candidates.ids(), tests)
            view = self._make_view(key, tests, query.ordering, candidates)
        self._views.move_to_end(key)
        return self._walk(query, view.index, Bounds(), [], patience=None) or []

    def _index(self, ordering: Ordering) -> OrderedIndex:
        index = self._indexes.get(ordering.index_keys)
        if index is None:
            ascending = Ordering(ordering.index_keys)
            index = OrderedIndex(ascending, self._records.values())
            self._indexes[ordering.index_keys] = index
        return index

    def _make_wanted_indexes(self, query: Query) -> None:
        """Make an index for a filtered field that has been asked for often enough."""
        for condition in query.conditions:
            if condition.field.kind is Kind.BOOLEAN or bounds_of(condition) is None:
                continue
            self._asked[condition.field] += 1
            if self._asked[condition.field] > _RARE:
                self._index(by_field(condition.field))

    def _candidates(self, query: Query) -> Candidates | None:
        """What the most selective of the indexes there are leaves."""
        best: Candidates | None = None
        for field, stretches in _stretches(query.conditions).items():
            index = self._indexes.get(by_field(field).index_keys)
            if index is not None:
                count = sum(index.count(bounds) for bounds in stretches)
                if best is None or count < best.count:
                    best = Candidates(count, index, stretches)
        return best

    def _sorted_page(self, query: Query, ids: Iterable[str], tests: Sized[Test]) -> list[Position]:
        """Filter and sort some candidates."""
        found = []
        for record_id in ids:
            record = self._records.get(record_id)
            if record is None or not all(test(record) for test in tests):
                continue
            position = query.ordering.position(record)
            if query.after is None or (
                position < query.after if query.index_reversed else position > query.after
            ):
                found.append(position)
        pick = heapq.nlargest if query.index_reversed else heapq.nsmallest
        return pick(query.limit, found)

    def _walk(
        self,
        query: Query,
        index: OrderedIndex,
        bounds: Bounds,
        conditions: Sized[Condition],
        *,
        patience: int | None,
    ) -> list[Position] | None:
        """Walk an index for the page; None if more than `patience` records had to be skipped."""
        tests = [condition.test() for condition in conditions]
        page: list[Position] = []
        skipped = 0
        for position in index.walk(bounds, after=query.after, reverse=query.index_reversed):
            record = self._records[position[-1]]
            if all(test(record) for test in tests):
                page.append(position)
                if len(page) == query.limit:
                    break
            else:
                skipped += 1
                if patience is not None and skipped > patience:
                    return None
        return page

    def _make_view(
        self, key: Any, tests: Iterable[Test], ordering: Ordering, candidates: Candidates | None
    ) -> View:
        view = View(tuple(tests), OrderedIndex(Ordering(ordering.index_keys)))
        ids = self._records.keys() if candidates is None else candidates.ids()
        records = map(self._records.__getitem__, ids)
        view.index.add_all([record for record in records if view.passes(record)])
        self._views[key] = view
        if len(self._views) > _MOST_VIEWS:
            self._views.popitem(last=False)
        return view


def _stretches(conditions: Iterable[Condition]) -> dict[ListField, list[Bounds]]:
    """The stretches of the index by each field that fulfil the conditions on it."""
    found: dict[ListField, list[Bounds]] = {}
    for condition in conditions:
        stretches = bounds_of(condition)
        if stretches is None:
            continue
        known = found.setdefault(condition.field, stretches)
        if len(known) == len(stretches) == 1:
            found[condition.field] = [known[0].within(stretches[0])]
    return found


def _named_ids(conditions: Iterable[Condition]) -> list[str] | None:
    """The ids that a filter on `id` names, if there is one."""
    for condition in conditions:
        if condition.field.path == ("id",) and condition.operator in {"eq", "in"}:
            operand = condition.operand
            return [operand] if condition.operator == "eq" else sorted(set(operand))
    return None


def _bounds_in(query: Query) -> tuple[Bounds, list[Condition]]:
    """The stretch of the list's own index that conditions on its field leave, and the others."""
    bounds = Bounds()
    rest: list[Condition] = []
    for condition in query.conditions:
        stretches = bounds_of(condition)
        if (
            len(query.ordering.keys) == 1
            and condition.field == query.ordering.keys[0][0]
            and stretches is not None
            and len(stretches) == 1
        ):
            bounds = bounds.within(stretches[0])
        else:
            rest.append(condition)
    return bounds, rest
