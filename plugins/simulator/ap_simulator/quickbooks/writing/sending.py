"""Sending a purchase order by e-mail: nothing is sent, the order says that it was (manual 1.2)."""

from __future__ import annotations

from ap_simulator.quickbooks.decoding import is_email
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.problems import Problem, RefusedError, business
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record


def send_order(realm: Realm, record: Record, address: str | None) -> None:
    """Mark an order as sent, to `address` or to the one it has, or its vendor.

    Raises:
        RefusedError: 6420 without any address, 6000 for one that is none.
    """
    entity = ENTITIES["PurchaseOrder"]
    body = {**record.body, "EmailStatus": "EmailSent"}
    if address is not None:
        if not is_email(address):
            raise business("Please enter a valid email address.")
        body["POEmail"] = {"Address": address}
    elif "POEmail" not in body:
        vendor = realm.record("Vendor", body["VendorRef"]["value"])
        theirs = vendor.body.get("PrimaryEmailAddr") if vendor is not None else None
        if theirs is None:
            raise RefusedError([Problem("6420", "Email address is required", "POEmail")])
        body["POEmail"] = theirs
    realm.change(entity, record, body)
    realm.told(entity, record.id, "Emailed")
