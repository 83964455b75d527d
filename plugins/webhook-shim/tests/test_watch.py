"""BILL's subscription is watched: one that BILL disabled works again, and what it missed is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from webhook_shim import watch
from webhook_shim.bill_events import BillRefused, Held
from webhook_shim.store import jobs_table, subscription_table
from webhook_shim.store.jobs_table import Kind, Status
from webhook_shim.store.subscription_table import Subscription
from webhook_shim.watch import Watch

URL = "https://books.example/webhooks/bill/O"


class Bill:
    """BILL with one subscription."""

    def __init__(self):
        self.held = Held("s-1", "bill-quickbooks", URL, enabled=True, events=frozenset({"vendor.created"}))
        self.is_down = False

    def subscription(self, _):
        if self.is_down:
            raise BillRefused("BILL does not answer.")
        return self.held

    def enable(self, _):
        self.held = replace(self.held, enabled=True)

    def disable(self):
        self.held = replace(self.held, enabled=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture(autouse=True)
def bill(monkeypatch):
    bill = Bill()
    monkeypatch.setattr(watch, "open_for", lambda *_: bill)
    return bill


@pytest.fixture
def context(new_context, clock):
    context = new_context()
    known = Subscription(context.companies[0].organization_id, "s-1", URL, "key", clock())
    with context.store.writing() as connection:
        subscription_table.save(connection, context.store.cipher, known)
    return context


@pytest.fixture
def watched(context):
    return Watch(context.settings, context.companies, context.store, wake=context.wake, now=context.now)


def look(watched, context):
    watched.look(context.companies[0])


def jobs(context):
    with context.store.reading() as connection:
        return jobs_table.history(connection, context.companies[0].company)


def end(context, status):
    [waiting] = [job for job in jobs(context) if job.status == Status.WAITING]
    with context.store.writing() as connection:
        jobs_table.begin(connection, waiting.id, host="h", log_path="l", last_event=0, now=context.now())
        jobs_table.end(
            connection, waiting.id, status=status, detail="", exit_code=0, counts={}, now=context.now()
        )


def disabled_at(context):
    with context.store.reading() as connection:
        found = subscription_table.load(
            connection, context.store.cipher, context.companies[0].organization_id
        )
    return found.disabled_at


def test_a_subscription_in_order_asks_for_nothing(watched, context):
    look(watched, context)
    assert jobs(context) == []


def test_a_disabled_one_is_enabled_and_a_run_asked_for(watched, context, bill):
    bill.disable()
    look(watched, context)
    assert bill.held.enabled
    [job] = jobs(context)
    assert (job.kind, job.reason, job.status) == (Kind.DAILY, "subscription", Status.WAITING)
    assert disabled_at(context) == context.now()


def test_what_was_missed_counts_as_read_once_the_run_succeeded(watched, context, bill):
    bill.disable()
    look(watched, context)
    look(watched, context)
    assert disabled_at(context)
    assert len(jobs(context)) == 1
    end(context, Status.SUCCEEDED)
    look(watched, context)
    assert disabled_at(context) is None
    look(watched, context)
    assert len(jobs(context)) == 1


@pytest.mark.parametrize("status", [Status.FAILED, Status.STOPPED, Status.LOST])
def test_a_run_that_did_not_succeed_is_asked_for_again(watched, context, bill, status):
    bill.disable()
    look(watched, context)
    end(context, status)
    look(watched, context)
    assert [job.status for job in jobs(context)].count(Status.WAITING) == 1
    assert disabled_at(context)


def test_a_server_that_died_before_it_caught_up_asks_again(watched, context, bill):
    bill.disable()
    look(watched, context)
    end(context, Status.LOST)
    again = Watch(context.settings, context.companies, context.store, wake=context.wake, now=context.now)
    look(again, context)
    end(context, Status.SUCCEEDED)
    look(again, context)
    assert disabled_at(context) is None


def test_one_that_is_disabled_again_is_read_again(watched, context, bill):
    bill.disable()
    look(watched, context)
    bill.disable()
    look(watched, context)
    end(context, Status.SUCCEEDED)
    bill.disable()
    look(watched, context)
    assert [job.status for job in jobs(context)].count(Status.WAITING) == 1
    assert disabled_at(context)


def test_nothing_is_watched_without_a_subscription(new_context, bill):
    context = new_context()
    bill.is_down = True
    Watch(context.settings, context.companies, context.store, wake=context.wake, now=context.now).look(
        context.companies[0]
    )
    assert jobs(context) == []


def test_bill_out_of_reach_is_told(watched, context, bill):
    bill.is_down = True
    with pytest.raises(BillRefused):
        look(watched, context)
