"""BILL's subscription of each organization: its id, its keys (encrypted), and when it was last seen well."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.upserting import upsert

from webhook_shim.store.tables import subscriptions


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is known of a subscription. ``repr`` shows no key.

    Attributes:
        previous_key: Valid until ``previous_until``, for deliveries signed before a rotation.
        disabled_at: When it was found disabled, until what was missed has been polled.
        last_event_at: When BILL last delivered an event that was accepted.
    """

    organization_id: str
    subscription_id: str
    url: str
    security_key: str = field(repr=False)
    checked_at: dt.datetime
    enabled: bool = True
    previous_key: str = field(default="", repr=False)
    previous_until: dt.datetime | None = None
    disabled_at: dt.datetime | None = None
    last_event_at: dt.datetime | None = None

    def keys(self, now: dt.datetime) -> tuple[str, ...]:
        """The keys a delivery may be signed with now."""
        valid = self.previous_key and self.previous_until and now < self.previous_until
        return (self.security_key, self.previous_key) if valid else (self.security_key,)


def load(connection: Connection, cipher: Cipher, organization_id: str) -> Subscription | None:
    """The subscription of an organization, if there is one."""
    query = select(subscriptions).where(subscriptions.c.organization_id == organization_id)
    row = connection.execute(query).first()
    if row is None:
        return None
    return Subscription(
        organization_id=row.organization_id,
        subscription_id=row.subscription_id,
        url=row.url,
        security_key=cipher.decrypt(row.security_key),
        checked_at=row.checked_at,
        enabled=bool(row.enabled),
        previous_key=cipher.decrypt(row.previous_key) if row.previous_key else "",
        previous_until=row.previous_until,
        disabled_at=row.disabled_at,
        last_event_at=row.last_event_at,
    )


def save(connection: Connection, cipher: Cipher, subscription: Subscription) -> None:
    """Keep a subscription in place of what was known of it."""
    row = {
        "organization_id": subscription.organization_id,
        "subscription_id": subscription.subscription_id,
        "url": subscription.url,
        "security_key": cipher.encrypt(subscription.security_key),
        "previous_key": cipher.encrypt(subscription.previous_key) if subscription.previous_key else None,
        "previous_until": subscription.previous_until,
        "enabled": int(subscription.enabled),
        "checked_at": subscription.checked_at,
        "disabled_at": subscription.disabled_at,
        "last_event_at": subscription.last_event_at,
    }
    connection.execute(upsert(connection, subscriptions), row)


def heard(connection: Connection, organization_id: str, *, now: dt.datetime) -> None:
    """Note that an event was delivered."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.organization_id == organization_id)
        .values(last_event_at=now)
    )


def forget(connection: Connection, organization_id: str) -> None:
    """Drop what is known of an organization's subscription."""
    connection.execute(delete(subscriptions).where(subscriptions.c.organization_id == organization_id))
