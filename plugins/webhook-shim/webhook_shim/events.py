"""What a delivery says happened, whatever shape it came in. Pure.

Of a payload only this is kept: which record of which company may have changed, and when. The record itself
is always read from the service. Shapes: BILL manual 5.6 and 5.7, QuickBooks manual 9.2 and 9.3.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ID_LENGTH = 64
_EVENT_ID_LENGTH = 128
_KIND = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_CLOUD_TYPE_PARTS = 3
_LEGACY_OPERATIONS = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "merge": "merged",
    "void": "voided",
    "emailed": "emailed",
}


class System(enum.StrEnum):
    """Who sent an event."""

    BILL = "bill"
    QUICKBOOKS = "quickbooks"


class NotAnEvent(ValueError):
    """The body is not JSON, or JSON of another shape."""


class WrongTenant(ValueError):
    """The body speaks of another company than the address it was sent to."""


@dataclass(frozen=True, slots=True)
class Event:
    """A record that may have changed.

    Attributes:
        tenant: BILL organization id or QuickBooks realm id.
        event_id: The sender's, else made of what the event says; the same again is the same event.
        kind: Such as ``vendor.created``.
        entity: Such as ``vendor`` or ``purchaseorder``.
        record_id: Empty where the event names none.
        occurred_at: When, if it says so.
    """

    system: System
    tenant: str
    event_id: str
    kind: str
    entity: str
    record_id: str
    occurred_at: dt.datetime | None


def read_bill(body: bytes, organization_id: str) -> list[Event]:
    """The event of a BILL delivery: the payload itself, or one wrapped as text.

    Raises:
        NotAnEvent: It is not JSON, or not of BILL's shape.
        WrongTenant: It is of another organization.
    """
    payload = _unwrapped(_parsed(body))
    metadata = payload.get("metadata") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(metadata, dict):
        raise NotAnEvent("no metadata")
    if metadata.get("organizationId") != organization_id:
        raise WrongTenant
    kind = _kind(metadata.get("eventType"))
    entity = kind.partition(".")[0]
    record = next(
        (part for name, part in payload.items() if name != "metadata" and isinstance(part, dict)), {}
    )
    return [
        Event(
            system=System.BILL,
            tenant=organization_id,
            event_id=_text(metadata.get("eventId"), _EVENT_ID_LENGTH) or _digest(body),
            kind=kind,
            entity=entity,
            record_id=_text(record.get("id"), _ID_LENGTH),
            occurred_at=_time(record.get("updatedTime")),
        )
    ]


def read_quickbooks(body: bytes, realm_id: str | None) -> list[Event]:
    """The events of an Intuit delivery: CloudEvents, or the shape before them.

    Args:
        body: The delivery.
        realm_id: The only realm it may speak of; None allows several.

    Raises:
        NotAnEvent: It is not JSON, or not of Intuit's shapes.
        WrongTenant: An event is of another realm.
    """
    parsed = _parsed(body)
    if isinstance(parsed, list):
        found = [event for part in parsed for event in _cloud_event(part)]
    elif isinstance(parsed, dict) and isinstance(parsed.get("eventNotifications"), list):
        found = [event for part in parsed["eventNotifications"] for event in _legacy_events(part)]
    else:
        raise NotAnEvent("neither CloudEvents nor eventNotifications")
    if realm_id is not None and any(event.tenant != realm_id for event in found):
        raise WrongTenant
    return found


def _cloud_event(part: Any) -> Iterator[Event]:
    if not isinstance(part, dict):
        raise NotAnEvent("an event that is no object")
    words = str(part.get("type") or "").lower().split(".")
    if len(words) < _CLOUD_TYPE_PARTS or words[0] != "qbo":
        raise NotAnEvent("an event without a type")
    data = part.get("data")
    yield from _quickbooks_events(
        realm_id=_text(part.get("intuitaccountid"), _ID_LENGTH),
        entity=words[1],
        operation=words[2],
        record_id=_text(part.get("intuitentityid"), _ID_LENGTH),
        merged_id=_text(data.get("deletedId"), _ID_LENGTH) if isinstance(data, dict) else "",
        occurred=part.get("time"),
        event_id=_text(part.get("id"), _EVENT_ID_LENGTH),
    )


def _legacy_events(part: Any) -> Iterator[Event]:
    change = part.get("dataChangeEvent") if isinstance(part, dict) else None
    entities = change.get("entities") if isinstance(change, dict) else None
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise NotAnEvent("a notification without entities")
    for entity in entities:
        operation = str(entity.get("operation") or "").lower()
        yield from _quickbooks_events(
            realm_id=_text(part.get("realmId"), _ID_LENGTH),
            entity=str(entity.get("name") or "").lower(),
            operation=_LEGACY_OPERATIONS.get(operation, operation),
            record_id=_text(entity.get("id"), _ID_LENGTH),
            merged_id=_text(entity.get("deletedId"), _ID_LENGTH),
            occurred=entity.get("lastUpdated"),
            event_id="",
        )


def _quickbooks_events(
    *,
    realm_id: str,
    entity: str,
    operation: str,
    record_id: str,
    merged_id: str,
    occurred: Any,
    event_id: str,
) -> Iterator[Event]:
    """An event, and one more for the record that a merge made go away."""
    plain = re.sub(r"[^a-z0-9]", "", entity)
    kind = _kind(f"{plain}.{operation}")
    identity = event_id or _digest(json.dumps([realm_id, kind, record_id, merged_id, str(occurred)]).encode())
    for number, found in enumerate(filter(None, (record_id, merged_id))):
        yield Event(
            system=System.QUICKBOOKS,
            tenant=realm_id,
            event_id=identity if number == 0 else f"{identity[: _EVENT_ID_LENGTH - 7]}:merged",
            kind=kind,
            entity=plain[:32],
            record_id=found,
            occurred_at=_time(occurred),
        )


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnEvent("not JSON") from None


def _unwrapped(parsed: Any) -> Any:
    """The payload, out of the text it may be escaped into (BILL manual 5.6)."""
    for _ in range(2):
        if isinstance(parsed, str):
            parsed = _parsed(parsed.encode("utf-8", "surrogatepass"))
        elif isinstance(parsed, dict) and "metadata" not in parsed and "payload" in parsed:
            parsed = parsed["payload"]
        else:
            break
    return _parsed(parsed.encode("utf-8", "surrogatepass")) if isinstance(parsed, str) else parsed


def _kind(value: Any) -> str:
    kind = str(value or "").lower()
    if not _KIND.fullmatch(kind):
        raise NotAnEvent("no event type")
    return kind


def _text(value: Any, length: int) -> str:
    """An id as text; numbers too, which BILL's samples hold where REST has text (BILL manual 5.7)."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return text if text.isprintable() and len(text) <= length else ""


def _time(value: Any) -> dt.datetime | None:
    """A time, up to nanoseconds; None for anything else, and for one that names no zone."""
    if not isinstance(value, str):
        return None
    try:
        found = dt.datetime.fromisoformat(_FRACTION.sub(r"\1", value))
        return found.astimezone(dt.UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
