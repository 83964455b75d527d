"""The part of the control API for webhooks: endpoints, what was delivered, events on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ap_simulator.bill.webhooks.event_types import ENTITY_KEYS
from ap_simulator.company.identities import DEMO
from ap_simulator.control_input import ControlInputError, JsonObject, read_call
from ap_simulator.quickbooks.events import ChangeEvent, EventOperation
from ap_simulator.quickbooks.webhooks.notices import HEARD
from ap_simulator.world import World

#: Where the records of BILL's events are.
_COLLECTIONS: Final = {"vendor": "vendors", "bill": "bills", "payment": "payments"}
#: Events between two chances for requests to be served.
_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    url: str
    realm_id: str | None = None
    client_id: str = DEMO.client_id
    verifier_token: str = DEMO.verifier_token


@dataclass(frozen=True, slots=True, kw_only=True)
class _BillEvents:
    system: Literal["bill"]
    event_type: str = "vendor.updated"
    count: int = 1
    per_second: float = 0.0
    ids: tuple[str, ...] = ()
    organization_id: str = DEMO.organization_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _QuickBooksEvents:
    system: Literal["quickbooks"]
    entity: str = "Vendor"
    operation: EventOperation = "Update"
    count: int = 1
    per_second: float = 0.0
    ids: tuple[str, ...] = ()
    realm_id: str = DEMO.realm_id


def shown(world: World) -> dict[str, Any]:
    """Every receiver of both services, and what became of its deliveries."""
    courier, notifier = world.bill.courier, world.quickbooks.notifier
    return {
        "bill": {"under_way": courier.under_way, "subscriptions": world.bill.webhooks_shown()},
        "quickbooks": {"under_way": notifier.deliveries.under_way, "endpoints": notifier.shown()},
    }


def reset(world: World) -> None:
    """Count deliveries anew."""
    world.bill.courier.deliveries.tallies.clear()
    world.quickbooks.notifier.deliveries.tallies.clear()


def add_endpoint(world: World, body: JsonObject) -> dict[str, Any]:
    """Register an endpoint for QuickBooks' webhooks.

    Raises:
        ControlInputError: The body is wrong or names no company or app.
    """
    asked = read_call(_Endpoint, body)
    if asked.realm_id is not None and world.quickbooks.find(asked.realm_id) is None:
        msg = f"There is no QuickBooks company {asked.realm_id}"
        raise ControlInputError(msg)
    if world.oauth.client(asked.client_id) is None:
        msg = f"There is no app {asked.client_id}"
        raise ControlInputError(msg)
    try:
        endpoint = world.quickbooks.notifier.add(
            url=asked.url,
            client_id=asked.client_id,
            verifier_token=asked.verifier_token,
            realm_id=asked.realm_id,
        )
    except ValueError as error:
        raise ControlInputError(str(error)) from error
    return {"id": endpoint.id, "url": endpoint.url, "realm_id": endpoint.realm_id}


def remove_endpoint(world: World, endpoint_id: str | None) -> None:
    """Take out one endpoint, or all with None.

    Raises:
        ControlInputError: There is none of that id.
    """
    notifier = world.quickbooks.notifier
    ids = [e.id for e in notifier.endpoints()] if endpoint_id is None else [endpoint_id]
    for one in ids:
        if not notifier.remove(one):
            msg = f"There is no endpoint {one}; GET /__control/webhooks lists them"
            raise ControlInputError(msg)


def emit(world: World, body: JsonObject) -> dict[str, Any]:
    """Emit events that no change stands behind, in the background.

    Raises:
        ControlInputError: The body is wrong, or there is no record that they could be about.
    """
    asked: _BillEvents | _QuickBooksEvents
    match body.get("system"):
        case "bill":
            asked = read_call(_BillEvents, body)
            deliveries, publish = world.bill.courier.deliveries, _bill_publisher(world, asked)
        case "quickbooks":
            asked = read_call(_QuickBooksEvents, body)
            deliveries = world.quickbooks.notifier.deliveries
            publish = _quickbooks_publisher(world, asked)
        case _:
            msg = 'emit needs a "system": bill or quickbooks'
            raise ControlInputError(msg)
    if asked.count < 1 or asked.per_second < 0:
        msg = "count must be at least 1, and per_second at least 0, which is all at once"
        raise ControlInputError(msg)
    deliveries.start(_paced(publish, asked.count, asked.per_second))
    return {"emitting": asked.count}


async def _paced(publish: Callable[[int], None], count: int, per_second: float) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(count):
        if per_second:
            await asyncio.sleep(max(0.0, begun + number / per_second - loop.time()))
        elif number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        publish(number)


def _bill_publisher(world: World, asked: _BillEvents) -> Callable[[int], None]:
    organization = world.bill.find_organization(asked.organization_id)
    if organization is None:
        msg = f"There is no BILL organization {asked.organization_id}"
        raise ControlInputError(msg)
    kind = asked.event_type.partition(".")[0]
    if asked.event_type not in ENTITY_KEYS or kind not in _COLLECTIONS:
        known = [name for name in ENTITY_KEYS if name.partition(".")[0] in _COLLECTIONS]
        msg = f"event_type must be one of {', '.join(known)}"
        raise ControlInputError(msg)
    records = list(organization.books[_COLLECTIONS[kind]])
    if asked.ids:
        by_id = {record["id"]: record for record in records}
        _check_known(asked.ids, by_id)
        records = [by_id[record_id] for record_id in asked.ids]
    _check_any(records, _COLLECTIONS[kind])
    return lambda number: organization.hooks.publish(asked.event_type, records[number % len(records)])


def _quickbooks_publisher(world: World, asked: _QuickBooksEvents) -> Callable[[int], None]:
    realm = world.quickbooks.find(asked.realm_id)
    if realm is None:
        msg = f"There is no QuickBooks company {asked.realm_id}"
        raise ControlInputError(msg)
    if asked.operation not in HEARD.get(asked.entity, ()):
        known = "; ".join(f"{name} {', '.join(sorted(heard))}" for name, heard in HEARD.items())
        msg = f"entity and operation must be among {known}"
        raise ControlInputError(msg)
    table = realm.tables[asked.entity]
    ids = list(asked.ids) or [record.id for record in table]
    _check_any(ids, asked.entity)

    def publish(number: int) -> None:
        event = ChangeEvent(
            realm_id=asked.realm_id,
            entity=asked.entity,
            id=ids[number % len(ids)],
            operation=asked.operation,
            time=world.clock.now(),
        )
        world.quickbooks.notifier.hear(event)

    return publish


def _check_known(ids: Sequence[str], known: Mapping[str, object]) -> None:
    if unknown := [record_id for record_id in ids if record_id not in known]:
        msg = f"There is no record {', '.join(unknown)}"
        raise ControlInputError(msg)


def _check_any(found: Sequence[object], what: str) -> None:
    if not found:
        msg = f"There are no {what} that events could be about"
        raise ControlInputError(msg)
