"""Payments in BILL and the orders of their bills: paid, in part, failed, voided, alone, after a crash."""

from __future__ import annotations

import datetime as dt
import itertools
import json

import pytest
import sqlalchemy
from target_quickbooks import walk

CLOSED, OPEN = "Closed", "Open"
ORGANIZATION = "00802DEMOORGANIZTN01"
_numbers = itertools.count(1)


@pytest.fixture
def books(fresh_books):
    return fresh_books


@pytest.fixture
def control(books):
    return books.simulator.control


@pytest.fixture
def bill(books, rent):
    """Add a bill of 120.50."""

    def add(vendor=None, **fields):
        number = next(_numbers)
        owner = vendor or books.bill.vendor(f"Vendor {number}")
        return books.bill.bill(owner["id"], f"INV-{number}", [rent], **fields)

    return add


@pytest.fixture
def old_bill(bill, control):
    """Add a bill that BILL does not send again unless it changes: a later one holds the bookmark."""

    def add():
        first = bill()
        control.advance(300)
        bill()
        return first

    return add


@pytest.fixture
def pay(books, control):
    """Pay a bill, in whole or in part, and see the payment get to a status."""

    def make(bill, amount=120.50, status="CLEARED"):
        account = books.held("bank_accounts")[0]["id"]
        payment = books.bill.post(
            "/v3/payments",
            {
                "vendorId": bill["vendorId"],
                "billId": bill["id"],
                "amount": amount,
                "fundingAccount": {"type": "BANK_ACCOUNT", "id": account},
                "processingOptions": {"createBill": False},
            },
        )
        if status != "SCHEDULED":
            control.set_payment_status(payment["id"], status)
        return payment

    return make


def order(books, bill=None):
    found = [one for one in books.stored("PurchaseOrder") if bill is None or bill["id"] in one["PrivateNote"]]
    assert len(found) == 1, found
    return found[0]


def state(books, bill=None):
    """Whether the order is open, and what its note says of payments."""
    found = order(books, bill)
    lines = found["PrivateNote"].split("\n")
    assert lines[-1].startswith("[BILL ")
    assert lines[-1].endswith("]")
    return found["POStatus"], [line.partition(" on ")[0] for line in lines[:-1]]


def only(lines, *streams):
    """A tap's output without the records of other streams: as a job that selects these."""
    return [
        line
        for line in lines
        if (message := json.loads(line))["type"] != "RECORD" or message["stream"] in streams
    ]


@pytest.mark.parametrize("bumps", [True, False])
def test_a_paid_bill_closes_its_order_and_names_the_payment(books, control, old_bill, pay, bumps):
    control.set_switches({"bill.payment_bumps_bill": bumps})
    unpaid = old_bill()
    books.sync()
    payment = pay(unpaid)
    assert books.sync().exit_code == 0
    assert state(books, unpaid) == (CLOSED, ["Paid 120.50"])
    assert payment["confirmationNumber"] in order(books, unpaid)["PrivateNote"]


@pytest.mark.parametrize("bumps", [True, False])
def test_a_bill_paid_in_part_stays_open_until_the_rest_is_paid(books, control, old_bill, pay, bumps):
    control.set_switches({"bill.payment_bumps_bill": bumps})
    unpaid = old_bill()
    pay(unpaid, 100)
    books.sync()
    assert state(books, unpaid) == (OPEN, ["Paid 100.00"])
    pay(unpaid, 20.50)
    books.sync()
    assert state(books, unpaid)[0] == CLOSED
    assert sorted(state(books, unpaid)[1]) == ["Paid 100.00", "Paid 20.50"]


@pytest.mark.parametrize("bumps", [True, False])
@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("VOIDED", "Voided"),
        ("DISBURSEMENT_FAILED_ACTION_NEEDED", "Failed"),
        ("FUNDING_FAILED_VOIDED", "Voided"),
    ],
)
def test_a_payment_that_comes_to_nothing_opens_the_order_again(
    books, control, old_bill, pay, bumps, status, word
):
    control.set_switches({"bill.payment_bumps_bill": bumps})
    unpaid = old_bill()
    payment = pay(unpaid)
    books.sync()
    assert state(books, unpaid) == (CLOSED, ["Paid 120.50"])
    control.set_payment_status(payment["id"], status)
    books.sync()
    assert state(books, unpaid) == (OPEN, [f"{word} 120.50"])


