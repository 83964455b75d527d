"""How a list is read page by page, what of it is emitted, and what may be remembered afterwards.

Pure: pages go in; requests, records and a bookmark come out. Three facts of BILL's lists shape it
(BILL manual 3.1 to 3.3):

- Some lists accept `updatedTime` as filter and sort, some refuse it with 400, and some do what the
  documentation leaves open. A walk begins with the best query and goes on to plainer ones.
- Whether a page token means a position in a moving list or a snapshot is undocumented. With a
  position, a record that changes while the list is read moves to its end and pulls an unread one
  into the page that was already read. So where BILL documents the sort, a walk does not follow page
  tokens but asks for what was updated at or after the last record of the page before: windows.
  Nothing can slip through then, whatever a token means. Tokens are followed only within one and the
  same moment, at which the bookmark is held until the end.
- A list that is read by tokens has no order to rely on: its bookmark moves at the end only, and not
  at all if something changed while several pages of it were read.

A walk by windows can be cut at a moment: it ends there, and another walk goes on from there, side by side
with it (`tap_bill.parts`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tap_bill import timestamps

_UPDATED = "updatedTime"
OLDEST_FIRST = f"{_UPDATED}:asc"


@dataclass(frozen=True, slots=True)
class Query:
    """A way to ask for a list.

    Attributes:
        filtered: Whether to filter by `updatedTime`.
        sort: Value of the `sort` parameter; None leaves it out.
        windows: Whether to go on from the last record of a page rather than by page tokens. It
            relies on the sort: a list that ignores it without a word would lose records.
    """

    filtered: bool
    sort: str | None
    windows: bool = False


#: For lists that are documented to sort by `updatedTime`. From the best way to the plainest.
SORTED = (
    Query(filtered=True, sort=OLDEST_FIRST, windows=True),
    Query(filtered=True, sort=None),
    Query(filtered=False, sort=OLDEST_FIRST),
    Query(filtered=False, sort=None),
)
#: For lists of which public clients filter and sort by `updatedTime`, documented or not.
PRESUMED = (Query(filtered=True, sort=OLDEST_FIRST), *SORTED[1:])
#: For lists that are documented to sort by `archived` only and not to filter by time.
WHOLE = (Query(filtered=False, sort="archived:asc"), Query(filtered=False, sort=None))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for.

    Attributes:
        since: Lower bound of `updatedTime` to filter by, in the tap's form; None is no filter.
        sort: Value of the `sort` parameter; None leaves it out.
        token: Value of the `page` parameter; None is the first page.
        before: Upper bound of `updatedTime` to filter by, itself not included; None is no filter.
    """

    since: str | None
    sort: str | None
    token: str | None
    before: str | None = None


