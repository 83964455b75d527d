"""Checks a parsed statement against the entity and turns it into comparable values.

Only properties flagged filterable can be filtered and only sortable ones sorted; Id takes `=` and
`IN` only and cannot be sorted by (QuickBooks manual 3.1, 3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ap_simulator.quickbooks.entities import BY_FOLDED_NAME
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.formats import read_time
from ap_simulator.quickbooks.problems import RefusedError, refused
from ap_simulator.quickbooks.query.parser import Condition, Literal, Statement
from ap_simulator.quickbooks.store.index import PropertyIndex, Range
from ap_simulator.quickbooks.store.properties import Property, properties_of
from ap_simulator.quickbooks.store.record import record_number
from ap_simulator.quickbooks.switches import QuickBooksSwitches

DEFAULT_PAGE: Final = 100
LARGEST_PAGE: Final = 1000

_EXTRA_FILTERS: Final = {
    ("PurchaseOrder", "vendorref"): "purchase_order_reference_filters",
    ("PurchaseOrder", "postatus"): "purchase_order_reference_filters",
}


@dataclass(frozen=True, slots=True)
class LikePattern:
    """What stands before, between and behind the `%` of a LIKE, case folded."""

    parts: tuple[str, ...]

    def matches(self, text: str) -> bool:
        """Whether a text has the parts in this order, the outer ones at its ends."""
        first, *between, last = self.parts
        at = len(first)
        end = len(text) - len(last)
        if end < at or not (text.startswith(first) and text.endswith(last)):
            return False
        for part in between:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True


_TESTS: Final[dict[str, Callable[[Any, tuple[Any, ...]], bool]]] = {
    "=": lambda value, keys: value in keys,
    "IN": lambda value, keys: value in keys,
    "<": lambda value, keys: value < keys[0],
    "<=": lambda value, keys: value <= keys[0],
    ">": lambda value, keys: value > keys[0],
    ">=": lambda value, keys: value >= keys[0],
    "LIKE": lambda value, keys: value.startswith(keys[0]),
}


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition with comparable values.

    Attributes:
        on: What is compared.
        operator: Comparison, LIKE or IN.
        keys: The values, in the form the property compares in; without blanks.
        blank: Whether records without a value match.
        pattern: Of a LIKE that asks for more than a beginning.
    """

    on: Property
    operator: str
    keys: tuple[Any, ...]
    blank: bool = False
    pattern: LikePattern | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the ranges hold nothing but matches."""
        return self.pattern is None

    @property
    def is_single_value(self) -> bool:
        """Whether all matches have the same value."""
        return self.operator in {"=", "IN"} and len(self.keys) + self.blank == 1

    def ranges(self, index: PropertyIndex) -> list[Range]:
        """Where in an index the matches with a value are."""
        match self.operator:
            case "=" | "IN":
                return [index.equal(key) for key in self.keys]
            case "LIKE":
                return [index.prefix(self.keys[0])]
            case "<" | "<=":
                return [index.between(None, self.keys[0], high_open=self.operator == "<")]
            case _:
                return [index.between(self.keys[0], None, low_open=self.operator == ">")]

    def matches(self, value: Any) -> bool:
        """Whether a record with this value matches."""
        if value is None:
            return self.blank
        if self.pattern is not None:
            return self.pattern.matches(value)
        return bool(_TESTS[self.operator](value, self.keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundQuery:
    """A statement ready to run.

    Attributes:
        entity: What is asked for.
        predicates: All must match; those on Active have become `active`.
        active: Which records: active, inactive or, with None, all. Empty results need no run.
        nothing: Whether no record can match.
        order: What to sort by; None is the default order.
        descending: Direction of the order.
        start: First row, 1-based.
        limit: Most rows.
        count: Whether only the number is asked for.
    """

    entity: EntityType
    predicates: tuple[Predicate, ...]
    active: bool | None
    nothing: bool
    order: Property | None
    descending: bool
    start: int
    limit: int
    count: bool


def invalid(text: str) -> RefusedError:
    """The refusal of a statement that can be parsed but not answered."""
    return refused("4001", f"QueryValidationError: {text}")


def bind(statement: Statement, switches: QuickBooksSwitches) -> BoundQuery:
    """Check a statement.

    Raises:
        RefusedError: 4001.
    """
    entity = BY_FOLDED_NAME.get(statement.entity.lower())
    if entity is None or "query" not in entity.operations:
        raise invalid(f"Invalid context declaration: {statement.entity}")
    properties = properties_of(entity)
    for column in statement.columns:
        if column.lower().partition(".")[0] not in {p.partition(".")[0] for p in properties}:
            raise invalid(f"Property {column} not found for Entity")
    binder = _Binder(entity, switches)
    bound = [binder.predicate(condition) for condition in statement.conditions]
    on_active = [p for p in bound if p.on.path == "Active"]
    active: bool | None = True if entity.hides_inactive else None
    nothing = False
    if on_active:
        wanted = {True, False}.intersection(*(set(p.keys) for p in on_active))
        nothing = not wanted
        active = wanted.pop() if len(wanted) == 1 else None
    order = binder.order(statement)
    descending = statement.order is not None and statement.order.descending
    start, limit = _paging(statement, switches)
    return BoundQuery(
        entity=entity,
        predicates=tuple(p for p in bound if p.on.path != "Active"),
        active=active,
        nothing=nothing,
        order=order,
        descending=descending,
        start=start,
        limit=limit,
        count=statement.count,
    )


class _Binder:
    def __init__(self, entity: EntityType, switches: QuickBooksSwitches) -> None:
        self._entity = entity
        self._switches = switches
        self._properties = properties_of(entity)

    def order(self, statement: Statement) -> Property | None:
        if statement.order is None:
            return None
        found = self._property(statement.order.path)
        if not found.sortable:
            raise invalid(f"property '{found.path}' is not sortable")
        return found

    def predicate(self, condition: Condition) -> Predicate:
        found = self._property(condition.path)
        if not self._is_filterable(found):
            raise invalid(f"property '{found.path}' is not queryable")
        if found.kind in {"id", "flag"} and condition.operator not in {"=", "IN"}:
            raise invalid(f"operator '{condition.operator}' is not supported for property '{found.path}'")
        if condition.operator == "LIKE":
            return self._like(found, condition)
        blank = False
        keys: list[Any] = []
        for value in condition.values:
            # The documented test for a missing value is `= ' '`.
            if value.quoted and not value.text.strip() and condition.operator in {"=", "IN"}:
                blank = True
            elif (key := self._key(found, value)) not in keys:
                keys.append(key)
        return Predicate(found, condition.operator, tuple(keys), blank)

    def _property(self, path: str) -> Property:
        found = self._properties.get(path.lower())
        if found is None:
            raise invalid(f"Property {path} not found for Entity")
        return found

    def _is_filterable(self, found: Property) -> bool:
        extra = (self._entity.name, found.path.lower())
        if extra in _EXTRA_FILTERS:
            return self._switches.purchase_order_reference_filters
        if extra == ("BillPayment", "vendorref"):
            return self._switches.bill_payment_vendor_filter
        return found.filterable

    def _like(self, found: Property, condition: Condition) -> Predicate:
        if found.kind not in {"text", "reference"}:
            raise invalid(f"operator 'LIKE' is not supported for property '{found.path}'")
        text = condition.values[0].text.casefold()
        head = text.partition("%")[0]
        if head == text:
            return Predicate(found, "=", (text,))
        is_prefix = text.count("%") == 1 and text.endswith("%")
        pattern = None if is_prefix else LikePattern(tuple(text.split("%")))
        return Predicate(found, "LIKE", (head,), pattern=pattern)

    def _key(self, found: Property, value: Literal) -> Any:
        readers: dict[str, Callable[[str], Any]] = {
            "id": record_number,
            "number": _number,
            "flag": _flag,
            "day": _day,
            "time": lambda text: read_time(text, naive=self._switches.naive_times),
            "text": str.casefold,
            "reference": str.casefold,
        }
        key = readers[found.kind](value.text)
        if key is None:
            raise invalid(f"value '{value.text}' is not valid for property '{found.path}'")
        return key


def _paging(statement: Statement, switches: QuickBooksSwitches) -> tuple[int, int]:
    start = 1 if statement.start is None else statement.start
    if start < 0 or (start == 0 and switches.start_position_zero == "reject"):
        raise invalid(f"value {start} is too small. Min allowed value is 1.")
    limit = DEFAULT_PAGE if statement.limit is None else statement.limit
    if limit < 0:
        raise invalid(f"value {limit} is too small. Min allowed value is 0.")
    if limit > LARGEST_PAGE:
        if switches.max_results_over_limit == "reject":
            raise invalid(f"value {limit} is too large. Max allowed value is {LARGEST_PAGE}.")
        limit = LARGEST_PAGE
    return max(start, 1), limit


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.strip().lower())


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return None
