"""Bills: what they take and what is derived for them (BILL manual 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.errors import invalid
from ap_simulator.bill.records.lines import patched_lines, replaced_lines, total
from ap_simulator.bill.records.schema import Day, Flag, ListOf, Object, Text, merged, read_body
from ap_simulator.bill.records.settlement import amount_of, is_in_process, owed_for, restated
from ap_simulator.bill.records.shapes import (
    BILL_CLASSIFICATIONS,
    FACTOR,
    ID,
    LINE_CLASSIFICATIONS,
    MONEY,
    POSITIVE_MONEY,
    check_classifications,
)
from ap_simulator.bill.records.vendor_credits import apply_credit, release_credits
from ap_simulator.bill.records.vendors import owe
from ap_simulator.bill.wire import Record, money

LINE_PREFIX: Final = "bli"
_LINE: Final = Object(
    {
        "id": ID,
        "amount": MONEY,
        "quantity": FACTOR,
        "price": FACTOR,
        "description": Text(),
        "classifications": LINE_CLASSIFICATIONS,
    }
)
_SHAPE: Final = Object(
    {
        "vendorId": ID,
        "dueDate": Day(),
        "description": Text(),
        "invoice": Object(
            {"invoiceNumber": Text(longest=100), "invoiceDate": Day()},
            ("invoiceNumber", "invoiceDate"),
        ),
        "billLineItems": ListOf(_LINE, least=1),
        "payFromChartOfAccountId": ID,
        "paymentTermId": ID,
        "exchangeRate": FACTOR,
        "classifications": BILL_CLASSIFICATIONS,
        "purchaseOrderNumber": Text(longest=100),
        "vendorCredits": ListOf(Object({"id": ID, "amount": POSITIVE_MONEY}, ("id", "amount"))),
        "billApprovals": Flag(),
    },
    ("vendorId", "dueDate", "invoice", "billLineItems"),
)
#: Fields of a create or PUT that are not fields of the record.
_ORDERS: Final = ("vendorCredits", "billApprovals")
#: Fields that a PUT leaves as they are: what BILL keeps itself.
_KEPT_BY_PUT: Final = (
    "id",
    "archived",
    "recordStatus",
    "paidAmount",
    "scheduledAmount",
    "creditAmount",
    "approvalStatus",
    "approvers",
    "createdBy",
    "createdTime",
    "updatedTime",
)
#: What archiving and restoring make of each `recordStatus`.
_ARCHIVED_STATUS: Final = {"ACTIVE": "INACTIVE", "DRAFT": "DRAFT_DELETED"}
_RESTORED_STATUS: Final = {archived: status for status, archived in _ARCHIVED_STATUS.items()}


def create(books: Books, body: Any, *, actor: str, where: str = "") -> Record:
    """Add a bill.

    Raises:
        Refusal: 400: the body is invalid or names something that does not exist.
    """
    values = read_body(_SHAPE, body, books.switches, where=where)
    with books.transaction():
        record = add(books, values, actor=actor)
        if values.get("vendorCredits"):
            _apply_credits(books, record, values["vendorCredits"])
    return books.get("bills", record["id"])


def add(books: Books, values: dict[str, Any], *, actor: str | None, at: datetime | None = None) -> Record:
    """Add a bill of values that have been checked; `at` is its creation, by default now.

    Raises:
        Refusal: 400: it names something that does not exist.
    """
    lines = replaced_lines(books, values["billLineItems"], (), prefix=LINE_PREFIX, where="billLineItems")
    record = {
        "archived": False,
        "recordStatus": "ACTIVE",
        "paidAmount": money(0),
        "scheduledAmount": money(0),
        "creditAmount": money(0),
        "approvalStatus": "UNASSIGNED",
        "approvers": [],
        **{name: value for name, value in values.items() if name not in _ORDERS},
    }
    if actor is not None:
        record["createdBy"] = actor
    with books.transaction():
        record = books.create("bills", _derived(books, record, lines), at=at)
        owe(books, record["vendorId"], owed_for(record))
        books.publish("bill.created", record)
    return record


def patch(books: Books, bill_id: str, body: Any) -> Record:
    """Change a bill; line items sent with their id are changed, others stay.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid, names something that does not exist, or
            would leave the bill overpaid.
    """
    old = books.get("bills", bill_id)
    changes = read_body(_SHAPE, body, books.switches, partial=True)
    lines = patched_lines(
        books,
        changes.pop("billLineItems", None) or [],
        old.get("billLineItems", ()),
        prefix=LINE_PREFIX,
        where="billLineItems",
    )
    return _save(books, old, changes, lines, base=old)


def put(books: Books, bill_id: str, body: Any) -> Record:
    """Replace a bill; line items and optional fields that are not sent are gone.

    Raises:
        Refusal: As for `patch`.
    """
    old = books.get("bills", bill_id)
    values = read_body(_SHAPE, body, books.switches)
    sent = values.pop("billLineItems")
    lines = replaced_lines(
        books, sent, old.get("billLineItems", ()), prefix=LINE_PREFIX, where="billLineItems"
    )
    base: Record = {name: old[name] for name in _KEPT_BY_PUT if name in old}
    return _save(books, old, values, lines, base=base)


def archive(books: Books, bill_id: str, *, archived: bool) -> Record:
    """Archive or restore a bill. A draft counts as archived and stays so.

    Raises:
        Refusal: 404 BDC_1205.
    """
    old = books.get("bills", bill_id)
    status = old.get("recordStatus") or ("INACTIVE" if old.get("archived") else "ACTIVE")
    new_status = (_ARCHIVED_STATUS if archived else _RESTORED_STATUS).get(status, status)
    if new_status == status:
        return old
    with books.transaction():
        record = {**old, "archived": new_status != "ACTIVE", "recordStatus": new_status}
        record = books.save("bills", record, operation="archive" if archived else "restore")
        owe(books, record["vendorId"], owed_for(record) - owed_for(old))
        books.publish("bill.archived" if archived else "bill.restored", record)
    return record


def created_view(record: Record, *, with_approvers: bool) -> Record:
    """The bill as a create answers it: without `vendorName`, and approvers only if asked for."""
    hidden = {"vendorName"} if with_approvers else {"vendorName", "approvers"}
    return {name: value for name, value in record.items() if name not in hidden}


def _save(
    books: Books, old: Record, changes: dict[str, Any], lines: Sequence[Record], *, base: Record
) -> Record:
    credits_sent = changes.get("vendorCredits")
    fields = {name: value for name, value in changes.items() if name not in _ORDERS}
    with books.transaction():
        if credits_sent is not None:
            release_credits(books, old["id"])
            freed = books.get("bills", old["id"])
            amounts = ("paidAmount", "creditAmount")
            base = {**base, **{name: freed[name] for name in amounts if name in freed}}
            old = freed
        record = _derived(books, merged(base, fields), lines)
        record = books.save("bills", record)
        if record["vendorId"] != old["vendorId"] and owed_for(record) != record["amount"]:
            msg = "vendorId: cannot change once the bill is paid in part"
            raise invalid(msg)
        owe(books, old["vendorId"], -owed_for(old))
        owe(books, record["vendorId"], owed_for(record))
        if credits_sent:
            _apply_credits(books, record, credits_sent)
            record = books.get("bills", record["id"])
        books.publish("bill.updated", record)
    return record


def _derived(books: Books, record: Record, lines: Sequence[Record]) -> Record:
    """The bill with all that follows from its vendor, lines and payments."""
    vendor = books.reference("vendorId", "vendors", record["vendorId"])
    check_classifications(books, record.get("classifications"), "classifications")
    account = record.get("payFromChartOfAccountId")
    if account is not None:
        books.reference("payFromChartOfAccountId", "chart_of_accounts", account)
    result = {
        **record,
        "vendorName": vendor["name"],
        "billLineItems": list(lines),
        # A loaded bill may have an amount and no lines.
        "amount": total(lines) if lines else amount_of(record, "amount"),
    }
    if vendor.get("billCurrency", "USD") == "USD":
        result["exchangeRate"] = 1
    rate = result.get("exchangeRate")
    if rate is not None:
        result["fundingAmount"] = money(result["amount"] * Decimal(rate))
    in_process = "id" in record and is_in_process(books, result)
    return restated(result, in_process=in_process, switches=books.switches)


def _apply_credits(books: Books, bill: Record, sent: Sequence[Record]) -> None:
    for number, part in enumerate(sent):
        apply_credit(
            books, part["id"], part["amount"], bill=bill, payment_id=None, where=f"vendorCredits[{number}].id"
        )
