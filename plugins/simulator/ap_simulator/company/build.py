"""Puts a company into a world: identities, both sides' records, the connection between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from ap_simulator.company.bill_lists import bill_lists
from ap_simulator.company.demo import BILLS, VENDORS, Company, demo_company, empty_company
from ap_simulator.company.identities import DEMO, Identities
from ap_simulator.company.scale import (
    Scale,
    generated_bills,
    generated_quickbooks_vendors,
    generated_vendors,
)
from ap_simulator.world import World

CompanyName = Literal["demo", "empty"]

#: QuickBooks' lists in an order in which what is referred to comes first.
_ENTITY_ORDER: Final = (
    "Account",
    "Class",
    "Department",
    "Term",
    "CompanyCurrency",
    "Item",
    "Customer",
    "Employee",
    "Vendor",
)
_FIRST_GENERATED_NAME_ID: Final = 1_001


class CompanySizeError(ValueError):
    """Fewer vendors or bills are asked for than the company has by itself. One line."""


def populate(
    world: World,
    *,
    company: CompanyName,
    vendors: int | None = None,
    bills: int | None = None,
    seed: int,
    existing_in_quickbooks: bool = False,
    identities: Identities = DEMO,
) -> None:
    """Put a company into the world, on both sides, and connect the demo's app to it.

    Both companies are the same firm with the same identities. `empty` has its whole structure (chart
    of accounts, classifications, items, customers, employees), so that a vendor and a bill made
    through BILL's API can be synced, but no vendors and no documents. Numbers beyond what a company
    has by itself are filled up with generated records, which can all be synced.

    Args:
        world: A world without this company.
        company: `demo` or `empty`.
        vendors: How many vendors in BILL; None is what the company has by itself.
        bills: How many bills in BILL; None likewise.
        seed: The same seed makes the same company.
        existing_in_quickbooks: Whether QuickBooks has the generated vendors as well.
        identities: Ids, name, logins and keys of the company; its app may be there already.

    Raises:
        CompanySizeError: The demo company cannot have fewer vendors or bills than its own, and
            generated bills need generated vendors.
    """
    scale = _scale(company, vendors, bills, seed)
    made = demo_company(seed=seed) if company == "demo" else empty_company()
    _add_bill_side(world, identities, made, scale)
    _add_quickbooks_side(world, identities, made, scale if existing_in_quickbooks else None)
    _connect(world, identities)


def _scale(company: CompanyName, vendors: int | None, bills: int | None, seed: int) -> Scale:
    """How many records to generate besides the company's own."""
    own_vendors, own_bills = (VENDORS, BILLS) if company == "demo" else (0, 0)
    scale = Scale(
        vendors=(own_vendors if vendors is None else vendors) - own_vendors,
        bills=(own_bills if bills is None else bills) - own_bills,
        seed=seed,
    )
    if scale.vendors < 0 or scale.bills < 0:
        msg = (
            f"The demo company has {VENDORS} vendors and {BILLS} bills by itself; for fewer, "
            "take the company 'empty'"
        )
        raise CompanySizeError(msg)
    if scale.bills and not scale.vendors:
        msg = f"{scale.bills} generated bills need generated vendors: ask for more vendors as well"
        raise CompanySizeError(msg)
    return scale


def _add_bill_side(world: World, identities: Identities, made: Company, scale: Scale) -> None:
    world.bill.add_organization(
        organization_id=identities.organization_id,
        name=identities.company_name,
        users={identities.username: identities.password},
        developer_keys=[identities.dev_key],
        profile={name: value for name, value in made.organization.items() if name != "id"},
    )
    for collection, records in made.bill.items():
        world.bill.load(identities.organization_id, collection, records)
    if scale.vendors:
        world.bill.load(identities.organization_id, "vendors", generated_vendors(scale))
    if scale.bills:
        bills = generated_bills(scale, bill_lists())
        world.bill.load(identities.organization_id, "bills", bills)


def _add_quickbooks_side(world: World, identities: Identities, made: Company, scale: Scale | None) -> None:
    profile = made.profile
    if identities.company_name != profile.name:
        profile = replace(profile, name=identities.company_name, legal_name=identities.company_name)
    world.quickbooks.add_realm(realm_id=identities.realm_id, company=profile)
    for entity in _ENTITY_ORDER:
        if records := made.quickbooks.get(entity):
            world.quickbooks.load(identities.realm_id, entity, records)
    if scale is not None and scale.vendors:
        twins = generated_quickbooks_vendors(scale, first_id=_FIRST_GENERATED_NAME_ID)
        world.quickbooks.load(identities.realm_id, "Vendor", twins)


def _connect(world: World, identities: Identities) -> None:
    world.oauth.add_company(realm_id=identities.realm_id, name=identities.company_name)
    if world.oauth.client(identities.client_id) is None:
        world.oauth.add_client(
            client_id=identities.client_id,
            client_secret=identities.client_secret,
            redirect_uris=identities.redirect_uris,
            name="BILL to QuickBooks sync",
        )
    world.oauth.grant(
        realm_id=identities.realm_id,
        client_id=identities.client_id,
        refresh_token=identities.refresh_token,
    )
