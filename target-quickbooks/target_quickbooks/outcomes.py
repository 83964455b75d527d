"""What became of changes, to disk: links, failures, settled intents and history in one transaction each.

A record that fails as it failed before adds nothing to the history; its failure counts the attempts.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from target_quickbooks.batches import Decided, Sent
from target_quickbooks.changes import Conflict, Submission, link_after
from target_quickbooks.failures import failure_of, unanswered
from target_quickbooks.links import Company, Link
from target_quickbooks.planning import Change, Operation
from target_quickbooks.quickbooks.explanations import explain
from target_quickbooks.quickbooks.faults import Fault, Recovery
from target_quickbooks.report import RunReport
from target_quickbooks.store import audit_table, failure_table, intent_table, link_table, locks
from target_quickbooks.store.audit_table import Entry
from target_quickbooks.store.database import Store
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.store.intent_table import Intent, Outcome

_REPLANNED = frozenset({Recovery.REREAD, Recovery.NAME_TAKEN, Recovery.NUMBER_TAKEN, Recovery.CLOSED})


class Outcomes:
    """Records, for one run, what became of its changes."""

    def __init__(
        self, *, store: Store, report: RunReport, run_id: str, trigger: str, now: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._report = report
        self._run_id = run_id
        self._trigger = trigger
        self._now = now

    def decided(self, decided: Sequence[Decided], tid: str) -> list[Conflict]:
        """Record what QuickBooks decided on; return the refusals that planning again may overcome."""
        conflicts: list[Conflict] = []
        now = self._now()
        with self._alone(one.item.submission.company for one in decided) as connection:
            applied = [one for one in decided if not one.faults]
            entries = self._applied(connection, applied, tid, now)
            for one in decided:
                if not one.faults:
                    continue
                item, fault = one.item, one.faults[0]
                intent_table.settle(
                    connection, item.intent, Outcome.REFUSED, now=now, fault_code=fault.code, intuit_tid=tid
                )
                entry = _entry(item.submission, "refused", item.intent, tid, detail=fault.text)
                entries += self._if_news(connection, entry)
                if (
                    one.unsure
                    or fault.recovery in _REPLANNED
                    or _location_refused(item.submission.change, fault)
                ):
                    conflicts.append(Conflict(item.submission, fault))
                elif fault.recovery is not Recovery.STOP:
                    self._refused(connection, item.submission, one.faults, now)
            self._append(connection, entries, now)
        return conflicts

    def _applied(
        self, connection: Connection, applied: Sequence[Decided], tid: str, now: dt.datetime
    ) -> list[Entry]:
        """Record all together what went through: statements cost more than rows."""
        entries: list[Entry] = []
        saved: list[tuple[Company, Link]] = []
        for one in applied:
            submission, change = one.item.submission, one.item.submission.change
            stored = one.answer.get(change.item.mapped.entity) or {}
            link = link_after(change, stored)
            saved.append((submission.company, link))
            self._report.done(change, stored)
            detail = "found in QuickBooks after its answer was lost" if one.found else ""
            entries.append(
                _entry(submission, "applied", one.item.intent, tid, link.quickbooks_id, detail=detail)
            )
        link_table.save_all(connection, saved, now=now)
        intents = [one.item.intent for one in applied]
        intent_table.settle_all(connection, intents, Outcome.APPLIED, now=now, intuit_tid=tid)
        self._resolve(connection, [one.item.submission for one in applied], now)
        return entries

    @staticmethod
    def _resolve(connection: Connection, done: Iterable[Submission], now: dt.datetime) -> None:
        """These records went through, whatever failed before."""
        ids: defaultdict[tuple[Company, str], list[str]] = defaultdict(list)
        for found in done:
            ids[found.company, found.item.stream].append(found.item.bill_id)
        for (company, stream), bill_ids in ids.items():
            failure_table.resolve(connection, company, stream, bill_ids, now=now)

    def conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Record as failures what planning again could not overcome."""
        if not conflicts:
            return
        now = self._now()
        with self._alone(conflict.submission.company for conflict in conflicts) as connection:
            for conflict in conflicts:
                self._refused(connection, conflict.submission, [conflict.fault], now)

    def unanswered(self, items: Sequence[Sent], trouble: str) -> None:
        """Record as failures what QuickBooks' servers fail over each time, while others go through."""
        now = self._now()
        with self._alone(item.submission.company for item in items) as connection:
            entries: list[Entry] = []
            for item in items:
                intent_table.settle(connection, item.intent, Outcome.ABANDONED, now=now)
                failure = unanswered(item.submission, trouble)
                entry = _entry(item.submission, "refused", item.intent, detail=f"not answered: {trouble}")
                entries += self._if_news(connection, entry)
                self._save(connection, item.submission.company, failure, now)
            self._append(connection, entries, now)

    def silent(self, submissions: Sequence[Submission]) -> None:
        """Record skips, links without a write, and refusals by mapping or policy."""
        if not submissions:
            return
        now = self._now()
        entries: list[Entry] = []
        through: list[Submission] = []
        saved: list[tuple[Company, Link]] = []
        seen: defaultdict[tuple[Company, str], list[tuple[str, str]]] = defaultdict(list)
        with self._alone(submission.company for submission in submissions) as connection:
            for submission in submissions:
                change, item, company = submission.change, submission.item, submission.company
                self._report.done(change)
                if change.operation is Operation.BLOCKED:
                    entries += self._if_news(connection, _entry(submission, "blocked", detail=change.reason))
                    failure = failure_of(
                        submission, code=change.code, reason=change.reason, advice=change.advice
                    )
                    self._save(connection, company, failure, now)
                    continue
                through.append(submission)
                if change.operation is Operation.LINK:
                    saved.append((company, link_after(change)))
                    entries.append(
                        _entry(
                            submission, "applied", quickbooks_id=change.quickbooks_id, detail=change.reason
                        )
                    )
                elif item.link:
                    seen[company, item.mapped.entity].append((item.bill_id, item.source_digest))
            link_table.save_all(connection, saved, now=now)
            for (company, entity), digests in seen.items():
                link_table.remember_source(connection, company, entity, digests)
            self._resolve(connection, through, now)
            self._append(connection, entries, now)

    def failure(self, company: Company, failure: Failure) -> None:
        """Record a record that never got as far as planning."""
        with self._alone([company]) as connection:
            self._save(connection, company, failure, self._now())

    def abandon(self, sent: Sequence[Sent], anew: Sequence[Intent] = ()) -> None:
        """Record that requests are not repeated, and the intents that take their place."""
        now = self._now()
        with self._store.writing() as connection:
            for item in sent:
                intent_table.settle(connection, item.intent, Outcome.ABANDONED, now=now)
            if anew:
                intent_table.record(connection, self._store.cipher, anew, run_id=self._run_id)

    def intend(self, intents: Sequence[Intent]) -> None:
        """Record what is about to be sent."""
        self.abandon((), intents)

    def _alone(self, companies: Iterable[Company]) -> AbstractContextManager[Connection]:
        """A write transaction that has the history and the failures of companies for itself."""
        return self._store.writing(*{locks.company(company.realm_id) for company in companies})

    def _refused(
        self, connection: Connection, submission: Submission, faults: Sequence[Fault], now: dt.datetime
    ) -> None:
        told = explain(faults[0], submission.item.mapped.label, submission.change.body)
        failure = failure_of(
            submission, code=told.code, reason=told.reason, advice=told.advice, faults=faults
        )
        self._save(connection, submission.company, failure, now)

    def _save(self, connection: Connection, company: Company, failure: Failure, now: dt.datetime) -> None:
        failure_table.save(connection, self._store.cipher, company, failure, run_id=self._run_id, now=now)
        self._report.failed(failure)

    def _if_news(self, connection: Connection, entry: Entry) -> list[Entry]:
        """The entry, unless the record's failure is still there and the history tells it already."""
        failed = failure_table.unsettled_ids(connection, entry.company, entry.stream, [entry.bill_id])
        return [] if failed and audit_table.tells(connection, entry) else [entry]

    def _append(self, connection: Connection, entries: Iterable[Entry], now: dt.datetime) -> None:
        audit_table.append(
            connection,
            self._store.fingerprint_key,
            entries,
            run_id=self._run_id,
            trigger=self._trigger,
            now=now,
        )


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