def test_a_failed_payment_that_is_sent_again_closes_the_order_again(books, control, old_bill, pay):
    control.set_switches({"bill.payment_bumps_bill": False})
    unpaid = old_bill()
    payment = pay(unpaid)
    books.sync()
    for status in ("DISBURSEMENT_FAILED_ACTION_NEEDED", "SENT", "CLEARED"):
        control.set_payment_status(payment["id"], status)
        books.sync()
    assert state(books, unpaid) == (CLOSED, ["Paid 120.50"])


def test_a_status_that_moves_neither_updated_time_is_found_by_reading_again(books, control, old_bill, pay):
    """Neither the payment nor its bill tells that something changed."""
    unpaid = old_bill()
    payment = pay(unpaid)
    control.advance(300)
    pay(old_bill())
    books.sync()
    assert state(books, unpaid) == (CLOSED, ["Paid 120.50"])
    record = next(one for one in books.held("payments") if one["id"] == payment["id"])
    changed = record | {"singleStatus": "DISBURSEMENT_FAILED_ACTION_NEEDED", "status": "SCHEDULED"}
    books.simulator.on_loop(lambda world: world.bill.load(ORGANIZATION, "payments", [changed]))
    control.advance(300)
    books.sync()
    assert state(books, unpaid) == (OPEN, ["Failed 120.50"])


def test_a_cancelled_payment_is_noted_and_the_order_stays_open(books, bill, pay):
    payment = pay(bill(), status="SCHEDULED")
    books.sync()
    assert state(books) == (OPEN, [])
    books.bill.post(f"/v3/payments/{payment['id']}/cancel")
    books.sync()
    assert state(books) == (OPEN, ["Cancelled 120.50"])


def test_orders_of_paid_bills_stay_open_if_the_policy_says_so(books, bill, pay):
    pay(bill())
    books.sync(paid_bill="leave")
    assert state(books) == (OPEN, ["Paid 120.50"])


def test_a_run_of_payments_alone_reaches_the_orders_in_four_calls(books, control, bill, pay):
    control.set_switches({"bill.payment_bumps_bill": False})
    bills = [bill() for _ in range(3)]
    books.sync()
    for one in bills:
        pay(one)
    control.reset_stats()
    run = books.write(only(books.read(books.state), "payments", "recurring_bills", "vendor_credits"))
    assert run.streams["bill_payments"] == {"closed": 3}
    assert books.writes() == 1
    assert books.calls() <= 4
    assert {one["POStatus"] for one in books.stored("PurchaseOrder")} == {CLOSED}


def test_payments_that_come_before_their_bill_wait_for_it(books, bill, pay):
    pay(bill(), 100)
    lines = books.read()
    before = books.write(only(lines, "payments"))
    assert (before.exit_code, before.written()) == (0, 0)
    books.write([line for line in lines if json.loads(line).get("stream") != "payments"])
    assert state(books) == (OPEN, ["Paid 100.00"])


def test_unchanged_payments_cost_no_call(books, bill, pay):
    for _ in range(3):
        pay(bill())
    books.sync()
    books.simulator.control.reset_stats()
    again = books.sync(full=True)
    assert again.written() == 0
    assert books.calls() == 0


def test_a_payment_of_several_bills_reaches_each(books, bill):
    vendor = books.bill.vendor("One Vendor")
    one, other = bill(vendor), bill(vendor)
    books.sync()
    books.bill.post(
        "/v3/bills/record-payment",
        {
            "vendorId": vendor["id"],
            "payments": [{"billId": one["id"], "amount": 120.50}, {"billId": other["id"], "amount": 20}],
            "processDate": "2026-11-30",
        },
    )
    books.sync()
    assert state(books, one) == (CLOSED, ["Paid 120.50"])
    assert state(books, other) == (OPEN, ["Paid 20.00"])


