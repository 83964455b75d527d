"""The kinds of transaction that records become, and what tells them apart for those who plan them. Pure.

A bill becomes a purchase order, or a bill where payables are kept in QuickBooks; vendor credits go the same
way. What is done with one that is out of use differs: an order is closed, a bill or credit is voided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from target_quickbooks.mapping.bill_transaction import is_voided, map_as_bill, retired, voided
from target_quickbooks.mapping.payload import Mapped, Payload
from target_quickbooks.mapping.purchase_order import (
    OrderContext,
    VendorInQuickBooks,
    bill_label,
    map_bill,
    retired_note,
)
from target_quickbooks.mapping.source import Bill, read_bill
from target_quickbooks.mapping.vendor_credit import credit_label, map_vendor_credit, read_vendor_credit


@dataclass(frozen=True, slots=True)
class Transaction:
    """A kind of transaction.

    Attributes:
        entity: Its name in QuickBooks' API.
        noun: What a person calls it, e.g. ``purchase order``.
        short: The same in one word.
        ended: What is done with one that is out of use, e.g. ``closed``.
        read: Reads its BILL record.
        label: How a person would call the record.
        map: Says what the record should look like.
        end: What was sent last, as it is when out of use.
        is_ended: Whether it is so.
        retire: What was sent last, given up because another one takes its place.
        numbers_are_vendors: Whether its numbers are those of the vendor, so that two vendors may use one.
    """

    entity: str
    noun: str
    short: str
    ended: str
    read: Callable[[Mapping[str, Any]], Bill]
    label: Callable[[Bill], str]
    map: Callable[[Bill, VendorInQuickBooks, OrderContext], Mapped]
    end: Callable[[Payload], dict[str, Any]]
    is_ended: Callable[[Mapping[str, Any]], bool]
    retire: Callable[[Payload], dict[str, Any]]
    numbers_are_vendors: bool = False


def _closed(payload: Payload) -> dict[str, Any]:
    return {**payload, "POStatus": "Closed"}


def _is_closed(payload: Mapping[str, Any]) -> bool:
    return payload.get("POStatus") == "Closed"


def _given_up(payload: Payload) -> dict[str, Any]:
    return _closed({**payload, "PrivateNote": retired_note(str(payload.get("PrivateNote") or ""))})


PURCHASE_ORDER = Transaction(
    entity="PurchaseOrder",
    noun="purchase order",
    short="order",
    ended="closed",
    read=read_bill,
    label=bill_label,
    map=map_bill,
    end=_closed,
    is_ended=_is_closed,
    retire=_given_up,
)
BILL = Transaction(
    entity="Bill",
    noun="bill",
    short="bill",
    ended="voided",
    read=read_bill,
    label=bill_label,
    map=map_as_bill,
    end=voided,
    is_ended=is_voided,
    retire=retired,
    numbers_are_vendors=True,
)
VENDOR_CREDIT = Transaction(
    entity="VendorCredit",
    noun="vendor credit",
    short="credit",
    ended="voided",
    read=read_vendor_credit,
    label=credit_label,
    map=map_vendor_credit,
    end=voided,
    is_ended=is_voided,
    retire=retired,
    numbers_are_vendors=True,
)
#: By entity. Payments are transactions of another make (``mapping.bill_payment``).
TRANSACTIONS = {one.entity: one for one in (PURCHASE_ORDER, BILL, VENDOR_CREDIT)}


def transaction_of(entity: str) -> Transaction:
    """The kind of transaction of an entity."""
    return TRANSACTIONS[entity]


def short_name(entity: str) -> str:
    """What a person calls an object of an entity, in one word."""
    kind = TRANSACTIONS.get(entity)
    return kind.short if kind else "payment"
