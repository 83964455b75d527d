"""What the walk's steps have in common: finding what changed, links, fingerprints, live objects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from target_quickbooks.adoption.decisions import Adoptions, Decided
from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.exact_json import fingerprint
from target_quickbooks.fingerprints import source_digest
from target_quickbooks.gate import Gate
from target_quickbooks.ledger import LastingLedger, Ledger
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.source import Kind, Reference
from target_quickbooks.memory import LastingMemory, Memory
from target_quickbooks.outlet import Outlet
from target_quickbooks.planning import Change, Item, Operation, resolve_edits
from target_quickbooks.policies import Policies
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.report import RunReport
from target_quickbooks.store import failure_table, link_table
from target_quickbooks.store.database import Store

_ENOUGH_ROUNDS = 4
#: Stands for the id of an object that exists only in a plan.
NEW = "(new)"
_UPDATES = frozenset({Operation.UPDATE, Operation.CLOSE, Operation.VOID})


@dataclass(frozen=True)
class Step:
    """One kind of record on its way from BILL to QuickBooks.

    Attributes:
        memory: What is remembered of BILL's lists; that of the store if not given.
        gate: The pre-flight that stands before the first write.
        foresees: Ask before a write what is otherwise asked when QuickBooks refuses it.
        ledger: What is known of payments; that of the store if not given.
        adoptions: What a person decided about records that QuickBooks may hold already.
    """

    store: Store
    directory: Directory
    writer: Outlet
    policies: Policies
    report: RunReport
    memory: Memory | None = None
    gate: Gate | None = None
    foresees: bool = False
    ledger: Ledger | None = None
    adoptions: Adoptions | None = None

    stream: ClassVar[str]
    entity: ClassVar[str]

    def changed(
        self, company: Company, records: Sequence[Mapping[str, Any]]
    ) -> list[tuple[Mapping[str, Any], Link | None]]:
        """The latest version of each record that is not exactly as when it was last written.

        The others are counted as unchanged.
        """
        pending, unchanged = self.news(company, records)
        self.report.unchanged(self.stream, unchanged)
        return pending

    def news(
        self, company: Company, records: Sequence[Mapping[str, Any]]
    ) -> tuple[list[tuple[Mapping[str, Any], Link | None]], int]:
        """The records that are not exactly as when they were last written, and how many others there are."""
        latest = {str(record["id"]): record for record in records}
        links = self.links(company, self.entity, latest)
        with self.store.reading() as connection:
            failed = failure_table.unsettled_ids(connection, company, self.stream, latest)
        pending = [
            (record, links.get(bill_id))
            for bill_id, record in latest.items()
            if bill_id in failed
            or bill_id not in links
            or links[bill_id].source_digest != self._digest(record)
        ]
        return pending, len(latest) - len(pending)

    def references(
        self, company: Company, wanted: Iterable[tuple[Kind, str]]
    ) -> dict[tuple[Kind, str], Reference]:
        """What is remembered of the records that bills refer to by id."""
        memory = self.memory or LastingMemory(self.store)
        return memory.references(company.organization_id, wanted)

    @cached_property
    def books(self) -> Ledger:
        """What is known of payments."""
        return self.ledger or LastingLedger(self.store, lambda: dt.datetime.now(dt.UTC))

    def bare_item(self, record: Mapping[str, Any], link: Link | None) -> Item:
        """The record before it is mapped."""
        return Item(
            stream=self.stream,
            bill_id=str(record["id"]),
            version=str(record.get("updatedTime") or ""),
            mapped=Mapped(self.entity, {}, f"{self.stream.removesuffix('s')} {record['id']}"),
            link=link,
            payload_digest="",
            source_digest=self._digest(record),
        )

    def with_mapped(self, item: Item, mapped: Mapped, *, archived: bool) -> Item:
        """The record with what it should look like."""
        digest = fingerprint(mapped.payload, self.store.fingerprint_key)
        return replace(item, mapped=mapped, payload_digest=digest, archived=archived)

    def with_link(self, company: Company, item: Item) -> Item:
        """The record with its link as it is on disk now."""
        found = self.links(company, self.entity, [item.bill_id])
        return replace(item, link=found.get(item.bill_id))

    def links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """Links by BILL id, those a plan would have made included."""
        wanted = list(bill_ids)
        with self.store.reading() as connection:
            stored = link_table.find(connection, company, entity, wanted)
        return stored | self.writer.pending_links(company, entity, wanted)

    def against_live(self, changes: Sequence[Change]) -> list[Change]:
        """Updates of linked objects, compared with and built upon what QuickBooks holds now."""
        updates = {
            change.quickbooks_id
            for change in changes
            if change.item.link and change.operation in _UPDATES and change.quickbooks_id != NEW
        }
        live = self.directory.objects(self.entity, sorted(updates)) if updates else {}
        return [self._against(change, updates, live) for change in changes]

    def _against(
        self, change: Change, updates: Container[str], live: Mapping[str, Mapping[str, Any]]
    ) -> Change:
        link = change.item.link
        if link is None or change.operation not in _UPDATES or change.quickbooks_id not in updates:
            return change
        held = live.get(link.quickbooks_id)
        return self.resolved(change, link, held) if held else self.gone(change.item, link)

    def resolved(self, change: Change, link: Link, live: Mapping[str, Any]) -> Change:
        """The update in view of what QuickBooks holds now."""
        return resolve_edits(change, link, live, self.policies)

    def gone(self, item: Item, link: Link) -> Change:
        """The linked object is no longer in QuickBooks."""
        return Change(
            Operation.BLOCKED,
            item,
            code="gone-in-quickbooks",
            reason=(
                f"{sentence_start(item.mapped.label)} is linked to {self.entity} "
                f"{link.quickbooks_id}, which is no longer in QuickBooks."
            ),
            advice=(
                "If it was merged or made anew by hand: quickbooks-admin links move "
                f"{item.bill_id} <QuickBooks id>; to have it written anew: quickbooks-admin links forget "
                f"{item.bill_id}, or set missing_in_quickbooks to recreate."
            ),
        )

    def decided(self, company: Company, items: Sequence[Item | Change]) -> dict[str, Decided]:
        """What a person decided, by BILL id, about those of the items that are to be written anew."""
        adoptions = self.adoptions
        if adoptions is None:
            return {}
        new = [item for item in items if isinstance(item, Item) and item.link is None and not item.archived]
        with self.store.reading() as connection:
            written = link_table.find(connection, company, self.entity, [item.bill_id for item in new])
        found = {
            item.bill_id: adoptions.of(company.organization_id, self.stream, item.bill_id)
            for item in new
            if item.bill_id not in written
        }
        return {bill_id: one for bill_id, one in found.items() if one}

    def wanted_for_adoption(
        self, company: Company, decided: Iterable[Decided]
    ) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, str]]:
        """The objects that are to be taken over as they are now, and whose they are already, by id."""
        ids = sorted({one.quickbooks_id for one in decided if one.quickbooks_id})
        if not ids:
            return {}, {}
        with self.store.reading() as connection:
            owners = link_table.owners(connection, company, self.entity, ids)
        return self.directory.objects(self.entity, ids), owners

    def carry_out(
        self,
        submissions: Sequence[Submission],
        plan_again: Callable[[Sequence[Conflict], int], Sequence[Submission]],
    ) -> None:
        """Hand changes to the writer, and plan again what QuickBooks refused; in the last round it fails.

        Args:
            submissions: The changes.
            plan_again: Plans what was refused; told for which time, from 1.
        """
        conflicts = self.writer.apply(submissions)
        for attempt in range(1, _ENOUGH_ROUNDS + 1):
            if not conflicts:
                return
            conflicts = self.writer.apply(plan_again(conflicts, attempt), replan=attempt < _ENOUGH_ROUNDS)

    def as_decided(
        self,
        company: Company,
        items: Sequence[Item | Change],
        plan: Callable[[Item, Decided, Mapping[str, Any] | None, str], Change | None],
    ) -> list[Item | Change]:
        """The items; those that a person decided on are planned by that.

        Args:
            company: Whose they are.
            items: The items, and changes that are planned already.
            plan: Plans an item by the decision, the wanted object as it is now, and whose it is already.
        """
        decided = self.decided(company, items)
        if not decided:
            return list(items)
        live, owners = self.wanted_for_adoption(company, decided.values())
        planned: list[Item | Change] = []
        for item in items:
            found = decided.get(item.bill_id) if isinstance(item, Item) else None
            change = None
            if found and isinstance(item, Item):
                there, owner = live.get(found.quickbooks_id), owners.get(found.quickbooks_id, "")
                change = plan(item, found, there, owner)
            planned.append(change or item)
        return planned

    def submissions(
        self,
        company: Company,
        pending: Sequence[tuple[Mapping[str, Any], Link | None]],
        changes: Sequence[Change],
    ) -> list[Submission]:
        """Changes with their records."""
        return [
            Submission(company, record, change) for (record, _), change in zip(pending, changes, strict=True)
        ]

    def _digest(self, record: Mapping[str, Any]) -> str:
        """Fingerprint of the record and of the settings that decide what becomes of it."""
        return source_digest(record, self._settings, self.store.fingerprint_key)

    @cached_property
    def _settings(self) -> str:
        return repr(self.policies)
