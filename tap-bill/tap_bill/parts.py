"""Where a long list is divided, so that its parts can be read side by side. Pure.

A page of a list tells the next one only when it is there, so one walk is as slow as its answers. Two bounds
of `updatedTime` make a part of a list that can be read by a walk of its own (BILL manual 3.3). How many
records lie between two moments nobody knows beforehand; but a page shows how close they lie just there. So
each walk keeps, of what is before it, about as much as makes some pages, and leaves the rest to another walk,
which will find out for itself. Where records lie closer than they did, a part is divided once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tap_bill import timestamps

#: Pages that a part is meant to have. Its last page is seldom full, so fewer would cost more calls.
PAGES = 14
#: What was updated so shortly before the run is read by one walk: there, records still come and go.
UNSETTLED = timedelta(minutes=10)
_LEAST = timedelta(milliseconds=1)


def where_to_cut(times: Sequence[str], *, page_size: int, before: str | None, started: str) -> str | None:
    """Where a walk that has just read a page is to end.

    Args:
        times: The `updatedTime` of the page's records, ascending.
        page_size: Of a full page.
        before: Where it would end; None is the end of the list.
        started: When the reading began, by BILL's clock.

    Returns:
        The moment, after all of `times`; None if not much is left.
    """
    if len(times) < 2:  # noqa: PLR2004 - two make a distance
        return None
    try:
        return _cut(times, page_size, before, started)
    except OverflowError:  # centuries between two records
        return None


def _cut(times: Sequence[str], page_size: int, before: str | None, started: str) -> str | None:
    first, last = (timestamps.to_moment(time) for time in (times[0], times[-1]))
    between = (last - first) / (len(times) - 1)
    # Half a page less, so that the last page is not one record; and windows overlap by one.
    share = max(between * (PAGES - 0.5) * max(page_size - 1, 1), _LEAST)
    if before is None:
        end, least = timestamps.to_moment(started) - UNSETTLED, share
    else:
        end, least = timestamps.to_moment(before), 2 * share
    if last + least >= end:
        return None
    cut = timestamps.to_text(last + share)
    return cut if cut > times[-1] else timestamps.to_text(last + _LEAST)
