"""Whether an object in QuickBooks is still as it was last written."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from target_quickbooks.drift.judging import Verdict, judge, orphan
from target_quickbooks.links import Company, Link
from target_quickbooks.store.drift_table import Finding, Kind
from target_quickbooks.store.link_table import Stored

COMPANY = Company("1", "O")
SENT = {
    "DisplayName": "Acme",
    "CompanyName": "Acme",
    "Active": True,
    "PrimaryPhone": {"FreeFormNumber": "1"},
    "PrimaryEmailAddr": {},
    "CurrencyRef": {"value": "USD"},
}
LINK = Link("Vendor", "B7", "7", "3", quickbooks_name="Acme (Vendor)", desired=SENT)
LIVE = {
    "Id": "7",
    "SyncToken": "4",
    "DisplayName": "Acme (Vendor)",
    "CompanyName": "Acme",
    "Active": True,
    "PrimaryPhone": {"FreeFormNumber": "1"},
    "TaxIdentifier": "XXXXX8293",
    "Balance": Decimal("12.50"),
    "CurrencyRef": {"value": "USD", "name": "US Dollar"},
}
LINES = [{"Amount": Decimal(10), "DetailType": "AccountBasedExpenseLineDetail", "Description": "Rent"}]
ORDER = Link(
    "PurchaseOrder",
    "B8",
    "8",
    "0",
    quickbooks_name="INV-1",
    desired={"DocNumber": "INV-1", "POStatus": "Open", "Line": LINES, "DepartmentRef": {"value": "2"}},
)
LIVE_ORDER = {
    "Id": "8",
    "SyncToken": "1",
    "DocNumber": "INV-1",
    "POStatus": "Open",
    "Line": [{"Id": "1", "LineNum": 1, **LINES[0]}],
}


def stored(link=LINK):
    return Stored(COMPANY, link, dt.datetime(2026, 11, 22, tzinfo=dt.UTC))


def verdict(link=LINK, live=LIVE, *, merged=False, **changes):
    return judge(stored(link), live if live is None else {**live, **changes}, merged=merged)


def test_what_is_as_it_was_sent_is_in_order():
    """Whatever QuickBooks adds, and under the name that it was given for want of its own."""
    assert verdict() is Verdict.IN_ORDER
    assert verdict(ORDER, LIVE_ORDER) is Verdict.IN_ORDER


def test_an_edit_is_found_with_what_was_before_and_after():
    found = verdict(PrimaryPhone={"FreeFormNumber": "2"})
    [difference] = found.differences
    assert (found.kind, found.bill_id, found.name) == (Kind.CHANGED, "B7", "Acme (Vendor)")
    assert (difference.field, difference.before, difference.after) == (
        "PrimaryPhone",
        {"FreeFormNumber": "1"},
        {"FreeFormNumber": "2"},
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"POStatus": "Closed"}, "POStatus"),
        ({"DocNumber": "X"}, "DocNumber"),
        ({"Line": [{**LINES[0], "Amount": Decimal(11)}]}, "Line"),
        ({"Line": []}, "Line"),
        ({"DepartmentRef": {"value": "3"}}, "DepartmentRef"),
    ],
)
def test_edits_of_orders_are_found(changes, field):
    found = verdict(ORDER, LIVE_ORDER, **changes)
    assert [difference.field for difference in found.differences] == [field]


def test_nobody_touched_it_since_our_write():
    """Fields that BILL does not have stay when a vendor is taken over."""
    assert verdict(SyncToken="3", PrimaryEmailAddr={"Address": "a@b.example"}) is Verdict.AS_LEFT


@pytest.mark.parametrize(("merged", "kind"), [(False, Kind.DELETED), (True, Kind.MERGED)])
def test_what_is_gone_was_deleted_or_merged(merged, kind):
    assert verdict(live=None, merged=merged).kind is kind


@pytest.mark.parametrize(("merged", "kind"), [(False, Kind.INACTIVE), (True, Kind.MERGED)])
def test_what_was_made_inactive(merged, kind):
    changes = {"Active": False, "DisplayName": "Acme (Vendor) (deleted)"}
    assert verdict(merged=merged, **changes).kind is kind


def test_what_we_made_inactive_is_in_order_under_the_name_quickbooks_gives_it():
    link = replace(LINK, desired={**SENT, "Active": False})
    assert verdict(link, Active=False, DisplayName="Acme (Vendor) (deleted)") is Verdict.IN_ORDER
    found = verdict(link)
    assert [difference.field for difference in found.differences] == ["Active"]


def test_tax_ids_and_currencies_are_not_compared():
    link = replace(LINK, desired={**SENT, "TaxIdentifier": "99-5688293", "CurrencyRef": {"value": "EUR"}})
    assert verdict(link) is Verdict.IN_ORDER


def test_a_link_that_only_tells_what_others_refer_to_is_not_compared():
    link = replace(LINK, reference_only=True)
    assert verdict(link, CompanyName="Somebody else") is Verdict.IN_ORDER
    assert isinstance(verdict(link, None), Finding)


def test_an_orphan_has_a_name():
    assert orphan(COMPANY, "Vendor", LIVE) == Finding(
        COMPANY, "Vendor", "7", Kind.ORPHAN, name="Acme (Vendor)"
    )
