"""Vendors of a lost store are found by their orders, names and details; what is doubtful is told."""

from __future__ import annotations

from collections import Counter

import pytest
from target_quickbooks.adoption.likeness import BillVendor, Details, QuickBooksVendor
from target_quickbooks.adoption.pairing import pair_vendors

ORGANIZATION = "00802ORG"


def ours(bill_id, name="Acme", *, currency="USD", archived=False, **details):
    return BillVendor(ORGANIZATION, bill_id, name, currency, archived, Details(**details))


def theirs(quickbooks_id, name="Acme", *, currency="USD", active=True, **details):
    return QuickBooksVendor(quickbooks_id, name, currency, active, Details(**details))


def pair(vendors, held, *, taken=(), **witnesses):
    votes = {(ORGANIZATION, bill_id): Counter(found) for bill_id, found in witnesses.items()}
    pairs = pair_vendors(vendors, {one.quickbooks_id: one for one in held}, votes, taken)
    return {bill_id: found for (_, bill_id), found in pairs.found.items()}, pairs


def test_the_orders_of_its_bills_tell_a_vendor_whatever_it_is_called():
    found, pairs = pair([ours("a")], [theirs("1", "Renamed"), theirs("2", "Other")], a={"1": 3})
    assert (found, pairs.doubts) == ({"a": "1"}, {})


def test_a_vendor_without_orders_goes_by_its_name():
    assert pair([ours("a")], [theirs("1", "ACME"), theirs("2", "Other")])[0] == {"a": "1"}


@pytest.mark.parametrize("name", ["Acme (Vendor)", "Acme (EUR)", "Acme (ABC123)"])
def test_a_name_with_an_ending_that_we_gave_it_counts(name):
    found, _ = pair([ours("009ABC123", currency="EUR")], [theirs("1", name, currency="EUR")])
    assert found == {"009ABC123": "1"}


def test_a_vendor_of_another_currency_is_another_one():
    assert pair([ours("a", currency="EUR")], [theirs("1")])[0] == {}


def test_details_tell_vendors_of_one_name_apart():
    vendors = [ours("a", account_number="7"), ours("b", account_number="8")]
    held = [theirs("1", account_number="8"), theirs("2", "Acme (Vendor)", account_number="7")]
    assert pair(vendors, held)[0] == {"a": "2", "b": "1"}


def test_an_archived_vendor_gets_the_inactive_one():
    vendors = [ours("a", archived=True), ours("b")]
    held = [theirs("1", active=False), theirs("2")]
    assert pair(vendors, held)[0] == {"a": "1", "b": "2"}


def test_where_orders_disagree_the_name_decides_and_it_is_told():
    found, pairs = pair([ours("a")], [theirs("1"), theirs("2", "Other")], a={"1": 1, "2": 5})
    assert found == {"a": "1"}
    assert "disagree: 5 of vendor 2 (Other), 1 of vendor 1 (Acme)" in pairs.doubts[ORGANIZATION, "a"]


def test_an_order_that_a_person_moved_does_not_take_its_vendor_along():
    """The other vendor is that of another BILL vendor; ours is still there under its name."""
    vendors = [ours("a"), ours("b", "Other")]
    found, pairs = pair(vendors, [theirs("1"), theirs("2", "Other")], a={"2": 1}, b={"2": 4})
    assert found == {"a": "1", "b": "2"}
    assert (ORGANIZATION, "a") in pairs.doubts


def test_a_merged_vendor_leaves_its_name_to_a_namesake_without_orders():
    """The orders of one went to where it was merged into; the other one has nothing but its name."""
    vendors = [ours("a", phone="1"), ours("b", phone="2"), ours("c", "Other")]
    held = [theirs("1", phone="2"), theirs("2", "Other")]
    found, pairs = pair(vendors, held, a={"2": 5}, c={"2": 4})
    assert found == {"a": "2", "b": "1", "c": "2"}
    assert pairs.shared == {(ORGANIZATION, "a")}


def test_a_namesake_of_another_currency_does_not_outweigh_orders():
    vendors = [ours("a"), ours("c", "Other")]
    found, _ = pair(vendors, [theirs("1", currency="EUR"), theirs("2", "Other")], a={"2": 3}, c={"2": 4})
    assert found == {"a": "2", "c": "2"}


