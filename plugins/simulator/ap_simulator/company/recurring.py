"""Recurring bills and the bills that came of them (BILL manual 4.4).

A bill is generated `daysInAdvance` before it is due and carries its due date as invoice number.
The simulator goes on generating when a day comes, on whatever day it is run. So that the demo is
the same on every day, most schedules end with the company's year, and the others come again only
after years.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Final, Literal

from ap_simulator.bill.records.calendar_days import next_turn
from ap_simulator.company.bill_format import Record, bill_id, times, without_unset
from ap_simulator.company.bill_lists import BillLists
from ap_simulator.company.bills import Bill, Line, classifications, exchange_rate_at
from ap_simulator.company.calendar import PERIOD_END, PERIOD_START, office_moment
from ap_simulator.company.vendors import Vendor

_BANK_ACCOUNT: Final = bill_id("bank_accounts", 1)
_MIDNIGHT: Final = time(tzinfo=UTC)
_MOST_LINES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A recurring bill.

    Attributes:
        vendor: The vendor's name in BILL.
        lines: What each bill consists of: description, amount, account key.
        first_due: Due date of the first bill.
        location: Key of the location that all lines are for.
        period: How it recurs.
        frequency: Every so many periods.
        days_in_advance: How long before it is due a bill is generated.
        end: No bill is due after this day; None is without end.
        auto_payment: Whether its bills are paid without anybody's doing.
        archived: Whether it was given up; it has generated nothing since `stopped`.
        stopped: Last day on which it generated anything.
    """

    vendor: str
    lines: tuple[tuple[str, str, str], ...]
    first_due: date
    location: str = "austin"
    period: Literal["WEEKLY", "MONTHLY", "YEARLY"] = "MONTHLY"
    frequency: int = 1
    days_in_advance: int = 10
    end: date | None = PERIOD_END
    auto_payment: bool = False
    archived: bool = False
    stopped: date = PERIOD_END


TEMPLATES: Final = (
    Template(
        vendor="Congress Avenue Properties LP",
        lines=(
            ("Office rent, floor 4", "11850.00", "rent"),
            ("Common area maintenance", "640.00", "repairs"),
        ),
        first_due=date(2025, 11, 1),
        auto_payment=True,
    ),
    Template(
        vendor="Back Bay Office Partners",
        lines=(("Office rent", "7200.00", "rent"),),
        first_due=date(2025, 11, 1),
        location="boston",
    ),
    Template(
        vendor="LoDo Realty Holdings",
        lines=(("Office rent", "5425.00", "rent"), ("Parking", "480.00", "rent")),
        first_due=date(2025, 11, 3),
        location="denver",
    ),
    Template(
        vendor="King Street Towers Inc.",
        lines=(("Office rent", "6910.00", "rent"),),
        first_due=date(2025, 11, 1),
        location="toronto",
    ),
    Template(
        vendor="Pemberton Mutual",
        lines=(("Liability premium, quarter", "3120.50", "insurance"),),
        first_due=date(2025, 12, 15),
        frequency=3,
        days_in_advance=30,
    ),
    Template(
        vendor="Harborview Benefits Brokers",
        lines=(
            ("Health plan", "21460.00", "benefits"),
            ("Dental plan", "1834.40", "benefits"),
            ("Broker fee", "250.00", "benefits"),
        ),
        first_due=date(2025, 11, 5),
    ),
    Template(
        vendor="Brewlab Coffee Service",
        lines=(("Coffee and milk", "184.35", "catering"),),
        first_due=date(2025, 11, 7),
        period="WEEKLY",
        frequency=2,
        days_in_advance=3,
        end=date(2026, 4, 30),
    ),
    Template(
        vendor="Paystream Payroll",
        lines=(("Payroll service", "412.00", "payroll_service"),),
        first_due=date(2025, 11, 15),
        auto_payment=True,
    ),
    Template(
        vendor="Software Guild of Texas",
        lines=(("Corporate membership, five years", "1800.00", "dues"),),
        first_due=date(2026, 3, 1),
        period="YEARLY",
        frequency=5,
        end=None,
        days_in_advance=45,
    ),
    Template(
        vendor="Gatepost Identity",
        lines=(("Identity platform, 40 seats", "360.00", "business_apps"),),
        first_due=date(2025, 11, 20),
        auto_payment=True,
    ),
    Template(
        vendor="Fiberline Communications",
        lines=(("Internet access", "389.00", "telecom"), ("Static addresses", "25.00", "telecom")),
        first_due=date(2025, 11, 30),
    ),
    Template(
        vendor="Evergreen Plant Care",
        lines=(("Plant care", "145.00", "cleaning"),),
        first_due=date(2025, 11, 12),
        end=None,
        archived=True,
        stopped=date(2026, 5, 20),
    ),
    Template(
        vendor="Sparkle & Shine Cleaning",
        lines=(("Weekly cleaning", "262.50", "cleaning"),),
        first_due=date(2026, 7, 10),
        period="WEEKLY",
        days_in_advance=2,
    ),
    Template(
        vendor="Sato Intellectual Property Group",
        lines=(("Trademark renewal", "2350.00", "legal"), ("Filing fees", "525.00", "legal")),
        first_due=date(2026, 2, 10),
        period="YEARLY",
        frequency=10,
        days_in_advance=60,
        end=None,
    ),
    Template(
        vendor="Back Bay Office Partners",
        lines=(("Deposit for the new lease", "15000.00", "deposits"),),
        first_due=date(2031, 11, 1),
        location="boston",
        period="YEARLY",
        end=None,
    ),
)


