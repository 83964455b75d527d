"""The chart of accounts, once, with what differs between BILL and QuickBooks.

Both sides mostly agree on number and name. The differences are those a real company has after a
few years: see `ACCOUNT_DIFFERENCES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKind:
    """What an account is, in both vocabularies (BILL manual 4.5, QuickBooks manual 6.5)."""

    bill_type: str
    quickbooks_type: str
    quickbooks_subtype: str
    classification: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of the company.

    Attributes:
        key: What this package calls it.
        name: Its name, without those of its parents.
        number: Its number; empty for none.
        kind: What it is.
        parent: Key of the account above it; empty at the top.
        bill_name: Its name in BILL where that differs.
        bill_number: Its number in BILL where that differs; empty for none.
        bill_nested: Whether BILL knows its parent by id.
        archived_in_bill: Whether it is archived in BILL.
        in_bill: Whether BILL has it.
        in_quickbooks: Whether QuickBooks has it.
        active_in_quickbooks: Whether it is active in QuickBooks.
        currency: Its currency in QuickBooks.
    """

    key: str
    name: str
    number: str
    kind: AccountKind
    parent: str = ""
    bill_name: str | None = None
    bill_number: str | None = None
    bill_nested: bool = True
    archived_in_bill: bool = False
    in_bill: bool = True
    in_quickbooks: bool = True
    active_in_quickbooks: bool = True
    currency: str = "USD"

    @property
    def label_in_bill(self) -> str:
        """Number and name as BILL shows them, e.g. `6900 Printing & Reproduction`."""
        number = self.number if self.bill_number is None else self.bill_number
        return f"{number} {self.bill_name or self.name}".strip()


def _kind(bill_type: str, quickbooks_type: str, subtype: str, classification: str) -> AccountKind:
    return AccountKind(
        bill_type=bill_type,
        quickbooks_type=quickbooks_type,
        quickbooks_subtype=subtype,
        classification=classification,
    )


def _expense(subtype: str) -> AccountKind:
    return _kind("EXPENSE", "Expense", subtype, "Expense")


def _cost(subtype: str) -> AccountKind:
    return _kind("COST_OF_GOODS_SOLD", "Cost of Goods Sold", subtype, "Expense")


def _income(subtype: str) -> AccountKind:
    return _kind("INCOME", "Income", subtype, "Revenue")


def _fixed_asset(subtype: str) -> AccountKind:
    return _kind("FIXED_ASSET", "Fixed Asset", subtype, "Asset")


def _current_liability(subtype: str) -> AccountKind:
    return _kind("OTHER_CURRENT_LIABILITY", "Other Current Liability", subtype, "Liability")


def _equity(subtype: str) -> AccountKind:
    return _kind("EQUITY", "Equity", subtype, "Equity")


_CHECKING = _kind("BANK", "Bank", "Checking", "Asset")
_SAVINGS = _kind("BANK", "Bank", "Savings", "Asset")
_RECEIVABLE = _kind("ACCOUNTS_RECEIVABLE", "Accounts Receivable", "AccountsReceivable", "Asset")
_PREPAID = _kind("OTHER_CURRENT_ASSET", "Other Current Asset", "PrepaidExpenses", "Asset")
_DEPOSITS = _kind("OTHER_ASSET", "Other Asset", "SecurityDeposits", "Asset")
_PAYABLE = _kind("ACCOUNTS_PAYABLE", "Accounts Payable", "AccountsPayable", "Liability")
_CARD = _kind("CREDIT_CARD", "Credit Card", "CreditCard", "Liability")
_NOTES = _kind("LONG_TERM_LIABILITY", "Long Term Liability", "NotesPayable", "Liability")
_INTEREST = _kind("OTHER_INCOME", "Other Income", "InterestEarned", "Revenue")
_EXCHANGE = _kind("OTHER_EXPENSE", "Other Expense", "ExchangeGainOrLoss", "Expense")