class Walk:
    """One reading of one list.

    Attributes:
        request: The page to ask for next.
        began_at: The bookmark that it was begun with.
        before: Where it was cut: what was updated from then on, another walk reads.
        last: The `updatedTime` of the last record that was read.
        newest: The newest `updatedTime` that was read.
        pages: Pages read so far.
        notes: What a reader of the log should know, oldest first.
    """

    def __init__(
        self,
        queries: Sequence[Query],
        *,
        since: str | None,
        bookmark: str | None,
        started: str,
        before: str | None = None,
    ) -> None:
        """Begin a walk. All moments are in the tap's form.

        Args:
            queries: Ways to ask for the list, best first.
            since: Emit only records updated at or after this moment; None emits all.
            bookmark: The newest `updatedTime` that earlier walks have read.
            started: The time now, by BILL's clock.
            before: Read only what was updated before this moment; None reads to the end.
        """
        self._queries = list(queries)
        self._since = since
        self.began_at = bookmark
        self.before = before
        self._beyond = _beyond(before)
        self._asks_before = True
        self._past = False
        self._started = started
        self._windows = self._queries[0].windows
        self._other_way: str | None = None
        self._held_at: str | None = None
        self._tokens: set[str] = set()
        self.last: str | None = None
        self._ids_at_last: set[str] = set()
        self.newest: str | None = None
        self.pages = 0
        self.notes: list[str] = []
        self.request = self._first_request()
        self._tried = {self.request}

    def reached(self, updated: str) -> str | None:
        """What may be remembered once the record that was updated at `updated` is emitted."""
        if not self._windows:
            return self.began_at
        safe = updated if self._held_at is None else min(updated, self._held_at)
        return max(safe, self.began_at or "") or None

    @property
    def bookmark(self) -> str | None:
        """What may be remembered when the walk is over: nothing at or before it is unread."""
        if self.newest is None:
            return self.began_at
        return joint_bookmark([self])

    @property
    def restrains(self) -> bool:
        """Whether it holds the bookmark back behind what is emitted."""
        return not self._windows or self._held_at is not None

    @property
    def by_tokens(self) -> bool:
        """Whether page tokens were followed."""
        return self._held_at is not None if self._windows else self.pages > 1

    @property
    def changed_meanwhile(self) -> bool:
        """Whether it read what was updated after it began."""
        return self.newest is not None and self.newest >= self._started

    @property
    def can_be_cut(self) -> bool:
        """Whether it goes on by windows, and BILL has shown that it obeys them."""
        return self._windows and self.pages > 1 and not self._past

    def cut(self, before: str) -> Walk:
        """End before a moment that lies after the last record that was read.

        Returns:
            The walk that goes on from there, to where this one would have ended.
        """
        rest = Walk(
            self._queries,
            since=before,
            bookmark=self.began_at,
            started=self._started,
            before=self.before,
        )
        rest._asks_before = self._asks_before
        rest.request = replace(rest.request, before=rest._upper_bound)
        self.before, self._beyond = before, _beyond(before)
        if self.request.token is None:
            # A token stands for the filters that it was given for.
            self.request = replace(self.request, before=self._upper_bound)
        return rest

    def refused(self, reason: str) -> bool:
        """BILL refused `request` (400).

        Args:
            reason: BILL's words.

        Returns:
            Whether there is another way; `request` is it then.
        """
        if self.pages and (self.request.before is None or self.request.token is not None):
            if not (self._windows and self._other_way):
                return False
            self._leave_windows("BILL refuses the filter updatedTime")
            self.request = PageRequest(None, self.request.sort, self._other_way)
            return True
        if self.request.before is not None:
            # What lies beyond is read, too, and left to the walk that it belongs to.
            self._asks_before = False
            self.request = replace(self.request, before=None)
            return True
        asked = self.request
        suspects = {word for word in ("filter", "sort") if re.search(word, reason, re.IGNORECASE)}
        while len(self._queries) > 1:
            del self._queries[0]
            self._windows = False
            self.request = self._first_request()
            keeps_filter = asked.since is not None and self.request.since is not None
            keeps_sort = asked.sort is not None and self.request.sort == asked.sort
            repeats_fault = (suspects == {"filter"} and keeps_filter) or (suspects == {"sort"} and keeps_sort)
            if self.request not in self._tried and not repeats_fault:
                self._tried.add(self.request)
                self.notes.append(_given_up(asked, self.request))
                return True
        return False

    def take(self, page: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Look through a page.

        Args:
            page: Its records, with `updatedTime` in the tap's form if they have one.

        Returns:
            Those to emit, in order.
        """
        self.pages += 1
        self._check_order(page)
        return [record for record in page if self._is_wanted(record)]

    def advance(self, next_page: str | None) -> PageRequest | None:
        """Go on after a page.

        Args:
            next_page: The page's `nextPage`.

        Returns:
            The page to ask for next; None at the end of the list.
        """
        if next_page is None or (self._windows and self._past):
            return None
        asked = self.request
        if self._windows and self.last is not None and (asked.since is None or self.last > asked.since):
            self._other_way = next_page
            self._tokens.clear()
            self.request = PageRequest(self.last, asked.sort, None, self._upper_bound)
        elif next_page in self._tokens:
            self.notes.append("BILL repeated a page token; the list is taken to end there")
            return None
        else:
            if self._held_at is None:
                self._held_at = self.last or ""
            self._tokens.add(next_page)
            self.request = PageRequest(asked.since, asked.sort, next_page, asked.before)
        return self.request

    def _first_request(self) -> PageRequest:
        query = self._queries[0]
        before = self._upper_bound if query.filtered else None
        return PageRequest(self._since if query.filtered else None, query.sort, None, before)

    @property
    def _upper_bound(self) -> str | None:
        return self.before if self._asks_before else None

    def _check_order(self, page: Sequence[Mapping[str, Any]]) -> None:
        if not self._windows:
            return
        times = [time for record in page if (time := record.get(_UPDATED)) is not None]
        if not times:
            return
        if self.request.since is not None and min(times) < self.request.since:
            self._leave_windows("BILL ignores the filter updatedTime")
        elif times != sorted(times) or (self.last is not None and times[0] < self.last):
            self._leave_windows("BILL ignores the sort updatedTime:asc")

    def _leave_windows(self, why: str) -> None:
        self._windows = False
        self._tokens.clear()
        self.notes.append(f"{why}; this list is read to its end and compared here")

    def _is_wanted(self, record: Mapping[str, Any]) -> bool:
        time = record.get(_UPDATED)
        if time is None:
            return True
        if self._beyond is not None and time >= self._beyond:
            self._past = True
            return False
        if self.newest is None or time > self.newest:
            self.newest = time
        if time != self.last:
            self.last = time
            self._ids_at_last = set()
        elif record["id"] in self._ids_at_last:
            return False
        self._ids_at_last.add(record["id"])
        return self._since is None or time >= self._since


def joint_bookmark(walks: Sequence[Walk]) -> str | None:
    """What may be remembered when walks that share a list are over: nothing at or before it is unread."""
    newest = max((walk.newest for walk in walks if walk.newest is not None), default=None)
    if newest is None:
        return walks[0].began_at
    if any(walk.by_tokens for walk in walks) and any(walk.changed_meanwhile for walk in walks):
        # Something changed while page tokens were followed, so a record may have slipped through.
        return joint_reach(walks, newest)
    return max(newest, walks[0].began_at or "")


def joint_reach(walks: Sequence[Walk], updated: str) -> str | None:
    """What may be remembered once the record that was updated at `updated` is emitted."""
    reached = [walk.reached(updated) for walk in walks]
    return None if None in reached else min(value for value in reached if value is not None)


def _beyond(before: str | None) -> str | None:
    """From when on a record shows that BILL does not end at `before`.

    Were a time rounded up that BILL compares as it is, the record next to `before` would seem to lie beyond.
    """
    return None if before is None else timestamps.earlier(before, -1)


def _given_up(asked: PageRequest, now: PageRequest) -> str:
    lost = []
    if asked.since is not None and now.since is None:
        lost.append(f"the filter {_UPDATED}")
    if asked.sort != now.sort:
        lost.append(f"the sort {asked.sort}")
    return f"BILL refuses {' and '.join(lost)} for this list; it is read without and compared here"
