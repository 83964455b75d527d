"""What was last sent, put together anew from what QuickBooks holds."""

from __future__ import annotations

from decimal import Decimal

from target_quickbooks.adoption.held import as_held, differences, match_lines
from target_quickbooks.mapping.payload import Mapped


def line(amount, description="", account="7"):
    return {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": Decimal(amount),
        "Description": description,
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}},
    }


def stored(number, made):
    detail = {"AccountRef": {"value": "7", "name": "Travel"}, "TaxCodeRef": {"value": "NON"}}
    return {**made, "Id": number, "LineNum": 1, "AccountBasedExpenseLineDetail": detail}


def order(*lines, **fields):
    keys = tuple(f"bli{number}" for number, _ in enumerate(lines, start=1))
    return Mapped("PurchaseOrder", {"Line": list(lines), **fields}, "bill 'INV-1'", line_keys=keys)


def test_lines_go_by_content_whatever_their_order():
    mapped = order(line("1.00", "a"), line("2.00", "b"))
    live = {"Line": [stored("11", line("2.00", "b")), stored("12", line("1.00", "a"))]}
    assert match_lines(mapped, live) == {"bli1": "12", "bli2": "11"}


def test_an_edited_line_goes_by_its_amount_and_then_by_its_place():
    mapped = order(line("1.00", "a"), line("2.00", "b"), line("3.00", "c"))
    live = {
        "Line": [
            stored("11", line("9.00", "a")),
            stored("12", line("3.00", "x")),
            stored("13", line("2.00", "b")),
        ]
    }
    assert match_lines(mapped, live) == {"bli1": "11", "bli2": "13", "bli3": "12"}


def test_a_line_that_a_person_deleted_is_nowhere():
    mapped = order(line("1.00", "a"), line("2.00", "b"))
    assert match_lines(mapped, {"Line": [stored("12", line("2.00", "b"))]}) == {"bli1": "", "bli2": "12"}


def test_a_line_that_a_person_added_is_nobodys():
    live = {"Line": [stored("11", line("5.00", "added")), stored("12", line("1.00", "a"))]}
    assert match_lines(order(line("1.00", "a")), live) == {"bli1": "12"}


def test_what_quickbooks_adds_is_no_difference():
    live = {"Line": [stored("11", line("1.00", "a"))], "TotalAmt": 1, "SyncToken": "0"}
    assert differences(order(line("1.00", "a")), live) == ()


def test_as_held_says_of_differing_fields_what_is_there():
    mapped = order(
        line("1.00", "a"), line("2.00", "b"), PrivateNote="ours", TxnDate="2026-11-01", DueDate="2026-12-01"
    )
    live = {"Line": [stored("12", line("7.00", "b"))], "PrivateNote": "theirs", "TxnDate": "2026-11-01"}
    found = as_held(mapped, live, differences(mapped, live), {"bli1": "", "bli2": "12"})
    assert (found["PrivateNote"], found["TxnDate"]) == ("theirs", "2026-11-01")
    assert "DueDate" not in found
    assert [one["Amount"] for one in found["Line"]] == [Decimal("7.00")]
