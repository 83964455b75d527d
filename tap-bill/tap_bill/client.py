"""The HTTP side of talking to BILL: one kept-alive connection, time limits, and trying again.

What an answer means is read in `tap_bill.answers`; this module acts on it. It knows neither streams
nor the login, only that a call may need the session renewed once.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import requests
from requests.adapters import HTTPAdapter
from singer_sdk.exceptions import RetriableAPIError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from tap_bill import answers, errors
from tap_bill.limits import Governor

#: Seconds for connecting and for each wait for bytes. BILL answers a page in well under a second.
TIMEOUT: Final = 60

#: Waits between attempts in seconds, doubling from the first to the longest, each with jitter.
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 30.0
#: Attempts to reach a host that has never answered: probably a wrong address, not a hiccup.
_FIRST_CONTACT_ATTEMPTS: Final = 3

#: Bytes of a body to ask for at a time. By itself, `requests` asks for 10 KiB; a thread that reads a page so
#: has to wait for its turn ten times while another one writes.
_AT_A_TIME: Final = 2**20

_T = TypeVar("_T")
_log = logging.getLogger("tap-bill")


class BillClient:
    """Sends requests to BILL and repeats them where that helps.

    Attributes:
        http: The connection pool; what is sent through it keeps the connection alive.
        base_url: Without a slash at its end, such as `https://gateway.prod.bill.com/connect`.
    """

    def __init__(
        self,
        *,
        base_url: str,
        user_agent: str,
        max_concurrency: int,
        max_retry_seconds: float = 300,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to talk; nothing is sent yet.

        Args:
            base_url: Address of the API.
            user_agent: Value of the `User-Agent` header.
            max_concurrency: Connections to keep.
            max_retry_seconds: A call is given up when its failures have taken longer.
            sleep: Waits for some seconds.
            monotonic: A clock for durations, in seconds.
        """
        self.base_url = base_url
        self.http = _connection_pool(base_url, user_agent=user_agent, connections=max_concurrency)
        self.http.hooks["response"].append(self._answered)
        self._max_retry_seconds = max_retry_seconds
        self._sleep = sleep
        self._monotonic = monotonic
        self._reached = False
        self._ahead = timedelta()

    def server_now(self) -> datetime:
        """The time in UTC by BILL's clock, or by ours before BILL's first answer."""
        return datetime.now(UTC) + self._ahead

    def _answered(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._reached = True
        try:
            theirs = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return
        if theirs.tzinfo is not None:
            self._ahead = theirs - datetime.now(UTC)

    def get(self, prepared: requests.PreparedRequest) -> tuple[requests.Response, bytes]:
        """Send a request once.

        Returns:
            The answer and its body.

        Raises:
            requests.exceptions.RequestException: Nothing readable came back.
        """
        response = self.http.send(prepared, timeout=TIMEOUT, allow_redirects=False, stream=True)
        return response, b"".join(response.iter_content(_AT_A_TIME))

    def post(self, path: str, body: dict[str, str], call: answers.Call) -> Any:
        """Send one POST without a session (the login) and decode the answer.

        Raises:
            FatalAPIError: See `answers.read`.
            RetriableAPIError: See `answers.read`.
            requests.exceptions.RequestException: Nothing readable came back.
        """
        response = self.http.post(
            f"{self.base_url}{path}",
            json=body,
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        return answers.read(response.status_code, response.content, call)

    def run(
        self,
        attempt: Callable[[], _T],
        *,
        call: answers.Call,
        governor: Governor,
        renew: Callable[[], None] | None = None,
    ) -> _T:
        """Make a call, repeating it as its failures allow.

        Args:
            attempt: Makes the call once.
            call: What it is, for messages.
            governor: Keeps BILL's limits.
            renew: Declares the session expired, so that the next attempt logs in. It is used at most
                once. None if the call has no session.

        Raises:
            FatalAPIError: Repeating is no use, or has been of none.
        """
        patience = _Patience(self._max_retry_seconds, self._monotonic)
        hourly = 0
        renewed = renew is None
        while True:
            try:
                with governor.slot():
                    return attempt()
            except errors.SessionExpiredError as error:
                if renewed or renew is None:
                    raise _refused_twice(error, call) from None
                renew()
                renewed = True
            except errors.HourlyLimitError as error:
                hourly += 1
                with patience.paused():
                    governor.wait_out(error, nth=hourly)
            except RetriableAPIError as error:
                self._pause(patience, str(error), error)
            except requests.exceptions.RequestException as error:
                self._pause(patience, self._in_words(error, call), error, unreached=_unreached(error))

    def _pause(self, patience: _Patience, what: str, error: Exception, *, unreached: bool = False) -> None:
        """Wait before the next attempt, or raise if there is to be none."""
        wait = patience.next_wait()
        if wait is None or (unreached and not self._reached and patience.failures >= _FIRST_CONTACT_ATTEMPTS):
            msg = f"{what}; gave up after {patience.failures} attempts"
            raise errors.GaveUpError(msg) from error
        _log.warning("%s; trying again in %.1f s", what, wait)
        self._sleep(wait)

    def _in_words(self, error: requests.exceptions.RequestException, call: answers.Call) -> str:
        if _unreached(error):
            return f"could not reach {self.base_url}: check api_url, environment and the network"
        if isinstance(error, requests.exceptions.Timeout):
            return f"{call.what} was not answered within {TIMEOUT} s"
        return f"{call.what}: the connection broke ({type(error).__name__})"


class _Patience:
    """The waits between the attempts of one call: doubling, with jitter, and not for ever."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._started = monotonic()
        self.failures = 0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens in the block costs no patience."""
        began = self._monotonic()
        yield
        self._started += self._monotonic() - began

    def next_wait(self) -> float | None:
        """Seconds until the next attempt; None if patience has run out."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(self.failures, 9))
        self.failures += 1
        if self._monotonic() - self._started >= self._seconds:
            return None
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter


def _connection_pool(base_url: str, *, user_agent: str, connections: int) -> requests.Session:
    pool = requests.Session()
    pool.headers["User-Agent"] = user_agent
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
    pool.mount("https://", adapter)
    pool.mount("http://", adapter)
    # `send` ignores REQUESTS_CA_BUNDLE, which networks with an inspecting proxy rely on, and reads the
    # other variables anew for every call. A host entry in ~/.netrc must not add its header either.
    environment = pool.merge_environment_settings(base_url, {}, None, None, None)
    pool.proxies = environment["proxies"]
    pool.verify, pool.cert = environment["verify"], environment["cert"]
    pool.trust_env = False
    return pool


def _unreached(error: requests.exceptions.RequestException) -> bool:
    """Whether not even a connection came about."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(
        cause.reason, (NewConnectionError, ConnectTimeoutError)
    )


def _refused_twice(error: errors.SessionExpiredError, call: answers.Call) -> errors.SessionRefusedError:
    msg = (
        f"{error}, although it had just logged in: check that dev_key is the one of this user's "
        f"environment ({call.place}), and that no other program logs the user out"
    )
    return errors.SessionRefusedError(msg)
