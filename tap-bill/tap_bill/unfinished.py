"""Payments that are not finished, which the tap reads again in every run.

Whether a change of status moves a payment's `updatedTime` is not documented, and a status can go backwards:
an ACH payment that is CLEARED can still fail (BILL manual 4.3, 6.9). So the bookmark keeps ids of payments
that are on their way or stuck, and for a month of those that cleared; each kind up to a bound, the oldest
forgotten first. What is forgotten is still read when its `updatedTime` moves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tap_bill import timestamps
from tap_bill.bookmarks import CLEARED, MOVING, Bookmarks

#: How many ids of each kind are remembered.
MOST: Final = 1_000
#: How long a cleared payment is read again.
SETTLES_AFTER: Final = timedelta(days=30)
_FINAL: Final = frozenset(
    {"CANCELED", "CANCELLED", "VOIDED", "VOID", "FUNDING_FAILED_VOIDED", "FUNDS_ESCHEATED"}
)
_CLEARED: Final = frozenset({"CLEARED", "PAID"})
_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")


class Unfinished:
    """The ids of unfinished payments, kept in the stream's bookmark."""

    def __init__(self, bookmarks: Bookmarks, *, now: datetime) -> None:
        """Go on with what `bookmarks` remembers; `now` is by BILL's clock."""
        self._bookmarks = bookmarks
        self._settled_before = timestamps.to_text(now - SETTLES_AFTER)
        self._kept = {kind: dict.fromkeys(bookmarks.ids(kind)) for kind in (MOVING, CLEARED)}

    @property
    def ids(self) -> list[str]:
        """All that are remembered, in order."""
        return [ident for kept in self._kept.values() for ident in kept]

    def note(self, record: Mapping[str, Any]) -> None:
        """Remember or forget a payment that was read."""
        ident = str(record["id"])
        wanted = self._kind_of(record) if _ID.fullmatch(ident) else None
        for kind, kept in self._kept.items():
            if kind != wanted and ident in kept:
                del kept[ident]
                self._bookmarks.put_ids(kind, list(kept))
            elif kind == wanted and ident not in kept:
                kept[ident] = None
                if len(kept) > MOST:
                    del kept[next(iter(kept))]
                self._bookmarks.put_ids(kind, list(kept))

    def _kind_of(self, record: Mapping[str, Any]) -> str | None:
        status = str(record.get("singleStatus") or record.get("status") or "").upper()
        if not status or status in _FINAL:
            return None
        if status not in _CLEARED:
            return MOVING
        return CLEARED if (record.get("updatedTime") or "") >= self._settled_before else None
