"""Bills that are there for a reason: each shows one thing that a sync has to get right.

The first five are the only ones in the demo that a careful target refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ap_simulator.company.bills import Line, RecordStatus
from ap_simulator.company.chart import ACCOUNT_DIFFERENCES


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialBill:
    """What is fixed about a special bill.

    Attributes:
        role: What it is there to test.
        vendor: The vendor's name in BILL.
        day: Days from the start of the twelve months to the invoice date.
        lines: Its lines.
        number: Invoice number; None is one by its ordinal, empty is none.
        coding: Coding of the whole bill.
        status: Its `recordStatus`.
        approval: Its `approvalStatus`.
        text: Its description.
        nth: Which of several vendors of that name, from 0.
    """

    role: str
    vendor: str
    day: int
    lines: tuple[Line, ...]
    number: str | None = None
    coding: Mapping[str, str]
    status: RecordStatus
    approval: str
    text: str
    nth: int


def _line(amount: str, text: str = "", *, quantity: str = "", price: str = "", **coding: str) -> Line:
    return Line(
        amount=Decimal(amount),
        description=text,
        quantity=Decimal(quantity) if quantity else None,
        price=Decimal(price) if price else None,
        coding=coding,
    )


def _special(
    role: str,
    vendor: str,
    day: int,
    *lines: Line,
    number: str | None = None,
    coding: Mapping[str, str] | None = None,
    status: RecordStatus = "ACTIVE",
    approval: str = "APPROVED",
    text: str = "",
    nth: int = 0,
) -> SpecialBill:
    return SpecialBill(
        role=role,
        vendor=vendor,
        day=day,
        lines=lines,
        number=number,
        coding={"location": "austin"} if coding is None else coding,
        status=status,
        approval=approval,
        text=text,
        nth=nth,
    )


_GUTENBERG: Final = "Gutenberg & Daughters Printing"
_LANTERN: Final = "Lantern Hill Academy"
_COPPERLINE: Final = "Copperline Consulting LLC"
_LINE_TEXT: Final = 'Crème brûlée "maison", 24×11 $\nserved at 7 o\'clock'  # noqa: RUF001
_BILL_TEXT: Final = "Fête d'été: “all hands”\nÀ régler sous 30 jours – merci! 🎉"  # noqa: RUF001
_LONG_NUMBER: Final = "2026-CONTRACT-0004711-"

_REFUSED: Final = (
    _special("refused", _GUTENBERG, 40, _line("1284.00", "Annual report, 500 copies", account="printing")),
    _special(
        "refused",
        _GUTENBERG,
        171,
        _line("86.40", "Paper samples", account="supplies", department="marketing"),
        _line("742.15", "Brochures", account="printing", accounting_class="product"),
        _line("35.00", "Delivery", account="postage"),
    ),
    _special("refused", 'The "Quick" Print Shop', 208, _line("219.90", "Business cards", account="printing")),
    _special("refused", _LANTERN, 95, _line("3400.00", "Conference passes", account="training")),
    _special(
        "refused",
        _LANTERN,
        290,
        _line("1150.00", "Course, cloud security", account="training", department="engineering"),
        _line("95.00", "Course books", account="supplies"),
        _line("1150.00", "Course, data modelling", account="training", department="engineering"),
        _line("410.00", "Membership", account="dues"),
    ),
)

_CODING: Final = (
    _special(
        "every_classification",
        _COPPERLINE,
        12,
        _line(
            "2640.00",
            "Engineering hours",
            quantity="24",
            price="110.00",
            account="subcontractors",
            accounting_class="cloud_migration",
            department="platform",
            location="boston",
            item="contract_hour",
            job="corvid_migration",
            employee="Amara Okafor",
            customer="corvid",
        ),
        coding={
            "account": "subcontractors",
            "accounting_class": "consulting",
            "department": "engineering",
            "location": "boston",
            "item": "contract_hour",
        },
    ),
    _special(
        "twelve_lines",
        "Circuit Supply Co.",
        61,
        *(
            _line(str(40 + 7 * n), f"Part {n:02d}", account="supplies", department="engineering")
            for n in range(1, 13)
        ),
    ),
    _special(
        "coded_on_the_bill_only",
        "Lone Star Power & Light",
        70,
        _line("412.80", "Electricity"),
        _line("12.05", "Meter fee"),
        coding={"account": "utilities", "location": "austin", "department": "finance"},
    ),
    _special(
        "coded_partly_on_the_bill",
        "Rackmount Systems",
        81,
        _line("149.00", "Rack shelf", account="computers", accounting_class="managed", location="denver"),
        _line("79.99", "Cable tray", quantity="1", price="79.99"),
        coding={"account": "supplies", "accounting_class": "overhead", "location": "denver"},
    ),
    _special(
        "mixed_locations",
        "Parcelway Logistics",
        100,
        _line("64.10", "Deliveries, Boston", account="postage", location="boston"),
        _line("48.75", "Deliveries, Denver", account="postage", location="denver"),
        coding={},
    ),
    _special(
        "item_without_account",
        "Bytehaus Computers",
        110,
        _line("5556.00", "Laptops", quantity="4", price="1389.00", item="laptop", department="engineering"),
        _line("328.50", "Docks", quantity="2", price="164.25", item="dock", department="engineering"),
    ),
    _special(
        "item_not_purchasable",
        "Datavault Licensing",
        118,
        _line(
            "2700.00",
            "Advisory days",
            quantity="3",
            price="900.00",
            account="subcontractors",
            item="retainer",
        ),
    ),
    _special(
        "customer_only",
        "Compass Rose Travel",
        126,
        _line("618.20", "Airfare", account="airfare", customer="hollis"),
        _line("240.00", "Client dinner", account="travel_meals", customer="brightwater"),
    ),
    _special(
        "jobs",
        "Blue Mesa Engineering LLC",
        133,
        _line("1980.00", quantity="18", price="110.00", account="subcontractors", job="kestrel_ops"),
        _line("880.00", quantity="8", price="110.00", account="subcontractors", job="juno_lims"),
    ),
    _special(
        "archived_classifications",
        "Stackfield Hosting",
        30,
        _line("310.00", "Legacy servers", account="hosting", accounting_class="legacy"),
        _line("250.00", "Donation round-up", account="charity"),
    ),
    *(
        _special(
            f"account_{role}",
            vendor,
            140 + 5 * n,
            _line(amount, account=ACCOUNT_DIFFERENCES[role].key, department="people"),
        )
        for n, (role, vendor, amount) in enumerate(
            (
                ("other_number_same_name", "Rolecall Recruiting", "8400.00"),
                ("other_name_same_number", "Fiberline Communications", "389.00"),
                ("full_name_in_one_piece", "Harbor Inn Boston", "1132.44"),
                ("full_name_by_parent", "Compass Rose Travel", "212.60"),
                ("without_number", "Wick & Tallow", "58.00"),
            )
        )
    ),
    _special(
        "balance_sheet_accounts",
        "Deskmates Supply",
        170,
        _line("6320.00", "Standing desks", quantity="8", price="790.00", account="furniture"),
        _line("2400.00", "Furniture lease, next year", account="prepaid_insurance"),
        _line("1500.00", "Deposit", account="deposits"),
    ),
)

_AMOUNTS: Final = (
    _special(
        "quantity_exact",
        "Allied Office Products",
        15,
        _line("51.00", "Toner", quantity="4", price="12.75", account="supplies"),
        _line("99.50", "Paper", quantity="2.5", price="39.80", account="supplies"),
    ),
    _special(
        "quantity_rounded",
        "Nimbus Harbor Cloud",
        22,
        _line(
            "100.00", "Storage", quantity="7", price="14.2857", account="hosting", accounting_class="managed"
        ),
        _line("33.33", "Snapshots", quantity="1000", price="0.033333", account="hosting"),
    ),
    _special(
        "quantity_mismatch",
        "Stapleton Stationers",
        45,
        _line("89.90", "Notebooks, 10 off", quantity="10", price="9.99", account="supplies"),
        _line("20.00", "Pens", account="supplies"),
    ),
    _special(
        "zero_line",
        "Ticketroot",
        52,
        _line("180.00", "Seats", quantity="12", price="15.00", account="business_apps"),
        _line("0.00", "Onboarding, included", account="business_apps"),
    ),
    _special(
        "negative_line",
        "Inkwell Docs",
        58,
        _line("960.00", "Annual plan", account="prepaid_software"),
        _line("-96.00", "Loyalty discount", account="prepaid_software"),
    ),
    _special("one_cent", "First Meridian Bank", 64, _line("0.01", "Rounding", account="bank_charges")),
    _special(
        "large_amount",
        "Congress Avenue Properties LP",
        75,
        _line("184250.00", "Lease buy-out, floor 3", account="rent"),
    ),
    _special(
        "eur",
        "Rheinblick Datentechnik GmbH",
        88,
        _line("4310.50", "Server, Januar", account="hosting", accounting_class="managed"),
    ),
    _special("gbp", "Ashdown & Pryce Ltd", 150, _line("1299.99", "Licences", account="business_apps")),
    _special(
        "cad",
        "Lac Bleu Services Informatiques Inc.",
        222,
        _line("7875.00", "Développement", quantity="63", price="125.00", account="subcontractors"),
        coding={"location": "toronto"},
    ),
)

_NUMBERS_AND_TEXTS: Final = (
    _special(
        "long_number",
        "Pemberton Mutual",
        33,
        _line("2890.00", account="prepaid_insurance"),
        number=_LONG_NUMBER + "A",
    ),
    _special(
        "long_number",
        "Sterling Casualty Insurance",
        34,
        _line("1445.00", account="insurance"),
        number=_LONG_NUMBER + "B",
    ),
    _special(
        "shared_number", "Finch & Okoro CPAs", 90, _line("2100.00", account="accounting"), number="1001"
    ),
    _special("shared_number", "Barrow Tax Law PC", 91, _line("640.00", account="legal"), number="1001"),
    _special("shared_number", "Delta Staffing", 92, _line("310.00", account="recruiting"), number="1001"),
    _special(
        "shared_number", "Delta Staffing", 93, _line("95.00", account="recruiting"), number="1001", nth=1
    ),
    _special(
        "reissued",
        "Quickfix Maintenance",
        120,
        _line("540.00", "Door repair", account="repairs"),
        number="QM-88",
        status="INACTIVE",
    ),
    _special(
        "reissued",
        "Quickfix Maintenance",
        121,
        _line("450.00", "Door repair", account="repairs"),
        number="QM-88",
    ),
    _special(
        "texts",
        "Café Müller & Søn – Traiteur",  # noqa: RUF001 - as in the vendor's name
        160,
        _line("264.00", _LINE_TEXT, account="catering"),
        text=_BILL_TEXT,
    ),
    _special(
        "cjk", "株式会社さくらソフト", 180, _line("3200.00", "受託開発 10月分", account="subcontractors")
    ),
)

_STATES: Final = (
    _special(
        "denied",
        "Signal & Noise Agency",
        330,
        _line("5200.00", "Unordered campaign", account="marketing"),
        approval="DENIED",
    ),
    _special(
        "draft",
        "Paperworks Direct",
        345,
        _line("77.70", "Paper", account="supplies"),
        status="DRAFT",
        approval="UNASSIGNED",
    ),
    _special(
        "draft", "Mailyard", 350, _line("0.00"), number="", coding={}, status="DRAFT", approval="UNASSIGNED"
    ),
    _special(
        "draft_deleted",
        "Mailyard",
        320,
        _line("25.00", account="business_apps"),
        status="DRAFT_DELETED",
        approval="UNASSIGNED",
    ),
    _special("archived", "Adlight Media", 60, _line("900.00", account="marketing"), status="INACTIVE"),
    _special(
        "archived_vendor", "Old Mill Hosting", 20, _line("410.00", account="hosting"), status="INACTIVE"
    ),
    _special(
        "archived_vendor", "Blackbird Faxline", 25, _line("38.00", account="telecom"), status="INACTIVE"
    ),
)

_SETTLEMENT: Final = (
    _special("partially_paid", "Rolecall Recruiting", 230, _line("6800.00", account="recruiting")),
    _special("paid_in_two", "Querystone Databases", 236, _line("4200.00", account="resold_licenses")),
    _special("paid_and_scheduled", "Backupwise", 335, _line("1500.00", account="resold_licenses")),
    _special("paid_together", "Skyrelay Wireless", 240, _line("310.25", account="telecom")),
    _special("paid_together", "Skyrelay Wireless", 246, _line("298.40", account="telecom")),
    _special("paid_together", "Skyrelay Wireless", 251, _line("44.90", account="telecom")),
    _special("voided_and_paid_again", "Expo Floor Services", 180, _line("2750.00", account="events")),
    _special("paid_offline", "Bluebird Messenger", 150, _line("86.00", account="postage")),
    _special("paid_abroad", "Société Lumière Conseil SARL", 140, _line("3960.00", account="subcontractors")),
)

#: All special bills in the order of their ordinals.
SPECIAL_BILL_TABLE: Final = (
    *_REFUSED,
    *_CODING,
    *_AMOUNTS,
    *_NUMBERS_AND_TEXTS,
    *_STATES,
    *_SETTLEMENT,
)
