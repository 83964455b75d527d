"""Faults, latency and counters with the real services behind them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import RunningSimulator

BATCH = "/v3/company/{realm_id}/batch"
VENDOR = "/v3/company/{realm_id}/vendor"


class Client:
    """A bare client of both services."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self.simulator = simulator
        self.http = requests.Session()

    def refresh(self) -> requests.Response:
        form = {"grant_type": "refresh_token", "refresh_token": DEMO.refresh_token}
        auth = (DEMO.client_id, DEMO.client_secret)
        return self.http.post(self.simulator.token_url, data=form, auth=auth, timeout=5)

    def connect(self) -> Client:
        token = self.refresh().json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.http.headers["Accept"] = "application/json"
        return self

    def log_in(self) -> Client:
        body = {
            "username": DEMO.username,
            "password": DEMO.password,
            "organizationId": DEMO.organization_id,
            "devKey": DEMO.dev_key,
        }
        answer = self.http.post(f"{self.simulator.bill_url}/v3/login", json=body, timeout=5)
        self.http.headers.update({"sessionId": answer.json()["sessionId"], "devKey": DEMO.dev_key})
        return self

    def post(self, path: str, body: Any, **query: str) -> requests.Response:
        url = f"{self.simulator.quickbooks_url}/v3/company/{DEMO.realm_id}/{path}"
        return self.http.post(url, json=body, params=query, timeout=5)

    def create_vendor(self, name: str = "Acme", **query: str) -> requests.Response:
        return self.post("vendor", {"DisplayName": name}, **query)

    def bill_vendors(self) -> requests.Response:
        return self.http.get(f"{self.simulator.bill_url}/v3/vendors", timeout=5)

    def vendor_names(self) -> list[str]:
        found = self.simulator.control.records("quickbooks", "Vendor")
        return [vendor["DisplayName"] for vendor in found]


@pytest.fixture
def books(simulator) -> Client:
    return Client(simulator).connect()


@pytest.fixture
def payables(simulator) -> Client:
    return Client(simulator).log_in()


def test_a_reset_before_the_write_leaves_nothing_behind(books):
    books.simulator.control.add_fault("reset_before", path=VENDOR, times=1)
    with pytest.raises(requests.ConnectionError):
        books.create_vendor()
    assert books.vendor_names() == []


def test_a_lost_answer_leaves_the_write_and_its_requestid_brings_the_answer_back(books):
    books.simulator.control.add_fault("reset_after", path=VENDOR, times=1)
    with pytest.raises(requests.ConnectionError):
        books.create_vendor(requestid="r-1")
    assert books.vendor_names() == ["Acme"]
    again = books.create_vendor(requestid="r-1")
    assert again.json()["Vendor"]["DisplayName"] == "Acme"
    assert books.vendor_names() == ["Acme"]
    stats = books.simulator.control.stats()["quickbooks"]
    assert stats["written"] == {"Vendor": {"create": 1}}
    assert (stats["aborted"], stats["write_calls"]) == (1, 2)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "server_error", "status": 504, "applied": True},
        {"kind": "html_error", "applied": True},
        {"kind": "truncated"},
    ],
)
def test_other_answers_can_be_lost_as_well(books, fault):
    books.simulator.control.add_fault(**fault, path=VENDOR)
    try:
        assert books.create_vendor().status_code >= 500
    except requests.RequestException:
        assert fault["kind"] == "truncated"
    assert books.vendor_names() == ["Acme"]


def test_an_expired_token_is_refused_in_each_service_s_words(books, payables):
    books.simulator.control.add_fault("expired_token", times=2)
    refused = books.create_vendor()
    assert refused.status_code == 401
    assert refused.json()["fault"]["error"][0]["code"] == "3200"
    refused = payables.bill_vendors()
    assert (refused.status_code, refused.json()[0]["code"]) == (401, "BDC_1109")
    assert books.create_vendor().status_code == 200
    assert payables.bill_vendors().status_code == 200


def test_a_stale_object_hits_the_batch_items_that_the_fault_names(books):
    made = [books.create_vendor(f"Vendor {n}").json()["Vendor"] for n in range(3)]
    books.simulator.control.add_fault("stale_sync_token", path=BATCH, items=[1])
    items = [
        {"bId": str(n), "operation": "update", "Vendor": {**vendor, "sparse": True, "AcctNum": "7"}}
        for n, vendor in enumerate(made)
    ]
    answers = books.post("batch", {"BatchItemRequest": items}).json()["BatchItemResponse"]
    codes = {
        answer["bId"]: answer.get("Fault", {}).get("Error", [{"code": None}])[0]["code"] for answer in answers
    }
    assert codes == {"0": None, "1": "5010", "2": None}
    stored = books.simulator.control.records("quickbooks", "Vendor")
    assert [vendor.get("AcctNum") for vendor in stored] == ["7", None, "7"]


def test_an_injected_throttle_is_worded_as_the_service_does(books, payables):
    books.simulator.control.add_fault("throttle")
    json_answer = books.create_vendor()
    assert json_answer.status_code == 429
    assert json_answer.json()["fault"]["error"][0]["code"] == "3001"
    books.http.headers["Accept"] = "application/xml"
    assert "<IntuitResponse" in books.create_vendor().text
    assert payables.bill_vendors().json()[0]["code"] == "BDC_1322"
    assert books.refresh().status_code == 429


def test_an_injected_server_error_is_worded_as_the_service_does(books, payables):
    books.simulator.control.add_fault("server_error")
    fault = books.create_vendor().json()["Fault"]
    assert (fault["type"], fault["Error"][0]["code"]) == ("SystemFault", "10000")
    assert payables.bill_vendors().json()[0]["code"] == "BDC_1001"
    assert books.refresh().json()["error"] == "server_error"


def test_a_refusal_of_a_service_meets_latency_and_is_counted_like_an_answer(books):
    books.simulator.control.reset_stats()
    assert books.create_vendor("a:b").status_code == 400
    stats = books.simulator.control.stats()["quickbooks"]
    assert stats["by_endpoint"] == {"POST /v3/company/{realm_id}/vendor": {"400": 1}}
    assert (stats["write_calls"], stats["written"]) == (1, {})


def test_a_batch_of_queries_is_no_write_call(books):
    books.simulator.control.reset_stats()
    query = {"bId": "1", "Query": "select * from Vendor"}
    assert books.post("batch", {"BatchItemRequest": [query]}).status_code == 200
    stats = books.simulator.control.stats()["quickbooks"]
    assert (stats["calls"], stats["write_calls"]) == (1, 0)


def test_latency_per_item_counts_the_items_of_a_batch(books):
    books.simulator.control.set_latency(per_call_ms=20, per_item_ms=10, system="quickbooks")
    items = [{"bId": str(n), "Query": "select * from Vendor"} for n in range(10)]
    answer = books.post("batch", {"BatchItemRequest": items})
    assert answer.elapsed.total_seconds() >= 0.12


def test_latency_holds_a_place_among_bill_s_three_requests_at_a_time(payables):
    payables.simulator.control.set_latency(per_call_ms=400)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: payables.bill_vendors(), range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 429, 429]
    stats = payables.simulator.control.stats()["bill"]
    assert stats["throttled"] == {"BDC_1322": 2}
    assert stats["max_in_flight"] == 5
