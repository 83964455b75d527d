"""What a refused change becomes: a failure with the record, the payload and the reason."""

from __future__ import annotations

from collections.abc import Sequence

from target_quickbooks.changes import Submission
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.quickbooks.faults import Fault
from target_quickbooks.store.failure_table import Failure

#: The code of records that QuickBooks' servers fail over each time.
UNANSWERED = "quickbooks-unanswered"


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


def unanswered(submission: Submission, trouble: str) -> Failure:
    """The failure to store for a change that QuickBooks' servers fail over each time.

    Args:
        submission: The change.
        trouble: How they failed last, e.g. ``500 Internal error``.
    """
    label = sentence_start(submission.item.mapped.label)
    return failure_of(
        submission,
        code=UNANSWERED,
        reason=(
            f"{label} could not be written: QuickBooks breaks down each time it is sent ({trouble}), while "
            "other records go through."
        ),
        advice=(
            "The next run tries again by itself and looks first whether it was entered after all. If it "
            "stays so, change the record in BILL, or enter it by hand and dismiss this failure."
        ),
    )
