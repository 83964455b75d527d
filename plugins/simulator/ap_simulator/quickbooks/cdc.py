"""Change data capture: what changed since a moment (QuickBooks manual 3.4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ap_simulator.quickbooks.entities import BY_FOLDED_NAME
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.entitlements import check_company
from ap_simulator.quickbooks.formats import read_time, stored_time
from ap_simulator.quickbooks.problems import RefusedError, missing, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import dumps, entity_json
from ap_simulator.quickbooks.store.table import Tombstone

LOOK_BACK: Final = timedelta(days=30)
MOST_OBJECTS: Final = 1000
_UPDATED: Final = "metadata.lastupdatedtime"


def answer_changes(realm: Realm, entities: str, changed_since: str) -> bytes:
    """The CDCResponse of a request.

    Args:
        realm: The company.
        entities: Names with commas between them.
        changed_since: Date or date-time.

    Raises:
        RefusedError: 2020 without a parameter, 2000 for an unknown entity, 2060 for a time that is
            none, 2190 for one more than 30 days back.
    """
    since = _since(realm, entities, changed_since)
    left = MOST_OBJECTS
    groups: list[bytes] = []
    for entity in _entities(entities):
        check_company(realm, entity, writes=False)
        limit = MOST_OBJECTS if realm.switches.cdc_limit == "entity" else left
        rows = _changes(realm, entity, since, limit)
        left -= len(rows)
        if rows:
            groups.append(_group(entity, rows))
        elif realm.switches.cdc_unchanged == "empty":
            groups.append(b"{}")
    return b'{"CDCResponse":[{"QueryResponse":[' + b",".join(groups) + b"]}]}"


def _since(realm: Realm, entities: str, changed_since: str) -> datetime:
    absent = [
        missing(name)
        for name, value in (("entities", entities), ("changedSince", changed_since))
        if not value.strip()
    ]
    if absent:
        raise RefusedError(absent)
    since = read_time(changed_since, naive=realm.switches.naive_times)
    if since is None:
        raise refused("2060", f"Invalid Date Format. Supplied value:{changed_since}", "changedSince")
    # A bare date 30 days back means the whole of that day.
    if realm.clock.now() - since > LOOK_BACK + timedelta(days=1) or (
        "T" in changed_since and realm.clock.now() - since > LOOK_BACK
    ):
        raise refused(
            "2190",
            f"Invalid Date Range : changedSince must be within the last {LOOK_BACK.days} days.",
            "changedSince",
        )
    return since


def _entities(names: str) -> list[EntityType]:
    found: list[EntityType] = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        entity = BY_FOLDED_NAME.get(name.lower())
        if entity is None or "cdc" not in entity.operations:
            raise refused("2000", f"Object Name: {name}")
        if entity not in found:
            found.append(entity)
    return found


def _changes(realm: Realm, entity: EntityType, since: datetime, limit: int) -> list[bytes]:
    """What changed, by time, the deleted last."""
    table = realm.tables[entity.name]
    index = table.index(None, _UPDATED)
    run = index.between(since, None)
    rows: list[bytes] = []
    for number in index.numbers(run):
        if len(rows) >= limit:
            return rows
        rows.append(entity_json(realm, entity, table.at(number)))
    deleted = table.tombstones_since(since)[: limit - len(rows)]
    return [*rows, *map(_deleted, deleted)]


def _deleted(tombstone: Tombstone) -> bytes:
    return dumps(
        {
            "status": "Deleted",
            "domain": "QBO",
            "Id": tombstone.id,
            "MetaData": {"LastUpdatedTime": stored_time(tombstone.deleted)},
        }
    )


def _group(entity: EntityType, rows: list[bytes]) -> bytes:
    total = b',"totalCount":%d' % len(rows) if entity.counted else b""
    return b'{"%s":[%s],"startPosition":1,"maxResults":%d%s}' % (
        entity.name.encode(),
        b",".join(rows),
        len(rows),
        total,
    )
