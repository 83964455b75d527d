"""Payments that are made with BILL or recorded, and their effect on bills."""

from __future__ import annotations

from decimal import Decimal

import pytest

#: The clock starts on Monday, 15 June 2026; two business days later is Wednesday.
FIRST_DATE = "2026-06-17"


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


def test_a_sync_token_cannot_pay(bill, payables):
    headers = bill.session(**bill.SYNC_TOKEN)

    refusal = bill.refused("POST", "payments", payables.body(payables.bill(), 1), headers=headers)

    assert refusal == (403, "BDC_1150", "User cannot make online payments.")


def test_payments_need_a_trusted_session_if_switched_so(bill, payables):
    bill.switches.mfa_required_for = "payments"

    assert payables.refused(payables.bill(), 1)[:2] == (403, "BDC_1361")
    assert bill.call("GET", "payments").status_code == 200
