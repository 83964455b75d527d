"""Webhook subscriptions of an organization and the rules for them (BILL manual 5.3)."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ap_simulator.bill.errors import Code, Problem, Refusal, invalid, refusal
from ap_simulator.bill.records.schema import Flag, ListOf, Object, Text, read_body
from ap_simulator.bill.records.shapes import NAME
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.webhooks.event_types import ENTITY_KEYS, VERSION
from ap_simulator.bill.webhooks.history import History
from ap_simulator.bill.wire import Record, stamp

MOST_SUBSCRIPTIONS: Final = 10
_KEY_BYTES: Final = 32
#: Who disables a subscription whose receiver does not answer.
_SYSTEM_ACTOR: Final = "SYSTEM"

_NAME_FIELDS: Final = {
    "name": NAME,
    "status": Object({"enabled": Flag()}, ("enabled",)),
    "notificationUrl": Text(longest=2_000),
}
_SHAPE: Final = Object(
    {
        **_NAME_FIELDS,
        "events": ListOf(Object({"type": NAME, "version": NAME}, ("type", "version")), least=1),
    },
    ("name", "status", "events", "notificationUrl"),
)
_PATCH: Final = Object(_NAME_FIELDS)


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One subscription."""

    id: str
    organization_id: str
    name: str
    enabled: bool
    changed_by: str
    events: tuple[str, ...]
    url: str
    security_key: str = field(repr=False)
    created: datetime
    updated: datetime
    history: History = field(default_factory=History, repr=False)

    def disable(self, now: datetime) -> None:
        """Stop sending because the receiver does not answer."""
        self.enabled, self.changed_by, self.updated = False, _SYSTEM_ACTOR, now

    def rotate_key(self, now: datetime) -> str:
        """Replace the security key and return the new one."""
        self.security_key, self.updated = new_security_key(), now
        return self.security_key

    def shown(self, switches: BillSwitches, *, with_key: bool = False) -> Record:
        """The subscription as BILL answers it; the key is shown only when it is new."""
        status: Record = {"enabled": self.enabled}
        if switches.webhook_status_actor:
            status[switches.webhook_status_actor] = self.changed_by
        record = {
            "id": self.id,
            "name": self.name,
            "organizationId": self.organization_id,
            "status": status,
            "events": [{"type": event_type, "version": VERSION} for event_type in self.events],
            "notificationUrl": self.url,
            "createdTime": stamp(self.created),
            "updatedTime": stamp(self.updated),
        }
        return {**record, "securityKey": self.security_key} if with_key else record


class Subscriptions:
    """All subscriptions of one organization, oldest first."""

    def __init__(self, organization_id: str) -> None:
        self._organization_id = organization_id
        self._by_id: dict[str, Subscription] = {}

    def all(self) -> list[Subscription]:
        """Every subscription, oldest first."""
        return list(self._by_id.values())

    def get(self, subscription_id: str) -> Subscription:
        """A subscription by its id.

        Raises:
            Refusal: 404 BDC_1205.
        """
        subscription = self._by_id.get(subscription_id)
        if subscription is None:
            raise refusal(Code.NO_SUCH_OBJECT)
        return subscription

    def create(
        self, body: Any, *, subscription_id: str, actor: str, switches: BillSwitches, now: datetime
    ) -> Subscription:
        """Add a subscription.

        Raises:
            Refusal: 400: the body is invalid, the same events go to the same URL already, or there
                are ten subscriptions.
        """
        values = read_body(_SHAPE, body, switches)
        events, url = _checked_events(values["events"]), values["notificationUrl"]
        _check_url(url, switches)
        if len(self._by_id) >= MOST_SUBSCRIPTIONS:
            msg = f"An organization can have at most {MOST_SUBSCRIPTIONS} subscriptions"
            raise _over_limit(msg, switches)
        self._check_unique(events, url, switches)
        subscription = Subscription(
            id=subscription_id,
            organization_id=self._organization_id,
            name=values["name"],
            enabled=values["status"]["enabled"],
            changed_by=actor,
            events=events,
            url=url,
            security_key=new_security_key(),
            created=now,
            updated=now,
        )
        self._by_id[subscription_id] = subscription
        return subscription

    def change(
        self,
        subscription_id: str,
        body: Any,
        *,
        replace: bool,
        actor: str,
        switches: BillSwitches,
        now: datetime,
    ) -> Subscription:
        """Change a subscription: PUT (`replace`), with its events, or PATCH, without.

        Raises:
            Refusal: 404 BDC_1205, or 400: the body is invalid, or another subscription sends the
                same events to the same URL.
        """
        subscription = self.get(subscription_id)
        if replace:
            values: Mapping[str, Any] = read_body(_SHAPE, body, switches)
        else:
            values = read_body(_PATCH, body, switches, partial=True)
        events = _checked_events(values["events"]) if "events" in values else subscription.events
        url = values.get("notificationUrl") or subscription.url
        _check_url(url, switches)
        self._check_unique(events, url, switches, but=subscription)
        subscription.events, subscription.url = events, url
        subscription.name = values.get("name") or subscription.name
        status = values.get("status") or {}
        if status.get("enabled") is not None:
            subscription.enabled, subscription.changed_by = status["enabled"], actor
        subscription.updated = now
        return subscription

    def delete(self, subscription_id: str) -> None:
        """Remove a subscription with its history.

        Raises:
            Refusal: 404 BDC_1205.
        """
        self.get(subscription_id).enabled = False
        del self._by_id[subscription_id]

    def _check_unique(
        self,
        events: tuple[str, ...],
        url: str,
        switches: BillSwitches,
        *,
        but: Subscription | None = None,
    ) -> None:
        for other in self._by_id.values():
            if other is not but and (set(other.events), other.url) == (set(events), url):
                msg = "A subscription for the same events and notificationUrl exists"
                raise _over_limit(msg, switches)


def _over_limit(message: str, switches: BillSwitches) -> Refusal:
    return Refusal([Problem(Code.INVALID, message)], status=switches.webhook_limit_status)


def new_security_key() -> str:
    """A security key: a text, which is base64 as well."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _checked_events(sent: list[Record]) -> tuple[str, ...]:
    faults = []
    for number, event in enumerate(sent):
        if event["type"] not in ENTITY_KEYS:
            faults.append(f"events[{number}].type: is not in the catalog: {event['type']}")
        if event["version"] != VERSION:
            faults.append(f'events[{number}].version: must be "{VERSION}"')
    if faults:
        raise invalid(*faults)
    return tuple(dict.fromkeys(event["type"] for event in sent))


def _check_url(url: str, switches: BillSwitches) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    local = switches.webhook_http_urls == "loopback" and _is_loopback(host)
    if not host or parts.scheme not in ({"https", "http"} if local else {"https"}):
        msg = "notificationUrl: must be an https:// URL"
        raise invalid(msg)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
