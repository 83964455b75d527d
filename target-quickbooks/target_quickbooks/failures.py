"""What a refused change becomes: a failure with the record, the payload and the reason."""

from __future__ import annotations

from collections.abc import Sequence

from target_quickbooks.changes import Submission
from target_quickbooks.quickbooks.faults import Fault
from target_quickbooks.store.failure_table import Failure


def failure_of(
    submission: Submission, *, code: str, reason: str, advice: str, faults: Sequence[Fault] = ()
) -> Failure:
    """The failure to store for a refused change."""
    change = submission.change
    return Failure(
        stream=change.item.stream,
        bill_id=change.item.bill_id,
        label=change.item.mapped.label,
        code=code,
        reason=reason,
        advice=advice,
        record=submission.record,
        version=change.item.version,
        source_digest=change.item.source_digest,
        payload=change.body or change.item.mapped.payload or None,
        faults=tuple(
            {"code": fault.code, "text": fault.text, "element": fault.element, "intuit_tid": fault.tid}
            for fault in faults
        ),
        awaited=change.awaited,
    )
