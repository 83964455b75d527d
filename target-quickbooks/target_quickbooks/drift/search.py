"""What people changed in QuickBooks since it was last looked: found by change data capture, noted on disk.

One call tells it, if less than 1,000 objects changed. Our own writes are among them; they are told by the
version that the link keeps. What a search found is on disk before the next one begins where it ended.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from target_quickbooks.comparison import Difference
from target_quickbooks.drift.judging import Verdict, judge
from target_quickbooks.links import Company
from target_quickbooks.mapping.source import Kind as Reference
from target_quickbooks.quickbooks.cdc import Captured, capture
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.steps.linked_vendors import LinkedVendors
from target_quickbooks.store import drift_table, link_table, locks, payment_table, reference_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.drift_table import Finding, Kind, Position
from target_quickbooks.store.link_table import Stored

FOUND_BY = "change data capture"
#: So many linked objects are looked at one by one where deletions may be hidden behind a full answer.
_MOST_LOOKED_AT = 18_000
_GONE = frozenset({Kind.DELETED, Kind.INACTIVE})
_Key = tuple[str, str]
_Live = Mapping[_Key, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found.

    Attributes:
        new: What no entry told before.
        known: How much is as an entry told before.
        changed: Number of objects that changed, our own writes among them.
        since: From when on, by QuickBooks' clock.
        until: Up to when.
        gap_since: Changes from then to ``since`` are not known: QuickBooks tells of 30 days only.
        unseen: Entities of which deletions may have been missed.
        complete: Whether it went to its end.
    """

    new: tuple[Finding, ...]
    known: int
    changed: int
    since: dt.datetime
    until: dt.datetime
    gap_since: dt.datetime | None = None
    unseen: frozenset[str] = frozenset()
    complete: bool = True


