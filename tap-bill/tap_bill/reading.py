"""One reading of a list together with the bookmark that it moves."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tap_bill.bookmarks import ARCHIVED, Bookmarks
from tap_bill.walk import Walk


@dataclass(slots=True, kw_only=True)
class Reading:
    """A walk through a list, for one of the stream's bookmarks.

    Attributes:
        name: The bookmark, `ACTIVE` or `ARCHIVED`.
        walk: The walk.
        bookmarks: Of the stream.
        archived_seen: Whether an archived record came by.
        ids: Only these records are asked for, once more; it moves no bookmark.
    """

    name: str
    walk: Walk
    bookmarks: Bookmarks
    archived_seen: bool = False
    ids: AbstractSet[str] = frozenset()

    @property
    def archived_only(self) -> bool:
        """Whether only archived records are asked for."""
        return self.name == ARCHIVED

    def emitted(self, updated: str | None) -> None:
        """A record went out: move the bookmark as far as the walk could be resumed.

        A walk that turns out not to be resumable takes back what it had moved.
        """
        if updated is not None and not self.ids:
            self.bookmarks.put(self.name, self.walk.reached(updated))

    def finish(self) -> None:
        """The walk is over: move the bookmark to what is known to be read."""
        self.bookmarks.put(self.name, self.walk.bookmark)
        if self.archived_only and self.archived_seen:
            self.bookmarks.archived_seen(included=False)