def test_a_moved_order_leaves_the_name_to_the_one_whose_details_it_has():
    vendors = [ours("a", phone="1"), ours("b", phone="2"), ours("c", "Other")]
    found, _ = pair(vendors, [theirs("1", phone="1"), theirs("2", "Other")], a={"2": 1}, c={"2": 4})
    assert (found["a"], found["c"]) == ("1", "2")


def test_what_a_person_tells_goes_before_everything_else():
    vendors = [ours("a"), ours("b", "Other")]
    key = (ORGANIZATION, "a")
    held = {one.quickbooks_id: one for one in (theirs("1"), theirs("2", "Other"))}
    pairs = pair_vendors(vendors, held, {key: Counter({"1": 3})}, told={"a": "2"})
    assert pairs.found == {key: "2", (ORGANIZATION, "b"): "2"}
    assert pairs.shared == {key}


def test_where_names_say_nothing_most_orders_decide():
    held = [theirs("1", "X"), theirs("2", "Y")]
    found, pairs = pair([ours("a")], held, a={"1": 1, "2": 5})
    assert found == {"a": "2"}
    assert (ORGANIZATION, "a") in pairs.doubts


def test_what_nothing_decides_stays_unlinked():
    found, pairs = pair([ours("a")], [theirs("1", "X"), theirs("2", "Y")], a={"1": 1, "2": 1})
    assert found == {}
    assert pairs.undecided == {(ORGANIZATION, "a")}


def test_vendors_merged_in_quickbooks_share_one_and_it_follows_its_namesake():
    found, pairs = pair([ours("a", "Old"), ours("b")], [theirs("1")], a={"1": 9}, b={"1": 1})
    assert found == {"a": "1", "b": "1"}
    assert pairs.shared == {(ORGANIZATION, "a")}


def test_a_vendor_that_another_one_was_merged_into_is_found_without_orders_of_its_own():
    """All its orders were those of the other one; made anew, it would be there twice."""
    found, pairs = pair([ours("a", "Gone"), ours("b")], [theirs("1")], a={"1": 2})
    assert found == {"a": "1", "b": "1"}
    assert pairs.shared == {(ORGANIZATION, "a")}
    assert "it follows" in pairs.doubts[ORGANIZATION, "a"]


def test_a_vendor_with_an_ending_that_another_one_was_merged_into_is_found_likewise():
    """The name without it is that of a third vendor."""
    vendors = [ours("a"), ours("b", "Lost"), ours("c")]
    held = [theirs("1", "Acme (Vendor)"), theirs("2")]
    found, pairs = pair(vendors, held, b={"1": 2}, c={"2": 1})
    assert found == {"a": "1", "b": "1", "c": "2"}
    assert pairs.shared == {(ORGANIZATION, "b")}


def test_a_vendor_of_ones_own_goes_before_that_of_another_one():
    held = [theirs("1"), theirs("2", "Acme (Vendor)")]
    found, pairs = pair([ours("a", "Other"), ours("b")], held, a={"1": 2})
    assert found == {"a": "1", "b": "2"}
    assert not pairs.shared


def test_a_namesake_of_the_owner_is_another_vendor():
    assert pair([ours("a"), ours("b")], [theirs("1")], a={"1": 2})[0] == {"a": "1"}


def test_a_renamed_vendor_without_orders_goes_by_two_details():
    held = [theirs("1", "New Name", email="a@b.example", tax_id="1234")]
    assert pair([ours("a", email="a@b.example", tax_id="1234")], held)[0] == {"a": "1"}
    assert pair([ours("a", email="a@b.example", tax_id="9999")], held)[0] == {}


def test_details_that_two_have_decide_nothing():
    held = [theirs(one, f"N {one}", email="a@b.example", tax_id="1234") for one in ("1", "2")]
    assert pair([ours("a", email="a@b.example", tax_id="1234")], held)[0] == {}


def test_what_is_linked_already_is_not_linked_twice():
    assert pair([ours("a")], [theirs("1")], taken=("1",))[0] == {}
