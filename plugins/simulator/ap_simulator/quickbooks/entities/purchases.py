"""PurchaseOrder, Bill, BillPayment and VendorCredit (QuickBooks manual 6.2 to 6.4)."""

from __future__ import annotations

from decimal import Decimal

from ap_simulator.quickbooks.entities.fields import (
    Choice,
    Day,
    EntityType,
    Field,
    Group,
    Number,
    Reference,
    Text,
    ignored,
    operations,
    sought,
)
from ap_simulator.quickbooks.entities.parts import (
    ADDRESS,
    AUSTRALIA,
    CURRENCY,
    CUSTOM_FIELD,
    EMAIL_STATUS,
    FRANCE,
    GLOBAL_TAX,
    LINE,
    LINKED,
    PAYMENT_LINE,
    PRINT_STATUS,
    TAX_DETAIL,
    email,
)

_DOC_NUMBER = sought(Field(name="DocNumber", kind=Text(21)))
_TXN_DATE = sought(Field(name="TxnDate", kind=Day()))
_NOTE = Field(name="PrivateNote", kind=Text(4000))
_RATE = Field(name="ExchangeRate", kind=Number(decimals=7, minimum=Decimal(0)))
_DEPARTMENT = Field(name="DepartmentRef", kind=Reference("Department"))
_AP_ACCOUNT = Field(name="APAccountRef", kind=Reference("Account"))
_TAX = (
    Field(name="GlobalTaxCalculation", kind=Choice(GLOBAL_TAX)),
    Field(name="TxnTaxDetail", kind=TAX_DETAIL),
)
_LOCATION_TYPE = Field(
    name="TransactionLocationType",
    kind=Choice(("WithinFrance", "FranceOverseas", "OutsideFranceWithEU", "OutsideEU")),
    countries=FRANCE,
)
#: In the schema of every transaction, without effect here.
_UNUSED = ignored(
    "RecurDataRef",
    "TxnSubType",
    "TxnStatus",
    "TxnSource",
    "Tag",
    "TxnApprovalInfo",
    "RecurringInfo",
    "ProjectRef",
    "TaxFormType",
    "TaxFormNum",
    "AttachableRef",
)


def _vendor(*, filterable: bool, required_sparse: bool = True) -> Field:
    return Field(
        name="VendorRef",
        kind=Reference("Vendor"),
        required=True,
        required_sparse=required_sparse,
        filterable=filterable,
        sortable=filterable,
    )


PURCHASE_ORDER = EntityType(
    name="PurchaseOrder",
    family="transaction",
    ids="transactions",
    label="Transactions",
    wording="Purchase Order",
    counted=True,
    operations=operations("create", "update", "delete", "send", "pdf"),
    fields=(
        _vendor(filterable=False, required_sparse=False),
        _AP_ACCOUNT,
        Field(name="Line", kind=LINE, many=True, required=True),
        CURRENCY,
        _RATE,
        *_TAX,
        _DOC_NUMBER,
        _TXN_DATE,
        sought(Field(name="DueDate", kind=Day())),
        _NOTE,
        Field(name="Memo", kind=Text(4000)),
        Field(name="POStatus", kind=Choice(("Open", "Closed"))),
        Field(name="POEmail", kind=email(text_format="order_email")),
        Field(name="EmailStatus", kind=Choice(EMAIL_STATUS)),
        Field(name="ClassRef", kind=Reference("Class")),
        Field(name="SalesTermRef", kind=Reference("Term", named=False)),
        Field(name="ShipTo", kind=Reference("Customer")),
        Field(name="ShipAddr", kind=ADDRESS),
        Field(name="VendorAddr", kind=ADDRESS),
        Field(name="ShipMethodRef", kind=Reference(keeps_name=True)),
        _DEPARTMENT,
        Field(name="CustomField", kind=CUSTOM_FIELD, many=True),
        Field(name="LinkedTxn", kind=LINKED, many=True, read_only=True),
        Field(name="TotalAmt", kind=Number(), read_only=True),
        _LOCATION_TYPE,
        *_UNUSED,
        *ignored(
            "TaxCodeRef",
            "ReimbursableInfoRef",
            "ExpectedDate",
            "DropShipToEntity",
            "InventorySiteRef",
            "FOB",
            "TemplateRef",
            "PrintStatus",
            "ManuallyClosed",
            "PurchaseOrderEx",
            "BillEmail",
            "ReplyEmail",
            "TotalCostAmount",
            "HomeTotalCostAmount",
        ),
    ),
)

