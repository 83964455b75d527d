"""Changes to QuickBooks, and what became of them to disk. The only writer to QuickBooks.

For each batch of 30: its intents are committed, it is sent, its outcomes are committed together (links,
failures, audit rows, settled intents). A crash at any point leaves either nothing or an open intent. Where an
earlier attempt may have been applied, its traces are looked for before a refusal is believed.

As long as batches go through, the next one is under way while the outcomes of the one before are recorded.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from target_quickbooks.batches import Decided, Sent, batch_item, decisions, intent_of
from target_quickbooks.changes import Conflict, Submission, from_document
from target_quickbooks.errors import TargetError, TemporaryError
from target_quickbooks.failures import UNANSWERED
from target_quickbooks.isolation import Patience, isolate
from target_quickbooks.links import Company, Link
from target_quickbooks.outcomes import Outcomes
from target_quickbooks.quickbooks.client import BATCH_SIZE, QuickBooksClient
from target_quickbooks.quickbooks.faults import Recovery
from target_quickbooks.quickbooks.repeating import Unanswered
from target_quickbooks.quickbooks.responses import Refused, company_refused
from target_quickbooks.quickbooks.underway import Underway
from target_quickbooks.report import RunReport
from target_quickbooks.settling import Key, Traces, key_of
from target_quickbooks.store import failure_table, intent_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.failure_table import Failure

_ITEM_ATTEMPTS = 5
#: Failures in a row of one request, by errors of QuickBooks' own, after which it is divided.
_ENOUGH_FAILURES = 5
#: So often records may be blamed in a row without anything having gone through in between.
_MOST_UNPROVEN = 2
#: So many batches are under way at a time: QuickBooks takes ten, and another one hides all work in between.
_AT_A_TIME = 2

#: A record of BILL: company, stream, id.
_Tried: TypeAlias = tuple[Company, str, str]

logger = logging.getLogger("target-quickbooks")


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch that is under way."""

    sent: Sequence[Sent]
    request_id: str
    begun: Underway


