"""One run under a mix of everything that goes wrong ends complete, with nothing doubled."""

from __future__ import annotations

import pytest
from ap_simulator.testing import UNLIMITED, running
from tap_bill import client as bill_client
from target_quickbooks import writing
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.quickbooks import governor, oauth, repeating

VENDORS, BILLS = 100, 200
#: Small batches make many requests of few records, so that every kind of fault is met.
BATCH = 3
#: Of some 150 requests, a fifth meets a fault.
LEAST = 10
MIX = (
    ("reset_after", 0.05, {"path": "*/batch"}),
    ("server_error", 0.03, {"status": 503}),
    ("server_error", 0.02, {"status": 500, "applied": True}),
    ("reset_before", 0.05, {}),
    ("truncated", 0.02, {}),
    ("throttle", 0.03, {"system": "quickbooks"}),
)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Waits between attempts are short, limits high."""
    monkeypatch.setattr(repeating.Attempts, "wait", lambda *_: 0.01)
    monkeypatch.setattr(oauth, "wait_exponential_jitter", lambda **_: lambda _: 0.01)
    monkeypatch.setattr(bill_client, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(writing, "BATCH_SIZE", BATCH)
    for buckets in ("REQUESTS", "BATCHES"):
        monkeypatch.setattr(governor, buckets, (governor.Bucket(10**6, 60.0),))


@pytest.fixture
def unlimited(new_books):
    """Books whose simulator has no limits but the ones that faults make."""
    with running("empty", switches=UNLIMITED) as simulator:
        yield new_books(simulator)


def fill(books):
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
    vendors = [books.bill.vendor(f"Vendor {number:03}")["id"] for number in range(VENDORS)]
    for number in range(BILLS):
        books.bill.bill(vendors[number % VENDORS], f"INV-{number}", [line])


@pytest.mark.parametrize(("seed", "batch_replay"), [(1, "item"), (2, "6000")])
def test_a_run_under_a_mix_of_faults_is_complete_and_doubles_nothing(unlimited, seed, batch_replay):
    books, control = unlimited, unlimited.simulator.control
    fill(books)
    control.set_switches({"quickbooks.batch_replay": batch_replay})
    for number, (kind, probability, rule) in enumerate(MIX):
        control.add_fault(kind, probability=probability, seed=seed * 100 + number, **rule)
    run = books.sync()
    faults = control.faults()
    assert run.exit_code == 0, (run.error, run.reasons)
    assert sum(fault["fired"] for fault in faults) > LEAST
    control.clear_faults()
    names = sorted(v["DisplayName"] for v in books.stored("Vendor") if v["DisplayName"].startswith("Vendor "))
    assert names == [f"Vendor {number:03}" for number in range(VENDORS)]
    marks = sorted(read_marker(order["PrivateNote"])[1] for order in books.stored("PurchaseOrder"))
    assert marks == sorted(bill["id"] for bill in books.held("bills"))
    control.reset_stats()
    assert books.sync(full=True).exit_code == 0
    assert control.stats()["quickbooks"]["written"] == {}
