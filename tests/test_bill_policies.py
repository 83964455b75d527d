"""What becomes of a bill's order: states in BILL, moves, edits, bills and deletions in QuickBooks."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_quickbooks.mapping.purchase_order import read_marker

CLOSED, OPEN = "Closed", "Open"


@pytest.fixture
def books(fresh_books):
    """A company without vendors and bills; the server is shared, the company is new."""
    return fresh_books


@pytest.fixture
def control(books):
    """What people do inside both systems."""
    return books.simulator.control


@pytest.fixture
def line(books):
    """Lines on an ordinary account."""
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )

    def build(amount=120.50, **fields):
        return {"amount": amount, "classifications": {"chartOfAccountId": account}, **fields}

    return build


@pytest.fixture
def bill(books, line):
    """A bill of one line, not yet synced."""
    vendor = books.bill.vendor("Acme")
    return books.bill.bill(vendor["id"], "INV-1", [line(description="Rent")])


def only(records):
    assert len(records) == 1, records
    return records[0]


def order(books):
    return only(books.stored("PurchaseOrder"))


def notes(run):
    return " | ".join(text for found in run.report["notes"] for text in found["notes"])


def settle(books, **settings):
    """Everything that there is has been written: another run writes nothing."""
    again = books.sync(full=True, **settings)
    assert (again.exit_code, again.written()) == (0, 0), again.reasons


# --- states in BILL -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["DRAFT", "DRAFT_DELETED", "INACTIVE"])
def test_a_bill_that_is_no_longer_active_closes_its_order(books, control, bill, status):
    books.sync()
    control.set_bill_status(bill["id"], record_status=status)
    assert books.sync().streams["bills"]["closed"] == 1
    assert order(books)["POStatus"] == CLOSED
    settle(books)


def test_a_draft_is_written_once_it_is_a_bill(books, control, bill):
    control.set_bill_status(bill["id"], record_status="DRAFT")
    assert books.sync().streams["bills"] == {"skipped": 1}
    assert books.stored("PurchaseOrder") == []
    control.set_bill_status(bill["id"], record_status="ACTIVE")
    assert books.sync().streams["bills"] == {"created": 1}


def test_an_archived_bill_leaves_its_order_when_the_policy_says_so(books, bill):
    books.sync(archived_bill="leave")
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    assert books.sync(archived_bill="leave").written() == 0
    assert order(books)["POStatus"] == OPEN


def test_a_denied_bill_is_not_created_until_it_is_approved(books, control, bill):
    control.set_bill_status(bill["id"], approval_status="DENIED")
    run = books.sync(denied_bill="close")
    assert (run.exit_code, run.streams["bills"]) == (0, {"skipped": 1})
    assert "not written: the bill was denied by an approver in BILL" in notes(run)
    control.set_bill_status(bill["id"], approval_status="APPROVED")
    assert books.sync(denied_bill="close").streams["bills"] == {"created": 1}


def test_a_denied_bill_closes_its_order_and_an_approved_one_opens_it(books, control, bill):
    books.sync(denied_bill="close")
    control.set_bill_status(bill["id"], approval_status="DENIED")
    run = books.sync(archived_bill="leave", denied_bill="close")
    assert (order(books)["POStatus"], run.streams["bills"]) == (CLOSED, {"closed": 1})
    assert "denied" in notes(run)
    control.set_bill_status(bill["id"], approval_status="APPROVED")
    books.sync(archived_bill="leave", denied_bill="close")
    assert order(books)["POStatus"] == OPEN


def test_a_denied_bill_is_written_unless_the_policy_says_otherwise(books, control, bill):
    control.set_bill_status(bill["id"], approval_status="DENIED")
    books.sync()
    assert order(books)["POStatus"] == OPEN


def test_an_unapproved_bill_is_written_unless_the_policy_says_otherwise(books, control, bill):
    control.set_bill_status(bill["id"], approval_status="ASSIGNED")
    run = books.sync(unapproved_bill="wait")
    assert (run.exit_code, run.streams["bills"]) == (0, {"skipped": 1})
    assert "not written until it is approved in BILL" in notes(run)
    assert books.sync(full=True).streams["bills"] == {"created": 1}


def test_changes_wait_while_a_bill_has_to_be_approved_again(books, control, bill, line):
    control.set_bill_status(bill["id"], approval_status="APPROVED")
    books.sync(unapproved_bill="wait")
    books.bill.replace(bill, billLineItems=[line(99)])
    control.set_bill_status(bill["id"], approval_status="ASSIGNED")
    run = books.sync(unapproved_bill="wait")
    assert (run.written(), order(books)["TotalAmt"]) == (0, Decimal("120.50"))
    assert "changes are not written until it is approved in BILL" in notes(run)
    control.set_bill_status(bill["id"], approval_status="APPROVED")
    books.sync(unapproved_bill="wait")
    assert order(books)["TotalAmt"] == 99


def test_a_bill_that_is_paid_and_whose_payment_is_voided_closes_and_opens(books, control, bill):
    books.sync()
    payment = books.bill.post(
        "/v3/bills/record-payment",
        {
            "vendorId": bill["vendorId"],
            "processDate": "2026-11-10",
            "payments": [{"billId": bill["id"], "amount": 120.50}],
        },
    )
    books.sync()
    assert order(books)["POStatus"] == CLOSED
    control.set_payment_status(payment["id"], "VOIDED")
    books.sync()
    assert order(books)["POStatus"] == OPEN


# --- moves and lines ----------------------------------------------------------------------------------------


def test_a_bill_that_moves_to_another_vendor_takes_its_order_along(books, control, bill):
    books.sync()
    other = books.bill.vendor("Bolt")
    books.sync()
    control.write_by_hand(
        "PurchaseOrder",
        record_id=order(books)["Id"],
        values={"VendorAddr": {"Line1": "1 Acme Road"}, "Memo": "Rear dock"},
    )
    books.bill.patch(f"/v3/bills/{bill['id']}", {"vendorId": other["id"]})
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    vendors = {vendor["DisplayName"]: vendor["Id"] for vendor in books.stored("Vendor")}
    moved = order(books)
    assert moved["VendorRef"]["value"] == vendors["Bolt"]
    assert moved["Memo"] == "Rear dock"
    assert "Acme" not in str(moved.get("VendorAddr"))
    settle(books)


@pytest.fixture
def euro(books):
    """A vendor that is paid in euro."""
    return books.bill.vendor("Lyon", billCurrency="EUR")


def move_to_euro(books, bill, euro):
    books.bill.patch(f"/v3/bills/{bill['id']}", {"vendorId": euro["id"], "exchangeRate": 1.08})


def test_a_bill_that_changes_its_currency_gets_a_new_order(books, bill, euro):
    books.sync()
    old = order(books)
    move_to_euro(books, bill, euro)
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    assert run.streams["bills"] == {"closed": 1, "created": 1}
    orders = {found["Id"]: found for found in books.stored("PurchaseOrder")}
    closed = orders.pop(old["Id"])
    new = only(list(orders.values()))
    assert (closed["POStatus"], read_marker(closed["PrivateNote"])) == (CLOSED, None)
    assert bill["id"] in closed["PrivateNote"]
    assert (new["POStatus"], new["CurrencyRef"]["value"]) == (OPEN, "EUR")
    assert read_marker(new["PrivateNote"])[1] == bill["id"]
    assert new["DocNumber"] != closed["DocNumber"]
    settle(books)


def test_a_plan_shows_both_orders_of_a_bill_that_changes_its_currency(books, bill, euro):
    books.sync()
    move_to_euro(books, bill, euro)
    run = books.sync(mode="plan")
    assert [found["operation"] for found in run.report["plan"]] == ["close", "create"]
    assert order(books)["POStatus"] == OPEN


def test_a_bill_can_change_its_currency_and_change_it_back(books, bill, euro):
    books.sync()
    move_to_euro(books, bill, euro)
    books.sync()
    books.bill.patch(f"/v3/bills/{bill['id']}", {"vendorId": bill["vendorId"]})
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    orders = books.stored("PurchaseOrder")
    marked = [found for found in orders if read_marker(found["PrivateNote"])]
    assert (len(orders), only(marked)["CurrencyRef"]["value"]) == (3, "USD")
    assert len({found["DocNumber"] for found in orders}) == 3
    settle(books)


@pytest.mark.parametrize("end", ["reset_before", "reset_after"])
@pytest.mark.parametrize("answered", [0, 1, 2])
def test_a_run_that_ends_on_the_way_to_the_new_order_is_finished_by_the_next(
    books, control, bill, euro, end, answered
):
    """Wherever it ends: before the old order is closed, after that, or when the new one is there."""
    books.sync()
    move_to_euro(books, bill, euro)
    control.add_fault(end, path="*/batch", after=answered)
    books.sync(max_retry_seconds=0)
    assert control.faults()[0]["fired"]
    control.clear_faults()
    again = books.sync()
    assert again.exit_code == 0, (again.error, again.reasons)
    orders = books.stored("PurchaseOrder")
    assert sorted(found["POStatus"] for found in orders) == [CLOSED, OPEN]
    assert only([found for found in orders if read_marker(found["PrivateNote"])])["POStatus"] == OPEN
    settle(books)


def test_a_vendor_that_changes_its_currency_in_bill_refuses_its_new_bills(books, bill, line):
    books.sync()
    books.bill.patch(f"/v3/vendors/{bill['vendorId']}", {"billCurrency": "EUR"})
    second = books.bill.bill(bill["vendorId"], "INV-2", [line(5)], exchangeRate=1.08)
    run = books.sync()
    assert "its vendor 'Acme' is kept in USD in QuickBooks" in run.reasons[second["id"]]
    assert order(books)["CurrencyRef"]["value"] == "USD"


def test_lines_are_changed_removed_added_and_sorted_in_place(books, line):
    vendor = books.bill.vendor("Acme")
    lines = [line(amount, description=str(amount)) for amount in (1, 2, 3)]
    bill = books.bill.bill(vendor["id"], "INV-1", lines)
    books.sync()
    before = {found["Description"]: found["Id"] for found in order(books)["Line"]}
    first, _, third = bill["billLineItems"]
    changed = [{**third}, {**first, "amount": 10}, line(4, description="4")]
    books.bill.replace(bill, billLineItems=changed)
    books.sync()
    stored = [(found["Description"], found["Amount"], found["Id"]) for found in order(books)["Line"]]
    assert stored[:2] == [("3", 3, before["3"]), ("1", 10, before["1"])]
    assert stored[2][:2] == ("4", 4)
    settle(books)


# --- edited in QuickBooks -----------------------------------------------------------------------------------


@pytest.fixture
def two_lines(books, line):
    """A written bill of two lines."""
    vendor = books.bill.vendor("Acme")
    lines = [line(100, description="Rent"), line(20, description="Heating")]
    bill = books.bill.bill(vendor["id"], "INV-1", lines)
    books.sync()
    return bill


def by_hand(books, *, of=None, **fields):
    """A person edits the order, or its line of the given place."""
    stored = order(books)
    if of is not None:
        lines = [{**found, **fields} if place == of else found for place, found in enumerate(stored["Line"])]
        fields = {"Line": lines}
    books.simulator.control.write_by_hand("PurchaseOrder", record_id=stored["Id"], values=plain(fields))


def plain(value):
    """Without what only QuickBooks writes, and amounts as the control API takes them."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items() if key != "Received"}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return float(value) if isinstance(value, Decimal) else value


