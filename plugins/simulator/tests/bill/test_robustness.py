"""Whatever comes in, the service answers it or refuses it in its own words, and never breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
import simplejson
from ap_simulator.testing import RunningSimulator, running
from hypothesis import given, settings
from hypothesis import strategies as st

ORGANIZATION = "00802FUZZORGANIZAT01"
ADDRESS = {"line1": "1 Main St", "city": "San Jose", "zipOrPostalCode": "95002", "country": "US"}

TEXTS = st.sampled_from(
    ["", "x", "USD", "US", "2026-12-31", "0000-01-01", "true", "\ud800", "a@b.c", "BUSINESS", "WALLET"]
)
NUMBERS = st.sampled_from([0, 1, -1, 10**30, True]) | st.decimals(allow_nan=False, allow_infinity=False)
JUNK = st.recursive(
    st.none() | TEXTS | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


@dataclass
class Fuzz:
    """A session, and the ids of one record of each kind."""

    url: str
    http: requests.Session
    ids: dict[str, str]

    def call(self, method, path, body=None, *, api="/connect/v3", **more):
        data = None if body is None else simplejson.dumps(body, use_decimal=True)
        return self.http.request(method, f"{self.url}{api}/{path}", data=data, timeout=30, **more)

    def made(self, path, body):
        response = self.call("POST", path, body)
        assert response.status_code == 201, response.text
        return response.json()["id"]


def bodies(ids):
    """A valid body for each create."""
    line = {"amount": 5, "description": "x", "classifications": {"departmentId": ids["department"]}}
    factors = {"quantity": 2, "price": 1.5, "description": "y"}
    return {
        "vendors": {
            "name": "x",
            "address": ADDRESS,
            "email": "a@b.c",
            "billCurrency": "USD",
            "additionalInfo": {"taxId": "1", "leadTimeInDays": 1, "track1099": True},
            "autoPay": {"enabled": False, "maxAmount": 5},
        },
        "bills": {
            "vendorId": ids["vendor"],
            "dueDate": "2026-12-31",
            "invoice": {"invoiceNumber": "1", "invoiceDate": "2026-12-01"},
            "billLineItems": [line, factors],
            "exchangeRate": 1.5,
            "vendorCredits": [{"id": ids["credit"], "amount": 1}],
        },
        "payments": {
            "vendorId": ids["vendor"],
            "billId": ids["bill"],
            "amount": 1,
            "fundingAccount": {"type": "WALLET"},
            "processingOptions": {"createBill": False},
        },
        "payments/bulk": {
            "fundingAccount": {"type": "WALLET"},
            "payments": [{"billId": ids["bill"], "amount": 1}],
        },
        "bills/record-payment": {
            "vendorId": ids["vendor"],
            "processDate": "2026-06-01",
            "payments": [
                {"billId": ids["bill"], "amount": 1, "vendorCredits": [{"id": ids["credit"], "amount": 1}]}
            ],
        },
        "recurringbills": {
            "vendorId": ids["vendor"],
            "schedule": {
                "period": "MONTHLY",
                "frequency": 1,
                "nextDueDate": "2099-01-31",
                "endDate": "2099-12-31",
                "daysInAdvance": 5,
            },
            "recurringBillLineItems": [line],
            "paymentInformation": {"bankAccountId": "x"},
        },
        "vendor-credits": {
            "vendorId": ids["vendor"],
            "referenceNumber": "1",
            "creditDate": "2026-06-01",
            "vendorCreditLineItems": [line],
        },
        "customers": {"name": "x", "billingAddress": ADDRESS, "contact": {"firstName": "y"}},
        "classifications/chart-of-accounts": {
            "name": "x",
            "parentId": "y",
            "account": {"type": "BANK", "number": "1"},
        },
        "classifications/items": {"name": "x", "type": "SERVICE", "price": 1.25, "taxable": True},
        "classifications/employees": {"firstName": "x", "lastName": "y"},
        f"vendors/{ids['vendor']}/bank-account": {
            "nameOnAccount": "x",
            "accountNumber": "1",
            "routingNumber": "2",
        },
    }


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running("empty") as running_simulator:
        yield running_simulator


@pytest.fixture(scope="module")
def fuzz(simulator) -> Iterator[Fuzz]:
    simulator.on_loop(
        lambda world: world.bill.add_organization(
            organization_id=ORGANIZATION, name="x", users={"u": "p"}, developer_keys=["fuzzing-key"]
        )
    )
    login = {"username": "u", "password": "p", "organizationId": ORGANIZATION, "devKey": "fuzzing-key"}
    with requests.Session() as http:
        session_id = http.post(f"{simulator.bill_url}/v3/login", json=login, timeout=30).json()["sessionId"]
        http.headers.update({"sessionId": session_id, "devKey": "fuzzing-key"})
        client = Fuzz(simulator.url, http, {})
        ids = client.ids
        ids["vendor"] = client.made("vendors", {"name": "x", "address": ADDRESS})
        ids["department"] = client.made("classifications/departments", {"name": "x"})
        ids["credit"] = client.made(
            "vendor-credits",
            {
                "vendorId": ids["vendor"],
                "referenceNumber": "1",
                "creditDate": "2026-06-01",
                "vendorCreditLineItems": [{"amount": 1_000_000}],
            },
        )
        ids["bill"] = client.made(
            "bills",
            {
                "vendorId": ids["vendor"],
                "dueDate": "2026-12-31",
                "invoice": {"invoiceNumber": "1", "invoiceDate": "2026-12-01"},
                "billLineItems": [{"amount": 1_000_000}],
            },
        )
        yield client


def damaged(draw, value):
    """`value` with something in it replaced by junk, or left out."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        rest = {other: content for other, content in value.items() if other != name}
        return rest if draw(st.integers(0, 5)) == 0 else {**rest, name: damaged(draw, value[name])}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [damaged(draw, value[0]), *value[1:]]
    return draw(JUNK)


