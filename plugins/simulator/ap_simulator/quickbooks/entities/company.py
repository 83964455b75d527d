"""CompanyInfo, Preferences, CompanyCurrency and ExchangeRate (QuickBooks manual 6.7 and 6.8)."""

from __future__ import annotations

from decimal import Decimal

from ap_simulator.quickbooks.entities.fields import (
    Choice,
    Day,
    EntityType,
    Field,
    Flag,
    Group,
    Number,
    Reference,
    Text,
    ignored,
    operations,
    sought,
)
from ap_simulator.quickbooks.entities.parts import ACTIVE, ADDRESS, PHONE, WEB, email

NAME_VALUE = Group((Field(name="Name", kind=Text()), Field(name="Value", kind=Text(4000))))
_PREFERENCE_FIELD = Group(
    (
        Field(name="Name", kind=Text()),
        Field(name="Type", kind=Text()),
        Field(name="StringValue", kind=Text()),
        Field(name="BooleanValue", kind=Flag()),
    )
)
_CUSTOM_FIELDS = Group((Field(name="CustomField", kind=_PREFERENCE_FIELD, many=True),))
_MESSAGE = Group((Field(name="Subject", kind=Text()), Field(name="Message", kind=Text())))
_UNUSED_SALES_FORMS = (
    "ETransactionPaymentEnabled",
    "ETransactionEnabledStatus",
    "ETransactionAttachPDF",
    "EmailCopyToCompany",
    "DefaultDiscountAccount",
    "DefaultShippingAccount",
    "AutoApplyPayments",
    "AutoApplyCredit",
    "IPNSupportEnabled",
    "CustomField",
    "UsingPriceLevels",
    "UsingProgressInvoicing",
    "EstimateMessage",
    "SalesEmailBcc",
    "SalesEmailCc",
)
_TERMINOLOGY = (
    "Business",
    "Department",
    "Division",
    "Location",
    "Property",
    "Store",
    "Territory",
)

COMPANY_INFO = EntityType(
    name="CompanyInfo",
    family="singleton",
    ids="company",
    sparse_documented=True,
    operations=operations("update"),
    fields=(
        sought(Field(name="CompanyName", kind=Text(1024), required=True, clearable=False)),
        Field(name="LegalName", kind=Text(1024)),
        Field(name="CompanyAddr", kind=ADDRESS),
        Field(name="LegalAddr", kind=ADDRESS),
        Field(name="CustomerCommunicationAddr", kind=ADDRESS),
        Field(name="Email", kind=email()),
        Field(name="WebAddr", kind=WEB),
        Field(name="PrimaryPhone", kind=PHONE),
        Field(name="Country", kind=Text(), read_only=True),
        Field(name="FiscalYearStartMonth", kind=Text()),
        Field(name="SupportedLanguages", kind=Text(), read_only=True),
        Field(name="CompanyStartDate", kind=Day(), read_only=True),
        Field(name="EmployerId", kind=Text()),
        Field(name="NameValue", kind=NAME_VALUE, many=True, read_only=True),
        *ignored("CompanyEmailAddr", "OtherContactInfo", "DefaultTimeZone", "MultiByteCharset"),
    ),
)

