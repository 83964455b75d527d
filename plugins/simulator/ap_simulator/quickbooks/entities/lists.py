"""Account, Class, Department, Item, Term and TaxCode (QuickBooks manual 6.5 and 6.6)."""

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
from ap_simulator.quickbooks.entities.parts import ACTIVE, CURRENCY, FRANCE, LARGEST_PRICE

_FULL_NAME = sought(Field(name="FullyQualifiedName", kind=Text(), read_only=True))
_PRICE = Number(decimals=7, minimum=-LARGEST_PRICE, maximum=LARGEST_PRICE)

ACCOUNT = EntityType(
    name="Account",
    family="list",
    ids="accounts",
    label="Accounts",
    display="FullyQualifiedName",
    operations=operations("create", "update"),
    fields=(
        sought(Field(name="Name", kind=Text(100), required=True, clearable=False)),
        Field(name="AcctNum", kind=Text()),
        sought(Field(name="AccountType", kind=Text()), sortable=False),
        sought(Field(name="AccountSubType", kind=Text()), sortable=False),
        sought(Field(name="Classification", kind=Text(), read_only=True), sortable=False),
        _FULL_NAME,
        sought(Field(name="SubAccount", kind=Flag(), read_only=True)),
        sought(Field(name="ParentRef", kind=Reference("Account", named=False))),
        sought(Field(name="Description", kind=Text(100))),
        sought(Field(name="Active", kind=Flag()), sortable=False),
        CURRENCY,
        sought(Field(name="CurrentBalance", kind=Number(), read_only=True)),
        sought(Field(name="CurrentBalanceWithSubAccounts", kind=Number(), read_only=True)),
        Field(name="TaxCodeRef", kind=Reference(named=False)),
        Field(name="AccountAlias", kind=Text(), countries=FRANCE),
        Field(name="TxnLocationType", kind=Text(), countries=FRANCE),
        *ignored("OpeningBalance", "OpeningBalanceDate", "FIName", "JournalCodeRef"),
    ),
)

CLASS = EntityType(
    name="Class",
    family="list",
    ids="classes",
    first_id=5000000000000007280,
    label="Klasses",
    display="FullyQualifiedName",
    operations=operations("create", "update"),
    fields=(
        sought(Field(name="Name", kind=Text(100, "name"), required=True, clearable=False)),
        Field(name="ParentRef", kind=Reference("Class", named=False)),
        Field(name="SubClass", kind=Flag(), read_only=True),
        _FULL_NAME,
        ACTIVE,
    ),
)

DEPARTMENT = EntityType(
    name="Department",
    family="list",
    ids="departments",
    label="Departments",
    display="FullyQualifiedName",
    operations=operations("create", "update"),
    fields=(
        sought(Field(name="Name", kind=Text(100, "name"), required=True, clearable=False)),
        Field(name="ParentRef", kind=Reference("Department", named=False)),
        Field(name="SubDepartment", kind=Flag(), read_only=True),
        _FULL_NAME,
        ACTIVE,
        *ignored("Address"),
    ),
)

TERM = EntityType(
    name="Term",
    family="list",
    ids="terms",
    label="Terms",
    display="Name",
    operations=operations("create", "update"),
    fields=(
        sought(Field(name="Name", kind=Text(31), required=True, clearable=False)),
        ACTIVE,
        Field(name="Type", kind=Text(), read_only=True),
        Field(name="DiscountPercent", kind=Number(5, Decimal(0), Decimal(100))),
        Field(name="DueDays", kind=Number(0, Decimal(0), Decimal(999))),
        Field(name="DiscountDays", kind=Number(0, Decimal(0), Decimal(999))),
        Field(name="DayOfMonthDue", kind=Number(0, Decimal(0), Decimal(31))),
        Field(name="DueNextMonthDays", kind=Number(0, Decimal(0), Decimal(999))),
        Field(name="DiscountDayOfMonth", kind=Number(0, Decimal(0), Decimal(31))),
    ),
)

