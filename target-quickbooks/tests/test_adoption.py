"""Vendors and orders typed by hand: what is proposed, how a person decides, what becomes of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_quickbooks.adoption.adopting import plan_decided_order, plan_decided_vendor
from target_quickbooks.adoption.decisions import Decided, Decision, read_adoptions
from target_quickbooks.adoption.likeness import BillVendor, Details, QuickBooksVendor
from target_quickbooks.adoption.proposing import (
    Confidence,
    OpenBill,
    OpenOrder,
    propose_orders,
    propose_vendors,
)
from target_quickbooks.errors import SettingsError
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.planning import Operation
from target_quickbooks.policies import Policies

ORGANIZATION = "00802ORG"
HEADER = (
    "organization_id,stream,bill_id,bill_name,quickbooks_id,quickbooks_name,confidence,evidence,decision\n"
)


def ours(name, bill_id="009A", *, currency="USD", **details):
    return BillVendor(ORGANIZATION, bill_id, name, currency, archived=False, details=Details(**details))


def theirs(name, quickbooks_id="58", *, currency="USD", active=True, **details):
    return QuickBooksVendor(quickbooks_id, name, currency, active, Details(**details))


def only(proposals):
    assert len(proposals) == 1, proposals
    return proposals[0]


# --- proposing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "evidence", "confidence"),
    [
        ("Acme Supply Co.", "same name", Confidence.MEDIUM),
        ("ACME Supply Company", "same name but for spelling", Confidence.MEDIUM),
        ("The Acme-Supply, Inc.", "same name but for spelling", Confidence.MEDIUM),
        ("Acme Suply", "similar name", Confidence.LOW),
    ],
)
def test_a_vendor_is_proposed_by_its_name(name, evidence, confidence):
    proposal = only(propose_vendors([ours("Acme Supply Co.")], [theirs(name)]))
    assert (proposal.evidence, proposal.confidence) == (evidence, confidence)


def test_details_make_a_proposal_surer():
    proposal = only(
        propose_vendors([ours("Acme Supply", tax_id="8777")], [theirs("Acme Suply", tax_id="8777")])
    )
    assert (proposal.evidence, proposal.confidence) == ("similar name, same tax id", Confidence.HIGH)


def test_details_alone_are_enough_if_there_are_several():
    same = {"tax_id": "8777", "email": "a@b.example"}
    proposal = only(propose_vendors([ours("Acme", **same)], [theirs("Zenith", **same)]))
    assert proposal.evidence == "another name, same tax id, same e-mail"
    assert propose_vendors([ours("Acme", email="a@b.example")], [theirs("Zenith", email="a@b.example")]) == []


def test_another_tax_id_speaks_against_the_same_name():
    proposal = propose_vendors([ours("Acme Supply", tax_id="1111")], [theirs("Acme Supply", tax_id="2222")])
    assert proposal == []


@pytest.mark.parametrize(
    "other", [theirs("Zenith"), theirs("Acme Supply 2"), theirs("Acme Supply", currency="EUR")]
)
def test_others_are_not_proposed(other):
    assert propose_vendors([ours("Acme Supply")], [other]) == []


def test_only_an_exact_name_without_contradiction_is_taken_by_itself():
    exact = only(propose_vendors([ours("Acme")], [theirs("ACME")]))
    spelled = only(propose_vendors([ours("Acme")], [theirs("Acme, Inc.")]))
    against = only(propose_vendors([ours("Acme", account_number="1")], [theirs("Acme", account_number="2")]))
    assert (exact.exact, spelled.exact, against.exact) == (True, False, False)


def test_several_likely_ones_say_so():
    proposals = propose_vendors([ours("Acme")], [theirs("Acme Inc", "1"), theirs("Acme LLC", "2")])
    assert [one.evidence for one in proposals] == ["same name but for spelling, one of 2 likely ones"] * 2


def test_what_is_like_two_bill_vendors_is_taken_by_itself_for_none():
    proposals = propose_vendors([ours("Acme", "a"), ours("Acme", "b")], [theirs("Acme")])
    assert [(one.evidence, one.exact) for one in proposals] == [("same name, also like 1 other", False)] * 2


def bill(number="INV-1", amount="10.00", date="2026-11-01"):
    return OpenBill(ORGANIZATION, "00nA", "bill", "009A", number, date, Decimal(amount))


@pytest.mark.parametrize(
    ("order", "confidence"),
    [
        (("INV-1", "2026-01-01", "10.00"), Confidence.HIGH),
        (("77", "2026-11-01", "10.00"), Confidence.MEDIUM),
        (("INV-1", "2026-11-01", "11.00"), Confidence.LOW),
        (("77", "2026-01-01", "10.00"), None),
    ],
)
def test_an_order_is_proposed_by_number_amount_and_date(order, confidence):
    number, date, amount = order
    held = OpenOrder("257", "58", number, date, Decimal(amount))
    found = propose_orders([bill()], [held], {(ORGANIZATION, "009A"): ["58"]})
    assert [one.confidence for one in found] == ([confidence] if confidence else [])
    assert propose_orders([bill()], [held], {(ORGANIZATION, "009A"): ["59"]}) == []


# --- deciding -----------------------------------------------------------------------------------------------


def saved(tmp_path, text, name="adoptions.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_decisions_are_read_as_spreadsheets_save_them(tmp_path, mark, separator):
    row = (
        f'{ORGANIZATION},vendors,009A,"Acme",58,x,high,y, Link \n{ORGANIZATION},vendors,009B,B,59,x,low,y,\n'
    )
    found = read_adoptions(saved(tmp_path, (mark + HEADER + row).replace(",", separator)))
    assert found.of(ORGANIZATION, "vendors", "009A") == Decided(Decision.LINK, "58")
    assert found.of(ORGANIZATION, "vendors", "009B") == Decided(Decision.OPEN)
    assert found.of("other", "vendors", "009A") is None


def test_decisions_are_read_from_json(tmp_path):
    text = (
        f'[{{"organization_id": "{ORGANIZATION}", "stream": "bills", "bill_id": "00n", "decision": "skip"}}]'
    )
    found = read_adoptions(saved(tmp_path, text, "adoptions.json"))
    assert found.of(ORGANIZATION, "bills", "00n") == Decided(Decision.SKIP)


def test_of_several_candidates_the_decided_one_counts(tmp_path):
    rows = "".join(
        f"{ORGANIZATION},vendors,009A,A,{one},x,low,y,{said}\n" for one, said in (("1", ""), ("2", "link"))
    )
    found = read_adoptions(saved(tmp_path, HEADER + rows))
    assert found.of(ORGANIZATION, "vendors", "009A") == Decided(Decision.LINK, "2")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("O,vendors,a,A,1,x,low,y,maybe\n", "row 1 .* decides 'maybe'"),
        ("O,payments,a,A,1,x,low,y,link\n", "row 1 .* 'payments'"),
        ("O,vendors,a,A,,x,low,y,link\n", "names no quickbooks_id"),
        ("O,vendors,,A,1,x,low,y,link\n", "has no bill_id"),
        ("O,vendors,a,A,1,x,low,y,link\nO,vendors,b,B,1,x,low,y,link\n", "row 2 .* links 1 with b"),
        ("O,vendors,a,A,1,x,low,y,link\nO,vendors,a,A,2,x,low,y,link\n", "row 2 .* contradicts"),
    ],
)
def test_what_is_not_clear_is_refused(tmp_path, rows, says):
    with pytest.raises(SettingsError, match=says):
        read_adoptions(saved(tmp_path, HEADER + rows))


@pytest.mark.parametrize(("name", "text"), [("a.json", "{}"), ("a.json", "x")])
def test_a_file_of_another_kind_is_refused(tmp_path, name, text):
    with pytest.raises(SettingsError, match="not a JSON list"):
        read_adoptions(saved(tmp_path, text, name))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_adoptions(tmp_path / "none.csv")


# --- doing so -----------------------------------------------------------------------------------------------

LIVE = {"Id": "58", "SyncToken": "3", "DisplayName": "Acme, Inc.", "CurrencyRef": {"value": "USD"}}
LINK = Decided(Decision.LINK, "58")


@pytest.fixture
def item(make_item):
    payload = {"DisplayName": "Acme", "CurrencyRef": {"value": "USD"}}
    return make_item(Mapped("Vendor", payload, "vendor 'Acme'"))


def test_a_vendor_is_taken_over_and_gets_what_bill_has(item):
    change = plan_decided_vendor(item, LINK, LIVE, "")
    assert (change.operation, change.quickbooks_id, change.body["DisplayName"]) == (
        Operation.UPDATE,
        "58",
        "Acme",
    )


@pytest.mark.parametrize(
    ("decided", "live", "owner", "code"),
    [
        (Decided(Decision.OPEN), None, "", "adoption-undecided"),
        (LINK, None, "", "adoption-missing"),
        (LINK, LIVE, "009Z", "adoption-taken"),
        (LINK, LIVE | {"CurrencyRef": {"value": "EUR"}}, "", "adoption-currency"),
    ],
)
def test_what_cannot_be_done_waits(item, decided, live, owner, code):
    change = plan_decided_vendor(item, decided, live, owner)
    assert (change.operation, change.code) == (Operation.BLOCKED, code)


def test_what_is_to_be_new_or_left_out(item):
    assert plan_decided_vendor(item, Decided(Decision.NEW), None, "") is None
    assert plan_decided_vendor(item, Decided(Decision.SKIP), None, "").operation is Operation.SKIP


def test_an_order_of_another_bill_is_not_taken_over(make_item):
    order = make_item(Mapped("PurchaseOrder", {"PrivateNote": "x"}, "bill"), bill_id="00nA", stream="bills")
    live = {"Id": "58", "SyncToken": "0", "PrivateNote": "[BILL 008/00nB]"}
    assert plan_decided_order(order, LINK, live, "", Policies()).code == "adoption-taken"
