"""Tells endpoints of changes: gathers them for a while, signs, tries again (QuickBooks manual 9.1).

An endpoint belongs to an app and hears of the companies that are connected to it. It has three
seconds to answer 200. All else is tried again after 10, 20 and 30 seconds, 5 and 20 minutes, 2, 4
and 6 hours, and every 6 hours from then on, by the simulator's clock. Nothing is gathered or sent
before an endpoint is there.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from ap_simulator.clock import Clock
from ap_simulator.deliveries import Deliveries, Parcel
from ap_simulator.faults import FaultPlan
from ap_simulator.posting import PostError, origin_of
from ap_simulator.quickbooks.events import ChangeEvent
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.quickbooks.webhooks.notices import is_heard, legacy_time, notice

SIGNATURE_HEADER: Final = "intuit-signature"
_HOUR: Final = 3600
#: Seconds between attempts; the last one repeats.
RETRY_WAITS: Final = (10, 20, 30, 300, 1200, 2 * _HOUR, 4 * _HOUR, 6 * _HOUR)


def signature(body: bytes, verifier_token: str) -> str:
    """base64(HMAC-SHA256(verifier token, raw body))."""
    digest = hmac.digest(verifier_token.encode(), body, hashlib.sha256)
    return base64.b64encode(digest).decode()


@dataclass(slots=True, kw_only=True, eq=False)
class Endpoint:
    """Who is told.

    Attributes:
        id: The simulator's name for it.
        url: Where notices go.
        client_id: The app; its connections say of which companies it hears.
        verifier_token: The app's key for signatures.
        realm_id: Only this company; None is all that are connected to the app.
        source: Of its CloudEvents.
    """

    id: str
    url: str
    client_id: str
    verifier_token: str = field(repr=False)
    realm_id: str | None
    source: str
    pending: list[ChangeEvent] = field(default_factory=list, repr=False)
    gathering: bool = False
    removed: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


class Notifier:
    """The endpoints of all apps, and what they are told."""

    def __init__(self, *, clock: Clock, switches: QuickBooksSwitches, faults: FaultPlan) -> None:
        self.deliveries = Deliveries(system="quickbooks", clock=clock, faults=faults)
        #: Whether an app may act for a company; the world knows.
        self.is_connected: Callable[[str, str], bool] = lambda _client_id, _realm_id: True
        self._clock = clock
        self._switches = switches
        self._endpoints: dict[str, Endpoint] = {}
        self._ids = itertools.count(1)

    def endpoints(self) -> list[Endpoint]:
        """All endpoints, oldest first."""
        return list(self._endpoints.values())

    def add(self, *, url: str, client_id: str, verifier_token: str, realm_id: str | None = None) -> Endpoint:
        """Register an endpoint, as a developer does in Intuit's portal.

        Raises:
            ValueError: The URL is no http or https one.
        """
        try:
            origin_of(url)
        except PostError as error:
            raise ValueError(str(error)) from error
        endpoint = Endpoint(
            id=str(next(self._ids)),
            url=url,
            client_id=client_id,
            verifier_token=verifier_token,
            realm_id=realm_id,
            source=f"intuit.{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        )
        self._endpoints[endpoint.id] = endpoint
        return endpoint

    def remove(self, endpoint_id: str) -> bool:
        """Take an endpoint out; what it was to be told is dropped. False if there is none."""
        endpoint = self._endpoints.pop(endpoint_id, None)
        if endpoint is None:
            return False
        endpoint.removed = True
        endpoint.pending.clear()
        return True

    def hear(self, event: ChangeEvent) -> None:
        """Take in a change."""
        if not self._endpoints or not is_heard(event):
            return
        for endpoint in self._endpoints.values():
            mine = endpoint.realm_id in {None, event.realm_id}
            if mine and self.is_connected(endpoint.client_id, event.realm_id):
                self.deliveries.tallies[endpoint.id].counts["events"] += 1
                endpoint.pending.append(event)
                self._gather(endpoint)

    def shown(self) -> list[dict[str, Any]]:
        """Every endpoint with what became of its notices, as JSON."""
        return [
            {
                "id": endpoint.id,
                "url": endpoint.url,
                "client_id": endpoint.client_id,
                "realm_id": endpoint.realm_id,
                "pending": len(endpoint.pending),
                **self.deliveries.tallies[endpoint.id].as_dict(),
            }
            for endpoint in self._endpoints.values()
        ]

    async def close(self) -> None:
        """Drop what waits and what is under way."""
        await self.deliveries.close()

    def _gather(self, endpoint: Endpoint) -> None:
        if endpoint.gathering:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # Without a loop nothing runs yet; the next change takes this one along.
        endpoint.gathering = True
        self.deliveries.start(self._tell(endpoint))

    async def _tell(self, endpoint: Endpoint) -> None:
        try:
            await self._clock.sleep(self._switches.webhook_aggregation_seconds)
        finally:
            endpoint.gathering = False
        if not self._switches.webhook_withholds:
            await self._deliver(endpoint)
            return
        async with endpoint.turn:
            await self._deliver(endpoint)

    async def _deliver(self, endpoint: Endpoint) -> None:
        events, endpoint.pending = endpoint.pending, []
        if not events:
            return
        parcel = self._parcel(endpoint, notice(events, source=endpoint.source, switches=self._switches))
        for wait in _waits():
            status = await self.deliveries.attempt(parcel)
            if status == HTTPStatus.OK or endpoint.removed:
                return
            await self._clock.sleep(wait * self._switches.webhook_retry_factor)

    def _parcel(self, endpoint: Endpoint, body: bytes) -> Parcel:
        trace_id = str(uuid.uuid4())
        created = legacy_time(self._clock.now())

        def headers(bad: bool) -> Mapping[str, str]:  # noqa: FBT001 - as a Parcel has it
            key = secrets.token_hex() if bad else endpoint.verifier_token
            return {
                "content-type": "application/json; charset=utf-8",
                SIGNATURE_HEADER: signature(body, key),
                "intuit-t-id": trace_id,
                "intuit-created-time": created,
                "intuit-notification-schema-version": "0.1",
                "user-agent": "intuit_notification_server/0.1",
                "accept": "*/*",
            }

        return Parcel(
            url=endpoint.url,
            body=body,
            headers=headers,
            timeout=self._switches.webhook_timeout_seconds,
            wanted=lambda: not endpoint.removed,
            tally=self.deliveries.tallies[endpoint.id],
        )


def _waits() -> Iterator[int]:
    return itertools.chain(RETRY_WAITS, itertools.repeat(RETRY_WAITS[-1]))
