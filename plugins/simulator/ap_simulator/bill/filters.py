r"""The `filters` parameter: grammar, checks and tests of records (BILL manual 3.3). Pure.

`field:op:value[,field:op:value...]`, all of which must hold. A value with a comma or a quote stands
in double quotes, in which `\"` and `\\` are a quote and a backslash; `in` and `nin` take a list
within one value. Texts compare exactly, case included. An unset field equals nothing, so `ne` and
`nin` hold for it, and it is never inside a range.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

from ap_simulator.bill.errors import invalid
from ap_simulator.bill.list_fields import Kind, ListField, ListSpec
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record, stamp

RANGE_OPERATORS: Final = frozenset({"gt", "gte", "lt", "lte"})
_LIST_OPERATORS: Final = frozenset({"in", "nin"})
#: Offsets have no colon: BILL documents Java's pattern letter X.
_DOCUMENTED_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{3}(Z|[+-]\d\d(\d\d)?)?)?)?)?", re.ASCII
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Term:
    """One `field:op:value` as written; `text` is the value without its quotes."""

    field: str
    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked term: `operand` is a value of the field's kind, or a tuple for `in` and `nin`."""

    field: ListField
    operator: str
    operand: Any

    def test(self) -> Callable[[Record], bool]:  # noqa: PLR0911 - one line per operator
        """The function that tells whether a record fulfils the condition."""
        value, operand, least = self.field.value, self.operand, self.field.kind.least
        match self.operator:
            case "eq":
                return lambda record: bool(value(record) == operand)
            case "ne":
                return lambda record: bool(value(record) != operand)
            case "in":
                return lambda record: value(record) in operand
            case "nin":
                return lambda record: value(record) not in operand
            case "sw":
                return lambda record: value(record).startswith(operand)
            case "gt":
                return lambda record: bool(value(record) > operand)
            case "gte":
                return lambda record: bool(value(record) >= operand)
            case "lt":
                return lambda record: bool(least != value(record) < operand)
            case _:
                return lambda record: bool(least != value(record) <= operand)


def parse_filters(text: str, spec: ListSpec, switches: BillSwitches) -> tuple[Condition, ...]:
    """Read the parameter `filters` of one list.

    Raises:
        Refusal: 400: not the grammar, or a field, operator or value that the list does not take.
    """
    return tuple(_checked(term, spec, switches) for term in split_terms(text))


def split_terms(text: str) -> list[Term]:
    """Split `text` into its terms.

    Raises:
        Refusal: 400: not the grammar.
    """
    terms: list[Term] = []
    rest = text
    while True:
        name, colon, rest = rest.partition(":")
        operator, second_colon, rest = rest.partition(":")
        if not (name and colon and operator and second_colon):
            msg = f"filters: must be field:op:value, separated by commas, at {text!r}"
            raise invalid(msg)
        value, rest = _take_value(rest)
        terms.append(Term(name.strip(), operator.strip(), value))
        if not rest:
            return terms
        rest = rest[1:]


def _take_value(text: str) -> tuple[str, str]:
    """Take a value off `text`; the rest is empty or begins with a comma."""
    if not text.startswith('"'):
        value, comma, rest = text.partition(",")
        return value, comma + rest
    value = ""
    position = 1
    while position < len(text):
        character = text[position]
        if character == "\\" and text[position + 1 : position + 2] in {'"', "\\"}:
            value += text[position + 1]
            position += 2
            continue
        position += 1
        if character == '"':
            rest = text[position:]
            if rest and not rest.startswith(","):
                msg = f"filters: nothing but a comma may follow a quoted value, at {rest!r}"
                raise invalid(msg)
            return value, rest
        value += character
    msg = f"filters: unclosed quote at {text!r}"
    raise invalid(msg)


def _checked(term: Term, spec: ListSpec, switches: BillSwitches) -> Condition:
    known = spec.filter_named(term.field, switches)
    if known is None:
        msg = f"filters: {term.field!r} is not a field that this list can be filtered by"
        raise invalid(msg)
    field, operators = known
    if term.operator not in operators:
        allowed = ", ".join(sorted(operators))
        msg = f"filters: {term.field} does not take the operator {term.operator!r}, only {allowed}"
        raise invalid(msg)
    if term.operator in _LIST_OPERATORS:
        operand: Any = tuple(_operand(field, part.strip(), switches) for part in term.text.split(","))
    else:
        operand = _operand(field, term.text, switches)
    return Condition(field, term.operator, operand)


def _operand(field: ListField, text: str, switches: BillSwitches) -> Any:
    if not text:
        msg = f"filters: {field.name} needs a value"
        raise invalid(msg)
    match field.kind:
        case Kind.BOOLEAN:
            if text not in {"true", "false"}:
                msg = f"filters: {field.name} must be true or false, not {text!r}"
                raise invalid(msg)
            return text == "true"
        case Kind.DATE:
            return _date(field, text)
        case Kind.TIME:
            return _time(field, text, switches)
        case _:
            return text


def _date(field: ListField, text: str) -> str:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    msg = f"filters: {field.name} must be a date yyyy-MM-dd, not {text!r}"
    raise invalid(msg)


def _time(field: ListField, text: str, switches: BillSwitches) -> str:
    """A date-time as `wire.stamp` writes it; without a zone it is in the switches' one."""
    documented = switches.filter_times == "documented"
    try:
        if not documented or _DOCUMENTED_TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=timezone(timedelta(hours=switches.filter_zone_hours)))
            return stamp(moment)
    except (ValueError, OverflowError):
        pass
    msg = f"filters: {field.name} must be a date-time such as 2026-12-30T00:00:00.000Z, not {text!r}"
    raise invalid(msg)
