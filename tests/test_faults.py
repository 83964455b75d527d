"""Everything the network and the services do wrong, one kind at a time: the books still agree.

Every fault is repeated until it no longer fires; what matters is that no write is doubled or lost.
"""

from __future__ import annotations

import pytest
from tap_bill import client as bill_client
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.quickbooks import oauth, repeating

FAULTS = {
    "throttled": {"kind": "throttle", "path": "*/batch", "nth": 2},
    "a server error": {"kind": "server_error", "path": "*/batch", "nth": 2, "status": 503},
    "a server error after the write": {
        "kind": "server_error",
        "path": "*/batch",
        "nth": 2,
        "status": 500,
        "applied": True,
    },
    "a reset before the write": {"kind": "reset_before", "path": "*/batch", "nth": 2},
    "a lost answer": {"kind": "reset_after", "path": "*/batch", "nth": 2},
    "a truncated answer": {"kind": "truncated", "path": "*/batch", "nth": 2},
    "a gateway page": {"kind": "html_error", "path": "*/batch", "nth": 2},
    "a gateway page after the write": {"kind": "html_error", "path": "*/batch", "nth": 2, "applied": True},
    "an expired token": {"kind": "expired_token", "system": "quickbooks", "nth": 2},
    "stale tokens": {"kind": "stale_sync_token", "path": "*/batch", "nth": 2},
    "a slow drip": {"kind": "slow_drip", "path": "*/batch", "nth": 2, "duration_ms": 300},
    "a failing token endpoint": {"kind": "server_error", "system": "oauth", "nth": 1, "status": 503},
    "a failing query": {"kind": "reset_before", "path": "*/query", "nth": 1},
}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Waits between attempts are short."""
    monkeypatch.setattr(repeating.Attempts, "wait", lambda *_: 0.05)
    monkeypatch.setattr(oauth, "wait_exponential_jitter", lambda **_: lambda _: 0.05)
    monkeypatch.setattr(bill_client, "_FIRST_WAIT", 0.01)


def fill(books):
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
    for number in range(35):
        vendor = books.bill.vendor(f"Vendor {number}")
        books.bill.bill(vendor["id"], f"INV-{number}", [line])


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_changes_nothing_in_the_outcome(books, name):
    fill(books)
    books.simulator.control.add_fault(**FAULTS[name])
    run = books.sync()
    fired = sum(fault["fired"] for fault in books.simulator.control.faults())
    assert fired >= 1, "the fault was never met"
    assert run.exit_code == 0, (run.error, run.reasons)
    orders = [read_marker(order["PrivateNote"])[1] for order in books.stored("PurchaseOrder")]
    assert sorted(orders) == sorted(bill["id"] for bill in books.held("bills"))
    names = [v["DisplayName"] for v in books.stored("Vendor") if v["DisplayName"].startswith("Vendor ")]
    assert len(names) == len(set(names)) == 35


def test_when_nothing_helps_the_run_stops_and_the_next_one_finishes(books):
    fill(books)
    books.simulator.control.add_fault("server_error", status=503, path="*/batch", after=3)
    run = books.sync(max_retry_seconds=0)
    assert run.exit_code == 1
    assert "run again later" in run.error
    books.simulator.control.clear_faults()
    again = books.sync()
    assert again.exit_code == 0, (again.error, again.reasons)
    orders = [read_marker(order["PrivateNote"])[1] for order in books.stored("PurchaseOrder")]
    assert sorted(orders) == sorted(bill["id"] for bill in books.held("bills"))
    assert len([v for v in books.stored("Vendor") if v["DisplayName"].startswith("Vendor ")]) == 35
