"""Requests that are under way while their sender goes on with something else.

The thread of its own does nothing but send and wait. Whether a request may start is decided before, what its
answer means after, both in the sender's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass

import requests

from target_quickbooks.quickbooks.governor import IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent, whoever it is sent for.

    Attributes:
        request: Without authorization.
        batch: Whether it counts as a batch for the rate limits.
        writes: Whether it may change the company.
    """

    request: requests.Request
    batch: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Underway:
    """A request that was sent.

    Attributes:
        call: What was sent.
        token: The access token it was sent with.
        arriving: Its answer, or how it failed.
    """

    call: Call
    token: str
    arriving: Future[requests.Response]


class Wires:
    """Threads to send in."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    def send(
        self, deliver: Callable[[], requests.Response], place: AbstractContextManager[object]
    ) -> Future[requests.Response]:
        """Deliver something in another thread, and leave its place when the answer has come."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="quickbooks")

        def exchange() -> requests.Response:
            with place:
                return deliver()

        return self._threads.submit(exchange)
