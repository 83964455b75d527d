"""Signature, success, retries, and receivers that are given up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest


def test_the_signature_covers_the_minified_body(bill, hooks, receiver):
    subscription = hooks.subscribe()
    bill.vendor("Ünï")

    received = receiver.next()

    assert received.headers["Content-Type"] == "application/json"
    assert received.signed_by(subscription["securityKey"])
    assert b": " not in received.content.replace("Ünï".encode(), b"")


@pytest.mark.parametrize("over", ["body", "payload"])
@pytest.mark.parametrize("form", ["escaped", "wrapped"])
def test_the_body_can_be_an_escaped_string(bill, hooks, receiver, form, over):
    bill.switches.webhook_body = form
    bill.switches.webhook_signature_over = over
    subscription = hooks.subscribe()
    vendor = bill.vendor()

    received = receiver.next()

    payload = received.payload
    text = payload if form == "escaped" else payload["payload"]
    assert json.loads(text)["vendor"]["id"] == vendor["id"]
    message = received.content if over == "body" else text.encode()
    assert received.signed_by(subscription["securityKey"], message=message)


def test_the_key_can_be_taken_as_base64(bill, hooks, receiver):
    bill.switches.webhook_key_encoding = "base64"
    key = base64.b64decode(hooks.subscribe()["securityKey"])
    bill.vendor()

    received = receiver.next()

    expected = base64.b64encode(hmac.new(key, received.content, hashlib.sha256).digest()).decode()
    assert received.headers["x-bill-sha-signature"] == expected


def test_retries_come_after_2_4_8_and_16_seconds_of_the_clock(bill, hooks, receiver):
    bill.switches.webhook_retry_factor = 1.0
    bill.on_loop(lambda service: service.clock.freeze())
    start = bill.clock.now()
    receiver.now = bill.clock.now
    receiver.statuses = [500, 404, 302, 201, 503]
    subscription = hooks.subscribe()
    bill.vendor()
    seen = [receiver.next()]
    for status, wait in zip([500, 404, 302, 201], (2, 4, 8, 16), strict=True):
        # The wait begins when the answer has come back.
        hooks.wait_until(lambda status=status: hooks.events(subscription)[0].get("statusCode") == status)
        bill.advance(seconds=wait - 0.1)
        hooks.events(subscription)
        bill.advance(seconds=0.1)
        seen.append(receiver.next())
    hooks.drain()

    assert [(moment - start) / timedelta(seconds=1) for moment in (received.moment for received in seen)] == [
        0,
        2,
        6,
        14,
        30,
    ]
    assert len({received.content for received in seen}) == 1
    assert not hooks.enabled(subscription)
    assert receiver.everything() == []


def test_a_delivery_that_succeeds_in_the_end_keeps_the_subscription(bill, hooks, receiver):
    receiver.statuses = [500, 500]
    subscription = hooks.subscribe()
    bill.vendor()
    hooks.drain()

    assert len(receiver.everything()) == 3
    assert hooks.enabled(subscription)
    assert [event["statusCode"] for event in hooks.events(subscription)] == [200]


def test_a_receiver_that_is_gone_is_given_up(bill, hooks):
    subscription = hooks.subscribe(notificationUrl="http://127.0.0.1:9/hook")
    bill.vendor()
    hooks.drain()

    assert not hooks.enabled(subscription)
    assert hooks.get(f"subscriptions/{subscription['id']}")["status"]["updatedBy"] == "SYSTEM"
    (event,) = hooks.events(subscription)
    assert "statusCode" not in event


def test_a_slow_receiver_has_failed(bill, hooks, receiver):
    bill.switches.webhook_timeout_seconds = 0.05
    receiver.delay = 0.3
    subscription = hooks.subscribe()
    bill.vendor()
    hooks.drain()

    assert not hooks.enabled(subscription)


def test_a_disabled_subscription_is_sent_nothing_until_enabled_again(bill, hooks, receiver):
    subscription = hooks.subscribe(status={"enabled": False})
    path = f"subscriptions/{subscription['id']}"
    bill.vendor("missed")
    hooks.call("PATCH", path, {"status": {"enabled": True}})
    bill.vendor("seen")

    assert receiver.next().payload["vendor"]["name"] == "seen"
    assert len(hooks.events(subscription)) == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_retries_end_with_their_subscription(bill, hooks, receiver, method):
    bill.switches.webhook_retry_factor = 1.0
    bill.on_loop(lambda service: service.clock.freeze())
    receiver.statuses = [500]
    subscription = hooks.subscribe()
    bill.vendor()
    receiver.next()
    hooks.wait_until(lambda: hooks.events(subscription)[0].get("statusCode") == 500)
    hooks.call(method, f"subscriptions/{subscription['id']}", {"status": {"enabled": False}})

    bill.advance(seconds=2)
    hooks.drain()

    assert receiver.everything() == []


def test_events_of_a_disabled_subscription_can_be_recorded(bill, hooks, receiver):
    bill.switches.webhook_events_while_disabled = "recorded"
    subscription = hooks.subscribe(status={"enabled": False})
    bill.vendor("missed")
    hooks.drain()

    assert len(hooks.events(subscription)) == 1
    assert receiver.everything() == []


def test_a_slow_receiver_does_not_hold_up_requests(bill, hooks, receiver):
    receiver.delay = 2
    hooks.subscribe()
    begun = time.monotonic()
    bill.vendor()

    assert time.monotonic() - begun < 1
    receiver.next()
