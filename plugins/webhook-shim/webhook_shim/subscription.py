"""The one subscription through which BILL tells of an organization's vendors, bills and payments.

It is found again by its id or, when the store was lost, by the address it notifies. BILL tells a key only
when it makes one; one that is not known here is therefore replaced.
"""

from __future__ import annotations

import datetime as dt
import enum
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from target_quickbooks.errors import TargetError
from target_quickbooks.store.database import Store

from webhook_shim.bill_events import BillEvents, BillRefused, Held, NoSuchSubscription
from webhook_shim.store import subscription_table
from webhook_shim.store.subscription_table import Subscription

MOST_SUBSCRIPTIONS = 10
NAME = "bill-quickbooks"
#: What an event's type begins with if it concerns us.
CONCERNS = ("vendor.", "bill.", "payment.")
KEY_OVERLAP = dt.timedelta(hours=24)

logger = logging.getLogger("webhook-shim")


class Found(enum.StrEnum):
    """How a subscription was found, in the words of a message."""

    GOOD = "was in order"
    NEW = "is new"
    REPAIRED = "was repaired"
    DISABLED = "had been disabled by BILL and is enabled again"


@dataclass(frozen=True, slots=True)
class Desk:
    """Looks after the subscription of one organization.

    Attributes:
        url: The address that BILL is to notify.
    """

    store: Store
    bill: BillEvents
    organization_id: str
    url: str
    now: Callable[[], dt.datetime]

    def known(self) -> Subscription | None:
        """What is known here of the subscription."""
        with self.store.reading() as connection:
            return subscription_table.load(connection, self.store.cipher, self.organization_id)

    def subscribe(self) -> Found:
        """Have exactly one subscription, with all events that concern us, enabled, its key known.

        Raises:
            BillRefused: BILL does not allow it, or the organization has its ten already.
        """
        wanted = [kind for kind in self.bill.catalog() if kind.startswith(CONCERNS)]
        if not wanted:
            raise BillRefused("BILL offers no events about vendors, bills or payments to this user.")
        known = self.known()
        all_held = self.bill.subscriptions()
        ours = _ours(all_held, known, self.url)
        if not ours:
            self._create(wanted, all_held)
            return Found.NEW
        held, *surplus = ours
        for other in surplus:
            self.bill.delete(other.id)
            logger.info("Deleted the subscription %s, which notified the same address.", other.id)
        found = self._repair(held, wanted)
        if known is None or known.subscription_id != held.id:
            self._save(held.id, self.bill.rotate_key(held.id))
            return Found.REPAIRED
        self._keep(replace(known, url=self.url, enabled=True, checked_at=self.now()))
        return Found.REPAIRED if surplus else found

    def check(self) -> Found | None:
        """See whether BILL still sends, and mend it if not; None without a subscription.

        A disabled subscription is noted before it is enabled again, so that what it missed is not forgotten
        whatever happens in between.
        """
        known = self.known()
        if known is None:
            return None
        try:
            held = self.bill.subscription(known.subscription_id)
        except NoSuchSubscription:
            self._keep(replace(known, enabled=False, disabled_at=known.disabled_at or self.now()))
            return self.subscribe()
        if held.enabled:
            self._keep(replace(known, enabled=True, checked_at=self.now()))
            return Found.GOOD
        self._keep(replace(known, enabled=False, disabled_at=known.disabled_at or self.now()))
        self.bill.enable(held.id)
        self._keep(replace(self._certain(), enabled=True, checked_at=self.now()))
        return Found.DISABLED

    def caught_up(self) -> None:
        """What was missed while the subscription was disabled has been read."""
        known = self.known()
        if known:
            self._keep(replace(known, disabled_at=None))

    def rotate_key(self) -> None:
        """Have BILL sign with a new key; deliveries signed with the old one are good for another day.

        Raises:
            TargetError: There is no subscription.
        """
        known = self._certain()
        key = self.bill.rotate_key(known.subscription_id)
        now = self.now()
        self._keep(
            replace(
                known,
                security_key=key,
                previous_key=known.security_key,
                previous_until=now + KEY_OVERLAP,
                checked_at=now,
            )
        )

    def unsubscribe(self) -> None:
        """Have BILL send nothing more, and forget the key.

        Raises:
            TargetError: There is no subscription.
        """
        known = self._certain()
        try:
            self.bill.delete(known.subscription_id)
        except NoSuchSubscription:
            logger.info("BILL had no such subscription any more.")
        with self.store.writing() as connection:
            subscription_table.forget(connection, self.organization_id)

    def _create(self, wanted: Sequence[str], all_held: Sequence[Held]) -> None:
        if len(all_held) >= MOST_SUBSCRIPTIONS:
            names = ", ".join(f"'{held.name}'" for held in all_held)
            raise BillRefused(
                f"The organization has {len(all_held)} subscriptions already, and BILL allows "
                f"{MOST_SUBSCRIPTIONS}: {names}. Delete one that is not needed, and subscribe again."
            )
        held, key = self.bill.create(name=NAME, url=self.url, events=wanted)
        self._save(held.id, key)

    def _repair(self, held: Held, wanted: Sequence[str]) -> Found:
        if held.events != set(wanted) or held.url != self.url:
            self.bill.replace(held.id, name=held.name or NAME, url=self.url, events=wanted)
            return Found.REPAIRED
        if not held.enabled:
            self.bill.enable(held.id)
            return Found.DISABLED
        return Found.GOOD

    def _certain(self) -> Subscription:
        known = self.known()
        if known is None:
            raise TargetError(
                f"There is no subscription for organization {self.organization_id}. Make one: "
                "webhook-shim subscribe"
            )
        return known

    def _save(self, subscription_id: str, key: str) -> None:
        known = self.known()
        self._keep(
            Subscription(
                organization_id=self.organization_id,
                subscription_id=subscription_id,
                url=self.url,
                security_key=key,
                checked_at=self.now(),
                disabled_at=known.disabled_at if known else None,
                last_event_at=known.last_event_at if known else None,
            )
        )

    def _keep(self, subscription: Subscription) -> None:
        with self.store.writing() as connection:
            subscription_table.save(connection, self.store.cipher, subscription)


def _ours(all_held: Sequence[Held], known: Subscription | None, url: str) -> list[Held]:
    """The subscriptions that are ours, the one whose key is known first."""
    ours = [held for held in all_held if held.url == url or (known and held.id == known.subscription_id)]
    return sorted(ours, key=lambda held: known is None or held.id != known.subscription_id)
