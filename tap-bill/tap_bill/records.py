"""Brings BILL's records into the shape of a stream's JSON schema.

BILL omits unset fields, adds fields without notice and is not always true to its types (an account
number is text here and a number there; BILL manual 6.14). What is not in the schema is kept out, and
what has another type is converted where nothing is lost. Each kind of surprise is reported once.

Pages that need none of this, which are most, are told by `tap_bill.fitting`. The converters for all others
are built once per stream, because they run for every field of every record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from operator import is_
from typing import Any, Final

from tap_bill import fitting, timestamps

Converter = Callable[[Any], Any]
Report = Callable[[str], None]

_LEFT_OUT: Final = object()
_MOST_FORMS: Final = 1_000
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}")


class _Misfit(Exception):
    """A value that cannot be converted."""


class RecordShape:
    """The shape of a stream's records."""

    def __init__(self, schema: Mapping[str, Any], report: Report) -> None:
        """Build the converters.

        Args:
            schema: JSON schema of an object, as this package's schema files use it.
            report: Called with a sentence, once for each unknown or unfitting field.
        """
        self._fits = fitting.fits(schema)
        self._convert = _object(schema, "", _Once(report))

    def conform_all(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """`records` in the shape of the schema; those that fit are not copied."""
        return records if self._fits(records) else [self.conform(record) for record in records]

    def conform(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """`record` in the shape of the schema: itself if it fits, else a copy that does."""
        conformed: dict[str, Any] = self._convert(record)
        return conformed


class _Once:
    """Reports each sentence only once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._said: set[str] = set()

    def __call__(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._report(sentence)


def _converter(schema: Mapping[str, Any], path: str, report: _Once) -> Converter:
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "object" in kinds:
        return _object(schema, f"{path}.", report) if "properties" in schema else _checked(dict)
    if "array" in kinds:
        return _array(schema, path, report)
    if "string" in kinds:
        return {"date-time": _moment, "date": _date}.get(schema.get("format", ""), _text)
    for kind, converter in (("number", _number), ("integer", _integer), ("boolean", _boolean)):
        if kind in kinds:
            return converter
    return lambda value: value


def _object(schema: Mapping[str, Any], prefix: str, report: _Once) -> Converter:
    fields: dict[str, tuple[frozenset[type], Converter]] = {}
    for name, field in schema["properties"].items():
        converter = _converter(field, f"{prefix}{name}", report)
        # Most values are of the right type; telling so here saves a call for each of them.
        fields[name] = (_AS_THEY_ARE.get(converter, frozenset()) | {type(None)}, converter)
    return _object_of(fields, prefix, report, open_ended=bool(schema.get("additionalProperties")))


def _object_of(
    fields: Mapping[str, tuple[frozenset[type], Converter]], prefix: str, report: _Once, *, open_ended: bool
) -> Converter:
    def unknown(held: Any, where: str) -> Any:
        if open_ended:
            return held
        report(f"field {where} is not in the schema of this version; it is left out")
        return _LEFT_OUT

    # Records come in few forms, names and types taken together: which fields of a form need a look is
    # found out once.
    forms: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Misfit
        form = (*value, *map(type, value.values()))
        suspects = forms.get(form)
        if suspects is None:
            suspects = tuple(
                name for name, held in value.items() if not _is_as_wanted(fields.get(name), held)
            )
            if len(forms) < _MOST_FORMS:
                forms[form] = suspects
        changes: dict[str, Any] = {}
        for name in suspects:
            held, field, where = value[name], fields.get(name), f"{prefix}{name}"
            fitting = _fitting(held, field[1], where, report) if field else unknown(held, where)
            if fitting is not held:
                changes[name] = fitting
        if not changes:
            return value
        return {name: held for name, held in (value | changes).items() if held is not _LEFT_OUT}

    return convert


def _is_as_wanted(field: tuple[frozenset[type], Converter] | None, held: Any) -> bool:
    return field is not None and type(held) in field[0]


def _fitting(held: Any, converter: Converter, where: str, report: _Once) -> Any:
    try:
        return converter(held)
    except _Misfit:
        report(f"field {where} has a value of another type than documented; it is left empty")
        return None


def _array(schema: Mapping[str, Any], path: str, report: _Once) -> Converter:
    items = schema.get("items")
    convert_item = _converter(items, f"{path}[]", report) if items else None

    def convert(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _Misfit
        if convert_item is None:
            return list(value)
        items = [None if item is None else convert_item(item) for item in value]
        return value if all(map(is_, items, value)) else items

    return convert


def _checked(kind: type) -> Converter:
    def convert(value: Any) -> Any:
        if not isinstance(value, kind):
            raise _Misfit
        return value

    return convert


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    raise _Misfit


def _moment(value: Any) -> str:
    try:
        return timestamps.normalise(value)
    except (ValueError, TypeError, OverflowError):
        raise _Misfit from None


def _date(value: Any) -> str:
    try:
        return timestamps.calendar_date(value)
    except (ValueError, TypeError):
        raise _Misfit from None


def _number(value: Any) -> int | Decimal:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise _Misfit from None
        if number.is_finite():
            return number
    raise _Misfit


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise _Misfit


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise _Misfit


#: The types of values that need no conversion, by converter.
_AS_THEY_ARE: Final[Mapping[Converter, frozenset[type]]] = {
    _text: frozenset({str}),
    _number: frozenset({int, Decimal}),
    _integer: frozenset({int}),
    _boolean: frozenset({bool}),
}
