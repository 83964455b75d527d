"""The demo company: a software services firm of 40, its vendors and a year of its bills.

The same seed makes the same company, to the last millisecond. Seeds differ in amounts, dates and
in what everyday bills consist of; ids and everything that is there for a reason are always alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from ap_simulator.bill.wire import stamp
from ap_simulator.company.bill_format import ZERO, Record
from ap_simulator.company.bill_lists import bill_lists, organization
from ap_simulator.company.bills import Bill, bill_record
from ap_simulator.company.credits import credit_record, plan_credits
from ap_simulator.company.ordinary_bills import ordinary_bills
from ap_simulator.company.payments import Payment, payment_record, plan_payments
from ap_simulator.company.people import bank_accounts, users
from ap_simulator.company.quickbooks_lists import Entity, quickbooks_lists, realm_profile
from ap_simulator.company.quickbooks_vendors import EXISTING_VENDORS, add_existing_vendors
from ap_simulator.company.recurring import TEMPLATES, recurring_bills, recurring_records
from ap_simulator.company.special_bills import (
    EXPECTED_REFUSALS,
    SPECIAL_BILLS,
    ExpectedRefusal,
    special_bills,
)
from ap_simulator.company.vendors import SPECIAL_VENDORS, Vendor, plan_vendors
from ap_simulator.quickbooks.profile import RealmProfile

__all__ = [
    "BILLS",
    "EXISTING_VENDORS",
    "EXPECTED_REFUSALS",
    "SPECIAL_BILLS",
    "SPECIAL_VENDORS",
    "VENDORS",
    "Company",
    "ExpectedRefusal",
    "demo_company",
    "empty_company",
]

#: How many vendors and bills the demo has in BILL, archived ones and drafts included.
VENDORS: Final = 120
BILLS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company, ready to be loaded.

    Attributes:
        organization: BILL's record of the company itself.
        bill: BILL's records by collection.
        profile: What is switched on in QuickBooks.
        quickbooks: QuickBooks' records by entity, in an order in which references come first.
    """

    organization: Record
    bill: Mapping[str, Sequence[Record]]
    profile: RealmProfile
    quickbooks: Mapping[str, Sequence[Entity]]


def empty_company() -> Company:
    """The company on its first day: structured on both sides, but without vendors and documents.

    Both sides have the chart of accounts, classes, departments, locations, items, customers, jobs
    and employees, so that a vendor and a bill made through BILL's API can be synced.
    """
    return Company(
        organization=organization(),
        bill={**bill_lists().records, "users": users(), "bank_accounts": bank_accounts()},
        profile=realm_profile(),
        quickbooks=quickbooks_lists().records,
    )


def demo_company(*, seed: int) -> Company:
    """The company after a year of business, none of it in QuickBooks yet."""
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    lists = bill_lists()
    vendors = plan_vendors(random)
    bills = _plan_bills(vendors, random)
    credits_ = plan_credits(bills, random)
    payments = plan_payments(bills, credits_, random)
    _complete_vendors(vendors, bills, payments)
    records: dict[str, Iterable[Record]] = {
        **lists.records,
        "users": users(),
        "bank_accounts": bank_accounts(),
        "vendors": (vendor.record for vendor in vendors),
        "bills": (bill_record(bill, lists) for bill in bills),
        "payments": (payment_record(payment, random) for payment in payments),
        "recurring_bills": recurring_records(vendors, lists, random),
        "vendor_credits": (credit_record(credit, lists) for credit in credits_),
    }
    books = quickbooks_lists()
    add_existing_vendors(books)
    return Company(
        organization=organization(),
        bill={name: sorted(found, key=_age) for name, found in records.items()},
        profile=realm_profile(),
        quickbooks=books.records,
    )


def _plan_bills(vendors: Sequence[Vendor], random: Random) -> list[Bill]:
    bills = list(special_bills(vendors, random))
    bills.extend(recurring_bills(vendors, first_ordinal=len(bills) + 1))
    bills.extend(
        ordinary_bills(vendors, first_ordinal=len(bills) + 1, count=BILLS - len(bills), random=random)
    )
    return bills


def _complete_vendors(vendors: Sequence[Vendor], bills: Sequence[Bill], payments: Sequence[Payment]) -> None:
    """Add what documents tell of a vendor: balance, last payment, recurring payments."""
    automatic = {template.vendor for template in TEMPLATES if template.auto_payment}
    for vendor in vendors:
        own = [bill for bill in bills if bill.vendor is vendor and bill.active]
        paid = [
            payment
            for payment in payments
            if payment.parts[0].bill.vendor is vendor and payment.single_status == "CLEARED"
        ]
        record = vendor.record
        record["balance"] = {"amount": sum((bill.due_amount for bill in own), ZERO)}
        if own:
            record["balance"]["lastUpdatedDate"] = stamp(max(bill.updated for bill in own))
        if paid and "paymentInformation" in record:
            last = max(payment.process_date for payment in paid)
            record["paymentInformation"]["lastPaymentDate"] = last.isoformat()
        if vendor.profile.name in automatic:
            record["recurringPayments"] = True


def _age(record: Record) -> tuple[str, str]:
    return record["createdTime"], record["id"]
