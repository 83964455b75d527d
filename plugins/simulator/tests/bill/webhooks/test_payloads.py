"""What a notification says, and what notifies nobody."""

from __future__ import annotations

import uuid

import pytest

ADDRESS = {"line1": "1 Main St", "city": "San Jose", "zipOrPostalCode": "95002", "country": "US"}


def test_a_vendor_event_differs_from_the_vendor(bill, hooks, receiver):
    subscription = hooks.subscribe("vendor.created")
    vendor = bill.vendor(accountNumber="0987", additionalInfo={"taxId": "999888777"})

    notification = receiver.next().payload

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

    entity = receiver.next().payload["vendor"]

    assert entity["paymentNetworkId"] == "PNI1"
    assert "rppsId" not in entity


def test_a_bill_event_has_no_lines_and_a_date_time(bill, hooks, receiver):
    hooks.subscribe("bill.created", "bill.updated")
    vendor = bill.vendor()
    record = bill.bill(vendor["id"], 10, purchaseOrderNumber="PO-1")
    created = receiver.next().payload["bill"]
    bill.ok("PATCH", f"bills/{record['id']}", {"description": "new"})
    updated = receiver.next().payload["bill"]

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
        for payload in (received.payload for received in receiver.everything())
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

    entity = receiver.next().payload["payment"]

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

    entity = receiver.next().payload["payment"]
    assert entity["status"] == "PROCESSED"
    assert entity["disbursement"]["amount"] == 100
    assert entity["disbursement"]["disbursementAccount"] == {"type": "CHECK"}


def test_a_refused_payment_is_notified_without_an_id(bill, hooks, receiver):
    hooks.subscribe("payment.failed")
    assert pay(bill, amount=101).status_code == 400

    notification = receiver.next().payload

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
