"""Changes to QuickBooks, and what became of them to disk. The only writer to QuickBooks.

For each batch of 30: its intents are committed, it is sent, its outcomes are committed together (links,
failures, audit rows, settled intents). A crash at any point leaves either nothing or an open intent.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_quickbooks.changes import Conflict, Submission, from_document, link_after, to_document
from target_quickbooks.errors import TemporaryError
from target_quickbooks.failures import failure_of
from target_quickbooks.links import Company, Link
from target_quickbooks.planning import Change, Operation
from target_quickbooks.quickbooks.client import BATCH_SIZE, QuickBooksClient, Refused, company_refused
from target_quickbooks.quickbooks.explanations import explain
from target_quickbooks.quickbooks.faults import Fault, Recovery, faults_in
from target_quickbooks.report import RunReport
from target_quickbooks.store import audit_table, failure_table, intent_table, link_table
from target_quickbooks.store.audit_table import Entry
from target_quickbooks.store.database import Store
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.store.intent_table import Intent, Outcome

_ITEM_ATTEMPTS = 5
_PASSING = frozenset({Recovery.RETRY, Recovery.REFRESH})
_REPLANNED = frozenset(
    {
        Recovery.REREAD,
        Recovery.NAME_TAKEN,
        Recovery.NUMBER_TAKEN,
        Recovery.CLOSED,
    }
)

logger = logging.getLogger("target-quickbooks")


@dataclass(frozen=True, slots=True)
class _Sent:
    """An item of a batch with its intent and, once answered, the answer."""

    submission: Submission
    intent: Intent


class Writer:
    """Carries changes out, one batch after the other."""

    def __init__(
        self,
        *,
        store: Store,
        client: QuickBooksClient,
        report: RunReport,
        run_id: str,
        trigger: str,
        now: Callable[[], dt.datetime],
        sleep: Callable[[float], None] = time.sleep,
        after_batch: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._client = client
        self._report = report
        self._run_id = run_id
        self._trigger = trigger
        self._now = now
        self._sleep = sleep
        self._after_batch = after_batch

    def settle_open_intents(self, realm_id: str) -> list[Conflict]:
        """Finish what an earlier run was interrupted in: the same requests with the same ids.

        Returns:
            Changes that QuickBooks refuses now and that have to be planned again.
        """
        with self._store.reading() as connection:
            open_intents = intent_table.unsettled(connection, self._store.cipher, realm_id)
        if not open_intents:
            return []
        logger.info("Settling %d writes that an earlier run was interrupted in.", len(open_intents))
        conflicts: list[Conflict] = []
        for request_id in dict.fromkeys(intent.request_id for intent in open_intents):
            sent = [
                _Sent(from_document(intent.company, intent.stream, intent.bill_id, intent.document), intent)
                for intent in open_intents
                if intent.request_id == request_id
            ]
            conflicts.extend(self._send(sent, request_id))
        return conflicts

    def apply(self, submissions: Sequence[Submission], *, replan: bool = True) -> list[Conflict]:
        """Carry changes out.

        Args:
            submissions: The changes; those that write nothing are only recorded.
            replan: Return refusals that planning again may overcome, instead of recording failures.

        Returns:
            The refusals to plan again.
        """
        silent = [found for found in submissions if not found.change.operation.writes]
        self._record_silent(silent)
        writes = [found for found in submissions if found.change.operation.writes]
        conflicts: list[Conflict] = []
        for start in range(0, len(writes), BATCH_SIZE):
            conflicts.extend(self._write(writes[start : start + BATCH_SIZE]))
        if replan:
            return conflicts
        self._record_failures(conflicts)
        return []

    def pending_links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """None: what was written is in the store."""
        del company, entity, bill_ids
        return {}

    def record_failure(self, company: Company, failure: Failure) -> None:
        """Store a record that never got as far as planning."""
        now = self._now()
        with self._store.writing() as connection:
            failure_table.save(connection, self._store.cipher, company, failure, run_id=self._run_id, now=now)
        self._report.failed(failure)

    def _write(self, submissions: Sequence[Submission]) -> list[Conflict]:
        request_id = str(uuid.uuid4())
        sent = [
            _Sent(submission, _intent(submission, request_id, f"i{number}"))
            for number, submission in enumerate(submissions, start=1)
        ]
        with self._store.writing() as connection:
            intent_table.record(
                connection,
                self._store.cipher,
                [item.intent for item in sent],
                run_id=self._run_id,
                now=self._now(),
            )
        return self._send(sent, request_id)

    def _send(self, sent: Sequence[_Sent], request_id: str) -> list[Conflict]:
        """Send a batch whose intents are on disk, repeat what was not decided, record the outcomes."""
        conflicts: list[Conflict] = []
        remaining = list(sent)
        for attempt in range(_ITEM_ATTEMPTS):
            try:
                answer = self._client.batch([_batch_item(item) for item in remaining], request_id=request_id)
            except Refused as refused:
                return conflicts + self._divide(remaining, refused)
            decided: list[tuple[_Sent, Mapping[str, Any], list[Fault]]] = []
            undecided: list[_Sent] = []
            for item in remaining:
                found = answer.by_id.get(item.intent.batch_item_id, {})
                faults = faults_in(found, tid=answer.tid)
                if _is_decided(item, found, faults):
                    decided.append((item, found, faults))
                else:
                    undecided.append(item)
            conflicts.extend(self._record_outcomes(decided, answer.tid))
            _stop_if_told_to(decided)
            self._after_batch()
            if not undecided:
                return conflicts
            remaining = undecided
            self._sleep(min(2**attempt, 30))
        msg = (
            f"QuickBooks did not decide on {len(remaining)} of {len(sent)} writes, e.g. "
            f"{remaining[0].submission.item.mapped.label}. They are on record; the next run settles them."
        )
        raise TemporaryError(msg)

    def _divide(self, sent: Sequence[_Sent], refused: Refused) -> list[Conflict]:
        """A refused request touched nothing: find the item that made it so, let the others pass."""
        if len(sent) == 1:
            return self._record_outcomes([(sent[0], {}, list(refused.faults))], refused.faults[0].tid)
        now = self._now()
        with self._store.writing() as connection:
            for item in sent:
                intent_table.settle(connection, item.intent, Outcome.ABANDONED, now=now)
        middle = len(sent) // 2
        submissions = [item.submission for item in sent]
        return self._write(submissions[:middle]) + self._write(submissions[middle:])

    def _record_outcomes(
        self, decided: Sequence[tuple[_Sent, Mapping[str, Any], list[Fault]]], tid: str
    ) -> list[Conflict]:
        conflicts: list[Conflict] = []
        now = self._now()
        entries: list[Entry] = []
        with self._store.writing() as connection:
            for item, answer, faults in decided:
                submission, change = item.submission, item.submission.change
                if not faults:
                    stored = answer.get(change.item.mapped.entity) or {}
                    link = link_after(change, stored)
                    link_table.save(connection, submission.company, link, now=now)
                    intent_table.settle(connection, item.intent, Outcome.APPLIED, now=now, intuit_tid=tid)
                    failure_table.resolve(
                        connection, submission.company, change.item.stream, [change.item.bill_id], now=now
                    )
                    entries.append(_entry(submission, "applied", item.intent, tid, link.quickbooks_id))
                    self._report.done(change, stored)
                    continue
                fault = faults[0]
                intent_table.settle(
                    connection, item.intent, Outcome.REFUSED, now=now, fault_code=fault.code, intuit_tid=tid
                )
                entries.append(_entry(submission, "refused", item.intent, tid, detail=fault.text))
                if fault.recovery in _REPLANNED or _location_refused(change, fault):
                    conflicts.append(Conflict(submission, fault))
                elif fault.recovery is not Recovery.STOP:
                    self._fail(connection, submission, faults, now)
            self._append(connection, entries, now)
        return conflicts

    def _record_failures(self, conflicts: Sequence[Conflict]) -> None:
        if not conflicts:
            return
        now = self._now()
        with self._store.writing() as connection:
            for conflict in conflicts:
                self._fail(connection, conflict.submission, [conflict.fault], now)

    def _fail(
        self, connection: Any, submission: Submission, faults: Sequence[Fault], now: dt.datetime
    ) -> None:
        change = submission.change
        explanation = explain(faults[0], change.item.mapped.label)
        failure = failure_of(
            submission,
            code=explanation.code,
            reason=explanation.reason,
            advice=explanation.advice,
            faults=faults,
        )
        failure_table.save(
            connection, self._store.cipher, submission.company, failure, run_id=self._run_id, now=now
        )
        self._report.failed(failure)

    def _record_silent(self, submissions: Sequence[Submission]) -> None:
        """Skips, links without a write, and refusals by mapping or policy."""
        if not submissions:
            return
        now = self._now()
        entries: list[Entry] = []
        with self._store.writing() as connection:
            for submission in submissions:
                change = submission.change
                item = change.item
                self._report.done(change)
                if change.operation is Operation.BLOCKED:
                    failure = failure_of(
                        submission, code=change.code, reason=change.reason, advice=change.advice
                    )
                    failure_table.save(
                        connection,
                        self._store.cipher,
                        submission.company,
                        failure,
                        run_id=self._run_id,
                        now=now,
                    )
                    self._report.failed(failure)
                    entries.append(_entry(submission, "blocked", detail=change.reason))
                    continue
                if change.operation is Operation.LINK:
                    link_table.save(connection, submission.company, link_after(change), now=now)
                    entries.append(
                        _entry(
                            submission, "applied", quickbooks_id=change.quickbooks_id, detail=change.reason
                        )
                    )
                elif item.link:
                    link_table.remember_source(
                        connection,
                        submission.company,
                        item.mapped.entity,
                        [(item.bill_id, item.source_digest)],
                    )
                failure_table.resolve(connection, submission.company, item.stream, [item.bill_id], now=now)
            self._append(connection, entries, now)

    def _append(self, connection: Any, entries: Iterable[Entry], now: dt.datetime) -> None:
        audit_table.append(connection, entries, run_id=self._run_id, trigger=self._trigger, now=now)


def _intent(submission: Submission, request_id: str, batch_item_id: str) -> Intent:
    change = submission.change
    return Intent(
        company=submission.company,
        stream=change.item.stream,
        bill_id=change.item.bill_id,
        entity=change.item.mapped.entity,
        operation=str(change.operation),
        payload_digest=change.item.payload_digest,
        request_id=request_id,
        batch_item_id=batch_item_id,
        document=to_document(submission),
    )


def _batch_item(item: _Sent) -> dict[str, Any]:
    change = item.submission.change
    operation = "create" if change.operation is Operation.CREATE else "update"
    return {
        "bId": item.intent.batch_item_id,
        "operation": operation,
        change.item.mapped.entity: change.body,
    }


def _is_decided(item: _Sent, answer: Mapping[str, Any], faults: Sequence[Fault]) -> bool:
    """Faults that pass, and an answer without the object, say nothing about the write."""
    if faults:
        return faults[0].recovery not in _PASSING
    stored = answer.get(item.submission.item.mapped.entity)
    return isinstance(stored, Mapping) and bool(stored.get("Id"))


def _stop_if_told_to(decided: Sequence[tuple[_Sent, Mapping[str, Any], list[Fault]]]) -> None:
    """A refusal of the company is no failure of the record: the run ends, and the record comes again."""
    for item, _, faults in decided:
        if faults and faults[0].recovery is Recovery.STOP:
            raise company_refused(item.submission.company.realm_id, faults[0])


def _location_refused(change: Change, fault: Fault) -> bool:
    """Whether the document's location may be what QuickBooks does not accept (manual 6.2, DepartmentRef)."""
    return fault.code in {"2010", "5030"} and "DepartmentRef" in change.body


def _entry(
    submission: Submission,
    outcome: str,
    intent: Intent | None = None,
    tid: str = "",
    quickbooks_id: str = "",
    *,
    detail: str = "",
) -> Entry:
    change = submission.change
    created = change.operation is Operation.CREATE
    before = {found.field: found.before for found in change.differences}
    after = {found.field: found.after for found in change.differences}
    return Entry(
        company=submission.company,
        stream=change.item.stream,
        bill_id=change.item.bill_id,
        version=change.item.version,
        entity=change.item.mapped.entity,
        quickbooks_id=quickbooks_id or change.quickbooks_id,
        operation=str(change.operation),
        outcome=outcome,
        before=None if created or not before else before,
        after=dict(change.body) if created else (after or None),
        request_id=intent.request_id if intent else "",
        intuit_tid=tid,
        detail=detail,
    )
