"""The words in which entities are described: kinds of values, fields, entity types.

Pure data. `decoding.py` reads request bodies by it, `rendering.py` writes answers by it, the query
planner learns from it what can be filtered and sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Literal

TextFormat = Literal["plain", "name", "email", "order_email", "web", "currency"]


@dataclass(frozen=True, slots=True)
class Text:
    """A string of at most `limit` characters; a `name` takes no colon, tab or newline."""

    limit: int | None = None
    format: TextFormat = "plain"


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal; `decimals` is how many it may have, or which switch says so."""

    decimals: int | Literal["quantity", "unit_price"] = 2
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @property
    def is_money(self) -> bool:
        """Whether it is shown the way amounts are."""
        return self.decimals == 2  # noqa: PLR2004 - cents


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""


@dataclass(frozen=True, slots=True)
class Day:
    """A date."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few texts, in exactly this spelling."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """`{"value": id, "name": ...}`.

    Attributes:
        entity: Entity of the target; empty if the target is not checked.
        named: Whether answers carry the target's name.
        keeps_name: Whether value and name are free text, as of a shipping method.
    """

    entity: str = ""
    named: bool = True
    keeps_name: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A nested object."""

    fields: tuple[Field, ...]

    def names(self) -> frozenset[str]:
        """The properties it has."""
        return frozenset(entry.name for entry in self.fields)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Whatever JSON; accepted and dropped: in the schema, without effect in the service."""


Kind = Text | Number | Flag | Day | Choice | Reference | Group | Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property of an entity or nested object.

    Attributes:
        name: As on the wire.
        kind: Of its value.
        many: Whether it is an array.
        required: Must be there in creates and full updates.
        required_sparse: Must be there in sparse updates too.
        read_only: Accepted on input and ignored.
        create_only: Taken by a create, ignored by updates.
        filterable: Whether a query may filter by it.
        sortable: Whether a query may sort by it.
        countries: Where it exists; elsewhere it is accepted and ignored. Empty is everywhere.
        clearable: Whether an empty value in a sparse update clears it.
    """

    name: str
    kind: Kind
    many: bool = False
    required: bool = False
    required_sparse: bool = False
    read_only: bool = False
    create_only: bool = False
    filterable: bool = False
    sortable: bool = False
    countries: frozenset[str] = frozenset()
    clearable: bool = True


def sought(entry: Field, *, sortable: bool = True) -> Field:
    """The same field, filterable and, unless told otherwise, sortable."""
    return replace(entry, filterable=True, sortable=sortable)


@dataclass(frozen=True)
class EntityType:
    """An entity of the API.

    Attributes:
        name: PascalCase, the key in bodies and queries.
        fields: Its properties besides Id, SyncToken, MetaData, domain, sparse and status.
        operations: Of create, update, delete, void, read, query, send, pdf, cdc.
        family: People (Vendor, Customer, Employee) share a name space; lists and people are
            hidden from queries when inactive; a company has one record of a singleton.
        ids: Name of the id sequence, shared by several entities.
        first_id: Where that sequence begins.
        label: What error 2500 calls the entity.
        display: The property that references show as `name`.
        counted: Whether query answers carry totalCount.
        sparse_documented: Whether Intuit documents sparse updates for it.
        wording: What error 6140 calls the transaction type.
    """

    name: str
    fields: tuple[Field, ...]
    operations: frozenset[str]
    family: Literal["people", "list", "transaction", "singleton", "currency"]
    ids: str
    first_id: int = 1
    label: str = ""
    display: str = ""
    counted: bool = False
    sparse_documented: bool = False
    wording: str = ""

    @property
    def segment(self) -> str:
        """The path segment: all lower case."""
        return self.name.lower()

    @property
    def hides_inactive(self) -> bool:
        """Whether queries show only active records unless they ask for others."""
        return "Active" in self.by_name

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by name."""
        return {entry.name: entry for entry in self.fields}


def operations(*names: str, without: Iterable[str] = ()) -> frozenset[str]:
    """A set of operations: those named besides read, query and cdc."""
    return frozenset({"read", "query", "cdc", *names}) - frozenset(without)


def ignored(*names: str) -> tuple[Field, ...]:
    """Fields that are accepted and dropped."""
    return tuple(Field(name=name, kind=Ignored(), read_only=True) for name in names)
