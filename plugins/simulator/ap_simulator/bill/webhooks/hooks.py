"""The webhooks of one organization: from a change in its books to events on their way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ap_simulator.bill.errors import invalid
from ap_simulator.bill.identifiers import Identifiers
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.webhooks import payloads
from ap_simulator.bill.webhooks.delivery import Courier
from ap_simulator.bill.webhooks.event_types import ENTITY_KEYS, VERSION
from ap_simulator.bill.webhooks.history import Event
from ap_simulator.bill.webhooks.subscriptions import Subscription, Subscriptions
from ap_simulator.bill.wire import Record, to_json
from ap_simulator.clock import Clock


class Hooks:
    """Subscriptions, and what they are sent."""

    def __init__(
        self, organization_id: str, *, clock: Clock, switches: BillSwitches, courier: Courier
    ) -> None:
        self.subscriptions = Subscriptions(organization_id)
        self._ids = Identifiers(f"{organization_id}/webhooks")
        self._organization_id = organization_id
        self._clock = clock
        self._switches = switches
        self._courier = courier

    def new_id(self) -> str:
        """An id for a subscription or event."""
        return self._ids.mint_uuid()

    def publish(self, event_type: str, record: Record) -> None:
        """Send an event to all who subscribed to it.

        Args:
            event_type: A type of the catalog.
            record: The record as it is now; for `payment.failed` what there is of a payment.
        """
        for subscription in self.subscriptions.all():
            if event_type not in subscription.events:
                continue
            if not subscription.enabled and self._switches.webhook_events_while_disabled == "dropped":
                continue
            event_id = self.new_id()
            content = payloads.payload(
                event_type,
                record,
                event_id=event_id,
                subscription_id=subscription.id,
                organization_id=self._organization_id,
            )
            event = self._kept(subscription, event_id, event_type, content, record.get("id"))
            if subscription.enabled:
                self._courier.send(subscription, event)

    async def send_test(self, subscription: Subscription, body: Any) -> Event:
        """Send a test event, once, and wait for the answer.

        Args:
            subscription: To whom.
            body: None, or `eventType`, `version` and an entity under its key; by default the
                subscription's first event with a few invented values.

        Raises:
            Refusal: 400: no such event type or version, or the entity is no object.
        """
        if body is not None and not isinstance(body, Mapping):
            msg = "Request body must be an object"
            raise invalid(msg)
        body = body or {}
        event_type = body.get("eventType", subscription.events[0])
        known = isinstance(event_type, str) and event_type in ENTITY_KEYS
        if not known or body.get("version", VERSION) != VERSION:
            msg = "eventType: must be of the catalog, in version 1"
            raise invalid(msg)
        key = ENTITY_KEYS[event_type]
        entity = body.get(key, {"id": f"test-{key}-id"})
        if not isinstance(entity, Mapping):
            msg = f"{key}: must be an object"
            raise invalid(msg)
        event_id = self.new_id()
        content = payloads.enveloped(
            event_type,
            entity,
            event_id=event_id,
            subscription_id=subscription.id,
            organization_id=self._organization_id,
        )
        entity_id = entity.get("id")
        event = self._kept(
            subscription, event_id, event_type, content, entity_id if isinstance(entity_id, str) else None
        )
        await self._courier.send_once(subscription, event)
        return event

    async def resend(self, subscription: Subscription, event: Event) -> Event:
        """Send an event of the history once more, and wait for the answer."""
        await self._courier.send_once(subscription, event)
        return event

    def _kept(
        self,
        subscription: Subscription,
        event_id: str,
        event_type: str,
        content: Mapping[str, Any],
        entity_id: str | None,
    ) -> Event:
        event = Event(
            id=event_id,
            number=subscription.history.next_number(),
            type=event_type,
            version=VERSION,
            subscription_id=subscription.id,
            payload=to_json(content),
            entity_id=entity_id,
            created=self._clock.now(),
        )
        subscription.history.add(event)
        return event
