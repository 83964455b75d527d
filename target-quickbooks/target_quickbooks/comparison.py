"""Comparing what QuickBooks holds with what we send, field by field. Pure.

Nothing, the empty string and the empty object all mean "not set"; numbers compare by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.exact_json import canonical
from target_quickbooks.mapping.payload import Payload


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a change: what QuickBooks was last known to hold, and what it will."""

    field: str
    before: Any
    after: Any


def compare(before: Payload, after: Payload) -> tuple[Difference, ...]:
    """The fields in which ``after`` is not ``before``, in the order of ``after``."""
    fields = [*after, *(key for key in before if key not in after)]
    return tuple(
        Difference(key, before.get(key), after.get(key))
        for key in fields
        if not is_same(before.get(key), after.get(key))
    )


def is_same(one: Any, other: Any) -> bool:
    """Whether two values mean the same to QuickBooks."""
    return canonical(comparable_value(one)) == canonical(comparable_value(other))


def as_sent(live: Mapping[str, Any], sent: Payload) -> dict[str, Any]:
    """The live object reduced to the fields and sub-fields that we send."""
    return {key: reduced(live.get(key), value) for key, value in sent.items()}


def reduced(live: Any, sent: Any) -> Any:
    """A live value without the parts that we do not send, lists line by line."""
    if isinstance(sent, Mapping) and isinstance(live, Mapping):
        keys = sent or live
        kept = {key: reduced(live.get(key), sent.get(key)) for key in keys if key != "Id"}
        return {key: value for key, value in kept.items() if value is not None}
    if isinstance(sent, list | tuple) and isinstance(live, list | tuple):
        if len(sent) != len(live):
            return list(live)
        return [reduced(one, other) for one, other in zip(live, sent, strict=True)]
    return _number(live)


def comparable_value(value: Any) -> Any:
    """Nothing, the empty string and the empty object all mean "not set"."""
    return None if value in ("", {}) else value


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