BILL = EntityType(
    name="Bill",
    family="transaction",
    ids="transactions",
    label="Transactions",
    wording="Bill",
    counted=True,
    operations=operations("create", "update", "delete"),
    fields=(
        _vendor(filterable=True),
        Field(name="Line", kind=LINE, many=True, required=True),
        CURRENCY,
        _RATE,
        *_TAX,
        _TXN_DATE,
        sought(Field(name="DueDate", kind=Day())),
        sought(_AP_ACCOUNT),
        sought(Field(name="SalesTermRef", kind=Reference("Term", named=False))),
        _DOC_NUMBER,
        _NOTE,
        _DEPARTMENT,
        Field(name="VendorAddr", kind=ADDRESS),
        Field(name="LinkedTxn", kind=LINKED, many=True, read_only=True),
        sought(Field(name="TotalAmt", kind=Number(), read_only=True)),
        sought(Field(name="Balance", kind=Number(), read_only=True), sortable=False),
        Field(name="HomeBalance", kind=Number(), read_only=True),
        _LOCATION_TYPE,
        Field(
            name="IncludeInAnnualTPAR",
            kind=Choice(("TRUE", "FALSE", "true", "false")),
            countries=AUSTRALIA,
        ),
        *_UNUSED,
        *ignored("PayerRef", "RemitToAddr", "ShipAddr", "BillEx", "BillEmail"),
    ),
)

BILL_PAYMENT = EntityType(
    name="BillPayment",
    family="transaction",
    ids="transactions",
    label="Transactions",
    wording="Bill Payment",
    counted=True,
    operations=operations("create", "update", "delete", "void"),
    fields=(
        _vendor(filterable=True),
        sought(Field(name="TotalAmt", kind=Number(minimum=Decimal(0)), required=True, clearable=False)),
        Field(name="PayType", kind=Choice(("Check", "CreditCard")), required=True, clearable=False),
        Field(name="Line", kind=PAYMENT_LINE, many=True, required=True),
        Field(
            name="CheckPayment",
            kind=Group(
                (
                    sought(Field(name="BankAccountRef", kind=Reference("Account"))),
                    Field(name="PrintStatus", kind=Choice(PRINT_STATUS)),
                    *ignored("CheckDetail", "PayeeAddr"),
                )
            ),
        ),
        Field(
            name="CreditCardPayment",
            kind=Group(
                (
                    sought(Field(name="CCAccountRef", kind=Reference("Account"))),
                    *ignored("CCDetail"),
                )
            ),
        ),
        CURRENCY,
        _RATE,
        _DOC_NUMBER,
        _NOTE,
        _TXN_DATE,
        _AP_ACCOUNT,
        _DEPARTMENT,
        _LOCATION_TYPE,
        *_UNUSED,
        *ignored("ProcessBillPayment", "BillPaymentEx", "PayeeAddr", "UnappliedAmt", "LinkedTxn"),
    ),
)

VENDOR_CREDIT = EntityType(
    name="VendorCredit",
    family="transaction",
    ids="transactions",
    label="Transactions",
    wording="Vendor Credit",
    operations=operations("create", "update", "delete"),
    fields=(
        _vendor(filterable=True),
        Field(name="Line", kind=LINE, many=True, required=True),
        CURRENCY,
        _RATE,
        *_TAX,
        _TXN_DATE,
        _AP_ACCOUNT,
        _DOC_NUMBER,
        _NOTE,
        _DEPARTMENT,
        Field(name="VendorAddr", kind=ADDRESS),
        Field(name="LinkedTxn", kind=LINKED, many=True, read_only=True),
        sought(Field(name="TotalAmt", kind=Number(), read_only=True)),
        sought(Field(name="Balance", kind=Number(), read_only=True), sortable=False),
        _LOCATION_TYPE,
        *_UNUSED,
        *ignored("VendorCreditEx", "FromAccountRef", "ToAccountRef"),
    ),
)