ITEM = EntityType(
    name="Item",
    family="list",
    ids="items",
    label="Items",
    display="FullyQualifiedName",
    operations=operations("create", "update"),
    fields=(
        sought(Field(name="Name", kind=Text(100, "name"), required=True, clearable=False)),
        ACTIVE,
        sought(
            Field(
                name="Type",
                kind=Choice(("Inventory", "NonInventory", "Service", "Category", "Group", "Bundle")),
            )
        ),
        sought(Field(name="Sku", kind=Text(100))),
        Field(name="Description", kind=Text(4000)),
        Field(name="UnitPrice", kind=_PRICE),
        Field(name="PurchaseDesc", kind=Text(1000)),
        Field(name="PurchaseCost", kind=_PRICE),
        Field(name="ExpenseAccountRef", kind=Reference("Account")),
        Field(name="IncomeAccountRef", kind=Reference("Account")),
        Field(name="AssetAccountRef", kind=Reference("Account")),
        Field(name="TrackQtyOnHand", kind=Flag()),
        Field(name="QtyOnHand", kind=Number(decimals=5)),
        Field(name="InvStartDate", kind=Day()),
        Field(name="ReorderPoint", kind=Number(decimals=5)),
        Field(name="Taxable", kind=Flag()),
        Field(name="SalesTaxIncluded", kind=Flag()),
        Field(name="PurchaseTaxIncluded", kind=Flag()),
        Field(name="SalesTaxCodeRef", kind=Reference("TaxCode", named=False)),
        Field(name="PurchaseTaxCodeRef", kind=Reference("TaxCode", named=False)),
        Field(name="ClassRef", kind=Reference("Class")),
        Field(name="PrefVendorRef", kind=Reference("Vendor")),
        Field(name="ParentRef", kind=Reference("Item")),
        Field(name="SubItem", kind=Flag(), read_only=True),
        Field(name="Level", kind=Number(decimals=0), read_only=True),
        _FULL_NAME,
        Field(name="Source", kind=Text(), read_only=True),
        *ignored(
            "TaxClassificationRef",
            "UQCId",
            "UQCDisplayText",
            "AbatementRate",
            "ReverseChargeRate",
            "ServiceType",
            "ItemCategoryType",
            "ItemGroupDetail",
            "PrintGroupedItems",
            "ManPartNum",
            "DeferredRevenue",
        ),
    ),
)

_RATES = Group(
    (
        Field(
            name="TaxRateDetail",
            many=True,
            kind=Group(
                (
                    Field(name="TaxRateRef", kind=Reference("TaxRate")),
                    Field(name="TaxTypeApplicable", kind=Text()),
                    Field(name="TaxOrder", kind=Number(decimals=0)),
                )
            ),
        ),
    )
)
TAX_CODE = EntityType(
    name="TaxCode",
    family="list",
    ids="tax_codes",
    first_id=2,
    label="TaxCodes",
    display="Name",
    # Change data capture leaves tax codes out; they are made by another service.
    operations=operations(without=("cdc",)),
    fields=(
        sought(Field(name="Name", kind=Text(100))),
        sought(Field(name="Description", kind=Text(100))),
        ACTIVE,
        Field(name="Taxable", kind=Flag()),
        Field(name="TaxGroup", kind=Flag()),
        Field(name="SalesTaxRateList", kind=_RATES),
        Field(name="PurchaseTaxRateList", kind=_RATES),
    ),
)

TAX_RATE = EntityType(
    name="TaxRate",
    family="list",
    ids="tax_rates",
    label="TaxRates",
    display="Name",
    operations=operations(without=("cdc",)),
    fields=(
        sought(Field(name="Name", kind=Text(100))),
        Field(name="Description", kind=Text(100)),
        ACTIVE,
        Field(name="RateValue", kind=Number(decimals=7)),
        Field(name="AgencyRef", kind=Reference(named=False)),
        Field(name="SpecialTaxType", kind=Text()),
        Field(name="DisplayType", kind=Text()),
    ),
)
