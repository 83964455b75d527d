"""What a create, a full update and a sparse update make of a body (QuickBooks manual 6.0.1).

Pure. A full update sets what it leaves out to nothing; a sparse one changes what it carries:
`null` is ignored, an empty text or object clears. An array replaces the stored one whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from ap_simulator.quickbooks.decoding import CLEARED
from ap_simulator.quickbooks.entities.fields import EntityType, Field, Group, Ignored
from ap_simulator.quickbooks.problems import Problem, missing

#: What a full update that leaves it out does not take away: it was given once, or has no "nothing".
_LASTING: Final = frozenset({"Active", "CurrencyRef"})


def created(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a new record."""
    return {name: value for name, value in sent.items() if not is_empty(value)}


def fully_updated(entity: EntityType, stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """The body after a full update."""
    body = dict(stored)
    for entry in entity.fields:
        if not _writable(entry):
            continue
        value = sent.get(entry.name)
        if not is_empty(value):
            body[entry.name] = value
        elif entry.name not in _LASTING:
            body.pop(entry.name, None)
    return body


def sparsely_updated(
    entity: EntityType,
    stored: Mapping[str, Any],
    sent: Mapping[str, Any],
    *,
    nested: Literal["replace", "merge"],
) -> dict[str, Any]:
    """The body after a sparse update; `nested` says what becomes of objects in it."""
    body = dict(stored)
    for name, value in sent.items():
        entry = entity.by_name[name]
        if value is None or not _writable(entry):
            continue
        if value is CLEARED or value == []:
            if entry.clearable:
                body.pop(name, None)
        elif nested == "merge" and isinstance(entry.kind, Group) and not entry.many:
            body[name] = _merged(stored.get(name, {}), value)
        else:
            body[name] = value
    return body


def missing_fields(entity: EntityType, sent: Mapping[str, Any], *, sparse: bool) -> list[Problem]:
    """The required properties that were not sent. An empty Line array is another problem."""
    return [
        missing(entry.name)
        for entry in entity.fields
        if (entry.required_sparse if sparse else entry.required)
        and is_empty(value := sent.get(entry.name))
        and value != []
    ]


def is_empty(value: Any) -> bool:
    """Whether a decoded value says nothing."""
    return value is None or value is CLEARED or value == []


def _writable(entry: Field) -> bool:
    return not (entry.read_only or entry.create_only or isinstance(entry.kind, Ignored))


def _merged(stored: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    body = dict(stored)
    for name, inner in value.items():
        if isinstance(inner, dict) and isinstance(body.get(name), dict) and "value" not in inner:
            body[name] = _merged(body[name], inner)
        else:
            body[name] = inner
    return body
