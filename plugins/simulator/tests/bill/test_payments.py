"""Payments, and what they make of bills and vendor credits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ap_simulator.bill.errors import Refusal
from ap_simulator.bill.records.payment_statuses import SINGLE_STATUSES

#: The clock starts on Monday, 15 June 2026; two business days later is Wednesday.
FIRST_DATE = "2026-06-17"


class Payables:
    """A vendor with bills to pay."""

    def __init__(self, client):
        self.client = client
        self.account = client.bank_account()
        self.vendor = client.vendor()

    def bill(self, amount=100, **fields):
        return self.client.bill(self.vendor["id"], amount, **fields)["id"]

    def body(self, bill_id=None, amount=None, /, **fields):
        body = {"vendorId": self.vendor["id"], "processDate": FIRST_DATE, "fundingAccount": self.account}
        if bill_id is not None:
            body |= {"billId": bill_id, "amount": amount}
        return {**body, **fields}

    def pay(self, bill_id=None, amount=None, /, **fields):
        return self.client.ok("POST", "payments", self.body(bill_id, amount, **fields))

    def refused(self, bill_id=None, amount=None, /, **fields):
        return self.client.refused("POST", "payments", self.body(bill_id, amount, **fields))

    def move(self, payment, status):
        return self.client.on_loop(
            lambda service: service.set_payment_status(self.client.ORGANIZATION, payment["id"], status)
        )

    def state(self, bill_id):
        record = self.client.get(f"bills/{bill_id}")
        return (
            record["paymentStatus"],
            *(record[name] for name in ("paidAmount", "scheduledAmount", "creditAmount", "dueAmount")),
        )

    def credit(self, amount=30):
        body = {
            "vendorId": self.vendor["id"],
            "referenceNumber": "C-1",
            "creditDate": "2026-06-01",
            "vendorCreditLineItems": [{"amount": amount}],
        }
        return self.client.ok("POST", "vendor-credits", body)["id"]

    def credit_state(self, credit_id):
        record = self.client.get(f"vendor-credits/{credit_id}")
        return record["status"], record["appliedAmount"], record["usage"]


@pytest.fixture
def payables(bill):
    return Payables(bill)


def test_a_payment_is_scheduled_and_so_is_its_bill(bill, payables):
    bill_id = payables.bill(Decimal("228.99"))

    response = bill.call("POST", "payments", payables.body(bill_id, Decimal("228.99")))

    assert response.status_code == 201
    payment = response.json()
    assert payment["id"].startswith("stp")
    assert payment["billId"] == bill_id
    assert payment["billPayments"][0]["id"].startswith("blp")
    assert (payment["status"], payment["singleStatus"]) == ("SCHEDULED", "SCHEDULED")
    assert payment["onlinePayment"] is True
    assert payment["vendorName"] == payables.vendor["name"]
    assert len(payment["transactionNumber"]) == 20
    assert "disbursementInfo" not in payment
    assert "archived" not in payment
    assert payables.state(bill_id) == ("SCHEDULED", 0, Decimal("228.99"), 0, 0)
    assert bill.get(f"payments/{payment['id']}") == bill.results("payments")[0]


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


def test_a_payment_of_several_bills(payables):
    first, second = payables.bill(), payables.bill(50)
    parts = [{"billId": first, "amount": 100}, {"billId": second, "amount": 20}]

    payment = payables.pay(billPayments=parts)

    assert payment["amount"] == 120
    assert "billId" not in payment
    assert payables.state(second) == ("SCHEDULED", 0, 20, 0, 30)


def test_a_payment_can_make_its_bill(bill, payables):
    payment = payables.pay(amount=75, processingOptions={"createBill": True}, description="Rent")

    record = bill.get(f"bills/{payment['billId']}")
    assert record["amount"] == 75
    assert record["dueDate"] == FIRST_DATE
    assert record["paymentStatus"] == "SCHEDULED"


def test_without_a_process_date_it_is_the_first_possible_one(payables):
    assert payables.pay(payables.bill(), 1, processDate=None)["processDate"] == FIRST_DATE


@pytest.mark.parametrize(("lead", "accepted"), [(2, False), (1, True)])
def test_a_process_date_too_soon_is_bdc_1402(bill, payables, lead, accepted):
    bill.switches.payment_lead_business_days = lead
    body = payables.body(payables.bill(), 1, processDate="2026-06-16")

    response = bill.call("POST", "payments", body)

    assert (response.status_code == 201) is accepted
    if not accepted:
        message = "Please select a payment processing date two business days out from today."
        assert bill.error(response) == (400, "BDC_1402", message)


def test_weekends_are_no_business_days(bill, payables):
    bill.switches.payment_lead_business_days = 5

    assert payables.pay(payables.bill(), 1, processDate=None)["processDate"] == "2026-06-22"


def test_overpaying_is_bdc_1159_and_changes_nothing(bill, payables):
    bill_id = payables.bill()
    payables.pay(bill_id, 60)

    assert payables.refused(bill_id, 41) == (400, "BDC_1159", "Cannot overpay a bill")
    assert payables.state(bill_id) == ("SCHEDULED", 0, 60, 0, 40)
    assert len(bill.results("payments")) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"billId": None}, "billId: must not be null"),
        ({"amount": None}, "amount: must not be null"),
        ({"amount": 0}, "amount: must be greater than 0"),
        ({"fundingAccount": None}, "fundingAccount: must not be null"),
        ({"fundingAccount": {"type": "CASH"}}, None),
        ({"fundingAccount": {"type": "AP_CARD"}}, "fundingAccount.id: must not be null"),
        (
            {"processingOptions": {"createBill": True}},
            "processingOptions.createBill: needs an amount and no bill",
        ),
        ({"transactionNumber": "x" * 51}, "transactionNumber: must have at most 50 characters"),
    ],
)
def test_invalid_payments_are_refused(payables, fields, message):
    refusal = payables.refused(payables.bill(), 1, **fields)

    assert refusal[0] == 400
    assert message is None or refusal[2] == message


def test_amounts_have_to_add_up(payables):
    parts = [{"billId": payables.bill(), "amount": 60}]

    assert payables.refused(amount=61, billPayments=parts)[2].startswith("amount: must be the sum")


def test_a_bill_of_another_vendor_cannot_be_paid(bill, payables):
    other = bill.vendor("other")

    assert payables.refused(bill.bill(other["id"])["id"], 1)[:2] == (400, "BDC_1205")


def test_an_archived_bill_cannot_be_paid(bill, payables):
    bill_id = payables.bill()
    bill.ok("POST", f"bills/{bill_id}/archive")

    assert payables.refused(bill_id, 1)[0] == 400


def test_an_unverified_bank_account_is_bdc_1151(bill, payables):
    times = {"createdTime": "2026-01-01T00:00:00.000+00:00", "updatedTime": "2026-01-01T00:00:00.000+00:00"}
    bill.load(
        "bank_accounts", {"id": "bac02PENDING00000001", "archived": False, "status": "PENDING", **times}
    )
    account = {"type": "BANK_ACCOUNT", "id": "bac02PENDING00000001"}

    assert payables.refused(payables.bill(), 1, fundingAccount=account)[:2] == (400, "BDC_1151")


def test_a_wallet_needs_no_account(payables):
    assert payables.pay(payables.bill(), 1, fundingAccount={"type": "WALLET"})["fundingAccount"] == {
        "type": "WALLET"
    }


def test_bulk_payments_are_one_for_each_bill_of_any_vendor(bill, payables):
    other = bill.vendor("other")
    bills = [payables.bill(), bill.bill(other["id"])["id"]]
    body = {
        "processDate": FIRST_DATE,
        "fundingAccount": payables.account,
        "payments": [{"billId": bill_id, "amount": 10} for bill_id in bills],
    }

    made = bill.ok("POST", "payments/bulk", body)["payments"]

    assert [payment["billId"] for payment in made] == bills
    assert [payment["vendorId"] for payment in made] == [payables.vendor["id"], other["id"]]


def test_bulk_payments_are_all_or_nothing(bill, payables):
    bill_id = payables.bill()
    body = {
        "processDate": FIRST_DATE,
        "fundingAccount": payables.account,
        "payments": [{"billId": bill_id, "amount": 60}, {"billId": bill_id, "amount": 60}],
    }

    response = bill.call("POST", "payments/bulk", body)

    assert response.status_code == 400
    assert [entry["code"] for entry in response.json()] == ["BDC_1159", "BDC_1246"]
    assert response.json()[0]["message"] == f"{bill_id}: Cannot overpay a bill"
    assert bill.results("payments") == []
    assert payables.state(bill_id) == ("UNPAID", 0, 0, 0, 100)


def test_at_most_50_payments_in_bulk(bill, payables):
    bill_id = payables.bill()
    body = {"fundingAccount": payables.account, "payments": [{"billId": bill_id, "amount": 1}] * 51}

    assert bill.refused("POST", "payments/bulk", body)[2] == "payments: must have 1 to 50 entries"


def test_a_payment_outside_bill_is_cleared_at_once(bill, payables):
    first, second = payables.bill(), payables.bill()
    body = {
        "vendorId": payables.vendor["id"],
        "processDate": "2026-06-01",
        "toPrintCheck": False,
        "payments": [{"billId": first, "amount": 70}, {"billId": second, "amount": 100}],
    }

    response = bill.call("POST", "bills/record-payment", body)

    assert response.status_code == 201
    payment = response.json()
    assert (payment["onlinePayment"], payment["disbursementType"]) == (False, "OFFLINE")
    assert (payment["status"], payment["amount"]) == ("PAID", 170)
    assert payables.state(first) == ("PARTIALLY_PAID", 70, 0, 0, 30)
    assert payables.state(second) == ("PAID", 100, 0, 0, 0)


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


def test_a_sync_token_cannot_pay(bill, payables):
    headers = bill.session(**bill.SYNC_TOKEN)

    refusal = bill.refused("POST", "payments", payables.body(payables.bill(), 1), headers=headers)

    assert refusal == (403, "BDC_1150", "User cannot make online payments.")


def test_payments_need_a_trusted_session_if_switched_so(bill, payables):
    bill.switches.mfa_required_for = "payments"

    assert payables.refused(payables.bill(), 1)[:2] == (403, "BDC_1361")
    assert bill.call("GET", "payments").status_code == 200


def test_once_disbursed_a_payment_shows_when_it_arrives(payables):
    record = payables.move(payables.pay(payables.bill(), 100), "SENT")

    assert record["disbursementStatus"] == "DONE"
    info = record["disbursementInfo"]
    assert info["isVoidable"] is True
    assert info["checkDisbursement"]["sentDate"] == FIRST_DATE
    assert info["checkDisbursement"]["arrivesByDate"] == "2026-06-24"
    assert isinstance(info["checkDisbursement"]["checkNumber"], int)


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