def in_bill(books, bill, place, **fields):
    """A person edits a line in BILL."""
    lines = [
        {**found, **fields} if number == place else found
        for number, found in enumerate(bill["billLineItems"])
    ]
    books.bill.replace(bill, billLineItems=lines)


@pytest.mark.parametrize("policy", ["bill_wins", "quickbooks_wins", "hold"])
def test_one_line_edited_here_and_another_there_are_both_kept(books, two_lines, policy):
    by_hand(books, of=0, Description="Rent for December")
    in_bill(books, two_lines, 1, amount=25)
    run = books.sync(edit_conflict=policy)
    assert run.exit_code == 0, run.reasons
    assert [(found["Description"], found["Amount"]) for found in order(books)["Line"]] == [
        ("Rent for December", 100),
        ("Heating", 25),
    ]
    settle(books, edit_conflict=policy)


@pytest.mark.parametrize(
    ("policy", "amount", "exit_code"), [("bill_wins", 110, 0), ("quickbooks_wins", 105, 0), ("hold", 105, 1)]
)
def test_the_same_line_edited_on_both_sides_follows_the_policy(books, two_lines, policy, amount, exit_code):
    by_hand(books, of=0, Amount=105)
    in_bill(books, two_lines, 0, amount=110)
    run = books.sync(edit_conflict=policy)
    assert run.exit_code == exit_code
    assert [found["Amount"] for found in order(books)["Line"]] == [amount, 20]
    if policy == "hold":
        assert "both in: line 1 (amount)" in run.reasons[two_lines["id"]]
    else:
        assert "line 1 (amount)" in notes(run)


