"""One reading of a list, in one or several parts, together with the bookmark that it moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tap_bill.ahead import Request
from tap_bill.bookmarks import ARCHIVED, Bookmarks
from tap_bill.errors import RequestRefusedError
from tap_bill.parts import where_to_cut
from tap_bill.walk import PageRequest, Walk, joint_bookmark, joint_reach

Record = dict[str, Any]


@dataclass(slots=True)
class Page:
    """What an answer held: its records, and its `nextPage`."""

    records: list[Record]
    next_page: str | None = None


@dataclass(slots=True)
class Part:
    """A part of the list and the walk that reads it.

    Attributes:
        walk: The walk.
        ids: Only these records are asked for, by one request.
        asks: What is to be asked for next; None if nothing is.
        under_way: Whether it has been asked for.
        pages: What has come and not been taken, oldest first.
        error: Why there is no more to come.
    """

    walk: Walk
    ids: frozenset[str] = frozenset()
    asks: PageRequest | None = field(init=False)
    under_way: bool = False
    pages: deque[list[Record]] = field(default_factory=deque)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.asks = self.walk.request

    @property
    def is_read(self) -> bool:
        """Whether nothing more will come."""
        return not self.under_way and (self.asks is None or self.error is not None)


class Reading:
    """A list being read for one of the stream's bookmarks.

    Its parts lie one after the other in time. They are asked for side by side and taken in order, so what is
    taken looks as if there had been one part.

    Attributes:
        name: The bookmark, `ACTIVE` or `ARCHIVED`; empty if none is moved.
        bookmarks: Of the stream.
        archived_seen: Whether an archived record came by.
        calls: Answers that came.
    """

    def __init__(
        self,
        *,
        name: str,
        bookmarks: Bookmarks,
        parts: Iterable[Part],
        ask: Callable[[PageRequest, Reading, Part], Page],
        shaped: Callable[[list[Record]], list[Record]],
        tell: Callable[[Walk], None],
        page_size: int,
        started: str = "",
    ) -> None:
        """Read `parts`.

        Args:
            name: The bookmark.
            bookmarks: Of the stream.
            parts: The list, at first mostly as one part.
            ask: Sends a request and returns what came; called in any thread.
            shaped: Brings records into the shape of the stream's schema.
            tell: Tells what a walk has to say.
            page_size: Of a full page.
            started: The time of the beginning by BILL's clock; without it the list is never divided.
        """
        self.name = name
        self.bookmarks = bookmarks
        self.archived_seen = False
        self.calls = 0
        self._parts = deque(parts)
        self._walks = [part.walk for part in self._parts]
        self._restraints: list[Walk] = []
        self._ask = ask
        self._shaped = shaped
        self._tell = tell
        self._page_size = page_size
        self._started = started

    @property
    def archived_only(self) -> bool:
        """Whether only archived records are asked for."""
        return self.name == ARCHIVED

    @property
    def is_read(self) -> bool:
        """Whether all has come that will come."""
        return all(part.is_read for part in self._parts)

    @property
    def has_failed(self) -> bool:
        """Whether something could not be read."""
        return any(part.error for part in self._parts)

    @property
    def held(self) -> int:
        """Pages that came and were not taken."""
        return sum(len(part.pages) for part in self._parts)

    def next_request(self, *, room: bool) -> Request | None:
        """The request to send next, the earliest part first.

        Args:
            room: Whether more may be held. Without it there is only what nothing can be taken before.
        """
        for number, part in enumerate(self._parts):
            if part.asks is not None and not part.under_way and part.error is None:
                return self._request(part, part.asks) if room or (number == 0 and not part.pages) else None
            if part.error is not None:
                return None
        return None

    def take(self) -> list[Record] | None:
        """The next page's records, in order; None if they have not come yet, or none will.

        Raises:
            Exception: What stopped the reading at this place.
        """
        while self._parts:
            part = self._parts[0]
            if part.pages:
                return part.pages.popleft()
            if part.error is not None:
                raise part.error
            if not part.is_read or len(self._parts) == 1:
                return None
            if part.walk.restrains:
                self._restraints.append(part.walk)
            self._parts.popleft()
        return None

    def emitted(self, updated: str | None) -> None:
        """A record went out: move the bookmark as far as the list could be read on from there.

        A walk that turns out not to be resumable takes back what it had moved.
        """
        if updated is None or not self.name:
            return
        walk = self._parts[0].walk
        reached = (
            joint_reach([*self._restraints, walk], updated) if self._restraints else walk.reached(updated)
        )
        self.bookmarks.put(self.name, reached)

    def finish(self) -> None:
        """All is emitted: move the bookmark to what is known to be read."""
        if not self.name:
            return
        self.bookmarks.put(self.name, joint_bookmark(self._walks))
        if self.archived_only and self.archived_seen:
            self.bookmarks.archived_seen(included=False)

    def _request(self, part: Part, asked: PageRequest) -> Request:
        part.under_way = True
        return Request(
            send=lambda: self._ask(asked, self, part),
            arrived=lambda page: self._arrived(part, page),
            failed=lambda error: self._failed(part, error),
        )

    def _arrived(self, part: Part, page: Page) -> None:
        part.under_way = False
        self.calls += 1
        records = self._shaped(page.records)
        if self.archived_only:
            # Others can only come from a list that ignores the filter, and then they came before.
            records = [record for record in records if record.get("archived")]
        if part.ids:
            records = [record for record in records if record["id"] in part.ids]
        wanted = part.walk.take(records)
        self.archived_seen = self.archived_seen or any(record.get("archived") for record in wanted)
        part.asks = None if part.ids else part.walk.advance(page.next_page)
        self._tell(part.walk)
        if wanted:
            part.pages.append(wanted)
        if part.asks is not None:
            self._divide(part, records)

    def _failed(self, part: Part, error: Exception) -> None:
        part.under_way = False
        if isinstance(error, RequestRefusedError):
            if not part.ids and part.walk.refused(error.reason):
                part.asks = part.walk.request
                self._tell(part.walk)
                return
            if self.archived_only and not part.walk.pages:
                # A list that cannot be filtered by `archived` has nothing to hide.
                part.asks = None
                return
        part.error = error

    def _divide(self, part: Part, records: Sequence[Record]) -> None:
        """Leave some of what the part has before it to another one."""
        if not (self._started and part.walk.can_be_cut):
            return
        times = [time for record in records if (time := record.get("updatedTime")) is not None]
        cut = where_to_cut(times, page_size=self._page_size, before=part.walk.before, started=self._started)
        if cut is not None:
            rest = Part(part.walk.cut(cut))
            part.asks = part.walk.request
            self._walks.append(rest.walk)
            self._parts.insert(self._parts.index(part) + 1, rest)
