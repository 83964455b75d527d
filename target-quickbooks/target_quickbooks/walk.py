"""The one way from BILL records to QuickBooks: references, vendors, bills, payments, in dependency order.

Whatever starts a write (a run, a retry, a replay) goes through here. ``flush`` returns when everything
queued so far is durable: written and recorded, or stored as a failure.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from target_quickbooks.exact_json import canonical
from target_quickbooks.failures import UNANSWERED
from target_quickbooks.ledger import BILLS, CREDITS, LEARNED_STREAMS, RECURRING
from target_quickbooks.links import Company
from target_quickbooks.mapping.source import Kind
from target_quickbooks.memory import REFERENCE_STREAMS, TRACKED_STREAMS, LastingMemory, Memory
from target_quickbooks.outlet import Outlet
from target_quickbooks.policies import Policies
from target_quickbooks.preflight import Bills
from target_quickbooks.steps.bill_step import CreditStep
from target_quickbooks.steps.learning_step import BILL_PAYMENTS
from target_quickbooks.steps.order_step import OrderStep
from target_quickbooks.steps.payment_step import PaymentStep
from target_quickbooks.steps.posting_step import PostingStep
from target_quickbooks.steps.restore_step import RESTORED_ORDERS, RestoreStep
from target_quickbooks.steps.vendor_step import VendorStep
from target_quickbooks.store import failure_table, payment_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.failure_table import Failure

#: In the order in which they are written. What payments change (``bill_payments``) and what is written again
#: because of drift (``restored_orders``) is sent by no tap.
WRITTEN_STREAMS = ("vendors", "bills", BILL_PAYMENTS, RESTORED_ORDERS)
_WITH_CREDITS = ("vendors", BILLS, CREDITS, BILL_PAYMENTS, RESTORED_ORDERS)
STREAMS = REFERENCE_STREAMS | TRACKED_STREAMS | frozenset({"vendors", "bills"})
#: So many records are taken to QuickBooks together. Bills whose payments are in the same window are written
#: once, with them; those whose payments come later, twice.
WINDOW = 1_500
_PAYING = frozenset({"payments", "vendor_credits", BILL_PAYMENTS})
#: Refusals by QuickBooks whose cause lies there and may be gone by the next run: something inactive,
#: a plan or permission, a name or number in use, an object that others were editing, its servers.
_MAY_PASS = frozenset(
    {UNANSWERED, *(f"quickbooks-{code}" for code in (610, 2500, 5010, 5020, 5030, 6140, 6220, 6240, 6430))}
)

#: The unsettled failures of a company as they are by now, made from those in the store.
Unsettled = Callable[[Company, Sequence[Failure]], Sequence[Failure]]

logger = logging.getLogger("target-quickbooks")


def written_streams(policies: Policies) -> tuple[str, ...]:
    """The streams whose records are written, in the order in which they are."""
    return _WITH_CREDITS if policies.posts_bills else WRITTEN_STREAMS


class Walk:
    """Queues records of any stream and takes them to QuickBooks."""

    def __init__(
        self,
        *,
        realm_id: str,
        run_id: str,
        store: Store,
        writer: Outlet,
        vendors: VendorStep,
        orders: OrderStep,
        payments: PaymentStep | PostingStep,
        restored: RestoreStep,
        credits_: CreditStep | None = None,
        memory: Memory | None = None,
        unsettled: Unsettled = lambda _, stored: stored,
        drift: Callable[[], None] = lambda: None,
        admits: Callable[[Company], None] = lambda _: None,
    ) -> None:
        """Wire the walk.

        Args:
            realm_id: Of the company.
            run_id: Of the run.
            store: Where failures and payments are known.
            writer: Where changes go.
            vendors: The step for vendors.
            orders: The step for bills.
            payments: The step for payments.
            restored: The step for what is written again because of drift.
            credits_: The step for vendor credits, where they are written.
            memory: Of BILL's lists; the store's if not given.
            unsettled: The unsettled failures as they are by now.
            drift: Looks for what people changed in QuickBooks.
            admits: Stops the run before it writes for a company that it must not write to.
        """
        self._realm_id = realm_id
        self._run_id = run_id
        self._store = store
        self._writer = writer
        self._vendors = vendors
        self._orders = orders
        self._payments = payments
        self._credits = credits_
        self._admits = admits
        self._admitted: set[str] = set()
        self._written = WRITTEN_STREAMS if credits_ is None else _WITH_CREDITS
        self._restored = restored
        self._drift = drift
        self._memory = memory or LastingMemory(store)
        self._unsettled = unsettled
        self._queues: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        self._invalid: list[tuple[str, Mapping[str, Any], str]] = []
        self._queued = 0
        self._organizations: set[str] = set()
        self._recurring: set[str] = set()
        self._settled = False
        self._replays = False

    @property
    def is_full(self) -> bool:
        """Whether a window's worth of records is queued."""
        return self._queued >= WINDOW

    @property
    def is_empty(self) -> bool:
        """Whether nothing is queued."""
        return self._queued == 0

    def take(self, stream: str, record: Mapping[str, Any]) -> None:
        """Queue a record."""
        organization_id = str(record["organizationId"])
        self._organizations.add(organization_id)
        self._queues[organization_id, stream].append(record)
        self._queued += 1

    def refuse(self, stream: str, record: Mapping[str, Any], reason: str) -> None:
        """Queue a record that does not fit its stream's schema, to be stored as a failure."""
        self._invalid.append((stream, record, reason))
        self._queued += 1

    def flush(self, *, last: bool = False) -> None:
        """Take everything queued to QuickBooks; on return all of it is durable.

        Args:
            last: Nothing follows.
        """
        self.settle()
        self._admit(self._organizations)
        queues, self._queues, self._queued = self._queues, defaultdict(list), 0
        self._memory.remember(queues)
        self._learn(queues)
        self._refuse_invalid()
        wanted = queues if self._replays else self._undismissed(queues)
        for company in self._paying(wanted):
            self._payments.release(company)
        vendors, bills = self._queued_of(wanted, "vendors"), self._queued_of(wanted, "bills")
        for company, records in vendors:
            self._vendors.write(company, records, lambda: self._bills(bills, last=last))
        for company, records in bills:
            self._orders.write(company, records)
        if self._credits:
            for company, records in self._queued_of(wanted, CREDITS):
                self._credits.write(company, records)
        self._follow_payments(wanted)
        for company, records in self._queued_of(wanted, RESTORED_ORDERS):
            self._restored.write(company, records)

    def finish(self) -> None:
        """Flush, see what people changed in QuickBooks, try again what failed before and may pass now."""
        self.flush(last=True)
        self._drift()
        with self._store.reading() as connection:
            waiting = failure_table.organizations(connection, self._realm_id)
            waiting |= payment_table.organizations(connection, self._realm_id)
        self._admit(waiting)
        for organization_id in sorted(waiting | self._organizations):
            company = Company(self._realm_id, organization_id)
            self._payments.write(company, [])
            self._retry(company)
            self._payments.recurring(company, arrived=organization_id in self._recurring)

    def _learn(self, queues: Mapping[tuple[str, str], list[Mapping[str, Any]]]) -> None:
        """Take in what is paid of bills; what is replayed was learned when BILL sent it."""
        self._recurring |= {organization_id for organization_id, stream in queues if stream == RECURRING}
        if self._replays:
            return
        arrived: defaultdict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(dict)
        for (organization_id, stream), records in queues.items():
            if stream == BILLS or stream in LEARNED_STREAMS:
                arrived[organization_id][stream] = records
        for organization_id, streams in arrived.items():
            self._payments.learn(Company(self._realm_id, organization_id), streams)

    def _follow_payments(self, queues: Mapping[tuple[str, str], list[Mapping[str, Any]]]) -> None:
        """Bring orders in step with what was learned; the bills in hand are by now."""
        for company in self._paying(queues):
            self._payments.write(company, queues.get((company.organization_id, BILL_PAYMENTS), []))

    def _paying(self, queues: Mapping[tuple[str, str], list[Mapping[str, Any]]]) -> list[Company]:
        """The companies of which something arrived that says what is paid."""
        concerned = {organization_id for organization_id, stream in queues if stream in _PAYING}
        return [Company(self._realm_id, organization_id) for organization_id in sorted(concerned)]

    def _admit(self, organizations: AbstractSet[str]) -> None:
        """Make sure, once in a run, that these companies may be written to."""
        for organization_id in sorted(organizations - self._admitted):
            self._admits(Company(self._realm_id, organization_id))
            self._admitted.add(organization_id)

    def _queued_of(
        self, queues: Mapping[tuple[str, str], list[Mapping[str, Any]]], wanted: str
    ) -> list[tuple[Company, list[Mapping[str, Any]]]]:
        """The records of a stream by company."""
        return [
            (Company(self._realm_id, organization_id), records)
            for (organization_id, stream), records in queues.items()
            if stream == wanted
        ]

    def _bills(self, queued: list[tuple[Company, list[Mapping[str, Any]]]], *, last: bool) -> Bills:
        """Whether bills follow on the vendors in hand."""
        if any(self._orders.expects(company, records) for company, records in queued):
            return Bills.EXPECTED
        return Bills.NONE if last else Bills.POSSIBLE

    def replay(self, failures: Sequence[Failure]) -> list[Failure]:
        """Take the records of failures again, whatever their cause; on return all outcomes are durable.

        Of a record that is there twice the newer version counts: what an interrupted write has left is
        newer than its failure. Bills that wait for one of the vendors come along.

        Returns:
            The failures of the bills that came along, as they were before.
        """
        self.settle()
        self._replays = True
        newer = {(*key, str(record["id"])) for key, records in self._queues.items() for record in records}
        for failure in sorted(failures, key=lambda found: self._written.index(found.stream)):
            key = (str(failure.record["organizationId"]), failure.stream, failure.bill_id)
            if key not in newer:
                self.take(failure.stream, failure.record)
            if self.is_full:
                self.flush()
        self.flush()
        followers = self._followers(failures)
        for failure in followers:
            self.take(failure.stream, failure.record)
            if self.is_full:
                self.flush()
        self.flush(last=True)
        return followers

    def _followers(self, failures: Sequence[Failure]) -> list[Failure]:
        """Failures of bills that waited for the vendors of these failures, and wait no longer."""
        numbers = {failure.id for failure in failures}
        vendors = {(found.company, found.bill_id) for found in failures if found.stream == "vendors"}
        companies = {company for company, _ in vendors if company}
        with self._store.reading() as connection:
            unsettled = [
                (company, found)
                for company in sorted(companies, key=lambda one: one.organization_id)
                for found in failure_table.unsettled(connection, self._store.cipher, company)
            ]
        return [
            found
            for company, found in unsettled
            if found.awaited
            and found.awaited.stream == "vendors"
            and (company, found.awaited.bill_id) in vendors
            and found.id not in numbers
            and self._arrived(company, found)
        ]

    def _undismissed(
        self, queues: Mapping[tuple[str, str], list[Mapping[str, Any]]]
    ) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
        """Without the records that a person has let go, as long as they are what they were then."""
        return {
            (organization_id, stream): self._still_wanted(organization_id, stream, records)
            if stream in self._written
            else records
            for (organization_id, stream), records in queues.items()
        }

    def _still_wanted(
        self, organization_id: str, stream: str, records: list[Mapping[str, Any]]
    ) -> list[Mapping[str, Any]]:
        latest = {str(record["id"]): record for record in records}
        with self._store.reading() as connection:
            dismissed = failure_table.dismissed_records(
                connection, self._store.cipher, Company(self._realm_id, organization_id), stream, latest
            )
        let_go = {
            bill_id
            for bill_id, record in dismissed.items()
            if canonical(record) == canonical(latest[bill_id])
        }
        self._orders.report.unchanged(stream, len(let_go))
        return [record for record in records if str(record["id"]) not in let_go]

    def settle(self) -> None:
        """Once in a run, before anything new is written: finish what was interrupted."""
        if self._settled:
            return
        self._settled = True
        for submission in self._writer.settle_open_intents(self._realm_id):
            company, stream = submission.company, submission.item.stream
            key = (company.organization_id, stream)
            self._queues[key].insert(0, submission.record)

    def _refuse_invalid(self) -> None:
        invalid, self._invalid = self._invalid, []
        for stream, record, reason in invalid:
            if not self._still_wanted(str(record["organizationId"]), stream, [record]):
                continue
            failure = Failure(
                stream=stream,
                bill_id=str(record["id"]),
                label=f"{stream} {record['id']}",
                code="record-invalid",
                reason=f"Record {record['id']} of {stream} does not fit its schema: {reason}.",
                advice="Find out what sends it so; with tap-bill, report it.",
                record=record,
                version=str(record.get("updatedTime") or ""),
            )
            company = Company(self._realm_id, str(record["organizationId"]))
            self._writer.record_failure(company, failure)

    def _retry(self, company: Company) -> None:
        """Try again what an earlier run, or this one, could not write for a cause that may be gone."""
        with self._store.reading() as connection:
            stored = failure_table.unsettled(connection, self._store.cipher, company)
        unsettled = self._unsettled(company, stored)
        ready = [found for found in unsettled if self._may_pass(company, found)]
        if not ready:
            return
        logger.info("Trying again %d records that could not be written before.", len(ready))
        credits_ = [self._credits] if self._credits else []
        for step in (self._vendors, self._orders, *credits_, self._payments, self._restored):
            records = [found.record for found in ready if found.stream == step.stream]
            if records:
                step.write(company, records)

    def _may_pass(self, company: Company, failure: Failure) -> bool:
        """Whether the cause may be gone.

        What waited can go on once it has what it waits for. A refusal by mapping, and some by QuickBooks,
        may pass once something changed there, but not twice in one run; the others need a change in BILL
        or a replay.
        """
        if failure.awaited:
            return self._arrived(company, failure)
        by_mapping = not failure.code.startswith(("quickbooks-", "record-"))
        return (by_mapping or failure.code in _MAY_PASS) and failure.run_id != self._run_id

    def _arrived(self, company: Company, failure: Failure) -> bool:
        """Whether what the failure waits for is known now."""
        awaited = failure.awaited
        if awaited is None:
            return True
        if awaited.stream == "vendors":
            return bool(self._vendors.links(company, "Vendor", [awaited.bill_id]))
        if awaited.stream == BILLS:
            return bool(self._orders.links(company, self._orders.entity, [awaited.bill_id]))
        if awaited.stream == CREDITS:
            return bool(
                self._credits and self._credits.links(company, self._credits.entity, [awaited.bill_id])
            )
        return bool(self._orders.references(company, [(Kind(awaited.stream), awaited.bill_id)]))