def test_what_was_held_goes_on_once_both_sides_agree(books, two_lines):
    by_hand(books, of=0, Amount=105)
    in_bill(books, two_lines, 0, amount=110)
    books.sync(edit_conflict="hold")
    by_hand(books, of=0, Amount=110)
    run = books.sync(edit_conflict="hold")
    assert run.exit_code == 0, run.reasons
    settle(books, edit_conflict="hold")


def test_a_line_that_a_person_added_stays(books, two_lines):
    extra = {key: value for key, value in order(books)["Line"][1].items() if key != "Id"}
    lines = [*order(books)["Line"], {**extra, "Description": "Freight", "Amount": 7}]
    by_hand(books, Line=lines)
    in_bill(books, two_lines, 0, amount=110)
    run = books.sync()
    assert [found["Amount"] for found in order(books)["Line"]] == [110, 20, 7]
    assert "1 line added in QuickBooks and kept" in notes(run)
    in_bill(books, two_lines, 1, amount=30)
    books.sync()
    assert [found["Amount"] for found in order(books)["Line"]] == [100, 30, 7]


def test_a_vendor_that_a_person_changed_stays_when_something_else_changes(books, bill):
    other = books.bill.vendor("Bolt")
    del other
    books.sync()
    bolt = only([vendor for vendor in books.stored("Vendor") if vendor["DisplayName"] == "Bolt"])
    by_hand(books, VendorRef={"value": bolt["Id"]})
    books.bill.patch(f"/v3/bills/{bill['id']}", {"dueDate": "2026-12-24"})
    books.sync(edit_conflict="hold")
    stored = order(books)
    assert (stored["VendorRef"]["value"], stored["DueDate"]) == (bolt["Id"], "2026-12-24")


