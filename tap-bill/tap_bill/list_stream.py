"""How a list of BILL becomes a Singer stream: requests, pages, records, bookmarks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from weakref import WeakKeyDictionary

import requests
from singer_sdk import RESTStream, SchemaDirectory, StreamSchema, Tap
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Auth, Context, Record, RequestFunc
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.streams.rest import HTTPRequest, PageContext
from typing_extensions import override

from tap_bill import answers, schemas, timestamps
from tap_bill.bookmarks import ACTIVE, ARCHIVED, Bookmarks
from tap_bill.client import TIMEOUT
from tap_bill.connection import Connection
from tap_bill.errors import RequestRefusedError
from tap_bill.reading import Reading
from tap_bill.records import RecordShape
from tap_bill.walk import PRESUMED, PageRequest, Query, Walk

_SCHEMAS: Final = SchemaDirectory(schemas)


@dataclass(slots=True)
class Page:
    """What an answer held: its records until they are taken, and its `nextPage`."""

    records: list[dict[str, Any]]
    next_page: str | None = None

    def take(self) -> list[dict[str, Any]]:
        """The records. An answer lives on until the collector finds it, its records need not."""
        taken, self.records = self.records, []
        return taken


class WalkPaginator(BaseAPIPaginator[PageRequest]):
    """Lets the SDK's paging follow a walk."""

    def __init__(self, walk: Walk, pages: Mapping[requests.Response, Page], *, single: bool = False) -> None:
        """Follow `walk`, for a `single` page or to its end; `pages` has what the answers held."""
        super().__init__(walk.request)
        self._walk = walk
        self._pages = pages
        self._single = single

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True

    @override
    def get_next(self, response: requests.Response) -> PageRequest | None:
        return None if self._single else self._walk.advance(self._pages[response].next_page)