def test_what_a_person_wrote_into_the_memo_stays(books, bill, pay):
    payment = pay(bill(), 100)
    books.sync()
    held = order(books)
    text = f"Ask Dana first\n{held['PrivateNote']}"
    books.simulator.control.write_by_hand("PurchaseOrder", record_id=held["Id"], values={"PrivateNote": text})
    books.simulator.control.set_payment_status(payment["id"], "VOIDED")
    books.sync()
    assert state(books) == (OPEN, ["Ask Dana first", "Voided 100.00"])


def test_an_order_that_a_person_closed_stays_closed_over_a_part_payment(books, bill, pay):
    unpaid = bill()
    books.sync()
    held = order(books)
    books.simulator.control.write_by_hand("PurchaseOrder", record_id=held["Id"], values={"POStatus": CLOSED})
    pay(unpaid, 100)
    books.sync()
    assert state(books) == (CLOSED, ["Paid 100.00"])


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_crash_between_learning_and_writing_is_made_up_for(books, control, bill, pay, kind):
    """The payment is on record when the run dies, and BILL does not send it again."""
    unpaid = bill()
    books.sync()
    pay(unpaid)
    lines = books.read(books.state)
    control.add_fault(kind, path="*/batch")
    assert books.write(lines, max_retry_seconds=1).exit_code != 0
    control.clear_faults()
    control.advance(60)
    books.write(only(lines))
    assert state(books) == (CLOSED, ["Paid 120.50"])


# --- vendor credits and recurring bills ---------------------------------------------------------------------


def test_a_vendor_credit_reduces_what_is_due(books, bill, pay, rent):
    unpaid = bill()
    books.bill.post(
        "/v3/vendor-credits",
        {
            "vendorId": unpaid["vendorId"],
            "referenceNumber": "CR-1",
            "creditDate": "2026-11-05",
            "vendorCreditLineItems": [rent | {"amount": 20.50}],
        },
    )
    credit = books.held("vendor_credits")[-1]
    books.bill.patch(f"/v3/bills/{unpaid['id']}", {"vendorCredits": [{"id": credit["id"], "amount": 20.50}]})
    books.sync()
    assert state(books) == (OPEN, ["Credited 20.50"])
    pay(unpaid, 100)
    books.sync()
    assert state(books)[0] == CLOSED
    assert sorted(state(books)[1]) == ["Credited 20.50", "Paid 100.00"]


@pytest.fixture
def schedule(books, control, rent):
    """Add a recurring bill that is due in a while, and let that while pass."""

    def add():
        vendor = books.bill.vendor("Landlord")
        today = control.clock().date()
        plan = {
            "period": "MONTHLY",
            "frequency": 1,
            "nextDueDate": (today + dt.timedelta(days=12)).isoformat(),
            "daysInAdvance": 10,
        }
        return books.bill.post(
            "/v3/recurringbills",
            {"vendorId": vendor["id"], "schedule": plan, "recurringBillLineItems": [rent]},
        )

    return add


def notes(run):
    return [text for found in run.report["notes"] for text in found["notes"]]


def test_a_bill_of_a_recurring_bill_is_recognised_and_a_missing_one_reported(books, control, schedule):
    made = schedule()
    due = made["schedule"]["nextDueDate"]
    books.sync()
    control.advance(3 * 24 * 3600)
    lines = books.read(books.state)
    without_bill = [line for line in lines if json.loads(line).get("stream") != "bills"]
    told = notes(books.write(without_bill))
    assert [text for text in told if due in text] == []  # nothing is known of bills at all
    other = books.bill.vendor("Other")
    books.bill.bill(other["id"], "INV-X", [{"amount": 1}])
    run = books.write(
        [line for line in books.read(books.state) if due not in line or '"stream":"bills"' not in line]
    )
    assert f"its bill due {due} (120.50) has not appeared in BILL" in notes(run)
    assert not [text for text in notes(books.sync()) if "has not appeared" in text]
    assert order_number(books) == due