PREFERENCES = EntityType(
    name="Preferences",
    family="singleton",
    ids="company",
    operations=operations("update"),
    fields=(
        Field(
            name="AccountingInfoPrefs",
            kind=Group(
                (
                    Field(name="FirstMonthOfFiscalYear", kind=Text()),
                    Field(name="UseAccountNumbers", kind=Flag()),
                    Field(name="TaxYearMonth", kind=Text()),
                    Field(name="ClassTrackingPerTxn", kind=Flag()),
                    Field(name="ClassTrackingPerTxnLine", kind=Flag()),
                    Field(name="TrackDepartments", kind=Flag()),
                    Field(name="DepartmentTerminology", kind=Choice(_TERMINOLOGY)),
                    Field(name="TaxForm", kind=Text()),
                    Field(name="CustomerTerminology", kind=Text()),
                    Field(name="BookCloseDate", kind=Day()),
                )
            ),
        ),
        Field(
            name="ProductAndServicesPrefs",
            kind=Group(
                (
                    Field(name="ForSales", kind=Flag()),
                    Field(name="ForPurchase", kind=Flag()),
                    Field(name="QuantityWithPriceAndRate", kind=Flag()),
                    Field(name="QuantityOnHand", kind=Flag()),
                    *ignored(
                        "RevenueRecognition",
                        "RevenueRecognitionFrequency",
                        "RevenueRecognitionEnabled",
                        "RecognitionFrequencyType",
                    ),
                )
            ),
        ),
        Field(
            name="VendorAndPurchasesPrefs",
            kind=Group(
                (
                    Field(name="TrackingByCustomer", kind=Flag()),
                    Field(name="BillableExpenseTracking", kind=Flag()),
                    Field(name="DefaultTerms", kind=Reference("Term", named=False)),
                    Field(name="DefaultMarkup", kind=Number(decimals=5)),
                    Field(name="DefaultMarkupAccount", kind=Reference("Account", named=False)),
                    Field(name="TPAREnabled", kind=Flag()),
                    Field(name="POCustomField", kind=_CUSTOM_FIELDS, many=True, read_only=True),
                )
            ),
        ),
        Field(
            name="TaxPrefs",
            kind=Group(
                (
                    Field(name="UsingSalesTax", kind=Flag()),
                    Field(name="PartnerTaxEnabled", kind=Flag()),
                    Field(name="TaxGroupCodeRef", kind=Reference(named=False)),
                )
            ),
        ),
        Field(
            name="CurrencyPrefs",
            kind=Group(
                (
                    Field(name="MultiCurrencyEnabled", kind=Flag()),
                    Field(name="HomeCurrency", kind=Reference(named=False), read_only=True),
                )
            ),
        ),
        Field(
            name="ReportPrefs",
            kind=Group(
                (
                    Field(name="ReportBasis", kind=Choice(("Accrual", "Cash"))),
                    Field(name="CalcAgingReportFromTxnDate", kind=Flag()),
                )
            ),
        ),
        Field(
            name="TimeTrackingPrefs",
            kind=Group(
                (
                    Field(name="UseServices", kind=Flag()),
                    Field(name="BillCustomers", kind=Flag()),
                    Field(name="ShowBillRateToAll", kind=Flag()),
                    Field(name="WorkWeekStartDate", kind=Text()),
                    Field(name="MarkTimeEntriesBillable", kind=Flag()),
                )
            ),
        ),
        Field(
            name="SalesFormsPrefs",
            kind=Group(
                (
                    Field(name="CustomTxnNumbers", kind=Flag()),
                    Field(name="AllowDiscount", kind=Flag()),
                    Field(name="AllowDeposit", kind=Flag()),
                    Field(name="AllowEstimates", kind=Flag()),
                    Field(name="AllowServiceDate", kind=Flag()),
                    Field(name="AllowShipping", kind=Flag()),
                    Field(name="DefaultTerms", kind=Reference("Term", named=False)),
                    Field(name="DefaultCustomerMessage", kind=Text(1000)),
                    *ignored(*_UNUSED_SALES_FORMS),
                )
            ),
        ),
        Field(
            name="EmailMessagesPrefs",
            kind=Group(
                tuple(
                    Field(name=f"{form}Message", kind=_MESSAGE)
                    for form in ("Invoice", "Estimate", "SalesReceipt", "Statement")
                )
            ),
        ),
        *ignored("IntuitPrefs", "PrefsEx"),
        Field(
            name="OtherPrefs",
            kind=Group((Field(name="NameValue", kind=NAME_VALUE, many=True),)),
        ),
    ),
)

COMPANY_CURRENCY = EntityType(
    name="CompanyCurrency",
    family="list",
    ids="currencies",
    display="Name",
    operations=operations("create", "update"),
    fields=(
        sought(Field(name="Code", kind=Text(3, "currency"), required=True, clearable=False)),
        sought(Field(name="Name", kind=Text(100))),
        ACTIVE,
        *ignored("CustomField"),
    ),
)

EXCHANGE_RATE = EntityType(
    name="ExchangeRate",
    family="currency",
    ids="rates",
    operations=operations("create", "update", without=("cdc",)),
    fields=(
        sought(Field(name="SourceCurrencyCode", kind=Text(3, "currency"), required=True)),
        sought(Field(name="TargetCurrencyCode", kind=Text(3, "currency"))),
        Field(name="Rate", kind=Number(decimals=9, minimum=Decimal(0)), required=True),
        sought(Field(name="AsOfDate", kind=Day())),
        *ignored("CustomField"),
    ),
)
