"""The BILL service: organizations, who may call, what is stored. The HTTP side is in `routes`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ap_simulator.bill.errors import Code, refusal
from ap_simulator.bill.limits import Limits
from ap_simulator.bill.mfa import Mfa
from ap_simulator.bill.organization import Organization
from ap_simulator.bill.records import payment_progress, reviews
from ap_simulator.bill.sessions import Sessions
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.webhooks.delivery import Courier
from ap_simulator.bill.webhooks.idempotency import IdempotencyCache
from ap_simulator.bill.wire import Record
from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.faults import FaultPlan


class BillService:
    """All of BILL that is in memory. It is used from the event loop only."""

    def __init__(
        self, *, clock: Clock, switches: BillSwitches, calls: CallLog, faults: FaultPlan | None = None
    ) -> None:
        """A service without organizations; `faults` are those of its webhooks' deliveries."""
        self.clock = clock
        self.switches = switches
        self.calls = calls
        self.sessions = Sessions(clock=clock, switches=switches)
        self.limits = Limits(clock=clock, switches=switches, calls=calls)
        self.mfa = Mfa(clock=clock, switches=switches)
        self.courier = Courier(clock=clock, switches=switches, faults=faults or FaultPlan())
        self.idempotency = IdempotencyCache()
        self._organizations: dict[str, Organization] = {}

    def add_organization(
        self,
        *,
        organization_id: str,
        name: str,
        users: Mapping[str, str],
        developer_keys: Iterable[str],
        profile: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an organization, or users and keys to one that there is.

        Args:
            organization_id: `008...`, 20 characters.
            name: The organization's name.
            users: Passwords by user name; each is an administrator.
            developer_keys: Keys that may be used with the organization.
            profile: More fields of the organization's record.
        """
        organization = self._organizations.get(organization_id)
        if organization is None:
            organization = Organization(
                organization_id,
                name=name,
                profile=profile or {},
                clock=self.clock,
                switches=self.switches,
                calls=self.calls,
                courier=self.courier,
            )
            self._organizations[organization_id] = organization
        organization.developer_keys.update(developer_keys)
        for username, password in users.items():
            organization.add_user(username, password)

    def organization(self, organization_id: str) -> Organization:
        """An organization by its id.

        Raises:
            KeyError: There is none.
        """
        return self._organizations[organization_id]

    def find_organization(self, organization_id: str) -> Organization | None:
        """An organization by its id, if there is one."""
        return self._organizations.get(organization_id)

    def knows_developer_key(self, developer_key: str) -> bool:
        """Whether any organization takes that key."""
        return any(developer_key in known.developer_keys for known in self._organizations.values())

    def load(self, organization_id: str, collection: str, records: Iterable[Record]) -> None:
        """Store complete records, ids and times included, as they are.

        The dictionaries belong to the service from then on. Nothing is validated, counted or
        notified; a record with a known id replaces the older one.

        Raises:
            KeyError: There is no such organization or collection.
        """
        self._organizations[organization_id].load(collection, records)

    def records(self, organization_id: str | None, collection: str) -> list[Record]:
        """What is stored in a collection of one organization, or of all. Do not change it.

        Raises:
            KeyError: There is no such organization or collection.
        """
        if organization_id is None:
            chosen = list(self._organizations.values())
        else:
            chosen = [self._organizations[organization_id]]
        found: list[Record] = []
        for organization in chosen:
            organization.catch_up()
            found.extend(organization.books[collection])
        return found

    def counts(self) -> dict[str, dict[str, int]]:
        """How many records there are, by organization and collection."""
        return {
            organization_id: {name: len(known.books[name]) for name in known.books}
            for organization_id, known in self._organizations.items()
        }

    def set_payment_status(self, organization_id: str, payment_id: str, single_status: str) -> Record:
        """Move a payment to another `singleStatus`, as BILL's payment operations would.

        Its bills' amounts and statuses follow, credits are given back when it ends unpaid, and
        `payment.updated` is notified. It can go backwards, too, e.g. from `CLEARED` to
        `DISBURSEMENT_FAILED_ACTION_NEEDED`.

        Args:
            organization_id: The organization.
            payment_id: `stp...`
            single_status: One of `payment_statuses.SINGLE_STATUSES`.

        Raises:
            KeyError: There is no such organization.
            Refusal: No such payment or status, or the payment has ended.
        """
        books = self._organizations[organization_id].books
        if books["payments"].get(payment_id) is None:
            raise refusal(Code.NO_SUCH_OBJECT)
        return payment_progress.set_status(books, payment_id, single_status)

    def review_bill(
        self,
        organization_id: str,
        bill_id: str,
        *,
        approval_status: str | None = None,
        record_status: str | None = None,
    ) -> Record:
        """Approve, deny, draft or delete a bill, as people do inside BILL.

        Raises:
            KeyError: There is no such organization.
            Refusal: No such bill or status.
        """
        books = self._organizations[organization_id].books
        return reviews.review(books, bill_id, approval_status=approval_status, record_status=record_status)

    def webhooks_shown(self) -> list[dict[str, Any]]:
        """Every subscription with what became of its deliveries, as JSON."""
        return [
            {
                "id": subscription.id,
                "organization_id": organization_id,
                "name": subscription.name,
                "url": subscription.url,
                "enabled": subscription.enabled,
                **self.courier.deliveries.tallies[subscription.id].as_dict(),
            }
            for organization_id, organization in self._organizations.items()
            for subscription in organization.hooks.subscriptions.all()
        ]

    async def close(self) -> None:
        """Drop webhook deliveries under way."""
        await self.courier.close()