def test_an_order_that_a_person_closed_stays_closed_when_the_bill_changes(books, two_lines):
    by_hand(books, POStatus=CLOSED)
    in_bill(books, two_lines, 0, amount=110)
    run = books.sync()
    assert (order(books)["POStatus"], order(books)["TotalAmt"]) == (CLOSED, 130)
    assert "was closed in QuickBooks, and stays closed" in notes(run)


def test_closing_what_a_person_closed_already_takes_no_write(books, bill):
    books.sync()
    by_hand(books, POStatus=CLOSED)
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    assert books.sync().streams["bills"] == {"linked": 1}
    books.bill.post(f"/v3/bills/{bill['id']}/restore")
    books.sync()
    assert order(books)["POStatus"] == OPEN


# --- billed in QuickBooks -----------------------------------------------------------------------------------


def test_an_order_with_a_bill_is_left_and_told(books, control, two_lines):
    control.bill_order(order(books)["Id"], shares={"1": "50"})
    in_bill(books, two_lines, 1, amount=25)
    run = books.sync()
    assert (run.exit_code, run.written(), order(books)["TotalAmt"]) == (0, 0, 120)
    assert "already has a bill in QuickBooks and is left as it is (lines would change)" in notes(run)
    settle(books)


def test_an_order_with_a_bill_is_updated_when_the_policy_says_so(books, control, two_lines):
    control.bill_order(order(books)["Id"], shares={"1": "50"})
    in_bill(books, two_lines, 1, amount=25)
    run = books.sync(billed_order="update")
    assert (run.exit_code, order(books)["TotalAmt"]) == (0, 125), run.reasons
    assert order(books)["Line"][0]["Received"] == 50
    assert order(books)["LinkedTxn"]


