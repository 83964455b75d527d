"""Subscriptions: the rules for them, their keys, the envelope of lists."""

from __future__ import annotations

import base64
import uuid

import pytest


def test_the_catalog_is_a_bare_array(hooks):
    catalog = hooks.get("events/catalog")

    assert {"type": "bill.created", "versions": ["1"]} in catalog
    types = {entry["type"] for entry in catalog}
    assert {"payment.failed", "autopay.failed", "mass-payment.updated", "invoice.restored"} <= types
    assert "payment.created" not in types


def test_a_new_subscription_shows_its_key_this_once(bill, hooks):
    subscription = hooks.subscribe("bill.created", "bill.updated")
    key = subscription.pop("securityKey")

    assert len(base64.b64decode(key)) == 32
    assert uuid.UUID(subscription["id"]).version == 4
    assert subscription["organizationId"] == bill.ORGANIZATION
    assert subscription["status"]["enabled"] is True
    assert subscription["status"]["updatedBy"].startswith("006")
    assert subscription["events"] == [
        {"type": "bill.created", "version": "1"},
        {"type": "bill.updated", "version": "1"},
    ]
    assert hooks.get(f"subscriptions/{subscription['id']}") == subscription
    assert hooks.get("subscriptions") == {"results": [subscription]}


def test_a_repeated_idempotency_key_answers_the_same_for_24_hours(bill, hooks):
    key = str(uuid.uuid4())
    first = hooks.call("POST", "subscriptions", hooks.body(), key=key)

    second = hooks.call("POST", "subscriptions", {"anything": "else"}, key=key)

    assert (second.status_code, second.content) == (200, first.content)
    assert len(hooks.get("subscriptions")["results"]) == 1
    bill.advance(hours=24)
    bill.headers = bill.session()
    assert hooks.call("POST", "subscriptions", hooks.body(), key=key).status_code == 400


@pytest.mark.parametrize(
    "key", [None, "", "no-uuid", "5b1c3b7e-0b0e-1f7a-9a53-0e6a0f0b7c11", "5b1c3b7e0b0e4f7a9a530e6a0f0b7c11"]
)
def test_the_idempotency_key_has_to_be_a_uuid4(hooks, key):
    assert hooks.call("POST", "subscriptions", hooks.body(), key=key).status_code == 400
    assert hooks.get("subscriptions")["results"] == []


@pytest.mark.parametrize("replay", [False, True])
def test_whether_an_error_is_repeated_is_a_switch(bill, hooks, replay):
    bill.switches.webhook_error_replay = replay
    key = str(uuid.uuid4())
    assert hooks.call("POST", "subscriptions", {}, key=key).status_code == 400

    again = hooks.call("POST", "subscriptions", hooks.body(), key=key)

    assert again.status_code == (400 if replay else 200)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None},
        {"status": {}},
        {"events": []},
        {"events": [{"type": "payment.created", "version": "1"}]},
        {"events": [{"type": "bill.created", "version": "1.0"}]},
        {"events": [{"type": "bill.created", "version": 1}]},
        {"notificationUrl": "http://example.com/hook"},
        {"notificationUrl": "ftp://127.0.0.1/hook"},
        {"notificationUrl": "https://"},
        {"notificationUrl": "http://[::1"},
        {"notificationUrl": "not a url"},
    ],
)
def test_invalid_subscriptions_are_refused(hooks, fields):
    assert hooks.create(**fields).status_code == 400


def test_the_real_service_takes_no_http_url(bill, hooks):
    bill.switches.webhook_http_urls = "never"

    assert hooks.create().status_code == 400
    assert hooks.create(notificationUrl="https://example.com/hook").status_code == 200


def test_ten_subscriptions_at_most(hooks):
    for number in range(10):
        hooks.subscribe(notificationUrl=f"https://example.com/{number}")

    response = hooks.create(notificationUrl="https://example.com/10")

    assert response.status_code == 400
    assert "at most 10" in response.json()[0]["message"]


def test_the_status_of_a_subscription_too_many_is_a_switch(bill, hooks):
    bill.switches.webhook_limit_status = 409
    hooks.subscribe()

    assert hooks.create().status_code == 409


