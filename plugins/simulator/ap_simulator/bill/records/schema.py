"""Reads request bodies against the shape that an operation takes. Pure.

Every fault of a body is found, and becomes one entry of the error array: `address.city: must not be
null`. A `null` or empty text leaves a field unset when a record is made and clears it in a PATCH.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol

from typing_extensions import override

from ap_simulator.bill.errors import invalid
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record, money

_CENTS: Final = 2
_GREATEST: Final = Decimal(1_000_000_000_000)
#: Years far from any business are refused, lest a calculation run out of calendar.
_DAY: Final = re.compile(r"(19|2\d)\d\d-\d\d-\d\d", re.ASCII)


@dataclass(slots=True)
class Reading:
    """One body being read: the faults found, and how to take what is not said.

    Attributes:
        partial: Whether this is a PATCH, in which nothing is required and null clears.
        strict: Whether unknown fields are faults.
    """

    partial: bool
    strict: bool
    faults: list[str] = field(default_factory=list)

    def fault(self, where: str, what: str) -> None:
        """Note a fault of the field `where`."""
        self.faults.append(f"{where}: {what}" if where else what)


class Shape(Protocol):
    """What a field takes."""

    def read(self, value: Any, where: str, reading: Reading) -> Any:
        """The value as it is kept; faults go to `reading`, and then the result is not used."""


@dataclass(frozen=True, slots=True)
class Text(Shape):
    """A text of at most `longest` characters, matching `pattern` or one of `choices`, if given."""

    longest: int = 4_000
    choices: frozenset[str] | None = None
    pattern: str | None = None

    @override
    def read(self, value: Any, where: str, reading: Reading) -> Any:
        if not isinstance(value, str):
            reading.fault(where, "must be a string")
        elif len(value) > self.longest:
            reading.fault(where, f"must have at most {self.longest} characters")
        elif self.choices is not None and value not in self.choices:
            reading.fault(where, f"must be one of {', '.join(sorted(self.choices))}")
        elif self.pattern is not None and not re.fullmatch(self.pattern, value, re.ASCII):
            reading.fault(where, f"must match {self.pattern}")
        elif any("\ud800" <= character <= "\udfff" for character in value):
            reading.fault(where, "must be valid Unicode")
        return value


@dataclass(frozen=True, slots=True)
class Flag(Shape):
    """true or false."""

    @override
    def read(self, value: Any, where: str, reading: Reading) -> Any:
        if not isinstance(value, bool):
            reading.fault(where, "must be true or false")
        return value


@dataclass(frozen=True, slots=True)
class Whole(Shape):
    """A whole number."""

    least: int = 0
    greatest: int = 10_000

    @override
    def read(self, value: Any, where: str, reading: Reading) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            reading.fault(where, "must be a whole number")
        elif not self.least <= value <= self.greatest:
            reading.fault(where, f"must be between {self.least} and {self.greatest}")
        return value


@dataclass(frozen=True, slots=True)
class Number(Shape):
    """A number with at most `decimals` decimals; with two of them it is an amount of money."""

    decimals: int = 2
    positive: bool = False

    @override
    def read(self, value: Any, where: str, reading: Reading) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            reading.fault(where, "must be a number")
            return value
        number = Decimal(value)
        if abs(number) >= _GREATEST:
            reading.fault(where, f"must be less than {_GREATEST}")
        elif number != round(number, self.decimals):
            reading.fault(where, f"must have at most {self.decimals} decimals")
        elif self.positive and number <= 0:
            reading.fault(where, "must be greater than 0")
        else:
            # Adding 0 turns -0 into 0.
            return (money(number) if self.decimals == _CENTS else number) + 0
        return number


@dataclass(frozen=True, slots=True)
class Day(Shape):
    """A date `yyyy-MM-dd`."""

    @override
    def read(self, value: Any, where: str, reading: Reading) -> Any:
        try:
            if isinstance(value, str) and _DAY.fullmatch(value):
                return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
        reading.fault(where, "must be a date yyyy-MM-dd")
        return value


@dataclass(frozen=True, slots=True)
class Object(Shape):
    """A JSON object. Its `required` fields must be there, except in a PATCH."""

    fields: Mapping[str, Shape]
    required: Sequence[str] = ()

    @override
    def read(self, value: Any, where: str, reading: Reading) -> Any:
        if not isinstance(value, dict):
            reading.fault(where, "must be an object")
            return value
        prefix = f"{where}." if where else ""
        found: dict[str, Any] = {}
        for name, shape in self.fields.items():
            if name not in value:
                continue
            if value[name] is not None and value[name] != "":
                found[name] = shape.read(value[name], prefix + name, reading)
            elif reading.partial:
                found[name] = None
        for name in self.required:
            absent = found.get(name) is None
            if absent and not (reading.partial and name not in found):
                reading.fault(prefix + name, "must not be null")
        if reading.strict:
            for name in value.keys() - self.fields.keys():
                reading.fault(f"{prefix}{name}", "is not a known field")
        return found


@dataclass(frozen=True, slots=True)
class ListOf(Shape):
    """A JSON array of objects. In a PATCH an item with an `id` is a partial one."""

    item: Object
    least: int = 0
    most: int = 1_000

    @override
    def read(self, value: Any, where: str, reading: Reading) -> Any:
        if not isinstance(value, list):
            reading.fault(where, "must be an array")
            return value
        if not self.least <= len(value) <= self.most:
            reading.fault(where, f"must have {self.least} to {self.most} entries")
        found = []
        for position, entry in enumerate(value):
            partial = reading.partial and isinstance(entry, dict) and "id" in entry
            inner = Reading(partial=partial, strict=reading.strict, faults=reading.faults)
            found.append(self.item.read(entry, f"{where}[{position}]", inner))
        return found


def choice(*values: str) -> Text:
    """A text that is one of `values`."""
    return Text(choices=frozenset(values))


def read_body(
    shape: Object, body: Any, switches: BillSwitches, *, partial: bool = False, where: str = ""
) -> dict[str, Any]:
    """Read a body.

    Args:
        shape: What the operation takes.
        body: The parsed JSON.
        switches: Decide on unknown fields.
        partial: Whether it is a PATCH.
        where: What the names of faulty fields begin with, for an item of a bulk request.

    Raises:
        Refusal: 400 with an entry for each fault.
    """
    reading = Reading(partial=partial, strict=switches.unknown_body_fields == "reject")
    found = shape.read(body, where, reading)
    if reading.faults:
        raise invalid(*reading.faults)
    result: dict[str, Any] = found
    return result


def merged(record: Record, changes: Mapping[str, Any]) -> Record:
    """`record` with `changes`: objects are merged, None clears, all else replaces."""
    result = dict(record)
    for name, value in changes.items():
        old = result.get(name)
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(old, dict):
            result[name] = merged(old, value)
        elif isinstance(value, dict):
            result[name] = merged({}, value)
        else:
            result[name] = value
    return result
