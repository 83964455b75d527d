"""A bar chart of records written and failed per day, as the numbers an SVG needs. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT, TOP, LEFT, BOTTOM = 720, 220, 16, 64, 30
_GAP = 0.28
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Day:
    """One day: records written and failed."""

    date: dt.date
    written: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bars in the drawing; failures stand on top of what was written.

    Attributes:
        labelled: Whether the date stands below it.
        labelled_small: Whether it does so where there is little room.
    """

    day: Day
    x: float
    width: float
    written_y: float
    written_height: float
    failed_y: float
    failed_height: float
    labelled: bool
    labelled_small: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[int, float], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def days(counted: Mapping[dt.date, tuple[int, int]], *, until: dt.date, number: int) -> tuple[Day, ...]:
    """The last days, those without anything included, oldest first."""
    dates = [until - dt.timedelta(days=back) for back in range(number - 1, -1, -1)]
    return tuple(Day(date, *counted.get(date, (0, 0))) for date in dates)


def chart(shown: tuple[Day, ...]) -> Chart:
    """Lay out the bars."""
    top = _ceiling(max((day.written + day.failed for day in shown), default=0))
    plot = HEIGHT - TOP - BOTTOM
    base = HEIGHT - BOTTOM
    slot = (WIDTH - LEFT) / max(len(shown), 1)
    every = max(len(shown) // 5, 1)
    bars = []
    for number, day in enumerate(shown):
        written, failed = plot * day.written / top, plot * day.failed / top
        bars.append(
            Bar(
                day=day,
                x=round(LEFT + slot * (number + _GAP / 2), 1),
                width=round(slot * (1 - _GAP), 1),
                written_y=round(base - written, 1),
                written_height=round(written, 1),
                failed_y=round(base - written - failed, 1),
                failed_height=round(failed, 1),
                labelled=(len(shown) - 1 - number) % every == 0,
                labelled_small=(len(shown) - 1 - number) % (3 * every) == 0,
            )
        )
    ticks = tuple((value, round(base - plot * value / top, 1)) for value in (0, top // 2, top))
    return Chart(tuple(bars), tuple(dict.fromkeys(ticks)))


def _ceiling(most: int) -> int:
    """A round number that the highest bar stays under."""
    if most <= 4:  # noqa: PLR2004
        return 4
    power = int(10 ** int(math.log10(most)))
    steps = [step * power for step in (*_STEPS, 10)]
    return min(step for step in steps if step >= most)
