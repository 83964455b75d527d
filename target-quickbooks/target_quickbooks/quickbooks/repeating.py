"""When a request to QuickBooks is sent again, after what wait, and when it is given up (manual 8)."""

from __future__ import annotations

import requests
from tenacity import RetryCallState
from tenacity.wait import wait_exponential_jitter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from target_quickbooks.errors import TemporaryError

_LONGEST_WAIT = 60
#: The limit of a second is over by then, the limit of a minute a minute later: which of them is meant, a
#: throttle answer without Retry-After does not tell.
_THROTTLED_FIRST, _THROTTLED_AGAIN = 2.0, 60.0

_backoff = wait_exponential_jitter(multiplier=0.5, max=_LONGEST_WAIT, jitter=0.5)


class Again(Exception):
    """The request may be repeated, not before ``seconds`` have passed.

    Attributes:
        throttled: QuickBooks has asked for the wait.
        arrived: The request may have reached QuickBooks and may itself be why it was not answered.
    """

    def __init__(
        self, reason: str, *, seconds: float = 0.0, throttled: bool = False, arrived: bool = True
    ) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.throttled = throttled
        self.arrived = arrived and not throttled


class Unanswered(TemporaryError):
    """QuickBooks' servers failed over a request as often as the caller lets them.

    Attributes:
        reason: How they failed last.
        slept: Seconds that were waited between the attempts.
    """

    def __init__(self, reason: str, *, slept: float = 0.0) -> None:
        super().__init__(kept_failing(reason))
        self.reason = reason
        self.slept = slept


class Attempts:
    """When to give up repeating one request.

    Time spent waiting for a turn under the rate limits does not count: it says nothing of QuickBooks.

    Args:
        seconds: Give up when so much time has passed.
        failures: Give up after so many errors of QuickBooks' own in a row.
    """

    def __init__(self, seconds: float, failures: int | None = None) -> None:
        self._seconds = seconds
        self._in_a_row = 0
        self._throttles = 0
        self.failures = failures
        self.slept = 0.0
        #: Seconds spent waiting for a turn so far.
        self.queued = 0.0

    def reached(self, state: RetryCallState) -> bool:
        """Asked after each failed attempt."""
        error = _error(state)
        self.slept = state.idle_for
        self._in_a_row = self._in_a_row + 1 if error and error.arrived else 0
        enough = self.failures is not None and self._in_a_row >= self.failures
        return enough or self._left(state) <= 0

    def wait(self, state: RetryCallState) -> float:
        """How long to wait before the next attempt: not beyond the end, unless QuickBooks asks for it."""
        error = _error(state)
        self._throttles = self._throttles + 1 if error and error.throttled else 0
        if error and error.throttled:
            return error.seconds or (_THROTTLED_FIRST if self._throttles == 1 else _THROTTLED_AGAIN)
        return min(max(error.seconds if error else 0.0, _backoff(state)), self._left(state))

    def _left(self, state: RetryCallState) -> float:
        """At least what was slept has passed."""
        return self._seconds - max((state.seconds_since_start or 0.0) - self.queued, state.idle_for)


def kept_failing(reason: str) -> str:
    """What to say when repeating did not help."""
    return f"QuickBooks kept failing ({reason}). Nothing is lost: run again later."


def retry_after(response: requests.Response) -> float:
    """The seconds that an answer asks to wait, a minute at most; 0 if it does not say."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), _LONGEST_WAIT) if value.isdecimal() else 0.0


def is_unreachable(error: requests.RequestException) -> bool:
    """Whether not even a connection came about."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(
        reason, NewConnectionError | ConnectTimeoutError
    )


def _error(state: RetryCallState) -> Again | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Again) else None
