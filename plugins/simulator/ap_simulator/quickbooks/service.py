"""The QuickBooks service: its companies, and what control and seeding may do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.faults import FaultPlan
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.events import ChangeEvent, EventLog
from ap_simulator.quickbooks.limits import Limits
from ap_simulator.quickbooks.loading import load_records
from ap_simulator.quickbooks.merging import merge_vendors
from ap_simulator.quickbooks.profile import RealmProfile
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import entity_dict
from ap_simulator.quickbooks.replay import ReplayMemory
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.quickbooks.tax_tables import tax_records
from ap_simulator.quickbooks.webhooks.notifier import Notifier
from ap_simulator.quickbooks.writing.company import SINGLETON_ID, show_profile, singletons


class QuickBooksService:
    """All companies of one world, side by side and fully apart."""

    def __init__(
        self,
        *,
        clock: Clock,
        switches: QuickBooksSwitches,
        calls: CallLog,
        faults: FaultPlan | None = None,
    ) -> None:
        """A service without companies; `faults` are those of its webhooks' deliveries."""
        self.switches = switches
        self.limits = Limits(clock=clock, switches=switches)
        self._clock = clock
        self._calls = calls
        self._events = EventLog()
        self.notifier = Notifier(clock=clock, switches=switches, faults=faults or FaultPlan())
        self._events.listen(self.notifier.hear)
        self._realms: dict[str, Realm] = {}
        self._memories: dict[str, ReplayMemory] = {}

    def add_realm(self, *, realm_id: str, company: RealmProfile) -> None:
        """Open a company.

        Raises:
            ValueError: There is one of that id already.
        """
        if realm_id in self._realms:
            msg = f"There is a company {realm_id} already"
            raise ValueError(msg)
        realm = Realm(
            realm_id=realm_id,
            profile=company,
            clock=self._clock,
            switches=self.switches,
            calls=self._calls,
            events=self._events,
        )
        self._realms[realm_id] = realm
        self._memories[realm_id] = ReplayMemory(clock=self._clock, switches=self.switches)
        for name, body in singletons(realm, company).items():
            load_records(realm, ENTITIES[name], [{"Id": SINGLETON_ID, **body}])
        _load_taxes(realm)

    def find(self, realm_id: str) -> Realm | None:
        """The company of that id."""
        return self._realms.get(realm_id)

    def realm(self, realm_id: str) -> Realm:
        """The company of that id.

        Raises:
            LookupError: There is none.
        """
        found = self._realms.get(realm_id)
        if found is None:
            msg = f"There is no QuickBooks company {realm_id}"
            raise LookupError(msg)
        return found

    def realms(self) -> dict[str, RealmProfile]:
        """The profiles of all companies by id."""
        return {realm_id: realm.profile for realm_id, realm in self._realms.items()}

    def memory(self, realm_id: str) -> ReplayMemory:
        """The request ids of a company."""
        return self._memories[realm_id]

    def change_profile(self, realm_id: str, **changes: Any) -> None:
        """Change what a company has switched on, as a person does in its settings.

        Args:
            realm_id: The company.
            **changes: Attributes of `RealmProfile` with their new values.

        Raises:
            LookupError: There is no such company.
            TypeError: There is no such attribute.
        """
        realm = self.realm(realm_id)
        before = realm.profile.country
        show_profile(realm, replace(realm.profile, **changes))
        if realm.profile.country != before:
            _load_taxes(realm)

    def load(self, realm_id: str, entity: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Store complete records as they are, without rules, counts or events.

        Args:
            realm_id: The company.
            entity: PascalCase name.
            records: Entities as answers show them, tax identifiers in full. Id is needed;
                SyncToken, MetaData and names of references are not. Inactive records whose name
                lacks the suffix of deactivated ones get it, if the switch says so.

        Raises:
            LookupError: There is no such company or entity.
            ValueError: A record without an Id.
        """
        if entity not in ENTITIES:
            msg = f"There is no QuickBooks entity {entity}"
            raise LookupError(msg)
        load_records(self.realm(realm_id), ENTITIES[entity], records)

    def records(self, realm_id: str | None, entity: str) -> list[dict[str, Any]]:
        """What is stored of an entity, by Id: of one company or, with None, of all.

        Tax identifiers are in full; this is for tests and reports, not for the API.

        Raises:
            LookupError: There is no such company or entity.
        """
        if entity not in ENTITIES:
            msg = f"There is no QuickBooks entity {entity}"
            raise LookupError(msg)
        realms = self._realms.values() if realm_id is None else [self.realm(realm_id)]
        return [
            entity_dict(realm, ENTITIES[entity], table.at(number), plain=True)
            for realm in realms
            for table in [realm.tables[entity]]
            for number in table.partition(None).numbers
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many records each company has of each entity, by realm."""
        return {
            realm_id: {name: len(table) for name, table in realm.tables.items() if len(table)}
            for realm_id, realm in self._realms.items()
        }

    def merge_vendors(self, realm_id: str, losing: str, surviving: str) -> None:
        """Merge a vendor into another one, as a person does; the losing Id is gone.

        Raises:
            LookupError: There is no such company.
            RefusedError: The vendors are unknown or cannot be merged.
        """
        merge_vendors(self.realm(realm_id), losing=losing, surviving=surviving)

    def on_event(self, callback: Callable[[ChangeEvent], None]) -> None:
        """Call `callback` with every change from now on, at once and in order."""
        self._events.listen(callback)

    def events(self, realm_id: str | None = None) -> list[ChangeEvent]:
        """The last changes, oldest first; of one company or of all."""
        return self._events.events(realm_id)

    async def close(self) -> None:
        """Drop webhooks under way."""
        await self.notifier.close()


def _load_taxes(realm: Realm) -> None:
    """Give a company the tax codes and rates of its country."""
    for name, records in tax_records(realm.profile.country).items():
        load_records(realm, ENTITIES[name], records)
