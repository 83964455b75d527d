"""What is learned of payments is kept, for each company apart; a plan keeps nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import event
from target_quickbooks.ledger import LastingLedger, PassingLedger
from target_quickbooks.links import Company
from target_quickbooks.mapping.payments import Standing
from target_quickbooks.recurring import Turn
from target_quickbooks.store import failure_table, payment_table, recurring_table
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.store.payment_table import Selection

PAYMENT = {
    "id": "stp1",
    "vendorId": "0091",
    "vendorName": "Happy 100% Music",
    "amount": Decimal("90.10"),
    "billPayments": [
        {"billId": "00n1", "amount": Decimal("80.10"), "vendorCredits": [{"id": "vcr1", "amount": 10}]},
        {"billId": "00n2", "amount": 10},
    ],
    "processDate": "2026-12-31",
    "disbursementType": "ACH",
    "confirmationNumber": "P1",
    "status": "PAID",
    "singleStatus": "CLEARED",
    "updatedTime": "2026-12-31T10:00:00.000+00:00",
}
CREDIT = {
    "id": "vcr1",
    "vendorId": "0091",
    "referenceNumber": "CR-1",
    "creditDate": "2026-12-28",
    "amount": Decimal("64.99"),
    "usage": [{"billId": "00n1", "paymentId": "stp1", "amount": 10}],
}
BILL = {
    "id": "00n1",
    "vendorId": "0091",
    "dueDate": "2026-12-31",
    "amount": Decimal("90.10"),
    "invoice": {"invoiceNumber": "2026-12-31"},
    "paymentStatus": "UNPAID",
}
SCHEDULE = {
    "id": "btp1",
    "vendorId": "0091",
    "schedule": {"period": "MONTHLY", "frequency": 1, "nextDueDate": "2026-12-31"},
    "recurringBillLineItems": [{"amount": Decimal("90.10")}],
    "updatedTime": "2026-12-01T00:00:00.000+00:00",
}
ALL = {"payments": [PAYMENT], "vendor_credits": [CREDIT], "bills": [BILL], "recurring_bills": [SCHEDULE]}


@pytest.fixture
def lasting(store, moment):
    return LastingLedger(store, lambda: moment)


@pytest.fixture
def passing(store, moment):
    return PassingLedger(store, lambda: moment)


@pytest.fixture(params=["lasting", "passing"])
def ledger(request, lasting, passing):
    return {"lasting": lasting, "passing": passing}[request.param]


def test_what_was_learned_is_known(ledger, pair):
    assert ledger.learn(pair, ALL) == []
    account = ledger.accounts(pair, ["00n1"])["00n1"]
    assert account.paid == Decimal("90.10")
    assert account.balance.payment_status == "UNPAID"
    assert [payment.id for payment in account.payments] == ["stp1"]
    assert [credit.reference for credit in account.credits] == ["CR-1"]


def test_learning_the_same_again_changes_nothing(ledger, pair):
    ledger.learn(pair, ALL)
    before = ledger.accounts(pair, ["00n1", "00n2"])
    ledger.settle(pair, ledger.unsettled(pair))
    ledger.learn(pair, ALL)
    assert ledger.unsettled(pair) == []
    assert ledger.accounts(pair, ["00n1", "00n2"]) == before


def test_nothing_new_writes_nothing(lasting, store, pair):
    lasting.learn(pair, ALL)
    written = []
    event.listen(
        store._engine, "before_cursor_execute", lambda _c, _u, statement, *_: written.append(statement)
    )
    lasting.learn(pair, ALL)
    assert not [statement for statement in written if statement.startswith(("INSERT", "DELETE", "BEGIN I"))]


def test_what_changed_leaves_its_bills_to_be_settled(ledger, pair):
    ledger.learn(pair, {"payments": [PAYMENT]})
    assert ledger.unsettled(pair) == ["00n1", "00n2"]
    ledger.settle(pair, ["00n1"])
    assert ledger.unsettled(pair) == ["00n2"]
    ledger.learn(pair, {"payments": [PAYMENT | {"singleStatus": "VOIDED"}]})
    assert ledger.unsettled(pair) == ["00n1", "00n2"]
    assert ledger.accounts(pair, ["00n1"])["00n1"].payments[0].standing is Standing.ENDED


def test_a_plan_builds_on_the_store_and_leaves_it_alone(lasting, passing, pair):
    lasting.learn(pair, ALL)
    lasting.settle(pair, ["00n1", "00n2"])
    passing.learn(pair, {"payments": [PAYMENT | {"singleStatus": "VOIDED"}]})
    assert passing.accounts(pair, ["00n2"])["00n2"].payments[0].standing is Standing.ENDED
    assert lasting.accounts(pair, ["00n2"])["00n2"].payments[0].standing is Standing.PAID
    assert passing.unsettled(pair) == ["00n1", "00n2"]
    assert lasting.unsettled(pair) == []


@pytest.mark.parametrize(
    "other", [Company("9341452000000001", "00802OTHER"), Company("9341452000000002", "00802TESTORGANIZATN1")]
)
def test_companies_are_kept_apart(lasting, pair, other):
    lasting.learn(pair, ALL)
    assert lasting.unsettled(other) == []
    empty = lasting.accounts(other, ["00n1"])["00n1"]
    assert (empty.balance, empty.payments, empty.credits) == (None, (), ())


def test_what_cannot_be_read_is_told_and_the_rest_is_learned(ledger, pair):
    odd = PAYMENT | {"id": "stp2", "processDate": "soon"}
    (found,) = ledger.learn(pair, {"payments": [odd, PAYMENT]})
    assert (found.stream, found.record["id"]) == ("payments", "stp2")
    assert "processDate 'soon' is not a date" in found.refusal.reason
    assert ledger.accounts(pair, ["00n2"])["00n2"].payments[0].id == "stp1"


def test_a_record_that_can_be_read_again_settles_its_failure(lasting, store, pair, moment):
    failure = Failure(
        "payments", "stp1", "payment stp1", "record-invalid", "reason", "advice", record=PAYMENT
    )
    with store.writing() as connection:
        failure_table.save(connection, store.cipher, pair, failure, run_id="r", now=moment)
    lasting.learn(pair, {"payments": [PAYMENT]})
    with store.reading() as connection:
        assert failure_table.unsettled(connection, store.cipher, pair) == []


def test_recurring_bills_and_theirs_are_kept(lasting, store, pair):
    lasting.learn(pair, ALL)
    lasting.recognise(pair)
    moved = SCHEDULE["schedule"] | {"nextDueDate": "2027-02-28"}
    later = SCHEDULE | {"schedule": moved, "updatedTime": "2027-02-01T00:00:00.000+00:00"}
    lasting.learn(pair, {"recurring_bills": [later]})
    with store.reading() as connection:
        turns = recurring_table.turns(connection, pair)
        assert recurring_table.companies(connection) == [pair]
    assert turns == [Turn("btp1", "2027-01-31"), Turn("btp1", "2026-12-31", "00n1")]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(), True),
        (Selection(bill_id="00n2"), True),
        (Selection(bill_id="00n3"), False),
        (Selection(vendor="100%"), True),
        (Selection(vendor="0091"), True),
        (Selection(vendor="somebody"), False),
        (Selection(status="cleared"), True),
        (Selection(standing=Standing.FAILED), False),
        (Selection(unfinished=True), True),
        (Selection(organization_id="00802OTHER"), False),
    ],
)
def test_payments_are_chosen_by_what_people_ask_for(lasting, store, pair, selection, found):
    lasting.learn(pair, {"payments": [PAYMENT]})
    with store.reading() as connection:
        assert bool(payment_table.select_payments(connection, selection)) is found
