"""Records that QuickBooks' servers fail over each time, and servers that fail over everything."""

from __future__ import annotations

import pytest
import requests
from ap_simulator.testing import UNLIMITED
from requests.adapters import HTTPAdapter
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.quickbooks import governor
from target_quickbooks.target import TargetQuickbooks

COUNT = 35
POISON = "Vendor 17"


def answers_500(send, request, options):
    del send, options
    response = requests.Response()
    response.status_code, response.request, response._content = 500, request, b"<html>Internal error</html>"
    response.headers["Content-Type"] = "text/html"
    return response


def resets(send, request, options):
    del send, request, options
    raise requests.ConnectionError("reset")


def applies_and_answers_503(send, request, options):
    send(request, options)
    response = answers_500(None, request, None)
    response.status_code = 503
    return response


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """What the target waits, which takes no time here."""
    waits = []
    for buckets in ("REQUESTS", "BATCHES"):
        monkeypatch.setattr(governor, buckets, (governor.Bucket(10**6, 60.0),))
    monkeypatch.setattr(TargetQuickbooks, "_sleep", lambda _, seconds: waits.append(seconds))
    return waits


@pytest.fixture
def poisoned(monkeypatch):
    """Makes QuickBooks fail over every write that holds a text, as long as the poison works."""
    send = HTTPAdapter.send

    def start(fails, *texts):
        def poisoned_send(adapter, request, **options):
            body = request.body if isinstance(request.body, bytes) else b""
            if (
                "/batch" in request.url
                and any(text.encode() in body for text in texts)
                and b"Query" not in body
            ):
                return fails(lambda *_: send(adapter, request, **options), request, options)
            return send(adapter, request, **options)

        monkeypatch.setattr(HTTPAdapter, "send", poisoned_send)

    yield start
    monkeypatch.setattr(HTTPAdapter, "send", send)


@pytest.fixture
def filled(books):
    books.simulator.control.set_switches(dict(UNLIMITED))  # waits take no time here
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
    for number in range(COUNT):
        vendor = books.bill.vendor(f"Vendor {number:02}")
        if number % 5 == 2:
            books.bill.bill(vendor["id"], f"INV-{number}", [line])
    return books


def names(books):
    stored = [vendor["DisplayName"] for vendor in books.stored("Vendor")]
    return sorted(name for name in stored if name.startswith("Vendor "))


def assert_complete(books):
    assert names(books) == [f"Vendor {number:02}" for number in range(COUNT)]
    orders = [read_marker(order["PrivateNote"])[1] for order in books.stored("PurchaseOrder")]
    assert sorted(orders) == sorted(bill["id"] for bill in books.held("bills"))


@pytest.mark.parametrize("fails", [answers_500, resets])
def test_a_record_that_breaks_quickbooks_fails_and_its_neighbours_go_through(filled, poisoned, slept, fails):
    poisoned(fails, POISON)
    run = filled.sync()
    assert names(filled) == [name for name in (f"Vendor {n:02}" for n in range(COUNT)) if name != POISON]
    failed = [failure for failure in run.report["failures"] if failure["code"] == "quickbooks-unanswered"]
    assert [failure["label"] for failure in failed] == [f"vendor '{POISON}'"]
    assert "QuickBooks breaks down each time it is sent" in failed[0]["reason"]
    assert "The next run tries again by itself" in failed[0]["advice"]
    assert run.error == ""
    assert run.exit_code == 1
    assert len(filled.stored("PurchaseOrder")) == len(filled.held("bills")) - 1
    assert sum(slept) < 60


@pytest.mark.parametrize("fails", [answers_500, resets])
def test_it_is_written_by_the_next_run_that_finds_quickbooks_well(filled, poisoned, fails):
    poisoned(fails, POISON)
    filled.sync()
    poisoned(fails)
    run = filled.sync()
    assert run.exit_code == 0, (run.error, run.reasons)
    assert_complete(filled)


def test_a_record_that_is_applied_in_spite_of_the_error_is_found(filled, poisoned):
    poisoned(applies_and_answers_503, POISON)
    filled.simulator.control.set_switches({"quickbooks.batch_replay": "6000"})
    run = filled.sync()
    assert run.exit_code == 0, (run.error, run.reasons)
    assert_complete(filled)


def test_two_poisoned_records_are_both_found(filled, poisoned):
    poisoned(answers_500, "Vendor 03", "Vendor 31")
    run = filled.sync()
    failed = {failure["label"] for failure in run.report["failures"]}
    assert {"vendor 'Vendor 03'", "vendor 'Vendor 31'"} <= failed
    assert len(names(filled)) == COUNT - 2


def test_a_poisoned_record_that_is_alone_stops_nobody_else(filled, poisoned, slept):
    """No neighbour shows that QuickBooks is well; that it can be read has to do."""
    filled.sync()
    vendor = next(one for one in filled.held("vendors") if one["name"] == POISON)
    filled.bill.patch(f"/v3/vendors/{vendor['id']}", {"name": "Poison"})
    bill = filled.held("bills")[0]
    filled.bill.replace(bill, description="Corrected", billLineItems=bill["billLineItems"])
    poisoned(answers_500, '"Poison"')
    run = filled.sync(max_retry_seconds=20)
    assert [failure["code"] for failure in run.report["failures"]] == ["quickbooks-unanswered"]
    assert run.error == ""
    assert any(order["PrivateNote"].startswith("Corrected") for order in filled.stored("PurchaseOrder"))
    assert sum(slept) <= 60


@pytest.mark.parametrize("kind", ["server_error", "reset_before", "html_error"])
@pytest.mark.parametrize("path", ["*/batch", "*"])
def test_where_nothing_goes_through_the_run_ends_in_time_and_blames_no_record(filled, slept, kind, path):
    filled.simulator.control.add_fault(kind, system="quickbooks", path=path, after=1)
    run = filled.sync(max_retry_seconds=30)
    assert run.exit_code == 1
    assert run.error.startswith("QuickBooks kept failing (")
    assert run.error.endswith("Nothing is lost: run again later.")
    assert run.reasons == {}
    assert sum(slept) <= 31, slept
    filled.simulator.control.clear_faults()
    again = filled.sync(full=True)
    assert again.exit_code == 0, (again.error, again.reasons)
    assert_complete(filled)


def test_an_outage_is_waited_out(filled):
    """Longer than the patience with one request, shorter than that with QuickBooks."""
    filled.simulator.control.add_fault("server_error", path="*/batch", status=503, after=1, times=9)
    run = filled.sync()
    assert run.exit_code == 0, (run.error, run.reasons)
    assert_complete(filled)
