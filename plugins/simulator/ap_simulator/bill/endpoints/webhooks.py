"""The webhooks API, `/connect-events/v3/...` (BILL manual 5)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from starlette.responses import Response

from ap_simulator.bill.errors import JSON_TYPE, Code, Refusal, error_response, invalid, refusal
from ap_simulator.bill.gate import Call, Handler, json_response
from ap_simulator.bill.listing import read_limit
from ap_simulator.bill.webhooks.event_types import catalog
from ap_simulator.bill.webhooks.history import RETENTION
from ap_simulator.bill.webhooks.idempotency import HEADER, Answer, checked_key
from ap_simulator.bill.wire import Record, from_json, stamp, to_json


async def get_catalog(_: Call) -> Response:
    """`GET /v3/events/catalog`: a bare array."""
    return json_response(catalog())


async def create_subscription(call: Call) -> Response:
    """`POST /v3/subscriptions`: 200, with the security key, this once."""

    async def create() -> Record:
        subscription = call.organization.hooks.subscriptions.create(
            await call.body(),
            subscription_id=call.organization.hooks.new_id(),
            actor=call.actor,
            switches=call.switches,
            now=call.service.clock.now(),
        )
        return subscription.shown(call.switches, with_key=True)

    return await _once(call, create)


async def rotate_key(call: Call) -> Response:
    """`POST /v3/subscriptions/{id}/security_key`: the new key, this once."""

    async def rotate() -> Record:
        subscription = call.organization.hooks.subscriptions.get(call.id)
        return {"securityKey": subscription.rotate_key(call.service.clock.now())}

    return await _once(call, rotate)


async def list_subscriptions(call: Call) -> Response:
    """`GET /v3/subscriptions`, oldest first, forward only."""
    limit = read_limit(call.parameters, default=call.switches.default_max)
    place = _read_page(call)
    start = _place_number(place) if place is not None else 0
    known = call.organization.hooks.subscriptions.all()
    page = [subscription.shown(call.switches) for subscription in known[start : start + limit]]
    more = len(known) > start + limit
    return _envelope(call, "subscriptions", page, start + limit if more else None)


async def get_subscription(call: Call) -> Response:
    """`GET /v3/subscriptions/{id}`."""
    subscription = call.organization.hooks.subscriptions.get(call.id)
    return json_response(subscription.shown(call.switches))


async def patch_subscription(call: Call) -> Response:
    """`PATCH /v3/subscriptions/{id}`: name, status, URL."""
    return await _change(call, replace=False)


async def put_subscription(call: Call) -> Response:
    """`PUT /v3/subscriptions/{id}`: all of it, events too."""
    return await _change(call, replace=True)


async def delete_subscription(call: Call) -> Response:
    """`DELETE /v3/subscriptions/{id}`: 200 without a body."""
    call.organization.hooks.subscriptions.delete(call.id)
    return Response(status_code=200)


async def send_test(call: Call) -> Response:
    """`POST /v3/subscriptions/{id}/test`; a body is optional."""
    subscription = call.organization.hooks.subscriptions.get(call.id)
    body = await call.body() if await call.request.body() else None
    event = await call.organization.hooks.send_test(subscription, body)
    return json_response(event.shown())


async def list_events(call: Call) -> Response:
    """`GET /v3/events/subscription/{id}`, newest first, forward only."""
    subscription = call.organization.hooks.subscriptions.get(call.id)
    now = call.service.clock.now()
    limit = read_limit(call.parameters, default=call.switches.default_max)
    place = _read_page(call)
    found = subscription.history.newest_first(
        since=max(_read_time(call, "createdTimeFrom", now - RETENTION), now - RETENTION),
        until=_read_time(call, "createdTimeTo", now),
        entity_id=call.parameters.get("entityId") or None,
        before=None if place is None else _place_in_history(place),
        limit=limit + 1,
    )
    page = found[:limit]
    following = [page[-1].created.isoformat(), page[-1].number] if len(found) > limit else None
    return _envelope(call, "events", [event.shown() for event in page], following)


async def resend_event(call: Call) -> Response:
    """`POST /v3/events/subscription/{id}/event/{event_id}`."""
    subscription = call.organization.hooks.subscriptions.get(call.id)
    event_id = call.request.path_params["event_id"]
    event = subscription.history.get(event_id, now=call.service.clock.now())
    if event is None:
        raise refusal(Code.NO_SUCH_OBJECT)
    return json_response((await call.organization.hooks.resend(subscription, event)).shown())


async def _change(call: Call, *, replace: bool) -> Response:
    subscription = call.organization.hooks.subscriptions.change(
        call.id,
        await call.body(),
        replace=replace,
        actor=call.actor,
        switches=call.switches,
        now=call.service.clock.now(),
    )
    return json_response(subscription.shown(call.switches))


async def _once(call: Call, act: Callable[[], Awaitable[Record]]) -> Response:
    """Answer a repeated idempotency key with what its first request was answered."""
    path = call.request.url.path.replace("security-key", "security_key")
    key = (call.organization.id, path, checked_key(call.request.headers.get(HEADER)))
    # Once the body is there nothing waits any more, so that no other request comes between.
    await call.request.body()
    cache, now = call.service.idempotency, call.service.clock.now()
    given = cache.find(key, now=now)
    if given is None:
        try:
            given = Answer(200, to_json(await act()))
            cache.keep(key, given, now=now)
        except Refusal as error:
            if not call.switches.webhook_error_replay:
                raise
            response = error_response(error, switches=call.switches, now=now)
            given = Answer(response.status_code, bytes(response.body))
            cache.keep(key, given, now=now)
    return Response(given.body, status_code=given.status, media_type=JSON_TYPE)


def _envelope(call: Call, name: str, records: Sequence[Record], next_place: Any) -> Response:
    form = call.switches.webhook_list_envelope
    if form == "array":
        return json_response(records)
    body: Record = {"results" if form == "results" else name: records}
    if next_place is not None:
        body["nextPage"] = base64.b64encode(to_json(next_place)).decode()
    return json_response(body)


def _read_page(call: Call) -> Any:
    text = call.parameters.get("page", "")
    if not text:
        return None
    try:
        return from_json(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise _no_page() from error


def _no_page() -> Refusal:
    return invalid("page: not a page of this list")


def _place_number(place: Any) -> int:
    if isinstance(place, int) and place >= 0:
        return place
    raise _no_page()


def _place_in_history(place: Any) -> tuple[datetime, int]:
    match place:
        case [str() as moment, int() as number]:
            try:
                return _moment(moment), number
            except ValueError as error:
                raise _no_page() from error
        case _:
            raise _no_page()


def _read_time(call: Call, name: str, default: datetime) -> datetime:
    text = call.parameters.get(name, "").strip('"')
    if not text:
        return default
    try:
        return _moment(text)
    except ValueError as error:
        msg = f"{name}: must be a date-time such as {stamp(default)}"
        raise invalid(msg) from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


#: Method, path below `/connect-events/v3`, handler.
HANDLERS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/events/catalog", get_catalog),
    ("GET", "/events/subscription/{id}", list_events),
    ("POST", "/events/subscription/{id}/event/{event_id}", resend_event),
    ("GET", "/subscriptions", list_subscriptions),
    ("POST", "/subscriptions", create_subscription),
    ("GET", "/subscriptions/{id}", get_subscription),
    ("PATCH", "/subscriptions/{id}", patch_subscription),
    ("PUT", "/subscriptions/{id}", put_subscription),
    ("DELETE", "/subscriptions/{id}", delete_subscription),
    # The reference has an underscore, the guides a hyphen.
    ("POST", "/subscriptions/{id}/security_key", rotate_key),
    ("POST", "/subscriptions/{id}/security-key", rotate_key),
    ("POST", "/subscriptions/{id}/test", send_test),
)
