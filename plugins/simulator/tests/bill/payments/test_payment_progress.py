"""What becomes of payments: statuses, cancels, voids."""

from __future__ import annotations

import pytest
from ap_simulator.bill.errors import Refusal
from ap_simulator.bill.records.payment_statuses import SINGLE_STATUSES

FIRST_DATE = "2026-06-17"


def test_a_payment_goes_its_way_and_the_bill_with_it(payables):
    bill_id = payables.bill()
    payment = payables.pay(bill_id, 100)
    seen = []
    for status in ("FUNDING_STARTED", "PROCESSED", "SENT", "DELIVERED", "CLEARED"):
        record = payables.move(payment, status)
        seen.append((record["status"], payables.state(bill_id)[0]))

    assert seen == [
        ("SCHEDULED", "IN_PROCESS"),
        ("PAID", "IN_PROCESS"),
        ("PAID", "IN_PROCESS"),
        ("PAID", "IN_PROCESS"),
        ("PAID", "PAID"),
    ]
    assert payables.state(bill_id) == ("PAID", 100, 0, 0, 0)


def test_a_cleared_payment_can_fail_after_all(payables):
    bill_id = payables.bill()
    payment = payables.pay(bill_id, 100)
    payables.move(payment, "CLEARED")

    record = payables.move(payment, "DISBURSEMENT_FAILED_ACTION_NEEDED")

    assert record["disbursementStatus"] == "FAILED"
    assert payables.state(bill_id) == ("IN_PROCESS", 0, 100, 0, 0)


@pytest.mark.parametrize("status", sorted(SINGLE_STATUSES))
def test_every_status_leaves_the_bill_consistent(payables, status):
    bill_id = payables.bill()
    payment = payables.pay(bill_id, 60)

    payables.move(payment, status)

    _, paid, scheduled, _, due = payables.state(bill_id)
    assert paid + scheduled + due == 100


def test_a_part_payment(payables):
    bill_id = payables.bill()
    payment = payables.pay(bill_id, 40)
    assert payables.state(bill_id) == ("SCHEDULED", 0, 40, 0, 60)

    payables.move(payment, "CLEARED")

    assert payables.state(bill_id) == ("PARTIALLY_PAID", 40, 0, 0, 60)


def test_the_status_of_a_partly_scheduled_bill_is_a_switch(bill, payables):
    bill.switches.partly_scheduled_status = "PARTIALLY_SCHEDULED"
    bill_id = payables.bill()
    payables.pay(bill_id, 40)

    assert payables.state(bill_id)[0] == "PARTIALLY_SCHEDULED"


@pytest.mark.parametrize("bumps", [True, False])
def test_whether_a_payment_moves_the_bills_updated_time_is_a_switch(bill, payables, bumps):
    bill.switches.payment_bumps_bill = bumps
    bill_id = payables.bill()
    before = bill.get(f"bills/{bill_id}")["updatedTime"]
    bill.advance(seconds=1)
    payables.pay(bill_id, 100)

    assert (bill.get(f"bills/{bill_id}")["updatedTime"] > before) is bumps


def test_a_scheduled_payment_can_be_cancelled(bill, payables):
    bill_id = payables.bill()
    payment = payables.pay(bill_id, 100)

    cancelled = bill.ok("POST", f"payments/{payment['id']}/cancel")

    assert (cancelled["status"], cancelled["singleStatus"]) == ("CANCELLED", "CANCELED")
    assert cancelled["cancelRequestSubmitted"] is True
    assert payables.state(bill_id) == ("UNPAID", 0, 0, 0, 100)
    assert bill.call("POST", f"payments/{payment['id']}/cancel").status_code == 400


def test_a_payment_on_its_way_cannot_be_cancelled(bill, payables):
    payment = payables.pay(payables.bill(), 100)
    payables.move(payment, "FUNDING_STARTED")

    assert bill.call("POST", f"payments/{payment['id']}/cancel").status_code == 400


def test_a_void_is_pending_until_bill_has_processed_it(bill, payables):
    bill_id = payables.bill()
    payment = payables.pay(bill_id, 100)
    void = {"reason": "wrong vendor", "type": "VOID_ONLY"}
    assert bill.call("POST", f"payments/{payment['id']}/void", void).status_code == 400
    payables.move(payment, "CLEARED")

    pending = bill.ok("POST", f"payments/{payment['id']}/void", void)

    assert pending["singleStatus"] == "VOID_PENDING"
    assert pending["voidInfo"][0]["status"] == "TO_BE_PROCESSED"
    assert pending["voidInfo"][0]["reason"] == "wrong vendor"
    voided = payables.move(payment, "VOIDED")
    assert (voided["status"], voided["voidInfo"][0]["status"]) == ("VOID", "ACCEPTED")
    assert payables.state(bill_id) == ("UNPAID", 0, 0, 0, 100)


def test_an_offline_payment_is_void_at_once(bill, payables):
    bill_id = payables.bill()
    body = {
        "vendorId": payables.vendor["id"],
        "processDate": "2026-06-01",
        "payments": [{"billId": bill_id, "amount": 70}],
    }
    payment = bill.ok("POST", "bills/record-payment", body)

    voided = bill.ok("POST", f"payments/{payment['id']}/void", {"reason": "lost", "type": "VOID_ONLY"})

    assert voided["singleStatus"] == "VOIDED"
    assert payables.state(bill_id) == ("UNPAID", 0, 0, 0, 100)


def test_a_void_needs_a_reason(bill, payables):
    payment = payables.pay(payables.bill(), 100)

    assert len(bill.call("POST", f"payments/{payment['id']}/void", {}).json()) == 2


def test_a_payment_that_has_ended_does_not_come_back(payables):
    payment = payables.pay(payables.bill(), 100)
    payables.move(payment, "CANCELED")

    with pytest.raises(Refusal, match="ended"):
        payables.move(payment, "CLEARED")


@pytest.mark.parametrize("status", ["", "PAID", "NONSENSE"])
def test_only_known_statuses_can_be_set(payables, status):
    payment = payables.pay(payables.bill(), 100)

    with pytest.raises(Refusal, match="singleStatus"):
        payables.move(payment, status)


def test_once_disbursed_a_payment_shows_when_it_arrives(payables):
    record = payables.move(payables.pay(payables.bill(), 100), "SENT")

    assert record["disbursementStatus"] == "DONE"
    info = record["disbursementInfo"]
    assert info["isVoidable"] is True
    assert info["checkDisbursement"]["sentDate"] == FIRST_DATE
    assert info["checkDisbursement"]["arrivesByDate"] == "2026-06-24"
    assert isinstance(info["checkDisbursement"]["checkNumber"], int)