def recurring_bills(vendors: Sequence[Vendor], *, first_ordinal: int) -> Iterator[Bill]:
    """The bills generated in the twelve months, template by template."""
    by_name = {vendor.profile.name: vendor for vendor in vendors}
    ordinal = first_ordinal
    for template in TEMPLATES:
        for due in _due_dates(template):
            yield _generated(template, by_name[template.vendor], due, ordinal)
            ordinal += 1


def recurring_records(vendors: Sequence[Vendor], lists: BillLists, random: Random) -> list[Record]:
    """The recurring bills as BILL returns them."""
    by_name = {vendor.profile.name: vendor for vendor in vendors}
    return [
        _record(ordinal, template, by_name[template.vendor], lists, random)
        for ordinal, template in enumerate(TEMPLATES, 1)
    ]


def _generated(template: Template, vendor: Vendor, due: date, ordinal: int) -> Bill:
    created = datetime.combine(_generation_day(template, due), _MIDNIGHT)
    return Bill(
        ordinal=ordinal,
        vendor=vendor,
        invoice_number=due.isoformat(),
        invoice_date=created.date(),
        due_date=due,
        created=created,
        updated=created,
        lines=_lines(template),
        description=template.lines[0][0],
        role="recurring_paid_automatically" if template.auto_payment else "recurring",
        approval_status="UNASSIGNED",
        exchange_rate=exchange_rate_at(created.date(), vendor.profile.currency),
        created_by="",
    )


def _record(ordinal: int, template: Template, vendor: Vendor, lists: BillLists, random: Random) -> Record:
    created = office_moment(min(template.first_due, PERIOD_END) - timedelta(days=20), random)
    changed = office_moment(template.stopped, random) if template.archived else None
    generated = list(_due_dates(template))
    updated = max(
        [created, *([changed] if changed else [])]
        + [datetime.combine(_generation_day(template, due), _MIDNIGHT) for due in generated[-1:]]
    )
    return without_unset(
        {
            "id": bill_id("recurring_bills", ordinal),
            "archived": template.archived,
            "vendorId": vendor.id,
            "description": template.lines[0][0],
            "schedule": without_unset(
                {
                    "period": template.period,
                    "frequency": template.frequency,
                    "nextDueDate": _next_due(template, generated),
                    "endDate": template.end.isoformat() if template.end else None,
                    "daysInAdvance": template.days_in_advance,
                }
            ),
            "recurringBillLineItems": [
                {
                    "id": bill_id("recurring_lines", ordinal * _MOST_LINES + number),
                    "amount": line.amount,
                    "description": line.description,
                    "classifications": classifications(line.coding, lists),
                }
                for number, line in enumerate(_lines(template), 1)
            ],
            "processingOptions": {"autoPayment": template.auto_payment},
            "paymentInformation": {"bankAccountId": _BANK_ACCOUNT} if template.auto_payment else None,
            **times(created, updated),
        }
    )


def _lines(template: Template) -> list[Line]:
    return [
        Line(
            amount=Decimal(amount),
            description=text,
            coding={
                "account": account,
                "accounting_class": "overhead",
                "department": "finance",
                "location": template.location,
            },
        )
        for text, amount, account in template.lines
    ]


def _due_dates(template: Template) -> Iterator[date]:
    """Due dates of the bills generated so far; the first falls in the twelve months."""
    due: date | None = template.first_due
    while (
        due is not None
        and _generation_day(template, due) <= template.stopped
        and due <= (template.end or due)
    ):
        yield due
        due = _turn_after(template, due)


def _generation_day(template: Template, due: date) -> date:
    return max(due - timedelta(days=template.days_in_advance), PERIOD_START)


def _next_due(template: Template, generated: Sequence[date]) -> str | None:
    """None where the schedule has come to its end."""
    due = _turn_after(template, generated[-1]) if generated else template.first_due
    ended = due is None or (template.end is not None and due > template.end)
    return None if due is None or ended else due.isoformat()


def _turn_after(template: Template, due: date) -> date | None:
    return next_turn(due, period=template.period, frequency=template.frequency, anchor=template.first_due.day)