def check(response):
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.json()[0]["code"].startswith("BDC_")


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_damaged_bodies_are_taken_or_refused(fuzz, data):
    valid = bodies(fuzz.ids)
    path = data.draw(st.sampled_from(sorted(valid)))
    body = damaged(data.draw, valid[path])
    response = fuzz.call("POST", path, body)
    check(response)

    if response.status_code == 201 and isinstance(response.json(), dict) and "id" in response.json():
        one = f"{path}/{response.json()['id']}"
        change = damaged(data.draw, valid[path])
        check(fuzz.call("PATCH", one, change))
        check(fuzz.call("PUT", one, change))
        check(fuzz.call("GET", one))
        check(fuzz.call("POST", f"{one}/archive"))


@settings(max_examples=100, deadline=None)
@given(
    JUNK,
    st.sampled_from(["PATCH", "POST"]),
    st.sampled_from(["vendors", "bills", "vendor-credits", "classifications/jobs"]),
)
def test_damaged_bulk_bodies_are_taken_or_refused(fuzz, junk, method, path):
    check(fuzz.call(method, f"{path}/bulk", [junk, {"id": junk}]))
    check(fuzz.call(method, f"{path}/bulk", junk))


FRAGMENTS = st.sampled_from(
    [
        "id",
        "updatedTime",
        "archived",
        "name",
        ":",
        "eq",
        "gte",
        "in",
        "sw",
        ",",
        '"',
        "\\",
        "2026-01-01",
        "true",
        "x",
        "\x00",
        "desc",
    ]
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(FRAGMENTS, max_size=8).map("".join) | st.text(max_size=10)
        for name in ("filters", "sort", "page", "max", "entityId", "createdTimeFrom", "createdTimeTo")
    },
)


@settings(max_examples=150, deadline=None)
@given(
    QUERIES,
    st.sampled_from(["vendors", "bills", "recurringbills", "payments", "classifications/items", "users"]),
)
def test_any_list_query_is_answered_or_refused(fuzz, query, path):
    check(fuzz.call("GET", path, params=query))


@settings(max_examples=80, deadline=None)
@given(QUERIES, JUNK)
def test_the_webhooks_api_answers_or_refuses_anything(fuzz, query, junk):
    api = "/connect-events/v3"
    key = {"X-Idempotent-Key": "5b1c3b7e-0b0e-4f7a-9a53-0e6a0f0b7c11"}
    body = {
        "name": "x",
        "status": {"enabled": junk},
        "events": [{"type": "bill.created", "version": "1"}],
        "notificationUrl": "https://127.0.0.1:9/",
    }
    check(fuzz.call("GET", "subscriptions", api=api, params=query))
    check(fuzz.call("POST", "subscriptions", body, api=api, headers=key))
    check(fuzz.call("POST", "subscriptions", {**body, "events": junk}, api=api, headers=key))
    check(fuzz.call("POST", "subscriptions", {**body, "notificationUrl": junk}, api=api, headers=key))
    for subscription in fuzz.call("GET", "subscriptions", api=api).json()["results"]:
        path = f"events/subscription/{subscription['id']}"
        check(fuzz.call("GET", path, api=api, params=query))
        check(fuzz.call("PATCH", f"subscriptions/{subscription['id']}", junk, api=api))


@settings(max_examples=60, deadline=None)
@given(JUNK)
def test_any_login_is_answered_or_refused(fuzz, junk):
    check(fuzz.call("POST", "login", junk))
    check(
        fuzz.call(
            "POST",
            "login",
            {"username": "u", "password": junk, "organizationId": "x", "devKey": "fuzzing-key"},
        )
    )
