"""Query statements (QuickBooks manual 3.1): escaping, and splitting long IN lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

PAGE = 1000
_NAMES_PER_STATEMENT = 150
_CHARACTERS_PER_STATEMENT = 4000


def literal(value: str) -> str:
    """A string literal: backslash and apostrophe escaped with a backslash."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def select_in(entity: str, field: str, values: Iterable[str], *, with_inactive: bool = False) -> list[str]:
    """Statements that together find every object whose ``field`` is one of ``values``.

    Each stays below 150 values and 4,000 characters: no limit is documented, long ones are not trusted.
    """
    condition = " AND Active IN (true, false)" if with_inactive else ""
    return [
        f"SELECT * FROM {entity} WHERE {field} IN ({', '.join(part)}){condition} MAXRESULTS {PAGE}"  # noqa: S608
        for part in _parts([literal(value) for value in values])
    ]


def select_page(entity: str, start: int, *, where: str = "") -> str:
    """One page of all objects, inactive ones included where the entity has them."""
    condition = f" WHERE {where}" if where else ""
    return (
        f"SELECT * FROM {entity}{condition} ORDERBY MetaData.CreateTime "  # noqa: S608
        f"STARTPOSITION {start} MAXRESULTS {PAGE}"
    )


def select_changed(entity: str, since: str, start: int, *, where: str = "") -> str:
    """One page of what is there and changed at or after a time, oldest change first."""
    condition = f" AND {where}" if where else ""
    return (
        f"SELECT * FROM {entity} WHERE MetaData.LastUpdatedTime >= {literal(since)}{condition} "  # noqa: S608
        f"ORDERBY MetaData.LastUpdatedTime STARTPOSITION {start} MAXRESULTS {PAGE}"
    )


def _parts(literals: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for value in literals:
        full = len(part) >= _NAMES_PER_STATEMENT or size + len(value) > _CHARACTERS_PER_STATEMENT
        if part and full:
            yield part
            part, size = [], 0
        part.append(value)
        size += len(value) + 2
    if part:
        yield part
