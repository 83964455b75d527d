"""What a world is made of: the company, the switches, and further companies beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ap_simulator.quickbooks.profile import RealmProfile

CompanyName = Literal["demo", "empty"]
COMPANIES: Final[tuple[CompanyName, ...]] = ("demo", "empty")
DEFAULT_SEED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a world is made of.

    Attributes:
        company: `demo` or `empty`.
        vendors: How many vendors; None is what the company has by itself.
        bills: How many bills; None likewise.
        seed: The same seed makes the same company.
        existing_in_quickbooks: Whether QuickBooks has the vendors beyond the company's own already.
        switches: Values of switches by full name.
    """

    company: CompanyName = "empty"
    vendors: int | None = None
    bills: int | None = None
    seed: int = DEFAULT_SEED
    existing_in_quickbooks: bool = False
    switches: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A further company to be added, on both sides, with a structure like that of the first one.

    Attributes:
        organization_id: Of BILL.
        realm_id: Of QuickBooks.
        name: On both sides.
        refresh_token: Of the demo's app for the company; None makes one.
        company: `demo` or `empty`.
        vendors: As in `Settings`.
        bills: As in `Settings`.
        seed: As in `Settings`.
        existing_in_quickbooks: As in `Settings`.
    """

    organization_id: str
    realm_id: str
    name: str
    refresh_token: str | None = field(default=None, repr=False)
    company: CompanyName = "empty"
    vendors: int | None = None
    bills: int | None = None
    seed: int = DEFAULT_SEED
    existing_in_quickbooks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A BILL organization to be added, with one login and one developer key."""

    organization_id: str
    name: str
    username: str
    password: str = field(repr=False)
    dev_key: str = field(repr=False)
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """A QuickBooks company to be added, and the client that is connected to it."""

    realm_id: str
    client_id: str
    client_secret: str = field(repr=False)
    profile: RealmProfile
    refresh_token: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
