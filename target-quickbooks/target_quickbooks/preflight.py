"""What is wrong with a company for the settings of a run, found before the first write. Pure.

Only what would make every record of a kind fail is an error: a map that leads nowhere, a company without
purchase orders. What a person may want to know besides is a warning. All of it is told together.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_quickbooks.mapping.chart import Chart, ClassTracking, Company, Entries
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.resolution import did_you_mean
from target_quickbooks.mapping.tax import tax_of
from target_quickbooks.policies import DocumentNumber, LineClassFrom, LocationFrom, Policies

GRANT_WARNING = dt.timedelta(days=14)
_KEYS_SHOWN = 2
_DAY = dt.timedelta(days=1)
#: Types of the accounts that bills can be paid from (QuickBooks manual 6.4).
PAYING_TYPES = ("Bank", "Credit Card")


class Bills(enum.IntEnum):
    """Whether the run has bills to write."""

    NONE = 0
    POSSIBLE = 1
    EXPECTED = 2


class Severity(enum.StrEnum):
    """What a finding does: an error stops the run before its first write."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: Short stable name, e.g. ``account-map-broken``.
        text: What is wrong, in one sentence.
        advice: What to do about it.
        setting: The setting that is to blame, if one is.
    """

    severity: Severity
    code: str
    text: str
    advice: str
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found out about a company for the settings of a run."""

    company: Company
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What stops the run."""
        return tuple(found for found in self.findings if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What does not."""
        return tuple(found for found in self.findings if found.severity is Severity.WARNING)

    def lines(self) -> list[str]:
        """All findings as lines of text, errors first."""
        return [f"{found.severity}: {found.text} {found.advice}" for found in (*self.errors, *self.warnings)]

    def problem(self, before: str) -> str:
        """The message of a run that stops here: how many problems, then all of them.

        Args:
            before: What the run did not come to, e.g. ``the first write``.
        """
        count = len(self.errors)
        problems = f"{count} problem{'s' if count > 1 else ''} with {self.company.name} or the settings"
        return "\n".join([f"Stopped before {before}: {problems}.", *(f"- {line}" for line in self.lines())])

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        company = self.company
        closed = company.book_close_date
        return {
            "ok": not self.errors,
            "company": {
                "name": company.name,
                "country": company.country,
                "plan": company.plan,
                "subscription": company.subscription,
                "home_currency": company.home_currency,
                "multicurrency": company.multicurrency,
                "purchase_orders": company.purchase_orders,
                "class_tracking": str(company.class_tracking),
                "locations": company.locations,
                "own_document_numbers": company.own_document_numbers,
                "book_close_date": closed.isoformat() if closed else None,
            },
            "findings": [
                {
                    "severity": str(found.severity),
                    "code": found.code,
                    "text": found.text,
                    "advice": found.advice,
                    "setting": found.setting or None,
                }
                for found in (*self.errors, *self.warnings)
            ],
        }


def describe(company: Company) -> str:
    """The company's features in one line."""
    classes = {
        ClassTracking.OFF: "no classes",
        ClassTracking.PER_LINE: "classes on lines",
        ClassTracking.PER_DOCUMENT: "one class for a document",
    }[company.class_tracking]
    closed = company.book_close_date
    features = [
        company.country,
        company.plan or "plan unknown",
        f"{company.home_currency}{' and other currencies' if company.multicurrency else ' only'}",
        "purchase orders" if company.purchase_orders else "no purchase orders",
        classes,
        "locations" if company.locations else "no locations",
        "numbers of its own" if not company.own_document_numbers else "numbers taken from bills",
        f"books closed up to {closed.isoformat()}" if closed else "books open",
    ]
    return ", ".join(features)


