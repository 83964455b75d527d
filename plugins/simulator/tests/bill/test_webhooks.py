"""Subscriptions, notifications, their signature, retries and history."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override

ADDRESS = {"line1": "1 Main St", "city": "San Jose", "zipOrPostalCode": "95002", "country": "US"}


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class Receiver(ThreadingHTTPServer):
    """Takes notifications and answers them with the statuses it is told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received = queue.Queue()
        self.statuses = []
        self.delay = 0
        self.now = time.time
        self.url = f"http://127.0.0.1:{self.server_port}/hooks/bill"

    def next(self):
        return self.received.get(timeout=10)

    def everything(self):
        return [self.received.get_nowait() for _ in range(self.received.qsize())]


class Handler(BaseHTTPRequestHandler):
    @override
    def log_message(self, *args):
        pass

    def do_POST(self):
        server = self.server
        content = self.rfile.read(int(self.headers["Content-Length"]))
        server.received.put((content, self.headers, server.now()))
        time.sleep(server.delay)
        status = server.statuses.pop(0) if server.statuses else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Hooks:
    """A client of the webhooks API."""

    def __init__(self, client, receiver):
        self.client = client
        self.receiver = receiver
        client.switches.webhook_retry_factor = 0.0

    def call(self, method, path, body=None, *, key=None, **more):
        headers = dict(self.client.headers)
        if key is not None:
            headers["X-Idempotent-Key"] = key
        return self.client.hooks(method, path, body, headers=headers, **more)

    def body(self, *events, **fields):
        return {
            "name": "Bill management",
            "status": {"enabled": True},
            "events": [{"type": event, "version": "1"} for event in events or ("vendor.created",)],
            "notificationUrl": self.receiver.url,
            **fields,
        }

    def create(self, *events, **fields):
        return self.call("POST", "subscriptions", self.body(*events, **fields), key=str(uuid.uuid4()))

    def subscribe(self, *events, **fields):
        response = self.create(*events, **fields)
        assert response.status_code == 200, response.text
        return response.json()

    def get(self, path, **params):
        return self.call("GET", path, params=params).json()

    def events(self, subscription, **params):
        return self.get(f"events/subscription/{subscription['id']}", **params)["results"]

    def drain(self):
        wait_until(lambda: not self.client.on_loop(lambda service: service.courier.busy))

    def enabled(self, subscription):
        return self.get(f"subscriptions/{subscription['id']}")["status"]["enabled"]


@pytest.fixture
def hooks(bill, receiver):
    return Hooks(bill, receiver)


def payload_of(received):
    return json.loads(received[0])


# --- the API -------------------------------------------------------------------------------------


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
    assert signed_by(receiver.next(), rotated["securityKey"])


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


# --- payloads ------------------------------------------------------------------------------------


def test_a_vendor_event_differs_from_the_vendor(bill, hooks, receiver):
    subscription = hooks.subscribe("vendor.created")
    vendor = bill.vendor(accountNumber="0987", additionalInfo={"taxId": "999888777"})

    notification = payload_of(receiver.next())

    metadata = notification["metadata"]
    assert uuid.UUID(metadata.pop("eventId")).version == 4
    assert metadata == {
        "subscriptionId": subscription["id"],
        "organizationId": bill.ORGANIZATION,
        "eventType": "vendor.created",
        "version": "1",
    }
    entity = notification["vendor"]
    assert entity["id"] == vendor["id"]
    assert entity["accountNumber"] == 987
    assert "countryName" not in entity["address"]
    assert set(entity["paymentInformation"]) == {"payeeName", "payByType", "virtualCard"}
    assert entity["additionalInfo"]["taxId"] == "999888777"
    assert "accountType" not in entity


def test_a_connected_vendor_shows_its_network_id(bill, hooks, receiver):
    hooks.subscribe("vendor.updated")
    vendor = bill.vendor()
    stored = bill.stored("vendors", vendor["id"])
    bill.load(
        "vendors", {**stored, "networkStatus": "CONNECTED", "paymentNetworkId": "PNI1", "rppsId": "0rv1"}
    )
    bill.ok("PATCH", f"vendors/{vendor['id']}", {"phone": "1"})

    entity = payload_of(receiver.next())["vendor"]

    assert entity["paymentNetworkId"] == "PNI1"
    assert "rppsId" not in entity


