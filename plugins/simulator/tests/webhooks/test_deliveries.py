"""Deliveries of both systems: counted, fast, kept connections, hit by faults, made on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.control_client import ControlError


def bill_vendors(simulator, count=3):
    vendors = [
        {
            "id": f"00902VENDORVENDOR{n:03}",
            "name": f"Vendor {n}",
            "archived": False,
            "createdTime": "2026-01-01T00:00:00.000+00:00",
            "updatedTime": "2026-01-01T00:00:00.000+00:00",
        }
        for n in range(count)
    ]
    simulator.on_loop(lambda world: world.bill.load(DEMO.organization_id, "vendors", vendors))
    return [vendor["id"] for vendor in vendors]


def received(receiver):
    return [receiver.next() for _ in range(receiver.count())]


def is_signed(one, key):
    digest = hmac.digest(key.encode(), one.content, hashlib.sha256)
    return one.headers["x-bill-sha-signature"] == base64.b64encode(digest).decode()


def tally(settled):
    (shown,) = settled()["bill"]["subscriptions"]
    return shown


def test_a_thousand_events_arrive_once_each_and_requests_are_served_meanwhile(
    simulator, control, receiver, subscribe, settled
):
    ids = bill_vendors(simulator)
    subscription = subscribe(receiver.url)
    control.emit("bill", count=1_000)
    slowest = 0.0
    while control.webhooks()["bill"]["under_way"]:
        begun = time.monotonic()
        control.clock()
        slowest = max(slowest, time.monotonic() - begun)
    shown = tally(settled)
    assert (shown["events"], shown["delivered"], shown["failed"]) == (1_000, 1_000, 0)
    assert shown["statuses"] == {"200": 1_000}
    assert shown["first"] <= shown["last"]
    assert shown["answer_ms"]["max"] >= shown["answer_ms"]["p50"] > 0
    arrived = received(receiver)
    assert len({one.payload["metadata"]["eventId"] for one in arrived}) == 1_000
    assert {one.payload["vendor"]["id"] for one in arrived} == set(ids)
    assert all(is_signed(one, subscription["securityKey"]) for one in arrived)
    assert receiver.connections <= 16
    assert slowest < 1


def test_a_burst_on_a_slow_receiver_times_nothing_out(simulator, control, receiver, subscribe, settled):
    """Time that a delivery waits for its turn is not the receiver's."""
    control.set_switches({"bill.webhook_timeout_seconds": 1})
    receiver.delay = 0.1
    bill_vendors(simulator)
    subscribe(receiver.url)
    control.emit("bill", count=240)
    shown = tally(settled)
    assert (shown["delivered"], shown["failed"], shown["enabled"]) == (240, 0, True)


def test_events_come_at_the_rate_asked_for(simulator, control, receiver, subscribe, settled):
    bill_vendors(simulator)
    subscribe(receiver.url)
    begun = time.monotonic()
    control.emit("bill", count=21, per_second=100)
    assert tally(settled)["delivered"] == 21
    assert time.monotonic() - begun >= 0.2


def test_events_are_about_the_records_asked_for(simulator, control, receiver, subscribe, settled):
    ids = bill_vendors(simulator)
    subscribe(receiver.url)
    control.emit("bill", count=2, ids=[ids[1]])
    settled()
    assert [one.payload["vendor"]["name"] for one in received(receiver)] == ["Vendor 1"] * 2


def test_quickbooks_events_are_emitted(control, receiver, vendor, settled):
    made = vendor()
    control.add_webhook(receiver.url)
    control.emit("quickbooks", count=30, operation="Delete")
    (endpoint,) = settled()["quickbooks"]["endpoints"]
    events = [event for one in received(receiver) for event in one.payload]
    assert (endpoint["events"], len(events)) == (30, 30)
    assert {(e["type"], e["intuitentityid"]) for e in events} == {("qbo.vendor.deleted.v1", made["Id"])}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, 'needs a "system"'),
        ({"system": "bill"}, "There are no vendors"),
        ({"system": "bill", "event_type": "invoice.created"}, "event_type must be one of"),
        ({"system": "bill", "organization_id": "1"}, "no BILL organization 1"),
        ({"system": "bill", "ids": ["1"]}, "There is no record 1"),
        ({"system": "quickbooks", "realm_id": "1"}, "no QuickBooks company 1"),
        ({"system": "quickbooks", "entity": "Bill", "operation": "Merge"}, "must be among"),
        ({"system": "quickbooks", "entity": "Account", "count": 0}, "count must be"),
        ({"system": "quickbooks", "count": 1.5}, "count cannot be 1.5"),
    ],
)
def test_events_that_cannot_be_are_refused(simulator, body, words):
    answer = requests.post(f"{simulator.url}/__control/webhooks/emit", json=body, timeout=10)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)


