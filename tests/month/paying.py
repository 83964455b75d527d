"""What people do in BILL about money on a day: payments and their ways, credits, recurring bills."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from .in_bill import active_vendor, amount, coding, patch_bill, set_archived

_PATH = ("SCHEDULED", "FUNDING_STARTED", "PROCESSED", "SENT", "DELIVERED", "CLEARED")
_STUCK = (
    "DISBURSEMENT_FAILED_ACTION_NEEDED",
    "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
    "FUNDING_FAILED_ACTION_NEEDED",
    "DISBURSEMENT_ON_HOLD",
    "VOID_PENDING",
)
_ENDED = ("CANCELED", "VOIDED", "FUNDING_FAILED_VOIDED")


def deeds():
    """Everything that people do about payments, by how often."""
    return {
        pay: 8,
        pay_several: 2,
        pay_offline: 2,
        move_payment: 10,
        cancel: 1,
        void: 1,
        new_credit: 2,
        use_credit: 3,
        new_recurring: 1,
        change_recurring: 1,
    }


def _share(firm, bill):
    due = Decimal(bill["dueAmount"])
    return due if firm.chance(0.6) else max(Decimal("0.01"), (due / 3).quantize(Decimal("0.01")))


def _payable(firm):
    return [bill for bill in firm.in_bill("bills") if not bill["archived"] and Decimal(bill["dueAmount"]) > 0]


def _funding(firm):
    return {"type": "BANK_ACCOUNT", "id": firm.in_bill("bank_accounts")[0]["id"]}


def pay(firm):
    bill = firm.pick(_payable(firm))
    if not bill:
        return
    options = {"createBill": False}
    body = {"vendorId": bill["vendorId"], "fundingAccount": _funding(firm), "processingOptions": options}
    made = firm.ask(
        firm.books.bill.post, "/v3/payments", body=body | {"billId": bill["id"], "amount": _share(firm, bill)}
    )
    firm.tell("BILL: payment", made and made["id"], "of", bill["id"], made and made["amount"])


def pay_several(firm):
    first = firm.pick(_payable(firm))
    if not first:
        return
    bills = [bill for bill in _payable(firm) if bill["vendorId"] == first["vendorId"]][:3]
    parts = [{"billId": bill["id"], "amount": _share(firm, bill)} for bill in bills]
    body = {"vendorId": first["vendorId"], "fundingAccount": _funding(firm), "billPayments": parts}
    made = firm.ask(firm.books.bill.post, "/v3/payments", body=body)
    firm.tell("BILL: payment", made and made["id"], "of", [part["billId"] for part in parts])


def pay_offline(firm):
    bill = firm.pick(_payable(firm))
    if bill:
        part = {"billId": bill["id"], "amount": _share(firm, bill)}
        body = {"vendorId": bill["vendorId"], "payments": [part], "processDate": firm.today.isoformat()}
        made = firm.ask(firm.books.bill.post, "/v3/bills/record-payment", body=body)
        firm.tell("BILL: offline payment", made and made["id"], "of", bill["id"], part["amount"])


def move_payment(firm):
    """Forth along the usual path, or into trouble, or back."""
    payment = firm.pick(one for one in firm.in_bill("payments") if one["singleStatus"] not in _ENDED)
    if not payment:
        return
    at = _PATH.index(payment["singleStatus"]) if payment["singleStatus"] in _PATH else 2
    ahead = firm.choose.choice((1, 1, 2, 5))
    status = _PATH[min(at + ahead, len(_PATH) - 1)]
    if firm.chance(0.25):
        status = firm.choose.choice((*_STUCK, *_ENDED, "SENT", "SCHEDULED", "FUNDS_ESCHEATED"))
    firm.control.set_payment_status(payment["id"], status)
    firm.tell("BILL: payment", payment["id"], payment["singleStatus"], "->", status)


def cancel(firm):
    payment = firm.pick(one for one in firm.in_bill("payments") if one["singleStatus"] == "SCHEDULED")
    if payment:
        firm.ask(firm.books.bill.post, f"/v3/payments/{payment['id']}/cancel")
        firm.tell("BILL: payment", payment["id"], "cancelled")


def void(firm):
    payment = firm.pick(one for one in firm.in_bill("payments") if one["singleStatus"] not in _ENDED)
    if payment:
        body = {"reason": "lost", "type": "VOID_ONLY"}
        done = firm.ask(firm.books.bill.post, f"/v3/payments/{payment['id']}/void", body=body)
        firm.tell("BILL: payment", payment["id"], "void asked for", bool(done))


def new_credit(firm):
    vendor = active_vendor(firm)
    if vendor:
        body = {
            "vendorId": vendor["id"],
            "referenceNumber": f"CR-{firm.choose.randint(1, 999)}",
            "creditDate": firm.today.isoformat(),
            "vendorCreditLineItems": [{"amount": amount(firm, 300)}],
        }
        made = firm.ask(firm.books.bill.post, "/v3/vendor-credits", body=body)
        firm.tell("BILL: credit", made and made["id"], "of", vendor["id"], made and made["amount"])


def use_credit(firm):
    """Apply a credit to a bill, by itself or with a payment; or take it back."""
    credit = firm.pick(one for one in firm.in_bill("vendor_credits") if not one["archived"])
    bill = credit and firm.pick(bill for bill in _payable(firm) if bill["vendorId"] == credit["vendorId"])
    if not bill:
        return
    left = Decimal(credit["amount"]) - Decimal(credit["appliedAmount"])
    used = min(left, Decimal(bill["dueAmount"]))
    if used <= 0 or firm.chance(0.2):
        patch_bill(firm, bill, vendorCredits=[])
    elif firm.chance(0.7):
        patch_bill(firm, bill, vendorCredits=[{"id": credit["id"], "amount": used}])
    else:
        rest = Decimal(bill["dueAmount"]) - used
        part = {"billId": bill["id"], "amount": rest, "vendorCredits": [{"id": credit["id"], "amount": used}]}
        body = {"vendorId": bill["vendorId"], "fundingAccount": _funding(firm), "billPayments": [part]}
        made = firm.ask(firm.books.bill.post, "/v3/payments", body=body)
        firm.tell("BILL: payment with credit", made and made["id"], "of", bill["id"], used, "and", rest)


# --- recurring bills ----------------------------------------------------------------------------------------


def new_recurring(firm):
    vendor = active_vendor(firm)
    if vendor:
        schedule = {
            "period": firm.choose.choice(("DAILY", "WEEKLY", "WEEKLY", "MONTHLY")),
            "frequency": firm.choose.choice((1, 2)),
            "nextDueDate": (firm.today + dt.timedelta(days=firm.choose.randint(1, 12))).isoformat(),
            "daysInAdvance": firm.choose.randint(0, 10),
        }
        lines = [{"amount": amount(firm), "classifications": coding(firm)}]
        for one in lines:
            one["classifications"].pop("customerId", None)
        body = {"vendorId": vendor["id"], "schedule": schedule, "recurringBillLineItems": lines}
        made = firm.ask(firm.books.bill.post, "/v3/recurringbills", body=body)
        firm.tell("BILL: recurring", made and made["id"], "of", vendor["id"], schedule)


def change_recurring(firm):
    one = firm.pick(firm.in_bill("recurring_bills"))
    if one and firm.chance(0.5):
        set_archived(firm, "/v3/recurringbills", one, archived=not one["archived"])
    elif one:
        items = [{"id": found["id"], "amount": amount(firm)} for found in one["recurringBillLineItems"]]
        firm.ask(
            firm.books.bill.patch, f"/v3/recurringbills/{one['id']}", body={"recurringBillLineItems": items}
        )
