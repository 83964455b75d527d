"""The lines of an order merged three ways: as last sent, as BILL has them, as QuickBooks holds them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.line_merging import merge_lines

ACCOUNT, ITEM = "AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail"
IDS = {"a": "1", "b": "2"}


def line(amount, text="Rent", account="60", **detail):
    """A line on an account, as mapping makes it."""
    payload = {"Amount": Decimal(amount), "DetailType": ACCOUNT}
    payload |= {"Description": text} if text else {}
    return payload | {ACCOUNT: {"AccountRef": {"value": account}, **detail}}


def item_line(amount, item="11", **detail):
    return {"Amount": Decimal(amount), "DetailType": ITEM, ITEM: {"ItemRef": {"value": item}, **detail}}


def held(place, payload, **detail):
    """The line as QuickBooks shows it: with an id, names beside references, and fields of its own."""
    kind = payload["DetailType"]
    shown = {
        name: {**value, "name": "A name"} if isinstance(value, dict) else value
        for name, value in payload[kind].items()
    }
    shown |= {"BillableStatus": "NotBillable", **detail}
    return {**payload, "Id": str(place), "LineNum": place, "Received": 0, kind: shown}


def merged(before, wanted, live, *, bill_wins=True, ids=None):
    return merge_lines(before, wanted, live, ids or IDS, bill_wins=bill_wins)


def amounts(result):
    return [(sent.get("Id"), sent["Amount"]) for sent in result.lines]


TWO = {"a": line(100), "b": line(20, "Heating")}
LIVE = [held(1, TWO["a"]), held(2, TWO["b"])]


def test_nothing_changed():
    result = merged(TWO, TWO, LIVE)
    assert amounts(result) == [("1", 100), ("2", 20)]
    assert (result.keys, result.conflicts, result.added) == (("a", "b"), (), 0)


def test_a_line_that_is_new_on_both_sides_and_the_same_is_one():
    new = line(5, "Water", ClassRef={"value": "7"})
    result = merged(TWO, {**TWO, "c": new}, [*LIVE, held(3, new)])
    assert amounts(result) == [("1", 100), ("2", 20), ("3", 5)]
    assert (result.keys, result.found, result.added) == (("a", "b", "c"), {"c": "3"}, 0)


def test_each_new_line_takes_a_line_of_its_own():
    new = line(5, "Water")
    result = merged(TWO, {**TWO, "c": new, "d": new}, [*LIVE, held(3, new)])
    assert amounts(result) == [("1", 100), ("2", 20), ("3", 5), (None, 5)]
    assert result.found == {"c": "3"}


@pytest.mark.parametrize("other", [line(6, "Water"), line(5, "Gas"), line(5, "Water", account="61")])
def test_a_line_that_is_new_on_both_sides_and_not_the_same_is_two(other):
    result = merged(TWO, {**TWO, "c": line(5, "Water")}, [*LIVE, held(3, other)])
    assert amounts(result) == [("1", 100), ("2", 20), (None, 5), ("3", other["Amount"])]
    assert (result.found, result.added) == ({}, 1)


def test_what_only_quickbooks_writes_is_not_sent_back():
    [sent, _] = merged(TWO, TWO, LIVE).lines
    assert not {"Received", "LineNum"} & set(sent)
    assert sent[ACCOUNT]["BillableStatus"] == "NotBillable"


def test_another_part_of_the_same_line_edited_is_no_conflict():
    live = [held(1, line(100, "Rent for December")), LIVE[1]]
    result = merged(TWO, {**TWO, "a": line(110)}, live)
    assert result.conflicts == ()
    assert (result.lines[0]["Description"], result.lines[0]["Amount"]) == ("Rent for December", 110)


@pytest.mark.parametrize(
    ("part", "ours", "theirs"),
    [
        ("amount", line(110), line(105)),
        ("description", line(100, "Rent, flat 1"), line(100, "Rent, flat 2")),
        ("account", line(100, account="61"), line(100, account="62")),
        ("account", item_line(100) | {"Description": "Rent"}, line(100, account="62")),
    ],
)
def test_the_same_part_changed_on_both_sides(part, ours, theirs):
    live = [held(1, theirs), LIVE[1]]
    wins = merged(TWO, {**TWO, "a": ours}, live)
    loses = merged(TWO, {**TWO, "a": ours}, live, bill_wins=False)
    assert wins.conflicts == loses.conflicts == (f"line 1 ({part})",)
    assert wins.lines[0]["DetailType"] == ours["DetailType"]
    shown = {**loses.lines[0], ACCOUNT: {"AccountRef": loses.lines[0][ACCOUNT]["AccountRef"]["value"]}}
    assert shown == {"Id": "1", **theirs, ACCOUNT: {"AccountRef": theirs[ACCOUNT]["AccountRef"]["value"]}}


@pytest.mark.parametrize("reference", ["ClassRef", "CustomerRef", "TaxCodeRef"])
def test_references_of_a_line_are_parts_of_their_own(reference):
    before = {"a": line(100, **{reference: {"value": "7"}})}
    live = [held(1, line(100, **{reference: {"value": "8"}}))]
    after = {"a": line(100, **{reference: {"value": "9"}})}
    assert merged(before, after, live).lines[0][ACCOUNT][reference] == {"value": "9"}
    kept = merged(before, after, live, bill_wins=False)
    assert kept.lines[0][ACCOUNT][reference]["value"] == "8"
    assert len(kept.conflicts) == 1


def test_a_class_that_bill_no_longer_has_is_taken_off():
    before = {"a": line(100, ClassRef={"value": "7"})}
    [sent] = merged(before, {"a": line(100)}, [held(1, before["a"])]).lines
    assert "ClassRef" not in sent[ACCOUNT]


def test_a_class_that_a_person_put_on_stays():
    live = [held(1, line(100, ClassRef={"value": "7"}))]
    [sent] = merged({"a": line(100)}, {"a": line(110)}, live).lines
    assert (sent[ACCOUNT]["ClassRef"]["value"], sent["Amount"]) == ("7", 110)


def test_both_sides_made_the_same_change():
    live = [held(1, line(110)), LIVE[1]]
    for bill_wins in (True, False):
        result = merged(TWO, {**TWO, "a": line(110)}, live, bill_wins=bill_wins)
        assert (amounts(result)[0], result.conflicts) == (("1", 110), ())


def test_a_new_amount_replaces_quantity_and_price():
    """They would not fit it any more (6070), whoever typed them."""
    before = {"a": item_line(100, Qty=Decimal(4), UnitPrice=Decimal(25))}
    [sent] = merged(before, {"a": item_line(90)}, [held(1, before["a"])]).lines
    assert not {"Qty", "UnitPrice"} & set(sent[ITEM])


def test_quantity_and_price_that_a_person_typed_give_way_to_a_new_amount():
    live = [held(1, item_line(100, Qty=Decimal(2), UnitPrice=Decimal(50)))]
    [sent] = merged({"a": item_line(100)}, {"a": item_line(90)}, live).lines
    assert (sent["Amount"], "Qty" in sent[ITEM]) == (90, False)


def test_a_line_that_moves_from_an_item_to_an_account_loses_its_quantity():
    before = {"a": item_line(100, Qty=Decimal(4), UnitPrice=Decimal(25), ClassRef={"value": "7"})}
    after = {"a": line(100, text="", ClassRef={"value": "7"})}
    [sent] = merged(before, after, [held(1, before["a"])]).lines
    assert ITEM not in sent
    assert set(sent[ACCOUNT]) == {"AccountRef", "ClassRef", "BillableStatus"}


def test_lines_follow_bills_order_and_keep_their_ids():
    result = merged(TWO, {"b": TWO["b"], "a": TWO["a"], "c": line(7)}, LIVE)
    assert amounts(result) == [("2", 20), ("1", 100), (None, 7)]
    assert result.keys == ("b", "a", "c")


def test_a_line_that_a_person_deleted_stays_away_until_bill_changes_it():
    assert amounts(merged(TWO, {**TWO, "a": line(110)}, LIVE[:1])) == [("1", 110)]
    changed = {**TWO, "b": line(25, "Heating")}
    assert amounts(merged(TWO, changed, LIVE[:1])) == [("1", 100), (None, 25)]
    kept = merged(TWO, changed, LIVE[:1], bill_wins=False)
    assert (amounts(kept), kept.conflicts) == ([("1", 100)], ("line 2 (deleted in QuickBooks)",))


def test_a_line_that_bill_no_longer_has_goes():
    assert amounts(merged(TWO, {"a": TWO["a"]}, LIVE)) == [("1", 100)]


def test_a_line_that_bill_no_longer_has_and_a_person_edited_is_a_conflict():
    live = [LIVE[0], held(2, line(25, "Heating"))]
    wins, loses = (merged(TWO, {"a": TWO["a"]}, live, bill_wins=wins) for wins in (True, False))
    assert wins.conflicts == ("line 'Heating' (removed in BILL)",)
    assert (amounts(wins), amounts(loses)) == ([("1", 100)], [("1", 100), ("2", 25)])
    assert loses.keys == ("a", "")


def test_lines_that_a_person_added_come_last():
    result = merged(TWO, {**TWO, "a": line(110)}, [held(9, line(5, "Freight")), *LIVE])
    assert amounts(result) == [("1", 110), ("2", 20), ("9", 5)]
    assert (result.keys, result.added) == (("a", "b", ""), 1)


def test_a_line_that_was_divided_in_quickbooks_becomes_one_again_where_bill_changes_it():
    live = [held(1, line(60)), LIVE[1], held(9, line(40))]
    result = merged(TWO, {**TWO, "a": line(110)}, live)
    assert (amounts(result), result.added) == ([("1", 110), ("2", 20)], 0)


_LINES = st.dictionaries(
    st.sampled_from("abcd"),
    st.builds(line, st.integers(-3, 3), st.sampled_from(["", "Rent"]), st.sampled_from(["60", "61"])),
)


@given(_LINES, _LINES, st.booleans())
def test_without_edits_the_lines_become_bills(before, wanted, bill_wins):
    """Whatever BILL changes, if nobody touched the order it looks as BILL has it."""
    ids = {key: str(place) for place, key in enumerate(before, start=1)}
    live = [held(ids[key], payload) for key, payload in before.items()]
    result = merge_lines(before, wanted, live, ids, bill_wins=bill_wins)
    assert (result.conflicts, result.keys) == ((), tuple(wanted))
    for sent, payload in zip(result.lines, wanted.values(), strict=True):
        assert (sent["Amount"], sent.get("Description")) == (payload["Amount"], payload.get("Description"))
        assert sent[ACCOUNT]["AccountRef"]["value"] == payload[ACCOUNT]["AccountRef"]["value"]


@given(_LINES, _LINES, st.booleans())
def test_what_bill_did_not_change_stays_as_people_left_it(before, theirs, bill_wins):
    ids = {key: str("abcd".index(key) + 1) for key in before}
    live = [held("abcd".index(key) + 1, payload) for key, payload in theirs.items()]
    result = merge_lines(before, before, live, ids, bill_wins=bill_wins)
    assert result.conflicts == ()
    assert {sent["Id"]: sent["Amount"] for sent in result.lines} == {
        found["Id"]: found["Amount"] for found in live
    }
