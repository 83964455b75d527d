"""Why a record differs, and what to do: from failures on record and from who changed it last. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from target_quickbooks.fingerprints import same_entry
from target_quickbooks.links import Link
from target_quickbooks.order_edits import has_bill
from target_quickbooks.policies import BilledOrder
from target_quickbooks.reconcile.findings import Finding
from target_quickbooks.store.failure_table import Failure

_CHANGED_IN_BILL = "It changed in BILL since it was last written."
_PAID_SINCE = "What is paid of it changed in BILL since it was last written."
_EDITED = "Somebody edited it in QuickBooks after the last write."
_BOTH = "It changed in BILL since it was last written, and somebody edited it in QuickBooks."
_KEPT = "Somebody edited it in QuickBooks, and what was written since has kept that."
_BILLED = "It has a bill in QuickBooks, and is left as it is since then (billed_order)."
_MOVED = "Its link moved here, by a merge or by hand, and nothing has been written since."
_CORRECT = "Correct that bill in QuickBooks; or set billed_order to update, and save it in BILL again."
_LOOK = "Look at both records; if BILL is right, change and save it there."
_UNDO = "Undo it there, or make the same change in BILL."
_NEVER = "It has not been written yet."


def explain_missing(finding: Finding, link: Link | None, failure: Failure | None) -> Finding:
    """Why BILL's record is not in QuickBooks."""
    if failure:
        return by_failure(finding, failure)
    if link:
        return replace(
            finding,
            cause=f"It was written as {link.quickbooks_id}, which is no longer in QuickBooks.",
            advice="Somebody deleted it there. See the setting missing_in_quickbooks.",
        )
    return replace(finding, cause=_NEVER, advice="Run a sync.")


def explain_difference(
    finding: Finding,
    link: Link | None,
    failure: Failure | None,
    *,
    digest: str,
    live: Mapping[str, Any],
    billed_order: BilledOrder = BilledOrder.UPDATE,
) -> Finding:
    """Why both sides hold it, but not the same.

    Args:
        finding: What differs.
        link: What was last sent, if that is known.
        failure: The record's failure, if there is one.
        digest: Fingerprint of BILL's record.
        live: What QuickBooks holds.
        billed_order: What becomes of orders that have a bill in QuickBooks.
    """
    if failure:
        return by_failure(finding, failure)
    if link is None:
        return replace(finding, advice=_LOOK)
    changed = not same_entry(link.source_digest, digest)
    edited = str(live.get("SyncToken") or "") != link.sync_token
    by_payments = {found.field for found in finding.fields} <= {"state", "open amount"}
    paid_since = link.source_digest != digest and by_payments and bool(finding.fields) and not edited
    causes = (
        (not link.source_digest, _MOVED, "Make the same change in QuickBooks, or in BILL."),
        (changed and edited, _BOTH, "Run a sync; edit_conflict decides which side wins."),
        (changed, _CHANGED_IN_BILL, "Run a sync."),
        (paid_since, _PAID_SINCE, "Run a sync."),
        (has_bill(live) and billed_order is BilledOrder.LEAVE, _BILLED, _CORRECT),
        (edited, _EDITED, _UNDO),
        (True, _KEPT, _UNDO),
    )
    cause, advice = next((cause, advice) for applies, cause, advice in causes if applies)
    return replace(finding, cause=cause, advice=advice)


def by_failure(finding: Finding, failure: Failure) -> Finding:
    """A record that was refused, or is held by a policy: people have been told already."""
    return replace(finding, cause=failure.reason, advice=failure.advice, known=True)


def by_id(failures: Sequence[Failure], stream: str) -> dict[str, Failure]:
    """The failures of a stream by BILL id."""
    return {failure.bill_id: failure for failure in failures if failure.stream == stream}
