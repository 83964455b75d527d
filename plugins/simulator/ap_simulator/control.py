"""The control API, `/__control/...`: look at the simulation and steer it. Not part of either API.

Control calls are never counted, delayed, throttled or hit by faults. A wrong call is answered with
400 and `{"error": "..."}` that says what is accepted.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import simplejson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ap_simulator import webhook_control
from ap_simulator.bill.identifiers import PREFIXES
from ap_simulator.company.build import CompanySizeError
from ap_simulator.control_deeds import Deed, deeds
from ap_simulator.control_input import (
    ControlInputError,
    JsonObject,
    branch_from_json,
    json_object,
    organization_from_json,
    realm_from_json,
    settings_from_json,
)
from ap_simulator.fault_rules import (
    FaultRuleError,
    latency_as_json,
    rule_as_json,
    rule_from_json,
    set_latency,
)
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.simulation import Simulation
from ap_simulator.switches import SwitchError

PATH: Final = "/__control"
ALL_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
BILL_COLLECTIONS: Final = tuple(PREFIXES)
QUICKBOOKS_ENTITIES: Final = tuple(ENTITIES)
_JSON: Final = "application/json"
_RECORDS_PER_CHUNK: Final = 500

_Handler = Callable[[Request], Awaitable[Response]]


def routes(simulation: Simulation) -> list[BaseRoute]:
    """The routes of the control API."""
    control = _Control(simulation)
    table: dict[str, dict[str, _Handler]] = {
        "/status": {"GET": control.status},
        "/stats": {"GET": control.stats},
        "/stats/reset": {"POST": control.reset_stats},
        "/faults": {
            "GET": control.faults,
            "POST": control.add_fault,
            "DELETE": control.clear_faults,
        },
        "/faults/{fault_id}": {"DELETE": control.remove_fault},
        "/latency": {"GET": control.latency, "POST": control.set_latency},
        "/clock": {"GET": control.clock, "POST": control.set_clock},
        "/switches": {"GET": control.switches, "POST": control.set_switches},
        "/records": {"GET": control.records},
        "/reset": {"POST": control.reset},
        "/companies": {"POST": control.add_company},
        "/organizations": {"POST": control.add_organization},
        "/realms": {"POST": control.add_realm},
        "/webhooks": {
            "GET": control.webhooks,
            "POST": control.add_webhook,
            "DELETE": control.clear_webhooks,
        },
        "/webhooks/emit": {"POST": control.emit},
        "/webhooks/{endpoint_id}": {"DELETE": control.remove_webhook},
        "/disconnect": {"POST": control.disconnect},
        **{path: {"POST": _deed(deed)} for path, deed in deeds(simulation).items()},
    }
    calls = [f"{method} {PATH}{path}" for path, methods in table.items() for method in methods]
    return [
        *(
            Route(PATH + path, _dispatch(path, handlers), methods=ALL_METHODS)
            for path, handlers in table.items()
        ),
        Route(PATH, _catalogue(calls, HTTPStatus.OK), methods=ALL_METHODS),
        Route(PATH + "/{rest:path}", _catalogue(calls, HTTPStatus.NOT_FOUND), methods=ALL_METHODS),
    ]


class _Control:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def status(self, _: Request) -> Response:
        return _json(self._simulation.status())

    async def stats(self, _: Request) -> Response:
        return _json(self._simulation.world.calls.stats())

    async def reset_stats(self, _: Request) -> Response:
        self._simulation.world.calls.reset()
        webhook_control.reset(self._simulation.world)
        return _json(self._simulation.world.calls.stats())

    async def faults(self, _: Request) -> Response:
        return _json([rule_as_json(active) for active in self._simulation.world.faults.rules()])

    async def add_fault(self, request: Request) -> Response:
        body = await json_object(request)
        active = self._simulation.world.faults.add(rule_from_json(body))
        return _json(rule_as_json(active), status=HTTPStatus.CREATED)

    async def clear_faults(self, _: Request) -> Response:
        self._simulation.world.faults.clear()
        return _json([])

    async def remove_fault(self, request: Request) -> Response:
        fault_id = request.path_params["fault_id"]
        if not self._simulation.world.faults.remove(fault_id):
            msg = f"There is no fault {fault_id}; GET {PATH}/faults lists them"
            raise ControlInputError(msg)
        return await self.faults(request)

    async def latency(self, _: Request) -> Response:
        return _json(latency_as_json(self._simulation.world.faults))

    async def set_latency(self, request: Request) -> Response:
        set_latency(self._simulation.world.faults, await json_object(request))
        return await self.latency(request)

    async def clock(self, _: Request) -> Response:
        clock = self._simulation.world.clock
        return _json({"now": clock.now().isoformat(), "frozen": clock.frozen})

    async def set_clock(self, request: Request) -> Response:
        change = _clock_change(await json_object(request))
        clock = self._simulation.world.clock
        try:
            match change:
                case datetime():
                    clock.set(change)
                case timedelta():
                    clock.advance(change)
                case "freeze":
                    clock.freeze()
                case _:
                    clock.run()
        except ValueError as error:
            raise ControlInputError(str(error)) from error
        await asyncio.sleep(0)  # Let those who waited for this moment act first.
        return await self.clock(request)

    async def switches(self, _: Request) -> Response:
        return _json(self._simulation.world.switches.describe())

    async def set_switches(self, request: Request) -> Response:
        self._simulation.world.switches.set_all(await json_object(request))
        return await self.switches(request)

    async def reset(self, request: Request) -> Response:
        body = await json_object(request, optional=True)
        settings = settings_from_json(body, self._simulation.initial)
        await self._simulation.reset(settings)
        return await self.status(request)

    async def records(self, request: Request) -> Response:
        query = request.query_params
        system = query.get("system")
        accepted = {"bill": BILL_COLLECTIONS, "quickbooks": QUICKBOOKS_ENTITIES}
        known = {"system", "entity", "realm", "organization", "id"}
        if system not in accepted or query.get("entity") not in accepted[system]:
            msg = "records takes system=bill with entity=" + "|".join(BILL_COLLECTIONS)
            msg += ", or system=quickbooks with entity=" + "|".join(QUICKBOOKS_ENTITIES)
            msg += "; and realm, organization and id to choose from them"
            raise ControlInputError(msg)
        if unknown := sorted(set(query) - known):
            msg = f"records does not take {', '.join(unknown)}; it takes {', '.join(sorted(known))}"
            raise ControlInputError(msg)
        try:
            found = self._simulation.records(
                system,
                query["entity"],
                company=query.get("realm" if system == "quickbooks" else "organization"),
                record_id=query.get("id"),
            )
        except LookupError as error:
            raise ControlInputError(error.args[0]) from error
        return StreamingResponse(_array(found), media_type=_JSON)

    async def add_company(self, request: Request) -> Response:
        branch = branch_from_json(await json_object(request))
        try:
            settings = self._simulation.add_branch(branch)
        except CompanySizeError:
            raise
        except ValueError as error:
            raise ControlInputError(str(error)) from error
        return _json({"environment": settings}, status=HTTPStatus.CREATED)

    async def add_organization(self, request: Request) -> Response:
        organization = organization_from_json(await json_object(request))
        self._simulation.add_organization(organization)
        return _json({"organization_id": organization.organization_id}, status=HTTPStatus.CREATED)

    async def add_realm(self, request: Request) -> Response:
        realm = realm_from_json(await json_object(request))
        try:
            refresh_token = self._simulation.add_realm(realm)
        except ValueError as error:
            raise ControlInputError(str(error)) from error
        return _json({"realm_id": realm.realm_id, "refresh_token": refresh_token}, status=HTTPStatus.CREATED)

    async def disconnect(self, request: Request) -> Response:
        body = await json_object(request)
        realm_id = body.get("realm_id")
        if set(body) != {"realm_id"} or not isinstance(realm_id, str):
            msg = 'disconnect takes {"realm_id": "..."}'
            raise ControlInputError(msg)
        return _json({"ended": self._simulation.world.oauth.disconnect(realm_id=realm_id)})

    async def webhooks(self, _: Request) -> Response:
        return _json(webhook_control.shown(self._simulation.world))

    async def add_webhook(self, request: Request) -> Response:
        added = webhook_control.add_endpoint(self._simulation.world, await json_object(request))
        return _json(added, status=HTTPStatus.CREATED)

    async def clear_webhooks(self, request: Request) -> Response:
        webhook_control.remove_endpoint(self._simulation.world, None)
        return await self.webhooks(request)

    async def remove_webhook(self, request: Request) -> Response:
        webhook_control.remove_endpoint(self._simulation.world, request.path_params["endpoint_id"])
        return await self.webhooks(request)

    async def emit(self, request: Request) -> Response:
        emitting = webhook_control.emit(self._simulation.world, await json_object(request))
        return _json(emitting, status=HTTPStatus.ACCEPTED)


_CLOCK_HELP: Final = (
    'clock takes one of {"set": "2026-01-31T12:00:00+00:00"}, {"advance_seconds": 60}, '
    '{"freeze": true} and {"run": true}'
)


def _clock_change(body: JsonObject) -> datetime | timedelta | str:
    """What the clock is asked to do."""
    match body:
        case {"set": str(text)} if len(body) == 1:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError as error:
                raise ControlInputError(_CLOCK_HELP) from error
            if moment.tzinfo is not None:
                return moment
        case {"advance_seconds": int(seconds) | float(seconds)} if len(body) == 1:
            if not isinstance(seconds, bool) and math.isfinite(seconds):
                try:
                    return timedelta(seconds=seconds)
                except OverflowError as error:
                    raise ControlInputError(_CLOCK_HELP) from error
        case {"freeze": True} if len(body) == 1:
            return "freeze"
        case {"run": True} if len(body) == 1:
            return "run"
    raise ControlInputError(_CLOCK_HELP)


def _deed(deed: Deed) -> _Handler:
    async def answer(request: Request) -> Response:
        return _json(deed(await json_object(request, exact=True)))

    return answer


def _dispatch(path: str, handlers: dict[str, _Handler]) -> _Handler:
    """Answer each method by its handler and a wrong call in plain words."""

    async def answer(request: Request) -> Response:
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            accepted = ", ".join(handlers)
            error = f"{PATH}{path} takes {accepted}, not {request.method}"
            return _json({"error": error}, status=HTTPStatus.METHOD_NOT_ALLOWED, allow=accepted)
        try:
            return await handler(request)
        except (CompanySizeError, ControlInputError, FaultRuleError, SwitchError) as error:
            return _json({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)

    return answer


def _catalogue(calls: Sequence[str], status: HTTPStatus) -> _Handler:
    async def answer(request: Request) -> Response:
        if status is HTTPStatus.OK:
            return _json({"calls": calls})
        error = f"There is no control call {request.url.path}; there are {'; '.join(calls)}"
        return _json({"error": error}, status=status)

    return answer


def _json(body: Any, *, status: int = HTTPStatus.OK, allow: str | None = None) -> Response:
    return Response(
        simplejson.dumps(body, use_decimal=True),
        status_code=status,
        media_type=_JSON,
        headers={"allow": allow} if allow else None,
    )


async def _array(records: Sequence[dict[str, Any]]) -> AsyncIterator[bytes]:
    """A JSON array in pieces, so that a large one keeps nobody else waiting."""
    yield b"["
    for start in range(0, len(records), _RECORDS_PER_CHUNK):
        part = simplejson.dumps(records[start : start + _RECORDS_PER_CHUNK], use_decimal=True)
        yield (b"," if start else b"") + part[1:-1].encode()
        await asyncio.sleep(0)
    yield b"]"