def _account(key: str, number: str, name: str, kind: AccountKind, parent: str = "") -> Account:
    return Account(key=key, number=number, name=name, kind=kind, parent=parent)


_BALANCE_SHEET: Final = (
    _account("checking", "1010", "Operating Checking", _CHECKING),
    _account("payroll_checking", "1020", "Payroll Checking", _CHECKING),
    _account("savings", "1030", "Reserve Savings", _SAVINGS),
    _account("receivable", "1200", "Accounts Receivable (A/R)", _RECEIVABLE),
    _account("prepaid_software", "1310", "Prepaid Software", _PREPAID),
    _account("prepaid_insurance", "1320", "Prepaid Insurance", _PREPAID),
    _account("computers", "1510", "Computers & Equipment", _fixed_asset("FixedAssetComputers")),
    _account("furniture", "1520", "Furniture & Fixtures", _fixed_asset("FurnitureAndFixtures")),
    _account("depreciation", "1590", "Accumulated Depreciation", _fixed_asset("AccumulatedDepreciation")),
    _account("deposits", "1700", "Security Deposits", _DEPOSITS),
    _account("payable", "2000", "Accounts Payable (A/P)", _PAYABLE),
    _account("card", "2100", "Corporate Card", _CARD),
    _account("payroll_taxes", "2200", "Payroll Taxes Payable", _current_liability("PayrollTaxPayable")),
    _account("sales_tax", "2300", "Sales Tax Payable", _current_liability("SalesTaxPayable")),
    _account("deferred_revenue", "2400", "Deferred Revenue", _current_liability("OtherCurrentLiabilities")),
    _account("term_loan", "2700", "Term Loan", _NOTES),
    _account("opening_equity", "3000", "Opening Balance Equity", _equity("OpeningBalanceEquity")),
    _account("common_stock", "3100", "Common Stock", _equity("CommonStock")),
    _account("retained_earnings", "3900", "Retained Earnings", _equity("RetainedEarnings")),
)

_INCOME_AND_COST: Final = (
    _account("consulting_revenue", "4000", "Consulting Revenue", _income("ServiceFeeIncome")),
    _account("managed_revenue", "4100", "Managed Services Revenue", _income("ServiceFeeIncome")),
    _account("license_revenue", "4200", "License Resale", _income("SalesOfProductIncome")),
    _account("subcontractors", "5000", "Subcontractors", _cost("CostOfLaborCos")),
    _account("hosting", "5100", "Cloud Hosting", _cost("OtherCostsOfServiceCos")),
    _account("resold_licenses", "5200", "Resold Licenses", _cost("SuppliesMaterialsCogs")),
)

_EXPENSES: Final = (
    _account("marketing", "6000", "Marketing", _expense("AdvertisingPromotional")),
    _account("online_ads", "6010", "Online Advertising", _expense("AdvertisingPromotional"), "marketing"),
    _account("events", "6020", "Events & Trade Shows", _expense("PromotionalMeals"), "marketing"),
    _account("travel", "6100", "Travel", _expense("Travel")),
    _account("airfare", "6110", "Airfare", _expense("Travel"), "travel"),
    _account("travel_meals", "6140", "Meals While Traveling", _expense("TravelMeals"), "travel"),
    _account("office", "6200", "Office Expenses", _expense("OfficeGeneralAdministrativeExpenses")),
    _account("supplies", "6210", "Office Supplies", _expense("SuppliesMaterials"), "office"),
    _account("postage", "6220", "Postage & Shipping", _expense("ShippingFreightDelivery"), "office"),
    _account("catering", "6230", "Kitchen & Catering", _expense("EntertainmentMeals"), "office"),
    _account("software", "6300", "Software Subscriptions", _expense("DuesSubscriptions")),
    _account("developer_tools", "6310", "Developer Tools", _expense("DuesSubscriptions"), "software"),
    _account("business_apps", "6320", "Business Applications", _expense("DuesSubscriptions"), "software"),
    _account("facilities", "6400", "Facilities", _expense("RentOrLeaseOfBuildings")),
    _account("rent", "6410", "Rent", _expense("RentOrLeaseOfBuildings"), "facilities"),
    _account("utilities", "6430", "Utilities", _expense("Utilities"), "facilities"),
    _account("cleaning", "6440", "Cleaning", _expense("RepairMaintenance"), "facilities"),
    _account("repairs", "6450", "Repairs & Maintenance", _expense("RepairMaintenance"), "facilities"),
    _account("fees", "6500", "Professional Fees", _expense("LegalProfessionalFees")),
    _account("legal", "6510", "Legal", _expense("LegalProfessionalFees"), "fees"),
    _account("accounting", "6520", "Accounting & Audit", _expense("LegalProfessionalFees"), "fees"),
    _account("benefits", "6630", "Employee Benefits", _expense("PayrollExpenses")),
    _account("payroll_service", "6640", "Payroll Service Fees", _expense("PayrollExpenses")),
    _account("insurance", "6700", "Business Insurance", _expense("Insurance")),
    _account("bank_charges", "6800", "Bank Charges", _expense("BankCharges")),
    _account("dues", "6950", "Dues & Memberships", _expense("DuesSubscriptions")),
    _account("interest_earned", "7000", "Interest Earned", _INTEREST),
    _account("exchange", "7900", "Exchange Gain or Loss", _EXCHANGE),
)

