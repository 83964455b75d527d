"""Long lists of ids in parts that one query takes: databases limit the number of values in a statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

IDS_PER_QUERY = 500


def portions(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in parts, each value once."""
    everything = list(dict.fromkeys(values))
    for start in range(0, len(everything), IDS_PER_QUERY):
        yield everything[start : start + IDS_PER_QUERY]
