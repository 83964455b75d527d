"""`report` and `change` over a whole company."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from ap_simulator.cli import main
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import RunningSimulator, running
from click.testing import CliRunner, Result
from rich.cells import cell_len


@pytest.fixture
def demo() -> Iterator[RunningSimulator]:
    with running("demo") as simulator:
        yield simulator


def run(simulator: RunningSimulator, *arguments: str) -> Result:
    port = simulator.url.rpartition(":")[2]
    return CliRunner().invoke(main, [*arguments, "--port", port], catch_exceptions=False)


def load_orders(simulator: RunningSimulator, count: int) -> list[dict[str, Any]]:
    """Purchase orders of the first active bills in dollars, as if they had been synced."""
    control = simulator.control
    vendors = {v["id"]: v for v in control.records("bill", "vendors") if v["billCurrency"] == "USD"}
    bills = [
        bill
        for bill in control.records("bill", "bills")
        if bill["vendorId"] in vendors and not bill["archived"]
    ][:count]
    names = dict.fromkeys(bill["vendorId"] for bill in bills)
    ids = {vendor_id: str(7000 + n) for n, vendor_id in enumerate(names)}
    quickbooks_vendors = [
        {"Id": ids[vendor_id], "DisplayName": f"Vendor {ids[vendor_id]}"} for vendor_id in names
    ]
    orders = [
        {
            "Id": str(8000 + n),
            "DocNumber": f"PO-{n}",
            "VendorRef": {"value": ids[bill["vendorId"]]},
            "APAccountRef": {"value": "33"},
            "TxnDate": "2026-10-01",
            "PrivateNote": f"BILL {bill['id']}",
            "TotalAmt": bill["amount"],
            "Line": [],
        }
        for n, bill in enumerate(bills)
    ]

    def load(world):
        world.quickbooks.load(DEMO.realm_id, "Vendor", quickbooks_vendors)
        world.quickbooks.load(DEMO.realm_id, "PurchaseOrder", orders)

    simulator.on_loop(load)
    return bills


def test_the_report_fits_into_100_columns(demo):
    load_orders(demo, 40)
    result = run(demo, "report", "--all")
    assert result.exit_code == 0
    assert max(cell_len(line) for line in result.output.splitlines()) <= 100


def test_the_report_shows_the_first_vendors_and_how_many_more_there_are(demo):
    short, whole = run(demo, "report").output, run(demo, "report", "--all").output
    assert "more vendors (--all shows them)" in short
    assert "--all shows them" not in whole
    assert len(whole.splitlines()) > len(short.splitlines()) + 80


def test_the_report_s_totals_are_exact(demo):
    bills = load_orders(demo, 40)
    report = json.loads(run(demo, "report", "--json").output, parse_float=Decimal)
    total = sum((bill["amount"] for bill in bills), Decimal(0))
    dollars = report["currencies"]["USD"]
    assert (dollars["orders"], dollars["order_total"]) == (40, total)
    assert dollars["difference"] == total - dollars["bill_total"]
    assert report["quickbooks"]["PurchaseOrder"] == 40
    assert not report["orders_without_bill"]
    assert not report["bills_with_several_orders"]


def test_a_realm_that_does_not_exist_is_one_line(demo):
    result = run(demo, "report", "--realm", "1")
    assert result.exit_code == 1
    assert result.output == f"Error: There is no company 1; there are {DEMO.realm_id}\n"


def test_change_changes_records_through_the_public_api(demo):
    before = {bill["id"]: bill for bill in demo.control.records("bill", "bills")}
    demo.control.reset_stats()
    result = run(demo, "change", "--records", "3")
    assert result.exit_code == 0
    stats = demo.control.stats()["bill"]
    assert stats["written"] == {"bills": {"update": 2}, "vendors": {"update": 1}}
    changed = [bill for bill in demo.control.records("bill", "bills") if bill != before[bill["id"]]]
    amounts = [bill["amount"] - before[bill["id"]]["amount"] for bill in changed]
    assert sorted(amounts) == [0, 1]
    assert all(bill["id"] in result.output for bill in changed)


def test_change_picks_the_same_records_again_and_changes_them_further(demo):
    def touched() -> list[dict[str, Any]]:
        demo.control.freeze()
        now = demo.control.advance(60)
        run(demo, "change")
        stamp = now.isoformat(timespec="milliseconds")
        found = demo.control.records("bill", "bills")
        return [bill for bill in found if bill["updatedTime"] == stamp]

    first, second = touched(), touched()
    assert [bill["id"] for bill in first] == [bill["id"] for bill in second]
    assert len(first) == 2
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_more_changes_than_there_are_plain_records_are_refused():
    with running("empty") as simulator:
        result = run(simulator, "change")
    assert result.exit_code == 1
    assert "too few plain, active records" in result.output


def test_change_says_what_bill_refused(demo):
    demo.control.add_fault("server_error", system="bill", method="PATCH")
    result = run(demo, "change")
    assert result.exit_code == 1
    assert result.output.startswith("Error: BILL refused PATCH vendors/")
