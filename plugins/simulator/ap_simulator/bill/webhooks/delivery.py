"""Sends notifications, signs them, tries again, and gives a receiver up (BILL manual 5.6).

A receiver has ten seconds to answer 200. All else is tried again 2, 4, 8 and 16 seconds later, on
the simulator's clock; after that the subscription is disabled. Requests never wait for a delivery:
each one is a task of its own, and the blocking HTTP client runs in a few threads.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

import requests

from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.webhooks.history import Event
from ap_simulator.bill.webhooks.subscriptions import Subscription
from ap_simulator.bill.wire import to_json
from ap_simulator.clock import Clock

logger = logging.getLogger(__name__)

SIGNATURE_HEADER: Final = "x-bill-sha-signature"
RETRY_WAITS: Final = (2, 4, 8, 16)
_THREADS: Final = 16


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

    def __init__(self, *, clock: Clock, switches: BillSwitches) -> None:
        self._clock = clock
        self._switches = switches
        self._waiting: deque[tuple[Subscription, Event]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def busy(self) -> bool:
        """Whether deliveries are waiting or under way."""
        return bool(self._waiting or self._tasks)

    def send(self, subscription: Subscription, event: Event) -> None:
        """Deliver an event in due course, with retries."""
        self._waiting.append((subscription, event))
        self.wake()

    def wake(self) -> None:
        """Begin what waits, if an event loop runs; what is sent without one waits for a request."""
        if not self._waiting:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        while self._waiting:
            task = loop.create_task(self._deliver(*self._waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def send_once(self, subscription: Subscription, event: Event) -> bool:
        """Deliver an event now, once; True if the receiver took it."""
        payload, switches = event.payload, self._switches
        body = notification_body(payload, switches)
        signed = payload if switches.webhook_signature_over == "payload" else body
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "BILL-Webhooks",
            SIGNATURE_HEADER: signature(signed, subscription.security_key, switches),
        }
        event.status_code = await self._post(subscription.url, body, headers)
        return event.status_code == HTTPStatus.OK

    async def close(self) -> None:
        """Drop all deliveries."""
        self._waiting.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    async def _deliver(self, subscription: Subscription, event: Event) -> None:
        for wait in (0, *RETRY_WAITS):
            if wait:
                await self._clock.sleep(wait * self._switches.webhook_retry_factor)
            if not subscription.enabled or await self.send_once(subscription, event):
                return
        if subscription.enabled:
            logger.info("Subscription %s is disabled: its receiver fails", subscription.id)
            subscription.disable(self._clock.now())

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        """The status that the receiver answers; None if it does not in time."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="bill-webhook")
        timeout = self._switches.webhook_timeout_seconds
        loop = asyncio.get_running_loop()
        posting = loop.run_in_executor(self._threads, _post, url, body, headers, timeout)
        try:
            return await asyncio.wait_for(posting, timeout)
        except TimeoutError:
            return None


def _post(url: str, body: bytes, headers: dict[str, str], timeout: float) -> int | None:
    try:
        with requests.Session() as session:
            # Neither proxies nor credentials of whoever runs the simulator.
            session.trust_env = False
            with session.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                return response.status_code
    except (requests.RequestException, OSError, ValueError):
        return None
