"""The doors: who gets in, what is stored, what is answered."""

from __future__ import annotations

import datetime as dt
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from target_quickbooks.errors import StoreError
from webhook_shim import inbox
from webhook_shim.events import System
from webhook_shim.receiver import MOST_BYTES, Receiver
from webhook_shim.signatures import signature
from webhook_shim.store import inbox_table, subscription_table, tables
from webhook_shim.store.subscription_table import Subscription

ORGANIZATION, REALM = "00802DEMOORGANIZTN01", "9341452000000001"
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
KEY, OLD_KEY, TOKEN = "key-of-the-subscription", "key-before-that", "verifier-token-of-the-app"
BILL_PATH, QUICKBOOKS_PATH = f"/webhooks/bill/{ORGANIZATION}", f"/webhooks/quickbooks/{REALM}"


def bill_event(event_id="e1", kind="vendor.created", organization_id=ORGANIZATION, **record):
    metadata = {"eventId": event_id, "eventType": kind, "organizationId": organization_id, "version": "1"}
    payload = {"metadata": metadata, kind.partition(".")[0]: {"id": "00902BILKFECNEV2oji1", **record}}
    return json.dumps(payload, separators=(",", ":")).encode()


def quickbooks_event(event_id="c1", realm_id=REALM):
    event = {
        "specversion": "1.0",
        "id": event_id,
        "type": "qbo.vendor.updated.v1",
        "intuitentityid": "137",
        "intuitaccountid": realm_id,
        "data": {},
    }
    return json.dumps([event]).encode()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture
def woken():
    return []


@pytest.fixture
def context(new_context, woken):
    context = new_context(woken=woken, quickbooks_verifier_token=f"{TOKEN},older-token")
    subscription = Subscription(ORGANIZATION, "s1", "https://books.example", KEY, NOW)
    with context.store.writing() as connection:
        subscription_table.save(connection, context.store.cipher, subscription)
    return context


@pytest.fixture
def receiver(context):
    return Receiver(context)


@pytest.fixture
def door(receiver, serve):
    server = serve(receiver.routes())

    def knock(body, *, path=BILL_PATH, key=None, claimed=None):
        header = "x-bill-sha-signature" if "/bill/" in path else "intuit-signature"
        secret = key or (KEY if "/bill/" in path else TOKEN)
        headers = {header: signature(body, secret) if claimed is None else claimed}
        return server.post(path, data=body, headers=headers if claimed != "" else {})

    return knock


def stored(context):
    with context.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(tables.inbox)).scalar_one()


def test_a_signed_event_is_on_disk_when_it_is_acknowledged(door, context, woken):
    answer = door(bill_event())
    assert (answer.status_code, answer.json()) == (200, {"received": 1, "new": 1})
    with context.store.reading() as connection:
        (found,) = inbox_table.latest(connection, System.BILL, ORGANIZATION)
    assert (found.event.kind, found.event.record_id) == ("vendor.created", "00902BILKFECNEV2oji1")
    assert (found.received_at, found.settled_at) == (NOW, None)
    assert len(woken) == 1


def test_a_duplicate_is_acknowledged_and_counted_once(door, context, woken):
    answers = [door(bill_event()).json() for _ in range(3)]
    assert [answer["new"] for answer in answers] == [1, 0, 0]
    with context.store.reading() as connection:
        (found,) = inbox_table.latest(connection, System.BILL, ORGANIZATION)
    assert found.repeats == 2
    assert len(woken) == 1


def test_quickbooks_events_come_in_too_with_or_without_realm_in_the_path(door, context):
    assert door(quickbooks_event("c1"), path=QUICKBOOKS_PATH).json() == {"received": 1, "new": 1}
    assert door(quickbooks_event("c2"), path="/webhooks/quickbooks").json() == {"received": 1, "new": 1}
    assert door(quickbooks_event("c3"), path=QUICKBOOKS_PATH, key="older-token").status_code == 200
    assert stored(context) == 3


def test_events_of_companies_that_are_not_looked_after_are_acknowledged_and_left(door, context):
    answer = door(quickbooks_event(realm_id="5"), path="/webhooks/quickbooks")
    assert (answer.status_code, answer.json()) == (200, {"received": 0, "new": 0})
    assert stored(context) == 0


