"""What Intuit's webhooks say, to whom, how they are signed and when they come again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.control_client import ControlError
from ap_simulator.quickbooks.events import ChangeEvent
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.quickbooks.webhooks.notices import notice
from ap_simulator.quickbooks.webhooks.notifier import signature


def test_the_signature_is_that_of_the_published_example():
    body = (
        b'[{"specversion":"1.0","id":"88cd52aa-33b6-4351-9aa4-47572edbd068",'
        b'"source":"intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=","type":"qbo.vendor.updated.v1",'
        b'"datacontenttype":"application/json","time":"2026-09-10T21:31:25.179851517Z",'
        b'"intuitentityid":"137","intuitaccountid":"310687","data":{}}]'
    )
    assert signature(body, "test-verifier-token") == "YdCfen9XNFwULQEAkv1Q/yCucfYkdAC0EDKl06S1R/w="


def test_without_an_endpoint_nothing_is_gathered(control, vendor):
    vendor()
    assert control.webhooks()["quickbooks"] == {"under_way": 0, "endpoints": []}


def test_a_change_is_told_as_a_signed_cloud_event(control, receiver, vendor):
    control.add_webhook(receiver.url)
    made = vendor()
    received = receiver.next()
    (event,) = received.payload
    assert event["type"] == "qbo.vendor.created.v1"
    assert (event["intuitentityid"], event["intuitaccountid"]) == (made["Id"], DEMO.realm_id)
    assert (event["specversion"], event["datacontenttype"], event["data"]) == ("1.0", "application/json", {})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", event["time"])
    digest = hmac.digest(DEMO.verifier_token.encode(), received.content, hashlib.sha256)
    assert received.headers["intuit-signature"] == base64.b64encode(digest).decode()
    assert received.headers["content-type"] == "application/json; charset=utf-8"
    assert received.headers["intuit-t-id"]


def test_an_api_write_is_told(simulator, control, receiver):
    control.add_webhook(receiver.url)
    tokens = simulator.on_loop(
        lambda world: world.oauth.refresh(client_id=DEMO.client_id, refresh_token=DEMO.refresh_token)
    )
    requests.post(
        f"{simulator.url}/v3/company/{DEMO.realm_id}/vendor",
        json={"DisplayName": "By API"},
        headers={"Authorization": f"Bearer {tokens.access_token}", "Accept": "application/json"},
        timeout=10,
    ).raise_for_status()
    assert receiver.next().payload[0]["type"] == "qbo.vendor.created.v1"


@pytest.mark.parametrize(
    ("switch", "entity", "expected"),
    [
        ({}, "PurchaseOrder", "qbo.purchaseorder.deleted.v1"),
        ({"webhook_entity_names": "separated"}, "PurchaseOrder", "qbo.purchase_order.deleted.v1"),
    ],
)
def test_the_type_names_the_entity(switch, entity, expected):
    event = ChangeEvent(
        realm_id="1", entity=entity, id="9", operation="Delete", time=datetime(2026, 1, 1, tzinfo=UTC)
    )
    body = notice([event], source="intuit.x", switches=QuickBooksSwitches(**switch))
    assert f'"type":"{expected}"'.encode() in body


def test_the_retired_shape_groups_by_company():
    at = datetime(2026, 1, 1, 20, 0, tzinfo=UTC)
    events = [
        ChangeEvent(realm_id="1", entity="Vendor", id="9", operation="Merge", time=at, deleted_id="8"),
        ChangeEvent(realm_id="2", entity="Bill", id="7", operation="Update", time=at),
    ]
    body = notice(events, source="", switches=QuickBooksSwitches(webhook_shape="legacy"))
    entity = '{"name":"Vendor","id":"9","operation":"Merge","lastUpdated":"2026-01-01T12:00:00-0800"'
    assert body.decode() == (
        '{"eventNotifications":[{"realmId":"1","dataChangeEvent":{"entities":['
        + entity
        + ',"deletedId":"8"}]}},{"realmId":"2","dataChangeEvent":{"entities":['
        '{"name":"Bill","id":"7","operation":"Update","lastUpdated":"2026-01-01T12:00:00-0800"}]}}]}'
    )


def test_changes_are_gathered_into_one_notice(control, receiver, vendor):
    control.set_switches({"quickbooks.webhook_aggregation_seconds": 60})
    control.freeze()
    control.add_webhook(receiver.url)
    survivor, merged = vendor("One"), vendor("Two")
    control.merge_vendors(survivor["Id"], merged["Id"])
    assert control.webhooks()["quickbooks"]["endpoints"][0]["pending"] == 3
    control.advance(60)
    events = receiver.next().payload
    assert [event["type"].split(".")[2] for event in events] == ["created", "created", "merged"]
    assert events[2]["data"] == {"deletedId": merged["Id"]}
    assert len({event["id"] for event in events}) == 3


def test_an_endpoint_hears_of_its_company_only(control, receiver, vendor, settled):
    control.add_realm(realm_id="77", name="Other", client_id=DEMO.client_id, client_secret=DEMO.client_secret)
    control.add_webhook(f"{receiver.url}/77", realm_id="77")
    control.add_webhook(f"{receiver.url}/all")
    vendor("Mine")
    settled()
    control.write_by_hand("Vendor", "create", values={"DisplayName": "Theirs"}, realm_id="77")
    settled()
    seen = [receiver.next() for _ in range(receiver.count())]
    told = {(one.path, one.payload[0]["intuitaccountid"]) for one in seen}
    assert told == {("/hooks/all", DEMO.realm_id), ("/hooks/all", "77"), ("/hooks/77", "77")}


def test_a_disconnected_app_hears_nothing(control, receiver, vendor):
    control.add_webhook(receiver.url)
    control.disconnect(DEMO.realm_id)
    vendor()
    assert control.webhooks()["quickbooks"]["endpoints"][0]["events"] == 0


def test_a_removed_endpoint_hears_nothing(control, receiver, vendor, settled):
    endpoint = control.add_webhook(receiver.url)
    control.remove_webhook(endpoint)
    vendor()
    assert settled()["quickbooks"]["endpoints"] == []
    assert receiver.count() == 0
    with pytest.raises(ControlError, match="no endpoint"):
        control.remove_webhook(endpoint)


def test_a_notice_comes_again_until_it_is_taken(control, receiver, vendor, settled):
    control.set_switches({"quickbooks.webhook_retry_factor": 0})
    control.add_webhook(receiver.url)
    receiver.statuses = [500, 302, 202, 404]
    vendor()
    (endpoint,) = settled()["quickbooks"]["endpoints"]
    assert (endpoint["attempts"], endpoint["failed"], endpoint["delivered"]) == (5, 4, 1)
    assert endpoint["statuses"] == {"200": 1, "202": 1, "302": 1, "404": 1, "500": 1}
    bodies = {receiver.next().content for _ in range(5)}
    assert len(bodies) == 1


def test_the_waits_are_those_of_the_manual(control, receiver, vendor):
    control.freeze()
    control.add_webhook(receiver.url)
    receiver.statuses = [500] * 10
    vendor()
    receiver.next()
    for number, wait in enumerate((10, 20, 30, 300, 1200, 7200, 14400, 21600, 21600), start=1):
        while control.webhooks()["quickbooks"]["endpoints"][0]["attempts"] < number:
            pass  # The wait begins when the answer has come back.
        control.advance(wait - 1)
        assert receiver.count() == 0
        control.advance(1)
        receiver.next()


def test_later_notices_wait_for_the_first_by_switch(control, receiver, vendor, settled):
    control.set_switches({"quickbooks.webhook_withholds": True})
    control.freeze()
    control.add_webhook(receiver.url)
    receiver.statuses = [500]
    vendor("One")
    receiver.next()
    vendor("Two")
    assert receiver.count() == 0
    control.advance(10)
    settled()
    control_types = [receiver.next().payload[0]["intuitentityid"] for _ in range(2)]
    assert control_types == sorted(control_types, key=int)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "url is missing"),
        ({"url": "ftp://example.com"}, "No http or https URL"),
        ({"url": "http://127.0.0.1:1/", "realm_id": "5"}, "no QuickBooks company 5"),
        ({"url": "http://127.0.0.1:1/", "client_id": "x"}, "There is no app x"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(simulator, body, words):
    answer = requests.post(f"{simulator.url}/__control/webhooks", json=body, timeout=10)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)
