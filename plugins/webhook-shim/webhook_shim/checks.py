"""Events of QuickBooks: the objects they tell of are looked at, and what is not as written is noted.

A check writes to neither book. Many events cost one request: objects are read in batches, each once. Our own
writes cause events, too; they are found to be in order. While a run is under way nothing is judged, because
what it has just written may not be in the store yet.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select
from target_quickbooks.drift import judging
from target_quickbooks.drift.deciding import stream_of
from target_quickbooks.drift.judging import Verdict
from target_quickbooks.errors import TemporaryError
from target_quickbooks.process import is_gone
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.governor import Governor
from target_quickbooks.quickbooks.oauth import TokenSource
from target_quickbooks.quickbooks.query import select_in
from target_quickbooks.settings import from_config
from target_quickbooks.store import drift_table, lease_table, link_table, locks
from target_quickbooks.store.database import Store, default_url
from target_quickbooks.store.drift_table import Finding, Kind
from target_quickbooks.store.link_table import Stored
from target_quickbooks.store.quota_table import StoredLedger
from target_quickbooks.store.tables import drift, intents, links

from webhook_shim.bill_records import BillRecords, BillUnread
from webhook_shim.companies import Books
from webhook_shim.events import System
from webhook_shim.store import inbox_table
from webhook_shim.store.inbox_table import Received

#: As events name them, and as QuickBooks does. Other entities are not written, so nothing can drift.
ENTITIES = {"vendor": "Vendor", "purchaseorder": "PurchaseOrder"}
#: The same for a company whose payables are kept in QuickBooks.
_ENTITIES_OF_PAYABLES = {"vendor": "Vendor", "bill": "Bill"}
_AT_ONCE = 1000
_ROWS_EACH = 150
_PATIENCE_SECONDS = 60
#: What another run leaves open is settled by then, or by nobody.
_WAIT_FOR_RUN = dt.timedelta(seconds=20)
_WAITED_ENOUGH = dt.timedelta(minutes=30)
_FOUND_BY = "event"

logger = logging.getLogger("webhook-shim")

_Key = tuple[str, str]


class Checks:
    """Checks the events of any company. One at a time for each; ``stop`` from anywhere."""

    def __init__(self, store: Store, *, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._stopped = threading.Event()

    def __call__(self, books: Books) -> dt.timedelta | None:
        """Check all that was received for a company.

        Returns:
            How long to wait before trying again, if a run is in the way.

        Raises:
            TargetError: QuickBooks cannot be asked.
        """
        while not self._stopped.is_set():
            with self._store.reading() as connection:
                received = inbox_table.unsettled(
                    connection, System.QUICKBOOKS, books.realm_id, limit=_AT_ONCE
                )
            if not received:
                return None
            if self._run_in_the_way(books.realm_id, received[0].received_at):
                return _WAIT_FOR_RUN
            self._check(books, received)
        return None

    def stop(self) -> None:
        """Wait for nothing any more: what is not checked by now is checked after the next start."""
        self._stopped.set()

    def _check(self, books: Books, received: Sequence[Received]) -> None:
        told = _told(received, _written(books))
        live = self._live(books, told)
        with self._store.reading() as connection:
            linked = _linked(connection, books, told)
        findings, in_order = self._judged(books, told, live, linked)
        now = self._now()
        with self._store.writing(locks.company(books.realm_id)) as connection:
            for (entity, quickbooks_id), stored in in_order:
                drift_table.resolve(connection, stored, entity, [quickbooks_id], now=now)
            new = [
                found
                for found in findings
                if drift_table.note(connection, found, found_by=_FOUND_BY, now=now)
            ]
            _forget_adopted(connection, books, now)
            inbox_table.settle_these(connection, [event.id for event in received], now=now)
        for found in new:
            logger.info("%s: %s %s is %s.", books.name, found.entity, found.quickbooks_id, found.kind)

    def _judged(
        self,
        books: Books,
        told: Mapping[_Key, bool],
        live: Mapping[_Key, Mapping[str, Any]],
        linked: Mapping[_Key, Sequence[Stored]],
    ) -> tuple[list[Finding], list[tuple[_Key, Any]]]:
        """What is to be noted, and what is in order, with the company it belongs to."""
        findings: list[Finding] = []
        in_order: list[tuple[_Key, Any]] = []
        for key, merged in told.items():
            held = live.get(key)
            if key not in linked:
                if held is not None:
                    findings.append(judging.orphan(books.company, key[0], held))
                else:
                    in_order.append((key, books.company))
            for stored in linked.get(key, ()):
                verdict = judging.judge(stored, held, merged=merged)
                if isinstance(verdict, Finding):
                    findings.append(verdict)
                elif verdict is Verdict.IN_ORDER:
                    in_order.append((key, stored.company))
        return self._without_agreed(books, findings, in_order), in_order

    def _without_agreed(
        self, books: Books, findings: Sequence[Finding], in_order: list[tuple[_Key, Any]]
    ) -> list[Finding]:
        """What is gone or inactive in QuickBooks is no difference if BILL has archived its record, too."""
        gone = {Kind.DELETED, Kind.INACTIVE}
        asked = [found for found in findings if found.kind in gone and found.company == books.company]
        if not asked:
            return list(findings)
        archived: set[_Key] = set()
        bill = BillRecords(books)
        try:
            for found in asked:
                record = bill.read(stream_of(found.entity), found.bill_id)
                if record is not None and record.get("archived") is True:
                    archived.add((found.entity, found.quickbooks_id))
                    in_order.append(((found.entity, found.quickbooks_id), found.company))
        except BillUnread as error:
            logger.warning("%s: BILL was not asked about what is gone in QuickBooks: %s", books.name, error)
        finally:
            bill.close()
        return [
            found
            for found in findings
            if found not in asked or (found.entity, found.quickbooks_id) not in archived
        ]

    def _live(self, books: Books, told: Iterable[_Key]) -> dict[_Key, Mapping[str, Any]]:
        """What QuickBooks holds of the objects, those that are gone left out; one request for up to 900."""
        asked = [
            (entity, statement)
            for entity in sorted(_written(books).values())
            for statement in select_in(
                entity,
                "Id",
                [quickbooks_id for kind, quickbooks_id in told if kind == entity],
                with_inactive=entity == "Vendor",
            )
        ]
        if not asked:
            return {}
        answers = self._client(books).queries([statement for _, statement in asked], rows_each=_ROWS_EACH)
        return {
            (entity, str(row["Id"])): row
            for (entity, _), rows in zip(asked, answers, strict=True)
            for row in rows
        }

    def _client(self, books: Books) -> QuickBooksClient:
        settings = from_config(dict(books.target_config), default_store_url=default_url())
        return QuickBooksClient(
            api_url=settings.api_url,
            realm_id=settings.realm_id,
            tokens=TokenSource(settings, self._store, sleep=self._sleep),
            governor=Governor(StoredLedger(self._store, settings.realm_id), sleep=self._sleep),
            user_agent="webhook-shim",
            max_retry_seconds=min(settings.max_retry_seconds, _PATIENCE_SECONDS),
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise TemporaryError("The server stops.")

    def _run_in_the_way(self, realm_id: str, oldest: dt.datetime) -> bool:
        """Whether a run writes to the realm, or left open what it sent."""
        now = self._now()
        holder = lease_table.holder(self._store, f"run:{realm_id}")
        if holder and holder.expires_at > now and not is_gone(holder.owner):
            return True
        query = select(intents.c.id).where(intents.c.realm_id == realm_id, intents.c.outcome.is_(None))
        with self._store.reading() as connection:
            left_open = connection.execute(query.limit(1)).first() is not None
        return left_open and now - oldest < _WAITED_ENOUGH


def _told(received: Sequence[Received], entities: Mapping[str, str]) -> dict[_Key, bool]:
    """The objects that events tell of, each once, and whether one of the events says it was merged away.

    A merge has an event for the object that stays, and one for the object that goes.
    """
    told: dict[_Key, bool] = {}
    for found in received:
        entity = entities.get(found.event.entity)
        if entity and found.event.record_id.isdecimal():
            key = (entity, found.event.record_id)
            told[key] = told.get(key, False) or found.event.kind.endswith(".merged")
    return told


def _written(books: Books) -> Mapping[str, str]:
    """What is written for a company, as events name it and as QuickBooks does."""
    return _ENTITIES_OF_PAYABLES if books.target_config.get("transaction_type") == "bill" else ENTITIES


def _linked(connection: Connection, books: Books, told: Iterable[_Key]) -> dict[_Key, Sequence[Stored]]:
    found: dict[_Key, Sequence[Stored]] = {}
    for entity in _written(books).values():
        ids = [quickbooks_id for kind, quickbooks_id in told if kind == entity]
        sharers = link_table.sharers(connection, books.company, entity, ids) if ids else {}
        found |= {(entity, quickbooks_id): stored for quickbooks_id, stored in sharers.items()}
    return found


def _forget_adopted(connection: Connection, books: Books, now: dt.datetime) -> None:
    """Orphans that a run has linked since are none any more."""
    query = (
        select(drift.c.entity, drift.c.quickbooks_id)
        .join(
            links,
            (links.c.realm_id == drift.c.realm_id)
            & (links.c.entity == drift.c.entity)
            & (links.c.quickbooks_id == drift.c.quickbooks_id),
        )
        .where(
            drift.c.realm_id == books.realm_id,
            drift.c.kind == str(Kind.ORPHAN),
            drift.c.status != str(drift_table.Status.RESOLVED),
        )
    )
    for row in connection.execute(query).all():
        drift_table.resolve(connection, books.company, row.entity, [row.quickbooks_id], now=now)