@pytest.mark.parametrize(
    ("status", "knock"),
    [
        (401, {"body": bill_event(), "key": "wrong"}),
        (401, {"body": bill_event(), "claimed": ""}),
        (401, {"body": quickbooks_event(), "path": QUICKBOOKS_PATH, "key": "wrong"}),
        (401, {"body": quickbooks_event(), "path": QUICKBOOKS_PATH, "claimed": ""}),
        (403, {"body": bill_event(organization_id="00802ANOTHERORGANIZT")}),
        (403, {"body": bill_event(), "path": "/webhooks/bill/00802ANOTHERORGANIZT"}),
        (403, {"body": quickbooks_event(realm_id="5"), "path": QUICKBOOKS_PATH}),
        (403, {"body": quickbooks_event(), "path": "/webhooks/quickbooks/5"}),
        (413, {"body": b" " * (MOST_BYTES + 1)}),
        (400, {"body": b"{"}),
        (400, {"body": b"[]"}),
        (400, {"body": b'{"eventNotifications":1}', "path": QUICKBOOKS_PATH}),
    ],
)
def test_what_is_refused_is_not_stored_and_leaves_one_line(door, context, woken, caplog, status, knock):
    with caplog.at_level(logging.WARNING, logger="webhook-shim"):
        assert door(**knock).status_code == status
    assert (stored(context), woken) == (0, [])
    lines = [record.getMessage() for record in caplog.records if record.name == "webhook-shim"]
    assert len(lines) == 1
    assert f"({status})" in lines[0]
    assert "00902BILKFECNEV2oji1" not in lines[0]


def test_a_large_body_that_announces_no_length_is_refused_too(serve, receiver):
    server = serve(receiver.routes())
    chunks = (b" " * 65536 for _ in range(17))
    assert server.post(BILL_PATH, data=chunks).status_code == 413


def test_while_the_key_is_rotated_both_are_good_and_then_only_the_new_one(door, context, clock):
    rotated = Subscription(
        ORGANIZATION,
        "s1",
        "https://books.example",
        KEY,
        NOW,
        previous_key=OLD_KEY,
        previous_until=NOW.replace(hour=12),
    )
    with context.store.writing() as connection:
        subscription_table.save(connection, context.store.cipher, rotated)
    assert door(bill_event("e1"), key=OLD_KEY).status_code == 200
    assert door(bill_event("e2"), key=KEY).status_code == 200
    clock.advance(hours=3)
    assert door(bill_event("e3"), key=OLD_KEY).status_code == 401


def test_a_store_that_fails_makes_the_sender_try_again(door, context, monkeypatch):
    def fail(*_, **__):
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(inbox.inbox_table, "put", fail)
        assert door(bill_event()).status_code == 503
    assert door(bill_event()).json()["new"] == 1
    assert stored(context) == 1


def test_many_at_once_are_all_stored_once(door, context, receiver):
    bodies = [bill_event(f"e{number % 150}") for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(door, bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["new"] for answer in answers) == stored(context) == 150
    assert receiver.outcomes["bill", "accepted"] == 200


def test_one_organizations_key_opens_no_other_door(new_context, new_books, serve):
    companies = [
        new_books(name="one"),
        new_books(name="two", organization_id="00802SECONDORGANIZTN", realm_id="5"),
    ]
    context = new_context(companies)
    with context.store.writing() as connection:
        for books, key in zip(companies, (KEY, "other-key"), strict=True):
            subscription = Subscription(books.organization_id, "s", "https://books.example", key, NOW)
            subscription_table.save(connection, context.store.cipher, subscription)
    server = serve(Receiver(context).routes())
    body = bill_event(organization_id="00802SECONDORGANIZTN")
    headers = {"x-bill-sha-signature": signature(body, KEY)}
    answer = server.post("/webhooks/bill/00802SECONDORGANIZTN", data=body, headers=headers)
    assert answer.status_code == 401


def test_settled_events_are_not_waiting_and_are_forgotten_in_time(door, context):
    for number in range(3):
        door(bill_event(f"e{number}"))
    with context.store.writing() as connection:
        found = inbox_table.waiting(connection, System.BILL, ORGANIZATION)
        assert (found.number, found.kinds) == (3, {"vendor.created": 3})
        done = inbox_table.settle(
            connection, System.BILL, ORGANIZATION, up_to=found.last_id - 1, job_id="j", now=NOW
        )
        assert done == 2
        assert inbox_table.waiting(connection, System.BILL, ORGANIZATION).number == 1
        assert inbox_table.prune(connection, before=NOW.replace(hour=23)) == 2
    assert stored(context) == 1