@pytest.mark.parametrize(("policy", "status"), [("leave", OPEN), ("update", CLOSED)])
def test_an_archived_bill_of_an_order_with_a_bill_follows_the_policy(
    books, control, two_lines, policy, status
):
    control.bill_order(order(books)["Id"], shares={"1": "50"})
    books.bill.post(f"/v3/bills/{two_lines['id']}/archive")
    assert books.sync(billed_order=policy).exit_code == 0
    assert order(books)["POStatus"] == status


def test_an_order_that_was_billed_in_full_is_closed_already(books, control, two_lines):
    control.bill_order(order(books)["Id"])
    books.bill.post(f"/v3/bills/{two_lines['id']}/archive")
    run = books.sync()
    assert (run.streams["bills"], run.report["notes"]) == ({"linked": 1}, [])


# --- deleted in QuickBooks ----------------------------------------------------------------------------------


def test_an_order_that_was_deleted_is_held_when_its_bill_changes(books, control, two_lines):
    control.delete_by_hand("PurchaseOrder", order(books)["Id"])
    in_bill(books, two_lines, 0, amount=110)
    run = books.sync()
    assert "its purchase order INV-1 was deleted in QuickBooks" in run.reasons[two_lines["id"]]
    assert books.stored("PurchaseOrder") == []
    run = books.sync(missing_in_quickbooks="recreate")
    assert run.exit_code == 0, run.reasons
    assert (order(books)["TotalAmt"], order(books)["DocNumber"]) == (130, "INV-1")


def test_an_order_that_was_deleted_is_written_anew_when_the_policy_says_so(books, control, two_lines):
    control.delete_by_hand("PurchaseOrder", order(books)["Id"])
    in_bill(books, two_lines, 0, amount=110)
    assert books.sync(missing_in_quickbooks="recreate").streams["bills"] == {"created": 1}
    in_bill(books, two_lines, 0, amount=111)
    books.sync(missing_in_quickbooks="recreate")
    assert order(books)["TotalAmt"] == 131


@pytest.mark.parametrize("policy", ["hold", "recreate"])
def test_a_deleted_order_of_an_archived_bill_is_nobodys_business(books, control, bill, policy):
    books.sync()
    control.delete_by_hand("PurchaseOrder", order(books)["Id"])
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    assert books.sync(missing_in_quickbooks=policy).exit_code == 0
    assert books.stored("PurchaseOrder") == []


@pytest.mark.parametrize(("policy", "exit_code"), [("hold", 1), ("recreate", 0)])
def test_a_deleted_order_whose_bill_changes_its_currency(books, control, bill, euro, policy, exit_code):
    books.sync()
    control.delete_by_hand("PurchaseOrder", order(books)["Id"])
    move_to_euro(books, bill, euro)
    assert books.sync(missing_in_quickbooks=policy).exit_code == exit_code
    assert [found["CurrencyRef"]["value"] for found in books.stored("PurchaseOrder")] == (
        [] if exit_code else ["EUR"]
    )
