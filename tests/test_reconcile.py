"""Reconciling: in step after a run, and every disturbance found, named, and nothing else."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest
from ap_simulator.company.demo import EXPECTED_REFUSALS
from ap_simulator.testing import running
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.quickbooks import query
from target_quickbooks.reconcile import survey

REALM = "9341452000000001"
DIFFERENT, MISSING, DUPLICATE = "different", "missing in QuickBooks", "duplicate"


def reconcile(books, **changes):
    return books.write(books.read(), mode="reconcile", **changes)


def findings(run):
    """Those that nobody was told of, by record."""
    return {
        (found["bill_id"] or "", found["quickbooks_id"] or "", found["kind"]): found
        for found in run.report["findings"]
        if not found["known"]
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory, books_of):
    """The demo company after a run, and the reconciliation that followed."""
    with running("demo") as simulator:
        books = books_of(simulator, tmp_path_factory.mktemp("reconciled"))
        books.sync()
        simulator.control.reset_stats()
        run = reconcile(books)
        yield SimpleNamespace(books=books, run=run, calls=books.calls(), writes=books.writes())


def test_after_a_run_both_books_agree_to_the_cent(demo):
    report = demo.run.report
    assert (demo.run.exit_code, report["in_step"], report["differences"]) == (0, True, 0)
    for total in report["totals"]["by_currency"]:
        refused = [found for found in report["findings"] if found["currency"] == total["currency"]]
        known = sum((Decimal(str(found["bill_amount"])) for found in refused), Decimal(0))
        assert Decimal(str(total["difference"])) == -known


def test_what_was_refused_is_told_with_its_reason_and_makes_no_difference(demo):
    told = {found["bill_id"]: found for found in demo.run.report["findings"]}
    assert set(told) == {refusal.bill_id for refusal in EXPECTED_REFUSALS}
    assert all(found["known"] and found["cause"] and found["advice"] for found in told.values())


def test_it_writes_nothing_keeps_no_state_and_asks_little(demo):
    assert (demo.writes, demo.run.states) == (0, [])
    assert demo.calls <= 2 + 5, "a page of vendors, a page of orders"


def test_many_pages_take_that_many_calls_and_a_few_more(demo, monkeypatch):
    for module in (query, survey):
        monkeypatch.setattr(module, "PAGE", 50)
    demo.books.simulator.control.reset_stats()
    assert reconcile(demo.books).exit_code == 0
    held = [len(demo.books.stored(entity)) for entity in ("Vendor", "PurchaseOrder")]
    pages = sum(count // 50 + 1 for count in held)
    assert pages > 10
    assert demo.books.calls() <= pages + 5


class Disturber:
    """Disturbs one record after the other, and knows what reconciling has to say of it."""

    def __init__(self, books):
        self.books = books
        self.control = books.simulator.control
        self.expected = {}
        self._orders = iter(self._untouched())
        self.vendors = {vendor["Id"]: vendor for vendor in books.stored("Vendor")}

    def _untouched(self):
        """Open orders of several lines in the home currency, each of a vendor of its own."""
        seen = set()
        for order in self.books.stored("PurchaseOrder"):
            vendor = order["VendorRef"]["value"]
            foreign = order.get("CurrencyRef", {}).get("value", "USD") != "USD"
            by_account = all("AccountBasedExpenseLineDetail" in line for line in order["Line"])
            if vendor in seen or foreign or order["POStatus"] != "Open" or len(order["Line"]) < 2:
                continue
            if by_account:
                seen.add(vendor)
                yield order

    def order(self):
        order = next(self._orders)
        return order, read_marker(order["PrivateNote"])[1]

    def by_hand(self, order, **values):
        return self.control.write_by_hand("PurchaseOrder", record_id=order["Id"], values=values)

    def expect(self, kind, field, *, bill="", quickbooks=""):
        self.expected[bill, quickbooks, kind] = field

    def edit(self, field, **values):
        order, bill_id = self.order()
        self.by_hand(order, **values)
        self.expect(DIFFERENT, field, bill=bill_id, quickbooks=order["Id"])

    def edit_line(self, field, change):
        order, bill_id = self.order()
        lines = [dict(line) for line in order["Line"]]
        self.by_hand(order, Line=change(lines))
        self.expect(DIFFERENT, field, bill=bill_id, quickbooks=order["Id"])


def another_account(books, order):
    used = {line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"] for line in order}
    return next(
        account["Id"]
        for account in books.stored("Account")
        if account["AccountType"] == "Expense" and account["Active"] and account["Id"] not in used
    )


def with_detail(line, **values):
    detail = line["AccountBasedExpenseLineDetail"] | values
    return {**line, "AccountBasedExpenseLineDetail": detail}


def disturb_orders_in_quickbooks(it):
    it.edit("due date", DueDate="2031-01-31")
    it.edit("number", DocNumber="CHANGED-1")
    it.edit("state", POStatus="Closed")
    it.edit_line("amount", lambda lines: [{**lines[0], "Amount": Decimal("0.07")}, *lines[1:]])
    it.edit_line("line 2", lambda lines: lines[:1] + lines[2:])
    it.edit_line("line", lambda lines: [*lines, {k: v for k, v in lines[0].items() if k != "Id"}])
    it.edit_line(
        "line 1: account",
        lambda lines: [
            with_detail(lines[0], AccountRef={"value": another_account(it.books, lines)}),
            *lines[1:],
        ],
    )
    it.edit_line("line 1: description", lambda lines: [{**lines[0], "Description": "changed"}, *lines[1:]])
    order, bill_id = it.order()
    it.by_hand(order, TxnDate="2019-05-05")
    it.expect("wrong month", "date", bill=bill_id, quickbooks=order["Id"])
    order, bill_id = it.order()
    it.by_hand(order, TxnDate=f"{order['TxnDate'][:8]}{'02' if order['TxnDate'][8:] == '01' else '01'}")
    it.expect(DIFFERENT, "date", bill=bill_id, quickbooks=order["Id"])
    order, bill_id = it.order()
    other = next(v for v in it.vendors.values() if v["Active"] and v["Id"] != order["VendorRef"]["value"])
    it.by_hand(order, VendorRef={"value": other["Id"]})
    it.expect("wrong vendor", "vendor", bill=bill_id, quickbooks=order["Id"])
    order, bill_id = it.order()
    it.control.delete_by_hand("PurchaseOrder", order["Id"])
    it.expect(MISSING, None, bill=bill_id, quickbooks=order["Id"])
    order, bill_id = it.order()
    it.by_hand(order, PrivateNote=f"checked by Kim\n{order['PrivateNote']}")
    it.expect(DIFFERENT, "note", bill=bill_id, quickbooks=order["Id"])


def disturb_with_copies(it):
    order, bill_id = it.order()
    kept = ("VendorRef", "APAccountRef", "CurrencyRef", "TxnDate", "DueDate", "PrivateNote")
    values = {name: order[name] for name in kept}
    lines = [{k: v for k, v in line.items() if k not in {"Id", "LineNum"}} for line in order["Line"]]
    copy = it.control.write_by_hand("PurchaseOrder", "create", values=values | {"Line": lines})
    it.expect(DUPLICATE, None, bill=bill_id, quickbooks=copy["Id"])
    order, bill_id = it.order()
    values = {name: order[name] for name in kept if name != "PrivateNote"}
    lines = [{k: v for k, v in line.items() if k not in {"Id", "LineNum"}} for line in order["Line"]]
    typed = it.control.write_by_hand("PurchaseOrder", "create", values=values | {"Line": lines})
    it.expect(DUPLICATE, None, bill=bill_id, quickbooks=typed["Id"])


def disturb_vendors_in_quickbooks(it, linked):
    names = iter(
        (bill_id, it.vendors[held])
        for bill_id, held in linked.items()
        if it.vendors[held]["Active"] and it.vendors[held].get("PrimaryEmailAddr")
    )
    bill_id, vendor = next(names)
    it.control.write_by_hand("Vendor", record_id=vendor["Id"], values={"DisplayName": "Quite Another Name"})
    it.expect(DIFFERENT, "name", bill=bill_id, quickbooks=vendor["Id"])
    bill_id, vendor = next(names)
    mail = {"Address": "changed@books.example"}
    it.control.write_by_hand("Vendor", record_id=vendor["Id"], values={"PrimaryEmailAddr": mail})
    it.expect(DIFFERENT, "email", bill=bill_id, quickbooks=vendor["Id"])
    bill_id, vendor = next(names)
    it.control.set_active("Vendor", vendor["Id"], active=False)
    it.expect(DIFFERENT, "state", bill=bill_id, quickbooks=vendor["Id"])
    bill_id, vendor = next(names)
    twin = it.control.write_by_hand(
        "Vendor", "create", values={"DisplayName": f"{vendor['DisplayName'].rstrip('.')}, Inc."}
    )
    it.expect(DUPLICATE, None, bill=bill_id, quickbooks=twin["Id"])


def merge_one(it, linked):
    """A vendor becomes another, which nobody linked: both it and its orders show."""
    orders = [
        order for order in it.books.stored("PurchaseOrder") if read_marker(order.get("PrivateNote", ""))
    ]
    touched = {held for _, held, _ in it.expected}
    free = {
        held: bill_id
        for bill_id, held in linked.items()
        if held not in touched
        and it.vendors[held].get("CurrencyRef", {}).get("value") == "USD"
        and all(o["POStatus"] == "Closed" for o in orders if o["VendorRef"]["value"] == held)
    }
    merged = next(iter(free))
    survivor = it.control.write_by_hand("Vendor", "create", values={"DisplayName": "Somebody Else Entirely"})
    it.control.merge_vendors(survivor["Id"], merged)
    it.expect(MISSING, None, bill=free[merged], quickbooks=merged)
    for order in orders:
        if order["VendorRef"]["value"] == merged:
            bill_id = read_marker(order["PrivateNote"])[1]
            it.expect("wrong vendor", "vendor", bill=bill_id, quickbooks=order["Id"])


def disturb_bill(it):
    bill = it.books.bill
    vendor = bill.vendor("A Vendor Of Today")
    it.expect(MISSING, None, bill=vendor["id"])
    order, bill_id = it.order()
    record = it.books.simulator.control.records("bill", "bills", record_id=bill_id)[0]
    account = record["billLineItems"][0]["classifications"]["chartOfAccountId"]
    line = {"amount": 41.5, "classifications": {"chartOfAccountId": account}}
    new = bill.bill(record["vendorId"], "TODAY-1", [line])
    it.expect(MISSING, None, bill=new["id"])
    bill.patch(f"/v3/bills/{bill_id}", {"dueDate": "2030-12-24"})
    it.expect(DIFFERENT, "due date", bill=bill_id, quickbooks=order["Id"])
    order, bill_id = it.order()
    bill.post(f"/v3/bills/{bill_id}/archive")
    it.expect(DIFFERENT, "state", bill=bill_id, quickbooks=order["Id"])
    order, bill_id = it.order()
    record = it.books.simulator.control.records("bill", "bills", record_id=bill_id)[0]
    lines = [{"amount": 12.0, "classifications": {"chartOfAccountId": account}}]
    bill.replace(record, billLineItems=lines)
    it.expect(DIFFERENT, "amount", bill=bill_id, quickbooks=order["Id"])


def linked_vendors(books):
    """BILL id to QuickBooks id, by what the orders say."""
    bills = {bill["id"]: bill["vendorId"] for bill in books.held("bills")}
    return {
        bills[read_marker(order["PrivateNote"])[1]]: order["VendorRef"]["value"]
        for order in books.stored("PurchaseOrder")
    }


def test_every_disturbance_is_found_and_named_and_nothing_else(tmp_path, books_of):
    with running("demo") as simulator:
        books = books_of(simulator, tmp_path)
        books.sync()
        it = Disturber(books)
        linked = linked_vendors(books)
        disturb_orders_in_quickbooks(it)
        disturb_with_copies(it)
        disturb_vendors_in_quickbooks(it, linked)
        merge_one(it, linked)
        disturb_bill(it)
        run = reconcile(books)
    found = findings(run)
    assert len(it.expected) > 25
    assert set(found) == set(it.expected)
    for key, field in it.expected.items():
        fields = [one["field"] for one in found[key]["fields"]]
        assert field is None or any(name.startswith(field) for name in fields), (key, field, fields)
        assert found[key]["cause"]
    assert run.exit_code == 2
    assert run.report["differences"] == len(it.expected)


def test_the_page_and_the_table_say_the_same_and_run_nothing(demo, tmp_path):
    reports = tmp_path / "reports"
    reports.mkdir()
    reconcile(demo.books, report_path=str(reports))
    page = (reports / "reconciliation.html").read_text()
    rows = list(csv.reader(io.StringIO((reports / "reconciliation.csv").read_text())))
    assert len(rows) == 1 + len(demo.run.report["findings"])
    assert "Both books agree to the cent" in page
    assert "<script" not in page
    assert "src=" not in page
    assert all(row[8] == "" for row in rows[1:]), "nothing of what was refused is in QuickBooks"


def test_a_formula_for_a_name_is_a_text_in_the_table_and_on_the_page(books, tmp_path):
    books.bill.vendor("=HYPERLINK(1) <b>x</b>")
    reports = tmp_path / "reports"
    reports.mkdir()
    run = reconcile(books, report_path=str(reports))
    rows = list(csv.reader(io.StringIO((reports / "reconciliation.csv").read_text())))
    assert (run.exit_code, rows[1][4]) == (2, "'=HYPERLINK(1) <b>x</b>")
    assert "<b>x</b>" not in (reports / "reconciliation.html").read_text()


# --- small disturbances, each with what else has happened ---------------------------------------------------


@pytest.fixture
def books(fresh_books):
    return fresh_books


@pytest.fixture
def control(books):
    return books.simulator.control


@pytest.fixture
def add(books, rent):
    """Add a bill of 120.50 of a vendor of its own."""

    def made(number="INV-1", **fields):
        return books.bill.bill(books.bill.vendor(f"Vendor of {number}")["id"], number, [rent], **fields)

    return made


def only_order(books):
    (order,) = books.stored("PurchaseOrder")
    return order


def only_finding(run):
    (found,) = findings(run).values()
    return found


@pytest.mark.parametrize("bumps", [True, False])
def test_an_edit_is_found_and_named_whatever_was_paid_since(books, control, add, bumps):
    """What is paid may change a bill, and the balance of its vendor, without moving their ``updatedTime``."""
    control.set_switches({"bill.payment_bumps_bill": bumps})
    bill = add()
    books.sync()
    part = {"billId": bill["id"], "amount": 20}
    books.bill.post(
        "/v3/bills/record-payment",
        {"vendorId": bill["vendorId"], "payments": [part], "processDate": "2026-11-20"},
    )
    order = only_order(books)
    books.write(books.read(books.state))
    line = {**order["Line"][0], "Description": "by hand"}
    control.write_by_hand("PurchaseOrder", record_id=order["Id"], values={"Line": [line]})
    (vendor,) = [one for one in books.stored("Vendor") if one["DisplayName"] == "Vendor of INV-1"]
    control.write_by_hand("Vendor", record_id=vendor["Id"], values={"DisplayName": "Called otherwise"})
    found = findings(reconcile(books)).values()
    assert {one["fields"][0]["field"] for one in found} == {"line 1: description", "name"}
    assert {one["cause"] for one in found} == {"Somebody edited it in QuickBooks after the last write."}


def test_an_edit_that_a_later_write_has_kept_is_told_as_an_edit(books, control, add):
    bill = add()
    books.sync()
    order = only_order(books)
    control.write_by_hand("PurchaseOrder", record_id=order["Id"], values={"DueDate": "2031-01-31"})
    books.bill.patch(f"/v3/bills/{bill['id']}", {"description": "Changed"})
    books.sync()
    found = only_finding(reconcile(books))
    assert (found["fields"][0]["field"], "written since has kept" in found["cause"]) == ("due date", True)


def test_an_order_that_got_its_bills_own_number_by_hand_is_in_step(books, control, add, rent):
    """It was written under another one, because the number was taken then."""
    taken = add()
    books.sync()
    first = only_order(books)
    second = books.bill.bill(taken["vendorId"], "INV-1", [rent])
    books.sync()
    control.write_by_hand("PurchaseOrder", record_id=first["Id"], values={"DocNumber": "OTHER"})
    (order,) = [one for one in books.stored("PurchaseOrder") if one["Id"] != first["Id"]]
    assert order["DocNumber"] == f"INV-1~{second['id'][-6:]}"
    control.write_by_hand("PurchaseOrder", record_id=order["Id"], values={"DocNumber": "INV-1"})
    found = only_finding(reconcile(books))
    assert (found["bill_id"], found["fields"][0]["quickbooks"]) == (taken["id"], "OTHER")


def test_an_archived_vendor_whose_name_has_a_suffix_is_in_step(books):
    """QuickBooks writes "(deleted)" behind the suffix that the vendor got because its name was taken."""
    for name in ("Acme", "ACME"):
        vendor = books.bill.vendor(name)
        books.sync(vendor_conflict="suffix")
    books.bill.post(f"/v3/vendors/{vendor['id']}/archive")
    books.sync()
    (stored,) = [one for one in books.stored("Vendor") if one["Active"] is False]
    assert stored["DisplayName"] == "ACME (Vendor) (deleted)"
    assert findings(reconcile(books)) == {}


def test_what_was_moved_out_of_books_that_were_closed_again_since_is_in_step(books, control, add):
    control.set_switches({"quickbooks.closed_books_purchase_orders": True})
    control.change_profile(book_close_date="2026-11-10")
    add()
    books.sync(closed_period="redate")
    assert only_order(books)["TxnDate"] == "2026-11-11"
    control.change_profile(book_close_date="2026-12-10")
    run = reconcile(books, closed_period="redate")
    assert (run.exit_code, findings(run)) == (0, {})


def test_what_quickbooks_billed_is_closed_by_that_and_no_difference(books, control, add):
    add()
    books.sync()
    control.bill_order(only_order(books)["Id"])
    assert only_order(books)["POStatus"] == "Closed"
    assert findings(reconcile(books)) == {}


def test_what_changed_after_it_was_billed_is_told_with_the_setting_that_leaves_it(books, control, add, rent):
    bill = add()
    books.sync()
    control.bill_order(only_order(books)["Id"])
    books.bill.replace(bill, billLineItems=[rent | {"amount": 200}])
    books.sync()
    found = only_finding(reconcile(books))
    assert found["fields"] == [{"field": "amount", "bill": "200.00", "quickbooks": "120.50"}]
    assert "has a bill in QuickBooks" in found["cause"]
    assert "billed_order" in found["advice"]


def pay(books, bill):
    """Record a payment of the whole bill; what the tap then sends of it."""
    part = {"billId": bill["id"], "amount": 120.5}
    books.bill.post(
        "/v3/bills/record-payment",
        {"vendorId": bill["vendorId"], "payments": [part], "processDate": "2026-11-20"},
    )
    return [line for line in books.read() if json.loads(line).get("stream") == "payments"]


def test_a_payment_that_bills_record_does_not_show_yet_makes_no_difference(books, add):
    """BILL does not say that a bill moves with its payments; the order follows what is known later."""
    bill = add()
    books.sync()
    before = books.read()
    books.write(pay(books, bill))
    assert only_order(books)["POStatus"] == "Closed"
    assert books.write(before, mode="reconcile").exit_code == 0
    assert reconcile(books).exit_code == 0


def test_what_was_paid_since_the_last_write_is_named_so(books, add):
    bill = add()
    books.sync()
    pay(books, bill)
    found = only_finding(reconcile(books))
    assert found["fields"] == [{"field": "state", "bill": "closed (paid)", "quickbooks": "open"}]
    assert (found["cause"], found["advice"]) == (
        "What is paid of it changed in BILL since it was last written.",
        "Run a sync.",
    )
    books.sync()
    assert reconcile(books).exit_code == 0
