"""Drift as part of a run: searched for when it is due, sent through the walk's steps where policies say so.

What only a person changed stays as the person left it: ``edit_conflict`` decides once BILL changes the same.
What is gone is written anew with ``missing_in_quickbooks: recreate``, and a vendor that was made inactive is
made active again with ``inactive_vendor: reactivate``; with ``hold`` the entry waits for a person.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from target_quickbooks.drift.restoring import stand_in
from target_quickbooks.drift.search import Search, Searched
from target_quickbooks.errors import TemporaryError
from target_quickbooks.links import Company, Link
from target_quickbooks.policies import InactiveVendor, MissingInQuickBooks, Policies
from target_quickbooks.quickbooks.responses import Refused
from target_quickbooks.report import RunReport
from target_quickbooks.store import drift_table, link_table, locks
from target_quickbooks.store.database import Store
from target_quickbooks.store.drift_table import Entry, Finding, Kind, Status

#: Under which drift is told in the report of a run.
DRIFT = "drift"
#: So many entries are followed in one run.
_AT_ONCE = 300
_NAMED = 3
_KINDS = {
    Kind.CHANGED: "changed",
    Kind.DELETED: "deleted",
    Kind.INACTIVE: "made inactive",
    Kind.MERGED: "merged into another one",
}

logger = logging.getLogger("target-quickbooks")


class Writes(Protocol):
    """A step of the walk."""

    def write(self, company: Company, records: Sequence[Mapping[str, Any]]) -> None:
        """Bring QuickBooks in step; all outcomes are on disk on return."""


class Watch:
    """Watches over what was written to one company in QuickBooks.

    Attributes:
        search: How it is looked.
    """

    def __init__(
        self,
        *,
        realm_id: str,
        store: Store,
        search: Search,
        steps: Mapping[str, Writes],
        policies: Policies,
        report: RunReport,
        every_hours: int,
        now: Callable[[], dt.datetime],
    ) -> None:
        self.search = search
        self._realm_id = realm_id
        self._store = store
        self._steps = steps
        self._policies = policies
        self._report = report
        self._every = dt.timedelta(hours=every_hours)
        self._now = now
        self._started = now()

    def __call__(self) -> None:
        """Search if it is due, then do what the policies say of what is open.

        A search that QuickBooks does not answer is tried again by the next run; this one goes on.
        """
        if not self._every:
            return
        try:
            if self.search.is_due(self._every) and not self.search.begin(since=self._started):
                self.tell(self.search.run())
            self.follow()
        except (Refused, TemporaryError) as error:
            logger.warning("Changes in QuickBooks could not be asked for: %s", error)
            text = f"not asked for this time ({error}); the next run tries again"
            self._report.note(DRIFT, "changes made in QuickBooks", text)

    def tell(self, searched: Searched) -> None:
        """Put what a search found into the report."""
        for label, text in told(searched):
            self._report.note(DRIFT, label, text)

    def follow(self) -> None:
        """Send what the policies want sent of the open entries."""
        kinds = self._followed
        if not kinds:
            return
        with self._store.reading() as connection:
            found = {
                company: drift_table.entries(connection, company, kinds=kinds, limit=_AT_ONCE)
                for company in drift_table.companies(connection, self._realm_id, kinds=kinds)
            }
        for company, entries in found.items():
            self.send(company, [entry for entry in entries if self._wants(entry.finding)], asked=False)

    def send(self, company: Company, entries: Sequence[Entry], *, asked: bool) -> dict[int, Status]:
        """Make the objects of these entries again what was last sent; what became of the entries.

        Args:
            company: Whose they are.
            entries: Open or accepted ones.
            asked: By a person, whatever the policies say.

        Raises:
            TargetError: The run cannot go on; what went through before is recorded.
        """
        links = self._links(company, entries)
        known = [entry for entry in entries if entry.id in links]
        self._let_be(company, [entry for entry in entries if entry.id not in links])
        for entity, step in self._steps.items():
            ours = [entry for entry in known if entry.finding.entity == entity]
            if ours:
                records = [stand_in(company, links[entry.id], entry, asked=asked) for entry in ours]
                step.write(company, records)
        after = self._links(company, known)
        self._let_be(company, [entry for entry in known if entry.id not in after])
        left = [entry for entry in known if entry.id in after]
        self.search.look_again(company, [(one.finding.entity, one.finding.bill_id) for one in left])
        with self._store.reading() as connection:
            found = {entry.id: drift_table.by_number(connection, entry.id) for entry in entries}
        return {number: entry.status for number, entry in found.items() if entry}

    @property
    def _followed(self) -> tuple[Kind, ...]:
        """What a policy does something about."""
        recreates = self._policies.missing_in_quickbooks is MissingInQuickBooks.RECREATE
        wakes = self._policies.inactive_vendor is InactiveVendor.REACTIVATE
        return (*((Kind.DELETED,) if recreates else ()), *((Kind.INACTIVE,) if wakes else ()))

    def _wants(self, finding: Finding) -> bool:
        followed = finding.kind in self._followed and finding.entity in self._steps
        return bool(finding.bill_id) and followed

    def _links(self, company: Company, entries: Sequence[Entry]) -> dict[int, Link]:
        """The links of entries whose object their record is still linked to, by the entry's number."""
        found: dict[int, Link] = {}
        with self._store.reading() as connection:
            for entity in sorted({entry.finding.entity for entry in entries}):
                ours = [entry for entry in entries if entry.finding.entity == entity]
                links = link_table.find(connection, company, entity, [one.finding.bill_id for one in ours])
                for entry in ours:
                    link = links.get(entry.finding.bill_id)
                    if link and link.quickbooks_id == entry.finding.quickbooks_id:
                        found[entry.id] = link
        return found

    def _let_be(self, company: Company, entries: Sequence[Entry]) -> None:
        """Close entries about objects that no record is linked to any more: another one took their place."""
        if not entries:
            return
        with self._store.writing(locks.company(self._realm_id)) as connection:
            for entry in entries:
                finding = entry.finding
                drift_table.resolve(
                    connection, company, finding.entity, [finding.quickbooks_id], now=self._now()
                )


def told(searched: Searched) -> list[tuple[str, str]]:
    """What a search found, for people: about what, and what of it."""
    lines: list[tuple[str, str]] = []
    counts = Counter(found.kind for found in searched.new)
    for kind, number in sorted(counts.items()):
        names = [found.name or found.bill_id for found in searched.new if found.kind is kind]
        more = f" and {number - _NAMED} more" if number > _NAMED else ""
        text = f"{', '.join(names[:_NAMED])}{more}; see: quickbooks-admin drift list"
        lines.append((f"{number} {_KINDS.get(kind, str(kind))} in QuickBooks", text))
    if searched.gap_since:
        span = f"between {_day(searched.gap_since)} and {_day(searched.since)}"
        text = (
            f"what people changed {span} is not known, because QuickBooks tells of the last 30 days only; "
            "run with mode: reconcile, which compares both books entirely"
        )
        lines.append(("changes made in QuickBooks", text))
    if searched.unseen:
        text = (
            "more than 1,000 changed at once, behind which QuickBooks hides deletions; run with mode: "
            "reconcile, and look more often (drift_check_hours)"
        )
        lines.append((f"deletions in QuickBooks ({', '.join(sorted(searched.unseen))})", text))
    return lines


def _day(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