def test_a_bill_event_has_no_lines_and_a_date_time(bill, hooks, receiver):
    hooks.subscribe("bill.created", "bill.updated")
    vendor = bill.vendor()
    record = bill.bill(vendor["id"], 10, purchaseOrderNumber="PO-1")
    created = payload_of(receiver.next())["bill"]
    bill.ok("PATCH", f"bills/{record['id']}", {"description": "new"})
    updated = payload_of(receiver.next())["bill"]

    assert created["invoice"] == {"invoiceNumber": "202601", "invoiceDate": "2026-12-15T00:00:00.000Z"}
    assert "billLineItems" not in created
    assert "vendorName" not in created
    assert (updated["vendorName"], updated["description"]) == (vendor["name"], "new")
    assert updated["purchaseOrderNumber"] == "PO-1"


@pytest.mark.parametrize("kind", ["vendor", "bill"])
def test_archiving_and_restoring_notify_once(bill, hooks, receiver, kind):
    hooks.subscribe(f"{kind}.archived", f"{kind}.restored")
    vendor = bill.vendor()
    record = vendor if kind == "vendor" else bill.bill(vendor["id"])
    for action in ("archive", "archive", "restore", "restore"):
        bill.ok("POST", f"{kind}s/{record['id']}/{action}")
    hooks.drain()

    seen = sorted(
        (payload["metadata"]["eventType"], payload[kind]["archived"])
        for payload in map(payload_of, receiver.everything())
    )

    assert seen == [(f"{kind}.archived", True), (f"{kind}.restored", False)]


def pay(client, **fields):
    vendor = client.vendor()
    bill_id = client.bill(vendor["id"], 100)["id"]
    body = {
        "vendorId": vendor["id"],
        "billId": bill_id,
        "amount": 100,
        "processDate": "2026-06-17",
        "fundingAccount": client.bank_account(),
        **fields,
    }
    return client.call("POST", "payments", body)


def test_a_payment_event_has_a_shape_of_its_own(bill, hooks, receiver):
    hooks.subscribe("payment.updated")
    payment = pay(bill).json()

    entity = payload_of(receiver.next())["payment"]

    assert entity["id"] == payment["id"]
    assert entity["billIds"] == [payment["billId"]]
    assert entity["status"] == "SCHEDULED"
    assert entity["funding"]["amount"] == 100
    assert entity["funding"]["fundingAccount"]["type"] == "BANK_ACCOUNT"
    assert entity["vendor"] == {"id": payment["vendorId"], "name": payment["vendorName"]}
    assert entity["billingType"] == "BDC"
    assert "billPayments" not in entity


def test_every_change_of_a_payments_status_is_notified(bill, hooks, receiver):
    hooks.subscribe("payment.updated")
    payment = pay(bill).json()
    receiver.next()

    bill.on_loop(lambda service: service.set_payment_status(bill.ORGANIZATION, payment["id"], "PROCESSED"))

    entity = payload_of(receiver.next())["payment"]
    assert entity["status"] == "PROCESSED"
    assert entity["disbursement"]["amount"] == 100
    assert entity["disbursement"]["disbursementAccount"] == {"type": "CHECK"}


def test_a_refused_payment_is_notified_without_an_id(bill, hooks, receiver):
    hooks.subscribe("payment.failed")
    assert pay(bill, amount=101).status_code == 400

    notification = payload_of(receiver.next())

    assert "id" not in notification["payment"]
    assert "errors" not in notification["payment"]
    assert notification["payment"]["bills"][0]["amount"] == 101
    assert notification["errors"][0]["message"] == "Cannot overpay a bill"


def test_a_refused_bulk_notifies_nothing_but_the_failure(bill, hooks, receiver):
    hooks.subscribe("bill.created", "vendor.created")
    bill.call("POST", "vendors/bulk", [{"name": "a", "address": ADDRESS}, {}])
    hooks.drain()

    assert receiver.everything() == []


