"""Health and metrics: what programs that watch the server are told."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update
from target_quickbooks.errors import StoreError
from webhook_shim.health import RunnerState
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Status
from webhook_shim.store.tables import inbox

REALM = "9341452000000001"


def metrics(visitor):
    found = {}
    for family in text_string_to_metric_families(visitor.open("/metrics").text):
        for sample in family.samples:
            found[sample.name, *sorted(sample.labels.values())] = sample.value
    return found


def test_a_live_process_says_so(visitor):
    assert visitor.open("/healthz").json() == {"status": "alive"}


@pytest.mark.parametrize("state", list(RunnerState))
def test_readiness_follows_the_runner(serve_pages, empty_books, state):
    visitor = serve_pages(empty_books(), runner=lambda: state).visitor()
    answer = visitor.open("/readyz")
    assert answer.status_code == (200 if state is RunnerState.WORKING else 503)
    assert answer.json()["runner"] == state


def test_without_its_store_a_server_is_not_ready(server, visitor, monkeypatch):
    def broken(_):
        raise StoreError("gone")

    monkeypatch.setattr(type(server.store), "reading", broken)
    answer = visitor.open("/readyz")
    assert (answer.status_code, answer.json()["store"]) == (503, "unreachable")
    assert visitor.open("/healthz").status_code == 200


def test_metrics_tell_what_is_now(visitor):
    found = metrics(visitor)
    assert found["webhook_shim_failures", REALM, "bills", "open"] > 1
    assert found["webhook_shim_connection_alive", REALM] == 1
    assert found["webhook_shim_token_age_seconds", REALM] >= 0
    assert found["webhook_shim_grant_expires_seconds", REALM] > 80 * 86400


def test_metrics_tell_what_the_last_comparison_of_the_books_found(server, visitor):
    name = "webhook_shim_reconciliation_differences"
    assert not [key for key in metrics(visitor) if key[0] == name]
    now = server.context.now()
    counts = {"reconciliation": {"in_step": False, "differences": 3}}
    with server.store.writing() as connection:
        job_id = jobs_table.ask(connection, server.books.company, "reconcile", "nightly", (), now)
        jobs_table.begin(connection, job_id, host="h", log_path="l", last_event=0, now=now)
        ended = {"status": Status.SUCCEEDED, "detail": "", "exit_code": 1, "counts": counts, "now": now}
        jobs_table.end(connection, job_id, **ended)
    found = metrics(visitor)
    company = sorted((REALM, server.books.organization_id))
    assert found[name, *company] == 3
    at = found["webhook_shim_last_reconciliation_timestamp_seconds", *company]
    assert at == pytest.approx(now.timestamp())


def test_jobs_and_events_are_counted_once_from_the_first_scrape(server, visitor):
    """What ended before the process began is not counted; what ends later is, however often one looks."""
    metrics(visitor)
    now = server.context.now()
    company = server.books.company
    with server.store.writing() as connection:
        job_id = jobs_table.ask(connection, company, "sync", "event", (), now)
        jobs_table.begin(connection, job_id, host="h", log_path="x", last_event=0, now=now)
        connection.execute(
            insert(inbox).values(
                system="bill",
                tenant=company.organization_id,
                event_id="e1",
                kind="vendor.created",
                entity="vendor",
                record_id="v",
                received_at=now,
                repeats=0,
            )
        )
    assert metrics(visitor)["webhook_shim_events_waiting", company.organization_id, "bill"] == 1
    later = now + dt.timedelta(seconds=8)
    with server.store.writing() as connection:
        jobs_table.end(
            connection, job_id, status=Status.SUCCEEDED, detail="", exit_code=0, counts={}, now=later
        )
        connection.execute(update(inbox).values(settled_at=later, job_id=job_id))
    for _ in range(2):
        found = metrics(visitor)
        assert found["webhook_shim_jobs_total", REALM, "succeeded", "sync"] == 1
        assert found["webhook_shim_job_duration_seconds_sum", REALM, "sync"] == 8
        assert found["webhook_shim_events_total", company.organization_id, "bill"] == 1
        assert found["webhook_shim_event_lag_seconds_sum", "bill"] == 8
        assert found["webhook_shim_event_lag_seconds_count", "bill"] == 1


def test_deliveries_are_told_by_outcome(serve_pages, empty_books):
    outcomes = {("bill", "accepted"): 3, ("quickbooks", "bad signature"): 2}
    found = metrics(serve_pages(empty_books(), deliveries=outcomes).visitor())
    assert found["webhook_shim_deliveries_total", "accepted", "bill"] == 3
    assert found["webhook_shim_deliveries_total", "bad signature", "quickbooks"] == 2


def test_metrics_tell_no_names_and_no_secrets(server, visitor):
    text = visitor.open("/metrics").text
    config = server.books.target_config
    for secret in ("Larkfield", config["client_secret"], config["refresh_token"], config["encryption_key"]):
        assert secret not in text


def test_from_elsewhere_metrics_need_the_password_or_a_session(serve_pages, empty_books):
    server = serve_pages(empty_books(), password="pass word", host="0.0.0.0")  # noqa: S104
    visitor = server.visitor()
    assert visitor.open("/metrics").status_code == 401
    basic = b64encode(b"prometheus:pass word").decode()
    for header, status in (
        ("Bearer pass word", 200),
        (f"Basic {basic}", 200),
        ("Bearer pass", 401),
        ("Basic !", 401),
        ("Digest x", 401),
    ):
        assert visitor.open("/metrics", headers={"authorization": header}).status_code == status
    visitor.sign_in("pass word")
    assert visitor.open("/metrics").status_code == 200


def test_guessing_the_password_at_the_metrics_is_stopped(serve_pages, empty_books):
    visitor = serve_pages(empty_books(), password="pass word", host="0.0.0.0").visitor()  # noqa: S104
    for _ in range(5):
        visitor.open("/metrics", headers={"authorization": "Bearer guess"})
    assert visitor.open("/metrics", headers={"authorization": "Bearer pass word"}).status_code == 401
