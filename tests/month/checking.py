"""Whether both books agree, from the simulator's own records: nothing of the product is asked."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

_DAY = dt.timedelta(days=1)


def check(firm):
    """Every active bill has exactly one order, and all that can be summed up is the same on both sides."""
    orders = firm.orders()
    vendors = {vendor["id"]: vendor for vendor in firm.in_bill("vendors")}
    bills = {bill["id"]: bill for bill in firm.in_bill("bills")}
    active = {bill_id: bill for bill_id, bill in bills.items() if not bill["archived"]}
    wanted = {bill_id for bill_id, bill in active.items() if _is_wanted(firm, bill)}
    assert wanted <= set(orders), sorted(wanted - set(orders))
    assert set(orders) <= set(bills)
    heirs = _heirs(active, orders)
    in_bill, in_quickbooks = defaultdict(Decimal), defaultdict(Decimal)
    for bill_id in sorted(wanted):
        bill, order = active[bill_id], orders[bill_id]
        currency = vendors[bill["vendorId"]].get("billCurrency", "USD")
        month = _month(firm, bill, order)
        in_bill[heirs[bill["vendorId"]], currency, month] += Decimal(bill["amount"])
        held = order["VendorRef"]["value"], order["CurrencyRef"]["value"], order["TxnDate"][:7]
        in_quickbooks[held] += Decimal(order["TotalAmt"])
        _check_lines(bill, order)
        assert order["DueDate"] == bill["dueDate"], bill_id
    assert in_bill == in_quickbooks
    _check_states(firm, bills, wanted, orders)


def _is_wanted(firm, bill):
    """Whether the settings want an order for the bill."""
    if bill["approvalStatus"] == "DENIED" and firm.policies["denied_bill"] == "close":
        return False
    waits = firm.policies["unapproved_bill"] == "wait"
    return not waits or bill["approvalStatus"] in {"APPROVED", "DENIED"}


def _heirs(bills, orders):
    """The one vendor of QuickBooks that has the orders of each of BILL's."""
    found = defaultdict(set)
    for bill_id, bill in bills.items():
        if bill_id in orders:
            found[bill["vendorId"]].add(orders[bill_id]["VendorRef"]["value"])
    assert all(len(ids) == 1 for ids in found.values()), found
    return {vendor_id: next(iter(ids)) for vendor_id, ids in found.items()}


def _month(firm, bill, order):
    """The month that an order of the bill counts for; another one only where closed books moved it."""
    day = bill["invoice"]["invoiceDate"]
    if order["TxnDate"] == day:
        return day[:7]
    moved = {(dt.date.fromisoformat(close) + _DAY).isoformat() for close in firm.closes if close >= day}
    assert firm.policies["closed_period"] == "redate", (bill["id"], day, order["TxnDate"])
    assert order["TxnDate"] in moved, (bill["id"], day, order["TxnDate"], moved)
    return order["TxnDate"][:7]


def _check_lines(bill, order):
    amounts = sorted(Decimal(line["amount"]) for line in bill["billLineItems"])
    assert amounts == sorted(Decimal(line["Amount"]) for line in order["Line"]), bill["id"]
    assert Decimal(bill["amount"]) == Decimal(order["TotalAmt"]), bill["id"]


def _check_states(firm, bills, wanted, orders):
    """Open or closed as BILL and the settings say."""
    for bill_id, order in orders.items():
        bill = bills[bill_id]
        paid = bill["paymentStatus"] == "PAID"
        if paid and firm.policies["paid_bill"] == "leave" and "POStatus" in firm.edited[order["Id"]]:
            continue  # somebody closed it, which is what it would be anyway
        if bill_id in wanted and (not paid or firm.policies["paid_bill"] == "leave"):
            assert order["POStatus"] == "Open" or _is_billed(order), (bill_id, bill["paymentStatus"])
        elif bill_id in wanted or (bill["archived"] and firm.policies["archived_bill"] != "leave"):
            assert order["POStatus"] == "Closed", bill_id


def _is_billed(order):
    """Whether QuickBooks has bills for all of it, and so closed it."""
    return any(found["TxnType"] == "Bill" for found in order.get("LinkedTxn", ()))
