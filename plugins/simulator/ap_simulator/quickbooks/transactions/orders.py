"""Rules of PurchaseOrder (QuickBooks manual 6.2), and what bills do to it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from typing_extensions import override

from ap_simulator.quickbooks import references
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.entities.parts import ITEM_LINE
from ap_simulator.quickbooks.formats import quantity
from ap_simulator.quickbooks.problems import RefusedError, business, missing, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.transactions.dates import check_open_books, settle_dates
from ap_simulator.quickbooks.transactions.lines import (
    counts,
    line_detail,
    settle_lines,
)
from ap_simulator.quickbooks.transactions.numbers import settle_number
from ap_simulator.quickbooks.transactions.parties import (
    check_line_currencies,
    settle_currency,
    settle_department,
    settle_payable_account,
    settle_vendor,
)
from ap_simulator.quickbooks.transactions.taxes import settle_tax, total
from ap_simulator.quickbooks.writing.addresses import flattened, numbered
from ap_simulator.quickbooks.writing.context import PlainRules, Write

_ZERO: Final = Decimal(0)
_LINKED: Final = (
    "You can't delete this transaction because other transactions are linked to it. Unlink them first."
)


class PurchaseOrderRules(PlainRules):
    """What a purchase order must have, and its defaults."""

    def prepare(self, write: Write) -> None:
        """Check and complete the order."""
        if (
            write.sparse
            and write.realm.switches.purchase_order_sparse_needs_vendor
            and not write.sends("VendorRef")
        ):
            raise RefusedError([missing("VendorRef")])
        vendor = settle_vendor(write)
        currency = settle_currency(write, vendor)
        settle_payable_account(write, currency, implied=False)
        settle_lines(write)
        check_line_currencies(write, currency)
        _check_items(write)
        settle_tax(write)
        _references(write)
        settle_department(write)
        settle_dates(write)
        settle_number(write)
        body = write.body
        body.setdefault("POStatus", "Open")
        body.setdefault("EmailStatus", "NotSet")
        body["TotalAmt"] = total(write.realm, body)
        _custom_fields(write)
        _addresses(write, vendor)
        _keep_received(write)

    @override
    def may_delete(self, realm: Realm, record: Record) -> None:
        """An order that bills are linked to stays."""
        check_open_books(realm, ENTITIES["PurchaseOrder"], record.body)
        if realm.links.bills_of(record.id):
            raise linked(realm)


def linked(realm: Realm) -> RefusedError:
    """The refusal to delete a transaction that others are linked to."""
    if realm.switches.delete_linked == "620":
        return refused("620", f"Txn ID Cannot Be Linked : {_LINKED}")
    return business(_LINKED)


def refresh_order(realm: Realm, order_id: str) -> None:
    """Bring an order up to date with its bills: links, received quantities, status."""
    entity = ENTITIES["PurchaseOrder"]
    record = realm.record(entity.name, order_id)
    if record is None:
        return
    billed = _billed(realm, order_id)
    lines = [{**line, "Received": quantity(billed.get(line["Id"], _ZERO))} for line in record.body["Line"]]
    body = {**record.body, "Line": lines}
    bills = realm.links.bills_of(order_id)
    if bills:
        body["LinkedTxn"] = [{"TxnId": bill, "TxnType": "Bill"} for bill in bills]
    else:
        body.pop("LinkedTxn", None)
    if realm.switches.billed_order_closes:
        was, now = _is_received(record.body["Line"]), _is_received(lines)
        if now != was:
            body["POStatus"] = "Closed" if now else "Open"
    if body != record.body:
        realm.change(entity, record, body, advance=realm.switches.linking_advances_token)


def _billed(realm: Realm, order_id: str) -> dict[str, Decimal]:
    """How much of each order line bills have taken: quantities of item lines, else amounts."""
    billed: dict[str, Decimal] = {}
    for bill_id in realm.links.bills_of(order_id):
        bill = realm.record("Bill", bill_id)
        for line in bill.body["Line"] if bill is not None else ():
            for link in line.get("LinkedTxn", ()):
                if link["TxnId"] == order_id and link.get("TxnType") == "PurchaseOrder":
                    line_id = link["TxnLineId"]
                    billed[line_id] = billed.get(line_id, _ZERO) + measure(line)
    return billed


def measure(line: Mapping[str, Any]) -> Decimal:
    """How much there is of a line: the quantity of an item line, else the amount."""
    value: Decimal = line_detail(line).get("Qty", line["Amount"])
    return value


def _is_received(lines: list[dict[str, Any]]) -> bool:
    """Whether bills have taken all there is to take."""
    open_lines = [line for line in lines if counts(line) and measure(line)]
    return bool(open_lines) and all(line.get("Received", _ZERO) >= measure(line) for line in open_lines)


def _keep_received(write: Write) -> None:
    """Lines that kept their Id keep what was received of them."""
    received = {line["Id"]: line.get("Received", _ZERO) for line in write.stored.get("Line", [])}
    write.body["Line"] = [
        {**line, "Received": received.get(line["Id"], _ZERO)} for line in write.body["Line"]
    ]


def _check_items(write: Write) -> None:
    if write.realm.switches.purchase_order_needs_item and not any(
        line["DetailType"] == ITEM_LINE for line in write.body["Line"]
    ):
        raise business("You must select a product or service for this transaction.")


def _references(write: Write) -> None:
    body, realm = write.body, write.realm
    if write.sends("ShipTo") and "ShipTo" in body:
        references.resolve(write, "Customer", body["ShipTo"])
    if write.sends("ClassRef"):
        on = realm.profile.class_tracking == "transaction"
        if references.tracked(write, "Class", body.get("ClassRef"), on=on) is None:
            body.pop("ClassRef", None)


def _custom_fields(write: Write) -> None:
    """Every custom field of the company, with the values that the order has.

    Raises:
        RefusedError: 3000; a DefinitionId that the company does not have.
    """
    definitions = write.realm.profile.purchase_order_fields
    values: dict[str, str] = {}
    for entry in write.body.get("CustomField", []):
        if "StringValue" not in entry:
            continue
        definition = entry.get("DefinitionId", "")
        if definition not in definitions:
            raise refused("3000", f"Invalid Custom Field : DefinitionId {definition}")
        values[definition] = entry["StringValue"]
    if not definitions:
        write.body.pop("CustomField", None)
        return
    write.body["CustomField"] = [
        {"DefinitionId": definition, "Name": name, "Type": "StringType"}
        | ({"StringValue": values[definition]} if definition in values else {})
        for definition, name in definitions.items()
    ]


def _addresses(write: Write, vendor: Record) -> None:
    """Default the vendor's and the ship-to address; after an update they are lines of text."""
    body, realm = write.body, write.realm
    if write.is_create:
        if "VendorAddr" not in body and "BillAddr" in vendor.body:
            body["VendorAddr"] = dict(vendor.body["BillAddr"])
        ship_to = realm.record("Customer", body["ShipTo"]["value"]) if "ShipTo" in body else None
        if "ShipAddr" not in body and ship_to is not None:
            address = ship_to.body.get("ShipAddr") or ship_to.body.get("BillAddr")
            if address:
                body["ShipAddr"] = dict(address)
    numbered(realm, body, write.stored, "VendorAddr", "ShipAddr")
    if write.is_create or not realm.switches.flatten_addresses:
        return
    for name, heading in (("VendorAddr", _heading(vendor.body)), ("ShipAddr", [])):
        if name in body:
            body[name] = flattened(body[name], heading)


def _heading(person: Mapping[str, Any]) -> list[str]:
    contact = " ".join(person[p] for p in ("GivenName", "FamilyName") if p in person)
    company = str(person.get("CompanyName", person["DisplayName"]))
    return [text for text in (contact, company) if text]
