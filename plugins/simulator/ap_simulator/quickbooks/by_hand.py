"""What a person does inside QuickBooks and its API offers not at all, or not in one call.

The rules are the API's. A person needs no SyncToken, since the form always shows the last version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.problems import not_found, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import entity_dict
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.transactions.lines import counts, line_detail
from ap_simulator.quickbooks.transactions.orders import measure
from ap_simulator.quickbooks.writing.operations import Operation, perform

OPERATIONS: Final = ("create", "update", "delete", "void")
_TRANSACTIONS: Final = ("PurchaseOrder", "Bill", "BillPayment", "VendorCredit")
_ZERO: Final = Decimal(0)
_LINE_FIELDS: Final = ("Description", "DetailType")
_COPIED: Final[tuple[str, ...]] = (
    "VendorRef",
    "APAccountRef",
    "CurrencyRef",
    "ExchangeRate",
    "GlobalTaxCalculation",
)


def write(
    realm: Realm, entity_name: str, operation: str, *, record_id: str | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Create, change, delete or void a record.

    Args:
        realm: The company.
        entity_name: PascalCase name.
        operation: One of `OPERATIONS`; an update changes what `values` carries.
        record_id: Which record; None for a new one or a singleton.
        values: Properties as the API takes them.

    Returns:
        The record as answers show it; of a deleted one what the answer to a delete shows.

    Raises:
        RefusedError: As the API refuses it, but for stale SyncTokens.
    """
    entity = ENTITIES[entity_name]
    if operation == "create":
        return _created(realm, entity_name, values)
    record = found(realm, entity_name, record_id or "1")
    key = {"Id": record.id, "SyncToken": str(record.sync_token)}
    if operation == "delete":
        if entity_name == "Vendor":
            _remove_vendor(realm, record)
        else:
            perform(realm, entity, key, Operation(name=operation))
        return {"Id": record.id, "status": "Deleted", "domain": "QBO"}
    if operation == "void":
        perform(realm, entity, key, Operation(name="update", include=frozenset({"void"})))
    else:
        perform(realm, entity, {**values, **key, "sparse": True}, Operation(name=operation, partial=True))
    return shown(realm, entity_name, record)


def bill_order(
    realm: Realm,
    order_id: str,
    *,
    shares: Mapping[str, Decimal],
    number: str | None,
    day: str | None,
) -> dict[str, Any]:
    """Enter a bill against a purchase order, as when goods or an invoice come in.

    Args:
        realm: The company.
        order_id: The order.
        shares: What is billed of which line, by line Id: a quantity of item lines, else an amount.
            Empty bills all that is open.
        number: The bill's DocNumber.
        day: The bill's date, ISO 8601.

    Returns:
        The bill.

    Raises:
        RefusedError: 610 without such an order, 620 if nothing is open, or as the API refuses it.
    """
    order = found(realm, "PurchaseOrder", order_id)
    known = {line["Id"] for line in order.body["Line"]}
    if unknown := sorted(set(shares) - known):
        raise refused("620", f"The purchase order has no line {', '.join(unknown)}.")
    lines = []
    for line in order.body["Line"]:
        left = measure(line) - line.get("Received", _ZERO)
        share = shares.get(line["Id"], _ZERO) if shares else left
        if counts(line) and share:
            link = {"TxnId": order.id, "TxnType": "PurchaseOrder", "TxnLineId": line["Id"]}
            lines.append({**_part(line, share), "LinkedTxn": [link]})
    if order.body["POStatus"] != "Open" or not lines:
        raise refused("620", f"Nothing of purchase order {order.id} is open.")
    bill: dict[str, Any] = {name: order.body[name] for name in _COPIED if name in order.body}
    if not realm.profile.multicurrency:
        bill.pop("ExchangeRate", None)
    bill |= {name: value for name, value in (("DocNumber", number), ("TxnDate", day)) if value}
    return _created(realm, "Bill", {**bill, "Line": lines})


def found(realm: Realm, entity_name: str, record_id: str) -> Record:
    """The record of that Id.

    Raises:
        RefusedError: 610.
    """
    record = realm.record(entity_name, record_id)
    if record is None:
        raise not_found()
    return record


def shown(realm: Realm, entity_name: str, record: Record) -> dict[str, Any]:
    """The record as answers show it, tax identifiers in full."""
    return entity_dict(realm, ENTITIES[entity_name], record, plain=True)


def _created(realm: Realm, entity_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    answer = perform(realm, ENTITIES[entity_name], dict(values), Operation(name="create"))
    record_id: str = json.loads(answer)[entity_name]["Id"]
    return shown(realm, entity_name, found(realm, entity_name, record_id))


def _part(line: Mapping[str, Any], share: Decimal) -> dict[str, Any]:
    """A part of an order's line as a line of a bill."""
    detail = {name: value for name, value in line_detail(line).items() if name != "TaxAmount"}
    amount = share
    if "Qty" in detail:
        price = detail.get("UnitPrice", line["Amount"] / detail["Qty"] if detail["Qty"] else _ZERO)
        whole = share == detail["Qty"]
        amount = line["Amount"] if whole else (share * price).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        detail["Qty"] = share
    kept = {name: line[name] for name in _LINE_FIELDS if name in line}
    return {**kept, "Amount": amount, line["DetailType"]: detail}


def _remove_vendor(realm: Realm, vendor: Record) -> None:
    """Take a vendor out of the list for good, which needs that no transaction names it.

    Raises:
        RefusedError: 6000; transactions name it.
    """
    if any(realm.tables[name].find("VendorRef", vendor.id) for name in _TRANSACTIONS):
        raise refused("6000", "A vendor with transactions can only be made inactive.")
    entity = ENTITIES["Vendor"]
    realm.remove(entity, vendor)
    realm.told(entity, vendor.id, "Delete")
