"""HTTP to the QuickBooks Online API: authorised, governed, repeated where repeating is safe.

Writes always carry a ``requestid``, so that repeating one whose answer was lost does not apply it twice
(QuickBooks manual 5).
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from target_quickbooks.errors import TemporaryError
from target_quickbooks.exact_json import to_json
from target_quickbooks.quickbooks.answers import OddAnswer, by_batch_id, rows_of
from target_quickbooks.quickbooks.faults import Recovery, faults_in
from target_quickbooks.quickbooks.governor import IN_FLIGHT, Governor
from target_quickbooks.quickbooks.query import PAGE, select_page
from target_quickbooks.quickbooks.repeating import (
    Again,
    Attempts,
    Unanswered,
    is_unreachable,
    kept_failing,
)
from target_quickbooks.quickbooks.responses import (
    Answer,
    BatchAnswer,
    Refused,
    clock_ahead,
    is_stale,
    judged,
    make_sure,
)
from target_quickbooks.quickbooks.underway import Call, Underway

MINOR_VERSION = "75"
BATCH_SIZE = 30
_ROWS_PER_BATCH = 1000
#: The objects of a batch were more than that (QuickBooks manual 4.2); each of its queries may have so many.
_TOO_MUCH = "10100"
_TIMEOUT = (10, 130)

logger = logging.getLogger("target-quickbooks")


class AccessTokens(Protocol):
    """What gives access tokens."""

    def access_token(self, *, refused: str | None = None) -> str:
        """A valid token, another one than the token that was refused."""


@dataclass(slots=True)
class CallCount:
    """How many requests a run sent, for its report; ``repeats`` of them were sent again."""

    reads: int = 0
    writes: int = 0
    repeats: int = 0
    throttled: int = 0

    def count(self, *, writes: bool) -> None:
        """Count one request on its way out."""
        if writes:
            self.writes += 1
        else:
            self.reads += 1


class QuickBooksClient:
    """The API of one realm.

    Raises (from every call):
        CompanyRefused: The realm, plan, user or subscription is refused.
        GrantDead, SettingsError: From the token source.
        TemporaryError: Retrying did not help within the time the settings allow.
        Refused: The request itself is refused.
    """

    def __init__(
        self,
        *,
        api_url: str,
        realm_id: str,
        tokens: AccessTokens,
        governor: Governor,
        user_agent: str,
        max_retry_seconds: float,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.calls = CallCount()
        #: By how much this machine's clock is ahead of QuickBooks', as far as its last answer tells.
        self.clock_ahead = dt.timedelta(0)
        self._base = f"{api_url}/v3/company/{realm_id}"
        self._realm_id = realm_id
        self._tokens = tokens
        self._governor = governor
        self._max_retry_seconds = max_retry_seconds
        self._session = session or requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self._sleep = sleep
        self._threads = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="quickbooks")

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Give up requests after so much time, if that is less than the settings allow."""
        before = self._max_retry_seconds
        self._max_retry_seconds = min(before, seconds)
        try:
            yield
        finally:
            self._max_retry_seconds = before

    def query(self, statement: str) -> list[Mapping[str, Any]]:
        """The rows of one statement (at most 1,000)."""
        call = self._call("/query", body=statement, content_type="application/text")
        answer = self._send(call, check=lambda body: rows_of(statement, body))
        return rows_of(statement, answer.body)

    def queries(self, statements: Sequence[str], *, rows_each: int = 150) -> list[list[Mapping[str, Any]]]:
        """The rows of several statements, in as few requests as the batch limits allow.

        Args:
            statements: SELECT statements.
            rows_each: At most so many rows come back for each: a batch returns 1,000 objects in all.
        """
        if len(statements) == 1:
            return [self.query(statements[0])]
        size = max(1, min(BATCH_SIZE, _ROWS_PER_BATCH // max(rows_each, 1)))
        results: list[list[Mapping[str, Any]]] = []
        for start in range(0, len(statements), size):
            part = statements[start : start + size]
            items = [{"bId": str(number), "Query": text} for number, text in enumerate(part)]
            answers = self.batch(items).by_id
            results.extend(
                self._query_rows(text, answers.get(str(number))) for number, text in enumerate(part)
            )
        return results

    def every(self, entity: str, *, where: str = "") -> list[Mapping[str, Any]]:
        """All objects of an entity, read in pages of 1,000."""
        rows: list[Mapping[str, Any]] = []
        while True:
            page = self.query(select_page(entity, len(rows) + 1, where=where))
            rows.extend(page)
            if len(page) < PAGE:
                return rows

    def changes(
        self, entities: Sequence[str], since: str, check: Callable[[Mapping[str, Any]], object]
    ) -> Mapping[str, Any]:
        """One answer of change data capture, asked for again where ``check`` finds it odd."""
        params = {"entities": ",".join(entities), "changedSince": since}
        return self._send(self._call("/cdc", params=params), check=check).body

    def read(self, entity: str, quickbooks_id: str) -> Mapping[str, Any]:
        """One object by id."""
        answer = self._send(self._call(f"/{entity.lower()}/{quickbooks_id}"))
        found = answer.body.get(entity)
        return found if isinstance(found, Mapping) else {}

    def begin(self, items: Sequence[Mapping[str, Any]], *, request_id: str) -> Underway:
        """Send a batch of writes and return at once; ``batch`` takes its answer.

        Waits only for its turn under the rate limits. What is raised is raised before anything is sent.
        """
        call = self._batch(items, request_id)
        token = self._tokens.access_token()
        prepared, surroundings = self._prepared(call, token)
        place = ExitStack()
        place.enter_context(self._governor.request(batch=True))
        self.calls.count(writes=call.writes)

        def exchange() -> requests.Response:
            with place:
                return self._deliver(prepared, surroundings)

        return Underway(call, token, self._threads.submit(exchange))

    def batch(
        self,
        items: Sequence[Mapping[str, Any]],
        *,
        request_id: str = "",
        failures: int | None = None,
        seconds: float | None = None,
        begun: Underway | None = None,
    ) -> BatchAnswer:
        """Send up to 30 items; an item's answer is its own, the others are not touched by its fault.

        Args:
            items: The items.
            request_id: For writes.
            failures: Give up after so many errors of QuickBooks' own in a row.
            seconds: Give up after so much time, in place of what the settings allow.
            begun: The first attempt, if it is under way; others follow where it does not suffice.

        Raises:
            Unanswered: As often or as long as ``failures`` allows, QuickBooks' servers failed.
        """
        answer = self._send(
            begun.call if begun else self._batch(items, request_id),
            check=by_batch_id,
            attempts=Attempts(self._max_retry_seconds if seconds is None else seconds, failures),
            begun=begun,
        )
        by_id, ambiguous = by_batch_id(answer.body)
        strangers = by_id.keys() - {str(item["bId"]) for item in items}
        return BatchAnswer(by_id, answer.tid, repeated=answer.repeated, mixed_up=ambiguous or bool(strangers))

    def _query_rows(self, statement: str, item: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
        """The rows of one query of a batch; asked again by itself where the batch left it undecided."""
        faults = faults_in(item) if item else []
        if item is None or (faults and (faults[0].recovery is Recovery.RETRY or faults[0].code == _TOO_MUCH)):
            return self.query(statement)
        if faults:
            raise Refused(faults)
        try:
            return rows_of(statement, item)
        except OddAnswer:
            return self.query(statement)

    def _batch(self, items: Sequence[Mapping[str, Any]], request_id: str) -> Call:
        return self._call(
            "/batch",
            params={"requestid": request_id} if request_id else {},
            body=to_json({"BatchItemRequest": list(items)}),
            content_type="application/json",
            batch=True,
            writes=bool(request_id),
        )

    def _call(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: str | None = None,
        content_type: str = "",
        batch: bool = False,
        writes: bool = False,
    ) -> Call:
        request = requests.Request(
            "GET" if body is None else "POST",
            self._base + path,
            params={"minorversion": MINOR_VERSION, **(params or {})},
            data=body.encode() if body is not None else None,
            headers={"Content-Type": content_type} if content_type else {},
        )
        return Call(request, batch, writes)

    def _send(
        self,
        call: Call,
        *,
        check: Callable[[Mapping[str, Any]], object] = lambda _: None,
        attempts: Attempts | None = None,
        begun: Underway | None = None,
    ) -> Answer:
        attempts = attempts or Attempts(self._max_retry_seconds)
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(Again),
                stop=attempts.reached,
                wait=attempts.wait,
                before_sleep=self._note_repeat,
                sleep=self._sleep,
                reraise=True,
            ):
                with attempt:
                    repeated = attempt.retry_state.attempt_number > 1
                    answer = self._once(call, attempts, repeated=repeated, begun=None if repeated else begun)
                    make_sure(answer.body, check)
                    return answer
        except Again as error:
            if attempts.failures and error.arrived:
                raise Unanswered(str(error), slept=attempts.slept) from None
            raise TemporaryError(kept_failing(str(error))) from None
        raise AssertionError  # pragma: no cover - Retrying either returns or raises

    def _once(self, call: Call, attempts: Attempts, *, repeated: bool, begun: Underway | None) -> Answer:
        """One request, and one more with a new token if the first token is refused."""
        token = begun.token if begun else self._tokens.access_token()
        response = self._arrived(begun.arriving.result) if begun else self._exchange(call, token, attempts)
        if is_stale(response):
            token = self._tokens.access_token(refused=token)
            response = self._exchange(call, token, attempts)
        try:
            return replace(judged(response, self._realm_id), repeated=repeated)
        except Refused as refused:
            refused.repeated = repeated
            raise

    def _exchange(self, call: Call, token: str, attempts: Attempts) -> requests.Response:
        prepared, surroundings = self._prepared(call, token)
        queued_at = time.monotonic()
        with self._governor.request(batch=call.batch):
            attempts.queued += time.monotonic() - queued_at
            self.calls.count(writes=call.writes)
            return self._arrived(lambda: self._deliver(prepared, surroundings))

    def _prepared(self, call: Call, token: str) -> tuple[requests.PreparedRequest, Mapping[str, Any]]:
        """The request as it is sent, and how this machine's surroundings have it sent."""
        prepared = self._session.prepare_request(call.request)
        prepared.headers["Authorization"] = f"Bearer {token}"
        return prepared, self._session.merge_environment_settings(prepared.url, {}, None, None, None)

    def _deliver(
        self, prepared: requests.PreparedRequest, surroundings: Mapping[str, Any]
    ) -> requests.Response:
        """Send and wait, in whatever thread; the clocks are compared when the answer comes."""
        response = self._session.send(prepared, timeout=_TIMEOUT, allow_redirects=False, **surroundings)
        self.clock_ahead = clock_ahead(response, self.clock_ahead)
        return response

    @staticmethod
    def _arrived(receive: Callable[[], requests.Response]) -> requests.Response:
        """What came back, whatever it says."""
        try:
            return receive()
        except requests.RequestException as error:
            raise Again(type(error).__name__, arrived=not is_unreachable(error)) from None

    def _note_repeat(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0
        self.calls.repeats += 1
        if isinstance(error, Again) and error.throttled:
            self.calls.throttled += 1
            self._governor.close_for(wait)
        logger.info("QuickBooks: %s; trying again in %.1f s.", error, wait)
