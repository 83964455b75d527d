"""Several hosts share one database: each receives, one at a time works for a company, and one may die."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import itertools
import json
import os
import random
import signal
import sys
import threading
import time

import pytest
import requests
from cryptography.fernet import Fernet
from target_quickbooks.errors import StoreError
from target_quickbooks.links import Company
from target_quickbooks.store import lease_table, schemas
from target_quickbooks.store.copying import copy
from target_quickbooks.store.rekey import rekey
from target_quickbooks.store.tables import leases
from webhook_shim import tenure
from webhook_shim.events import Event, System
from webhook_shim.store import inbox_table, jobs_table, subscription_table
from webhook_shim.store.jobs_table import SYNCING, Kind, Status
from webhook_shim.store.opening import SCHEMA, open_for
from webhook_shim.store.subscription_table import Subscription

HOSTS = 3
DELIVERIES = 300
DUPLICATES = 0.3
ORGANIZATIONS = {"O": "1", "P": "2", "Q": "3"}
KEY = "security-key"
#: Enough for anything, on a busy machine.
SECONDS = 120
#: A server as on a host of its own: nobody elsewhere can tell which of its processes live.
SERVER = """
import sys
from target_quickbooks import process
place = sys.argv.pop()
process._place = lambda: place
from webhook_shim import jobs, runner, tenure
jobs.HOST, tenure.LEASE_SECONDS, runner.LOOK_SECONDS = place, 6, 1.0
runner._AFTER_TROUBLE /= 10
from webhook_shim.cli import main
main()
"""
#: A run that shows when two are under way at once, and which ones there were.
RUN = """
exec 9>"{directory}/lock-$TAP_BILL_ORGANIZATION_ID"
flock -n 9 || echo "$*" >> "{directory}/overlaps"
sleep 0.$((RANDOM % 5 + 1))
"""


def request(name, tenant):
    event = {"eventId": name, "organizationId": tenant, "eventType": "vendor.created", "version": "1"}
    body = json.dumps({"metadata": event, "vendor": {"id": f"v-{name}"}}).encode()
    signature = base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()
    return body, {"x-bill-sha-signature": signature, "Content-Type": "application/json"}


class Firm:
    """Three servers for three companies, each with a project of its own, all with one database."""

    def __init__(self, directory, url, new_server):
        self.directory = directory
        listed = [
            {
                "name": tenant.lower(),
                "variables": {"TAP_BILL_ORGANIZATION_ID": tenant, "TARGET_QUICKBOOKS_REALM_ID": realm},
            }
            for tenant, realm in ORGANIZATIONS.items()
        ]
        self.servers = []
        for number in range(HOSTS):
            own = directory / f"host-{number}"
            server = new_server(
                own,
                store_url=url,
                command=(sys.executable, "-c", SERVER, "serve", f"host-{number}"),
                WEBHOOK_SHIM_COMPANIES="companies.json",
                WEBHOOK_SHIM_DEBOUNCE_SECONDS="1",
            )
            (own / "companies.json").write_text(json.dumps(listed))
            meltano = own / "meltano"
            meltano.write_text(meltano.read_text().replace("#!/bin/sh", "#!/bin/bash"))
            server.behave(RUN.format(directory=directory))
            server.seconds = SECONDS
            self.servers.append(server)
        self.store = self.servers[0].store
        with self.store.writing() as connection:
            for tenant in ORGANIZATIONS:
                known = Subscription(tenant, f"s-{tenant}", "http://shim", KEY, dt.datetime.now(dt.UTC))
                subscription_table.save(connection, self.store.cipher, known)

    def start(self):
        threads = [threading.Thread(target=server.start) for server in self.servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def die(self, server):
        """A host loses its power: the server and all that it started end without a word."""
        number = self.servers.index(server)
        server.process.kill()
        with self.store.reading() as connection:
            running = [
                job
                for tenant, realm in ORGANIZATIONS.items()
                for job in jobs_table.running(connection, Company(realm, tenant))
                if job.host == f"host-{number}" and job.pid
            ]
        for job in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)
        server.process.wait(SECONDS)
        return running

    def busy(self):
        """A server that has a run under way."""
        for number, server in enumerate(self.servers):
            with self.store.reading() as connection:
                for tenant, realm in ORGANIZATIONS.items():
                    for job in jobs_table.running(connection, Company(realm, tenant)):
                        if job.host == f"host-{number}" and job.pid:
                            return server
        return None

    def deliver(self, waiting, answers):
        """Deliver to any host; what gets no answer is delivered again, to another one."""
        session = requests.Session()
        session.trust_env = False
        while waiting:
            name, tenant = waiting.pop()
            body, headers = request(name, tenant)
            while True:
                server = random.choice(self.servers)  # noqa: S311 - no secret
                with contextlib.suppress(requests.RequestException):
                    url = f"{server.url}/webhooks/bill/{tenant}"
                    status = session.post(url, data=body, headers=headers, timeout=30).status_code
                    if status == 200:
                        answers.append(name)
                        break
        session.close()

    def events(self):
        with self.store.reading() as connection:
            return [
                received
                for tenant in ORGANIZATIONS
                for received in inbox_table.latest(connection, System.BILL, tenant, limit=10 * DELIVERIES)
            ]

    def jobs(self):
        with self.store.reading() as connection:
            return [
                job
                for tenant, realm in ORGANIZATIONS.items()
                for job in jobs_table.history(connection, Company(realm, tenant), kinds=SYNCING, limit=1000)
            ]


@pytest.fixture
def firm(tmp_path, postgres_url, new_server):
    return Firm(tmp_path, postgres_url, new_server)


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
    return found


def overlapping(jobs):
    """Pairs of jobs of one company that were under way at the same time."""
    found = []
    for tenant in ORGANIZATIONS:
        ended = [job for job in jobs if job.company.organization_id == tenant and job.finished_at]
        ended.sort(key=lambda job: job.started_at)
        found += [(a.id, b.id) for a, b in itertools.pairwise(ended) if b.started_at < a.finished_at]
    return found


def test_three_hosts_share_the_work_and_one_that_dies_loses_nothing(firm):
    firm.start()
    chance = random.Random(6)  # noqa: S311 - a shuffle
    events = [(f"event-{number}", chance.choice(list(ORGANIZATIONS))) for number in range(DELIVERIES)]
    waiting = events + chance.sample(events, int(DELIVERIES * DUPLICATES))
    chance.shuffle(waiting)
    answers, total = [], len(waiting)
    senders = [threading.Thread(target=firm.deliver, args=(waiting, answers)) for _ in range(4)]
    for sender in senders:
        sender.start()
    until(lambda: len(answers) > total // 3)
    victim = until(firm.busy)
    killed = firm.die(victim)
    for sender in senders:
        sender.join(SECONDS)
    assert len(answers) == total
    until(lambda: all(received.settled_at for received in firm.events()))
    until(lambda: not firm.busy() and all(job.status != Status.RUNNING for job in firm.jobs()))

    stored, jobs = firm.events(), {job.id: job for job in firm.jobs()}
    assert len(stored) == DELIVERIES
    assert {received.event.event_id for received in stored} == {name for name, _ in events}
    assert sum(received.repeats for received in stored) >= total - DELIVERIES
    for received in stored:
        assert jobs[received.job_id].status == Status.SUCCEEDED
        assert jobs[received.job_id].started_at > received.received_at
    assert {jobs[job.id].status for job in killed} <= {Status.LOST, Status.SUCCEEDED}
    assert killed
    assert not (firm.directory / "overlaps").exists()
    assert overlapping(jobs.values()) == []
    assert len({job.host for job in jobs.values()}) > 1


# --- one of the parts at a time


@pytest.fixture
def stores(new_context, engine, store_url):
    """The same store as several servers have it."""
    assert store_url.startswith(engine)
    return [new_context().store for _ in range(HOSTS)]


@pytest.fixture
def engine():
    return "postgresql"


def at_once(function, arguments):
    start, results = threading.Barrier(len(arguments)), []

    def work(argument):
        start.wait(10)
        results.append(function(argument))

    threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(results) == len(arguments)
    return results


COMPANY = Company("1", "O")
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def test_a_job_that_all_hosts_ask_for_and_claim_is_one_job_of_one_host(stores):
    def ask(store):
        with store.writing() as connection:
            return jobs_table.ask(connection, COMPANY, Kind.SYNC, "poll", (), NOW)

    (job_id,) = set(at_once(ask, stores))

    def claim(store):
        with store.writing() as connection:
            return jobs_table.begin(connection, job_id, host="h", log_path="l", last_event=0, now=NOW)

    assert sorted(at_once(claim, stores)) == [False] * (HOSTS - 1) + [True]


def test_a_claim_does_not_wait_for_another_one(stores):
    with stores[0].writing() as connection:
        job_id = jobs_table.ask(connection, COMPANY, Kind.SYNC, "poll", (), NOW)
    with stores[0].writing() as first, stores[1].writing() as second:
        assert jobs_table.begin(first, job_id, host="a", log_path="l", last_event=0, now=NOW)
        assert not jobs_table.begin(second, job_id, host="b", log_path="l", last_event=0, now=NOW)


def test_the_same_events_at_all_hosts_in_any_order_are_kept_once(stores):
    events = [
        Event(System.BILL, tenant, f"e{number}", "vendor.created", "vendor", "v", None)
        for number in range(40)
        for tenant in ("O", "P")
    ]
    orders = [events, events[::-1], events[1::2] + events[::2]]

    def put(number):
        with stores[number].writing() as connection:
            return inbox_table.put(connection, orders[number], now=NOW)

    assert sum(at_once(put, range(HOSTS))) == len(events)


@pytest.mark.anyio
async def test_a_server_that_another_one_took_over_from_stops_its_work(stores, monkeypatch):
    monkeypatch.setattr(tenure, "LEASE_SECONDS", 0.6)
    async with tenure.held(stores[0], COMPANY, lambda: dt.datetime.now(dt.UTC)) as ours:
        with stores[1].writing() as connection:
            connection.execute(leases.update().values(owner="another"))
        async with asyncio.timeout(SECONDS):
            await ours.lost.wait()


@pytest.mark.anyio
async def test_a_server_that_cannot_renew_stops_before_another_one_may_begin(stores, monkeypatch):
    def fail(*_, **__):
        raise StoreError("gone")

    monkeypatch.setattr(tenure, "LEASE_SECONDS", 0.9)
    async with tenure.held(stores[0], COMPANY, lambda: dt.datetime.now(dt.UTC)) as ours:
        monkeypatch.setattr(lease_table, "renew", fail)
        async with asyncio.timeout(SECONDS):
            await ours.lost.wait()
        assert dt.datetime.now(dt.UTC) < ours.until


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_what_was_taken_over_is_not_ended_by_its_first_server(stores):
    with stores[0].writing() as connection:
        job_id = jobs_table.ask(connection, COMPANY, Kind.SYNC, "poll", (), NOW)
        jobs_table.begin(connection, job_id, host="a", log_path="l", last_event=0, now=NOW)
        job = jobs_table.by_id(connection, job_id)
        assert jobs_table.is_ours(connection, job)
        jobs_table.put_back(connection, job_id, detail="", now=NOW)
        later = NOW + dt.timedelta(minutes=1)
        jobs_table.begin(connection, job_id, host="b", log_path="l", last_event=0, now=later)
        assert not jobs_table.is_ours(connection, job)


def test_what_the_shim_keeps_moves_with_the_store(stores, tmp_path, new_books):
    with stores[0].writing() as connection:
        inbox_table.put(
            connection, [Event(System.BILL, "O", "e", "vendor.created", "vendor", "v", None)], now=NOW
        )
    assert SCHEMA in schemas.installed()
    assert copy(stores[0], f"sqlite:///{tmp_path / 'moved.sqlite3'}", now=NOW)["shim_inbox"] == 1
    moved = open_for([new_books(store_url=f"sqlite:///{tmp_path / 'moved.sqlite3'}")])
    with moved.reading() as connection:
        assert [found.event.event_id for found in inbox_table.latest(connection, System.BILL, "O")] == ["e"]
    moved.close()


def test_a_new_key_reads_the_keys_of_subscriptions(stores, new_books):
    known = Subscription("O", "s", "http://shim", KEY, NOW, previous_key="before", previous_until=NOW)
    with stores[0].writing() as connection:
        subscription_table.save(connection, stores[0].cipher, known)
    old, new = new_books().target_config["encryption_key"], Fernet.generate_key().decode()
    both = open_for([new_books(encryption_key=f"{new},{old}")])
    assert rekey(both, now=NOW)["shim_subscriptions"] == 1
    only_new = open_for([new_books(encryption_key=new)])
    with only_new.reading() as connection:
        assert subscription_table.load(connection, only_new.cipher, "O") == known
    both.close()
    only_new.close()
