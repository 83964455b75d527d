"""Calls to QuickBooks are metered and limited: a small change in a big company must cost next to nothing."""

from __future__ import annotations

import json
import math

import pytest
from ap_simulator.testing import UNLIMITED, running
from target_quickbooks import target
from target_quickbooks.quickbooks import governor

BIG = 10_000


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch):
    """Lift our own limits too: what is counted here is calls, not seconds."""
    monkeypatch.setattr(governor, "REQUESTS", ())
    monkeypatch.setattr(governor, "BATCHES", ())
    monkeypatch.setattr(target, "_FLUSH_AFTER_SECONDS", 3600)


def test_ten_new_vendors_in_a_company_of_ten_thousand_cost_three_calls(new_books):
    with running("empty", vendors=BIG, bills=0, switches=UNLIMITED) as simulator:
        books = new_books(simulator)
        books.state = json.loads(books.read()[-1])["value"]
        for number in range(10):
            books.bill.vendor(f"New Vendor {number}")
        simulator.control.reset_stats()
        second = books.sync()
        names = {vendor["DisplayName"] for vendor in books.stored("Vendor")}
        assert {f"New Vendor {number}" for number in range(10)} <= names
        assert second.exit_code == 0
        assert books.calls() <= 3
        assert books.writes() == 1


def test_a_first_load_stays_below_a_call_for_every_27_records(new_books):
    """The bar: 0.036 calls per record, look-ups included."""
    with running("empty", vendors=1800, bills=0, switches=UNLIMITED) as simulator:
        books = new_books(simulator)
        run = books.sync()
        created = run.streams["vendors"]["created"]
        assert created == len([vendor for vendor in books.held("vendors") if not vendor["archived"]])
        assert books.calls() <= math.ceil(0.036 * created)


def test_an_unchanged_company_costs_no_call_at_all(books):
    for number in range(5):
        books.bill.vendor(f"Vendor {number}")
    books.sync()
    books.simulator.control.reset_stats()
    again = books.sync(full=True)
    assert again.streams["vendors"] == {"skipped": 5}
    assert books.calls() == 0