def examine(
    company: Company,
    policies: Policies,
    *,
    chart: Chart | None,
    bills: Bills,
    grant_ends: dt.datetime | None,
    now: dt.datetime,
) -> Preflight:
    """Find everything that is wrong.

    Args:
        company: The company.
        policies: The settings that mapping reads.
        chart: Its lists, with the customers and items that the maps name; None leaves out what needs them.
        bills: Whether there are bills: what only they need is no error without them.
        grant_ends: When the refresh token ends, if known.
        now: The time, aware.
    """
    findings = [*_company(company, policies, bills), *_grant(grant_ends, now)]
    if chart is not None:
        findings += _payables(chart, bills)
        findings += _maps(chart, policies)
        if policies.posts_payments:
            findings += _payment_account(chart, policies, bills)
        findings += _tax(chart, policies, bills)
    if bills is not Bills.NONE:
        findings += _left_out(company, policies)
    return Preflight(company, tuple(findings))


def _company(company: Company, policies: Policies, bills: Bills) -> Iterator[Finding]:
    if company.subscription.upper() == "EXPIRED":
        yield Finding(
            Severity.ERROR,
            "subscription-ended",
            f"The QuickBooks subscription of {company.name} has ended, so nothing can be written.",
            "Renew it in QuickBooks (Account and settings, Billing).",
        )
    if company.purchase_orders or bills is Bills.NONE or policies.posts_bills:
        return
    if company.plan_has_orders:
        yield Finding(
            _for_bills(bills),
            "purchase-orders-off",
            f"Purchase orders are switched off in {company.name}, so no bill can be written.",
            "Switch them on in QuickBooks (Account and settings, Expenses), or deselect the stream bills.",
        )
    else:
        yield Finding(
            _for_bills(bills),
            "no-purchase-orders",
            f"The plan of {company.name} ({company.plan}) has no purchase orders, so no bill can be written.",
            "Upgrade to QuickBooks Online Plus or Advanced, or deselect the stream bills.",
        )


