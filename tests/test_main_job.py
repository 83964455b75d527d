"""The main job on the demo company: all of BILL in QuickBooks, exactly once, to the cent."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

from ap_simulator.company.demo import EXPECTED_REFUSALS
from target_quickbooks.mapping.purchase_order import read_marker


def active(records):
    return {record["id"]: record for record in records if not record.get("archived")}


def orders_by_bill(books):
    return {read_marker(order["PrivateNote"])[1]: order for order in books.stored("PurchaseOrder")}


def refused_ids():
    return {refusal.bill_id for refusal in EXPECTED_REFUSALS}


def test_every_active_bill_is_in_quickbooks_once_or_refused_with_a_reason(synced):
    run = synced.run
    marked = Counter(read_marker(order["PrivateNote"])[1] for order in synced.books.stored("PurchaseOrder"))
    bills = active(synced.books.held("bills"))
    assert set(marked.values()) == {1}
    assert set(marked) == set(bills) - refused_ids()
    assert set(run.reasons) == refused_ids()
    assert all("in QuickBooks" in reason for reason in run.reasons.values())
    assert run.exit_code == 1


def test_every_active_vendor_is_in_quickbooks_once(synced):
    run = synced.run
    vendors = synced.books.stored("Vendor")
    adopted = run.streams["vendors"].get("updated", 0) + run.streams["vendors"].get("linked", 0)
    assert run.streams["vendors"]["created"] + adopted == len(active(synced.books.held("vendors")))
    assert len(vendors) == synced.vendors_before + run.streams["vendors"]["created"]
    names = Counter(vendor["DisplayName"].casefold() for vendor in vendors)
    assert max(names.values()) == 1


def test_totals_agree_to_the_cent_for_every_vendor(synced):
    orders = orders_by_bill(synced.books)
    in_bill, in_quickbooks = defaultdict(Decimal), defaultdict(Decimal)
    for bill_id, bill in active(synced.books.held("bills")).items():
        if bill_id in refused_ids():
            continue
        in_bill[bill["vendorId"]] += bill["amount"]
        in_quickbooks[bill["vendorId"]] += orders[bill_id]["TotalAmt"]
    assert in_bill == in_quickbooks
    assert len(in_bill) > 100


def test_every_line_keeps_its_amount_account_or_item_and_class(synced):
    """Checked against both charts by number and name, not by the target's own mapping."""
    accounts = {account["Id"]: account for account in synced.books.stored("Account")}
    classes = {entry["Id"]: entry["FullyQualifiedName"] for entry in synced.books.stored("Class")}
    bill_accounts = {account["id"]: account for account in synced.books.held("chart_of_accounts")}
    bill_classes = {entry["id"]: entry["name"] for entry in synced.books.held("accounting_classes")}
    orders = orders_by_bill(synced.books)
    compared = Counter()
    for bill_id, bill in active(synced.books.held("bills")).items():
        if bill_id in refused_ids():
            continue
        lines = orders[bill_id]["Line"]
        assert [line["Amount"] for line in lines] == [line["amount"] for line in bill["billLineItems"]]
        for source, line in zip(bill["billLineItems"], lines, strict=True):
            coding = bill.get("classifications", {}) | source.get("classifications", {})
            detail = line[line["DetailType"]]
            if "AccountRef" in detail:
                wanted = bill_accounts[coding["chartOfAccountId"]]
                got = accounts[detail["AccountRef"]["value"]]
                same_number = got.get("AcctNum") == wanted["account"].get("number")
                same_name = got["FullyQualifiedName"].endswith(wanted["name"])
                assert same_number or same_name, (wanted, got)
                compared["account"] += 1
            else:
                compared["item"] += 1
            if "accountingClassId" in coding:
                wanted_class = bill_classes[coding["accountingClassId"]]
                assert classes[detail["ClassRef"]["value"]].endswith(wanted_class.rpartition(":")[2])
                compared["class"] += 1
            if "jobId" in coding or "customerId" in coding:
                assert detail["CustomerRef"]["value"]
                compared["customer"] += 1
    assert min(compared[kind] for kind in ("account", "item", "class", "customer")) > 20


def test_foreign_bills_carry_currency_and_rate(synced):
    vendors = {vendor["id"]: vendor for vendor in synced.books.held("vendors")}
    orders = orders_by_bill(synced.books)
    foreign = 0
    for bill_id, bill in active(synced.books.held("bills")).items():
        currency = vendors[bill["vendorId"]].get("billCurrency", "USD")
        if currency == "USD" or bill_id in refused_ids():
            continue
        order = orders[bill_id]
        assert order["CurrencyRef"]["value"] == currency
        assert abs(order["TotalAmt"] * order["ExchangeRate"] - bill["fundingAmount"]) <= Decimal("0.01")
        foreign += 1
    assert foreign > 20


def test_a_second_run_writes_nothing(demo):
    demo.sync()
    demo.simulator.control.reset_stats()
    again = demo.sync()
    assert demo.writes() == 0
    assert again.written() == 0


def test_reading_everything_again_writes_nothing(demo):
    demo.sync()
    demo.simulator.control.reset_stats()
    again = demo.sync(full=True)
    assert demo.writes() == 0
    assert again.streams["vendors"]["skipped"] == len(demo.held("vendors"))


def test_what_changed_in_bill_is_all_that_is_written(demo):
    demo.sync()
    vendor = next(v for v in demo.held("vendors") if not v["archived"] and v.get("phone"))
    bills = [bill for bill in active(demo.held("bills")).values() if bill["id"] not in refused_ids()]
    unpaid = [bill for bill in bills if bill["paymentStatus"] == "UNPAID"][:2]
    demo.bill.patch(f"/v3/vendors/{vendor['id']}", {"phone": "5125550199"})
    for bill in unpaid:
        demo.bill.patch(f"/v3/bills/{bill['id']}", {"description": "Corrected"})
    run = demo.sync()
    assert run.streams["vendors"]["updated"] == 1
    assert run.streams["bills"]["updated"] == 2
    notes = [orders_by_bill(demo)[bill["id"]]["PrivateNote"] for bill in unpaid]
    assert all(note.startswith("Corrected\n") and note.endswith("]") for note in notes)


def test_the_plan_says_what_the_run_then_does(demo):
    plan = demo.write(demo.read(), mode="plan")
    assert demo.writes() == 0
    assert plan.states == []
    run = demo.sync()
    for stream in ("vendors", "bills"):
        for column in ("created", "updated", "failed"):
            assert plan.streams[stream].get(column, 0) == run.streams[stream].get(column, 0), (stream, column)
    operations = Counter(change["operation"] for change in plan.report["plan"])
    assert operations["create"] == sum(row.get("created", 0) for row in run.streams.values())