#: What a sync has to get right: by role, the account in which the two books differ.
ACCOUNT_DIFFERENCES: Final = {
    "other_number_same_name": Account(
        key="recruiting",
        name="Recruiting",
        number="6615",
        bill_number="6610",
        kind=_expense("OfficeGeneralAdministrativeExpenses"),
    ),
    "other_name_same_number": Account(
        key="telecom",
        name="Telecommunications",
        number="6420",
        bill_name="Internet & Phone",
        kind=_expense("Utilities"),
        parent="facilities",
    ),
    "full_name_in_one_piece": Account(
        key="lodging",
        name="Lodging",
        number="6120",
        bill_name="Travel:Lodging",
        bill_number="",
        bill_nested=False,
        kind=_expense("Travel"),
        parent="travel",
    ),
    "full_name_by_parent": Account(
        key="ground_transport",
        name="Ground Transport",
        number="6130",
        bill_number="",
        kind=_expense("Travel"),
        parent="travel",
    ),
    "inactive_in_quickbooks": Account(
        key="printing",
        name="Printing & Reproduction",
        number="6900",
        kind=_expense("OfficeGeneralAdministrativeExpenses"),
        active_in_quickbooks=False,
    ),
    "missing_in_quickbooks": Account(
        key="training",
        name="Training and Conferences",
        number="6620",
        kind=_expense("OtherBusinessExpenses"),
        in_quickbooks=False,
    ),
    "near_miss_of_the_missing": Account(
        key="training_near_miss",
        name="Training & Conference Fees",
        number="6625",
        kind=_expense("OtherBusinessExpenses"),
        in_bill=False,
    ),
    "archived_in_bill": Account(
        key="charity",
        name="Charitable Contributions",
        number="6960",
        kind=_expense("CharitableContributions"),
        archived_in_bill=True,
    ),
    "without_number": Account(
        key="uncategorized",
        name="Uncategorized Expense",
        number="",
        kind=_expense("OtherMiscellaneousServiceCost"),
    ),
}

#: QuickBooks adds a payables account of its own for each foreign currency, without a number.
_FOREIGN_PAYABLES: Final = tuple(
    Account(
        key=f"payable_{currency.lower()}",
        name=f"Accounts Payable (A/P) - {currency}",
        number="",
        kind=_PAYABLE,
        in_bill=False,
        currency=currency,
    )
    for currency in ("CAD", "EUR", "GBP")
)

ACCOUNTS: Final = (
    *_BALANCE_SHEET,
    *_INCOME_AND_COST,
    *_EXPENSES,
    *ACCOUNT_DIFFERENCES.values(),
    *_FOREIGN_PAYABLES,
)