def order_number(books):
    return next(one["DocNumber"] for one in books.stored("PurchaseOrder") if one["DocNumber"] != "INV-X")


# --- held, replayed, planned --------------------------------------------------------------------------------


def test_a_change_that_is_held_is_a_failure_and_goes_through_once_it_may(books, control, bill, pay):
    control.set_switches({"quickbooks.closed_books_purchase_orders": True, "bill.payment_bumps_bill": False})
    unpaid = bill()
    books.sync()
    control.change_profile(book_close_date="2026-11-30")
    pay(unpaid)
    run = books.write(only(books.read(books.state), "payments"))
    (failure,) = run.report["failures"]
    assert (failure["stream"], failure["id"]) == ("bill_payments", unpaid["id"])
    assert "closed in QuickBooks" in failure["reason"]
    control.change_profile(book_close_date=None)
    assert books.sync().exit_code == 0
    assert state(books) == (CLOSED, ["Paid 120.50"])


def test_a_failure_for_an_order_that_is_forgotten_is_settled(books, control, bill, pay):
    control.set_switches({"quickbooks.closed_books_purchase_orders": True})
    unpaid = bill()
    books.sync()
    control.change_profile(book_close_date="2026-11-30")
    pay(unpaid)
    assert books.write(only(books.read(books.state), "payments")).exit_code == 1
    empty(books, "links")
    assert books.write(only(books.read(books.state))).exit_code == 0
    assert order(books)["POStatus"] == OPEN


def test_a_bill_that_is_held_is_one_failure_with_its_payments(books, control, bill, pay):
    control.set_switches({"quickbooks.closed_books_purchase_orders": True})
    unpaid = bill()
    books.sync()
    control.change_profile(book_close_date="2026-11-30")
    pay(unpaid)
    (failure,) = books.sync().report["failures"]
    assert (failure["stream"], failure["id"]) == ("bills", unpaid["id"])
    control.change_profile(book_close_date=None)
    assert books.sync().exit_code == 0
    assert state(books) == (CLOSED, ["Paid 120.50"])


def test_a_plan_shows_what_payments_change_and_keeps_nothing(books, control, bill, pay):
    control.set_switches({"bill.payment_bumps_bill": False})
    unpaid = bill()
    books.sync()
    pay(unpaid)
    lines = only(books.read(books.state), "payments")
    plans = [books.write(lines, mode="plan").streams["bill_payments"] for _ in range(2)]
    assert plans == [{"closed": 1}, {"closed": 1}]
    assert state(books) == (OPEN, [])


def test_a_store_that_is_lost_and_found_orders_cost_no_write(books, bill, pay):
    """Orders are found by their notes; lines of payments that are not read yet stay."""
    pay(bill(), 100)
    pay(bill())
    books.sync()
    for table in ("links", "payments", "payment_parts", "payment_statuses", "bill_balances"):
        empty(books, table)
    books.simulator.control.reset_stats()
    assert books.sync(full=True).exit_code == 0
    assert books.writes() == 0


def empty(books, table):
    engine = sqlalchemy.create_engine(books.settings("TARGET_QUICKBOOKS_")["store_url"])
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"DELETE FROM {table}"))  # noqa: S608 - a fixed name
    engine.dispose()


def test_paid_history_is_not_written_twice_for_its_notes(demo, monkeypatch):
    """Here the payments come in a later window than their bills."""
    monkeypatch.setattr(walk, "WINDOW", 900)
    run = demo.sync()
    paid = sum(order["POStatus"] == "Closed" for order in demo.stored("PurchaseOrder"))
    assert paid > 400
    assert run.streams["bill_payments"]["updated"] < 40
    assert demo.sync(full=True).written() == 0


def test_bills_in_one_window_with_their_payments_are_written_once_with_their_notes(demo):
    run = demo.sync()
    assert "bill_payments" not in run.streams
    paid = [one["PrivateNote"] for one in demo.stored("PurchaseOrder") if one["POStatus"] == "Closed"]
    assert sum("Paid " in note for note in paid) > 400
