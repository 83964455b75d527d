"""Whether a bill is paid, as the next run would decide it: by BILL's bill and by its payments. Pure.

BILL does not document that a bill's record moves with its payments. A payment that was learned after the bill
was last seen so has closed the order (or opened it again), and that is no difference between the books.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from target_quickbooks.mapping.payment_records import observe_bill
from target_quickbooks.mapping.payments import Account
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.policies import PaidBill, Policies
from target_quickbooks.reconcile.documents import BillDocument, Expected


def as_paid(
    document: BillDocument,
    record: Mapping[str, Any],
    account: Account | None,
    policies: Policies,
    *,
    now: dt.datetime,
) -> BillDocument:
    """The bill with what its known payments say of it.

    Args:
        document: The bill by its own record alone.
        record: That record, as BILL has it now.
        account: What is known of its payments.
        policies: ``paid_bill`` decides what becomes of the order.
        now: The time.
    """
    known = account is not None and (account.payments or account.credits)
    if not known or account is None or document.reason or document.unreadable or policies.posts_bills:
        return document
    try:
        balance = observe_bill(record, account.balance, now=now)
    except Refusal:
        return document
    paid = replace(account, balance=balance).is_paid(document.amount)
    if paid is document.paid:
        return document
    closes = paid and policies.paid_bill is PaidBill.CLOSE
    return replace(document, paid=paid, expected=Expected.CLOSED if closes else Expected.OPEN)
