"""Runs a statement and words its QueryResponse (QuickBooks manual 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from ap_simulator.quickbooks.entitlements import check_company
from ap_simulator.quickbooks.query.binding import BoundQuery, bind
from ap_simulator.quickbooks.query.parser import parse
from ap_simulator.quickbooks.query.planner import Search
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import entity_json
from ap_simulator.quickbooks.store.record import Record


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer to a statement.

    Attributes:
        key: `QueryResponse`, or the entity's name where the answer is the bare entity.
        body: JSON of the answer below that key.
        rows: How many records it carries.
    """

    key: str
    body: bytes
    rows: int


def answer_query(realm: Realm, statement: str) -> QueryAnswer:
    """Answer a statement.

    Raises:
        RefusedError: 4000 and 4001; 5020 where the entity is not in the company's plan.
    """
    query = bind(parse(statement), realm.switches)
    check_company(realm, query.entity, writes=False)
    search = Search(realm, query)
    if query.count:
        return QueryAnswer("QueryResponse", b'{"totalCount":%d}' % search.count(), 0)
    records = search.page()
    if not records:
        return QueryAnswer("QueryResponse", b"{}", 0)
    name = query.entity.name
    if name == "Preferences" and realm.switches.preferences_query == "bare":
        return QueryAnswer(name, entity_json(realm, query.entity, records[0]), 1)
    return QueryAnswer("QueryResponse", _rows(realm, query, records, search), len(records))


def _rows(realm: Realm, query: BoundQuery, records: list[Record], search: Search) -> bytes:
    entity = query.entity
    rows = b",".join(entity_json(realm, entity, record) for record in records)
    total = b""
    if entity.counted:
        matching = realm.switches.query_total_count == "matching"
        total = b',"totalCount":%d' % (search.count() if matching else len(records))
    return b'{"%s":[%s],"startPosition":%d,"maxResults":%d%s}' % (
        entity.name.encode(),
        rows,
        query.start,
        len(records),
        total,
    )
