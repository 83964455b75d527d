"""The first page: does everything agree, what ran, what comes next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select
from starlette.responses import Response
from target_quickbooks.store import drift_table, failure_table
from target_quickbooks.store.drift_table import Kind

from webhook_shim.companies import Books
from webhook_shim.reconciliation import Reconciled
from webhook_shim.store import jobs_table
from webhook_shim.store.tables import inbox
from webhook_shim.web import activity, charts, connections, figures, reconciling, words
from webhook_shim.web.standing import Signs, Standing, judge
from webhook_shim.web.visits import Visit

_DAYS = 14
_RECENT = 5


@dataclass(frozen=True, slots=True)
class Card:
    """One company in a few words."""

    books: Books
    standing: Standing
    signs: Signs
    compared: tuple[jobs_table.Job, Reconciled] | None = None


def start(visit: Visit) -> Response:
    """The one company, or the list of them."""
    companies = visit.context.companies
    if len(companies) == 1:
        return visit.send_to(f"/books/{companies[0].name}")
    with visit.context.store.reading() as connection:
        cards = [_card(connection, books, visit.now) for books in companies]
    return visit.show("companies.html", cards=cards)


def overview(visit: Visit) -> Response:
    """One company."""
    books, context, now = visit.books, visit.context, visit.now
    with context.store.reading() as connection:
        card = _card(connection, books, now)
        held = connections.grant(connection, books)
        subscribed = connections.subscription(connection, books.organization_id)
        recent = activity.latest(connection, books, limit=_RECENT)
        counted = figures.per_day(connection, books.company, since=_midnight(now) - dt.timedelta(days=_DAYS))
        shown = charts.days(counted, until=now.date(), number=_DAYS)
        values: dict[str, Any] = {
            "sent": visit.site.figures.sent(connection, books.company),
            "missing": figures.failed(connection, context.store.cipher, books.company),
            "calls": figures.calls_in_last_minute(connection, books.realm_id, now),
            "next_poll": _next_poll(visit, connection),
        }
    last = next((found for found in recent if found.finished_at and found.writes), None)
    return visit.show(
        "overview.html",
        tab="overview",
        card=card,
        health=connections.health(books, held, subscribed, now),
        recent=recent,
        last=last,
        running=next((found for found in recent if found.is_live), None),
        compared=card.compared,
        verdict=reconciling.word(card.compared[1]) if card.compared else None,
        chart=charts.chart(shown),
        days=shown,
        **values,
    )


def _card(connection: Connection, books: Books, now: dt.datetime) -> Card:
    held = connections.grant(connection, books)
    failures = failure_table.counts(connection, books.company)
    last = activity.last_writing_run(connection, books.realm_id)
    failed = _failed_early(last) or _last_job_failed(connection, books, last)
    drift = drift_table.counts(connection, books.company)
    compared = reconciling.latest(connection, books)
    at = compared[0].finished_at if compared else None
    signs = Signs(
        connected=held is not None or bool(books.target_config.get("refresh_token")),
        dead_since=held.dead_since if held else None,
        last_ended_at=last["finished_at"] if last else None,
        last_failed=failed,
        events=_waiting_events(connection, books),
        running=bool(jobs_table.running(connection, books.company)),
        failures=failures.get("open", 0),
        waiting=failures.get("waiting", 0),
        drift=sum(number for kind, number in drift.items() if kind is not Kind.ORPHAN),
        differences=compared[1].differences if compared else 0,
        compared_ago=words.ago(at, now) if at else "",
    )
    return Card(books, judge(signs), signs, compared)


def _failed_early(last: Any) -> bool:
    """Whether a run ended for another reason than refused records."""
    if last is None or last["exit_code"] in {0, None}:
        return False
    streams = (last["counts"] or {}).get("streams") or {}
    refused = sum(row.get("failed", 0) + row.get("blocked", 0) for row in streams.values())
    return last["exit_code"] != 1 or not refused


def _last_job_failed(connection: Connection, books: Books, last: Any) -> bool:
    """Whether the last job failed before its run could begin."""
    jobs = jobs_table.last_begun(connection, books.company, kinds=jobs_table.SYNCING, limit=1)
    if not jobs or jobs[0].status not in {"failed", "lost"} or jobs[0].started_at is None:
        return False
    return last is None or last["started_at"] < jobs[0].started_at


def _waiting_events(connection: Connection, books: Books) -> int:
    query = (
        select(func.count())
        .select_from(inbox)
        .where(
            inbox.c.settled_at.is_(None),
            (inbox.c.system == "bill") & (inbox.c.tenant == books.organization_id)
            | (inbox.c.system == "quickbooks") & (inbox.c.tenant == books.realm_id),
        )
    )
    return int(connection.execute(query).scalar_one())


def _next_poll(visit: Visit, connection: Connection) -> dt.datetime | None:
    """When the next regular check is due; None if another scheduler does it."""
    settings = visit.context.settings
    if settings.receive_only:
        return None
    jobs = jobs_table.last_begun(connection, visit.books.company, kinds=jobs_table.SYNCING, limit=1)
    began = jobs[0].started_at if jobs else None
    return max(began + settings.poll_every, visit.now) if began else visit.now


def _midnight(now: dt.datetime) -> dt.datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