class Search:
    """Looks for drift in one company in QuickBooks."""

    def __init__(
        self,
        *,
        realm_id: str,
        entities: Sequence[str],
        store: Store,
        client: QuickBooksClient,
        directory: Directory,
        vendors: LinkedVendors,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._realm_id = realm_id
        self._entities = tuple(entities)
        self._store = store
        self._client = client
        self._directory = directory
        self._vendors = vendors
        self._now = now

    def is_due(self, every: dt.timedelta) -> bool:
        """Whether it was last looked so long ago."""
        with self._store.reading() as connection:
            position = drift_table.position(connection, self._realm_id)
        return position is None or not position.complete or self._now() - position.searched_at >= every

    def begin(self, *, since: dt.datetime) -> bool:
        """Begin here, if nothing was written before ``since`` and it was never looked: there is no drift yet.

        What is changed in QuickBooks while the very first run still writes is for a reconciliation.
        """
        with self._store.reading() as connection:
            position = drift_table.position(connection, self._realm_id)
            written = drift_table.first_written(connection, self._realm_id)
        if position is not None or (written is not None and written < since):
            return False
        now = self._now()
        with self._store.writing(locks.company(self._realm_id)) as connection:
            reached = Position(now - self._client.clock_ahead, now)
            drift_table.advance(connection, self._realm_id, reached)
        return True

    def run(self) -> Searched:
        """Look; what was found, and how far it was looked, is on disk on return.

        Raises:
            TargetError: QuickBooks cannot be asked.
        """
        with self._store.reading() as connection:
            position = drift_table.position(connection, self._realm_id)
            written = drift_table.first_written(connection, self._realm_id)
        wanted = position.known_until if position else (written or self._now())
        captured = capture(self._client, self._entities, wanted, now=self._now)
        live, unseen = self._with_deleted(captured)
        linked = self._linked(live)
        merged = self._merged(live, linked)
        findings, in_order = self._judged(live, self._linked(live) if merged else linked)
        now = self._now()
        with self._store.writing(locks.company(self._realm_id)) as connection:
            for found in merged:
                drift_table.note(connection, found, found_by=FOUND_BY, now=now)
                drift_table.resolve(connection, found.company, found.entity, [found.quickbooks_id], now=now)
            for company, entity, quickbooks_id in in_order:
                drift_table.resolve(connection, company, entity, [quickbooks_id], now=now)
            new = [one for one in findings if drift_table.note(connection, one, found_by=FOUND_BY, now=now)]
            reached = Position(captured.until, now, captured.complete)
            drift_table.advance(connection, self._realm_id, reached)
        return Searched(
            new=(*merged, *new),
            known=len(findings) - len(new),
            changed=len(captured.objects),
            since=captured.since,
            until=captured.until,
            gap_since=wanted if wanted < captured.since else None,
            unseen=unseen,
            complete=captured.complete,
        )

    def look_again(self, company: Company, told: Iterable[_Key]) -> None:
        """Judge these linked objects, by entity and BILL id, as QuickBooks holds them now."""
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for entity, bill_id in told:
            wanted[entity].append(bill_id)
        live: dict[_Key, Mapping[str, Any] | None] = {}
        for entity, bill_ids in wanted.items():
            with self._store.reading() as connection:
                links = link_table.find(connection, company, entity, bill_ids)
            ids = [link.quickbooks_id for link in links.values()]
            objects = self._directory.objects(entity, ids) if ids else {}
            live |= {(entity, quickbooks_id): objects.get(quickbooks_id) for quickbooks_id in ids}
        findings, in_order = self._judged(live, self._linked(live))
        now = self._now()
        with self._store.writing(locks.company(self._realm_id)) as connection:
            for owner, entity, quickbooks_id in in_order:
                drift_table.resolve(connection, owner, entity, [quickbooks_id], now=now)
            for found in findings:
                drift_table.note(connection, found, found_by=FOUND_BY, now=now)

    def _with_deleted(self, captured: Captured) -> tuple[_Live, frozenset[str]]:
        """What changed, with what is gone where a full answer may have hidden it, if that is not too much."""
        live = dict(captured.objects)
        unseen: set[str] = set()
        for entity in sorted(captured.hidden):
            with self._store.reading() as connection:
                ids = link_table.quickbooks_ids(connection, self._realm_id, entity)
            asked = [quickbooks_id for quickbooks_id in ids if (entity, quickbooks_id) not in live]
            if len(asked) > _MOST_LOOKED_AT:
                unseen.add(entity)
                continue
            there = self._directory.objects(entity, asked)
            live |= {(entity, one): None for one in asked if one not in there}
        return live, frozenset(unseen)

    def _linked(self, live: Iterable[_Key]) -> dict[_Key, list[Stored]]:
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for entity, quickbooks_id in live:
            ids[entity].append(quickbooks_id)
        anyone = Company(self._realm_id, "")
        with self._store.reading() as connection:
            return {
                (entity, quickbooks_id): stored
                for entity, wanted in ids.items()
                for quickbooks_id, stored in link_table.sharers(connection, anyone, entity, wanted).items()
            }

    def _merged(self, live: _Live, linked: Mapping[_Key, Sequence[Stored]]) -> list[Finding]:
        """Vendors that were merged into another one; their links have moved there."""
        lost: defaultdict[Company, dict[str, Stored]] = defaultdict(dict)
        for key, sharing in linked.items():
            if key[0] != "Vendor":
                continue
            for stored in sharing:
                verdict = judge(stored, live[key])
                if isinstance(verdict, Finding) and verdict.kind in _GONE:
                    lost[stored.company][stored.link.bill_id] = stored
        merged: list[Finding] = []
        for company, vendors in lost.items():
            seen = self._vendors.look(company, {bill_id: one.link for bill_id, one in vendors.items()})
            for bill_id, stored in vendors.items():
                after = seen[bill_id].link
                if after.quickbooks_id == stored.link.quickbooks_id:
                    continue
                verdict = judge(stored, None, merged=True)
                if isinstance(verdict, Finding):
                    moved = Difference("Id", stored.link.quickbooks_id, after.quickbooks_id)
                    merged.append(replace(verdict, differences=(moved,)))
        return merged

    def _judged(
        self, live: _Live, linked: Mapping[_Key, Sequence[Stored]]
    ) -> tuple[list[Finding], list[tuple[Company, str, str]]]:
        """What is to be noted, and what is in order."""
        vendors = self._vendors_of_orders(live, linked)
        findings: list[Finding] = []
        in_order: list[tuple[Company, str, str]] = []
        for key, sharing in linked.items():
            for stored in sharing:
                vendor_id = vendors.get((stored.company, stored.link.bill_id), "")
                verdict = judge(stored, live[key], vendor_id=vendor_id)
                if isinstance(verdict, Finding):
                    findings.append(verdict)
                elif verdict is Verdict.IN_ORDER:
                    in_order.append((stored.company, *key))
        agreed = self._agreed([found for found in findings if found.kind in _GONE])
        in_order += [(found.company, found.entity, found.quickbooks_id) for found in agreed]
        return [found for found in findings if found not in agreed], in_order

    def _vendors_of_orders(
        self, live: _Live, linked: Mapping[_Key, Sequence[Stored]]
    ) -> dict[tuple[Company, str], str]:
        """For orders that are another vendor's now, the vendor that their bill's vendor is linked to."""
        moved: defaultdict[Company, list[str]] = defaultdict(list)
        for key, sharing in linked.items():
            held = ((live[key] or {}).get("VendorRef") or {}).get("value")
            for stored in sharing if held else ():
                if (stored.link.desired.get("VendorRef") or {}).get("value") != held:
                    moved[stored.company].append(stored.link.bill_id)
        found: dict[tuple[Company, str], str] = {}
        with self._store.reading() as connection:
            for company, bill_ids in moved.items():
                balances = payment_table.find_balances(connection, company, bill_ids)
                vendor_ids = {balance.vendor_id for balance in balances.values()}
                links = link_table.find(connection, company, "Vendor", sorted(vendor_ids))
                for bill_id, balance in balances.items():
                    if balance.vendor_id in links:
                        found[company, bill_id] = links[balance.vendor_id].quickbooks_id
        return found

    def _agreed(self, gone: Sequence[Finding]) -> list[Finding]:
        """Those that are out of use in BILL as well: both books say the same."""
        by_company: defaultdict[Company, list[Finding]] = defaultdict(list)
        for found in gone:
            by_company[found.company].append(found)
        agreed: list[Finding] = []
        with self._store.reading() as connection:
            for company, findings in by_company.items():
                bill_ids = [found.bill_id for found in findings if found.entity != "Vendor"]
                balances = payment_table.find_balances(connection, company, bill_ids)
                wanted = [(Reference.VENDOR, found.bill_id) for found in findings if found.entity == "Vendor"]
                vendors = reference_table.find(connection, company.organization_id, wanted)
                archived = {("Vendor", key[1]) for key, one in vendors.items() if one.archived}
                archived |= {("", bill_id) for bill_id, one in balances.items() if one.archived}
                agreed += [
                    found
                    for found in findings
                    if ("Vendor" if found.entity == "Vendor" else "", found.bill_id) in archived
                ]
        return agreed