def _grant(ends: dt.datetime | None, now: dt.datetime) -> Iterator[Finding]:
    if ends is not None and ends - now < GRANT_WARNING:
        days = max((ends - now) // _DAY, 0)
        yield Finding(
            Severity.WARNING,
            "grant-ends",
            f"The connection to QuickBooks ends in {days} day{'s' if days != 1 else ''}, on {ends.date()}.",
            "Reconnect before that with: quickbooks-admin connect",
        )


def _payables(chart: Chart, bills: Bills) -> Iterator[Finding]:
    currency = chart.company.home_currency
    if chart.payables_account(currency) is None:
        yield Finding(
            _for_bills(bills),
            "payables-account-missing",
            f"QuickBooks has no active accounts payable account in {currency}, which every bill needs.",
            f"Add or reactivate an account of type Accounts payable (A/P) in {currency} in QuickBooks.",
        )


def _payment_account(chart: Chart, policies: Policies, bills: Bills) -> Iterator[Finding]:
    """Where payments are made from; every kind of mistake is told before the first payment meets it."""
    setting, wanted = "payment_account", policies.payment_account
    if not wanted:
        yield Finding(
            _for_bills(bills),
            "payment-account-missing",
            "payment_account is not set, so no payment can be written.",
            "Set it to the Bank or Credit Card account that BILL pays from, or post_payments to never.",
            setting,
        )
        return
    problem = _problem(chart.accounts, wanted)
    if problem:
        code, text = problem
        yield _broken(setting, code, f"{setting} is {text}")
        return
    account = chart.accounts.find(wanted)
    if account and account.type not in PAYING_TYPES:
        yield Finding(
            Severity.ERROR,
            "payment-account-type",
            f"{setting} is '{wanted}', an account of type {account.type}: payments are made from an account "
            f"of type {' or '.join(PAYING_TYPES)}.",
            f"Correct {setting}.",
            setting,
        )


def _maps(chart: Chart, policies: Policies) -> Iterator[Finding]:
    company = chart.company
    yield from _map("account_map", policies.account_map, chart.accounts)
    if company.class_tracking is not ClassTracking.OFF:
        yield from _map("class_map", policies.class_map, chart.classes)
    if company.locations and policies.location_from is not LocationFrom.NONE:
        yield from _map("location_map", policies.location_map, chart.locations)
    yield from _map("customer_map", policies.customer_map, chart.customers)
    yield from _map("item_map", policies.item_map, chart.items)
    default = policies.default_expense_account
    if default:
        problem = _problem(chart.accounts, default)
        if problem:
            code, text = problem
            yield _broken("default_expense_account", code, f"default_expense_account is {text}")


def _tax(chart: Chart, policies: Policies, bills: Bills) -> Iterator[Finding]:
    """What would keep every order from its tax."""
    try:
        tax_of(chart, policies, "every purchase order")
    except Refusal as refusal:
        yield Finding(_for_bills(bills), refusal.code, refusal.reason, refusal.advice, "tax_code")


def _map(setting: str, explicit: Mapping[str, str], entries: Entries) -> Iterator[Finding]:
    """One finding for each value that leads nowhere, with the keys that lead there."""
    keys: dict[str, list[str]] = {}
    for key, value in explicit.items():
        keys.setdefault(value, []).append(key)
    for value, those in keys.items():
        problem = _problem(entries, value)
        if problem:
            code, text = problem
            yield _broken(setting, code, f"{setting} sends {_listed(those)} to {text}")


def _problem(entries: Entries, wanted: str) -> tuple[str, str] | None:
    """What is wrong with the entry that a setting names: a code, and the end of a sentence."""
    entry = entries.find(wanted)
    if entry is None:
        return (
            f"{entries.kind}-map-broken",
            f"'{wanted}', which is not in QuickBooks{did_you_mean(entries, wanted)}",
        )
    if not entry.active:
        return f"{entries.kind}-inactive", f"'{wanted}', which is inactive in QuickBooks."
    return None


def _broken(setting: str, code: str, text: str) -> Finding:
    inactive = code.endswith("-inactive")
    advice = f"Make it active again, or correct {setting}." if inactive else f"Correct {setting}."
    return Finding(Severity.ERROR, code, text, advice, setting)


def _left_out(company: Company, policies: Policies) -> Iterator[Finding]:
    """Settings that have no effect because the company has switched off what they fill."""
    wants_classes = policies.class_map or policies.line_class_from is not LineClassFrom.ACCOUNTING_CLASS
    if company.class_tracking is ClassTracking.OFF and wants_classes:
        setting = "class_map" if policies.class_map else "line_class_from"
        yield Finding(
            Severity.WARNING,
            "class-tracking-off",
            f"{setting} is set, but {company.name} does not track classes: bills are written without.",
            "Switch class tracking on in QuickBooks (Account and settings, Advanced), or remove the setting.",
            setting,
        )
    wants_locations = policies.location_map or policies.location_from is LocationFrom.DEPARTMENT
    if not company.locations and wants_locations and policies.location_from is not LocationFrom.NONE:
        setting = "location_map" if policies.location_map else "location_from"
        yield Finding(
            Severity.WARNING,
            "locations-off",
            f"{setting} is set, but {company.name} does not track locations: bills are written without.",
            "Switch locations on in QuickBooks (Account and settings, Advanced), or remove the setting.",
            setting,
        )
    if policies.posts_bills:
        if company.class_tracking is ClassTracking.PER_DOCUMENT:
            yield Finding(
                Severity.WARNING,
                "class-per-document",
                f"{company.name} has one class for a document, which QuickBooks' API does not take for "
                "bills: they are written without.",
                "Switch to one class for each row in QuickBooks (Account and settings, Advanced).",
            )
        return
    if not company.own_document_numbers and policies.document_number is not DocumentNumber.AUTO:
        yield Finding(
            Severity.WARNING,
            "document-numbers-off",
            f"{company.name} numbers purchase orders itself: numbers of bills are left out.",
            "Switch on custom transaction numbers for purchase orders in QuickBooks, or set document_number "
            "to auto.",
            "document_number",
        )


def _for_bills(bills: Bills) -> Severity:
    return Severity.ERROR if bills is Bills.EXPECTED else Severity.WARNING


def _listed(keys: Sequence[str]) -> str:
    shown = " and ".join(f"'{key}'" for key in keys[:_KEYS_SHOWN])
    more = len(keys) - _KEYS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
