"""The paths of the API, all below `/v3/company/{realm_id}` (QuickBooks manual 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from ap_simulator.faults import ITEMS_SCOPE_KEY, WRITES_SCOPE_KEY
from ap_simulator.quickbooks.batch import answer_batch, read_batch
from ap_simulator.quickbooks.bodies import read_json, read_statement
from ap_simulator.quickbooks.cdc import answer_changes
from ap_simulator.quickbooks.entities import BY_SEGMENT, ENTITIES
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.entitlements import check_company
from ap_simulator.quickbooks.envelopes import trace_headers, with_time
from ap_simulator.quickbooks.gate import Call, Gate, Handler
from ap_simulator.quickbooks.pdf import order_pdf
from ap_simulator.quickbooks.problems import (
    Problem,
    RefusedError,
    missing,
    not_found,
    refused,
    unsupported,
)
from ap_simulator.quickbooks.query.answer import answer_query
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import entity_dict, entity_json
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.writing.company import SINGLETON_ID
from ap_simulator.quickbooks.writing.operations import Operation, perform
from ap_simulator.quickbooks.writing.sending import send_order
from ap_simulator.world import World


def routes(world: World) -> list[BaseRoute]:
    """The routes of the QuickBooks API."""
    base = "/v3/company/{realm_id}"

    def route(path: str, handler: Handler, method: str, *, batch: bool = False) -> Route:
        return Route(base + path, Gate(world, handler, batch=batch), methods=[method])

    return [
        route("/query", _query, "GET"),
        route("/query", _query, "POST"),
        route("/cdc", _changes, "GET"),
        route("/batch", _batch, "POST", batch=True),
        route("/preferences", _read_singleton, "GET"),
        route("/exchangerate", _read_rate, "GET"),
        route("/{entity}/{id}/send", _send, "POST"),
        route("/{entity}/{id}/pdf", _pdf, "GET"),
        route("/{entity}/{id}", _read, "GET"),
        route("/{entity}", _write, "POST"),
        Mount("/v3", app=_nowhere),
    ]


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """A path or method that the service does not have."""
    status = HTTPStatus.NOT_FOUND
    if scope["method"] not in {"GET", "POST"}:
        status = HTTPStatus.METHOD_NOT_ALLOWED
    answer = Response(status_code=status, headers=trace_headers())
    # The middleware counts what no route answers under one heading.
    scope.pop("endpoint", None)
    await answer(scope, receive, send)


async def _query(call: Call) -> Response:
    answer = answer_query(call.realm, await read_statement(call.request))
    return _answer(call, b'{"%s":%s}' % (answer.key.encode(), answer.body))


async def _changes(call: Call) -> Response:
    parameters = call.request.query_params
    body = answer_changes(call.realm, parameters.get("entities", ""), parameters.get("changedSince", ""))
    return _answer(call, body)


async def _batch(call: Call) -> Response:
    scope = call.request.scope
    batch = read_batch(await read_json(call.request, call.realm.switches))
    scope[ITEMS_SCOPE_KEY] = len(batch.items)
    scope[WRITES_SCOPE_KEY] = batch.writes
    memory = call.world.quickbooks.memory(call.realm.realm_id)
    call.held.enter_context(memory.under_way(call.request_id))
    body = answer_batch(
        call.realm,
        batch,
        memory=memory,
        request_id=call.request_id,
        is_stale=call.is_stale,
    )
    return _answer(call, body)


async def _read_singleton(call: Call) -> Response:
    entity = ENTITIES["Preferences"]
    return _entity(call, entity, _find(call.realm, entity, SINGLETON_ID))


async def _read(call: Call) -> Response:
    entity = _entity_of(call.request)
    record_id = call.request.path_params["id"]
    if entity.name == "CompanyInfo" and record_id == call.realm.realm_id:
        record_id = SINGLETON_ID
    return _entity(call, entity, _find(call.realm, entity, record_id))


async def _read_rate(call: Call) -> Response:
    parameters: Mapping[str, str] = call.request.query_params
    code = parameters.get("sourcecurrencycode", "")
    if not code:
        raise RefusedError([missing("sourcecurrencycode")])
    day = parameters.get("asofdate", "9999-12-31")
    entity = ENTITIES["ExchangeRate"]
    rates = [
        rate
        for rate in call.realm.tables[entity.name].find("SourceCurrencyCode", code.casefold())
        if rate.body["AsOfDate"] <= day
    ]
    if not rates:
        raise not_found()
    return _entity(call, entity, max(rates, key=lambda rate: (rate.body["AsOfDate"], rate.number)))


async def _write(call: Call) -> Response:
    entity = _entity_of(call.request)
    parameters = call.request.query_params
    payload = await read_json(call.request, call.realm.switches)
    include = parameters.get("include", "").lower().split(",")
    operation = Operation(
        name=parameters.get("operation", "").lower() or _implied(entity, payload),
        include=frozenset(part.strip() for part in include if part.strip()),
        stale=call.is_stale(),
    )
    memory = call.world.quickbooks.memory(call.realm.realm_id)
    request_id = call.request_id
    call.held.enter_context(memory.under_way(request_id))
    known = memory.recall(request_id, payload)
    if known is None:
        try:
            known = with_time(perform(call.realm, entity, payload, operation), call.world.clock.now())
        except RefusedError as refusal:
            memory.remember(request_id, payload, refusal)
            raise
        memory.remember(request_id, payload, known)
    return call.answer(known)


async def _send(call: Call) -> Response:
    entity = _entity_of(call.request)
    if "send" not in entity.operations:
        raise unsupported("Send")
    record = _find(call.realm, entity, call.request.path_params["id"])
    send_order(call.realm, record, call.request.query_params.get("sendTo"))
    return _entity(call, entity, record)


async def _pdf(call: Call) -> Response:
    entity = _entity_of(call.request)
    if "pdf" not in entity.operations:
        raise unsupported("Pdf")
    record = _find(call.realm, entity, call.request.path_params["id"])
    content = order_pdf(call.realm.profile.name, entity_dict(call.realm, entity, record))
    return Response(content, media_type="application/pdf", headers=trace_headers())


def _answer(call: Call, body: bytes) -> Response:
    return call.answer(with_time(body, call.world.clock.now()))


def _entity(call: Call, entity: EntityType, record: Record) -> Response:
    body = b'{"%s":%s}' % (entity.name.encode(), entity_json(call.realm, entity, record))
    return _answer(call, body)


def _entity_of(request: Request) -> EntityType:
    """The entity that a path names; paths are case-sensitive."""
    segment = request.path_params["entity"]
    entity = BY_SEGMENT.get(segment)
    if entity is None:
        raise refused("2000", f"Object Name: {segment}")
    return entity


def _find(realm: Realm, entity: EntityType, record_id: str) -> Record:
    """The record that a path names.

    Raises:
        RefusedError: 2030 for an Id that is none, 610 for an unknown one.
    """
    check_company(realm, entity, writes=False)
    record = realm.record(entity.name, record_id)
    if record is not None:
        return record
    if not (record_id.isascii() and record_id.isdigit()):
        raise RefusedError([Problem("2030", f"Invalid ID. Supplied value:{record_id}", "Id")])
    raise not_found()


def _implied(entity: EntityType, payload: Any) -> str:
    """What a POST without an `operation` means: an update if it carries an Id."""
    if entity.family == "singleton":
        return "update"
    return "update" if isinstance(payload, dict) and payload.get("Id") else "create"
