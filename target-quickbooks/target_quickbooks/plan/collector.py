"""Stands where the writer stands in ``mode: plan``, and keeps the changes instead of carrying them out.

Nothing is written to QuickBooks, nothing is stored and no STATE is printed, so that a plan can be made at
any time and as often as wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from target_quickbooks.changes import Conflict, Submission, link_after
from target_quickbooks.failures import failure_of
from target_quickbooks.links import Company, Link
from target_quickbooks.plan.entries import PlanEntry, entry_of, entry_of_failure
from target_quickbooks.planning import Operation
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.report import RunReport
from target_quickbooks.steps.step import NEW
from target_quickbooks.store import intent_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.failure_table import Failure

_Key = tuple[Company, str, str]


class PlanCollector:
    """What a run would do."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        report: RunReport,
        run_id: str,
        bills_become: str = "PurchaseOrder",
    ) -> None:
        self._store = store
        self._directory = directory
        self._report = report
        self._run_id = run_id
        self._entities = {"vendors": "Vendor", "bills": bills_become}
        self._links: dict[_Key, Link] = {}
        self._planned: list[PlanEntry] = []
        self._blocked: dict[_Key, PlanEntry] = {}
        self._failures: dict[_Key, Failure] = {}
        self._seen: set[_Key] = set()

    @property
    def entries(self) -> list[PlanEntry]:
        """What a run would not skip, in the order in which it would be written; blocked ones last."""
        return [*self._planned, *self._blocked.values()]

    def settle_open_intents(self, realm_id: str) -> list[Submission]:
        """An interrupted run is settled by the next real one; here it is only told."""
        with self._store.reading() as connection:
            interrupted = intent_table.unsettled(connection, self._store.cipher, realm_id)
        if interrupted:
            self._report.note(
                "all",
                f"{len(interrupted)} writes",
                "an earlier run was interrupted in them; a run settles them first, which may change the plan",
            )
        return []

    def pending_links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """Links of objects that the run would have created by now."""
        keys = ((company, entity, bill_id) for bill_id in bill_ids)
        return {key[2]: self._links[key] for key in keys if key in self._links}

    def unsettled(self, company: Company, stored: Sequence[Failure]) -> Sequence[Failure]:
        """Failures as the run would have left them: what it met is as it met it."""
        untouched = [found for found in stored if (company, found.stream, found.bill_id) not in self._seen]
        return untouched + [found for key, found in self._failures.items() if key[0] == company]

    def apply(self, submissions: Sequence[Submission], *, replan: bool = True) -> list[Conflict]:
        """Keep changes; nothing is refused, because nothing is sent."""
        del replan
        for submission in submissions:
            change = submission.change
            item = change.item
            key = (submission.company, item.stream, item.bill_id)
            self._seen.add(key)
            self._blocked.pop(key, None)
            self._failures.pop(key, None)
            self._report.done(change)
            if change.operation is Operation.SKIP:
                continue
            entry = entry_of(submission, home_currency=self._home_currency, label=self._directory.label)
            if change.operation is Operation.BLOCKED:
                failure = failure_of(submission, code=change.code, reason=change.reason, advice=change.advice)
                self._fail(key, entry, failure)
            else:
                self._planned.append(entry)
                link = link_after(change, {"Id": change.quickbooks_id or NEW})
                self._links[submission.company, item.mapped.entity, item.bill_id] = link
        return []

    def record_failure(self, company: Company, failure: Failure) -> None:
        """Keep a record that would be stored as a failure."""
        entity = self._entities.get(failure.stream, "")
        self._fail((company, failure.stream, failure.bill_id), entry_of_failure(failure, entity), failure)

    def _fail(self, key: _Key, entry: PlanEntry, failure: Failure) -> None:
        self._seen.add(key)
        self._blocked[key] = entry
        self._failures[key] = replace(failure, company=key[0], run_id=self._run_id)
        self._report.failed(failure)

    @property
    def _home_currency(self) -> str:
        return self._directory.home_currency