def test_a_dropped_delivery_is_lost_for_good(simulator, control, receiver, subscribe, settled):
    control.add_fault("delivery_drop", nth=2)
    bill_vendors(simulator)
    subscribe(receiver.url)
    control.emit("bill", count=3)
    shown = tally(settled)
    assert (shown["dropped"], shown["attempts"], shown["enabled"]) == (1, 2, True)
    assert receiver.count() == 2


def test_a_delivery_comes_twice(simulator, control, receiver, subscribe, settled):
    control.add_fault("delivery_duplicate", every=2)
    bill_vendors(simulator)
    subscribe(receiver.url)
    control.emit("bill", count=10)
    shown = tally(settled)
    assert (shown["duplicated"], shown["delivered"]) == (5, 15)
    arrived = received(receiver)
    assert len({one.payload["metadata"]["eventId"] for one in arrived}) == 10
    assert len(arrived) == 15


def test_a_badly_signed_delivery_comes_well_signed_once_refused(
    simulator, control, receiver, subscribe, settled
):
    control.add_fault("delivery_bad_signature", nth=1)
    bill_vendors(simulator)
    subscription = subscribe(receiver.url)
    receiver.statuses = [401]
    control.emit("bill", count=1)
    shown = tally(settled)
    assert (shown["badly_signed"], shown["statuses"]) == (1, {"200": 1, "401": 1})
    forged, good = received(receiver)
    assert not is_signed(forged, subscription["securityKey"])
    assert is_signed(good, subscription["securityKey"])


def test_a_delivery_is_overtaken(simulator, control, receiver, subscribe, settled):
    control.add_fault("delivery_reorder", nth=1)
    ids = bill_vendors(simulator)
    subscribe(receiver.url)
    control.emit("bill", count=3)
    assert tally(settled)["reordered"] == 1
    order = [one.payload["vendor"]["id"] for one in received(receiver)]
    assert order[0] != ids[0]
    assert sorted(order) == ids


def test_faults_of_deliveries_hit_the_system_and_receiver_they_name(control, receiver, vendor, settled):
    control.add_fault("delivery_drop", system="bill")
    control.add_fault("delivery_drop", path="/elsewhere/*")
    control.add_webhook(receiver.url)
    vendor()
    settled()
    assert receiver.count() == 1
    assert [rule["seen"] for rule in control.faults()] == [0, 0]


def test_faults_of_deliveries_do_not_hit_calls(control, bill):
    control.add_fault("delivery_drop")
    bill("GET", "connect/v3/vendors")
    assert control.faults()[0]["seen"] == 0


def test_the_reset_of_statistics_counts_deliveries_anew(simulator, control, receiver, subscribe, settled):
    bill_vendors(simulator)
    subscribe(receiver.url)
    control.emit("bill", count=2)
    settled()
    control.reset_stats()
    shown = tally(settled)
    assert (shown["events"], shown["attempts"], shown["first"]) == (0, 0, None)


def test_an_unknown_fault_field_is_refused(control):
    with pytest.raises(ControlError, match="does not take delay_ms"):
        control.add_fault("delivery_drop", delay_ms=5)


def test_a_receiver_that_ends_kept_connections_misses_nothing(
    simulator, control, receiver, subscribe, settled
):
    bill_vendors(simulator)
    subscribe(receiver.url)
    control.emit("bill", count=1)
    settled()
    receiver.drop_connections()
    control.emit("bill", count=1)
    shown = tally(settled)
    assert (shown["delivered"], shown["failed"]) == (2, 0)


def test_the_verifier_token_is_among_the_settings(simulator):
    assert simulator.env()["WEBHOOK_SHIM_QUICKBOOKS_VERIFIER_TOKEN"] == DEMO.verifier_token
