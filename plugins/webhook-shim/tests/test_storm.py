"""A storm of events for two companies, with duplicates and forgeries, and a server that is killed in it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import json
import random
import signal
import statistics
import time

import pytest
from target_quickbooks.links import Company
from webhook_shim.events import System
from webhook_shim.store import inbox_table, jobs_table, subscription_table
from webhook_shim.store.jobs_table import SYNCING, Status
from webhook_shim.store.subscription_table import Subscription

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

DELIVERIES = 10_000
DUPLICATES, FORGED = 0.20, 0.05
KILLS = 3
SENDERS = 12
#: A storm, but not one that only measures how busy the machine is.
PER_SECOND = 150
ORGANIZATIONS = {"O": "1", "P": "2"}
KEY = "security-key"
#: What a run of Meltano's takes, and the wait before it.
RUN_SECONDS, DEBOUNCE_SECONDS = 5, 5


@pytest.fixture
def anyio_backend():
    return "asyncio"


def deliveries(chance):
    """Shuffled: event id, organization, and whether it is signed as it should be."""
    forged = [(f"forged-{number}", False) for number in range(int(DELIVERIES * FORGED))]
    good = DELIVERIES - len(forged)
    single = [(f"event-{number}", True) for number in range(int(good / (1 + DUPLICATES)))]
    again = chance.choices(single, k=good - len(single))
    found = [(name, chance.choice(list(ORGANIZATIONS)), signed) for name, signed in single + forged]
    tenants = {name: tenant for name, tenant, _ in found}
    found += [(name, tenants[name], signed) for name, signed in again]
    chance.shuffle(found)
    return found


def request(name, tenant, *, signed):
    event = {"eventId": name, "organizationId": tenant, "eventType": "vendor.created", "version": "1"}
    body = json.dumps({"metadata": event, "vendor": {"id": f"v-{name}"}}).encode()
    key = KEY if signed else "another key"
    signature = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    head = (
        f"POST /webhooks/bill/{tenant} HTTP/1.1\r\nHost: shim\r\nContent-Type: application/json\r\n"
        f"x-bill-sha-signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Sender:
    """One of the connections over which BILL delivers; what gets no answer is sent again."""

    def __init__(self, port, waiting, answers):
        self._port = port
        self._waiting = waiting
        self._answers = answers
        self._streams = None

    async def run(self):
        while self._waiting:
            delivery = self._waiting.pop()
            await asyncio.sleep(random.expovariate(PER_SECOND / SENDERS))
            while not await self._send(delivery):  # noqa: ASYNC110 - nothing tells when the server is back
                await asyncio.sleep(0.05)  # the server is down
        self._close()

    async def _send(self, delivery):
        name, tenant, signed = delivery
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            begun = time.perf_counter()
            writer.write(request(name, tenant, signed=signed))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
        except (OSError, EOFError):
            self._close()
            return False
        self._answers.append((name, int(head.split()[1]), time.perf_counter() - begun))
        return True

    def _close(self):
        if self._streams:
            with contextlib.suppress(OSError):
                self._streams[1].close()
            self._streams = None


async def send(port, waiting):
    """Deliver everything in the list; what was answered, with status and seconds."""
    answers = []
    async with asyncio.timeout(600):
        await asyncio.gather(*(Sender(port, waiting, answers).run() for _ in range(SENDERS)))
    return answers


def has_kills(server, waiting):
    """Kill and restart the server while the deliveries arrive."""
    for kill in range(1, KILLS + 1):
        left = DELIVERIES * (KILLS + 1 - kill) // (KILLS + 1)
        server.until(lambda: len(waiting) <= left)  # noqa: B023 - called at once
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        server.start()


def events(server):
    with server.store.reading() as connection:
        return [
            received
            for tenant in ORGANIZATIONS
            for received in inbox_table.latest(connection, System.BILL, tenant, limit=DELIVERIES)
        ]


def jobs(server, tenant):
    with server.store.reading() as connection:
        company = Company(ORGANIZATIONS[tenant], tenant)
        return jobs_table.history(connection, company, kinds=SYNCING, limit=1000)


async def test_no_good_event_is_lost_no_bad_one_kept_and_few_runs_cover_them(new_server, capsys):
    server = new_server(
        WEBHOOK_SHIM_COMPANIES="companies.json", WEBHOOK_SHIM_DEBOUNCE_SECONDS=str(DEBOUNCE_SECONDS)
    )
    server.seconds = 600
    listed = [
        {
            "name": tenant.lower(),
            "variables": {"TAP_BILL_ORGANIZATION_ID": tenant, "TARGET_QUICKBOOKS_REALM_ID": realm},
        }
        for tenant, realm in ORGANIZATIONS.items()
    ]
    (server.directory / "companies.json").write_text(json.dumps(listed))
    server.behave(f"sleep {RUN_SECONDS}")
    with server.store.writing() as connection:
        for tenant in ORGANIZATIONS:
            known = Subscription(tenant, f"s-{tenant}", "http://shim", KEY, dt.datetime.now(dt.UTC))
            subscription_table.save(connection, server.store.cipher, known)
    server.start()
    sent = deliveries(random.Random(4))  # noqa: S311 - a shuffle
    waiting = list(sent)
    begun = time.perf_counter()
    killing = asyncio.create_task(asyncio.to_thread(has_kills, server, waiting))
    answers = await send(server.port, waiting)
    await killing
    seconds = time.perf_counter() - begun
    await asyncio.to_thread(
        server.until, lambda: all(found.settled_at for found in events(server)) and len(answers) == DELIVERIES
    )

    stored = events(server)
    good = {name for name, _, signed in sent if signed}
    assert {found.event.event_id for found in stored} == good
    assert len(stored) == len(good)
    assert {status for name, status, _ in answers if name in good} == {200}
    assert {status for name, status, _ in answers if name not in good} == {401}
    done = {job.id: job for tenant in ORGANIZATIONS for job in jobs(server, tenant)}
    for found in stored:
        assert done[found.job_id].status == Status.SUCCEEDED
        assert done[found.job_id].started_at > found.received_at
    numbers = [len(jobs(server, tenant)) for tenant in ORGANIZATIONS]
    p99 = statistics.quantiles((took for _, _, took in answers), n=100)[-1]
    with capsys.disabled():
        print(  # noqa: T201 - the figures are what the test is for
            f"\n{DELIVERIES} deliveries in {seconds:.0f} s with {KILLS} kills: "
            f"receive p99 {p99 * 1000:.0f} ms, {numbers} runs"
        )
    # One at the start, one after each kill, and then as many as debounce and run leave room for.
    assert max(numbers) <= 1 + KILLS + 1 + seconds / (DEBOUNCE_SECONDS + RUN_SECONDS)
    assert p99 < 0.2
