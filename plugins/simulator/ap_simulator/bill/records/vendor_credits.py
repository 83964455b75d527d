"""Vendor credits: what they take, and their application to bills (BILL manual 4.9)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from ap_simulator.bill.books import VENDOR_ID, Books
from ap_simulator.bill.errors import invalid
from ap_simulator.bill.records.archiving import set_archived
from ap_simulator.bill.records.lines import patched_lines, replaced_lines, total
from ap_simulator.bill.records.schema import Day, ListOf, Object, Text, merged, read_body
from ap_simulator.bill.records.settlement import Movement, amount_of, move
from ap_simulator.bill.records.shapes import ID, LINE_CLASSIFICATIONS, MONEY
from ap_simulator.bill.wire import Record, money

LINE_PREFIX: Final = "vci"
_LINES: Final = "vendorCreditLineItems"
_LINE: Final = Object(
    {
        "id": ID,
        "amount": MONEY,
        "description": Text(),
        "classifications": LINE_CLASSIFICATIONS,
    }
)
_SHAPE: Final = Object(
    {
        "vendorId": ID,
        "referenceNumber": Text(longest=100),
        "creditDate": Day(),
        "description": Text(),
        "applyToChartOfAccountId": ID,
        "applyToBankAccountId": ID,
        _LINES: ListOf(_LINE, least=1),
    },
    ("vendorId", "referenceNumber", "creditDate", _LINES),
)
_KEPT_BY_PUT: Final = ("id", "archived", "appliedAmount", "usage", "createdTime", "updatedTime")


def create(books: Books, body: Any, *, where: str = "") -> Record:
    """Add a vendor credit.

    Raises:
        Refusal: 400: the body is invalid or names something that does not exist.
    """
    values = read_body(_SHAPE, body, books.switches, where=where)
    lines = replaced_lines(books, values[_LINES], (), prefix=LINE_PREFIX, where=_LINES)
    record = {"archived": False, "appliedAmount": money(0), "usage": [], **values}
    with books.transaction():
        return books.create("vendor_credits", _derived(books, record, lines))


def patch(books: Books, credit_id: str, body: Any, *, where: str = "") -> Record:
    """Change a vendor credit; line items sent with their id are changed, others stay.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid, names something that does not exist, or
            leaves less than has been applied.
    """
    old = books.get("vendor_credits", credit_id)
    changes = read_body(_SHAPE, body, books.switches, partial=True, where=where)
    sent = changes.pop(_LINES, None) or []
    lines = patched_lines(books, sent, old.get(_LINES, ()), prefix=LINE_PREFIX, where=_LINES)
    return books.save("vendor_credits", _derived(books, merged(old, changes), lines))


def put(books: Books, credit_id: str, body: Any, *, where: str = "") -> Record:
    """Replace a vendor credit; line items and optional fields that are not sent are gone.

    Raises:
        Refusal: As for `patch`.
    """
    old = books.get("vendor_credits", credit_id)
    values = read_body(_SHAPE, body, books.switches, where=where)
    sent = values.pop(_LINES)
    lines = replaced_lines(books, sent, old.get(_LINES, ()), prefix=LINE_PREFIX, where=_LINES)
    kept: Record = {name: old[name] for name in _KEPT_BY_PUT if name in old}
    return books.save("vendor_credits", _derived(books, {**kept, **values}, lines))


def archive(books: Books, credit_id: str) -> Record:
    """Archive a vendor credit; there is no way back.

    Raises:
        Refusal: 404 BDC_1205.
    """
    return set_archived(books, "vendor_credits", credit_id, archived=True)


def created_view(record: Record) -> Record:
    """The credit as a create answers it: without `usage`."""
    return {name: value for name, value in record.items() if name != "usage"}


def apply_credit(
    books: Books, credit_id: str, amount: Decimal, *, bill: Record, payment_id: str | None, where: str
) -> None:
    """Use `amount` of a credit for a bill, by a payment or by itself.

    Raises:
        Refusal: 400: no such credit, of another vendor, archived or used up; BDC_1159.
    """
    credit = books.reference(where, "vendor_credits", credit_id)
    if credit["vendorId"] != bill["vendorId"]:
        msg = f"{where}: is a credit of another vendor"
        raise invalid(msg)
    left = amount_of(credit, "amount") - amount_of(credit, "appliedAmount")
    if credit.get("archived") or amount > left:
        msg = f"{where}: {amount} is more than the {left} that the credit has left"
        raise invalid(msg)
    use = {"billId": bill["id"], "paymentId": payment_id, "amount": amount}
    use = {name: value for name, value in use.items() if value is not None}
    _set_usage(books, credit, [*credit.get("usage", ()), use], applied=amount)
    move(books, bill["id"], Movement(paid=amount, credit=amount))


def release_credits(books: Books, bill_id: str, *, payment_id: str | None = None) -> None:
    """Take back what credits were used for a bill by a payment, or by none."""
    bill = books.get("bills", bill_id)
    for credit in books["vendor_credits"].with_value(VENDOR_ID, bill["vendorId"]):
        usage = credit.get("usage", ())
        ended = [use for use in usage if (use["billId"], use.get("paymentId")) == (bill_id, payment_id)]
        if ended:
            amount = money(sum((Decimal(use["amount"]) for use in ended), Decimal(0)))
            kept = [use for use in usage if use not in ended]
            _set_usage(books, credit, kept, applied=-amount)
            move(books, bill_id, Movement(paid=-amount, credit=-amount))


def _set_usage(books: Books, credit: Record, usage: Sequence[Record], *, applied: Decimal) -> None:
    total_applied = amount_of(credit, "appliedAmount") + applied
    record = {**credit, "usage": list(usage), "appliedAmount": total_applied}
    books.save("vendor_credits", {**record, "status": _status(record)})


def _derived(books: Books, record: Record, lines: Sequence[Record]) -> Record:
    books.reference("vendorId", "vendors", record["vendorId"])
    for name, collection in (
        ("applyToChartOfAccountId", "chart_of_accounts"),
        ("applyToBankAccountId", "bank_accounts"),
    ):
        if name in record:
            books.reference(name, collection, record[name])
    result = {**record, _LINES: list(lines), "amount": total(lines)}
    if result["amount"] < amount_of(record, "appliedAmount"):
        msg = f"{_LINES}: must not amount to less than the {record['appliedAmount']} applied"
        raise invalid(msg)
    return {**result, "status": _status(result)}


def _status(credit: Record) -> str:
    applied = amount_of(credit, "appliedAmount")
    if applied <= 0:
        return "NOT_APPLIED"
    return "FULLY_APPLIED" if applied >= amount_of(credit, "amount") else "PARTIALLY_APPLIED"
