"""Rules of Bill and VendorCredit (QuickBooks manual 6.3), and links from bills to orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from typing_extensions import override

from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.problems import business, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.transactions.balances import complete_payable, move_vendor_balance
from ap_simulator.quickbooks.transactions.dates import check_open_books, settle_dates
from ap_simulator.quickbooks.transactions.lines import settle_lines
from ap_simulator.quickbooks.transactions.numbers import settle_number
from ap_simulator.quickbooks.transactions.orders import linked, refresh_order
from ap_simulator.quickbooks.transactions.parties import (
    check_line_currencies,
    settle_currency,
    settle_department,
    settle_payable_account,
    settle_vendor,
)
from ap_simulator.quickbooks.transactions.taxes import settle_tax, total
from ap_simulator.quickbooks.writing.addresses import numbered
from ap_simulator.quickbooks.writing.context import PlainRules, Write

_ZERO: Final = Decimal(0)
_ORDER: Final = "PurchaseOrder"


class BillRules(PlainRules):
    """What a bill or vendor credit must have, and what it does to orders and balances."""

    def __init__(self, name: str) -> None:
        """Rules of the entity `name`, which is Bill or VendorCredit."""
        self._name = name

    def prepare(self, write: Write) -> None:
        """Check and complete the bill."""
        vendor = settle_vendor(write)
        currency = settle_currency(write, vendor)
        settle_payable_account(write, currency, implied=True)
        settle_lines(write)
        check_line_currencies(write, currency)
        settle_tax(write)
        settle_department(write)
        settle_dates(write)
        settle_number(write)
        body, name = write.body, write.entity.name
        if "VendorAddr" not in body and "BillAddr" in vendor.body and write.is_create:
            body["VendorAddr"] = dict(vendor.body["BillAddr"])
        numbered(write.realm, body, write.stored, "VendorAddr")
        body["TotalAmt"] = total(write.realm, body)
        if write.before is None:
            body["Balance"] = body["TotalAmt"]
        else:
            applied = write.realm.links.applied((name, write.before.id))
            if applied > body["TotalAmt"]:
                raise business("The amount cannot be less than what has been paid or applied.")
            if applied and body["VendorRef"] != write.stored["VendorRef"]:
                raise business("The vendor cannot be changed while payments are applied.")
        if write.sends("Line"):
            _settle_links(write)
        write.notes["orders"] = _linked_orders(body["Line"])

    @override
    def settle(self, write: Write, record: Record) -> None:
        """Orders, balance and vendor follow."""
        realm, name = write.realm, write.entity.name
        orders = realm.links.set_orders(record.id, write.notes["orders"])
        body = dict(record.body)
        complete_payable(realm, name, record.id, body)
        if body != record.body:
            realm.change(write.entity, record, body, advance=False)
        for order_id in sorted(orders, key=int):
            refresh_order(realm, order_id)
        move_vendor_balance(realm, name, write.stored, record.body)

    @override
    def may_delete(self, realm: Realm, record: Record) -> None:
        """A bill with payments, or a credit that is applied, stays."""
        check_open_books(realm, ENTITIES[self._name], record.body)
        if realm.links.payments_of((self._name, record.id)):
            raise linked(realm)

    @override
    def deleted(self, realm: Realm, record: Record) -> None:
        """Orders open again and the vendor is owed less."""
        for order_id in sorted(realm.links.set_orders(record.id, set()), key=int):
            refresh_order(realm, order_id)
        move_vendor_balance(realm, self._name, record.body, {})


def _linked_orders(lines: list[dict[str, Any]]) -> set[str]:
    return {
        link["TxnId"] for line in lines for link in line.get("LinkedTxn", ()) if link.get("TxnType") == _ORDER
    }


def _settle_links(write: Write) -> None:
    """Keep the links to purchase orders that fit; drop the others, or refuse by switch.

    A link fits if it names a line of an open order of the same vendor, and the bill's line is new
    or had the link before.

    Raises:
        RefusedError: 620, by switch.
    """
    before = {line["Id"]: line.get("LinkedTxn", []) for line in write.stored.get("Line", [])}
    for line in write.body["Line"]:
        links = line.pop("LinkedTxn", [])
        kept = []
        for link in links:
            if link.get("TxnType") != _ORDER:
                continue
            if link in before.get(line["Id"], ()) or (line["Id"] not in before and _fits(write, link)):
                kept.append(link)
            elif write.realm.switches.bad_order_link == "620":
                raise refused("620", f"Txn ID Cannot Be Linked : TxnId={link.get('TxnId', '')} {_ORDER}")
        if kept and write.entity.name == "Bill":
            line["LinkedTxn"] = kept


def _fits(write: Write, link: dict[str, Any]) -> bool:
    order = write.realm.record(_ORDER, link.get("TxnId", ""))
    return (
        order is not None
        and order.body["POStatus"] == "Open"
        and order.body["VendorRef"] == write.body["VendorRef"]
        and any(line["Id"] == link.get("TxnLineId") for line in order.body["Line"])
    )
