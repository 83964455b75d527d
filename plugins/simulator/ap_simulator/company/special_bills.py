"""Makes the special bills. They have the first ordinals: their ids do not depend on the seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from ap_simulator.company.bill_format import bill_id
from ap_simulator.company.bills import Bill, exchange_rate_at
from ap_simulator.company.calendar import PERIOD_END, PERIOD_START, office_moment
from ap_simulator.company.chart import ACCOUNT_DIFFERENCES, ACCOUNTS
from ap_simulator.company.special_bill_table import SPECIAL_BILL_TABLE, SpecialBill
from ap_simulator.company.vendors import Vendor

_DAYS_TO_PAY: Final = 30
_CAUSES: Final = {
    ACCOUNT_DIFFERENCES["inactive_in_quickbooks"].key: "account_inactive",
    ACCOUNT_DIFFERENCES["missing_in_quickbooks"].key: "account_missing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRefusal:
    """A bill that must not become a purchase order, and why.

    Attributes:
        bill_id: BILL id.
        cause: `account_inactive` or `account_missing`, in QuickBooks.
        account: Number and name of the account in BILL, e.g. `6900 Printing & Reproduction`.
        account_id: BILL id of the account.
        line: Number of the first line coded to it, from 1.
    """

    bill_id: str
    cause: str
    account: str
    account_id: str
    line: int


def special_bills(vendors: Sequence[Vendor], random: Random) -> Iterator[Bill]:
    """The special bills, in the order of their ordinals."""
    for ordinal, special in enumerate(SPECIAL_BILL_TABLE, 1):
        named = [vendor for vendor in vendors if vendor.profile.name == special.vendor]
        yield _bill(ordinal, special, named[special.nth], random)


def _bill(ordinal: int, special: SpecialBill, vendor: Vendor, random: Random) -> Bill:
    invoice_date = max(PERIOD_START + timedelta(days=special.day), vendor.first_day)
    created = office_moment(min(invoice_date + timedelta(days=2), PERIOD_END), random)
    return Bill(
        ordinal=ordinal,
        vendor=vendor,
        invoice_number=f"S{ordinal:04d}" if special.number is None else special.number,
        invoice_date=invoice_date,
        due_date=invoice_date + timedelta(days=_DAYS_TO_PAY),
        created=created,
        updated=created,
        lines=list(special.lines),
        coding=dict(special.coding),
        description=special.text,
        role=special.role,
        record_status=special.status,
        approval_status=special.approval,
        exchange_rate=exchange_rate_at(invoice_date, vendor.profile.currency),
    )


def _expected_refusals() -> Iterator[ExpectedRefusal]:
    accounts = {account.key: account for account in ACCOUNTS}
    account_ordinals = {
        account.key: ordinal
        for ordinal, account in enumerate((entry for entry in ACCOUNTS if entry.in_bill), 1)
    }
    for ordinal, special in enumerate(SPECIAL_BILL_TABLE, 1):
        for number, line in enumerate(special.lines, 1):
            key = line.coding.get("account", "")
            if key in _CAUSES:
                yield ExpectedRefusal(
                    bill_id=bill_id("bills", ordinal),
                    cause=_CAUSES[key],
                    account=accounts[key].label_in_bill,
                    account_id=bill_id("chart_of_accounts", account_ordinals[key]),
                    line=number,
                )
                break


#: Bill ids by what the bills are there to test.
SPECIAL_BILLS: Final[Mapping[str, tuple[str, ...]]] = {
    role: tuple(
        bill_id("bills", ordinal)
        for ordinal, special in enumerate(SPECIAL_BILL_TABLE, 1)
        if special.role == role
    )
    for role in dict.fromkeys(special.role for special in SPECIAL_BILL_TABLE)
}

#: The only bills of the demo that a careful target refuses.
EXPECTED_REFUSALS: Final = tuple(_expected_refusals())
