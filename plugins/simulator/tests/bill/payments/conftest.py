"""A vendor with bills to pay."""

from __future__ import annotations

import pytest

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
