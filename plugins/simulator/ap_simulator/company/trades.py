"""What each kind of vendor sells: the lines its bills are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A kind of bill line.

    Attributes:
        description: Text of the line.
        account: Key of the account it is booked to.
        low: Lowest price of one, in whole units of the currency.
        high: Highest price of one.
        most: Highest quantity; 1 for lines without quantity and price.
        item: Key of an item it may be coded to.
    """

    description: str
    account: str
    low: int
    high: int
    most: int = 1
    item: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A kind of vendor.

    Attributes:
        offers: What it sells.
        department: Key of the department that mostly buys it.
        accounting_class: Key of the line of business it mostly serves.
        most_lines: Most lines of an ordinary bill.
        billable: Whether its work is often for a customer.
        weight: How often it sends bills, compared with others.
    """

    offers: tuple[Offer, ...]
    department: str
    accounting_class: str = "overhead"
    most_lines: int = 3
    billable: bool = False
    weight: int = 3


def _offer(description: str, account: str, low: int, high: int, most: int = 1, item: str = "") -> Offer:
    return Offer(description=description, account=account, low=low, high=high, most=most, item=item)


TRADES: Final = {
    "cloud": Trade(
        offers=(
            _offer("Compute instances", "hosting", 20, 60, 60, "hosting_unit"),
            _offer("Object storage, TB-months", "hosting", 15, 28, 90),
            _offer("Outbound traffic", "hosting", 200, 2400),
            _offer("Managed database", "hosting", 150, 900, 6),
            _offer("Reserved capacity, prepaid", "prepaid_software", 2400, 9600),
        ),
        department="platform",
        accounting_class="managed",
        most_lines=8,
        weight=8,
    ),
    "software": Trade(
        offers=(
            _offer("Seats, monthly", "business_apps", 6, 45, 40),
            _offer("Developer seats", "developer_tools", 12, 70, 26),
            _offer("Add-on modules", "business_apps", 40, 300, 4),
            _offer("Annual plan, prepaid", "prepaid_software", 900, 8400),
        ),
        department="applications",
        weight=4,
    ),
    "contractor": Trade(
        offers=(
            _offer("Engineering hours", "subcontractors", 85, 160, 80, "contract_hour"),
            _offer("Design review", "subcontractors", 90, 140, 24),
            _offer("On-call cover", "subcontractors", 300, 900, 4),
            _offer("Reimbursed travel", "ground_transport", 40, 420),
        ),
        department="client_services",
        accounting_class="cloud_migration",
        most_lines=5,
        billable=True,
        weight=6,
    ),
    "landlord": Trade(
        offers=(
            _offer("Office rent", "rent", 6000, 14500),
            _offer("Common area maintenance", "repairs", 300, 1200),
            _offer("Parking spaces", "rent", 85, 160, 20),
        ),
        department="finance",
        weight=1,
    ),
    "utilities": Trade(
        offers=(
            _offer("Electricity", "utilities", 180, 1400),
            _offer("Gas", "utilities", 60, 480),
            _offer("Water and sewage", "utilities", 40, 260),
        ),
        department="finance",
        most_lines=2,
        weight=5,
    ),
    "telecom": Trade(
        offers=(
            _offer("Internet access", "telecom", 120, 980),
            _offer("Mobile lines", "telecom", 28, 55, 40),
            _offer("Conference bridge minutes", "telecom", 1, 3, 400),
        ),
        department="finance",
        weight=4,
    ),
    "insurance": Trade(
        offers=(
            _offer("Professional liability premium", "prepaid_insurance", 2400, 9000),
            _offer("Property cover", "insurance", 300, 1500),
            _offer("Group health premium", "benefits", 380, 760, 40),
        ),
        department="people",
        weight=2,
    ),
    "legal": Trade(
        offers=(
            _offer("Partner hours", "legal", 380, 620, 14),
            _offer("Associate hours", "legal", 190, 340, 30),
            _offer("Filing fees", "legal", 60, 900),
        ),
        department="finance",
    ),
    "accounting": Trade(
        offers=(
            _offer("Monthly close support", "accounting", 1200, 3200),
            _offer("Tax return preparation", "accounting", 900, 5200),
            _offer("Audit fieldwork hours", "accounting", 140, 260, 40),
        ),
        department="finance",
    ),
    "recruiting": Trade(
        offers=(
            _offer("Placement fee", "recruiting", 6000, 19000),
            _offer("Job postings", "recruiting", 95, 380, 12),
            _offer("Background checks", "recruiting", 35, 90, 10),
        ),
        department="people",
    ),
    "travel": Trade(
        offers=(
            _offer("Airfare", "airfare", 180, 1450, 4),
            _offer("Hotel nights", "lodging", 120, 310, 9),
            _offer("Car hire", "ground_transport", 45, 120, 6),
            _offer("Client dinner", "travel_meals", 60, 420),
        ),
        department="sales",
        accounting_class="consulting",
        most_lines=12,
        billable=True,
        weight=5,
    ),
    "catering": Trade(
        offers=(
            _offer("Team lunch", "catering", 11, 24, 40),
            _offer("Coffee and tea", "catering", 40, 260),
            _offer("Client event", "events", 300, 2600),
        ),
        department="people",
    ),
    "supplies": Trade(
        offers=(
            _offer("Paper, cases", "supplies", 28, 52, 12),
            _offer("Toner", "supplies", 74, 190, 6),
            _offer("Notebooks and pens", "supplies", 2, 9, 80),
            _offer("Desk chairs", "furniture", 210, 640, 6),
            _offer("Standing desks", "furniture", 380, 900, 4),
        ),
        department="finance",
        most_lines=12,
        weight=4,
    ),
    "hardware": Trade(
        offers=(
            _offer("Laptop 14 inch", "computers", 1200, 1600, 10, "laptop"),
            _offer("Monitor 27 inch", "computers", 260, 420, 12, "monitor"),
            _offer("Docking station", "computers", 140, 210, 12, "dock"),
            _offer("Cables and adapters", "supplies", 6, 40, 25),
            _offer("Imaging and set-up", "repairs", 60, 120, 10),
        ),
        department="engineering",
        most_lines=10,
    ),
    "marketing": Trade(
        offers=(
            _offer("Search advertising", "online_ads", 400, 5200),
            _offer("Sponsored posts", "online_ads", 80, 450, 12),
            _offer("Campaign management", "marketing", 600, 3200),
        ),
        department="marketing",
        accounting_class="product",
        weight=4,
    ),
    "events": Trade(
        offers=(
            _offer("Booth space", "events", 1800, 7400),
            _offer("Speaker passes", "events", 240, 780, 6),
            _offer("Booth furniture and power", "events", 90, 640, 4),
        ),
        department="marketing",
        accounting_class="product",
        weight=2,
    ),
    "facilities": Trade(
        offers=(
            _offer("Office cleaning", "cleaning", 180, 900, 4),
            _offer("Repairs, hours", "repairs", 65, 120, 12),
            _offer("Consumables", "supplies", 20, 160),
        ),
        department="finance",
        weight=5,
    ),
    "courier": Trade(
        offers=(
            _offer("Deliveries", "postage", 9, 38, 40),
            _offer("Fuel surcharge", "postage", 4, 60),
        ),
        department="finance",
    ),
    "services": Trade(
        offers=(
            _offer("Payroll runs", "payroll_service", 90, 260, 2),
            _offer("Account fees", "bank_charges", 15, 240),
            _offer("Membership", "dues", 120, 2400),
        ),
        department="finance",
        most_lines=2,
    ),
    "licenses": Trade(
        offers=(
            _offer("Database license", "resold_licenses", 420, 510, 15, "database_license"),
            _offer("Backup license", "resold_licenses", 60, 84, 60, "backup_license"),
            _offer("Support plan for resold licenses", "resold_licenses", 300, 1800),
            _offer("Advisory days", "subcontractors", 900, 1500, 6, "retainer"),
        ),
        department="client_services",
        accounting_class="data_platforms",
        most_lines=6,
        billable=True,
        weight=4,
    ),
}