class BillStream(RESTStream[PageRequest]):
    """A list of BILL: incremental on `updatedTime` as far as BILL lets it be.

    What the tap needs of BILL is asked for through `connect` and made only when the first record is
    wanted, so that discovery works without settings and without a network.
    """

    primary_keys = ("id",)
    replication_key = "updatedTime"
    schema = StreamSchema(_SCHEMAS)
    allow_redirects = False
    STATE_MSG_FREQUENCY = 250
    # Records are brought into shape by `RecordShape`, which is faster and keeps nested surprises out.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    #: Ways to ask for the list, best first.
    queries: tuple[Query, ...] = PRESUMED

    def __init__(self, tap: Tap, connect: Callable[[], Connection]) -> None:
        """Belong to `tap`."""
        super().__init__(tap)
        self._connect = connect
        self._pages: WeakKeyDictionary[requests.Response, Page] = WeakKeyDictionary()
        self._current: Reading | None = None

    @property
    def connection(self) -> Connection:
        """The connection that all streams share."""
        return self._connect()

    # What the SDK asks for ------------------------------------------------------------------------

    @property
    @override
    def is_sorted(self) -> bool:
        """The bookmark is kept by `Reading`, which knows how far a walk can be resumed."""
        return True

    @property
    @override
    def url_base(self) -> str:
        return self.connection.settings.base_url

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        return {"Accept": "application/json"}

    @property
    @override
    def timeout(self) -> int:
        return TIMEOUT

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.connection.client.http

    @property
    @override
    def authenticator(self) -> Auth:
        return self.connection.session

    @override
    def build_prepared_request(self, *args: Any, **kwargs: Any) -> requests.PreparedRequest:
        # Authentication happens when the request is sent, where a failed login can be repeated.
        return self.requests_session.prepare_request(requests.Request(*args, **kwargs))

    @override
    def get_http_request(self, *, page: PageContext[PageRequest]) -> HTTPRequest:
        asked = page.next_page_token or self._reading.walk.request
        filters = [] if asked.since is None else [f'updatedTime:gte:"{timestamps.for_filter(asked.since)}"']
        if self._reading.archived_only:
            filters.append("archived:eq:true")
        if self._reading.ids:
            filters.append(f'id:in:"{",".join(sorted(self._reading.ids))}"')
        return HTTPRequest(
            url=self.get_url(page.stream_context),
            headers=self.http_headers,
            params={
                "max": self.connection.settings.page_size,
                "sort": asked.sort,
                "filters": ",".join(filters) or None,
                "page": asked.token,
            },
        )

    @override
    def get_new_paginator(self) -> WalkPaginator:
        return WalkPaginator(self._reading.walk, self._pages, single=bool(self._reading.ids))

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        connection = self.connection

        def send(prepared: requests.PreparedRequest, context: Context | None) -> requests.Response:
            return connection.client.run(
                lambda: func(prepared, context),
                call=self.call,
                governor=connection.governor,
                renew=lambda: connection.session.expire(prepared.headers.get("sessionId")),
            )

        return send

    @override
    def validate_response(self, response: requests.Response) -> None:
        decoded = answers.read(response.status_code, response.content, self.call)
        self._pages[response] = self.page_of(decoded)

    @override
    def parse_response(self, response: requests.Response) -> Iterator[dict[str, Any]]:
        reading = self._reading
        organization_id = self.connection.session.organization_id
        page = [
            {**self._shape.conform(record), "organizationId": organization_id}
            for record in self._pages[response].take()
        ]
        if reading.archived_only:
            # Others can only come from a list that ignores the filter, and then they came before.
            page = [record for record in page if record.get("archived")]
        if reading.ids:
            page = [record for record in page if record["id"] in reading.ids]
        wanted = reading.walk.take(page)
        self._log_notes(reading.walk)
        for record in wanted:
            reading.archived_seen = reading.archived_seen or bool(record.get("archived"))
            yield record

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        yield from self.read(context, ACTIVE)
        if self._archived_hidden():
            yield from self.read(context, ARCHIVED)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark is BILL's own time of what was read, never a clock of ours."""

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        if self.replication_method == REPLICATION_INCREMENTAL:
            self._reading.emitted(latest_record.get("updatedTime"))

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        if message.startswith("An unhandled error occurred"):
            # The error itself follows; `--test` ends every stream this way, without an error.
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    # Reading --------------------------------------------------------------------------------------

    @cached_property
    def _shape(self) -> RecordShape:
        return RecordShape(
            self.effective_schema,
            lambda sentence: self.log("%s: %s", self.name, sentence, level=logging.WARNING),
        )

    @property
    def call(self) -> answers.Call:
        """The stream's requests, in the words of an error message."""
        return self.connection.call("GET", self.path)

    @property
    def _reading(self) -> Reading:
        if self._current is None:
            self._current = self._begin(ACTIVE)
        return self._current

    def page_of(self, decoded: Any) -> Page:
        """What a decoded answer held.

        Raises:
            UnreadableAnswerError: It is not what the stream asked for.
        """
        return Page(*answers.page_of(decoded, self.call))

    def read(self, context: Context | None, name: str) -> Iterator[dict[str, Any]]:
        """Read the list once, from and for the bookmark `name`."""
        reading = self._current = self._begin(name)
        while True:
            try:
                yield from self.request_records(context)
            except RequestRefusedError as error:
                if reading.walk.refused(error.reason):
                    self._log_notes(reading.walk)
                    continue
                if reading.archived_only and not reading.walk.pages:
                    # A list that cannot be filtered by `archived` has nothing to hide.
                    return
                raise
            break
        if self.replication_method == REPLICATION_INCREMENTAL:
            reading.finish()

    def read_again(self, context: Context | None, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read these records once more, whatever their `updatedTime` is; no bookmark moves.

        Args:
            context: The stream's context.
            ids: As many as a page holds.

        Raises:
            RequestRefusedError: BILL does not let the list be filtered by id.
        """
        walk = Walk((Query(filtered=False, sort=None),), since=None, bookmark=None, started="")
        self._current = Reading(name=ACTIVE, walk=walk, bookmarks=self.bookmarks(), ids=frozenset(ids))
        yield from self.request_records(context)

    def bookmarks(self) -> Bookmarks:
        """What is remembered of the stream."""
        return Bookmarks(
            self.stream_state,
            replication_key=str(self.replication_key),
            organization_id=self.connection.session.organization_id,
        )

    def _begin(self, name: str) -> Reading:
        connection = self.connection
        settings = connection.settings
        bookmarks = self.bookmarks()
        incremental = self.replication_method == REPLICATION_INCREMENTAL
        bookmark = bookmarks.get(name) if incremental else None
        since = settings.start
        if bookmark is not None:
            since = max(timestamps.earlier(bookmark, settings.lookback_seconds), since or "")
        started = timestamps.to_text(connection.client.server_now())
        walk = Walk(self.queries, since=since, bookmark=bookmark, started=started)
        return Reading(name=name, walk=walk, bookmarks=bookmarks)

    def _archived_hidden(self) -> bool:
        """Whether archived records may be hidden in the list, which BILL's documentation leaves open."""
        reading = self._reading
        if reading.archived_seen:
            reading.bookmarks.archived_seen(included=True)
        return "archived" in self.schema["properties"] and not reading.bookmarks.archived_included

    def _log_notes(self, walk: Walk) -> None:
        while walk.notes:
            self.log("%s: %s", self.name, walk.notes.pop(0))
