"""Reads request bodies by the entity tables: JSON kinds, unknown properties, formats, lengths.

What comes out is typed (Decimal, bool, text, nested dicts) and holds only what the caller sent:
`None` for a JSON null, `CLEARED` for an empty text or object. Errors of kind stop at once, as a
deserialiser does; errors of value are collected, so that one fault can name several
(QuickBooks manual 6.0, 7.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from ap_simulator.quickbooks.currencies import CURRENCIES
from ap_simulator.quickbooks.entities.fields import (
    Choice,
    Day,
    EntityType,
    Field,
    Flag,
    Group,
    Ignored,
    Number,
    Reference,
    Text,
)
from ap_simulator.quickbooks.formats import amount, quantity
from ap_simulator.quickbooks.problems import Problem, refused, unknown_property, unparsable
from ap_simulator.quickbooks.switches import QuickBooksSwitches


class Cleared:
    """The value of a property that was sent empty."""


CLEARED: Final = Cleared()
#: Stands for a value that has a problem, so that it does not count as missing as well.
_INVALID: Final = object()
#: Properties of every entity that are not in its table.
ENVELOPE: Final = frozenset({"Id", "SyncToken", "MetaData", "domain", "sparse", "status"})

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOST_DIGITS: Final = 15
_LAST_BASIC_CHARACTER: Final = "\uffff"
NAME_RULE: Final = (
    "Names must have at least one character, must be on one line, and cannot include colons or tabbing."
)


class Decoder:
    """Reads one body. `problems` fills up while it reads."""

    def __init__(self, *, country: str, switches: QuickBooksSwitches) -> None:
        self._country = country
        self._switches = switches
        self.problems: list[Problem] = []

    def entity(self, entity: EntityType, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The properties sent, without the envelope and without those that have no effect.

        Raises:
            RefusedError: An unknown property, or a value of the wrong JSON kind.
        """
        sent: dict[str, Any] = {}
        for name, raw in payload.items():
            if name in ENVELOPE:
                continue
            entry = entity.by_name.get(name)
            if entry is None:
                self._unknown(name)
            elif (value := self._field(entry, raw)) is not _NOTHING:
                sent[name] = value
        return sent

    def _unknown(self, name: str) -> None:
        if self._switches.unknown_property == "reject":
            raise unknown_property(name)

    def _field(self, entry: Field, raw: Any) -> Any:
        kind = entry.kind
        if isinstance(kind, Ignored) or entry.read_only:
            return _NOTHING
        if entry.countries and self._country not in entry.countries:
            return _NOTHING
        if raw is None:
            return None
        if not entry.many:
            return self._value(entry, raw)
        if not isinstance(raw, list):
            raise unparsable()
        values = [self._value(entry, one) for one in raw if one is not None]
        return [{} if value is CLEARED else value for value in values]

    def _value(self, entry: Field, raw: Any) -> Any:  # noqa: PLR0911 - one case for each kind
        match entry.kind:
            case Text() as kind:
                return self._text(entry.name, kind, raw)
            case Number() as kind:
                return self._number(entry.name, kind, raw)
            case Flag():
                return self._flag(entry.name, raw)
            case Day():
                return self._day(entry.name, raw)
            case Choice() as kind:
                return self._choice(entry.name, kind, raw)
            case Reference() as kind:
                return self._reference(kind, raw)
            case Group() as kind:
                return self._group(kind, raw)
            case _:
                return _NOTHING

    def _group(self, kind: Group, raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise unparsable()
        by_name = _by_name(kind)
        values: dict[str, Any] = {}
        for name, inner in raw.items():
            entry = by_name.get(name)
            if entry is None:
                # Inside an object the service names nothing but the whole body.
                if self._switches.unknown_property == "reject":
                    raise unparsable()
                continue
            value = self._field(entry, inner)
            if value is not _NOTHING and value is not None and value is not CLEARED:
                values[name] = value
        return values or CLEARED

    def _reference(self, kind: Reference, raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise unparsable()
        if unknown := raw.keys() - {"value", "name", "type"}:
            self._unknown(min(unknown))
        value = raw.get("value")
        if isinstance(value, bool | dict | list):
            raise unparsable()
        text = "" if value is None else str(value).strip()
        if not text:
            return CLEARED
        if kind.keeps_name:
            return {"value": text, "name": str(raw.get("name") or text)}
        return {"value": text}

    def _text(self, name: str, kind: Text, raw: Any) -> Any:
        if isinstance(raw, bool | dict | list):
            raise unparsable()
        text = str(raw)
        if kind.format == "name":
            text = text.strip(" ")
        if not text and kind.format != "order_email":
            return CLEARED
        if problem := self._text_problem(name, kind, text):
            self.problems.append(problem)
        return text

    def _text_problem(self, name: str, kind: Text, text: str) -> Problem | None:
        if kind.format == "name" and any(mark in text for mark in ":\t\n\r"):
            return self.name_problem(name)
        beyond = self._switches.four_byte_characters == "reject" and any(
            character > _LAST_BASIC_CHARACTER for character in text
        )
        if beyond or _CONTROL.search(text):
            return Problem("2040", f"Invalid String. {name} has unsupported characters.", name)
        if kind.limit is not None and len(text) > kind.limit:
            return Problem(
                "2050",
                "String length specified does not match the supported length. "
                f"Min:0 Max:{kind.limit} supported. Supplied length:{len(text)}",
                name,
            )
        return _format_problem(name, kind, text)

    def name_problem(self, name: str) -> Problem:
        """The problem of a name with a colon, tab or newline, or without a character."""
        documented = self._switches.forbidden_name_message == "documented"
        return Problem("2180", NAME_RULE, name, "Invalid String Range" if documented else "")

    def _number(self, name: str, kind: Number, raw: Any) -> Any:
        if isinstance(raw, bool | dict | list):
            raise unparsable()
        if isinstance(raw, str) and not raw.strip():
            return CLEARED
        try:
            number = Decimal(str(raw).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.problems.append(Problem("2080", f"Invalid Number Format. Supplied value:{raw}", name))
            return _INVALID
        if problem := self._number_problem(name, kind, number):
            self.problems.append(problem)
            return _INVALID
        return amount(number) if kind.is_money else quantity(number)

    def _number_problem(self, name: str, kind: Number, number: Decimal) -> Problem | None:
        decimals = kind.decimals
        if decimals == "quantity":
            decimals = self._switches.quantity_decimals
        elif decimals == "unit_price":
            decimals = self._switches.unit_price_decimals
        _, digits, exponent = number.normalize().as_tuple()
        if isinstance(exponent, int) and -exponent > decimals:
            return Problem(
                "2100" if decimals else "2090",
                f"{name} has more precision than the {decimals} decimals supported. Supplied value:{number}",
                name,
            )
        if isinstance(exponent, int) and len(digits) + max(exponent, 0) > _MOST_DIGITS:
            return Problem("2090", f"Invalid Number. Supplied value:{number}", name)
        low, high = kind.minimum, kind.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            bounds = f"Min:{low} Max:{'' if high is None else high} supported."
            return Problem("2240", f"{bounds} Supplied value:{number}", name)
        return None

    def _flag(self, name: str, raw: Any) -> Any:
        if isinstance(raw, bool):
            return raw
        if not isinstance(raw, str):
            raise unparsable()
        if not raw:
            return CLEARED
        if raw.lower() in {"true", "false"}:
            return raw.lower() == "true"
        self.problems.append(Problem("2230", f"Invalid Boolean. Supplied value:{raw}", name))
        return _INVALID

    def _day(self, name: str, raw: Any) -> Any:
        if not isinstance(raw, str):
            raise unparsable()
        if not raw.strip():
            return CLEARED
        if not _DATE.fullmatch(raw):
            self.problems.append(Problem("2060", f"Invalid Date Format. Supplied value:{raw}", name))
            return _INVALID
        try:
            return date.fromisoformat(raw[:10]).isoformat()
        except ValueError:
            self.problems.append(Problem("2070", f"Invalid Date. Supplied value:{raw}", name))
            return _INVALID

    def _choice(self, name: str, kind: Choice, raw: Any) -> Any:
        if isinstance(raw, str) and raw in kind.values:
            return raw
        if self._switches.bad_enumeration == "2170":
            raise refused("2170", f"Invalid Enumeration. Supplied value:{raw}", name)
        raise unparsable()


class _Nothing:
    """A property that is accepted without effect."""


_NOTHING: Final = _Nothing()
_group_fields: dict[int, Mapping[str, Field]] = {}


def _by_name(kind: Group) -> Mapping[str, Field]:
    """The fields of a group by name; groups are constants, so that their identity is a key."""
    found = _group_fields.get(id(kind))
    if found is None:
        found = _group_fields[id(kind)] = {entry.name: entry for entry in kind.fields}
    return found


def _format_problem(name: str, kind: Text, text: str) -> Problem | None:
    match kind.format:
        case "email" if not is_email(text):
            return Problem(
                "2210",
                f"Email Address does not conform to the syntax rules of RFC 822. Supplied value:{text}",
                name,
            )
        case "order_email" if not is_email(text):
            return Problem("6000", "Business Validation Error: Please enter a valid email address.")
        case "web" if not _is_web_address(text):
            return Problem("2200", f"Malformed Website Address Format. Supplied value:{text}", name)
        case "currency" if text not in CURRENCIES:
            return Problem("2220", f"Invalid Currency Type. Supplied value:{text}", name)
        case _:
            return None


def is_email(text: str) -> bool:
    """Whether a text is an e-mail address: something with `@` and `.` in their places."""
    return _EMAIL.fullmatch(text) is not None


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:
        return False
    return bool(parts.netloc) and "." in parts.netloc and " " not in text
