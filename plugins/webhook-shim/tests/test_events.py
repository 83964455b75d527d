"""What deliveries say, in every shape they come in."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webhook_shim.events import NotAnEvent, System, WrongTenant, read_bill, read_quickbooks

ORGANIZATION = "00802DEMOORGANIZTN01"
REALM = "310687"
PAYLOAD = {
    "metadata": {
        "eventId": "625947c4",
        "subscriptionId": "f6d06930",
        "organizationId": ORGANIZATION,
        "eventType": "bill.created",
        "version": "1",
    },
    "bill": {"id": "00n02JZNIEYMNPY99iz9", "updatedTime": "2026-12-15T23:15:23.127+00:00"},
}
CLOUD = {
    "specversion": "1.0",
    "id": "88cd52aa",
    "type": "qbo.purchaseorder.updated.v1",
    "time": "2026-09-10T21:31:25.179851517Z",
    "intuitentityid": "137",
    "intuitaccountid": REALM,
    "data": {},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "payload", "eventNotifications", "dataChangeEvent", "entities", "data"]
            )
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def encoded(payload):
    return json.dumps(payload).encode()


@pytest.mark.parametrize(
    "body",
    [
        encoded(PAYLOAD),
        encoded(json.dumps(PAYLOAD)),
        encoded({"id": "625947c4", "payload": json.dumps(PAYLOAD)}),
        encoded({"payload": PAYLOAD}),
        encoded(json.dumps({"payload": json.dumps(PAYLOAD)})),
    ],
    ids=["plain", "escaped", "record", "wrapped", "escaped record"],
)
def test_bills_event_is_the_same_in_every_wrapping(body):
    (event,) = read_bill(body, ORGANIZATION)
    assert event.system is System.BILL
    assert (event.event_id, event.kind, event.entity) == ("625947c4", "bill.created", "bill")
    assert event.record_id == "00n02JZNIEYMNPY99iz9"
    assert event.occurred_at == dt.datetime(2026, 12, 15, 23, 15, 23, 127000, tzinfo=dt.UTC)


def test_another_organizations_event_is_refused():
    with pytest.raises(WrongTenant):
        read_bill(encoded(PAYLOAD), "00802ANOTHERORGANIZT")
    with pytest.raises(WrongTenant):
        read_bill(encoded({**PAYLOAD, "metadata": {"eventType": "bill.created"}}), ORGANIZATION)


def test_a_failed_payment_names_no_record():
    payload = {"metadata": {**PAYLOAD["metadata"], "eventType": "payment.failed"}, "payment": {"bills": []}}
    (event,) = read_bill(encoded({**payload, "errors": [{"code": "1"}]}), ORGANIZATION)
    assert (event.kind, event.entity, event.record_id) == ("payment.failed", "payment", "")


def test_an_event_without_an_id_is_known_again_by_what_it_says():
    metadata = {name: value for name, value in PAYLOAD["metadata"].items() if name != "eventId"}
    one, other = ({**PAYLOAD, "metadata": metadata, "bill": {"id": bill_id}} for bill_id in ("a", "b"))
    ids = [read_bill(encoded(payload), ORGANIZATION)[0].event_id for payload in (one, one, other)]
    assert ids[0] == ids[1] != ids[2]


def test_cloud_events_are_read_with_their_nanoseconds():
    (event,) = read_quickbooks(encoded([CLOUD]), REALM)
    assert (event.event_id, event.kind, event.record_id) == ("88cd52aa", "purchaseorder.updated", "137")
    assert event.occurred_at == dt.datetime(2026, 9, 10, 21, 31, 25, 179851, tzinfo=dt.UTC)


@pytest.mark.parametrize("spelling", ["purchase_order", "purchase-order", "PurchaseOrder"])
def test_entities_are_known_however_they_are_spelt(spelling):
    (event,) = read_quickbooks(encoded([{**CLOUD, "type": f"qbo.{spelling}.updated.v1"}]), REALM)
    assert event.entity == "purchaseorder"


def test_a_merge_concerns_both_records_in_either_shape():
    cloud = [{**CLOUD, "type": "qbo.vendor.merged.v1", "data": {"deletedId": "140"}}]
    entity = {"name": "Vendor", "id": "137", "operation": "Merge", "deletedId": "140", "lastUpdated": "x"}
    legacy = {
        "eventNotifications": [{"realmId": REALM, "dataChangeEvent": {"entities": [entity]}}],
    }
    for body in (cloud, legacy):
        events = read_quickbooks(encoded(body), REALM)
        assert [event.record_id for event in events] == ["137", "140"]
        assert {event.kind for event in events} == {"vendor.merged"}
        assert len({event.event_id for event in events}) == 2


def test_every_event_must_be_of_the_realm_it_was_sent_to():
    other = {**CLOUD, "intuitaccountid": "1"}
    with pytest.raises(WrongTenant):
        read_quickbooks(encoded([CLOUD, other]), REALM)
    assert [event.tenant for event in read_quickbooks(encoded([CLOUD, other]), None)] == [REALM, "1"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"null", b"3", b'"x"', b"[" * 100_000, b"[1]", b'[{"type":"qbo"}]', b'{"a":1}'],
)
def test_other_bodies_are_no_events(body):
    for read in (read_bill, read_quickbooks):
        with pytest.raises(NotAnEvent):
            read(body, REALM)


@given(ANYTHING)
def test_whatever_comes_is_an_event_or_refused(payload):
    body = json.dumps(payload).encode("utf-8", "replace")
    for read in (read_bill, read_quickbooks):
        try:
            events = read(body, REALM)
        except (NotAnEvent, WrongTenant):
            continue
        assert all(len(event.event_id) <= 128 and len(event.record_id) <= 64 for event in events)
