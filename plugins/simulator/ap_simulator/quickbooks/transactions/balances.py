"""Open balances: of bills and credits by their payments, of vendors by their transactions.

A vendor's LastUpdatedTime moves with its balance, its SyncToken does not (QuickBooks manual 10.27).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.formats import amount
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.transactions.links import Payable

_ZERO: Final = Decimal(0)
#: What a transaction's total does to what is owed to the vendor.
_SIGNS: Final = {"Bill": 1, "VendorCredit": -1, "BillPayment": -1}
_PAYMENT_TYPES: Final = {"Check": "BillPaymentCheck", "CreditCard": "BillPaymentCreditCard"}


def move_vendor_balance(
    realm: Realm, entity: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Bring vendors' balances up to date with a change of a transaction.

    Args:
        realm: The company.
        entity: Of the transaction.
        before: Its body until now, empty if it is new.
        after: Its body from now on, empty if it is deleted.
    """
    sign = _SIGNS.get(entity, 0)
    moves: dict[str, Decimal] = {}
    for body, factor in ((before, -sign), (after, sign)):
        if body:
            vendor = body["VendorRef"]["value"]
            moves[vendor] = moves.get(vendor, _ZERO) + factor * body.get("TotalAmt", _ZERO)
    for vendor, move in moves.items():
        if move:
            _move(realm, vendor, move)


def refresh_payable(realm: Realm, payable: Payable) -> None:
    """Bring balance and links of a bill or credit up to date with its payments and orders."""
    name, record_id = payable
    entity = ENTITIES[name]
    record = realm.record(name, record_id)
    if record is None:
        return
    body = dict(record.body)
    complete_payable(realm, name, record_id, body)
    if body != record.body:
        realm.change(entity, record, body, advance=realm.switches.linking_advances_token)


def complete_payable(realm: Realm, name: str, record_id: str, body: dict[str, Any]) -> None:
    """Fill in what follows from payments and links: Balance, HomeBalance, LinkedTxn."""
    payable = (name, record_id)
    body["Balance"] = amount(body["TotalAmt"] - realm.links.applied(payable))
    if name == "Bill" and realm.profile.multicurrency:
        body["HomeBalance"] = amount(body["Balance"] * body.get("ExchangeRate", Decimal(1)))
    links = []
    if name == "Bill":
        links = [{"TxnId": order, "TxnType": "PurchaseOrder"} for order in realm.links.orders_of(record_id)]
    for payment_id in realm.links.payments_of(payable):
        payment = realm.record("BillPayment", payment_id)
        pay_type = "Check" if payment is None else payment.body["PayType"]
        links.append({"TxnId": payment_id, "TxnType": _PAYMENT_TYPES[pay_type]})
    if links:
        body["LinkedTxn"] = links
    else:
        body.pop("LinkedTxn", None)


def _move(realm: Realm, vendor_id: str, move: Decimal) -> None:
    vendor = realm.record("Vendor", vendor_id)
    if vendor is not None:
        balance = amount(vendor.body.get("Balance", _ZERO) + move)
        realm.change(ENTITIES["Vendor"], vendor, {**vendor.body, "Balance": balance}, advance=False)
