"""A company in the real server, and a client that talks to it as any other would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests
import simplejson
from ap_simulator.quickbooks.profile import RealmProfile
from ap_simulator.quickbooks.query.lexer import quote
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.service import QuickBooksService
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.testing import RunningSimulator, running
from ap_simulator.world import World
from hypothesis import settings

# Machines that build software are shared: how long an example takes says nothing.
settings.register_profile("quickbooks", deadline=None)
settings.load_profile("quickbooks")

REALM = "4620816365000001"
OTHER_REALM = "4620816365000002"
CLIENT_ID = "ABtestClient000000000000000000000000000000000001"
CLIENT_SECRET = "test-secret"
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)  # 12:00 in California


class Ids:
    """The records of the test company by Id; tests reach them as `books.VENDOR`."""

    PAYABLE, CHECKING, CARD, TRAVEL, SOFTWARE = "33", "34", "35", "36", "37"
    COGS, RECEIVABLE, OLD, INCOME, EQUIPMENT = "38", "39", "40", "41", "42"
    ENGINEERING, SALES = "5000000000000007280", "5000000000000007281"
    BERLIN, OAKLAND = "1", "2"
    PUMP, CATEGORY, SALES_ONLY, RETIRED_ITEM = "11", "12", "13", "14"
    AT_ONCE, NET_30, TENTH = "1", "3", "5"
    VENDOR, CUSTOMER, EMPLOYEE, RETIRED = "41", "3", "5", "9"


LISTS: dict[str, list[dict[str, Any]]] = {
    "Account": [
        {
            "Id": account_id,
            "Name": name,
            "FullyQualifiedName": name,
            "AccountType": kind,
            "AccountSubType": subtype,
            "AcctNum": number,
            "Active": account_id != Ids.OLD,
            "CurrencyRef": {"value": "USD"},
        }
        for account_id, name, kind, subtype, number in (
            (Ids.PAYABLE, "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", "2000"),
            (Ids.CHECKING, "Checking", "Bank", "Checking", "1000"),
            (Ids.CARD, "Visa", "Credit Card", "CreditCard", "2100"),
            (Ids.TRAVEL, "Travel", "Expense", "Travel", "6100"),
            (Ids.SOFTWARE, "Software", "Expense", "OfficeGeneralAdministrativeExpenses", "6200"),
            (Ids.COGS, "Hosting", "Cost of Goods Sold", "OtherCostsOfServiceCos", "5000"),
            (Ids.RECEIVABLE, "Receivables", "Accounts Receivable", "AccountsReceivable", "1100"),
            (Ids.OLD, "Old Travel", "Expense", "Travel", "6900"),
            (Ids.INCOME, "Services", "Income", "ServiceFeeIncome", "4000"),
            (Ids.EQUIPMENT, "Equipment", "Fixed Asset", "MachineryAndEquipment", "1500"),
        )
    ],
    "Class": [
        {"Id": Ids.ENGINEERING, "Name": "Engineering", "FullyQualifiedName": "Engineering"},
        {"Id": Ids.SALES, "Name": "Sales", "FullyQualifiedName": "Sales"},
    ],
    "Department": [
        {"Id": Ids.BERLIN, "Name": "Berlin", "FullyQualifiedName": "Berlin"},
        {"Id": Ids.OAKLAND, "Name": "Oakland", "FullyQualifiedName": "Oakland"},
    ],
    "Item": [
        {
            "Id": Ids.PUMP,
            "Name": "Pump",
            "FullyQualifiedName": "Pump",
            "Type": "NonInventory",
            "ExpenseAccountRef": {"value": Ids.TRAVEL},
        },
        {"Id": Ids.CATEGORY, "Name": "Trees", "FullyQualifiedName": "Trees", "Type": "Category"},
        {
            "Id": Ids.SALES_ONLY,
            "Name": "Advice",
            "FullyQualifiedName": "Advice",
            "Type": "Service",
            "IncomeAccountRef": {"value": Ids.INCOME},
        },
        {
            "Id": Ids.RETIRED_ITEM,
            "Name": "Fax",
            "FullyQualifiedName": "Fax",
            "Type": "Service",
            "ExpenseAccountRef": {"value": Ids.TRAVEL},
            "Active": False,
        },
    ],
    "Term": [
        {"Id": Ids.AT_ONCE, "Name": "Due on receipt", "Type": "STANDARD", "DueDays": 0},
        {"Id": Ids.NET_30, "Name": "Net 30", "Type": "STANDARD", "DueDays": 30},
        {
            "Id": Ids.TENTH,
            "Name": "10th",
            "Type": "DATE_DRIVEN",
            "DayOfMonthDue": 10,
            "DueNextMonthDays": 5,
        },
    ],
    "Customer": [
        {"Id": Ids.CUSTOMER, "DisplayName": "Cool Cars", "FullyQualifiedName": "Cool Cars"},
    ],
    "Employee": [{"Id": Ids.EMPLOYEE, "DisplayName": "Emily Platt", "GivenName": "Emily"}],
    "Vendor": [
        {
            "Id": Ids.VENDOR,
            "DisplayName": "Hicks Hardware",
            "PrintOnCheckName": "Hicks Hardware",
            "GivenName": "Geoff",
            "FamilyName": "Hicks",
            "CompanyName": "Hicks Hardware",
            "Active": True,
            "Balance": 0,
            "Vendor1099": False,
            "TaxIdentifier": "12-3456789",
            "CurrencyRef": {"value": "USD"},
            "PrimaryEmailAddr": {"Address": "geoff@hicks.example"},
            "BillAddr": {
                "Id": "42",
                "Line1": "42 Main St.",
                "City": "Middlefield",
                "CountrySubDivisionCode": "CA",
                "PostalCode": "94303",
            },
        },
        {
            "Id": Ids.RETIRED,
            "DisplayName": "Retired Supplies",
            "PrintOnCheckName": "Retired Supplies",
            "Active": False,
            "Balance": 0,
            "CurrencyRef": {"value": "USD"},
        },
    ],
}
for _records in LISTS.values():
    for _record in _records:
        _record.setdefault("Active", True)
        _record["MetaData"] = {"CreateTime": "2026-01-15T09:00:00-08:00"}


@dataclass
class Books(Ids):
    """Calls one company's API."""

    simulator: RunningSimulator
    realm_id: str = REALM
    token: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Accept": "application/json"})

    @property
    def base(self) -> str:
        return f"{self.simulator.url}/v3/company/{self.realm_id}"

    @property
    def service(self) -> QuickBooksService:
        return self.simulator.world.quickbooks

    @property
    def realm(self) -> Realm:
        return self.service.realm(self.realm_id)

    def on_loop(self, act: Callable[[World], Any]) -> Any:
        return self.simulator.on_loop(act)

    def switch(self, **values: Any) -> None:
        switches = self.service.switches
        for name, value in values.items():
            assert name in QuickBooksSwitches.__dataclass_fields__
            setattr(switches, name, value)

    def profile(self, **changes: Any) -> None:
        self.on_loop(lambda world: world.quickbooks.change_profile(self.realm_id, **changes))

    def load(self, entity: str, *records: dict[str, Any]) -> None:
        self.on_loop(lambda world: world.quickbooks.load(self.realm_id, entity, records))

    def advance(self, **delta: float) -> None:
        """Move the clock, and take a fresh token as a client would."""
        self.on_loop(lambda world: world.clock.advance(timedelta(**delta)))
        self.token = self.on_loop(lambda world: connect(world, self.realm_id))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> requests.Response:
        data: bytes | None = body if isinstance(body, bytes) else None
        sent = {"Authorization": f"Bearer {self.token}", **self.headers}
        if body is not None and data is None:
            data = simplejson.dumps(body, use_decimal=True).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        return requests.request(
            method, f"{self.base}/{path}", data=data, params=params, headers=sent, timeout=30
        )

    def post(self, path: str, body: Any, **params: Any) -> Any:
        response = self.call("POST", path, body, **params)
        assert response.status_code == 200, response.text
        return self.parsed(response)

    def write(self, entity: str, body: dict[str, Any], **params: Any) -> dict[str, Any]:
        answer = self.post(entity.lower(), body, **params)
        assert set(answer) == {entity, "time"}
        return answer[entity]

    def refused(self, entity: str, body: Any, **params: Any) -> dict[str, Any]:
        """The only error of a refused write."""
        return self.fault(self.call("POST", entity.lower(), body, **params))

    def get(self, path: str, **params: Any) -> Any:
        response = self.call("GET", path, **params)
        assert response.status_code == 200, response.text
        return self.parsed(response)

    def read(self, entity: str, record_id: str) -> dict[str, Any]:
        return self.get(f"{entity.lower()}/{record_id}")[entity]

    def query(self, statement: str) -> dict[str, Any]:
        return self.get("query", query=statement)["QueryResponse"]

    def rows(self, statement: str) -> list[dict[str, Any]]:
        answer = self.query(statement)
        lists = [value for value in answer.values() if isinstance(value, list)]
        return lists[0] if lists else []

    def named(self, entity: str, name: str, prop: str = "DisplayName") -> list[dict[str, Any]]:
        """The active records of that name."""
        return self.rows(f"select * from {entity} where {prop} = {quote(name)}")  # noqa: S608

    def query_error(self, statement: str) -> dict[str, Any]:
        return self.fault(self.call("GET", "query", query=statement))

    def batch(self, *items: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        answer = self.post("batch", {"BatchItemRequest": list(items)}, **params)
        assert set(answer) == {"BatchItemResponse", "time"}
        return answer["BatchItemResponse"]

    def vendor(self, name: str = "Smith Supply", **fields: Any) -> dict[str, Any]:
        return self.write("Vendor", {"DisplayName": name, **fields})

    def order(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self.write("PurchaseOrder", self.order_body(*lines, **fields))

    def bill(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self.write("Bill", self.bill_body(*lines, **fields))

    def pay(self, *links: tuple[str, str, Any], **fields: Any) -> dict[str, Any]:
        return self.write("BillPayment", self.payment_body(*links, **fields))

    @staticmethod
    def account_line(amount: Any, account: str = Ids.TRAVEL, **fields: Any) -> dict[str, Any]:
        detail = {"AccountRef": {"value": account}, **fields.pop("detail", {})}
        return {
            "Amount": Decimal(str(amount)),
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": detail,
            **fields,
        }

    @staticmethod
    def item_line(
        amount: Any, quantity: Any, price: Any, item: str = Ids.PUMP, **fields: Any
    ) -> dict[str, Any]:
        detail = {
            "ItemRef": {"value": item},
            "Qty": Decimal(str(quantity)),
            "UnitPrice": Decimal(str(price)),
            **fields.pop("detail", {}),
        }
        return {
            "Amount": Decimal(str(amount)),
            "DetailType": "ItemBasedExpenseLineDetail",
            "ItemBasedExpenseLineDetail": detail,
            **fields,
        }

    def order_body(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        lines = lines or (self.account_line("80.00"),)
        return {"VendorRef": {"value": self.VENDOR}, "Line": list(lines), **fields}

    def bill_body(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        lines = lines or (self.account_line(200),)
        return {"VendorRef": {"value": self.VENDOR}, "Line": list(lines), **fields}

    def payment_body(self, *links: tuple[str, str, Any], **fields: Any) -> dict[str, Any]:
        """The body of a check; `links` are type, Id and amount."""
        lines = [
            {
                "Amount": Decimal(str(amount)),
                "LinkedTxn": [{"TxnId": record_id, "TxnType": kind}],
            }
            for kind, record_id, amount in links
        ]
        return {
            "VendorRef": {"value": self.VENDOR},
            "TotalAmt": sum((line["Amount"] for line in lines), Decimal(0)),
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": self.CHECKING}},
            "Line": lines,
            **fields,
        }

    @staticmethod
    def parsed(response: requests.Response) -> Any:
        return simplejson.loads(response.content, use_decimal=True)

    @staticmethod
    def xml(response: requests.Response) -> ET.Element:
        """The root of an answer in XML."""
        assert response.headers["content-type"] == "application/xml"
        return ET.fromstring(response.text)  # noqa: S314 - it is our own server's

    @classmethod
    def fault(cls, response: requests.Response, *, status: int = 400) -> dict[str, Any]:
        """The only error of a business fault."""
        found = cls.faults(response, status=status)
        assert len(found) == 1, found
        return found[0]

    @classmethod
    def faults(cls, response: requests.Response, *, status: int = 400) -> list[dict[str, Any]]:
        """The errors of a business fault."""
        assert response.status_code == status, response.text
        body = cls.parsed(response)
        assert set(body) == {"Fault", "time"}
        for error in body["Fault"]["Error"]:
            assert set(error) == {"Message", "Detail", "code", "element"}
            assert isinstance(error["code"], str)
        return body["Fault"]["Error"]

    def connect(self, client_id: str) -> Books:
        """The same company through another client."""
        token = self.on_loop(lambda world: connect(world, self.realm_id, client_id))
        return replace(self, token=token)

    def credentials(self) -> tuple[str, str, str]:
        """Client id, its secret and a refresh token for the company."""
        token = self.on_loop(lambda world: world.oauth.grant(realm_id=self.realm_id, client_id=CLIENT_ID))
        return CLIENT_ID, CLIENT_SECRET, token

    def written(self) -> dict[str, Any]:
        return self.simulator.control.stats()["quickbooks"]["written"]


def connect(world: World, realm_id: str, client_id: str = CLIENT_ID) -> str:
    """An access token of a client for a company."""
    if world.oauth.client(client_id) is None:
        world.oauth.add_client(client_id=client_id, client_secret=CLIENT_SECRET)
    refresh_token = world.oauth.grant(realm_id=realm_id, client_id=client_id)
    return world.oauth.refresh(client_id=client_id, refresh_token=refresh_token).access_token


def open_company(
    simulator: RunningSimulator, realm_id: str = REALM, profile: RealmProfile | None = None
) -> Books:
    """A company with lists and one connected client."""
    profile = profile or RealmProfile(name="Craig's Design and Landscaping")

    def act(world: World) -> str:
        world.quickbooks.add_realm(realm_id=realm_id, company=profile)
        for entity, records in LISTS.items():
            world.quickbooks.load(realm_id, entity, records)
        return connect(world, realm_id)

    return Books(simulator, realm_id, simulator.on_loop(act))


@pytest.fixture
def quickbooks_simulator() -> Iterator[RunningSimulator]:
    """A simulator whose clock stands still and whose rate limits are out of the way."""
    with running("empty") as simulator:
        simulator.on_loop(lambda world: world.clock.freeze())
        simulator.on_loop(lambda world: world.clock.set(NOON))
        switches = simulator.world.switches.quickbooks
        for name in ("requests_per_second", "requests_per_minute", "combined_per_minute"):
            setattr(switches, name, 100_000)
        yield simulator


@pytest.fixture
def books(quickbooks_simulator: RunningSimulator) -> Books:
    return open_company(quickbooks_simulator)


@pytest.fixture
def other_books(quickbooks_simulator: RunningSimulator) -> Books:
    """A second company in the same simulator."""
    return open_company(quickbooks_simulator, OTHER_REALM, RealmProfile(name="Second Company"))


@pytest.fixture
def open_books(
    quickbooks_simulator: RunningSimulator,
) -> Callable[..., Books]:
    """Opens a company with a profile of its own."""

    def open_(**profile: Any) -> Books:
        return open_company(quickbooks_simulator, REALM, replace(RealmProfile(name="Own Company"), **profile))

    return open_
