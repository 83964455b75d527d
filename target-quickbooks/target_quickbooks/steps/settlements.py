"""What pays the bills in hand, gathered from what is known of payments; and what QuickBooks has room for."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from target_quickbooks.ledger import Ledger
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.bill_payment import (
    Room,
    Settlement,
    Share,
    amount_of,
    settlement_by_credit,
    settlement_of,
)
from target_quickbooks.mapping.payments import Account, Credit, Payment, Standing, bills_of


@dataclass(frozen=True, slots=True)
class Settlements:
    """Settlements by BILL id.

    Attributes:
        concerned: Those that pay the bills in hand, or did.
        others: Those that pay other bills of theirs: they take their share of the room.
        bill_ids: All bills that they pay.
        credit_ids: All vendor credits that they use.
        out_of_use: Bills that are archived, or drafts, in BILL.
    """

    concerned: Mapping[str, Settlement]
    others: Mapping[str, Settlement]
    bill_ids: tuple[str, ...]
    credit_ids: tuple[str, ...]
    out_of_use: frozenset[str] = frozenset()

    def shares(
        self, bills: Mapping[str, Link], credits_: Mapping[str, Link], posted: Container[str]
    ) -> dict[str, tuple[Share, ...]]:
        """What of each settlement QuickBooks has room for; what is written there goes first, then the older.

        Args:
            bills: Links of bills by BILL id.
            credits_: Links of vendor credits by BILL id.
            posted: Ids of settlements that are in QuickBooks.
        """
        room = Room(
            {bill_id: amount_of(link.desired) for bill_id, link in bills.items()},
            {credit_id: amount_of(link.desired) for credit_id, link in credits_.items()},
        )
        every = {**self.others, **self.concerned}
        ordered = sorted(every.values(), key=lambda one: (one.id not in posted, one.date, one.id))
        return {
            one.id: room.take(one)
            for one in ordered
            if one.standing is Standing.PAID or (one.id in posted and one.standing is Standing.MOVING)
        }


def gather(ledger: Ledger, company: Company, bill_ids: Iterable[str]) -> Settlements:
    """All that pays these bills.

    Args:
        ledger: What is known of payments.
        company: Whose bills they are.
        bill_ids: The bills.
    """
    accounts = ledger.accounts(company, bill_ids)
    near = _of(accounts.values())
    further = {bill_id for one in near.values() for bill_id in one.bill_ids} - accounts.keys()
    accounts |= ledger.accounts(company, further) if further else {}
    every = _of(accounts.values())
    concerned = {one: every[one] for one in near}
    return Settlements(
        concerned=concerned,
        others={one: found for one, found in every.items() if one not in near},
        bill_ids=tuple(sorted({bill_id for one in every.values() for bill_id in one.bill_ids})),
        credit_ids=tuple(sorted({credit_id for one in every.values() for credit_id in one.credit_ids})),
        out_of_use=frozenset(
            bill_id for bill_id, one in accounts.items() if one.balance and one.balance.archived
        ),
    )


def _of(accounts: Iterable[Account]) -> dict[str, Settlement]:
    payments: dict[str, Payment] = {}
    credits_: dict[str, Credit] = {}
    for account in accounts:
        payments |= {payment.id: payment for payment in account.payments}
        credits_ |= {credit.id: credit for credit in account.credits}
    found = {payment.id: settlement_of(payment, _used_by(payment, credits_)) for payment in payments.values()}
    return found | {
        credit.id: settlement_by_credit(credit)
        for credit in credits_.values()
        if any(not use.payment_id for use in credit.uses)
    }


def _used_by(payment: Payment, credits_: Mapping[str, Credit]) -> dict[str, Credit]:
    """The credits that may be used by a payment: those that were used for its bills."""
    bills = bills_of(payment)
    return {
        credit.id: credit
        for credit in credits_.values()
        if any(use.payment_id == payment.id or use.bill_id in bills for use in credit.uses)
    }
