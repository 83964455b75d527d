"""What people decide about drift: that QuickBooks is to stay as it is. Kept in the audit trail."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from target_quickbooks.links import Company
from target_quickbooks.store import audit_table, drift_table, locks
from target_quickbooks.store.database import Store
from target_quickbooks.store.drift_table import Entry, Status

_STREAMS = {"Vendor": "vendors", "VendorCredit": "vendor_credits", "BillPayment": "payments"}


def stream_of(entity: str) -> str:
    """The BILL stream whose records become objects of this entity."""
    return _STREAMS.get(entity, "bills")


def accept(
    store: Store,
    company: Company,
    numbers: Sequence[int],
    *,
    reason: str = "QuickBooks is to stay as it is.",
    trigger: str,
    now: dt.datetime,
) -> list[Entry]:
    """Agree to what QuickBooks holds: it is told again only if it changes once more.

    Args:
        store: The store.
        company: Whose entries they are.
        numbers: Of the entries; those that are not open (any more) are left out.
        reason: For the audit trail.
        trigger: Who decided, for the audit trail.
        now: The time.

    Returns:
        The entries as they were.
    """
    with store.writing(locks.company(company.realm_id)) as connection:
        found = [drift_table.by_number(connection, number) for number in dict.fromkeys(numbers)]
        chosen = [
            entry
            for entry in found
            if entry and entry.finding.company == company and entry.status is Status.OPEN
        ]
        if chosen:
            drift_table.accept(connection, company, [entry.id for entry in chosen], now=now)
            audit_table.append(
                connection,
                store.fingerprint_key,
                [_acceptance(entry, reason) for entry in chosen],
                run_id=str(uuid.uuid4()),
                trigger=trigger,
                now=now,
            )
    return chosen


def _acceptance(entry: Entry, reason: str) -> audit_table.Entry:
    finding = entry.finding
    return audit_table.Entry(
        company=finding.company,
        stream=stream_of(finding.entity),
        bill_id=finding.bill_id,
        version="",
        entity=finding.entity,
        quickbooks_id=finding.quickbooks_id,
        operation="accept",
        outcome="dismissed",
        before={"drift": str(finding.kind), "status": str(Status.OPEN)},
        after={"status": str(Status.ACCEPTED)},
        detail=reason,
    )
