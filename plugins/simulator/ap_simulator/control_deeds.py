"""The part of the control API for what people do inside QuickBooks and BILL.

A deed is refused in the words of the service. What it writes is counted as `by_hand` in the
statistics, and webhooks are told of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from ap_simulator.bill.errors import Refusal
from ap_simulator.company.identities import DEMO
from ap_simulator.control_input import ControlInputError, JsonObject, changes_from_json, read_call
from ap_simulator.quickbooks import by_hand
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.problems import RefusedError
from ap_simulator.quickbooks.profile import RealmProfile
from ap_simulator.simulation import Simulation

#: Takes the body of a control call and returns its answer.
Deed = Callable[[JsonObject], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merge:
    survivor: str
    merged: str
    realm_id: str = DEMO.realm_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    entity: str
    operation: Literal["create", "update", "delete", "void"] = "update"
    record_id: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    realm_id: str = DEMO.realm_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _BillOrder:
    order_id: str
    shares: Mapping[str, Decimal] = field(default_factory=dict)
    number: str | None = None
    day: date | None = None
    realm_id: str = DEMO.realm_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _PaymentStatus:
    payment_id: str
    status: str
    organization_id: str = DEMO.organization_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _BillStatus:
    bill_id: str
    approval_status: str | None = None
    record_status: str | None = None
    organization_id: str = DEMO.organization_id


def deeds(simulation: Simulation) -> dict[str, Deed]:
    """All deeds by path below `/__control`."""
    people = _People(simulation)
    found: dict[str, Deed] = {
        "/quickbooks/merge_vendors": people.merge_vendors,
        "/quickbooks/profile": people.change_profile,
        "/quickbooks/write": people.write,
        "/quickbooks/bill_order": people.bill_order,
        "/bill/payment_status": people.set_payment_status,
        "/bill/bill_status": people.set_bill_status,
    }
    return {path: _in_plain_words(simulation, deed) for path, deed in found.items()}


class _People:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def merge_vendors(self, body: JsonObject) -> dict[str, Any]:
        asked = read_call(_Merge, body)
        service = self._simulation.world.quickbooks
        service.merge_vendors(asked.realm_id, asked.merged, asked.survivor)
        realm = service.realm(asked.realm_id)
        return {"record": by_hand.shown(realm, "Vendor", by_hand.found(realm, "Vendor", asked.survivor))}

    def change_profile(self, body: JsonObject) -> dict[str, Any]:
        service = self._simulation.world.quickbooks
        realm_id = body.get("realm_id", DEMO.realm_id)
        names = ", ".join(entry.name for entry in fields(RealmProfile))
        changes = changes_from_json(
            RealmProfile,
            {name: value for name, value in body.items() if name != "realm_id"},
            help_text=f'profile takes "realm_id" and any of {names}',
        )
        service.change_profile(realm_id, **changes)
        profile = asdict(service.realm(realm_id).profile)
        closed = profile["book_close_date"]
        return {**profile, "book_close_date": closed and closed.isoformat()}

    def write(self, body: JsonObject) -> dict[str, Any]:
        asked = read_call(_Write, body)
        if asked.entity not in ENTITIES:
            msg = f"There is no entity {asked.entity}; there are {', '.join(ENTITIES)}"
            raise ControlInputError(msg)
        record = by_hand.write(
            self._simulation.world.quickbooks.realm(asked.realm_id),
            asked.entity,
            asked.operation,
            record_id=asked.record_id,
            values=asked.values,
        )
        return {"record": record}

    def bill_order(self, body: JsonObject) -> dict[str, Any]:
        asked = read_call(_BillOrder, body)
        record = by_hand.bill_order(
            self._simulation.world.quickbooks.realm(asked.realm_id),
            asked.order_id,
            shares=asked.shares,
            number=asked.number,
            day=None if asked.day is None else asked.day.isoformat(),
        )
        return {"record": record}

    def set_payment_status(self, body: JsonObject) -> dict[str, Any]:
        asked = read_call(_PaymentStatus, body)
        service = self._simulation.world.bill
        return {"record": service.set_payment_status(asked.organization_id, asked.payment_id, asked.status)}

    def set_bill_status(self, body: JsonObject) -> dict[str, Any]:
        asked = read_call(_BillStatus, body)
        record = self._simulation.world.bill.review_bill(
            asked.organization_id,
            asked.bill_id,
            approval_status=asked.approval_status,
            record_status=asked.record_status,
        )
        return {"record": record}


def _in_plain_words(simulation: Simulation, deed: Deed) -> Deed:
    """Do it as a person, and say why not if it is refused."""

    def act(body: JsonObject) -> dict[str, Any]:
        try:
            with simulation.world.calls.by_hand():
                return deed(body)
        except (RefusedError, Refusal) as error:
            raise ControlInputError(str(error)) from error
        except LookupError as error:
            msg = f"There is no company {error.args[0]}" if type(error) is KeyError else str(error)
            raise ControlInputError(msg) from error

    return act
