"""``/metrics`` for Prometheus. Counts begin when the process does; what is now is read at each scrape.

Everything comes from the store, so no other part knows of this one: rows that were finished since the last
scrape are counted once. Labels are ids, kinds and outcomes, never names, amounts or secrets.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select
from target_quickbooks.store.tables import connections, drift, failures, runs
from typing_extensions import override

from webhook_shim.context import Context
from webhook_shim.reconciliation import reconciled
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Kind
from webhook_shim.store.tables import inbox, jobs, subscriptions

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_PREFIX = "webhook_shim_"
_SECONDS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 1800, 3600, 7200)
_OVERLAP = dt.timedelta(minutes=1)
_ENDED = ("succeeded", "failed", "stopped", "lost")


class Metrics(Collector):
    """All metrics of one server, in a registry of its own.

    Args:
        context: The server's parts.
        deliveries: How many deliveries were accepted and refused, by system and outcome; read, never
            written, and counted since the start.
    """

    def __init__(self, context: Context, *, deliveries: Mapping[tuple[str, str], int]) -> None:
        self._context = context
        self._deliveries = deliveries
        self._lock = threading.Lock()
        self._since = context.now()
        self._seen: dict[tuple[str, str], dt.datetime] = {}
        self._counted_events = 0
        self._begun = False
        registry = self._registry = CollectorRegistry()
        self._events = Counter(
            f"{_PREFIX}events", "Events received.", ["system", "tenant"], registry=registry
        )
        self._jobs = Counter(f"{_PREFIX}jobs", "Jobs ended.", ["realm", "kind", "status"], registry=registry)
        self._runs = Counter(
            f"{_PREFIX}runs",
            "Runs of the target ended, by exit code.",
            ["realm", "mode", "exit_code"],
            registry=registry,
        )
        self._duration = Histogram(
            f"{_PREFIX}job_duration_seconds",
            "From a job's start to its end.",
            ["realm", "kind"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._lag = Histogram(
            f"{_PREFIX}event_lag_seconds",
            "From when an event was received to the end of the run that took it over.",
            ["system"],
            buckets=_SECONDS,
            registry=registry,
        )
        registry.register(self)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        with self._lock:
            with self._context.store.reading() as connection:
                self._count(connection)
            return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing: the store is read at a scrape, not when the registry is made."""
        return []

    @override
    def collect(self) -> Iterator[Metric]:
        """What is now."""
        deliveries = Metric(f"{_PREFIX}deliveries", "Webhook deliveries, by what became of them.", "counter")
        for (system, outcome), number in sorted(self._deliveries.items()):
            deliveries.add_sample(
                f"{_PREFIX}deliveries_total", {"system": system, "outcome": outcome}, number
            )
        yield deliveries
        with self._context.store.reading() as connection:
            yield from self._of_records(connection)
            yield from self._of_connections(connection)
            yield from self._of_work(connection)

    def _count(self, connection: Connection) -> None:
        """Count what has ended since the last time; a row may become visible a little after it was timed."""
        newest = connection.execute(select(func.max(inbox.c.id))).scalar() or 0
        if not self._begun:
            self._begun, self._counted_events = True, newest
        events = (
            select(inbox.c.system, inbox.c.tenant, func.count())
            .where(inbox.c.id > self._counted_events, inbox.c.id <= newest)
            .group_by(inbox.c.system, inbox.c.tenant)
        )
        for system, tenant, number in connection.execute(events):
            self._events.labels(system, tenant).inc(number)
        self._counted_events = max(newest, self._counted_events)
        since = max(self._since, self._context.now() - dt.timedelta(days=1))
        self._count_jobs(connection, since)
        self._count_runs(connection, since)
        self._count_lag(connection, since)
        self._since = max(self._since, self._context.now() - _OVERLAP)
        self._seen = {key: at for key, at in self._seen.items() if at >= self._since - _OVERLAP}

    def _count_jobs(self, connection: Connection, since: dt.datetime) -> None:
        query = select(jobs).where(jobs.c.finished_at >= since, jobs.c.status.in_(_ENDED))
        for row in connection.execute(query).mappings():
            if self._is_new("job", row["id"], row["finished_at"]):
                self._jobs.labels(row["realm_id"], row["kind"], row["status"]).inc()
                if row["started_at"]:
                    length = (row["finished_at"] - row["started_at"]).total_seconds()
                    self._duration.labels(row["realm_id"], row["kind"]).observe(max(length, 0))

    def _count_runs(self, connection: Connection, since: dt.datetime) -> None:
        columns = (runs.c.id, runs.c.realm_id, runs.c.mode, runs.c.exit_code, runs.c.finished_at)
        for row in connection.execute(select(*columns).where(runs.c.finished_at >= since)):
            if self._is_new("run", row.id, row.finished_at):
                self._runs.labels(row.realm_id, row.mode, str(row.exit_code)).inc()

    def _count_lag(self, connection: Connection, since: dt.datetime) -> None:
        columns = (inbox.c.id, inbox.c.system, inbox.c.received_at, inbox.c.settled_at)
        for row in connection.execute(select(*columns).where(inbox.c.settled_at >= since)):
            if self._is_new("event", str(row.id), row.settled_at):
                lag = (row.settled_at - row.received_at).total_seconds()
                self._lag.labels(row.system).observe(max(lag, 0))

    def _is_new(self, kind: str, key: str, at: dt.datetime) -> bool:
        known = (kind, key) in self._seen
        self._seen[kind, key] = at
        return not known

    def _of_records(self, connection: Connection) -> Iterator[Metric]:
        found = _gauge("failures", "Records that are not in QuickBooks.", "realm", "stream", "status")
        query = (
            select(failures.c.realm_id, failures.c.stream, failures.c.status, func.count())
            .where(failures.c.status.in_(["open", "waiting"]))
            .group_by(failures.c.realm_id, failures.c.stream, failures.c.status)
        )
        for realm, stream, status, number in connection.execute(query):
            found.add_metric([realm, stream, status], number)
        yield found
        differing = _gauge("drift", "Objects that differ in QuickBooks.", "realm", "kind")
        open_drift = (
            select(drift.c.realm_id, drift.c.kind, func.count())
            .where(drift.c.status == "open")
            .group_by(drift.c.realm_id, drift.c.kind)
        )
        for realm, kind, number in connection.execute(open_drift):
            differing.add_metric([realm, kind], number)
        yield differing

    def _of_connections(self, connection: Connection) -> Iterator[Metric]:
        now = self._context.now()
        alive = _gauge("connection_alive", "Whether QuickBooks accepts the grant.", "realm")
        grant = _gauge("grant_age_seconds", "Since a person connected the company.", "realm")
        token = _gauge("token_age_seconds", "Since the access token was renewed.", "realm")
        left = _gauge("grant_expires_seconds", "Until the refresh token expires if it is not used.", "realm")
        columns = (
            connections.c.realm_id,
            connections.c.client_id,
            connections.c.granted_at,
            connections.c.refreshed_at,
            connections.c.refresh_expires_at,
            connections.c.dead_since,
        )
        own = {
            (books.realm_id, str(books.target_config.get("client_id") or ""))
            for books in self._context.companies
        }
        for row in connection.execute(select(*columns)):
            if (row.realm_id, row.client_id) not in own:
                continue
            alive.add_metric([row.realm_id], 0 if row.dead_since else 1)
            grant.add_metric([row.realm_id], (now - row.granted_at).total_seconds())
            if row.refreshed_at:
                token.add_metric([row.realm_id], (now - row.refreshed_at).total_seconds())
            if row.refresh_expires_at:
                left.add_metric([row.realm_id], (row.refresh_expires_at - now).total_seconds())
        yield from (alive, grant, token, left)
        subscribed = _gauge("subscription_enabled", "Whether BILL delivers events.", "organization")
        query = select(subscriptions.c.organization_id, subscriptions.c.enabled)
        for organization, enabled in connection.execute(query):
            subscribed.add_metric([organization], enabled)
        yield subscribed

    def _of_work(self, connection: Connection) -> Iterator[Metric]:
        waiting = _gauge("events_waiting", "Events that no run has taken over.", "system", "tenant")
        query = (
            select(inbox.c.system, inbox.c.tenant, func.count())
            .where(inbox.c.settled_at.is_(None))
            .group_by(inbox.c.system, inbox.c.tenant)
        )
        for system, tenant, number in connection.execute(query):
            waiting.add_metric([system, tenant], number)
        yield waiting
        under_way = _gauge("jobs_under_way", "Jobs that wait or run.", "realm", "status")
        open_jobs = (
            select(jobs.c.realm_id, jobs.c.status, func.count())
            .where(jobs.c.status.not_in(_ENDED))
            .group_by(jobs.c.realm_id, jobs.c.status)
        )
        for realm, status, number in connection.execute(open_jobs):
            under_way.add_metric([realm, status], number)
        yield under_way
        success = _gauge("last_success_timestamp_seconds", "When a run that writes last ended well.", "realm")
        for books in self._context.companies:
            last = _last_success(connection, books.realm_id)
            if last:
                success.add_metric([books.realm_id], last.timestamp())
        yield success
        yield from self._of_comparisons(connection)

    def _of_comparisons(self, connection: Connection) -> Iterator[Metric]:
        labels = ("realm", "organization")
        at = _gauge("last_reconciliation_timestamp_seconds", "When both books were last compared.", *labels)
        differ = _gauge("reconciliation_differences", "What differed when they were.", *labels)
        for books in self._context.companies:
            job = jobs_table.last_success(connection, books.company, Kind.RECONCILE)
            found = reconciled(job.counts) if job else None
            if job and job.finished_at and found:
                at.add_metric([books.realm_id, books.organization_id], job.finished_at.timestamp())
                differ.add_metric([books.realm_id, books.organization_id], found.differences)
        yield from (at, differ)


def _last_success(connection: Connection, realm_id: str) -> Any:
    query = (
        select(runs.c.finished_at)
        .where(runs.c.realm_id == realm_id, runs.c.mode == "sync", runs.c.exit_code == 0)
        .order_by(runs.c.started_at.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}{name}", text, labels=labels)
