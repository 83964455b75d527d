"""Lost answers, in a run and at its end: nothing twice, nothing missing, whatever QuickBooks replays."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest
from target_quickbooks import assembly
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.quickbooks import client, oauth, repeating

REALM = "9341452000000001"
COUNT = 6
AUTO = {"document_number": "auto"}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Waits between attempts are short."""
    monkeypatch.setattr(repeating.Attempts, "wait", lambda *_: 0.05)
    monkeypatch.setattr(oauth, "wait_exponential_jitter", lambda **_: lambda _: 0.05)


@pytest.fixture
def filled(books):
    """Vendors and bills in BILL, nothing of them in QuickBooks."""
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
    for number in range(COUNT):
        vendor = books.bill.vendor(f"Vendor {number}")
        books.bill.bill(vendor["id"], f"INV-{number}", [line])
    return books


@pytest.fixture
def cut_off(answers_lost):
    """Run until the first write of an entity, which QuickBooks carries out, or not, without an answer."""

    def run(books, entity, *, applied=True, held=0, **changes):
        with answers_lost(entity, applied=applied):
            assert books.write(books.read(), **changes).exit_code == 1
        assert len(ours(books, entity)) == (COUNT if applied else held)

    return run


def forget_request_ids(books):
    books.simulator.control.set_switches({"quickbooks.request_id_hours": 1})
    books.simulator.control.advance(2 * 3600)


def refuse_replays(books):
    books.simulator.control.set_switches({"quickbooks.batch_replay": "6000"})


def refuse_known_ids(books):
    books.simulator.control.set_switches({"quickbooks.request_id_conflict": "600"})


def replay(books):
    """Leave QuickBooks as it is."""


def number_orders_itself(books):
    books.simulator.on_loop(lambda world: world.quickbooks.change_profile(REALM, custom_txn_numbers=False))


def ours(books, entity):
    stored = books.stored(entity)
    if entity == "Vendor":
        return [found for found in stored if found["DisplayName"].startswith("Vendor ")]
    return [found for found in stored if read_marker(str(found.get("PrivateNote") or ""))]


def assert_agreement(books):
    names = [vendor["DisplayName"] for vendor in ours(books, "Vendor")]
    assert sorted(names) == [f"Vendor {number}" for number in range(COUNT)]
    orders = [read_marker(order["PrivateNote"])[1] for order in ours(books, "PurchaseOrder")]
    assert sorted(orders) == sorted(bill["id"] for bill in books.held("bills"))
    books.simulator.control.reset_stats()
    again = books.sync(full=True)
    written = books.simulator.control.stats()["quickbooks"]["written"]
    assert (again.exit_code, written) == (0, {})


@pytest.mark.parametrize("entity", ["Vendor", "PurchaseOrder"])
@pytest.mark.parametrize(
    ("applied", "behave"),
    [
        (True, replay),
        (True, forget_request_ids),
        (True, refuse_replays),
        (True, refuse_known_ids),
        (False, forget_request_ids),
    ],
)
def test_the_next_run_finds_what_an_interrupted_one_created(filled, cut_off, entity, applied, behave):
    cut_off(filled, entity, applied=applied)
    behave(filled)
    run = filled.sync(full=True)
    assert run.exit_code == 0, (run.error, run.reasons)
    assert_agreement(filled)


@pytest.mark.parametrize("policy", ["fail", "suffix"])
def test_a_vendor_that_was_created_is_ours_whatever_the_policy_for_taken_names(filled, cut_off, policy):
    cut_off(filled, "Vendor", vendor_conflict=policy)
    forget_request_ids(filled)
    run = filled.sync(full=True, vendor_conflict=policy)
    assert run.exit_code == 0, (run.error, run.reasons)
    assert len(ours(filled, "Vendor")) == COUNT


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("numbered_by", ["setting", "company"])
def test_orders_whose_number_is_not_ours_are_found_by_their_note(filled, cut_off, applied, numbered_by):
    changes = AUTO if numbered_by == "setting" else {}
    if numbered_by == "company":
        number_orders_itself(filled)
    cut_off(filled, "PurchaseOrder", applied=applied, **changes)
    forget_request_ids(filled)
    run = filled.sync(full=True, **changes)
    assert run.exit_code == 0, (run.error, run.reasons)
    orders = [read_marker(order["PrivateNote"])[1] for order in ours(filled, "PurchaseOrder")]
    assert sorted(orders) == sorted(bill["id"] for bill in filled.held("bills"))
    assert not {order.get("DocNumber") for order in ours(filled, "PurchaseOrder")} & {"INV-0", "INV-1"}