class Writer:
    """Carries changes out in batches."""

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
        max_retry_seconds: float = 300,
    ) -> None:
        self._store = store
        self._client = client
        self._outcomes = Outcomes(store=store, report=report, run_id=run_id, trigger=trigger, now=now)
        self._now = now
        self._sleep = sleep
        self._after_batch = after_batch
        self._traces = Traces(client, store)
        self._patience = Patience(max_retry_seconds, sleep=sleep)
        self._trouble = ""
        #: Whether a batch was answered in this run, and failures put down to records since the last one.
        self._answered = False
        self._unproven = 0

    def settle_open_intents(self, realm_id: str) -> list[Submission]:
        """Finish what an earlier run was interrupted in.

        What it was creating is linked if it is there, and sent with the same ids if not: the request may
        even now be under way. Updates are harmless to plan anew against what QuickBooks holds, but for those
        that added lines: whether these are there is found out first.

        Returns:
            Changes that have to be planned again.
        """
        with self._store.reading() as connection:
            open_intents = intent_table.unsettled(connection, self._store.cipher, realm_id)
        if not open_intents:
            return []
        logger.info("Settling %d writes that an earlier run was interrupted in.", len(open_intents))
        sent = [
            Sent(from_document(intent.company, intent.stream, intent.bill_id, intent.document), intent)
            for intent in open_intents
        ]
        updates = self._link_found([item for item in sent if not item.creates])
        self._outcomes.abandon(updates)
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
        self._outcomes.silent([found for found in submissions if not found.change.operation.writes])
        conflicts = self._write([found for found in submissions if found.change.operation.writes])
        if replan:
            return conflicts
        self._outcomes.conflicts(conflicts)
        return []

    def pending_links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """None: what was written is in the store."""
        del company, entity, bill_ids
        return {}

    def pending_failures(self, realm_id: str) -> list[Failure]:
        """None: what failed is in the store."""
        del realm_id
        return []

    def record_failure(self, company: Company, failure: Failure) -> None:
        """Store a record that never got as far as planning."""
        self._outcomes.failure(company, failure)

    def _write(self, submissions: Sequence[Submission]) -> list[Conflict]:
        """Send changes; return the refusals to plan again."""
        tried = self._tried_before(submissions)
        conflicts: list[Conflict] = []
        underway: deque[_Batch] = deque()
        unsent: list[Sent] = []
        try:
            for start in range(0, len(submissions), BATCH_SIZE):
                unsent, request_id = self._intended(submissions[start : start + BATCH_SIZE], tried)
                while underway and len(underway) >= self._at_a_time:
                    conflicts += self._concluded(underway.popleft())
                if unsent:
                    begun = self._client.begin([batch_item(item) for item in unsent], request_id=request_id)
                    underway.append(_Batch(unsent, request_id, begun))
                    unsent = []
            while underway:
                conflicts += self._concluded(underway.popleft())
        except BaseException as error:
            if isinstance(error, TargetError):  # raised before these were sent; of others that is not sure
                with suppress(TargetError):
                    self._outcomes.abandon(unsent)
            for batch in underway:
                self._record_applied(batch)
            raise
        return conflicts

    @property
    def _at_a_time(self) -> int:
        """How many batches may be under way: one, unless QuickBooks is known to take what it is sent."""
        return _AT_A_TIME if self._answered and not self._unproven else 1

    def _intended(
        self, submissions: Sequence[Submission], tried: Mapping[_Tried, dt.datetime]
    ) -> tuple[list[Sent], str]:
        """Put the intents of a batch to disk; what was tried in an earlier run is looked for first."""
        request_id, now = str(uuid.uuid4()), self._quickbooks_now()
        sent = [
            Sent(found, intent_of(found, request_id, number, tried.get(_key(found), now)))
            for number, found in enumerate(submissions, start=1)
        ]
        self._outcomes.intend([item.intent for item in sent])
        doubtful = [item for item in sent if _key(item.submission) in tried]
        if doubtful:
            left = self._link_found(doubtful)
            sent = [item for item in sent if item not in doubtful or item in left]
        return sent, request_id

    def _concluded(self, batch: _Batch) -> list[Conflict]:
        """Wait for the answer to a batch, and see to it until all of it is decided."""
        return self._send(batch.sent, batch.request_id, begun=batch.begun)

    def _record_applied(self, batch: _Batch) -> None:
        """Record what went through of a batch while the run comes to its end; the rest stays on record.

        Nothing is repeated: the next run settles what has no outcome yet.
        """
        with suppress(TargetError):
            items = [batch_item(item) for item in batch.sent]
            answer = self._client.batch(
                items, request_id=batch.request_id, failures=1, seconds=0, begun=batch.begun
            )
            decided, _ = decisions(batch.sent, answer)
            self._outcomes.decided([one for one in decided if not one.faults], answer.tid)

    def _send(
        self,
        sent: Sequence[Sent],
        request_id: str,
        *,
        repeated: bool = False,
        begun: Underway | None = None,
    ) -> list[Conflict]:
        """Send a batch whose intents are on disk until all of it is decided; record the outcomes.

        Args:
            sent: The items.
            request_id: Of the batch.
            repeated: Whether they were sent before under this request id.
            begun: The first attempt, if it is under way.
        """
        if not sent:
            return []
        if not self._unproven:
            self._patience.renew()
        conflicts, left = self._exchange(
            sent, request_id, failures=_ENOUGH_FAILURES, repeated=repeated, begun=begun
        )
        return conflicts + self._isolate(left) if left else conflicts

    def _exchange(
        self,
        sent: Sequence[Sent],
        request_id: str,
        *,
        failures: int,
        repeated: bool = False,
        begun: Underway | None = None,
    ) -> tuple[list[Conflict], list[Sent]]:
        """Send a batch, repeat what was not decided, record the outcomes.

        Returns:
            The refusals to plan again, and the items that QuickBooks' servers failed over so many times.
        """
        conflicts: list[Conflict] = []
        remaining = list(sent)
        for attempt in range(_ITEM_ATTEMPTS):
            try:
                answer = self._client.batch(
                    [batch_item(item) for item in remaining],
                    request_id=request_id,
                    failures=failures,
                    seconds=self._patience.left,
                    begun=begun if attempt == 0 else None,
                )
            except Unanswered as trouble:
                self._patience.spend(trouble.slept)
                self._trouble = trouble.reason
                return conflicts, remaining
            except Refused as refused:
                alone = len(remaining) == 1
                if repeated or refused.repeated or refused.faults[0].is_unexplained:
                    remaining = self._link_found(remaining)
                return conflicts + self._divide(remaining, refused, alone=alone), []
            self._answered, self._unproven = True, 0
            self._patience.renew()
            repeated = repeated or answer.repeated
            decided, undecided = decisions(remaining, answer)
            if repeated:
                decided = self._second_look(decided)
            conflicts.extend(self._outcomes.decided(decided, answer.tid))
            _stop_if_told_to(decided)
            self._after_batch()
            if not undecided:
                return conflicts, []
            remaining, repeated = undecided, True
            self._sleep(min(2**attempt, 30))
        msg = (
            f"QuickBooks did not decide on {len(remaining)} of {len(sent)} writes, e.g. "
            f"{remaining[0].submission.item.mapped.label}. They are on record; the next run settles them."
        )
        raise TemporaryError(msg)

    def _isolate(self, sent: Sequence[Sent]) -> list[Conflict]:
        """Part the records that QuickBooks' servers fail over from those that they take.

        Each part is a request of its own, sent after a look whether it was applied before. Where nothing
        goes through, the run ends; a record that is alone in its batch is let be once, if QuickBooks can
        be read.

        Raises:
            TemporaryError: QuickBooks is down.
        """
        logger.info("QuickBooks keeps failing over a batch of %d; looking for the cause.", len(sent))
        conflicts: list[Conflict] = []

        def attempt(part: Sequence[Sent]) -> tuple[Sequence[Sent], bool]:
            with self._client.limited(self._patience.left):
                lost = self._link_found(part)
            if not lost:
                return [], False
            again, request_id = self._anew(lost)
            found, left = self._exchange(again, request_id, failures=1)
            conflicts.extend(found)
            return left, len(left) < len(again)

        works = self._answered and self._unproven < _MOST_UNPROVEN
        result = isolate(sent, attempt, patience=self._patience, works=works)
        culprits, untold = result.culprits, result.untold
        if len(sent) == 1 and not self._unproven:
            culprits, untold = [*culprits, *untold], []
        if culprits:
            with self._client.limited(self._patience.left):
                self._client.query("SELECT * FROM CompanyInfo")  # fails if it is QuickBooks that is down
                self._outcomes.unanswered(self._link_found(culprits), self._trouble)
            self._unproven += 1
        if untold:
            msg = f"QuickBooks kept failing ({self._trouble}). Nothing is lost: run again later."
            raise TemporaryError(msg)
        return conflicts

    def _anew(self, sent: Sequence[Sent]) -> tuple[list[Sent], str]:
        """The same items as a new request: no remembered answer may be replayed for a part."""
        request_id = str(uuid.uuid4())
        again = [
            replace(item, intent=intent_of(item.submission, request_id, number, item.intent.created_at))
            for number, item in enumerate(sent, start=1)
        ]
        self._outcomes.abandon(sent, [item.intent for item in again])
        return again, request_id

    def _divide(self, sent: Sequence[Sent], refused: Refused, *, alone: bool) -> list[Conflict]:
        """A refused request touched nothing: find the item that made it so, let the others pass."""
        if not sent:
            return []
        if alone:
            return self._outcomes.decided([Decided(sent[0], {}, refused.faults)], refused.faults[0].tid)
        conflicts: list[Conflict] = []
        middle = len(sent) // 2
        parts = [self._anew(part) for part in (sent[:middle], sent[middle:]) if part]
        for part, request_id in parts:
            conflicts += self._send(part, request_id)
        return conflicts

    def _link_found(self, sent: Sequence[Sent]) -> list[Sent]:
        """Record as applied what an earlier attempt created or extended; return what left no trace."""
        traces = self._find(sent)
        found = [
            Decided(item, {item.intent.entity: traces[key_of(item.intent)]}, found=True)
            for item in sent
            if key_of(item.intent) in traces
        ]
        if found:
            self._outcomes.decided(found, "")
        applied = {id(one.item) for one in found}
        return [item for item in sent if id(item) not in applied]

    def _find(self, sent: Sequence[Sent]) -> dict[Key, Mapping[str, Any]]:
        """The live objects that these items created, or added lines to."""
        traces = self._traces.find([item.intent for item in sent if item.creates])
        extending = [item.intent for item in sent if item.adds_lines]
        return traces | (self._traces.extended(extending) if extending else {})

    def _second_look(self, decided: Sequence[Decided]) -> list[Decided]:
        """Refusals of a repeated request, unless an earlier attempt turns out to have been applied."""
        refused = [one.item for one in decided if one.faults and one.faults[0].recovery is not Recovery.STOP]
        traces = self._find(refused) if refused else {}
        looked: list[Decided] = []
        for one in decided:
            trace = traces.get(key_of(one.item.intent)) if one.faults else None
            if trace:
                looked.append(Decided(one.item, {one.item.intent.entity: trace}, found=True))
            else:
                repetition = bool(one.faults) and one.faults[0].may_be_repetition
                looked.append(replace(one, unsure=repetition and not one.item.creates))
        return looked

    def _quickbooks_now(self) -> dt.datetime:
        """The time by QuickBooks' clock, or by ours if that is behind: traces must not look too old."""
        now = self._now()
        return min(now, now - self._client.clock_ahead)

    def _tried_before(self, submissions: Sequence[Submission]) -> dict[_Tried, dt.datetime]:
        """Of these changes, those that QuickBooks never answered in an earlier run, and since when."""
        ids: defaultdict[tuple[Company, str], list[str]] = defaultdict(list)
        for found in submissions:
            ids[found.company, found.item.stream].append(found.item.bill_id)
        with self._store.reading() as connection:
            return {
                (company, stream, bill_id): since
                for (company, stream), wanted in ids.items()
                for bill_id, since in failure_table.first_seen(
                    connection, company, stream, wanted, UNANSWERED
                ).items()
            }


def _key(found: Submission) -> _Tried:
    return found.company, found.item.stream, found.item.bill_id


def _stop_if_told_to(decided: Sequence[Decided]) -> None:
    """A refusal of the company is no failure of the record: the run ends, and the record comes again."""
    for one in decided:
        if one.faults and one.faults[0].recovery is Recovery.STOP:
            raise company_refused(one.item.submission.company.realm_id, one.faults[0])
