"""Puts the parts of a run together. The one place that knows them all."""

from __future__ import annotations

import datetime as dt
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from target_quickbooks.adoption.decisions import Adoptions, read_adoptions
from target_quickbooks.adoption.planned import NotingMemory, PlannedProposals
from target_quickbooks.adoption.proposals import Proposals
from target_quickbooks.adoption.records import Records
from target_quickbooks.drift.search import Search
from target_quickbooks.drift.watch import Watch
from target_quickbooks.gate import Gate
from target_quickbooks.kind_of_books import admit
from target_quickbooks.ledger import LastingLedger, Ledger, PassingLedger
from target_quickbooks.memory import LastingMemory, Memory, PassingMemory
from target_quickbooks.outlet import Outlet
from target_quickbooks.plan.collector import PlanCollector
from target_quickbooks.policies import Policies, VendorConflict
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.quickbooks.governor import Governor, log_long_wait
from target_quickbooks.quickbooks.oauth import TokenSource, utc_now
from target_quickbooks.reconcile.survey import Survey
from target_quickbooks.report import RunReport
from target_quickbooks.run_lease import RunLease
from target_quickbooks.settings import Settings
from target_quickbooks.settings_schema import Mode
from target_quickbooks.steps.bill_step import BillNoteStep, BillRestoreStep, BillStep, CreditStep
from target_quickbooks.steps.linked_vendors import LinkedVendors
from target_quickbooks.steps.order_step import OrderStep
from target_quickbooks.steps.payment_step import PaymentStep
from target_quickbooks.steps.posting_step import PostingStep
from target_quickbooks.steps.restore_step import RestoreStep
from target_quickbooks.steps.vendor_step import VendorStep
from target_quickbooks.store import connection_table
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import Store, open_store
from target_quickbooks.store.quota_table import StoredLedger
from target_quickbooks.walk import Walk
from target_quickbooks.writing import Writer


@dataclass(frozen=True, slots=True)
class Run:
    """The parts of one run."""

    settings: Settings
    store: Store
    client: QuickBooksClient
    directory: Directory
    walk: Walk
    report: RunReport
    plan: PlanCollector | None
    survey: Survey | None
    trigger: str
    id: str
    lease: RunLease | None
    proposals: PlannedProposals | None = None
    watch: Watch | None = None

    @property
    def intake(self) -> Walk | Survey:
        """What takes the records that arrive."""
        return self.survey or self.walk

    @property
    def only_reads(self) -> bool:
        """Whether it is a plan or a reconciliation: STATE is for runs that write."""
        return self.plan is not None or self.survey is not None

    def close(self) -> None:
        """Let the next run begin, and close the store."""
        if self.survey:
            self.survey.staging.close()
        if self.proposals:
            self.proposals.close()
        if self.lease:
            self.lease.release()
        self.store.close()


def assemble(
    settings: Settings,
    *,
    sleep: Callable[[float], None] = time.sleep,
    after_batch: Callable[[], None] = lambda: None,
    trigger: str = "",
) -> Run:
    """Open the store, wait for another run on the same company to end, and wire a run.

    A run that only plans writes nothing and waits for nobody.

    Args:
        settings: The settings.
        sleep: How to wait; may raise to interrupt the wait.
        after_batch: Called whenever a batch's outcomes are on disk; may raise to stop the run there.
        trigger: Who or what starts the run, for the audit trail; found out if not given.

    Raises:
        RunConflict: Another run did not end in time.
        SettingsError: The file of ``adoptions_path`` cannot be used.
    """
    plans = settings.mode is Mode.PLAN
    path = None if settings.mode is Mode.RECONCILE else settings.adoptions_path
    proposes = plans and path is not None and not path.exists()
    adoptions = read_adoptions(path) if path and not proposes else None
    store = open_store(settings.store_url, Cipher(settings.encryption_keys))
    run_id, trigger = str(uuid.uuid4()), trigger or _trigger()
    lease = None if plans else _lease(settings, store, run_id, sleep)
    report = RunReport()
    client = _client(settings, store, lease, sleep)
    directory = Directory(client)
    plan = _plan(settings, store, directory, report, run_id) if plans else None
    writer: Outlet = plan or Writer(
        store=store,
        client=client,
        report=report,
        run_id=run_id,
        trigger=trigger,
        now=utc_now,
        sleep=sleep,
        after_batch=after_batch,
        max_retry_seconds=settings.max_retry_seconds,
    )
    memory: Memory = PassingMemory(store) if plans else LastingMemory(store)
    proposals = None
    if path and proposes:
        records = Records()
        memory = NotingMemory(memory, records)
        proposals = _proposals(settings, store, client, records, path)
    gate = _gate(settings, store, directory, report)
    ledger = PassingLedger(store, utc_now) if plans else LastingLedger(store, utc_now)
    steps = _steps(
        settings.policies,
        (store, directory, writer, settings.policies, report, memory, gate, plans, ledger, adoptions),
    )
    watch = None
    if settings.mode is Mode.SYNC:
        linked = LinkedVendors(store, directory, writer, report, witnesses=steps.orders.entity)
        watch = _watch(settings, store, client, directory, linked, (steps.vendors, steps.restored), report)
    walk = Walk(
        realm_id=settings.realm_id,
        run_id=run_id,
        store=store,
        writer=writer,
        vendors=steps.vendors,
        orders=steps.orders,
        payments=steps.payments,
        credits_=steps.credits_,
        restored=steps.restored,
        memory=memory,
        unsettled=plan.unsettled if plan else lambda _, stored: stored,
        drift=watch or (lambda: None),
        admits=lambda company: admit(store, company, settings.policies),
    )
    survey = _survey(settings, store, client, directory) if settings.mode is Mode.RECONCILE else None
    return Run(
        settings=settings,
        store=store,
        client=client,
        directory=directory,
        walk=walk,
        report=report,
        plan=plan,
        survey=survey,
        trigger=trigger,
        id=run_id,
        lease=lease,
        proposals=proposals,
        watch=watch,
    )


