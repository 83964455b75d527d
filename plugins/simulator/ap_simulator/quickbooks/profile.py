"""What a company has switched on, and the CompanyInfo and Preferences entities that say so.

`RealmProfile` is what the rules read. The two entities are made from it, and an update of them is
read back into it, so that API, control and rules always agree (QuickBooks manual 6.7 and 6.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

Plan = Literal["Simple Start", "Essentials", "Plus", "Advanced"]
ClassTracking = Literal["line", "transaction", "off"]

PLANS_WITH_PURCHASE_ORDERS = frozenset({"Plus", "Advanced"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmProfile:
    """One company.

    Attributes:
        name: Company name.
        country: ISO 3166 alpha-2 code.
        home_currency: ISO 4217 code.
        multicurrency: Whether foreign currencies are switched on.
        plan: Subscription; purchase orders need Plus or Advanced.
        subscription: `PAID`, `TRIAL` or `EXPIRED`; the last refuses all writes.
        purchase_orders: Whether purchase orders are switched on in a plan that has them.
        class_tracking: Classes on each line, one for a transaction, or off.
        track_departments: Whether locations are tracked.
        department_terminology: What the company calls them.
        account_numbers: Whether accounts carry numbers.
        custom_txn_numbers: `VendorAndPurchasesPrefs.UseCustomTxnNumbers`.
        warn_duplicate_bill_number: Whether a repeated bill number is refused.
        warn_duplicate_check_number: Whether a repeated payment number is refused.
        book_close_date: Last day of the closed period.
        using_sales_tax: Whether taxes on transactions count.
        billable_expenses: Whether lines can be billable.
        purchase_order_fields: Custom fields of purchase orders: DefinitionId to name.
        exchange_rates: Home units for one unit of a foreign currency.
        address: Company address as a PhysicalAddress object.
        email: Company e-mail.
        legal_name: Legal name; the company name if empty.
        fiscal_year_start: Month name.
    """

    name: str
    country: str = "US"
    home_currency: str = "USD"
    multicurrency: bool = False
    plan: Plan = "Plus"
    subscription: Literal["PAID", "TRIAL", "EXPIRED"] = "PAID"
    purchase_orders: bool = True
    class_tracking: ClassTracking = "line"
    track_departments: bool = True
    department_terminology: str = "Location"
    account_numbers: bool = True
    custom_txn_numbers: bool = True
    warn_duplicate_bill_number: bool = False
    warn_duplicate_check_number: bool = False
    book_close_date: date | None = None
    using_sales_tax: bool = True
    billable_expenses: bool = True
    purchase_order_fields: Mapping[str, str] = field(default_factory=dict)
    exchange_rates: Mapping[str, Decimal] = field(default_factory=dict)
    address: Mapping[str, str] = field(default_factory=dict)
    email: str = ""
    legal_name: str = ""
    fiscal_year_start: str = "January"

    @property
    def has_purchase_orders(self) -> bool:
        """Whether the plan and the preferences offer purchase orders."""
        return self.purchase_orders and self.plan in PLANS_WITH_PURCHASE_ORDERS


def company_info(profile: RealmProfile) -> dict[str, Any]:
    """The CompanyInfo body of a company."""
    address = {"Id": "1", **profile.address} if profile.address else {}
    values = {
        "NeoEnabled": "true",
        "IndustryType": "Other Computer Related Services",
        "IndustryCode": "541519",
        "CompanyType": "Other",
        "SubscriptionStatus": profile.subscription,
        "OfferingSku": f"QuickBooks Online {profile.plan}",
        "PayrollFeature": "false",
        "AccountantFeature": "false",
        "ItemCategoriesFeature": "true",
    }
    body: dict[str, Any] = {
        "CompanyName": profile.name,
        "LegalName": profile.legal_name or profile.name,
        "Country": profile.country,
        "SupportedLanguages": "en",
        "FiscalYearStartMonth": profile.fiscal_year_start,
        "CompanyStartDate": "2015-06-05",
        "NameValue": [{"Name": name, "Value": value} for name, value in values.items()],
    }
    if address:
        for name in ("CompanyAddr", "LegalAddr", "CustomerCommunicationAddr"):
            body[name] = dict(address)
    if profile.email:
        body["Email"] = {"Address": profile.email}
    return body


def with_company_info(profile: RealmProfile, body: Mapping[str, Any]) -> RealmProfile:
    """The profile after an update of CompanyInfo."""
    address = {k: v for k, v in body.get("CompanyAddr", {}).items() if k != "Id"}
    return replace(
        profile,
        name=body["CompanyName"],
        legal_name=body.get("LegalName", ""),
        address=address,
        email=body.get("Email", {}).get("Address", ""),
        fiscal_year_start=body.get("FiscalYearStartMonth", profile.fiscal_year_start),
    )


def preferences(profile: RealmProfile, *, order_flag: str = "PurchaseOrderEnabled") -> dict[str, Any]:
    """The Preferences body of a company; `order_flag` is how it spells the purchase order flag."""
    accounting: dict[str, Any] = {
        "FirstMonthOfFiscalYear": profile.fiscal_year_start,
        "UseAccountNumbers": profile.account_numbers,
        "TaxYearMonth": "January",
        "ClassTrackingPerTxn": profile.class_tracking == "transaction",
        "ClassTrackingPerTxnLine": profile.class_tracking == "line",
        "TrackDepartments": profile.track_departments,
        "DepartmentTerminology": profile.department_terminology,
        "TaxForm": "6",
        "CustomerTerminology": "Customers",
    }
    if profile.book_close_date is not None:
        accounting["BookCloseDate"] = profile.book_close_date.isoformat()
    purchases: dict[str, Any] = {
        "TrackingByCustomer": profile.billable_expenses,
        "BillableExpenseTracking": profile.billable_expenses,
    }
    if profile.purchase_order_fields:
        purchases["POCustomField"] = _custom_fields(profile.purchase_order_fields)
    return {
        "AccountingInfoPrefs": accounting,
        "ProductAndServicesPrefs": {
            "ForSales": True,
            "ForPurchase": True,
            "QuantityWithPriceAndRate": True,
            "QuantityOnHand": False,
        },
        "VendorAndPurchasesPrefs": purchases,
        "TaxPrefs": {"UsingSalesTax": profile.using_sales_tax},
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": profile.multicurrency,
            "HomeCurrency": {"value": profile.home_currency},
        },
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "TimeTrackingPrefs": {
            "UseServices": True,
            "BillCustomers": True,
            "ShowBillRateToAll": False,
            "WorkWeekStartDate": "Monday",
            "MarkTimeEntriesBillable": True,
        },
        "SalesFormsPrefs": {
            "CustomTxnNumbers": False,
            "AllowDiscount": True,
            "AllowDeposit": True,
            "AllowEstimates": True,
            "AllowServiceDate": False,
            "AllowShipping": False,
        },
        "EmailMessagesPrefs": {
            f"{form}Message": {
                "Subject": f"{text} from {profile.name}",
                "Message": "Thank you for your business.",
            }
            for form, text in (
                ("Invoice", "Invoice"),
                ("Estimate", "Estimate"),
                ("SalesReceipt", "Sales Receipt"),
                ("Statement", "Statement"),
            )
        },
        "OtherPrefs": {"NameValue": _other(profile, order_flag)},
    }


def with_preferences(profile: RealmProfile, body: Mapping[str, Any]) -> RealmProfile:
    """The profile after an update of Preferences."""
    accounting = body.get("AccountingInfoPrefs", {})
    tracking: ClassTracking = "off"
    if accounting.get("ClassTrackingPerTxnLine"):
        tracking = "line"
    elif accounting.get("ClassTrackingPerTxn"):
        tracking = "transaction"
    closed = accounting.get("BookCloseDate")
    other = {
        pair.get("Name"): pair.get("Value", "").lower() == "true"
        for pair in body.get("OtherPrefs", {}).get("NameValue", [])
    }
    return replace(
        profile,
        fiscal_year_start=accounting.get("FirstMonthOfFiscalYear", profile.fiscal_year_start),
        account_numbers=accounting.get("UseAccountNumbers", False),
        class_tracking=tracking,
        track_departments=accounting.get("TrackDepartments", False),
        department_terminology=accounting.get("DepartmentTerminology", profile.department_terminology),
        book_close_date=date.fromisoformat(closed) if closed else None,
        billable_expenses=body.get("VendorAndPurchasesPrefs", {}).get("BillableExpenseTracking", False),
        using_sales_tax=body.get("TaxPrefs", {}).get("UsingSalesTax", False),
        # Multicurrency cannot be switched off once it is on.
        multicurrency=profile.multicurrency
        or body.get("CurrencyPrefs", {}).get("MultiCurrencyEnabled", False),
        custom_txn_numbers=other.get(_CUSTOM_NUMBERS, profile.custom_txn_numbers),
        purchase_orders=_orders_enabled(profile, other),
        warn_duplicate_bill_number=other.get("WarnDuplicateBillNumber", profile.warn_duplicate_bill_number),
        warn_duplicate_check_number=other.get(
            "WarnDuplicateCheckNumber", profile.warn_duplicate_check_number
        ),
    )


_CUSTOM_NUMBERS = "VendorAndPurchasesPrefs.UseCustomTxnNumbers"


def _orders_enabled(profile: RealmProfile, other: Mapping[Any, bool]) -> bool:
    if profile.plan not in PLANS_WITH_PURCHASE_ORDERS:
        return profile.purchase_orders
    for spelling in ("PurchaseOrderEnabled", "PurchseOrderEnabled"):
        if (value := other.get(f"VendorAndPurchasesPrefs.{spelling}")) is not None:
            return value
    return profile.purchase_orders


def _other(profile: RealmProfile, order_flag: str) -> list[dict[str, str]]:
    values: dict[str, bool | str] = {
        "SalesFormsPrefs.DefaultCustomerMessage": "Thank you for your business.",
        f"VendorAndPurchasesPrefs.{order_flag}": profile.has_purchase_orders,
        _CUSTOM_NUMBERS: profile.custom_txn_numbers,
        "WarnDuplicateBillNumber": profile.warn_duplicate_bill_number,
        "WarnDuplicateCheckNumber": profile.warn_duplicate_check_number,
        "WarnDuplicateJournalNumber": False,
        "Vendor1099Enabled": profile.country == "US",
        "ProjectsEnabled": False,
        "AccountingInfoPrefs.ShowAccountNumbers": profile.account_numbers,
        "DateFormat": "Month Date Year separated by a slash",
        "NumberFormat": "US Number Format",
    }
    return [
        {"Name": name, "Value": str(value).lower() if isinstance(value, bool) else value}
        for name, value in values.items()
    ]


def _custom_fields(names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The POCustomField groups: which definitions are used, and their names."""
    used = [
        {"Name": f"PurchasePrefs.UsePurchaseCustom{n}", "Type": "BooleanType", "BooleanValue": True}
        for n in names
    ]
    named = [
        {"Name": f"PurchasePrefs.PurchaseCustomName{n}", "Type": "StringType", "StringValue": name}
        for n, name in names.items()
    ]
    return [{"CustomField": used}, {"CustomField": named}]
