"""Faults on demand against this service: tokens, versions, lost answers (manual 2.7, 6.0.1, 7)."""

from __future__ import annotations

import pytest
import requests

XMLNS = "{http://schema.intuit.com/finance/v3}"


@pytest.fixture
def faults(books):
    return books.simulator.control.add_fault


def test_expired_token(books, faults):
    faults("expired_token", system="quickbooks", times=1)
    response = books.call("GET", "companyinfo/1")
    assert response.status_code == 401
    assert response.json()["fault"]["error"][0]["detail"] == "Token expired"
    assert books.get("companyinfo/1")


def test_stale_token_of_one_write(books, faults):
    faults("stale_sync_token", system="quickbooks", times=1)
    body = {"Id": books.VENDOR, "SyncToken": "0", "sparse": True, "AcctNum": "1"}
    assert books.refused("Vendor", body)["code"] == "5010"
    assert books.written() == {}
    assert books.write("Vendor", body)["AcctNum"] == "1"


def test_stale_token_does_not_touch_creates_and_reads(books, faults):
    faults("stale_sync_token", system="quickbooks")
    assert books.vendor()
    assert books.read("Vendor", books.VENDOR)


def test_stale_tokens_of_some_items(books, faults):
    faults("stale_sync_token", system="quickbooks", items=[1])
    first, second = books.vendor("A"), books.vendor("B")
    answers = books.batch(
        *(
            {
                "bId": vendor["Id"],
                "operation": "update",
                "Vendor": {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "AcctNum": "1"},
            }
            for vendor in (first, second)
        )
    )
    assert answers[0]["Vendor"]["AcctNum"] == "1"
    assert answers[1]["Fault"]["Error"][0]["code"] == "5010"


def test_injected_throttle_in_json_and_xml(books, faults):
    faults("throttle", system="quickbooks", times=2)
    response = books.call("GET", "companyinfo/1")
    assert response.status_code == 429
    assert response.json()["fault"]["error"][0]["code"] == "3001"
    books.headers = {"Accept": "*/*"}
    root = books.xml(books.call("GET", "companyinfo/1"))
    assert root.find(f"{XMLNS}Fault/{XMLNS}Error").get("code") == "3001"


@pytest.mark.parametrize("status", [500, 503, 504])
def test_injected_server_error(books, faults, status):
    faults("server_error", system="quickbooks", status=status, times=1)
    response = books.call("POST", "vendor", {"DisplayName": "A"})
    assert response.status_code == status
    fault = response.json()["Fault"]
    assert fault["type"] == "SystemFault"
    assert fault["Error"][0]["code"] == "10000"
    assert "intuit_tid" in response.headers
    assert books.written() == {}


def test_lost_answer_is_found_again_by_its_request_id(books, faults):
    faults("reset_after", system="quickbooks", method="POST", times=1)
    with pytest.raises(requests.ConnectionError):
        books.call("POST", "vendor", {"DisplayName": "Lost"}, requestid="r")
    vendor = books.write("Vendor", {"DisplayName": "Lost"}, requestid="r")
    assert books.named("Vendor", "Lost") == [vendor]
    assert books.written() == {"Vendor": {"create": 1}}


def test_reset_before_changes_nothing(books, faults):
    faults("reset_before", system="quickbooks", method="POST", times=1)
    with pytest.raises(requests.ConnectionError):
        books.call("POST", "vendor", {"DisplayName": "Lost"})
    assert books.written() == {}


def test_broken_answers_give_their_places_back(books, faults):
    books.switch(concurrent_requests=1)
    faults("truncated", system="quickbooks", times=1)
    with pytest.raises(requests.RequestException):
        books.call("GET", "companyinfo/1")
    assert books.get("companyinfo/1")
