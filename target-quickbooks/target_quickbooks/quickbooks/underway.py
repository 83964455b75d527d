"""Requests that are under way while their sender goes on with something else.

The thread of its own does nothing but send and wait. Whether a request may start is decided before, what its
answer means after, both in the sender's thread.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

import requests


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
