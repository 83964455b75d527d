"""What a plan tells of a change: fields and lines as QuickBooks holds them, totals, text, JSON."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_quickbooks.changes import Submission
from target_quickbooks.exact_json import to_json
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.plan.differences import FieldChange, LineKind
from target_quickbooks.plan.entries import PlanEntry, by_currency, entry_of, totals
from target_quickbooks.plan.text import WIDTH, plan_lines, value_text
from target_quickbooks.planning import Change, Operation, create

LABELS = {("AccountRef", "60"): "6100 Travel", ("AccountRef", "62"): "6200 Software"}


def line(amount, account="60", **members):
    detail = {"AccountRef": {"value": account, "name": "whatever"}}
    kind = "AccountBasedExpenseLineDetail"
    return {"Amount": Decimal(amount), "DetailType": kind, kind: detail, **members}


@pytest.fixture
def entry(make_item, pair):
    """The entry of a change of a purchase order or vendor."""

    def build(operation=Operation.UPDATE, *, body, held=None, entity="PurchaseOrder", **members):
        mapped = Mapped(entity, {}, "bill 'INV-1' of Acme")
        change = Change(
            operation, make_item(mapped, stream="bills"), body=body, held=held, quickbooks_id="7", **members
        )
        record = {"id": "00n1", "vendorName": "Acme", "vendorId": "009"}
        submission = Submission(pair, record, change)
        return entry_of(
            submission, home_currency="USD", label=lambda kind, number: LABELS.get((kind, number), "")
        )

    return build


def fields(entry):
    return [(found.field, found.before, found.after) for found in entry.fields]


def test_fields_are_compared_with_what_quickbooks_holds(entry):
    told = entry(
        body={"Id": "7", "SyncToken": "1", "sparse": True, "DueDate": "2026-12-31", "TxnDate": "2026-12-01"},
        held={"DueDate": "2026-12-15", "TxnDate": "2026-12-01"},
    )
    assert fields(told) == [("DueDate", "2026-12-15", "2026-12-31")]


def test_what_quickbooks_adds_to_an_address_is_no_difference(entry):
    held = {"BillAddr": {"Id": "9", "Line1": "1 Main", "Lat": "1.0"}}
    assert entry(body=held, held=held, entity="Vendor").fields == ()
    told = entry(body={"BillAddr": {"Line1": "2 Main"}}, held=held, entity="Vendor")
    assert fields(told) == [("BillAddr", {"Line1": "1 Main"}, {"Line1": "2 Main"})]


def test_references_are_shown_by_name(entry):
    told = entry(
        body={"APAccountRef": {"value": "90"}, "ClassRef": {"value": ""}},
        held={
            "APAccountRef": {"value": "33", "name": "Payables"},
            "ClassRef": {"value": "5", "name": "West"},
        },
    )
    assert fields(told) == [("APAccountRef", "Payables", "90"), ("ClassRef", "West", None)]


def test_tax_ids_are_shown_and_compared_by_their_end(entry):
    held = {"TaxIdentifier": "XXXXX8777"}
    assert entry(body={"TaxIdentifier": "99-9888777"}, held=held, entity="Vendor").fields == ()
    told = entry(body={"TaxIdentifier": "99-9881111"}, held=held, entity="Vendor")
    assert fields(told) == [("TaxIdentifier", "XXXXX8777", "XXXXXX1111")]
    assert "9881111" not in to_json(told.to_json())


def test_lines_are_told_one_by_one(entry):
    held = {"Line": [line(100, Id="1"), line(20, Id="2"), line(30, Id="3")]}
    body = {"Line": [line(100, Id="1"), line(25, "62", Id="2"), line(5, Description="New")]}
    told = entry(body=body, held=held)
    assert [(found.kind, found.number) for found in told.lines] == [
        (LineKind.CHANGED, 2),
        (LineKind.ADDED, 3),
        (LineKind.REMOVED, 3),
    ]
    changed, added, removed = told.lines
    assert changed.changes == (
        FieldChange("amount", Decimal(20), Decimal(25)),
        FieldChange("account", "6100 Travel", "6200 Software"),
    )
    assert added.line == {"amount": Decimal(5), "account": "6100 Travel", "description": "New"}
    assert removed.line["amount"] == Decimal(30)
    assert (told.amount, told.amount_before) == (Decimal(130), Decimal(150))


def test_a_line_that_moves_from_account_to_item_says_so(entry):
    kind = "ItemBasedExpenseLineDetail"
    after = {
        "Id": "1",
        "Amount": Decimal(10),
        "DetailType": kind,
        kind: {"ItemRef": {"value": "11", "name": "Pump"}, "Qty": 2, "UnitPrice": Decimal(5)},
    }
    (found,) = entry(body={"Line": [after]}, held={"Line": [line(10, Id="1")]}).lines
    assert {change.field: (change.before, change.after) for change in found.changes} == {
        "item": (None, "Pump"),
        "account": ("6100 Travel", None),
        "quantity": (None, Decimal(2)),
        "price": (None, Decimal(5)),
    }


def test_an_update_of_what_only_the_plan_creates_is_against_the_plan(entry):
    (difference,) = create_differences({"DueDate": "2026-12-01"}, {"DueDate": "2026-12-31"})
    told = entry(body={"DueDate": "2026-12-31"}, differences=(difference,))
    assert fields(told) == [("DueDate", "2026-12-01", "2026-12-31")]


def create_differences(before, after):
    from target_quickbooks.comparison import compare  # noqa: PLC0415

    return compare(before, after)


def test_a_create_tells_all_that_there_would_be(make_item, pair):
    payload = {"DocNumber": "INV-1", "Line": [line(10)], "CurrencyRef": {"value": "EUR"}, "Memo": ""}
    item = make_item(Mapped("PurchaseOrder", payload, "bill"), stream="bills")
    told = entry_of(
        Submission(pair, {"vendorId": "009"}, create(item, payload)),
        home_currency="USD",
        label=lambda *_: "",
    )
    assert (told.operation, told.vendor, told.currency) == (Operation.CREATE, "009", "EUR")
    assert (told.amount, told.amount_before) == (Decimal(10), None)
    assert fields(told) == [("DocNumber", None, "INV-1"), ("CurrencyRef", None, "EUR")]


def order(amount, *, vendor="Acme", currency="USD", before=None, operation=Operation.CREATE):
    return PlanEntry(
        operation,
        "bills",
        f"00n{amount}",
        "PurchaseOrder",
        f"bill '{amount}'",
        vendor=vendor,
        currency=currency,
        amount=Decimal(amount),
        amount_before=before,
    )


def test_totals_are_by_vendor_and_currency():
    entries = [
        order("10.50"),
        order("0.50"),
        order("7", currency="EUR"),
        order("5", vendor="Zeta", before=Decimal(8), operation=Operation.UPDATE),
        PlanEntry(Operation.CREATE, "vendors", "009", "Vendor", "vendor 'Acme'"),
    ]
    found = totals(entries)
    assert [(one.vendor, one.currency, one.created, one.created_amount) for one in found] == [
        ("Acme", "EUR", 1, Decimal(7)),
        ("Acme", "USD", 2, Decimal("11.00")),
        ("Zeta", "USD", 0, Decimal(0)),
    ]
    assert [(one.currency, one.created_amount, one.changed_by) for one in by_currency(found)] == [
        ("EUR", Decimal(7), Decimal(0)),
        ("USD", Decimal("11.00"), Decimal(-3)),
    ]


def test_the_text_counts_and_cuts_long_lists():
    entries = [order(str(number)) for number in range(1, 40)]
    blocked = PlanEntry(
        Operation.BLOCKED,
        "bills",
        "00nX",
        "PurchaseOrder",
        "bill 'X'",
        reason="No account.",
        advice="Add it.",
    )
    lines = plan_lines([*entries, blocked], skipped=3, preflight=None)
    assert lines[0] == "Plan: 39 to create, 1 blocked, 3 to skip. Nothing has been written."
    assert "  ... and 14 more bills to create" in lines
    assert "  blocked bill 'X': No account. Add it." in lines
    assert lines[-1] == "  purchase orders in USD: 39 new, 780.00"
    assert all(len(text) <= WIDTH for text in lines)


def test_the_text_shows_fields_and_lines(entry):
    held = {"DueDate": "2026-12-15", "Line": [line(100, Id="1"), line(7, Id="2")]}
    body = {"DueDate": "2026-12-31", "Line": [line(120, Id="1")], "PrivateNote": "x" * 300}
    lines = plan_lines([entry(body=body, held=held)], skipped=0, preflight=None)
    assert lines[1].split() == ["update", "bill", "'INV-1'", "of", "Acme", "QuickBooks", "7"]
    assert "            DueDate            2026-12-15 -> 2026-12-31" in lines
    assert "            line 1 changes amount: 100.00 -> 120.00" in lines
    assert "            line 2 is removed: 7.00, 6100 Travel" in lines
    assert all(len(text) <= WIDTH for text in lines)


def test_nothing_to_do_is_said():
    assert plan_lines([], skipped=0, preflight=None) == ["Plan: nothing to do, QuickBooks has everything."]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "nothing"),
        ("", "nothing"),
        (True, "yes"),
        (Decimal("1234.5"), "1,234.50"),
        (Decimal("0.12345"), "0.12345"),
        ({"Line1": "1 Main", "City": ""}, "1 Main"),
        ("two\nlines", "two lines"),
    ],
)
def test_values_are_said_as_people_write_them(value, said):
    assert value_text(value) == said
