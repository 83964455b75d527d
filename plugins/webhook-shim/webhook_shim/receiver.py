"""The doors that BILL and Intuit knock at: who is it, is it for us, is it on disk, 200.

A delivery is never more than "look now" (design: payloads are not data). What is refused leaves one log line
and nothing else. BILL waits ten seconds for an answer and Intuit three (BILL manual 5.6, QuickBooks manual
9.1); anything but 200 counts as failed with both.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from target_quickbooks.errors import StoreError

from webhook_shim.context import Context
from webhook_shim.events import Event, NotAnEvent, System, WrongTenant, read_bill, read_quickbooks
from webhook_shim.inbox import Inbox
from webhook_shim.signatures import is_signed, is_signed_by_bill
from webhook_shim.store import subscription_table

MOST_BYTES = 1024 * 1024
BILL_SIGNATURE = "x-bill-sha-signature"
QUICKBOOKS_SIGNATURE = "intuit-signature"

logger = logging.getLogger("webhook-shim")


class _Refused(Exception):
    """A delivery that is turned away."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Receiver:
    """Receives deliveries.

    Attributes:
        outcomes: How many deliveries of each system were ``accepted`` or refused for which reason, since
            the start.
    """

    def __init__(self, context: Context) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._context = context
        self._inbox = Inbox(context.store, now=context.now)

    def routes(self) -> list[Route]:
        """Where deliveries go. Intuit has one address per app; it may leave out the realm."""
        return [
            Route("/webhooks/bill/{organization_id}", self.bill, methods=["POST"]),
            Route("/webhooks/quickbooks/{realm_id}", self.quickbooks, methods=["POST"]),
            Route("/webhooks/quickbooks", self.quickbooks, methods=["POST"]),
        ]

    async def bill(self, request: Request) -> Response:
        """A delivery of BILL for the organization in the path."""
        organization_id = str(request.path_params["organization_id"])

        async def read(body: bytes, claimed: str) -> list[Event]:
            if self._context.of_organization(organization_id) is None:
                raise _Refused(403, "unknown organization")
            keys = await run_in_threadpool(self._bill_keys, organization_id)
            if not is_signed_by_bill(body, claimed, keys):
                raise _Refused(401, "bad signature" if keys else "no subscription")
            return read_bill(body, organization_id)

        return await self._receive(request, System.BILL, BILL_SIGNATURE, read)

    async def quickbooks(self, request: Request) -> Response:
        """A delivery of Intuit for the realm in the path, or for all that the shim looks after."""
        realm_id = request.path_params.get("realm_id")

        async def read(body: bytes, claimed: str) -> list[Event]:
            if realm_id is not None and self._context.of_realm(str(realm_id)) is None:
                raise _Refused(403, "unknown realm")
            tokens = self._context.settings.verifier_tokens
            if not is_signed(body, claimed, tokens):
                raise _Refused(401, "bad signature" if tokens else "no verifier token set")
            events = read_quickbooks(body, str(realm_id) if realm_id is not None else None)
            return [event for event in events if self._context.of_realm(event.tenant)]

        return await self._receive(request, System.QUICKBOOKS, QUICKBOOKS_SIGNATURE, read)

    async def _receive(
        self,
        request: Request,
        system: System,
        header: str,
        read: Callable[[bytes, str], Awaitable[Sequence[Event]]],
    ) -> Response:
        try:
            events = await _read_events(request, header, read)
            new = await self._inbox.put(events)
        except _Refused as refused:
            return self._refuse(system, refused)
        except StoreError as error:
            logger.error("A delivery of %s could not be kept: %s", system, error)  # noqa: TRY400 - says it all
            return self._refuse(system, _Refused(503, "not kept"))
        except ClientDisconnect:
            return self._refuse(system, _Refused(400, "went away"))
        self.outcomes[str(system), "accepted"] += 1
        if new:
            self._context.wake()
        return JSONResponse({"received": len(events), "new": new})

    def _refuse(self, system: System, refused: _Refused) -> Response:
        self.outcomes[str(system), refused.reason] += 1
        logger.warning("Refused a delivery of %s: %s (%d).", system, refused.reason, refused.status)
        return JSONResponse({"error": refused.reason}, status_code=refused.status)

    def _bill_keys(self, organization_id: str) -> tuple[str, ...]:
        with self._context.store.reading() as connection:
            found = subscription_table.load(connection, self._context.store.cipher, organization_id)
        return found.keys(self._context.now()) if found else ()


async def _read_events(
    request: Request, header: str, read: Callable[[bytes, str], Awaitable[Sequence[Event]]]
) -> Sequence[Event]:
    body = await _body(request)
    claimed = request.headers.get(header, "")
    if not claimed:
        raise _Refused(401, "no signature")
    try:
        return await read(body, claimed)
    except NotAnEvent as error:
        raise _Refused(400, str(error)) from None
    except WrongTenant:
        raise _Refused(403, "of another company") from None


async def _body(request: Request) -> bytes:
    """The body, as long as it is no larger than any honest delivery.

    Raises:
        _Refused: It is larger.
    """
    announced = request.headers.get("content-length", "")
    too_large = _Refused(413, "larger than 1 MiB")
    if announced.isascii() and announced.isdecimal() and int(announced) > MOST_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)
