"""A BILL service behind a real server, and a client that is logged in to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
import requests
import simplejson
from ap_simulator.bill.service import BillService
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.clock import Clock
from ap_simulator.faults import FaultPlan
from ap_simulator.testing import RunningSimulator, running
from ap_simulator.world import World

ORGANIZATION = "00802TESTORGANIZAT01"
OTHER_ORGANIZATION = "00802TESTORGANIZAT02"
USERNAME = "ada.lovelace@example.com"
PASSWORD = "correct horse"
DEV_KEY = "01TESTDEVELOPERKEY00"
OTHER_DEV_KEY = "01TESTDEVELOPERKEY02"
SYNC_TOKEN = "nightly-sync"
SYNC_TOKEN_VALUE = "token-value"
CLERK = "clerk@example.com"
START = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
ADDRESS = {"line1": "1 Main St", "city": "San Jose", "zipOrPostalCode": "95002", "country": "US"}


@dataclass
class Client:
    """Calls the service, by default within a session."""

    simulator: RunningSimulator
    http: requests.Session
    headers: dict[str, str] = field(default_factory=dict)

    ORGANIZATION: ClassVar = ORGANIZATION
    OTHER_ORGANIZATION: ClassVar = OTHER_ORGANIZATION
    USERNAME: ClassVar = USERNAME
    DEV_KEY: ClassVar = DEV_KEY
    OTHER_DEV_KEY: ClassVar = OTHER_DEV_KEY
    SYNC_TOKEN: ClassVar = {"username": SYNC_TOKEN, "password": SYNC_TOKEN_VALUE}
    CLERK: ClassVar = {"username": CLERK}
    START: ClassVar = START

    @staticmethod
    def error(response: requests.Response) -> tuple[int, str, str]:
        """Status, code and message of a refusal with one entry."""
        entries = response.json()
        assert isinstance(entries, list), entries
        assert len(entries) == 1, entries
        return response.status_code, entries[0]["code"], entries[0]["message"]

    def refused(self, *args: Any, **more: Any) -> tuple[int, str, str]:
        """The refusal of a call."""
        return self.error(self.call(*args, **more))

    @property
    def url(self) -> str:
        return self.simulator.url

    @property
    def service(self) -> BillService:
        return self.simulator.world.bill

    @property
    def faults(self) -> FaultPlan:
        return self.simulator.world.faults

    @property
    def clock(self) -> Clock:
        return self.service.clock

    @property
    def switches(self) -> BillSwitches:
        return self.service.switches

    def on_loop(self, act):
        return self.simulator.on_loop(lambda world: act(world.bill))

    def advance(self, **by: float) -> None:
        self.on_loop(lambda service: service.clock.advance(timedelta(**by)))

    def load(self, collection: str, *records: dict[str, Any], organization: str = ORGANIZATION) -> None:
        self.on_loop(lambda service: service.load(organization, collection, list(records)))

    def stored(self, collection: str, record_id: str) -> dict[str, Any]:
        found = self.on_loop(lambda service: service.records(ORGANIZATION, collection))
        return next(record for record in found if record["id"] == record_id)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        api: str = "/connect/v3",
    ) -> requests.Response:
        data = body if isinstance(body, bytes) else None
        if body is not None and data is None:
            data = simplejson.dumps(body, use_decimal=True).encode()
        return self.http.request(
            method,
            f"{self.url}{api}/{path}",
            data=data,
            params=params,
            headers=self.headers if headers is None else headers,
            timeout=30,
            allow_redirects=False,
        )

    def hooks(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call(method, path, body, api="/connect-events/v3", **more)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        response = self.call(method, path, body, **more)
        assert response.status_code in {200, 201}, response.text
        return parsed(response)

    def get(self, path: str, **params: Any) -> Any:
        return self.ok("GET", path, params=params)

    def results(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return self.get(path, **params)["results"]

    def all_pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        found = []
        page = self.get(path, **params)
        while True:
            found += page["results"]
            if "nextPage" not in page:
                return found
            page = self.get(path, **params, page=page["nextPage"])

    def log_in(self, **changes: Any) -> requests.Response:
        body = {
            "username": USERNAME,
            "password": PASSWORD,
            "organizationId": ORGANIZATION,
            "devKey": DEV_KEY,
            **changes,
        }
        return self.call("POST", "login", body, headers={})

    def session(self, **changes: Any) -> dict[str, str]:
        response = self.log_in(**changes)
        assert response.status_code == 200, response.text
        return {"sessionId": response.json()["sessionId"], "devKey": changes.get("devKey", DEV_KEY)}

    def vendor(self, name: str = "Happy Music", **fields: Any) -> dict[str, Any]:
        return self.ok("POST", "vendors", {"name": name, "address": ADDRESS, **fields})

    def bill(self, vendor_id: str, *amounts: Any, **fields: Any) -> dict[str, Any]:
        body = {
            "vendorId": vendor_id,
            "dueDate": "2026-12-31",
            "invoice": {"invoiceNumber": "202601", "invoiceDate": "2026-12-15"},
            "billLineItems": [{"amount": amount} for amount in amounts or (Decimal("100.00"),)],
            **fields,
        }
        return self.ok("POST", "bills", body)

    def bank_account(self) -> dict[str, str]:
        return {"type": "BANK_ACCOUNT", "id": self.results("funding-accounts/banks")[0]["id"]}


def parsed(response: requests.Response) -> Any:
    return simplejson.loads(response.content, use_decimal=True) if response.content else None


def set_up(world: World) -> None:
    world.clock.set(START)
    service = world.bill
    service.add_organization(
        organization_id=ORGANIZATION,
        name="Test Organization",
        users={USERNAME: PASSWORD},
        developer_keys=[DEV_KEY],
        profile={"taxId": "112223333", "taxIdType": "EIN"},
    )
    service.add_organization(
        organization_id=OTHER_ORGANIZATION,
        name="Other Organization",
        users={USERNAME: PASSWORD},
        developer_keys=[DEV_KEY, OTHER_DEV_KEY],
    )
    organization = service.organization(ORGANIZATION)
    organization.add_sync_token(SYNC_TOKEN, SYNC_TOKEN_VALUE)
    organization.add_user(CLERK, PASSWORD, role="CLERK")


@pytest.fixture
def anonymous() -> Iterator[Client]:
    """A client without a session."""
    with running("empty") as simulator, requests.Session() as http:
        http.trust_env = False
        simulator.on_loop(set_up)
        yield Client(simulator, http)


@pytest.fixture
def bill(anonymous: Client) -> Client:
    """A client within a session."""
    anonymous.headers = anonymous.session()
    return anonymous
