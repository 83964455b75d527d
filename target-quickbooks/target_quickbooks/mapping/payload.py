"""What mapping produces: the payload a BILL record should have in QuickBooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a BILL record should look like in QuickBooks.

    Attributes:
        entity: QuickBooks entity, e.g. ``Vendor``.
        payload: Writable fields, references as ``{"value": id}``. Empty strings and objects mean "clear".
        label: How a person would call the object, e.g. ``vendor 'Acme'``.
        notes: What was changed or left out on the way, for the report.
        line_keys: BILL line ids in the order of ``payload["Line"]``.
    """

    entity: str
    payload: Payload
    label: str
    notes: tuple[str, ...] = ()
    line_keys: tuple[str, ...] = ()
