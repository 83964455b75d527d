"""Keeps the garbage collector from walking through a large company again and again.

A company of 200,000 vendors and bills consists of millions of objects that stay. A full collection
would stop all answers for a second or two each time, and slows the making down by half.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Final

from ap_simulator.settings import Settings

#: From so many vendors and bills on, a company is large.
LARGE: Final = 10_000


def is_large(settings: Settings) -> bool:
    """Whether a company is worth the trouble."""
    return (settings.vendors or 0) + (settings.bills or 0) >= LARGE


@contextlib.contextmanager
def spared() -> Iterator[None]:
    """Never collect what the block makes; `gc.unfreeze` takes that back."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def replaced(*, large: bool) -> None:
    """Collect a company that another one has taken the place of.

    Args:
        large: Whether the new one is large, and to be spared in its turn.
    """
    gc.unfreeze()
    if large:
        gc.collect()
        gc.freeze()
