"""What people decide about a bill inside BILL: approved, denied, draft, deleted (BILL manual 4.2).

The API shows these states and cannot set them.
"""

from __future__ import annotations

from typing import Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.errors import invalid
from ap_simulator.bill.records.settlement import owed_for
from ap_simulator.bill.records.vendors import owe
from ap_simulator.bill.wire import Record, stamp

APPROVAL_STATUSES: Final = ("UNASSIGNED", "ASSIGNED", "APPROVING", "APPROVED", "DENIED")
RECORD_STATUSES: Final = ("ACTIVE", "INACTIVE", "DRAFT", "DRAFT_DELETED")
#: What the approvers of a bill show; the first one alone decides that it is denied.
_APPROVERS: Final = {
    "UNASSIGNED": None,
    "ASSIGNED": "WAITING",
    "APPROVING": "VIEWED",
    "APPROVED": "APPROVED",
    "DENIED": "DENIED",
}


def review(
    books: Books, bill_id: str, *, approval_status: str | None = None, record_status: str | None = None
) -> Record:
    """Set the states of a bill. `updatedTime` moves and webhooks are told.

    A bill in any other record status than ACTIVE looks archived, a draft too.

    Args:
        books: Of the organization.
        bill_id: `00n...`
        approval_status: One of `APPROVAL_STATUSES`; None leaves it.
        record_status: One of `RECORD_STATUSES`; None leaves it.

    Raises:
        Refusal: 404 BDC_1205, or 400 for a status that is none or nothing to set.
    """
    old = books.get("bills", bill_id)
    record = dict(old)
    if approval_status is None and record_status is None:
        msg = "approval_status or record_status: one of them is needed"
        raise invalid(msg)
    if approval_status is not None:
        if approval_status not in APPROVAL_STATUSES:
            msg = f"approval_status: must be one of {', '.join(APPROVAL_STATUSES)}"
            raise invalid(msg)
        record["approvalStatus"] = approval_status
        record["approvers"] = _approvers(books, record, approval_status)
    if record_status is not None:
        if record_status not in RECORD_STATUSES:
            msg = f"record_status: must be one of {', '.join(RECORD_STATUSES)}"
            raise invalid(msg)
        record |= {"recordStatus": record_status, "archived": record_status != "ACTIVE"}
    event = "bill.updated"
    if record.get("archived") != old.get("archived"):
        event = "bill.archived" if record["archived"] else "bill.restored"
    with books.transaction():
        record = books.save("bills", record)
        owe(books, record["vendorId"], owed_for(record) - owed_for(old))
        books.publish(event, record)
    return record


def _approvers(books: Books, record: Record, approval_status: str) -> list[Record]:
    status = _APPROVERS[approval_status]
    if status is None:
        return []
    known = record.get("approvers") or [
        {"userId": user["id"], "approverOrder": 0} for user in list(books["users"])[:1]
    ]
    moment = stamp(books.now())
    return [{**approver, "status": status, "statusChangedTime": moment} for approver in known]
