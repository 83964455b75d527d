"""BILL's books against QuickBooks'."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ap_simulator.comparison import Comparison, compare

BILL_1, BILL_2, BILL_3 = (f"00n02AAAAAAAAAAAAAA{n}" for n in (1, 2, 3))


def vendor(vendor_id: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"id": vendor_id, "name": name, "archived": False, "billCurrency": "USD", **fields}


def bill(bill_id: str, vendor_id: str, amount: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": bill_id,
        "vendorId": vendor_id,
        "amount": Decimal(amount),
        "archived": False,
        "recordStatus": "ACTIVE",
        "invoice": {"invoiceNumber": bill_id[-1]},
        **fields,
    }


def order(order_id: str, vendor_id: str, total: str, note: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "Id": order_id,
        "DocNumber": f"PO-{order_id}",
        "VendorRef": {"value": vendor_id},
        "TotalAmt": Decimal(total),
        "PrivateNote": note,
        **fields,
    }


def compare_books(
    bills: list[dict[str, Any]],
    orders: list[dict[str, Any]],
    *,
    vendors: list[dict[str, Any]] | None = None,
    quickbooks_vendors: list[dict[str, Any]] | None = None,
) -> Comparison:
    return compare(
        bill_vendors=[vendor("v1", "Acme: Parts")] if vendors is None else vendors,
        bills=bills,
        quickbooks_vendors=[{"Id": "7", "DisplayName": "Acme Parts", "Active": True}]
        if quickbooks_vendors is None
        else quickbooks_vendors,
        orders=orders,
    )


def test_books_that_agree_have_no_differences():
    found = compare_books(
        [bill(BILL_1, "v1", "10.10"), bill(BILL_2, "v1", "0.20")],
        [order("1", "7", "10.10", f"BILL {BILL_1}"), order("2", "7", "0.20", f"[{BILL_2}]")],
    )
    (row,) = found.vendors
    assert (row.name, row.currency, row.totals.bills, row.totals.orders) == ("Acme: Parts", "USD", 2, 2)
    assert row.totals.bill_total == row.totals.order_total == Decimal("10.30")
    assert found.currencies["USD"].difference == 0
    assert not found.bills_without_order
    assert not found.orders_without_bill
    assert not found.vendors_only_in_bill
    assert not found.vendors_only_in_quickbooks


def test_an_order_belongs_to_the_vendor_of_its_bill_whatever_its_name_is_now():
    found = compare_books(
        [bill(BILL_1, "v1", "5")],
        [order("1", "7", "5", BILL_1)],
        quickbooks_vendors=[{"Id": "7", "DisplayName": "Renamed", "Active": True}],
    )
    assert [row.totals.difference for row in found.vendors] == [0]
    assert not found.vendors_only_in_bill
    assert not found.vendors_only_in_quickbooks


def test_an_order_without_a_bill_counts_for_the_vendor_of_that_name():
    found = compare_books([bill(BILL_1, "v1", "5")], [order("1", "7", "8")])
    (row,) = found.vendors
    assert row.totals.difference == 3
    assert found.orders_without_bill == ["PO-1 (Acme Parts)"]
    assert len(found.bills_without_order) == 1


def test_an_unknown_id_in_a_note_is_no_bill():
    found = compare_books([], [order("1", "7", "8", BILL_3)])
    assert found.orders_without_bill == ["PO-1 (Acme Parts)"]


def test_a_bill_that_arrived_twice_is_named():
    found = compare_books(
        [bill(BILL_1, "v1", "5")], [order("1", "7", "5", BILL_1), order("2", "7", "5", BILL_1)]
    )
    assert found.bills_with_several_orders[0].endswith("2 purchase orders")
    assert found.currencies["USD"].difference == 5


def test_archived_and_draft_bills_and_their_orders_are_left_out_of_the_totals():
    found = compare_books(
        [
            bill(BILL_1, "v1", "5", archived=True, recordStatus="INACTIVE"),
            bill(BILL_2, "v1", "6", archived=True, recordStatus="DRAFT"),
            bill(BILL_3, "v1", "7"),
        ],
        [order("1", "7", "5", BILL_1), order("3", "7", "7", BILL_3)],
    )
    assert found.orders_of_inactive_bills == 1
    assert found.currencies["USD"].bill_total == found.currencies["USD"].order_total == 7
    assert not found.bills_without_order


def test_currencies_are_kept_apart():
    found = compare_books(
        [bill(BILL_1, "v1", "5"), bill(BILL_2, "v2", "9")],
        [
            order("1", "7", "5", BILL_1),
            order("2", "8", "9", BILL_2, CurrencyRef={"value": "EUR"}),
        ],
        vendors=[vendor("v1", "Acme"), vendor("v2", "Zwölf", billCurrency="EUR")],
    )
    assert {name: totals.order_total for name, totals in found.currencies.items()} == {
        "EUR": 9,
        "USD": 5,
    }
    assert all(row.totals.difference == 0 for row in found.vendors)


def test_vendors_on_one_side_only_are_named_if_they_are_active():
    found = compare_books(
        [],
        [],
        vendors=[vendor("v1", "Only Ours"), vendor("v2", "Gone", archived=True)],
        quickbooks_vendors=[
            {"Id": "1", "DisplayName": "Only Theirs", "Active": True},
            {"Id": "2", "DisplayName": "Gone (deleted)", "Active": False},
        ],
    )
    assert found.vendors_only_in_bill == ["Only Ours"]
    assert found.vendors_only_in_quickbooks == ["Only Theirs"]


def test_the_largest_differences_come_first():
    found = compare_books(
        [bill(BILL_1, "v1", "5"), bill(BILL_2, "v2", "100"), bill(BILL_3, "v3", "7")],
        [order("2", "8", "100", BILL_2), order("3", "9", "1", BILL_3)],
        vendors=[vendor(f"v{n}", f"Vendor {n}") for n in (1, 2, 3)],
    )
    assert [row.name for row in found.vendors] == ["Vendor 3", "Vendor 1", "Vendor 2"]
