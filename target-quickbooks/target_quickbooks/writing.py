"""Changes to QuickBooks, and what became of them to disk. The only writer to QuickBooks.

For each batch of 30: its intents are committed, it is sent, its outcomes are committed together (links,
failures, audit rows, settled intents). A crash at any point leaves either nothing or an open intent. Where an
earlier attempt may have been applied, its traces are looked for before a refusal is believed.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from target_quickbooks.settling import Traces, key_of
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

    @property
    def creates(self) -> bool:
        """Whether applying it twice would make two objects."""
        return self.submission.change.operation is Operation.CREATE


@dataclass(frozen=True, slots=True)
class _Decided:
    """An item that QuickBooks decided on: the answer, and the faults in it.

    Attributes:
        found: The answer is not the request's own but the object that was found to be there.
        unsure: The refusal may only mean that an earlier attempt was applied.
    """

    item: _Sent
    answer: Mapping[str, Any]
    faults: Sequence[Fault] = ()
    found: bool = False
    unsure: bool = False


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
        self._traces = Traces(client, store)

    def settle_open_intents(self, realm_id: str) -> list[Submission]:
        """Finish what an earlier run was interrupted in.

        What it was creating is linked if it is there, and sent with the same ids if not: the request may
        even now be under way. Updates are harmless to plan anew against what QuickBooks holds.

        Returns:
            Changes that have to be planned again.
        """
        with self._store.reading() as connection:
            open_intents = intent_table.unsettled(connection, self._store.cipher, realm_id)
        if not open_intents:
            return []
        logger.info("Settling %d writes that an earlier run was interrupted in.", len(open_intents))
        sent = [
            _Sent(from_document(intent.company, intent.stream, intent.bill_id, intent.document), intent)
            for intent in open_intents
        ]
        updates = [item for item in sent if not item.creates]
        self._abandon(updates)
        lost = self._link_found([item for item in sent if item.creates])
        conflicts: list[Conflict] = []
        for request_id in dict.fromkeys(item.intent.request_id for item in lost):
            again = [item for item in lost if item.intent.request_id == request_id]
            conflicts.extend(self._send(again, request_id, repeated=True))
        return [item.submission for item in updates] + [conflict.submission for conflict in conflicts]

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
        request_id, now = str(uuid.uuid4()), self._now()
        sent = [
            _Sent(submission, _intent(submission, request_id, f"i{number}", now))
            for number, submission in enumerate(submissions, start=1)
        ]
        with self._store.writing() as connection:
            intents = [item.intent for item in sent]
            intent_table.record(connection, self._store.cipher, intents, run_id=self._run_id)
        return self._send(sent, request_id)

    def _send(self, sent: Sequence[_Sent], request_id: str, *, repeated: bool = False) -> list[Conflict]:
        """Send a batch whose intents are on disk, repeat what was not decided, record the outcomes.

        Args:
            sent: The items.
            request_id: Of the batch.
            repeated: Whether they were sent before under this request id.
        """
        conflicts: list[Conflict] = []
        remaining = list(sent)
        for attempt in range(_ITEM_ATTEMPTS):
            try:
                answer = self._client.batch([_batch_item(item) for item in remaining], request_id=request_id)
            except Refused as refused:
                if repeated or refused.repeated:
                    remaining = self._link_found(remaining)
                return conflicts + self._divide(remaining, refused)
            repeated = repeated or answer.repeated
            decided: list[_Decided] = []
            undecided: list[_Sent] = []
            for item in remaining:
                found = answer.by_id.get(item.intent.batch_item_id, {})
                faults = faults_in(found, tid=answer.tid)
                if _is_decided(item, found, faults):
                    decided.append(_Decided(item, found, faults))
                else:
                    undecided.append(item)
            if repeated:
                decided = self._second_look(decided)
            conflicts.extend(self._record_outcomes(decided, answer.tid))
            _stop_if_told_to(decided)
            self._after_batch()
            if not undecided:
                return conflicts
            remaining, repeated = undecided, True
            self._sleep(min(2**attempt, 30))
        msg = (
            f"QuickBooks did not decide on {len(remaining)} of {len(sent)} writes, e.g. "
            f"{remaining[0].submission.item.mapped.label}. They are on record; the next run settles them."
        )
        raise TemporaryError(msg)

    def _divide(self, sent: Sequence[_Sent], refused: Refused) -> list[Conflict]:
        """A refused request touched nothing: find the item that made it so, let the others pass."""
        if not sent:
            return []
        if len(sent) == 1:
            return self._record_outcomes([_Decided(sent[0], {}, refused.faults)], refused.faults[0].tid)
        self._abandon(sent)
        middle = len(sent) // 2
        submissions = [item.submission for item in sent]
        return self._write(submissions[:middle]) + self._write(submissions[middle:])

    def _abandon(self, sent: Sequence[_Sent]) -> None:
        now = self._now()
        with self._store.writing() as connection:
            for item in sent:
                intent_table.settle(connection, item.intent, Outcome.ABANDONED, now=now)

    def _link_found(self, sent: Sequence[_Sent]) -> list[_Sent]:
        """Record as applied what an earlier attempt created; return what left no trace."""
        traces = self._traces.find([item.intent for item in sent if item.creates])
        found = [
            _Decided(item, {item.intent.entity: traces[key_of(item.intent)]}, found=True)
            for item in sent
            if key_of(item.intent) in traces
        ]
        if found:
            self._record_outcomes(found, "")
        return [item for item in sent if key_of(item.intent) not in traces]

    def _second_look(self, decided: Sequence[_Decided]) -> list[_Decided]:
        """Refusals of a repeated request, unless an earlier attempt turns out to have been applied."""
        refused = [
            one.item.intent
            for one in decided
            if one.faults and one.item.creates and one.faults[0].recovery is not Recovery.STOP
        ]
        traces = self._traces.find(refused) if refused else {}
        looked: list[_Decided] = []
        for one in decided:
            trace = traces.get(key_of(one.item.intent)) if one.faults else None
            if trace:
                looked.append(_Decided(one.item, {one.item.intent.entity: trace}, found=True))
            else:
                repetition = bool(one.faults) and one.faults[0].may_be_repetition
                looked.append(replace(one, unsure=repetition and not one.item.creates))
        return looked

    def _record_outcomes(self, decided: Sequence[_Decided], tid: str) -> list[Conflict]:
        conflicts: list[Conflict] = []
        now = self._now()
        entries: list[Entry] = []
        with self._store.writing() as connection:
            for one in decided:
                item, faults = one.item, one.faults
                submission, change = item.submission, item.submission.change
                if not faults:
                    stored = one.answer.get(change.item.mapped.entity) or {}
                    link = link_after(change, stored)
                    link_table.save(connection, submission.company, link, now=now)
                    intent_table.settle(connection, item.intent, Outcome.APPLIED, now=now, intuit_tid=tid)
                    failure_table.resolve(
                        connection, submission.company, change.item.stream, [change.item.bill_id], now=now
                    )
                    detail = "found in QuickBooks after its answer was lost" if one.found else ""
                    entries.append(
                        _entry(submission, "applied", item.intent, tid, link.quickbooks_id, detail=detail)
                    )
                    self._report.done(change, stored)
                    continue
                fault = faults[0]
                intent_table.settle(
                    connection, item.intent, Outcome.REFUSED, now=now, fault_code=fault.code, intuit_tid=tid
                )
                entries.append(_entry(submission, "refused", item.intent, tid, detail=fault.text))
                if one.unsure or fault.recovery in _REPLANNED or _location_refused(change, fault):
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
        audit_table.append(
            connection,
            self._store.fingerprint_key,
            entries,
            run_id=self._run_id,
            trigger=self._trigger,
            now=now,
        )


def _intent(submission: Submission, request_id: str, batch_item_id: str, now: dt.datetime) -> Intent:
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
        created_at=now,
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


def _stop_if_told_to(decided: Sequence[_Decided]) -> None:
    """A refusal of the company is no failure of the record: the run ends, and the record comes again."""
    for one in decided:
        if one.faults and one.faults[0].recovery is Recovery.STOP:
            raise company_refused(one.item.submission.company.realm_id, one.faults[0])


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
