"""Lets requests in: developer key, session, limits, faults; answers refusals (BILL manual 2, 3.9).

A request holds its place among those in flight until its answer has been sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ap_simulator.bill.errors import (
    JSON_TYPE,
    Code,
    Refusal,
    error_response,
    invalid,
    refusal,
)
from ap_simulator.bill.organization import Organization
from ap_simulator.bill.rendering import rendered
from ap_simulator.bill.service import BillService
from ap_simulator.bill.sessions import Session
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record, from_json, to_json
from ap_simulator.faults import FAULT_SCOPE_KEY

_SESSION_HEADER: Final = "sessionId"
_DEVELOPER_KEY_HEADER: Final = "devKey"


class Access(Enum):
    """What a request needs to be let in; all of it but `OpenEndpoint` needs key and session."""

    #: A session that is trusted if the switches ask that of everything.
    SESSION = auto()
    #: A session that need not be trusted: the way to a trusted one.
    SIGN_IN = auto()
    #: As SESSION, but absent headers are a fault of the request.
    WEBHOOKS = auto()


@dataclass(slots=True, kw_only=True)
class Call:
    """One request that was let in."""

    request: Request
    service: BillService
    session: Session
    organization: Organization

    @property
    def switches(self) -> BillSwitches:
        """The switches in force."""
        return self.service.switches

    @property
    def actor(self) -> str:
        """The id of the user who calls."""
        return self.session.login.user_id

    @property
    def parameters(self) -> Mapping[str, str]:
        """The query parameters."""
        return self.request.query_params

    @property
    def id(self) -> str:
        """The id in the path."""
        record_id: str = self.request.path_params["id"]
        return record_id

    async def body(self) -> Any:
        """The body as JSON.

        Raises:
            Refusal: 400: it is none.
        """
        return await read_json(self.request)

    def record(self, collection: str, record: Record, *, status: int = 200) -> Response:
        """Answer a record."""
        body = rendered(collection, record, self.switches)
        return Response(body, status_code=status, media_type=JSON_TYPE)

    def records(
        self, collection: str, records: Iterable[Record], *, key: str | None, status: int = 200
    ) -> Response:
        """Answer records as an array, under `key` unless that is None."""
        bodies = b",".join(rendered(collection, record, self.switches) for record in records)
        array = b"[" + bodies + b"]"
        body = array if key is None else b"{" + to_json(key) + b":" + array + b"}"
        return Response(body, status_code=status, media_type=JSON_TYPE)

    def require_payer(self) -> None:
        """Make sure that the session may pay.

        Raises:
            Refusal: BDC_1150 for a sync token, BDC_1361 if the switches ask for a trusted session.
        """
        if self.session.login.sync_token:
            raise refusal(Code.NO_ONLINE_PAYMENTS)
        if self.switches.mfa_required_for != "nothing" and not self.session.trusted:
            raise refusal(Code.UNTRUSTED_SESSION)


OpenHandler = Callable[[BillService, Request, ExitStack], Awaitable[Response]]
Handler = Callable[[Call], Awaitable[Response]]


class OpenEndpoint:
    """An ASGI endpoint that anybody may call; the handler sees to limits itself."""

    def __init__(self, service: BillService, handler: OpenHandler) -> None:
        self._service = service
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with ExitStack() as held:
            try:
                response = await self._handler(self._service, Request(scope, receive), held)
            except Refusal as error:
                response = _refused(self._service, error)
            except ClientDisconnect:
                return
            await response(scope, receive, send)


class Endpoint:
    """An ASGI endpoint that needs a session."""

    def __init__(self, service: BillService, handler: Handler, access: Access) -> None:
        self._service = service
        self._handler = handler
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with ExitStack() as held:
            try:
                call = self._admit(Request(scope, receive), held)
                await take_time(self._service)
                call.organization.catch_up()
                response = await self._handler(call)
            except Refusal as error:
                response = _refused(self._service, error)
            except ClientDisconnect:
                return
            self._service.courier.wake()
            await response(scope, receive, send)

    def _admit(self, request: Request, held: ExitStack) -> Call:
        service = self._service
        developer_key, session_id = self._credentials(request)
        if not service.knows_developer_key(developer_key):
            raise refusal(Code.WRONG_DEVELOPER_KEY, status=self._status_of_bad_key())
        service.limits.count_request(developer_key)
        session = service.sessions.use(session_id, developer_key)
        fault = request.scope.get(FAULT_SCOPE_KEY)
        if fault is not None and fault.kind == "expired_token":
            if service.switches.expired_token_fault_ends_session:
                service.sessions.close(session)
            raise refusal(Code.NO_SESSION)
        held.enter_context(service.limits.in_flight(developer_key, session.organization_id))
        needs_trust = service.switches.mfa_required_for == "everything"
        if needs_trust and self._access is not Access.SIGN_IN and not session.trusted:
            raise refusal(Code.UNTRUSTED_SESSION)
        organization = service.organization(session.organization_id)
        return Call(request=request, service=service, session=session, organization=organization)

    def _credentials(self, request: Request) -> tuple[str, str | None]:
        developer_key = request.headers.get(_DEVELOPER_KEY_HEADER)
        session_id = request.headers.get(_SESSION_HEADER)
        if self._access is Access.WEBHOOKS:
            absent = [
                f"{name}: header is required"
                for name, value in ((_SESSION_HEADER, session_id), (_DEVELOPER_KEY_HEADER, developer_key))
                if not value
            ]
            if absent:
                raise invalid(*absent)
        if session_id is None and developer_key is None:
            raise refusal(Code.NO_SESSION)
        return developer_key or "", session_id

    def _status_of_bad_key(self) -> int | None:
        """The webhooks API documents 401 for all invalid headers."""
        return 401 if self._access is Access.WEBHOOKS else None


async def take_time(service: BillService) -> None:
    """Take as long as the switches say, and let requests that came in together be seen together."""
    await asyncio.sleep(service.switches.response_seconds)


async def read_json(request: Request) -> Any:
    """The body of a request as JSON.

    Raises:
        Refusal: 400: it is none.
    """
    try:
        return from_json(await request.body())
    except ValueError as error:
        msg = "Request body is not valid JSON"
        raise invalid(msg) from error


def json_response(value: Any, *, status: int = 200) -> Response:
    """Answer JSON."""
    return Response(to_json(value), status_code=status, media_type=JSON_TYPE)


def _refused(service: BillService, error: Refusal) -> Response:
    return error_response(error, switches=service.switches, now=service.clock.now())
