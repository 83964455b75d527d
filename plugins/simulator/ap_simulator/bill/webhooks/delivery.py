"""Sends notifications, signs them, tries again, and gives a receiver up (BILL manual 5.6).

A receiver has ten seconds to answer 200. All else is tried again 2, 4, 8 and 16 seconds later, on
the simulator's clock; after that the subscription is disabled.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.webhooks.history import Event
from ap_simulator.bill.webhooks.subscriptions import Subscription, new_security_key
from ap_simulator.bill.wire import to_json
from ap_simulator.clock import Clock
from ap_simulator.deliveries import Deliveries, Parcel
from ap_simulator.faults import FaultPlan

logger = logging.getLogger(__name__)

SIGNATURE_HEADER: Final = "x-bill-sha-signature"
RETRY_WAITS: Final = (2, 4, 8, 16)


def notification_body(payload: bytes, switches: BillSwitches) -> bytes:
    """The body that carries a payload."""
    match switches.webhook_body:
        case "escaped":
            return to_json(payload.decode())
        case "wrapped":
            return to_json({"payload": payload.decode()})
        case _:
            return payload


def signature(message: bytes, key: str, switches: BillSwitches) -> str:
    """base64(HMAC-SHA256(security key, message))."""
    secret = base64.b64decode(key) if switches.webhook_key_encoding == "base64" else key.encode()
    return base64.b64encode(hmac.digest(secret, message, hashlib.sha256)).decode()


class Courier:
    """Delivers the events of all organizations."""

    def __init__(self, *, clock: Clock, switches: BillSwitches, faults: FaultPlan) -> None:
        self.deliveries = Deliveries(system="bill", clock=clock, faults=faults)
        self._clock = clock
        self._switches = switches
        self._waiting: deque[tuple[Subscription, Event]] = deque()

    @property
    def under_way(self) -> int:
        """How many deliveries wait or are under way."""
        return len(self._waiting) + self.deliveries.under_way

    @property
    def busy(self) -> bool:
        """Whether deliveries are waiting or under way."""
        return self.under_way > 0

    def send(self, subscription: Subscription, event: Event) -> None:
        """Deliver an event in due course, with retries."""
        self.deliveries.tallies[subscription.id].counts["events"] += 1
        self._waiting.append((subscription, event))
        self.wake()

    def wake(self) -> None:
        """Begin what waits, if an event loop runs; what is sent without one waits for a request."""
        if not self._waiting:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        while self._waiting:
            self.deliveries.start(self._deliver(*self._waiting.popleft()))

    async def send_once(
        self, subscription: Subscription, event: Event, *, while_enabled: bool = False
    ) -> bool:
        """Deliver an event now, once; True if the receiver took it.

        Args:
            subscription: To whom.
            event: What.
            while_enabled: Whether it is not sent once the subscription is disabled.
        """
        payload, switches = event.payload, self._switches
        body = notification_body(payload, switches)
        signed = payload if switches.webhook_signature_over == "payload" else body

        def headers(bad: bool) -> Mapping[str, str]:  # noqa: FBT001 - as a Parcel has it
            key = new_security_key() if bad else subscription.security_key
            return {
                "Content-Type": "application/json",
                "User-Agent": "BILL-Webhooks",
                SIGNATURE_HEADER: signature(signed, key, switches),
            }

        parcel = Parcel(
            url=subscription.url,
            body=body,
            headers=headers,
            timeout=switches.webhook_timeout_seconds,
            wanted=lambda: subscription.enabled or not while_enabled,
            tally=self.deliveries.tallies[subscription.id],
        )
        event.status_code = await self.deliveries.attempt(parcel)
        return event.status_code == HTTPStatus.OK

    async def close(self) -> None:
        """Drop all deliveries."""
        self._waiting.clear()
        await self.deliveries.close()

    async def _deliver(self, subscription: Subscription, event: Event) -> None:
        for wait in (0, *RETRY_WAITS):
            if wait:
                await self._clock.sleep(wait * self._switches.webhook_retry_factor)
            if not subscription.enabled:
                return
            if await self.send_once(subscription, event, while_enabled=True) or not subscription.enabled:
                return
        self.deliveries.tallies[subscription.id].counts["given_up"] += 1
        logger.info("Subscription %s is disabled: its receiver fails", subscription.id)
        subscription.disable(self._clock.now())
