"""Between the wire and the services: counts calls, adds latency and carries out faults.

Control calls pass untouched. Latency is added to the answer, as it is sent, so that whatever a
service holds until its answer is out (a concurrency slot, say) is held that long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ap_simulator.calls import CallLog
from ap_simulator.connection import connection_of, wait_for_disconnect
from ap_simulator.faults import (
    FAULT_SCOPE_KEY,
    ITEMS_SCOPE_KEY,
    SEMANTIC_KINDS,
    WRITES_SCOPE_KEY,
    Fault,
    FaultPlan,
)

logger = logging.getLogger(__name__)

#: Path prefixes of the simulated services, the more specific ones first.
_PREFIXES: Final = (
    ("/connect/oauth2", "oauth"),
    ("/connect", "bill"),
    ("/v3/", "quickbooks"),
    ("/oauth2/", "oauth"),
    ("/v2/oauth2/", "oauth"),
    ("/op/v1/", "oauth"),
    ("/v1/openid_connect/", "oauth"),
    ("/.well-known/", "oauth"),
)
#: Path parameters that name a kind of thing and are spelled out in the statistics.
_SPELLED_OUT: Final = frozenset({"entity", "collection", "kind", "action"})
#: Path parameter of routes that answer what the service does not have.
_REST: Final = "rest"
#: Last segments of POST paths that ask for nothing to be changed in the books.
_READING_POSTS: Final = frozenset({"query", "login", "logout", "bearer", "revoke", "oauth2"})
_MOST_DRIPS: Final = 1000

_BAD_GATEWAY: Final = """<html>
<head><title>{status} {reason}</title></head>
<body>
<center><h1>{status} {reason}</h1></center>
<hr><center>gateway</center>
</body>
</html>
"""


class FaultResponse(Protocol):
    """How a service words an injected `throttle` or `server_error`."""

    def __call__(self, kind: str, *, status: int, path: str) -> Response:
        """The answer in the service's own shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What the middleware stands in front of: one world's routes, and what it counts and matches.

    Attributes:
        app: Routes of all services.
        calls: Where calls are counted.
        faults: Rules in force and standing latency.
        fault_responses: By system, how it words an injected error.
    """

    app: Router
    calls: CallLog
    faults: FaultPlan
    fault_responses: Mapping[str, FaultResponse]


def system_of(path: str) -> str | None:
    """Which simulated service a path belongs to; None is the control API or nobody."""
    for prefix, system in _PREFIXES:
        if path.startswith(prefix):
            return system
    return None


class Gateway:
    """The ASGI application in front of the services."""

    def __init__(self, upstream: Callable[[], Upstream]) -> None:
        """Ask `upstream` at each request for what is in force, since the world can be replaced."""
        self._upstream = upstream
        #: Requests that a service failed to handle: bugs of the simulator, never injected faults.
        self.failures: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        upstream = self._upstream()
        system = system_of(scope["path"])
        if system is None:
            await self._run(upstream.app, scope, receive, send)
            return
        exchange = _Exchange(upstream=upstream, system=system, scope=scope, send=send)
        upstream.calls.entered(system=system)
        try:
            await self._serve(exchange, receive)
        finally:
            upstream.calls.left(system=system)

    async def _serve(self, exchange: _Exchange, receive: Receive) -> None:
        fault = exchange.take_faults()
        match fault.kind if fault else None:
            case "reset_before":
                await exchange.reset(receive)
            case "reset_after":
                await self._run(exchange.upstream.app, exchange.scope, receive, _discard)
                await exchange.reset(receive)
            case "truncated" | "slow_drip" if fault is not None:
                answer = _Answer()
                await self._run(exchange.upstream.app, exchange.scope, receive, answer.collect)
                await exchange.send_damaged(answer, fault, receive)
            case "throttle" | "server_error" | "html_error" if fault is not None:
                if fault.applied:
                    await self._run(exchange.upstream.app, exchange.scope, receive, _discard)
                response = exchange.error_response(fault)
                await response(exchange.scope, receive, exchange.send_answer)
            case _:
                app = exchange.upstream.app
                await self._run(app, exchange.scope, receive, exchange.send_answer)

    async def _run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a service answer; if it breaks, log it and answer 500."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, watch)
        except ClientDisconnect:  # killed in the middle of its request, of which nothing was applied
            connection_of(scope).close()
        except Exception as error:
            call = f"{scope['method']} {scope['path']}"
            logger.exception("The simulator failed to answer %s", call)
            self.failures.append(f"{call}: {error!r}")
            if started:
                connection_of(scope).close()
                return
            response = Response("The simulator failed, see its log", status_code=500)
            await response(scope, receive, send)


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """One request and its answer."""

    upstream: Upstream
    system: str
    scope: Scope
    send: Send
    latency: float = 0.0

    def take_faults(self) -> Fault | None:
        """Note the latency that hits this request; return what else does."""
        struck = None
        for fault in self.upstream.faults.match(
            system=self.system, method=self.scope["method"], path=self.scope["path"]
        ):
            if fault.kind == "latency":
                self.latency += fault.seconds
            else:
                struck = fault
        if struck is not None and struck.kind in SEMANTIC_KINDS:
            self.scope[FAULT_SCOPE_KEY] = struck
        return struck

    async def send_answer(self, message: Message) -> None:
        """Send a part of the answer: late if there is latency, and counted."""
        if message["type"] == "http.response.start":
            await self._delay()
            self._count(message["status"])
        await self.send(message)

    async def send_damaged(self, answer: _Answer, fault: Fault, receive: Receive) -> None:
        """Send an answer cut short or in single bytes."""
        headers = [
            (name, value)
            for name, value in answer.headers
            if name.lower() not in {b"content-length", b"transfer-encoding"}
        ]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        if fault.kind == "slow_drip":
            await self.send_answer(start)
            await self._drip(answer.body, fault.seconds)
        elif not answer.body or self.scope["method"] == "HEAD":
            await self.reset(receive)  # There is no body that could be cut.
        else:
            await self.send_answer(start)
            part = answer.body[: min(int(len(answer.body) * fault.cut), len(answer.body) - 1)]
            await self.send({"type": "http.response.body", "body": part, "more_body": True})
            connection_of(self.scope).close()
            await wait_for_disconnect(receive)

    async def reset(self, receive: Receive) -> None:
        """Drop the connection instead of answering."""
        await self._delay()
        self.upstream.calls.aborted(system=self.system, writes=self._writes())
        connection_of(self.scope).reset()
        await wait_for_disconnect(receive)

    def error_response(self, fault: Fault) -> Response:
        """The answer of an injected error: a gateway's page, or the service's own words."""
        if fault.kind == "html_error":
            page = _BAD_GATEWAY.format(status=fault.status, reason=HTTPStatus(fault.status).phrase)
            return HTMLResponse(page, status_code=fault.status)
        if fault.kind == "throttle":
            self.upstream.calls.throttled(system=self.system, limit="injected")
        word = self.upstream.fault_responses[self.system]
        return word(fault.kind, status=fault.status, path=self.scope["path"])

    async def _delay(self) -> None:
        items = int(self.scope.get(ITEMS_SCOPE_KEY, 0))
        seconds = self.latency + self.upstream.faults.latency[self.system].of(items)
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _count(self, status: int) -> None:
        template = _template(self.scope, self.upstream.app.routes, status)
        endpoint = f"{self.scope['method']} {template}"
        self.upstream.calls.record(
            system=self.system, endpoint=endpoint, status=status, writes=self._writes()
        )

    def _writes(self) -> bool:
        told: bool | None = self.scope.get(WRITES_SCOPE_KEY)
        if told is not None:
            return told
        if self.system == "oauth" or self.scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            return False
        last = str(self.scope["path"]).rstrip("/").rpartition("/")[2]
        return not (self.scope["method"] == "POST" and last in _READING_POSTS)

    async def _drip(self, body: bytes, seconds: float) -> None:
        """Send the body byte by byte (at most a thousand pieces) spread over `seconds`."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        size = max(1, -(-len(body) // _MOST_DRIPS))
        for position in range(0, len(body), size):
            due = begun + seconds * (position + size) / len(body)
            await asyncio.sleep(max(0.0, due - loop.time()))
            piece = body[position : position + size]
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})


@dataclass(slots=True)
class _Answer:
    """An answer held back to be damaged."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        """Take a part of the answer in place of sending it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")


async def _discard(message: Message) -> None:
    """Take a part of an answer that nobody will get."""


def _template(scope: Scope, routes: Sequence[BaseRoute], status: int) -> str:
    """The path with `{name}` in place of ids, as the route spells it.

    Unknown paths share one line, lest a wild client grow the statistics without end.
    """
    params: Mapping[str, Any] | None = scope.get("path_params")
    known = "endpoint" in scope
    if params is None:  # An injected error answered before the call was routed.
        for route in routes:
            match, child_scope = route.matches(scope)
            if match is not Match.NONE:
                params, known = child_scope.get("path_params"), "endpoint" in child_scope
                break
    if params is None or (status == HTTPStatus.NOT_FOUND and (not known or _REST in params)):
        return "(unknown path)"
    segments = str(scope["path"]).split("/")
    for name, value in params.items():
        if name not in _SPELLED_OUT and str(value) in segments:
            segments[segments.index(str(value))] = f"{{{name}}}"
    return "/".join(segments)