def _client(
    settings: Settings, store: Store, lease: RunLease | None, sleep: Callable[[float], None]
) -> QuickBooksClient:
    return QuickBooksClient(
        api_url=settings.api_url,
        realm_id=settings.realm_id,
        tokens=TokenSource(settings, store, sleep=sleep),
        governor=Governor(
            StoredLedger(store, settings.realm_id),
            sleep=sleep,
            on_wait=log_long_wait,
            before_start=lease.check if lease else lambda: None,
        ),
        user_agent=settings.user_agent,
        max_retry_seconds=settings.max_retry_seconds,
        sleep=sleep,
    )


def _plan(
    settings: Settings, store: Store, directory: Directory, report: RunReport, run_id: str
) -> PlanCollector:
    return PlanCollector(
        store=store,
        directory=directory,
        report=report,
        run_id=run_id,
        bills_become="Bill" if settings.policies.posts_bills else "PurchaseOrder",
    )


def _proposals(
    settings: Settings, store: Store, client: QuickBooksClient, records: Records, path: Path
) -> PlannedProposals:
    return PlannedProposals(
        path=path,
        proposals=Proposals(settings=settings, store=store, client=client, records=records),
        records=records,
        adopts=settings.policies.vendor_conflict is VendorConflict.ADOPT,
    )


def _gate(settings: Settings, store: Store, directory: Directory, report: RunReport) -> Gate:
    return Gate(
        directory,
        settings.policies,
        grant_ends=lambda: grant_end(store, settings),
        now=utc_now,
        found=report.preflight_found,
        stops=settings.mode is not Mode.PLAN,
    )


#: What each step is made of, in the order of its fields.
_Parts: TypeAlias = tuple[
    Store, Directory, Outlet, Policies, RunReport, Memory, Gate, bool, Ledger, Adoptions | None
]


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps of the walk."""

    vendors: VendorStep
    orders: OrderStep
    payments: PaymentStep | PostingStep
    restored: RestoreStep
    credits_: CreditStep | None


def _steps(policies: Policies, parts: _Parts) -> _Steps:
    """What the policies make of bills decides which; all are put together from the same parts."""
    posts = policies.posts_bills
    return _Steps(
        vendors=VendorStep(*parts),
        orders=(BillStep if posts else OrderStep)(*parts),
        payments=_payments(policies)(*parts),
        restored=(BillRestoreStep if posts else RestoreStep)(*parts),
        credits_=CreditStep(*parts) if posts else None,
    )


def _payments(policies: Policies) -> type[PaymentStep | PostingStep]:
    """What is done with payments."""
    if policies.posts_payments:
        return PostingStep
    return BillNoteStep if policies.posts_bills else PaymentStep


def _watch(
    settings: Settings,
    store: Store,
    client: QuickBooksClient,
    directory: Directory,
    linked: LinkedVendors,
    steps: tuple[VendorStep, RestoreStep],
    report: RunReport,
) -> Watch:
    by_entity = {step.entity: step for step in steps}
    posted = ("VendorCredit", "BillPayment") if settings.policies.posts_bills else ()
    search = Search(
        realm_id=settings.realm_id,
        entities=(*by_entity, *posted),
        store=store,
        client=client,
        directory=directory,
        vendors=linked,
        now=utc_now,
    )
    return Watch(
        realm_id=settings.realm_id,
        store=store,
        search=search,
        steps=by_entity,
        policies=settings.policies,
        report=report,
        every_hours=settings.drift_check_hours,
        now=utc_now,
    )


def _survey(settings: Settings, store: Store, client: QuickBooksClient, directory: Directory) -> Survey:
    return Survey(
        realm_id=settings.realm_id,
        store=store,
        client=client,
        directory=directory,
        policies=settings.policies,
        now=utc_now,
    )


def grant_end(store: Store, settings: Settings) -> dt.datetime | None:
    """When the refresh token of the settings' connection ends, if that is known."""
    with store.reading() as database:
        found = connection_table.load(database, store.cipher, settings.realm_id, settings.client_id)
    return found.refresh_expires_at if found else None


def _lease(settings: Settings, store: Store, run_id: str, sleep: Callable[[float], None]) -> RunLease:
    lease = RunLease(
        store,
        realm_id=settings.realm_id,
        run_id=run_id,
        wait_seconds=settings.wait_for_run_seconds,
        now=utc_now,
        sleep=sleep,
    )
    try:
        lease.take()
    except BaseException:
        store.close()
        raise
    return lease


def _trigger() -> str:
    """Who or what started the run, for the audit trail."""
    named = os.environ.get("TARGET_QUICKBOOKS_TRIGGER")
    if named:
        return named[:64]
    return "meltano" if "MELTANO_PROJECT_ROOT" in os.environ else "command line"