def test_no_two_subscriptions_of_the_same_events_to_the_same_url(hooks):
    first = hooks.subscribe("bill.created", "bill.updated")
    assert hooks.create("bill.updated", "bill.created").status_code == 400

    other = hooks.subscribe("bill.created")

    path = f"subscriptions/{other['id']}"
    assert hooks.call("PUT", path, hooks.body("bill.created", "bill.updated")).status_code == 400
    assert hooks.call("PATCH", path, {"name": "new"}).status_code == 200
    assert hooks.call("DELETE", f"subscriptions/{first['id']}").status_code == 200
    assert hooks.call("PUT", path, hooks.body("bill.created", "bill.updated")).status_code == 200


def test_a_patch_changes_name_status_and_url_but_not_events(hooks):
    subscription = hooks.subscribe("bill.created")

    changed = hooks.call(
        "PATCH",
        f"subscriptions/{subscription['id']}",
        {
            "name": "New",
            "status": {"enabled": False},
            "notificationUrl": "https://example.com",
            "events": [{"type": "vendor.created", "version": "1"}],
        },
    ).json()

    assert (changed["name"], changed["notificationUrl"]) == ("New", "https://example.com")
    assert changed["status"]["enabled"] is False
    assert changed["events"] == subscription["events"]
    assert "securityKey" not in changed


def test_a_put_replaces_events_too_and_needs_everything(hooks):
    subscription = hooks.subscribe("bill.created")
    path = f"subscriptions/{subscription['id']}"

    assert hooks.call("PUT", path, {"name": "New"}).status_code == 400
    changed = hooks.call("PUT", path, hooks.body("vendor.created", name="New")).json()

    assert changed["events"] == [{"type": "vendor.created", "version": "1"}]
    assert changed["id"] == subscription["id"]


def test_a_delete_answers_200_without_a_body(hooks):
    subscription = hooks.subscribe()

    response = hooks.call("DELETE", f"subscriptions/{subscription['id']}")

    assert (response.status_code, response.content) == (200, b"")
    assert hooks.call("GET", f"subscriptions/{subscription['id']}").status_code == 404


@pytest.mark.parametrize("spelling", ["security_key", "security-key"])
def test_the_security_key_is_rotated_and_signs_from_then_on(bill, hooks, receiver, spelling):
    subscription = hooks.subscribe()
    path = f"subscriptions/{subscription['id']}/{spelling}"
    assert hooks.call("POST", path).status_code == 400

    rotated = hooks.call("POST", path, key=str(uuid.uuid4())).json()

    assert rotated["securityKey"] != subscription["securityKey"]
    bill.vendor()
    assert receiver.next().signed_by(rotated["securityKey"])


def test_a_repeated_rotation_is_answered_with_the_same_key(hooks):
    path = f"subscriptions/{hooks.subscribe()['id']}/security_key"
    key = str(uuid.uuid4())

    assert hooks.call("POST", path, key=key).json() == hooks.call("POST", path, key=key).json()


def test_subscriptions_are_paged_forward(hooks):
    made = [hooks.subscribe(notificationUrl=f"https://example.com/{n}")["id"] for n in range(5)]

    first = hooks.get("subscriptions", max=3)
    second = hooks.get("subscriptions", max=3, page=first["nextPage"])

    assert [entry["id"] for entry in first["results"] + second["results"]] == made
    assert set(second) == {"results"}
    assert hooks.call("GET", "subscriptions", params={"page": "x"}).status_code == 400


@pytest.mark.parametrize("form", ["named", "array"])
def test_the_envelope_of_lists_is_a_switch(bill, hooks, form):
    bill.switches.webhook_list_envelope = form
    subscription = hooks.subscribe()
    path = f"events/subscription/{subscription['id']}"

    lists = hooks.get("subscriptions"), hooks.get(path)

    if form == "array":
        assert [len(entries) for entries in lists] == [1, 0]
    else:
        assert [set(entries) for entries in lists] == [{"subscriptions"}, {"events"}]


def test_absent_headers_are_400_and_invalid_ones_401(bill):
    assert bill.hooks("GET", "subscriptions", headers={}).status_code == 400
    assert len(bill.hooks("GET", "subscriptions", headers={}).json()) == 2
    for changes in ({"sessionId": "x"}, {"devKey": "x"}):
        response = bill.hooks("GET", "subscriptions", headers={**bill.headers, **changes})
        assert response.status_code == 401
        assert isinstance(response.json(), list)


def test_subscriptions_belong_to_their_organization(bill, hooks):
    subscription = hooks.subscribe()
    other = bill.session(organizationId=bill.OTHER_ORGANIZATION)

    response = bill.hooks("GET", f"subscriptions/{subscription['id']}", headers=other)

    assert response.status_code == 404
