"""What becomes of a payment: cancelled, voided, moved from status to status (BILL manual 4.3)."""

from __future__ import annotations

from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.errors import invalid
from ap_simulator.bill.records import payment_statuses as statuses
from ap_simulator.bill.records.disbursements import disbursement_fields
from ap_simulator.bill.records.payment_bodies import VOID
from ap_simulator.bill.records.schema import read_body
from ap_simulator.bill.records.settlement import bills_paid_by, move, movement_of
from ap_simulator.bill.records.vendor_credits import release_credits
from ap_simulator.bill.wire import Record, money, stamp

_DISBURSEMENT: Final = ("disbursementStatus", "disbursementInfo")


def cancel(books: Books, payment_id: str) -> Record:
    """Cancel a payment of which nothing has moved yet.

    Raises:
        Refusal: 404 BDC_1205, or 400: it is past being scheduled.
    """
    payment = books.get("payments", payment_id)
    if payment.get("singleStatus") != statuses.SCHEDULED:
        msg = "Payment cannot be canceled: its status is not SCHEDULED"
        raise invalid(msg)
    with books.transaction():
        books.save("payments", {**payment, "cancelRequestSubmitted": True}, operation=None)
        return set_status(books, payment_id, statuses.CANCELED)


def void(books: Books, payment_id: str, body: Any, *, actor: str) -> Record:
    """Ask for a payment to be voided. An offline payment is void at once, an online one pending.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid or the payment cannot be voided.
    """
    payment = books.get("payments", payment_id)
    values = read_body(VOID, body, books.switches)
    if not statuses.is_voidable(payment.get("singleStatus", "")):
        msg = "Payment cannot be voided in its present status"
        raise invalid(msg)
    moment = stamp(books.now())
    online = payment.get("onlinePayment", True)
    entry = {
        "id": books.ids.mint("pvd"),
        "requestedBy": actor,
        "type": values["type"],
        "status": "TO_BE_PROCESSED",
        "reason": values["reason"],
        "createdTime": moment,
        "updatedTime": moment,
    }
    with books.transaction():
        voided = {**payment, "voidInfo": [*payment.get("voidInfo", ()), entry]}
        books.save("payments", voided, operation=None)
        return set_status(books, payment_id, statuses.VOID_PENDING if online else statuses.VOIDED)


def set_status(books: Books, payment_id: str, single_status: str) -> Record:
    """Move a payment to a `singleStatus`, with its bills and credits; backwards is possible, too.

    Raises:
        Refusal: 404 BDC_1205, or 400: not a status, or the payment has ended.
    """
    old = books.get("payments", payment_id)
    before = old.get("singleStatus", statuses.SCHEDULED)
    if single_status not in statuses.SINGLE_STATUSES:
        msg = f"singleStatus: must be one of {', '.join(sorted(statuses.SINGLE_STATUSES))}"
        raise invalid(msg)
    if before == single_status:
        return old
    if before in statuses.DEAD:
        msg = f"Payment has ended as {before}"
        raise invalid(msg)
    record = {name: value for name, value in old.items() if name not in _DISBURSEMENT}
    record |= disbursement_fields(old, single_status)
    record |= {"singleStatus": single_status, "status": statuses.coarse_status(single_status)}
    if single_status in statuses.DEAD and record.get("voidInfo"):
        accepted = {"status": "ACCEPTED", "updatedTime": stamp(books.now())}
        record["voidInfo"] = [{**entry, **accepted} for entry in record["voidInfo"]]
    with books.transaction():
        record = books.save("payments", record)
        for part in record.get("billPayments", ()):
            amount = money(part["amount"])
            move(books, part["billId"], movement_of((before, -amount), (single_status, amount)))
        if single_status in statuses.DEAD:
            for bill_id in bills_paid_by(record):
                release_credits(books, bill_id, payment_id=payment_id)
        if record.get("onlinePayment", True):
            books.publish("payment.updated", record)
    return record
