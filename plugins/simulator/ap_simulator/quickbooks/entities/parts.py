"""Nested objects that several entities share (QuickBooks manual 6.0)."""

from __future__ import annotations

from decimal import Decimal

from ap_simulator.quickbooks.entities.fields import (
    Choice,
    Day,
    Field,
    Flag,
    Group,
    Ignored,
    Number,
    Reference,
    Text,
    TextFormat,
    ignored,
)

GLOBAL_TAX = ("TaxExcluded", "TaxInclusive", "NotApplicable")
BILLABLE_STATUS = ("Billable", "NotBillable", "HasBeenBilled")
PRINT_STATUS = ("NotSet", "NeedToPrint", "PrintComplete")
EMAIL_STATUS = ("NotSet", "NeedToSend", "EmailSent")
ITEM_LINE = "ItemBasedExpenseLineDetail"
ACCOUNT_LINE = "AccountBasedExpenseLineDetail"

FRANCE = frozenset({"FR"})
INDIA = frozenset({"IN"})
AUSTRALIA = frozenset({"AU"})
CANADA = frozenset({"CA"})

ADDRESS = Group(
    (
        Field(name="Id", kind=Text(), read_only=True),
        *(Field(name=f"Line{number}", kind=Text(500)) for number in range(1, 6)),
        Field(name="City", kind=Text(255)),
        Field(name="CountrySubDivisionCode", kind=Text(255)),
        Field(name="PostalCode", kind=Text(30)),
        Field(name="Country", kind=Text(255)),
        *ignored("Lat", "Long", "CountryCode", "County", "PostalCodeSuffix", "Tag", "Note"),
    )
)
PHONE = Group((Field(name="FreeFormNumber", kind=Text(30)), *ignored("Id", "Default", "Tag")))
WEB = Group((Field(name="URI", kind=Text(1000, "web")), *ignored("Id", "Default", "Tag")))
TAX_DETAIL = Group(
    (
        Field(name="TxnTaxCodeRef", kind=Reference("TaxCode", named=False)),
        Field(name="TotalTax", kind=Number()),
        Field(
            name="TaxLine",
            many=True,
            kind=Group(
                (
                    Field(name="Amount", kind=Number()),
                    Field(name="DetailType", kind=Text()),
                    Field(
                        name="TaxLineDetail",
                        kind=Group(
                            (
                                Field(name="TaxRateRef", kind=Reference(named=False)),
                                Field(name="PercentBased", kind=Flag()),
                                Field(name="TaxPercent", kind=Number(decimals=7)),
                                Field(name="NetAmountTaxable", kind=Number()),
                                Field(name="OverrideDeltaAmount", kind=Number()),
                                Field(name="ServiceDate", kind=Day()),
                                *ignored("TaxInclusiveAmount"),
                            )
                        ),
                    ),
                )
            ),
        ),
        *ignored("DefaultTaxCodeRef", "TaxReviewStatus", "UseAutomatedSalesTax"),
    )
)
LINKED = Group(
    (
        Field(name="TxnId", kind=Text()),
        Field(name="TxnType", kind=Text()),
        Field(name="TxnLineId", kind=Text()),
    )
)
CUSTOM_FIELD = Group(
    (
        Field(name="DefinitionId", kind=Text()),
        Field(name="StringValue", kind=Text(31)),
        *ignored("Name", "Type"),
    )
)
MARKUP = Group(
    (
        Field(name="Percent", kind=Number(decimals=7)),
        *ignored("PriceLevelRef", "MarkUpIncomeAccountRef", "PercentBased", "Value"),
    )
)


def email(limit: int = 100, text_format: TextFormat = "email") -> Group:
    """An e-mail address object."""
    return Group((Field(name="Address", kind=Text(limit, text_format)), *ignored("Id", "Default")))


CONTACT = Group(
    (
        Field(name="Type", kind=Text()),
        Field(name="Telephone", kind=PHONE),
        *ignored("Email", "WebSite"),
    )
)

_SHARED_DETAIL = (
    Field(name="ClassRef", kind=Reference("Class")),
    Field(name="TaxCodeRef", kind=Reference("TaxCode", named=False)),
    Field(name="CustomerRef", kind=Reference("Customer")),
    Field(name="BillableStatus", kind=Choice(BILLABLE_STATUS)),
    Field(name="MarkupInfo", kind=MARKUP),
    Field(name="TaxInclusiveAmt", kind=Number()),
)
LINE = Group(
    (
        Field(name="Id", kind=Text()),
        Field(name="LineNum", kind=Number(decimals=0)),
        Field(name="Description", kind=Text(4000)),
        Field(name="Amount", kind=Number()),
        Field(name="DetailType", kind=Choice((ITEM_LINE, ACCOUNT_LINE))),
        Field(name="LinkedTxn", kind=LINKED, many=True),
        Field(name="ProjectRef", kind=Reference(named=False)),
        Field(name="Received", kind=Number(decimals="quantity"), read_only=True),
        Field(
            name=ITEM_LINE,
            kind=Group(
                (
                    Field(name="ItemRef", kind=Reference("Item")),
                    Field(name="UnitPrice", kind=Number(decimals="unit_price")),
                    Field(name="Qty", kind=Number(decimals="quantity")),
                    *_SHARED_DETAIL,
                    *ignored(
                        "PriceLevelRef",
                        "UnitCostPrice",
                        "RatePercent",
                        "UOMRef",
                        "ItemAccountRef",
                        "InventorySiteRef",
                        "TaxClassificationRef",
                    ),
                )
            ),
        ),
        Field(
            name=ACCOUNT_LINE,
            kind=Group(
                (
                    Field(name="AccountRef", kind=Reference("Account")),
                    Field(name="TaxAmount", kind=Number()),
                    *_SHARED_DETAIL,
                )
            ),
        ),
        *ignored("CustomExtensions", "CustomField"),
    )
)
PAYMENT_LINE = Group(
    (
        Field(name="Amount", kind=Number()),
        Field(name="LinkedTxn", kind=LINKED, many=True),
        *ignored("Id", "LineNum", "Description", "DetailType", "LineEx"),
    )
)

LARGEST_PRICE = Decimal(99999999999)
CURRENCY = Field(name="CurrencyRef", kind=Reference("Currency"))
ACTIVE = Field(name="Active", kind=Flag(), filterable=True, sortable=True)
DROPPED = Ignored()
