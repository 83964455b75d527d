"""Answers a list request: `max`, `page`, `sort`, `filters` to a page of records (BILL manual 3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ap_simulator.bill.collection import Query, Records
from ap_simulator.bill.errors import invalid
from ap_simulator.bill.filters import Condition, parse_filters
from ap_simulator.bill.indexes import Ordering, Position
from ap_simulator.bill.list_fields import ARCHIVED, CREATED, UPDATED, ListField, ListSpec
from ap_simulator.bill.paging import PageToken, decode_page_token
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import to_json

GREATEST_LIMIT: Final = 100
_DIRECTIONS: Final = {"asc": False, "desc": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """One list of one organization, and what depends on neither.

    Attributes:
        scope: Names the organization and the list; page tokens are bound to it.
        records: The collection.
        spec: By what it can be filtered and sorted.
        body_of: The JSON of the record with an id.
        switches: The switches in force.
        now: The simulated moment.
    """

    scope: str
    records: Records
    spec: ListSpec
    body_of: Callable[[str], bytes]
    switches: BillSwitches
    now: datetime


def read_limit(parameters: Mapping[str, str], *, default: int) -> int:
    """The parameter `max`.

    Raises:
        Refusal: 400: not a whole number from 1 to 100.
    """
    text = parameters.get("max", "")
    if not text:
        return default
    if re.fullmatch("[0-9]{1,3}", text) and 1 <= int(text) <= GREATEST_LIMIT:
        return int(text)
    msg = f"max: must be between 1 and {GREATEST_LIMIT}"
    raise invalid(msg)


def read_sort(text: str, spec: ListSpec, switches: BillSwitches) -> Ordering:
    """The parameter `sort`: `field`, `field:asc` or `field:desc`.

    Raises:
        Refusal: 400: not the grammar, or a field that the list cannot be sorted by.
    """
    parts = text.split(",")
    if len(parts) > 1 and switches.multiple_sort_keys == "reject":
        msg = "sort: takes one field"
        raise invalid(msg)
    keys: list[tuple[ListField, bool]] = []
    for part in parts:
        name, _, direction = part.strip().partition(":")
        direction = direction or switches.default_sort_direction
        field = spec.sort_named(name, switches)
        if field is None:
            msg = f"sort: {name!r} is not a field that this list can be sorted by"
            raise invalid(msg)
        if direction not in _DIRECTIONS:
            msg = f"sort: the direction must be asc or desc, not {direction!r}"
            raise invalid(msg)
        keys.append((field, _DIRECTIONS[direction]))
    return Ordering(tuple(keys))


def answer_list(request: ListRequest, parameters: Mapping[str, str]) -> bytes:
    """The page that `parameters` ask for, as JSON.

    Raises:
        Refusal: 400: a parameter that is not understood or that the list does not take.
    """
    token = _token(request, parameters)
    filters = token.filters if token else parameters.get("filters", "")
    sort = token.sort if token else parameters.get("sort", "")
    limit = read_limit(parameters, default=token.limit if token else request.switches.default_max)
    ordering = _ordering(sort, request)
    after = ordering.position_of(token.values[:-1], token.values[-1]) if token else None
    query = Query(
        conditions=_conditions(filters, request),
        ordering=ordering,
        after=after,
        backward=token is not None and token.backward,
        # One more than asked tells whether there is another page.
        limit=limit + 1,
    )
    found = request.records.find(query)
    more = len(found) > limit
    page = found[:limit]
    if query.backward:
        page.reverse()

    def token_to(position: Position, *, backward: bool) -> str:
        values = ordering.values(position)
        made = PageToken(
            filters=filters,
            sort=sort,
            limit=limit,
            values=values,
            backward=backward,
            issued=int(request.now.timestamp() * 1000),
        )
        return made.encode(request.scope)

    has_next = bool(page) if query.backward else more
    has_previous = more if query.backward else bool(token and page)
    return envelope(
        [request.body_of(position[-1]) for position in page],
        next_page=token_to(page[-1], backward=False) if has_next else None,
        previous_page=token_to(page[0], backward=True) if has_previous else None,
    )


def envelope(bodies: list[bytes], *, next_page: str | None, previous_page: str | None = None) -> bytes:
    """A page: `nextPage` and `prevPage` are left out where there is no such page."""
    head = b"{"
    if next_page is not None:
        head += b'"nextPage":' + to_json(next_page) + b","
    if previous_page is not None:
        head += b'"prevPage":' + to_json(previous_page) + b","
    return head + b'"results":[' + b",".join(bodies) + b"]}"


def _token(request: ListRequest, parameters: Mapping[str, str]) -> PageToken | None:
    text = parameters.get("page", "")
    if not text:
        return None
    token = decode_page_token(text, request.scope)
    lifetime = timedelta(minutes=request.switches.page_token_minutes)
    if lifetime and request.now - datetime.fromtimestamp(token.issued / 1000, UTC) >= lifetime:
        msg = "page: has expired"
        raise invalid(msg)
    repeated = (parameters.get("filters", ""), parameters.get("sort", ""))
    if request.switches.page_token_requires_repeat and repeated != (token.filters, token.sort):
        msg = "page: filters and sort must be those of the first page"
        raise invalid(msg)
    return token


def _ordering(sort: str, request: ListRequest) -> Ordering:
    if sort:
        return read_sort(sort, request.spec, request.switches)
    name, _, direction = request.switches.default_sort.partition(":")
    # The default may be a field that a client may not sort the list by.
    known = {**request.spec.sorts, CREATED.name: CREATED, UPDATED.name: UPDATED}
    return Ordering(((known.get(name, CREATED), _DIRECTIONS.get(direction, False)),))


def _conditions(filters: str, request: ListRequest) -> tuple[Condition, ...]:
    conditions: tuple[Condition, ...] = ()
    if filters:
        conditions = parse_filters(filters, request.spec, request.switches)
    hidden = request.switches.archived_by_default == "hidden" and ARCHIVED.name in request.spec.filters
    if hidden and all(condition.field != ARCHIVED for condition in conditions):
        conditions += (Condition(ARCHIVED, "eq", False),)
    return conditions
