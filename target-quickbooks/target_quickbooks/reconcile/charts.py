"""Bar charts as SVG for the page: months side by side, ages. Pure; a table beside each says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 720, 180
_BASE = 150
_GAP = 0.3


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: places and sizes in the units of the drawing."""

    x: str
    y: str
    width: str
    height: str
    side: str
    told: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart.

    Attributes:
        marks: Texts below the bars, with their places.
    """

    bars: Sequence[Bar]
    marks: Sequence[tuple[str, str]]


def side_by_side(groups: Sequence[tuple[str, Decimal, Decimal]], currency: str) -> Drawing:
    """Two bars for each group: BILL's sum and QuickBooks'."""
    largest = max((abs(value) for _, *pair in groups for value in pair), default=Decimal(0)) or Decimal(1)
    step = Decimal(WIDTH) / max(len(groups), 1)
    each = step * Decimal(str(1 - _GAP)) / 2
    bars, marks = [], []
    shown = max(1, -(-len(groups) // 12))
    for place, (name, bill, quickbooks) in enumerate(groups):
        left = step * place + step * Decimal(str(_GAP)) / 2
        for number, (side, value) in enumerate((("bill", bill), ("quickbooks", quickbooks))):
            height = max(abs(value) / largest * (_BASE - 10), Decimal(0))
            told = f"{name}, {'BILL' if side == 'bill' else 'QuickBooks'}: {value:,.2f} {currency}"
            bars.append(
                Bar(
                    x=_size(left + each * number),
                    y=_size(_BASE - height),
                    width=_size(each),
                    height=_size(height),
                    side=side,
                    told=told,
                )
            )
        if place % shown == 0:
            marks.append((name, _size(left + each)))
    return Drawing(bars, marks)


def _size(value: Decimal) -> str:
    return f"{value:.1f}"
