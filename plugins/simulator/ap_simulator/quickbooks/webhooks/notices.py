"""The bodies that tell of changes: CloudEvents, and the shape that they replaced. Pure.

CloudEvents are an array with one element for each change; the retired shape groups the changes by
company (QuickBooks manual 9.2, 9.3).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ap_simulator.quickbooks.events import ChangeEvent, EventOperation
from ap_simulator.quickbooks.formats import PACIFIC
from ap_simulator.quickbooks.rendering import dumps
from ap_simulator.quickbooks.switches import QuickBooksSwitches

_LIST: Final = frozenset[EventOperation]({"Create", "Update", "Delete", "Merge"})
_TRANSACTION: Final = frozenset[EventOperation]({"Create", "Update", "Delete"})
#: What is told of which entity; of others nothing.
HEARD: Final[Mapping[str, frozenset[EventOperation]]] = {
    **dict.fromkeys(
        ("Vendor", "Customer", "Employee", "Account", "Class", "Department", "Item", "Term"), _LIST
    ),
    "PurchaseOrder": _TRANSACTION | {"Emailed"},
    "Bill": _TRANSACTION,
    "BillPayment": _TRANSACTION | {"Void"},
    "VendorCredit": _TRANSACTION,
}
_CLOUD_OPERATIONS: Final[Mapping[EventOperation, str]] = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Merge": "merged",
    "Void": "voided",
    "Emailed": "emailed",
}
_INNER_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def is_heard(event: ChangeEvent) -> bool:
    """Whether webhooks tell of an event at all."""
    return event.operation in HEARD.get(event.entity, ())


def notice(events: Sequence[ChangeEvent], *, source: str, switches: QuickBooksSwitches) -> bytes:
    """The body that tells of some changes, in the shape that the switch says.

    Args:
        events: The changes, oldest first.
        source: Of CloudEvents; opaque.
        switches: Shape and open points.
    """
    if switches.webhook_shape == "legacy":
        return dumps(_legacy(events))
    return dumps([_cloud_event(event, source, switches) for event in events])


def _cloud_event(event: ChangeEvent, source: str, switches: QuickBooksSwitches) -> dict[str, Any]:
    name = event.entity
    if switches.webhook_entity_names == "separated":
        name = _INNER_CAPITAL.sub("_", name)
    data = {}
    if event.deleted_id is not None and switches.webhook_merged_id != "omit":
        data[switches.webhook_merged_id] = event.deleted_id
    event_id = str(uuid.uuid4())
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": f"qbo.{name.lower()}.{_CLOUD_OPERATIONS[event.operation]}.v1",
        "datacontenttype": "application/json",
        "time": _nanoseconds(event.time, event_id),
        "intuitentityid": event.id,
        "intuitaccountid": event.realm_id,
        "data": data,
    }


def _legacy(events: Iterable[ChangeEvent]) -> dict[str, Any]:
    by_realm: dict[str, list[dict[str, str]]] = {}
    for event in events:
        entry: dict[str, str] = {
            "name": event.entity,
            "id": event.id,
            "operation": event.operation,
            "lastUpdated": legacy_time(event.time),
        }
        if event.deleted_id is not None:
            entry["deletedId"] = event.deleted_id
        by_realm.setdefault(event.realm_id, []).append(entry)
    return {
        "eventNotifications": [
            {"realmId": realm_id, "dataChangeEvent": {"entities": entities}}
            for realm_id, entities in by_realm.items()
        ]
    }


def legacy_time(moment: datetime) -> str:
    """A time as the retired shape and the headers have it: `2015-10-05T14:42:19-0700`."""
    return moment.astimezone(PACIFIC).strftime("%Y-%m-%dT%H:%M:%S%z")


def _nanoseconds(moment: datetime, event_id: str) -> str:
    """`2026-09-10T21:31:25.179851517Z`: nine digits, of which the clock has six."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}{int(event_id[:3], 16) % 1000:03d}Z"
