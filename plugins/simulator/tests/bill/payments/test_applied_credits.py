"""Vendor credits that settle bills, and bills that are paid already."""

from __future__ import annotations


def test_a_bill_can_be_settled_by_a_credit_alone(bill, payables):
    credit = payables.credit(30)
    bill_id = payables.bill(vendorCredits=[{"id": credit, "amount": 30}])

    assert payables.state(bill_id) == ("PARTIALLY_PAID", 30, 0, 30, 70)
    assert payables.credit_state(credit) == ("FULLY_APPLIED", 30, [{"billId": bill_id, "amount": 30}])
    assert bill.get(f"vendors/{payables.vendor['id']}")["balance"]["amount"] == 70


def test_changing_a_bills_credits_gives_the_old_ones_back(bill, payables):
    first, second = payables.credit(30), payables.credit(10)
    bill_id = payables.bill(vendorCredits=[{"id": first, "amount": 30}])

    bill.ok("PATCH", f"bills/{bill_id}", {"vendorCredits": [{"id": second, "amount": 10}]})

    assert payables.credit_state(first) == ("NOT_APPLIED", 0, [])
    assert payables.credit_state(second)[0] == "FULLY_APPLIED"
    assert payables.state(bill_id) == ("PARTIALLY_PAID", 10, 0, 10, 90)
    assert bill.get(f"vendors/{payables.vendor['id']}")["balance"]["amount"] == 90

    bill.ok("PATCH", f"bills/{bill_id}", {"vendorCredits": []})

    assert payables.state(bill_id) == ("UNPAID", 0, 0, 0, 100)


def test_a_payment_can_use_a_credit_and_gives_it_back_when_cancelled(bill, payables):
    credit, bill_id = payables.credit(30), payables.bill()
    used = [{"id": credit, "amount": 20}]
    payment = payables.pay(billPayments=[{"billId": bill_id, "amount": 80, "vendorCredits": used}])

    usage = [{"billId": bill_id, "paymentId": payment["id"], "amount": 20}]
    assert payables.credit_state(credit) == ("PARTIALLY_APPLIED", 20, usage)
    assert payables.state(bill_id) == ("SCHEDULED", 20, 80, 20, 0)

    bill.ok("POST", f"payments/{payment['id']}/cancel")

    assert payables.credit_state(credit) == ("NOT_APPLIED", 0, [])
    assert payables.state(bill_id) == ("UNPAID", 0, 0, 0, 100)


def test_a_credit_cannot_be_used_twice(payables):
    credit = payables.credit(30)
    payables.bill(vendorCredits=[{"id": credit, "amount": 20}])
    used = [{"id": credit, "amount": 20}]

    refusal = payables.refused(billPayments=[{"billId": payables.bill(), "amount": 1, "vendorCredits": used}])

    assert refusal[2].endswith("20.00 is more than the 10.00 that the credit has left")


def test_a_paid_bill_cannot_shrink_below_what_is_paid(bill, payables):
    bill_id = payables.bill()
    payables.pay(bill_id, 80)
    line = bill.get(f"bills/{bill_id}")["billLineItems"][0]

    refusal = bill.refused("PATCH", f"bills/{bill_id}", {"billLineItems": [{"id": line["id"], "amount": 79}]})

    assert refusal[:2] == (400, "BDC_1159")


def test_a_partly_paid_bill_stays_with_its_vendor(bill, payables):
    bill_id = payables.bill()
    payables.pay(bill_id, 80)
    other = bill.vendor("other")

    refusal = bill.refused("PATCH", f"bills/{bill_id}", {"vendorId": other["id"]})

    assert refusal[2] == "vendorId: cannot change once the bill is paid in part"
