"""Which transactions are linked to which: bills to purchase orders, payments to bills and credits.

A register of edges only, by Id. What follows from them (received quantities, open balances) is in
`orders.py` and `balances.py`.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

#: A payable document: entity (`Bill` or `VendorCredit`) and Id.
Payable = tuple[str, str]


class TransactionLinks:
    """The edges between the transactions of a company."""

    def __init__(self) -> None:
        self._bills_of_order: dict[str, set[str]] = defaultdict(set)
        self._orders_of_bill: dict[str, set[str]] = {}
        self._payments: dict[Payable, dict[str, Decimal]] = defaultdict(dict)
        self._paid_by: dict[str, dict[Payable, Decimal]] = {}

    def bills_of(self, order_id: str) -> list[str]:
        """The bills linked to a purchase order, oldest first."""
        return sorted(self._bills_of_order.get(order_id, ()), key=int)

    def orders_of(self, bill_id: str) -> list[str]:
        """The purchase orders that a bill is linked to, oldest first."""
        return sorted(self._orders_of_bill.get(bill_id, ()), key=int)

    def set_orders(self, bill_id: str, order_ids: set[str]) -> set[str]:
        """Say which purchase orders a bill is linked to; returns those whose links changed."""
        before = self._orders_of_bill.pop(bill_id, set())
        for order_id in before - order_ids:
            self._bills_of_order[order_id].discard(bill_id)
        for order_id in order_ids - before:
            self._bills_of_order[order_id].add(bill_id)
        if order_ids:
            self._orders_of_bill[bill_id] = order_ids
        return before | order_ids

    def payments_of(self, payable: Payable) -> dict[str, Decimal]:
        """The payments applied to a bill or credit, with their amounts, by payment Id."""
        return dict(self._payments.get(payable, {}))

    def applied(self, payable: Payable, *, besides: str = "") -> Decimal:
        """How much of a bill or credit payments have used up, except the payment `besides`."""
        amounts = self._payments.get(payable, {})
        return sum((a for payment, a in amounts.items() if payment != besides), Decimal(0))

    def set_payment(self, payment_id: str, amounts: dict[Payable, Decimal]) -> set[Payable]:
        """Say what a payment is applied to; returns the documents it touched or touches."""
        before = self._paid_by.pop(payment_id, {})
        for payable in before:
            self._payments[payable].pop(payment_id, None)
        for payable, amount in amounts.items():
            self._payments[payable][payment_id] = amount
        if amounts:
            self._paid_by[payment_id] = amounts
        return set(before) | set(amounts)
