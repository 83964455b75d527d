"""Events that were sent: listed, sent again, and test events."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest


def test_events_are_listed_newest_first_with_their_payload_as_text(bill, hooks, receiver):
    subscription = hooks.subscribe()
    vendors = [bill.vendor(str(number)) for number in range(3)]
    hooks.drain()

    events = hooks.events(subscription)

    assert [json.loads(event["payload"])["vendor"]["id"] for event in events] == [
        vendor["id"] for vendor in vendors[::-1]
    ]
    assert set(events[0]) == {
        "id",
        "type",
        "version",
        "subscriptionId",
        "payload",
        "createdTime",
        "statusCode",
    }
    assert json.loads(events[0]["payload"])["metadata"]["eventId"] == events[0]["id"]
    sent = {received.content.decode() for received in receiver.everything()}
    assert sent == {event["payload"] for event in events}


def test_events_are_paged_and_chosen_by_entity_and_time(bill, hooks):
    subscription = hooks.subscribe("vendor.created", "vendor.updated")
    path = f"events/subscription/{subscription['id']}"
    vendors = []
    for number in range(5):
        vendors.append(bill.vendor(str(number)))
        bill.advance(minutes=1)
    bill.ok("PATCH", f"vendors/{vendors[0]['id']}", {"phone": "1"})
    hooks.drain()

    first = hooks.get(path, max=4)
    second = hooks.get(path, max=4, page=first["nextPage"])
    of_one = hooks.events(subscription, entityId=vendors[0]["id"])
    first_time = vendors[0]["createdTime"]
    until = (datetime.fromisoformat(first_time) + timedelta(seconds=90)).isoformat()

    assert len(first["results"]) == 4
    assert len(second["results"]) == 2
    assert "nextPage" not in second
    assert len({event["id"] for event in first["results"] + second["results"]}) == 6
    assert [event["type"] for event in of_one] == ["vendor.updated", "vendor.created"]
    assert len(hooks.events(subscription, createdTimeTo=until)) == 2
    assert len(hooks.events(subscription, createdTimeFrom=until)) == 4
    assert hooks.call("GET", path, params={"createdTimeFrom": "then"}).status_code == 400
    assert hooks.call("GET", path, params={"page": "x"}).status_code == 400


def test_events_are_kept_for_180_days(bill, hooks):
    subscription = hooks.subscribe()
    bill.vendor("old")
    (old,) = hooks.events(subscription)
    bill.advance(days=179)
    bill.headers = bill.session()
    bill.vendor("new")
    assert len(hooks.events(subscription)) == 2

    bill.advance(days=2)
    bill.headers = bill.session()

    assert len(hooks.events(subscription)) == 1
    path = f"events/subscription/{subscription['id']}/event/{old['id']}"
    assert hooks.call("POST", path).status_code == 404


def test_an_event_can_be_sent_again(bill, hooks, receiver):
    receiver.statuses = [200, 503]
    subscription = hooks.subscribe()
    bill.vendor()
    first = receiver.next()
    (event,) = hooks.events(subscription)

    again = hooks.call("POST", f"events/subscription/{subscription['id']}/event/{event['id']}").json()

    assert receiver.next().content == first.content
    assert again == {**event, "statusCode": 503}
    assert hooks.enabled(subscription)


def test_an_unknown_event_cannot_be_sent_again(hooks):
    subscription = hooks.subscribe()

    assert hooks.call("POST", f"events/subscription/{subscription['id']}/event/x").status_code == 404


def test_a_test_event_of_ones_own(hooks, receiver):
    subscription = hooks.subscribe("bill.created")
    body = {"eventType": "bill.created", "version": "1", "bill": {"id": "test-bill-id", "amount": 100}}

    event = hooks.call("POST", f"subscriptions/{subscription['id']}/test", body).json()

    received = receiver.next()
    assert received.payload["bill"] == {"id": "test-bill-id", "amount": 100}
    assert received.signed_by(subscription["securityKey"])
    assert event["statusCode"] == 200
    assert event["payload"] == received.content.decode()
    assert hooks.events(subscription) == [event]


def test_a_test_event_without_a_body(hooks, receiver):
    subscription = hooks.subscribe("vendor.archived")

    event = hooks.call("POST", f"subscriptions/{subscription['id']}/test").json()

    assert event["type"] == "vendor.archived"
    assert receiver.next().payload["vendor"] == {"id": "test-vendor-id"}


@pytest.mark.parametrize(
    "body", [[], {"eventType": "x"}, {"eventType": ["x"]}, {"version": "2"}, {"vendor": 1}]
)
def test_an_invalid_test_event_is_refused(hooks, body):
    subscription = hooks.subscribe("vendor.created")

    assert hooks.call("POST", f"subscriptions/{subscription['id']}/test", body).status_code == 400
