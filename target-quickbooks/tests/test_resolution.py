"""From a BILL classification to the QuickBooks entry it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.mapping.chart import Entries, Entry
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.mapping.resolution import Resolver, known
from target_quickbooks.mapping.source import Kind, Reference

TRAVEL = Entry("60", "Travel", "Travel", number="6100")
AIRFARE = Entry("61", "Airfare", "Travel:Airfare", number="6110")
SOFTWARE = Entry("62", "Software", "Office:Software", number="6200")
OLD = Entry("63", "Old (deleted)", "Old (deleted)", active=False, number="6900")
ACCOUNTS = Entries("account", (TRAVEL, AIRFARE, SOFTWARE, OLD))


def account(name="", *, number="", full_name="", bill_id="0ca1"):
    return Reference(Kind.ACCOUNT, bill_id, name, number=number, full_name=full_name or name)


def resolve(reference, entries=ACCOUNTS, **explicit):
    return Resolver(entries, explicit, "account_map").resolve(reference)


@pytest.mark.parametrize(
    "reference",
    [
        account("Software", full_name="Office:Software"),
        account("office:SOFTWARE"),
        account(" Office:Software "),
        account("Anything", number="6200"),
    ],
)
def test_an_entry_is_found_by_number_or_full_name(reference):
    assert resolve(reference) is SOFTWARE


def test_the_number_goes_before_the_name():
    assert resolve(account("Travel", number="6200")) is SOFTWARE


def test_the_name_is_for_numbers_that_quickbooks_does_not_have():
    assert resolve(account("Travel", number="9999")) is TRAVEL


def test_a_child_is_not_found_by_its_last_part():
    """Two parents may have children of one name; nothing is guessed."""
    with pytest.raises(Refusal):
        resolve(account("Software"))


@pytest.mark.parametrize("key", ["0ca1", "6100", "Costs:Travel", "Travel"])
@pytest.mark.parametrize("value", ["62", "6200", "Office:Software", "office:software"])
def test_the_map_goes_before_everything(key, value):
    """Keys are BILL ids, numbers and names; values QuickBooks ids, numbers and full names."""
    reference = account("Travel", number="6100", full_name="Costs:Travel")
    assert resolve(reference, **{key: value}) is SOFTWARE


def test_the_maps_id_goes_before_its_name():
    assert resolve(account("Travel"), Travel="6100", **{"0ca1": "6200"}) is SOFTWARE


def test_a_map_that_leads_nowhere_is_named():
    with pytest.raises(Refusal, match="account_map sends 'Travel' to 'Sofware', which is not") as refusal:
        resolve(account("Travel"), Travel="Sofware")
    assert refusal.value.code == "account-map-broken"
    assert "account_map" in refusal.value.advice


def test_a_miss_says_what_comes_closest():
    with pytest.raises(Refusal) as refusal:
        resolve(account("Airfair", number="6111", full_name="Travel:Airfair"))
    assert refusal.value.code == "account-unknown"
    assert refusal.value.reason == (
        "Account '6111 Travel:Airfair' of BILL is not in QuickBooks; "
        "did you mean '6110 Travel:Airfare' or '6100 Travel'?"
    )


def test_a_miss_without_anything_close_guesses_nothing():
    with pytest.raises(Refusal) as refusal:
        resolve(account("Zebra"))
    assert refusal.value.reason == "Account 'Zebra' of BILL is not in QuickBooks."


def test_inactive_entries_are_not_suggested():
    with pytest.raises(Refusal) as refusal:
        resolve(account("Olde"))
    assert "did you mean" not in refusal.value.reason


@pytest.mark.parametrize("reference", [account("Old"), account("Anything", number="6900")])
def test_an_inactive_entry_is_refused_by_the_name_it_had(reference):
    with pytest.raises(Refusal) as refusal:
        resolve(reference)
    assert refusal.value.code == "account-inactive"
    assert refusal.value.reason == "Account '6900 Old' is inactive in QuickBooks."


def test_an_active_entry_goes_before_an_inactive_twin():
    inactive = Entry("1", "Travel (deleted)", "Travel (deleted)", active=False, number="6100")
    entries = Entries("account", (inactive, TRAVEL))
    assert resolve(account("Travel"), entries) is TRAVEL
    assert resolve(account("x", number="6100"), entries) is TRAVEL


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True), st.data())
def test_whatever_quickbooks_calls_it_a_name_finds_itself(names, data):
    entries = Entries("class", tuple(Entry(f"id-{name}", name, name) for name in names))
    name = data.draw(st.sampled_from(names))
    found = resolve(Reference(Kind.CLASS, "cls", name, full_name=name), entries)
    assert comparable(found.name) == comparable(name)


def test_a_known_reference_is_found():
    travel = account("Travel")
    assert known({(Kind.ACCOUNT, "0ca1"): travel}, Kind.ACCOUNT, "0ca1", what="Line 1") is travel


def test_a_reference_that_has_not_arrived_is_awaited():
    with pytest.raises(Refusal, match="Line 1 refers to cls9 of BILL's accounting classes") as refusal:
        known({}, Kind.CLASS, "cls9", what="Line 1")
    assert refusal.value.awaited == Awaited("accounting_classes", "cls9")
    assert "stream accounting_classes" in refusal.value.advice
