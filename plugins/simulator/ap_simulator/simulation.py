"""A running simulation: the world in force, what it was made of, and how to begin anew."""

from __future__ import annotations

import contextlib
import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ap_simulator import collector
from ap_simulator.company.build import populate
from ap_simulator.company.calendar import CLOSING
from ap_simulator.company.identities import DEMO
from ap_simulator.environment import environment
from ap_simulator.oauth.tokens import new_refresh_token
from ap_simulator.rundir import RunDir
from ap_simulator.settings import Branch, Organization, Realm, Settings
from ap_simulator.world import World, create_world


class Simulation:
    """The world in force. `reset` puts a new one in its place."""

    world: World

    def __init__(self, settings: Settings, *, run_dir: RunDir, url: str) -> None:
        """Make the first world.

        Args:
            settings: What it is made of, and what a reset goes back to.
            run_dir: Where clients keep what refers to the company.
            url: Base URL that it is served at.

        Raises:
            SwitchError: A switch that does not exist or a value that it does not take.
            CompanySizeError: The company cannot have so few records.
        """
        self.initial = settings
        self.run_dir = run_dir
        self.url = url
        self._started = datetime.now(UTC)
        self._begin(settings)

    async def reset(self, settings: Settings) -> None:
        """Put a new world in place of the present one: company, switches, clock, faults, counters.

        Raises:
            SwitchError: A switch that does not exist or a value that it does not take.
            CompanySizeError: The company cannot have so few records. The present world stays.
        """
        old = self.world
        with collector.spared() if collector.is_large(settings) else contextlib.nullcontext():
            self._begin(settings)
        await old.close()

    async def close(self) -> None:
        """End what the world does in the background."""
        await self.world.close()

    def add_branch(self, branch: Branch) -> dict[str, str]:
        """Add a further company on both sides, connected to the demo's app.

        Returns:
            Its settings of the plugins.

        Raises:
            ValueError: There is one of those ids already, or it cannot have so few records.
        """
        if self.world.bill.find_organization(branch.organization_id) is not None:
            msg = f"There is an organization {branch.organization_id} already"
            raise ValueError(msg)
        if self.world.quickbooks.find(branch.realm_id) is not None:
            msg = f"There is a company {branch.realm_id} already"
            raise ValueError(msg)
        identities = replace(
            DEMO,
            organization_id=branch.organization_id,
            realm_id=branch.realm_id,
            company_name=branch.name,
            refresh_token=branch.refresh_token or new_refresh_token(),
        )
        populate(
            self.world,
            company=branch.company,
            vendors=branch.vendors,
            bills=branch.bills,
            seed=branch.seed,
            existing_in_quickbooks=branch.existing_in_quickbooks,
            identities=identities,
        )
        return environment(url=self.url, run_dir=self.run_dir, identities=identities)

    def add_organization(self, organization: Organization) -> None:
        """Add a BILL organization with one login and developer key."""
        self.world.bill.add_organization(
            organization_id=organization.organization_id,
            name=organization.name,
            users={organization.username: organization.password},
            developer_keys=[organization.dev_key],
            profile=organization.profile,
        )

    def add_realm(self, realm: Realm) -> str:
        """Add a QuickBooks company and connect a client to it; the refresh token.

        Raises:
            ValueError: There is one of that id already, or a redirect URI cannot be registered.
        """
        self.world.quickbooks.add_realm(realm_id=realm.realm_id, company=realm.profile)
        oauth = self.world.oauth
        oauth.add_company(realm_id=realm.realm_id, name=realm.profile.name)
        if oauth.client(realm.client_id) is None:
            oauth.add_client(
                client_id=realm.client_id,
                client_secret=realm.client_secret,
                redirect_uris=realm.redirect_uris,
            )
        return oauth.grant(
            realm_id=realm.realm_id, client_id=realm.client_id, refresh_token=realm.refresh_token
        )

    def records(
        self, system: str, entity: str, *, company: str | None, record_id: str | None
    ) -> list[dict[str, Any]]:
        """What is stored.

        Args:
            system: `bill` or `quickbooks`.
            entity: A collection of BILL or an entity of QuickBooks.
            company: Organization or realm; None is all of them.
            record_id: Only the record of this id.

        Raises:
            LookupError: There is no such organization or realm.
        """
        service = self.world.bill if system == "bill" else self.world.quickbooks
        if company is not None and company not in (known := service.counts()):
            msg = f"There is no company {company}; there are {', '.join(known)}"
            raise LookupError(msg)
        found = service.records(company, entity)
        if record_id is None:
            return found
        name = "id" if system == "bill" else "Id"
        return [record for record in found if record.get(name) == record_id]

    def status(self) -> dict[str, Any]:
        """What runs, as JSON."""
        clock = self.world.clock
        uptime = datetime.now(UTC) - self._started
        return {
            "url": self.url,
            "pid": os.getpid(),
            "run_dir": str(self.run_dir.path),
            "company": self.settings.company,
            "seed": self.settings.seed,
            "world_id": self.world_id,
            "started": self._started.isoformat(),
            "uptime_seconds": round(uptime.total_seconds(), 3),
            "now": clock.now().isoformat(),
            "frozen": clock.frozen,
            "records": {
                "bill": self.world.bill.counts(),
                "quickbooks": self.world.quickbooks.counts(),
            },
            "environment": environment(url=self.url, run_dir=self.run_dir),
        }

    def _begin(self, settings: Settings) -> None:
        world = create_world(settings.switches.items())
        if world.clock.now() < CLOSING:
            # The books of the companies must not lie in the future, wherever the real clock is.
            world.clock.set(CLOSING)
        populate(
            world,
            company=settings.company,
            vendors=settings.vendors,
            bills=settings.bills,
            seed=settings.seed,
            existing_in_quickbooks=settings.existing_in_quickbooks,
        )
        self.run_dir.remove_company_files()
        self.settings = settings
        self.world = world
        #: Tells one company from the next, since both may have the same seed.
        self.world_id = str(uuid.uuid4())
