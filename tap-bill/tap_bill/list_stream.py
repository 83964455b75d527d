"""How a list of BILL becomes a Singer stream: requests, pages, records, bookmarks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

import requests
from singer_sdk import SchemaDirectory, Stream, StreamSchema, Tap, metrics
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context, Record
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_bill import answers, schemas, timestamps
from tap_bill.ahead import Request
from tap_bill.bookmarks import ACTIVE, ARCHIVED, Bookmarks
from tap_bill.connection import Connection
from tap_bill.output import MessageWriter
from tap_bill.reading import Page, Part, Reading
from tap_bill.records import RecordShape
from tap_bill.walk import PRESUMED, PageRequest, Query, Walk

_SCHEMAS: Final = SchemaDirectory(schemas)


class BillStream(Stream):
    """A list of BILL: incremental on `updatedTime` as far as BILL lets it be.

    What the tap needs of BILL is asked for through `connect` and made only when the first record is
    wanted, so that discovery works without settings and without a network.
    """

    primary_keys = ("id",)
    replication_key = "updatedTime"
    schema = StreamSchema(_SCHEMAS)
    STATE_MSG_FREQUENCY = 250
    # Records are brought into shape by `RecordShape`, which is faster and keeps nested surprises out.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    #: Of the list, behind the address of the API.
    path: str
    #: Ways to ask for the list, best first.
    queries: tuple[Query, ...] = PRESUMED

    def __init__(self, tap: Tap, connect: Callable[[], Connection]) -> None:
        """Belong to `tap`."""
        super().__init__(tap)
        self._connect = connect
        #: What is being read, in the order in which it is written.
        self._readings: list[Reading] = []

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

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        active = self.prepared(ACTIVE)
        yield from self.read(active)
        if active.archived_seen:
            active.bookmarks.archived_seen(included=True)
        if self.may_hide_archived(active):
            yield from self.read(self.prepared(ARCHIVED))

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the bookmark is BILL's own time of what was read, never a clock of ours."""

    @override
    def _process_record(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: no stream has children or partitions."""

    @override
    def _write_record_message(self, record: Record) -> None:
        writer = self._tap.message_writer
        if self._goes_out_as_it_is and isinstance(writer, MessageWriter):
            writer.gather_record(self.name, record, version=self._stream_version)
            self.state_manager.is_flushed = False
        else:
            super()._write_record_message(record)

    @override
    def _write_state_message(self) -> None:
        # Without news there is no message, before which the records would have gone out.
        self._write_gathered()
        super()._write_state_message()

    def _write_gathered(self) -> None:
        """What comes next may have to be waited for, so what was read goes out before."""
        if isinstance(self._tap.message_writer, MessageWriter):
            self._tap.message_writer.write_gathered()

    @cached_property
    def _goes_out_as_it_is(self) -> bool:
        """Whether all fields are selected and nothing is mapped: then the SDK would only copy the record."""
        mapped, *more = self.stream_maps
        same = isinstance(mapped, SameRecordTransform) and not mapped.flattening_enabled and not more
        return same and mapped.stream_alias == self.name and all(self.mask.values())

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        if self.replication_method == REPLICATION_INCREMENTAL:
            self._readings[0].emitted(latest_record.get("updatedTime"))

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        if message.startswith("An unhandled error occurred"):
            # The error itself follows; `--test` ends every stream this way, without an error.
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    # What is asked of BILL ------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Address of the list."""
        return f"{self.connection.settings.base_url}{self.path}"

    @property
    def call(self) -> answers.Call:
        """The stream's requests, in the words of an error message."""
        return self.connection.call("GET", self.path)

    def parameters(self, asked: PageRequest, *, archived_only: bool, ids: Iterable[str]) -> dict[str, Any]:
        """The query of a request."""
        filters = [
            f'updatedTime:{operator}:"{timestamps.for_filter(moment)}"'
            for operator, moment in (("gte", asked.since), ("lt", asked.before))
            if moment is not None
        ]
        if archived_only:
            filters.append("archived:eq:true")
        if ids:
            filters.append(f'id:in:"{",".join(sorted(ids))}"')
        return {
            "max": self.connection.settings.page_size,
            "sort": asked.sort,
            "filters": ",".join(filters) or None,
            "page": asked.token,
        }

    def page_of(self, decoded: Any) -> Page:
        """What a decoded answer held.

        Raises:
            UnreadableAnswerError: It is not what the stream asked for.
        """
        return Page(*answers.page_of(decoded, self.call))

    def _ask(self, asked: PageRequest, reading: Reading, part: Part) -> Page:
        """Send a request, in whatever thread."""
        connection = self.connection
        prepared = connection.client.http.prepare_request(
            requests.Request(
                "GET",
                self.url,
                headers={"Accept": "application/json"},
                params=self.parameters(asked, archived_only=reading.archived_only, ids=part.ids),
            )
        )

        def attempt() -> Page:
            response, body = connection.client.get(connection.session(prepared))
            self._measured(response)
            return self.page_of(answers.read(response.status_code, body, self.call))

        return connection.client.run(
            attempt,
            call=self.call,
            governor=connection.governor,
            renew=lambda: connection.session.expire(prepared.headers.get("sessionId")),
        )

    def _measured(self, response: requests.Response) -> None:
        """Log how long an answer took, as the SDK's streams do."""
        succeeded = response.status_code < HTTPStatus.BAD_REQUEST
        tags: dict[str, Any] = {
            metrics.Tag.STREAM: self.name,
            metrics.Tag.ENDPOINT: self.path,
            metrics.Tag.HTTP_STATUS_CODE: response.status_code,
            metrics.Tag.STATUS: metrics.Status.SUCCEEDED if succeeded else metrics.Status.FAILED,
        }
        seconds = response.elapsed.total_seconds()
        self._log_metric(
            metrics.Point("timer", metric=metrics.Metric.HTTP_REQUEST_DURATION, value=seconds, tags=tags)
        )

    # Reading --------------------------------------------------------------------------------------

    @property
    def held(self) -> int:
        """See `tap_bill.ahead.Source`."""
        return sum(reading.held for reading in self._readings)

    def next_request(self, *, room: bool) -> Request | None:
        """See `tap_bill.ahead.Source`."""
        if not self._readings:
            if not room:
                return None
            self.prepared(ACTIVE)
        for reading in self._readings:
            request = reading.next_request(room=room)
            if request is not None:
                return request
            if not reading.is_read or reading.has_failed:
                return None
        if room and self._readings[-1].name == ACTIVE and self.may_hide_archived(self._readings[-1]):
            return self.prepared(ARCHIVED).next_request(room=room)
        return None

    def prepared(self, name: str) -> Reading:
        """The reading from and for the bookmark `name`; perhaps it was begun before its turn."""
        for reading in self._readings:
            if reading.name == name:
                return reading
        self._readings.append(self._begin(name))
        return self._readings[-1]

    def read(self, reading: Reading) -> Iterator[dict[str, Any]]:
        """Read the list, which is the first one prepared, to its end."""
        ahead = self.connection.ahead
        ahead.begin(self)
        with metrics.http_request_counter(self.name, endpoint=self.path) as counter:
            for page in ahead.pages(self, reading):
                yield from page
                self._write_gathered()
            counter.increment(reading.calls)
        self._readings.remove(reading)
        if self.replication_method == REPLICATION_INCREMENTAL:
            reading.finish()

    def read_again(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read these records once more, whatever their `updatedTime` is; no bookmark moves.

        Raises:
            RequestRefusedError: BILL does not let the list be filtered by id.
        """
        size = self.connection.settings.page_size
        parts = [
            Part(
                Walk((Query(filtered=False, sort=None),), since=None, bookmark=None, started=""),
                ids=frozenset(ids[start : start + size]),
            )
            for start in range(0, len(ids), size)
        ]
        if parts:
            self._readings.append(self._reading_of("", parts, self.bookmarks()))
            yield from self.read(self._readings[0])

    def may_hide_archived(self, active: Reading) -> bool:
        """Whether the list may have hidden archived records, which BILL's documentation leaves open."""
        known = active.archived_seen or active.bookmarks.archived_included
        return "archived" in self.schema["properties"] and not known

    def bookmarks(self) -> Bookmarks:
        """What is remembered of the stream."""
        return Bookmarks(
            self.stream_state,
            replication_key=str(self.replication_key),
            organization_id=self.connection.session.organization_id,
        )

    @cached_property
    def _shape(self) -> RecordShape:
        return RecordShape(
            self.effective_schema,
            lambda sentence: self.log("%s: %s", self.name, sentence, level=logging.WARNING),
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
        return self._reading_of(name, [Part(walk)], bookmarks, started=started)

    def _reading_of(
        self, name: str, parts: Iterable[Part], bookmarks: Bookmarks, *, started: str = ""
    ) -> Reading:
        organization_id = self.connection.session.organization_id

        def shaped(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
            page = self._shape.conform_all(records)
            for record in page:
                record["organizationId"] = organization_id
            return page

        return Reading(
            name=name,
            bookmarks=bookmarks,
            parts=parts,
            ask=self._ask,
            shaped=shaped,
            tell=self._log_notes,
            page_size=self.connection.settings.page_size,
            started=started,
        )

    def _log_notes(self, walk: Walk) -> None:
        while walk.notes:
            self.log("%s: %s", self.name, walk.notes.pop(0))
