"""Tables of other packages beside the target's, in one database: who keeps what, and what of it is encrypted.

Packages tell of theirs by the entry point group ``GROUP``, so that what concerns the whole store (copying it,
replacing its key) leaves nothing out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata

from sqlalchemy import Connection, MetaData, Table, inspect

from target_quickbooks.errors import StoreError
from target_quickbooks.store import tables

GROUP = "target_quickbooks.store_schemas"
#: A table, and its columns that ``Cipher`` writes.
Encrypted = tuple[Table, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Schema:
    """Tables that live beside the target's.

    Attributes:
        tables: Those tables.
        version_table: Where Alembic keeps how far they are.
        upgrade: Makes them, or brings them to their newest form, in a transaction.
        encrypted: What of them is encrypted with the store's key.
    """

    tables: MetaData
    version_table: str
    upgrade: Callable[[Connection], None]
    encrypted: tuple[Encrypted, ...] = ()


def installed() -> list[Schema]:
    """What the packages that are installed here keep."""
    return [entry.load() for entry in metadata.entry_points(group=GROUP)]


def present(connection: Connection, schemas: Sequence[Schema]) -> list[Table]:
    """The tables that a store has.

    Raises:
        StoreError: One of them is known to nobody here.
    """
    known = [*tables.metadata.sorted_tables]
    known += [table for schema in schemas for table in schema.tables.sorted_tables]
    there = set(inspect(connection).get_table_names())
    versions = {"alembic_version", *(schema.version_table for schema in schemas)}
    unknown = sorted(there - {table.name for table in known} - versions)
    if unknown:
        raise StoreError(
            f"The store has tables that nothing installed here knows ({', '.join(unknown)}). Run this where "
            "all that uses the store is installed: the quickbooks-admin beside webhook-shim, say."
        )
    return [table for table in known if table.name in there]
