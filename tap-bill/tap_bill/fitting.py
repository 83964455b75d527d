"""Tells in compiled code whether records fit a stream's JSON schema as they are.

Most pages of BILL's lists need no change at all. To find that out field by field, in Python, costs more than
to decode and to write the records; so it is asked of `msgspec`, for a whole page at a time. The answer errs
on one side only: what fits here is what `tap_bill.records` would return untouched and without a report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import GenericAlias
from typing import Annotated, Any, Final

import msgspec

#: A moment in the tap's form that every calendar has. February 29 is left to those who can tell.
_MOMENT: Final = (
    r"^(?!0000)[0-9]{4}-"
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[469]|11)-(?:29|30)|(?:0[13578]|1[02])-(?:29|3[01]))"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}\+00:00\Z"
)
_TEXTS: Final[Mapping[str, Any]] = {
    "date-time": Annotated[str, msgspec.Meta(pattern=_MOMENT)],
    "date": date,
}
_TYPES: Final[Mapping[str, Any]] = {"number": int | Decimal, "integer": int, "boolean": bool}


def fits(schema: Mapping[str, Any]) -> Callable[[Sequence[Mapping[str, Any]]], bool]:
    """A test of records that were decoded from JSON.

    Args:
        schema: JSON schema of an object, as `tap_bill.records.RecordShape` takes it.

    Returns:
        Tells whether each of some records fits.
    """
    page = GenericAlias(list, _type_of(schema))

    def test(records: Sequence[Mapping[str, Any]]) -> bool:
        try:
            # Decimals are what numbers were decoded to: a text does not pass for one.
            msgspec.convert(records, page, builtin_types=(Decimal,))
        except msgspec.ValidationError:
            return False
        return True

    return test


def _type_of(schema: Mapping[str, Any]) -> Any:
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "object" in kinds:
        return _object(schema) if "properties" in schema else dict
    if "array" in kinds:
        items = schema.get("items")
        return GenericAlias(list, _type_of(items) | None) if items else list
    if "string" in kinds:
        return _TEXTS.get(schema.get("format", ""), str)
    return next((kind for name, kind in _TYPES.items() if name in kinds), Any)


def _object(schema: Mapping[str, Any]) -> type[msgspec.Struct]:
    """A class of the fields, all of which may be unset or null."""
    # Names of fields need not be names in Python.
    names = {f"field{number}": name for number, name in enumerate(schema["properties"])}
    fields = zip(names, schema["properties"].values(), strict=True)
    return msgspec.defstruct(
        "Fields",
        [(name, _type_of(field) | None, None) for name, field in fields],
        rename=names,
        forbid_unknown_fields=not schema.get("additionalProperties"),
        gc=False,
    )
