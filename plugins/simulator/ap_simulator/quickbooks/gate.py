"""What every request passes before it is answered: token, company, limits, minor version.

Refusals here are the gateway's, in its own lower-case shape (QuickBooks manual 1.3, 2.7, 8). The
places that a request holds (concurrency, its request id) are given back when its answer is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ap_simulator.faults import FAULT_SCOPE_KEY, Fault
from ap_simulator.oauth.service import AuthorizationKind
from ap_simulator.quickbooks.envelopes import (
    Format,
    answer_format,
    fault_json,
    forbidden,
    response,
    throttled,
    unauthenticated,
)
from ap_simulator.quickbooks.problems import Problem, RefusedError
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.world import World

_EXPIRED: Final = "Token expired"
_MALFORMED: Final = "Malformed bearer token: too short or too long"
_SHORTEST_TOKEN: Final = 20
_LONGEST_TOKEN: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was let through.

    Attributes:
        world: The world.
        realm: The company.
        request: The request itself.
        format_: Of the answer.
        fault: A semantic fault to honour.
        held: What is given back when the answer is sent.
    """

    world: World
    realm: Realm
    request: Request
    format_: Format
    fault: Fault | None
    held: ExitStack

    def answer(self, body: bytes) -> Response:
        """A successful answer from its JSON, `time` included."""
        return response(body, format_=self.format_, switches=self.realm.switches)

    @property
    def request_id(self) -> str | None:
        """The `requestid` of a write; None for none."""
        return self.request.query_params.get("requestid") or None

    def is_stale(self, position: int = 0) -> bool:
        """Whether an injected fault makes the write (the batch item at `position`) stale."""
        fault = self.fault
        return fault is not None and fault.kind == "stale_sync_token" and fault.selects(position)


Handler = Callable[[Call], Awaitable[Response]]


class Gate:
    """An ASGI endpoint: lets requests through to a handler and words what it refuses."""

    def __init__(self, world: World, handler: Handler, *, batch: bool = False) -> None:
        self._world = world
        self._handler = handler
        self._batch = batch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with ExitStack() as held:
            answer = await self._answer(Request(scope, receive), held)
            await answer(scope, receive, send)

    async def _answer(self, request: Request, held: ExitStack) -> Response:
        world = self._world
        service = world.quickbooks
        realm_id = request.path_params["realm_id"]
        format_ = answer_format(request.headers.get("accept", ""), service.switches)
        fault: Fault | None = request.scope.get(FAULT_SCOPE_KEY)
        now = world.clock.now()
        token = _bearer(request)
        kind, client_id = AuthorizationKind.UNKNOWN, None
        if token is not None:
            authorization = world.oauth.authorize(token, realm_id)
            kind, client_id = authorization.kind, authorization.client_id
        if fault is not None and fault.kind == "expired_token":
            kind = AuthorizationKind.EXPIRED
        realm = service.find(realm_id)
        if kind is AuthorizationKind.WRONG_REALM or (kind is AuthorizationKind.OK and realm is None):
            return forbidden(now=now, format_=format_)
        if kind is not AuthorizationKind.OK or realm is None:
            return unauthenticated(_detail(kind, token), now=now, format_=format_)
        holder = str(client_id)
        broken = service.limits.take(realm_id, holder, batch=self._batch)
        if broken is not None:
            world.calls.throttled(system="quickbooks", limit=broken)
            return throttled(
                now=now,
                format_="xml" if service.switches.throttle_body == "xml" else format_,
                retry_after=service.switches.throttle_retry_after,
            )
        held.enter_context(service.limits.under_way(realm_id, holder))
        call = Call(world=world, realm=realm, request=request, format_=format_, fault=fault, held=held)
        try:
            _check_minor_version(call)
            return await self._handler(call)
        except RefusedError as refusal:
            return response(
                fault_json(refusal, world.clock.now()),
                format_=format_,
                switches=service.switches,
                status=refusal.status,
            )


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _detail(kind: AuthorizationKind, token: str | None) -> str | None:
    if kind is AuthorizationKind.EXPIRED:
        return _EXPIRED
    if token is not None and not _SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN:
        return _MALFORMED
    return None


def _check_minor_version(call: Call) -> None:
    """Any whole number is taken, and served as 75.

    Raises:
        RefusedError: 2090, by switch, for a text that is none.
    """
    version = call.request.query_params.get("minorversion")
    if version is None or call.realm.switches.invalid_minor_version == "ignore":
        return
    if not (version.isascii() and version.isdigit()):
        raise RefusedError([Problem("2090", f"Invalid Number. Supplied value:{version}", "minorversion")])
