"""The walk's steps where payables are kept in QuickBooks: BILL bills as bills, vendor credits as such."""

from __future__ import annotations

from target_quickbooks.ledger import CREDITS
from target_quickbooks.steps.order_step import OrderStep
from target_quickbooks.steps.payment_step import PaymentStep
from target_quickbooks.steps.restore_step import RestoreStep
from target_quickbooks.transaction import BILL, VENDOR_CREDIT


class BillStep(OrderStep):
    """Maps, plans and writes bills."""

    entity = BILL.entity
    transaction = BILL


class CreditStep(OrderStep):
    """Maps, plans and writes vendor credits."""

    stream = CREDITS
    entity = VENDOR_CREDIT.entity
    transaction = VENDOR_CREDIT


class BillNoteStep(PaymentStep):
    """Learns of payments that are not to be written; the memos of bills tell of them."""

    entity = BILL.entity
    transaction = BILL


class BillRestoreStep(RestoreStep):
    """Plans and writes bills as they were last sent."""

    entity = BILL.entity
    transaction = BILL
