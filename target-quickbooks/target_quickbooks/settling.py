"""Finds what requests without an answer created in QuickBooks, so that nothing is created twice.

A repeated request id is replayed by QuickBooks as long as it remembers it; for how long is documented
nowhere, and whether batches are replayed at all is not certain (QuickBooks manual 5). So a create that may
have been applied is looked up before it is believed lost: a vendor by its name, a transaction by the BILL id
in its note, whatever number it has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from target_quickbooks.comparison import is_same, reduced
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.store import link_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.intent_table import Intent

#: By how much this machine's clock may be ahead of QuickBooks'.
CLOCK_MARGIN = dt.timedelta(hours=1)
VENDOR = "Vendor"

#: What tells intents of one realm apart: organization, entity and BILL id.
Key = tuple[str, str, str]


def key_of(intent: Intent) -> Key:
    """The key under which ``Traces.find`` answers an intent."""
    return intent.company.organization_id, intent.entity, intent.bill_id


class Traces:
    """Looks up what was created for intents whose answers were lost."""

    def __init__(self, client: QuickBooksClient, store: Store) -> None:
        self._client = client
        self._directory = Directory(client)
        self._store = store

    def find(self, creates: Sequence[Intent]) -> dict[Key, Mapping[str, Any]]:
        """The live objects that these intents created; what left no trace is left out."""
        vendors = [intent for intent in creates if intent.entity == VENDOR]
        found = self._vendors(vendors)
        for entity in dict.fromkeys(intent.entity for intent in creates if intent.entity != VENDOR):
            found |= self._transactions(entity, [intent for intent in creates if intent.entity == entity])
        return found

    def extended(self, updates: Sequence[Intent]) -> dict[Key, Mapping[str, Any]]:
        """The live objects that hold the lines of these intents, as only these requests can have made them.

        A line that is new has no id by which it could be told from one that a person added; so what was
        carried out has to be known before anything is planned against it.
        """
        found: dict[Key, Mapping[str, Any]] = {}
        for entity in dict.fromkeys(intent.entity for intent in updates):
            bodies = {key_of(one): one.document["body"] for one in updates if one.entity == entity}
            live = self._directory.objects(entity, sorted({str(body["Id"]) for body in bodies.values()}))
            for key, body in bodies.items():
                held = live.get(str(body["Id"]))
                if held and str(held["SyncToken"]) != body["SyncToken"] and _holds_lines(held, body):
                    found[key] = held
        return found

    def _vendors(self, creates: Sequence[Intent]) -> dict[Key, Mapping[str, Any]]:
        """Vendors of the names that were sent, younger than the intent and nobody else's."""
        if not creates:
            return {}
        named = self._directory.vendors_named([_text(intent, "DisplayName") for intent in creates])
        linked = self._linked(creates, VENDOR, named.values())
        found: dict[Key, Mapping[str, Any]] = {}
        for intent in creates:
            vendor = named.get(comparable(_text(intent, "DisplayName")))
            if vendor and str(vendor["Id"]) not in linked and _is_younger(vendor, intent):
                found[key_of(intent)] = vendor
        return found

    def _transactions(self, entity: str, creates: Sequence[Intent]) -> dict[Key, Mapping[str, Any]]:
        """Transactions that carry the record's id: among those of the number sent, else among the newest.

        Notes cannot be filtered on, and a company that numbers its orders itself overrides the number.
        """
        numbers = [number for intent in creates if (number := _text(intent, "DocNumber"))]
        numbered = self._directory.numbered(entity, numbers) if numbers else {}
        found = self._marked(entity, creates, [order for orders in numbered.values() for order in orders])
        missing = [intent for intent in creates if key_of(intent) not in found]
        if missing:
            since = min(intent.created_at for intent in missing) - CLOCK_MARGIN
            moment = since.astimezone(dt.UTC).isoformat(timespec="seconds")
            newest = self._client.every(entity, where=f"MetaData.CreateTime >= '{moment}'")
            found |= self._marked(entity, missing, newest)
        return found

    def _marked(
        self, entity: str, creates: Sequence[Intent], orders: Collection[Mapping[str, Any]]
    ) -> dict[Key, Mapping[str, Any]]:
        by_mark = {read_marker(str(order.get("PrivateNote") or "")): order for order in orders}
        linked = self._linked(creates, entity, orders)
        return {
            key_of(intent): order
            for intent in creates
            if (order := by_mark.get((intent.company.organization_id, intent.bill_id)))
            and str(order["Id"]) not in linked
        }

    def _linked(
        self, creates: Sequence[Intent], entity: str, objects: Iterable[Mapping[str, Any]]
    ) -> Collection[str]:
        """Ids of the objects that already belong to a BILL record; links count across organizations."""
        ids = [str(found["Id"]) for found in objects]
        with self._store.reading() as connection:
            return link_table.owners(connection, creates[0].company, entity, ids)


def _holds_lines(held: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return is_same(reduced(held.get("Line"), body["Line"]), reduced(body["Line"], body["Line"]))


def _text(intent: Intent, field: str) -> str:
    return str(intent.document["body"].get(field) or "")


def _is_younger(found: Mapping[str, Any], intent: Intent) -> bool:
    """Whether the object was created after the intent; without a time, the name has to do."""
    created = (found.get("MetaData") or {}).get("CreateTime")
    if not created:
        return True
    return dt.datetime.fromisoformat(str(created)) >= intent.created_at - CLOCK_MARGIN
