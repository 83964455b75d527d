"""What a person does about a difference, where QuickBooks does not take all that was asked for."""

from __future__ import annotations

import random

import pytest
from ap_simulator.testing import UNLIMITED, running

from .firm import Firm
from .in_quickbooks import change_order
from .mending import undo
from .runs import Runs


@pytest.mark.parametrize("location", ["accept", "drop", "reject"])
def test_an_edited_order_is_set_to_what_was_sent_with_or_without_a_location(new_books, location):
    switches = UNLIMITED | {"quickbooks.purchase_order_department": location}
    with running("empty", switches=switches) as simulator:
        books = new_books(simulator)
        firm = Firm(books, random.Random(1), {"closed_period": "hold"})  # noqa: S311 - nothing secret
        runs = Runs(firm)
        bill_id = _coded_bill(books)
        runs.run("sync")
        sent = firm.orders()[bill_id]
        assert ("DepartmentRef" in sent) is (location == "accept")
        change_order(firm, sent, DueDate="2026-12-25", PrivateNote=f"Checked by Kim\n{sent['PrivateNote']}")
        assert runs.reconcile().exit_code == 2
        undo(firm, bill_id)
        mended = firm.orders()[bill_id]
        names = ("DueDate", "PrivateNote", "DepartmentRef", "TotalAmt")
        assert [mended.get(name) for name in names] == [sent.get(name) for name in names]
        assert runs.reconcile().exit_code == 0


def _coded_bill(books):
    """The id of a bill for a location."""
    coding = {"chartOfAccountId": books.bill.classification("chart-of-accounts", "Office Supplies")}
    line = {"amount": 120.5, "description": "Paper", "classifications": coding}
    place = {"locationId": books.bill.classification("locations", "Austin")}
    vendor = books.bill.vendor("Acme")
    return books.bill.bill(vendor["id"], "INV-1", [line], classifications=place)["id"]
