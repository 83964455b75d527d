"""Refusals that any path can give."""

from __future__ import annotations

from datetime import datetime

import pytest


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nonsense"),
        ("GET", "vendors/009/nonsense"),
        ("DELETE", "vendors/009"),
        ("PUT", "vendors/009"),
        ("GET", "connect-events/v3/subscriptions"),
        ("POST", "vendor-credits/vcr/restore"),
        ("GET", ""),
    ],
)
def test_unknown_paths_and_methods_are_bdc_1121(anonymous, method, path):
    assert anonymous.refused(method, path) == (404, "BDC_1121", "API not supported.")


@pytest.mark.parametrize("path", ["subscription", "events/nonsense"])
def test_unknown_webhook_paths_are_bdc_1121(anonymous, path):
    assert anonymous.error(anonymous.hooks("GET", path))[:2] == (404, "BDC_1121")


@pytest.mark.parametrize(
    "path",
    [
        "vendors",
        "bills",
        "payments",
        "recurringbills",
        "vendor-credits",
        "customers",
        "users",
        "roles",
        "funding-accounts/banks",
        "classifications/chart-of-accounts",
        "classifications/accounting-classes",
        "classifications/departments",
        "classifications/locations",
        "classifications/items",
        "classifications/jobs",
        "classifications/employees",
    ],
)
def test_an_unknown_id_is_bdc_1205(bill, path):
    refusal = bill.refused("GET", f"{path}/00902NOSUCHVENDOR001")

    assert refusal == (404, "BDC_1205", "No data found for object with given ID")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(bill, body):
    assert bill.refused("POST", "vendors", body) == (400, "BDC_1002", "Request body is not valid JSON")


@pytest.mark.parametrize("body", [[], "text", 1, None])
def test_a_body_that_is_no_object_is_refused(bill, body):
    response = bill.call("POST", "vendors", b"null" if body is None else body)

    assert bill.error(response)[2] == "must be an object"


def test_an_error_entry_has_the_fields_of_the_manual(bill):
    entry = bill.call("GET", "vendors/x").json()[0]

    assert set(entry) == {"timestamp", "code", "severity", "category", "message"}
    assert (entry["severity"], entry["category"]) == ("ERROR", "DOWNSTREAM")
    assert datetime.fromisoformat(entry["timestamp"]).date() == bill.START.date()


def test_each_fault_of_a_body_is_an_entry(bill):
    body = {"name": 7, "address": {"line1": "x", "country": "usa"}, "billCurrency": "USD"}

    messages = [entry["message"] for entry in bill.call("POST", "vendors", body).json()]

    assert messages == [
        "name: must be a string",
        "address.country: must match [A-Z]{2}",
        "address.city: must not be null",
        "address.zipOrPostalCode: must not be null",
    ]


def test_the_code_of_invalid_requests_is_a_switch(bill):
    bill.switches.validation_code = "BDC_1171"

    assert bill.refused("GET", "vendors", params={"max": 0})[:2] == (400, "BDC_1171")


def test_unknown_body_fields_are_ignored_or_refused(bill):
    vendor = bill.vendor(nonsense=1)
    assert "nonsense" not in vendor

    bill.switches.unknown_body_fields = "reject"

    refusal = bill.refused("PATCH", f"vendors/{vendor['id']}", {"nonsense": 1})
    assert refusal[2] == "nonsense: is not a known field"


def test_nothing_redirects(bill):
    for path in ("vendors/", "//vendors", "bills/"):
        assert bill.call("GET", path).status_code == 404
