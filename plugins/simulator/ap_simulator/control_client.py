"""A client of `/__control` for the command line, the report and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self

import requests
import simplejson


class ControlError(Exception):
    """The simulator does not answer or refused a control call. One line for the reader."""


class ControlClient:
    """Speaks to the control API of the simulator at `url`."""

    def __init__(self, url: str, *, timeout: float = 60) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # No proxy, no .netrc: this is loopback.

    def __enter__(self) -> Self:
        """Use the client as a context that ends its connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the connections."""
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._session.close()

    def status(self) -> dict[str, Any]:
        """What runs: url, pid, run directory, company, clock, counts of records, environment."""
        return self._object("GET", "status")

    def stats(self) -> dict[str, Any]:
        """Calls, applied writes and throttles by system, and `total_calls`."""
        return self._object("GET", "stats")

    def reset_stats(self) -> None:
        """Begin counting anew."""
        self._call("POST", "stats/reset")

    def reset(self, **settings: object) -> dict[str, Any]:
        """Put a new company in place of the present one; the status of the new one.

        Args:
            settings: `company`, `vendors`, `bills`, `seed`, `switches`; what is left out is as the
                simulator was started with.
        """
        return self._object("POST", "reset", json=settings)

    def faults(self) -> list[dict[str, Any]]:
        """The fault rules in force, with how often each was met and fired."""
        return self._array("GET", "faults")

    def add_fault(self, kind: str, **rule: object) -> dict[str, Any]:
        """Put a fault in force, e.g. `add_fault("throttle", path="*/batch", nth=2)`."""
        return self._object("POST", "faults", json={"kind": kind, **rule})

    def clear_faults(self) -> None:
        """Lift all faults."""
        self._call("DELETE", "faults")

    def set_latency(self, **latency: object) -> dict[str, Any]:
        """Set the standing latency: `per_call_ms`, `per_item_ms`, and `system` for one only."""
        return self._object("POST", "latency", json=latency)

    def clock(self) -> datetime:
        """The simulated moment."""
        return self._moment(self._object("GET", "clock"))

    def set_clock(self, moment: datetime) -> datetime:
        """Set the clock to an aware moment."""
        return self._moment(self._object("POST", "clock", json={"set": moment.isoformat()}))

    def advance(self, seconds: float) -> datetime:
        """Let simulated time pass at once."""
        return self._moment(self._object("POST", "clock", json={"advance_seconds": seconds}))

    def freeze(self) -> datetime:
        """Let simulated time stand still."""
        return self._moment(self._object("POST", "clock", json={"freeze": True}))

    def run(self) -> datetime:
        """Let simulated time run on."""
        return self._moment(self._object("POST", "clock", json={"run": True}))

    def switches(self) -> dict[str, dict[str, dict[str, Any]]]:
        """All switches by area and name: value, default, accepted values, meaning."""
        return self._object("GET", "switches")

    def set_switches(self, switches: Mapping[str, object]) -> None:
        """Set switches by full name, e.g. `{"bill.limit_status": 400}`; all of them or none."""
        self._call("POST", "switches", json=dict(switches))

    def records(
        self,
        system: str,
        entity: str,
        *,
        realm: str | None = None,
        organization: str | None = None,
        record_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """What is stored, money as `Decimal`.

        Args:
            system: `bill` or `quickbooks`.
            entity: A collection of BILL (`bills`) or an entity of QuickBooks (`PurchaseOrder`).
            realm: Only this QuickBooks company.
            organization: Only this BILL organization.
            record_id: Only the record of this id.
        """
        query = {
            "system": system,
            "entity": entity,
            "realm": realm,
            "organization": organization,
            "id": record_id,
        }
        return self._array("GET", "records", params={k: v for k, v in query.items() if v})

    def add_company(
        self, *, organization_id: str, realm_id: str, name: str, **more: object
    ) -> dict[str, str]:
        """Add a further company on both sides, connected to the demo's app.

        Args:
            organization_id: `008...`, 20 characters.
            realm_id: Of QuickBooks.
            name: On both sides.
            more: `company`, `vendors`, `bills`, `seed`, `existing_in_quickbooks`, `refresh_token`.

        Returns:
            Its settings of the plugins, as `status --env` prints those of the first one.
        """
        ids = {"organization_id": organization_id, "realm_id": realm_id, "name": name}
        added: dict[str, str] = self._object("POST", "companies", json={**ids, **more})["environment"]
        return added

    def add_organization(self, **organization: object) -> dict[str, Any]:
        """Add a BILL organization; see the README for the fields."""
        return self._object("POST", "organizations", json=organization)

    def add_realm(self, **realm: object) -> dict[str, Any]:
        """Add a QuickBooks company and connect a client to it; see the README for the fields."""
        return self._object("POST", "realms", json=realm)

    def disconnect(self, realm_id: str) -> int:
        """End the connections to a company, as a person does inside QuickBooks; how many."""
        ended: int = self._object("POST", "disconnect", json={"realm_id": realm_id})["ended"]
        return ended

    def merge_vendors(self, survivor: str, merged: str, **more: object) -> dict[str, Any]:
        """Merge one QuickBooks vendor into another; the survivor. `realm_id` may be given."""
        return self._record("quickbooks/merge_vendors", survivor=survivor, merged=merged, **more)

    def change_profile(self, **changes: object) -> dict[str, Any]:
        """Change what a QuickBooks company has switched on (`plan`, `book_close_date`, ...).

        Its whole profile. `realm_id` may be given.
        """
        return self._object("POST", "quickbooks/profile", json=changes)

    def write_by_hand(self, entity: str, operation: str = "update", **more: object) -> dict[str, Any]:
        """Write a QuickBooks record as a person does: `record_id`, `values`, `realm_id`.

        The record as it is then; of a deleted one Id and status.
        """
        return self._record("quickbooks/write", entity=entity, operation=operation, **more)

    def delete_by_hand(self, entity: str, record_id: str, **more: object) -> dict[str, Any]:
        """Delete a QuickBooks transaction or vendor as a person does."""
        operation = "delete"
        return self._record(
            "quickbooks/write", entity=entity, operation=operation, record_id=record_id, **more
        )

    def set_active(self, entity: str, record_id: str, *, active: bool, **more: object) -> dict[str, Any]:
        """Make a QuickBooks vendor, account, class, ... inactive, or active again."""
        values = {"Active": active}
        return self._record("quickbooks/write", entity=entity, record_id=record_id, values=values, **more)

    def bill_order(self, order_id: str, **more: object) -> dict[str, Any]:
        """Enter a QuickBooks bill against a purchase order; the bill.

        Args:
            order_id: The purchase order.
            more: `shares`, what is billed of which line (quantity of item lines, else amount; by
                default all that is open), `number`, `day`, `realm_id`.
        """
        return self._record("quickbooks/bill_order", order_id=order_id, **more)

    def set_payment_status(self, payment_id: str, status: str, **more: object) -> dict[str, Any]:
        """Move a BILL payment to a `singleStatus`, forth or back; the payment."""
        return self._record("bill/payment_status", payment_id=payment_id, status=status, **more)

    def set_bill_status(self, bill_id: str, **more: object) -> dict[str, Any]:
        """Set `approval_status` or `record_status` of a BILL bill; the bill."""
        return self._record("bill/bill_status", bill_id=bill_id, **more)

    def webhooks(self) -> dict[str, Any]:
        """Receivers of both systems, with what became of their deliveries."""
        return self._object("GET", "webhooks")

    def add_webhook(self, url: str, **more: object) -> str:
        """Register an endpoint for QuickBooks' webhooks; its id.

        Args:
            url: Where notices go.
            more: `realm_id` (by default all companies connected to the app), `client_id`,
                `verifier_token`.
        """
        endpoint_id: str = self._object("POST", "webhooks", json={"url": url, **more})["id"]
        return endpoint_id

    def remove_webhook(self, endpoint_id: str) -> None:
        """Take an endpoint of QuickBooks' webhooks out."""
        self._call("DELETE", f"webhooks/{endpoint_id}")

    def emit(self, system: str, *, count: int, **more: object) -> None:
        """Emit events without changes, in the background.

        Args:
            system: `bill` or `quickbooks`.
            count: How many, about the stored records in turn.
            more: `per_second` (0 is all at once), `ids`; `organization_id` and `event_type`, or
                `realm_id`, `entity` and `operation`.
        """
        self._call("POST", "webhooks/emit", json={"system": system, "count": count, **more})

    def _record(self, path: str, **body: object) -> dict[str, Any]:
        record: dict[str, Any] = self._object("POST", path, json=body)["record"]
        return record

    def _moment(self, clock: Mapping[str, Any]) -> datetime:
        return datetime.fromisoformat(clock["now"])

    def _object(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(method, path, **request)
        return answer

    def _array(self, method: str, path: str, **request: Any) -> list[dict[str, Any]]:
        answer: Iterable[dict[str, Any]] = self._call(method, path, **request)
        return list(answer)

    def _call(self, method: str, path: str, **request: Any) -> Any:
        url = f"{self.url}/__control/{path}"
        try:
            response = self._session.request(method, url, timeout=self._timeout, **request)
        except requests.RequestException as error:
            msg = f"No simulator answers at {self.url}; start one with: ap-simulator start"
            raise ControlError(msg) from error
        try:
            answer = simplejson.loads(response.text, use_decimal=True)
        except ValueError as error:
            msg = f"What answers at {self.url} is not a simulator (HTTP {response.status_code})"
            raise ControlError(msg) from error
        if not response.ok:
            raise ControlError(answer.get("error", f"{url}: {answer}"))
        return answer