@pytest.mark.parametrize(
    ("applied", "behave"), [(True, forget_request_ids), (True, refuse_replays), (False, replay)]
)
def test_an_interrupted_update_is_finished(filled, cut_off, behave, applied):
    filled.sync()
    for bill in filled.held("bills"):
        filled.bill.patch(f"/v3/bills/{bill['id']}", {"description": "Corrected"})
    cut_off(filled, "PurchaseOrder", applied=applied, held=COUNT)
    behave(filled)
    run = filled.sync(full=True)
    assert run.exit_code == 0, (run.error, run.reasons)
    notes = [order["PrivateNote"] for order in ours(filled, "PurchaseOrder")]
    assert len(notes) == COUNT
    assert all(note.startswith("Corrected\n[BILL ") for note in notes)


def add_lines(books, amount):
    """A second line for every bill, or another amount of the one that it has."""
    for bill in books.held("bills"):
        first, *rest = bill["billLineItems"]
        kept = {name: first[name] for name in ("id", "classifications")} | {"amount": float(first["amount"])}
        new = {"amount": amount, "classifications": first["classifications"]}
        books.bill.replace(bill, billLineItems=[kept, {"id": rest[0]["id"], **new} if rest else new])


def amounts(books):
    return {tuple(line["Amount"] for line in order["Line"]) for order in ours(books, "PurchaseOrder")}


@pytest.mark.parametrize(("applied", "later"), [(True, None), (True, 7.5), (False, None)])
def test_a_line_that_an_interrupted_update_added_is_there_once(filled, cut_off, applied, later):
    """Also if BILL has changed it since."""
    filled.sync()
    add_lines(filled, 5)
    cut_off(filled, "PurchaseOrder", applied=applied, held=COUNT)
    refuse_replays(filled)
    if later:
        add_lines(filled, later)
    run = filled.sync(full=True)
    assert (run.exit_code, amounts(filled)) == (0, {(Decimal("12.34"), Decimal(str(later or 5)))})
    assert_agreement(filled)


@pytest.mark.parametrize("behave", [replay, refuse_replays, number_orders_itself])
@pytest.mark.parametrize("after", [0, 1])
def test_answers_lost_in_a_run_double_nothing(filled, behave, after):
    """Every other batch loses its answer; what a repetition is refused for was applied the first time."""
    behave(filled)
    if behave is number_orders_itself:
        refuse_replays(filled)
    filled.simulator.control.add_fault("reset_after", path="*/batch", every=2, after=after)
    run = filled.sync(vendor_conflict="fail")
    assert run.exit_code == 0, (run.error, run.reasons)
    filled.simulator.control.clear_faults()
    assert_agreement(filled)


@pytest.mark.parametrize("hours", [3, -3])
@pytest.mark.parametrize("changes", [AUTO, {}])
def test_a_clock_that_is_wrong_hides_no_traces(filled, cut_off, monkeypatch, hours, changes):
    """What counts is QuickBooks' clock."""
    true = assembly.utc_now
    monkeypatch.setattr(assembly, "utc_now", lambda: true() + dt.timedelta(hours=hours))
    clock = SimpleNamespace(now=lambda zone: dt.datetime.now(zone) + dt.timedelta(hours=hours))
    monkeypatch.setattr(client, "dt", SimpleNamespace(datetime=clock, timedelta=dt.timedelta, UTC=dt.UTC))
    for entity in ("Vendor", "PurchaseOrder"):
        cut_off(filled, entity, **changes)
        forget_request_ids(filled)
    run = filled.sync(full=True, **changes)
    assert run.exit_code == 0, (run.error, run.reasons)
    orders = [read_marker(order["PrivateNote"])[1] for order in ours(filled, "PurchaseOrder")]
    assert sorted(orders) == sorted(bill["id"] for bill in filled.held("bills"))
    assert len(ours(filled, "Vendor")) == COUNT