def test_other_records_notify_nobody(bill, hooks, receiver):
    catalog = [entry["type"] for entry in hooks.get("events/catalog")]
    hooks.subscribe(*catalog)
    bill.ok("POST", "customers", {"name": "x"})
    bill.ok("POST", "classifications/departments", {"name": "x"})
    hooks.drain()

    assert receiver.everything() == []


# --- delivery ------------------------------------------------------------------------------------


def signed_by(received, key, *, message=None):
    content, headers, _ = received
    digest = hmac.new(key.encode(), message or content, hashlib.sha256).digest()
    return headers["x-bill-sha-signature"] == base64.b64encode(digest).decode()


def test_the_signature_covers_the_minified_body(bill, hooks, receiver):
    subscription = hooks.subscribe()
    bill.vendor("Ünï")

    received = receiver.next()

    assert received[1]["Content-Type"] == "application/json"
    assert signed_by(received, subscription["securityKey"])
    assert b": " not in received[0].replace("Ünï".encode(), b"")


@pytest.mark.parametrize("over", ["body", "payload"])
@pytest.mark.parametrize("form", ["escaped", "wrapped"])
def test_the_body_can_be_an_escaped_string(bill, hooks, receiver, form, over):
    bill.switches.webhook_body = form
    bill.switches.webhook_signature_over = over
    subscription = hooks.subscribe()
    vendor = bill.vendor()

    received = receiver.next()

    payload = payload_of(received)
    text = payload if form == "escaped" else payload["payload"]
    assert json.loads(text)["vendor"]["id"] == vendor["id"]
    message = received[0] if over == "body" else text.encode()
    assert signed_by(received, subscription["securityKey"], message=message)


def test_the_key_can_be_taken_as_base64(bill, hooks, receiver):
    bill.switches.webhook_key_encoding = "base64"
    key = base64.b64decode(hooks.subscribe()["securityKey"])
    bill.vendor()

    content, headers, _ = receiver.next()

    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["x-bill-sha-signature"] == expected


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
        wait_until(lambda status=status: hooks.events(subscription)[0].get("statusCode") == status)
        bill.advance(seconds=wait - 0.1)
        hooks.events(subscription)
        bill.advance(seconds=0.1)
        seen.append(receiver.next())
    hooks.drain()

    assert [(moment - start) / timedelta(seconds=1) for _, _, moment in seen] == [0, 2, 6, 14, 30]
    assert len({content for content, _, _ in seen}) == 1
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

    assert payload_of(receiver.next())["vendor"]["name"] == "seen"
    assert len(hooks.events(subscription)) == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_retries_end_with_their_subscription(bill, hooks, receiver, method):
    bill.switches.webhook_retry_factor = 1.0
    bill.on_loop(lambda service: service.clock.freeze())
    receiver.statuses = [500]
    subscription = hooks.subscribe()
    bill.vendor()
    receiver.next()
    wait_until(lambda: hooks.events(subscription)[0].get("statusCode") == 500)
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


# --- history -------------------------------------------------------------------------------------


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
    sent = {content.decode() for content, _, _ in receiver.everything()}
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

    assert receiver.next()[0] == first[0]
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
    assert payload_of(received)["bill"] == {"id": "test-bill-id", "amount": 100}
    assert signed_by(received, subscription["securityKey"])
    assert event["statusCode"] == 200
    assert event["payload"] == received[0].decode()
    assert hooks.events(subscription) == [event]


def test_a_test_event_without_a_body(hooks, receiver):
    subscription = hooks.subscribe("vendor.archived")

    event = hooks.call("POST", f"subscriptions/{subscription['id']}/test").json()

    assert event["type"] == "vendor.archived"
    assert payload_of(receiver.next())["vendor"] == {"id": "test-vendor-id"}


@pytest.mark.parametrize(
    "body", [[], {"eventType": "x"}, {"eventType": ["x"]}, {"version": "2"}, {"vendor": 1}]
)
def test_an_invalid_test_event_is_refused(hooks, body):
    subscription = hooks.subscribe("vendor.created")

    assert hooks.call("POST", f"subscriptions/{subscription['id']}/test", body).status_code == 400
