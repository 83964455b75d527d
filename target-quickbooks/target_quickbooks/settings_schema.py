"""The settings as Meltano and people see them: names, types, defaults and what they do.

The names are part of the project's contract. Every policy is an enumeration whose default is documented
in its description; the README's table and the Hub definition are generated from this file.
"""

from __future__ import annotations

import enum
from typing import Any

from singer_sdk import typing as th

from target_quickbooks.policies import (
    ArchivedBill,
    ArchivedVendor,
    BilledOrder,
    ClosedPeriod,
    DeniedBill,
    DocumentNumber,
    EditConflict,
    InactiveVendor,
    LineClassFrom,
    LocationFrom,
    MissingInQuickBooks,
    PaidBill,
    PostPayments,
    TaxCalculation,
    TransactionType,
    UnapprovedBill,
    VendorConflict,
)


class Mode(enum.StrEnum):
    """What a run does with the changes it plans."""

    SYNC = "sync"
    PLAN = "plan"
    RECONCILE = "reconcile"


def _choice(
    name: str, values: type[enum.StrEnum], default: enum.StrEnum, title: str, text: str
) -> th.Property[Any]:
    return th.Property(
        name,
        th.StringType(allowed_values=[str(value) for value in values]),
        default=str(default),
        title=title,
        description=text,
    )


def _map(name: str, title: str, what: str, result: str) -> th.Property[Any]:
    return th.Property(
        name,
        th.ObjectType(additional_properties=th.StringType),
        title=title,
        description=(
            f"Explicit answers for {what}: the key is the BILL id, number or full name, the value the "
            f"QuickBooks {result}. Looked at before any other rule."
        ),
    )


_CONNECTION = (
    th.Property(
        "client_id",
        th.StringType(nullable=False),
        required=True,
        title="Client ID",
        description="Client id of your Intuit app (Keys & credentials).",
    ),
    th.Property(
        "client_secret",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Client Secret",
        description="Client secret of your Intuit app.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh Token",
        description=(
            "Seed for the first connection only. Rotated tokens are kept encrypted in the store, which is "
            "what later runs use; a changed value here starts from the new seed."
        ),
    ),
    th.Property(
        "realm_id",
        th.StringType(nullable=False),
        required=True,
        title="Realm ID",
        description="Company id of the QuickBooks company to write to.",
    ),
    th.Property(
        "environment",
        th.StringType(allowed_values=["production", "sandbox"]),
        default="production",
        title="Environment",
        description="Which QuickBooks API to call. Default: `production`.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API URL",
        description="Base URL of the QuickBooks API, in place of the environment's own.",
    ),
    th.Property(
        "token_url",
        th.StringType,
        title="Token URL",
        description="Intuit's token endpoint, in place of the official one.",
    ),
    th.Property(
        "store_url",
        th.StringType,
        title="Store URL",
        description=(
            "SQLAlchemy URL of the store that keeps links, attempts, failures, audit rows and tokens. "
            "Default: a SQLite file in the user's data directory. A PostgreSQL database "
            "(postgresql://user@host/database) is shared by several machines; it needs the package "
            "target-quickbooks[postgres]. Keep it: it is what prevents duplicates."
        ),
    ),
    th.Property(
        "encryption_key",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Encryption Key",
        description=(
            "Fernet key that encrypts tokens and stored records; several separated by commas while "
            "rotating, newest first. Make one with `quickbooks-admin generate-key`."
        ),
    ),
)

_MAPPING = (
    _choice(
        "transaction_type",
        TransactionType,
        TransactionType.PURCHASE_ORDER,
        "Transaction Type",
        (
            "What a BILL bill becomes in QuickBooks: `purchase_order` (default), which posts nothing; or "
            "`bill`, for firms that keep their payables in QuickBooks: bills become bills, vendor credits "
            "vendor credits, payments bill payments. Cannot be changed once records were written."
        ),
    ),
    _choice(
        "post_payments",
        PostPayments,
        PostPayments.CLEARED,
        "Post Payments",
        (
            "With transaction_type `bill`: `cleared` (default) writes a bill payment once BILL's payment has "
            "cleared, and voids it if that payment fails or is voided later; `never` writes none and notes "
            "payments in the memo of the bill."
        ),
    ),
    th.Property(
        "payment_account",
        th.StringType,
        title="Payment Account",
        description=(
            "QuickBooks account (id, number or full name) of type Bank or Credit Card that payments are made "
            "from. Needed with transaction_type `bill`, unless post_payments is `never`. Default: none."
        ),
    ),
    _map("account_map", "Account Map", "accounts", "account id, number or full name"),
    _map("class_map", "Class Map", "classes", "class id or full name"),
    _map("location_map", "Location Map", "locations", "location id or full name"),
    _map("customer_map", "Customer Map", "customers and jobs", "customer id or full name"),
    _map("item_map", "Item Map", "items", "item id or full name"),
    th.Property(
        "default_expense_account",
        th.StringType,
        title="Default Expense Account",
        description=(
            "QuickBooks account (id, number or full name) for lines whose account is missing or unknown. "
            "Default: none, such a bill is refused with a suggestion."
        ),
    ),
    _choice(
        "line_class_from",
        LineClassFrom,
        LineClassFrom.ACCOUNTING_CLASS,
        "Line Class From",
        "Which BILL classification becomes the QuickBooks class. Default: `accounting_class`.",
    ),
    _choice(
        "location_from",
        LocationFrom,
        LocationFrom.LOCATION,
        "Location From",
        "Which BILL classification becomes the QuickBooks location of the document. Default: `location`.",
    ),
    th.Property(
        "tax_code",
        th.StringType,
        title="Tax Code",
        description=(
            "QuickBooks purchase tax code (name or id) for every line, in companies outside the US only. "
            "Needed unless tax_calculation is `not_applicable`. Default: none."
        ),
    ),
    _choice(
        "tax_calculation",
        TaxCalculation,
        TaxCalculation.NOT_APPLICABLE,
        "Tax Calculation",
        (
            "What amounts mean in companies outside the US: `not_applicable` (default) writes orders "
            "without tax, whose total is the bill's; `tax_excluded` lets QuickBooks add the tax of "
            "tax_code; `tax_inclusive` says that it is contained in the amounts."
        ),
    ),
)

_POLICIES = (
    _choice(
        "vendor_conflict",
        VendorConflict,
        VendorConflict.ADOPT,
        "Vendor Conflict",
        (
            "When the name of a new vendor is taken: `adopt` (default) links to a vendor of the same name "
            "and currency that no other BILL vendor owns, and otherwise adds a suffix to the name; "
            "`suffix` always creates a vendor of its own; `fail` refuses the record. A vendor renamed to a "
            "taken name stays the vendor it is: it gets a suffix or, with `fail`, keeps its name."
        ),
    ),
    _choice(
        "edit_conflict",
        EditConflict,
        EditConflict.BILL_WINS,
        "Edit Conflict",
        (
            "When somebody edited the QuickBooks object after our last write and BILL changed the same "
            "field, or the same part of the same line: `bill_wins` (default) writes what BILL has; "
            "`quickbooks_wins` keeps what QuickBooks has; `hold` waits until both agree. What only one of "
            "them changed is never in conflict."
        ),
    ),
    _choice(
        "closed_period",
        ClosedPeriod,
        ClosedPeriod.HOLD,
        "Closed Period",
        (
            "When QuickBooks says that the books are closed for the date: `hold` (default) keeps the record "
            "for when the period is reopened, `redate` uses the day after the close (an order that already "
            "lies in the closed period cannot be changed and is held), `fail` refuses it until it is "
            "replayed."
        ),
    ),
    _choice(
        "document_number",
        DocumentNumber,
        DocumentNumber.INVOICE_NUMBER,
        "Document Number",
        (
            "`invoice_number` (default) uses the vendor's invoice number, shortened to 21 characters and "
            "made unique with a few characters of the bill's id where needed; `bill_id` uses the BILL "
            "id; `auto` leaves the number to QuickBooks. A company without custom transaction numbers "
            "for purchases numbers its orders itself, whatever is set here; one that has them gives no "
            "number where none is sent."
        ),
    ),
    _choice(
        "archived_vendor",
        ArchivedVendor,
        ArchivedVendor.DEACTIVATE,
        "Archived Vendor",
        (
            "When a vendor is archived in BILL: `deactivate` (default) or `leave` the QuickBooks vendor. One "
            "that stands for several BILL vendors is always left."
        ),
    ),
    _choice(
        "inactive_vendor",
        InactiveVendor,
        InactiveVendor.HOLD,
        "Inactive Vendor",
        (
            "When somebody made the QuickBooks vendor of an active BILL vendor inactive: `hold` (default) "
            "keeps its new bills back until it is active again; `reactivate` makes it active again once a "
            "bill or a change in BILL needs it, or drift_check_hours finds it."
        ),
    ),
    _choice(
        "missing_in_quickbooks",
        MissingInQuickBooks,
        MissingInQuickBooks.HOLD,
        "Missing In QuickBooks",
        (
            "When the QuickBooks object of a BILL vendor or bill is no longer there: `hold` (default) keeps "
            "the record as failed until somebody decides; `recreate` writes it anew, once it changes in BILL "
            "or drift_check_hours finds that it is gone."
        ),
    ),
    _choice(
        "archived_bill",
        ArchivedBill,
        ArchivedBill.CLOSE,
        "Archived Bill",
        (
            "When a bill is archived, or a draft, in BILL: `close` (default) or `leave` its purchase order. "
            "One that was never written is not created. A restored bill opens its order again."
        ),
    ),
    _choice(
        "paid_bill",
        PaidBill,
        PaidBill.CLOSE,
        "Paid Bill",
        "When a bill is paid in BILL: `close` (default) or `leave` its purchase order.",
    ),
    _choice(
        "unapproved_bill",
        UnapprovedBill,
        UnapprovedBill.WRITE,
        "Unapproved Bill",
        (
            "When BILL does not say that a bill is approved: `write` (default) treats it like any other; "
            "`wait` creates its order once it is approved, and keeps changes back while it has to be "
            "approved again. A bill without approvers is not approved."
        ),
    ),
    _choice(
        "denied_bill",
        DeniedBill,
        DeniedBill.WRITE,
        "Denied Bill",
        (
            "When an approver denied a bill in BILL: `write` (default) treats it like any other, because it "
            "stays among BILL's bills until it is archived; `close` closes its purchase order and never "
            "creates one. Once it is approved, its order is created or opened again."
        ),
    ),
    _choice(
        "billed_order",
        BilledOrder,
        BilledOrder.LEAVE,
        "Billed Order",
        (
            "When a bill changes, is paid or archived in BILL and its purchase order already has a bill in "
            "QuickBooks: `leave` (default) leaves the order as it is and says so in the report; `update` "
            "writes the change all the same."
        ),
    ),
)

_RUN = (
    _choice(
        "mode",
        Mode,
        Mode.SYNC,
        "Mode",
        (
            "`sync` (default) writes; `plan` says what a run would write, and writes nothing to QuickBooks; "
            "`reconcile` reads both books entirely, says where they differ, and writes nothing. Exit code "
            "of `reconcile`: 0 in step, 2 differences."
        ),
    ),
    th.Property(
        "fail_on_failed_records",
        th.BooleanType,
        default=True,
        title="Fail On Failed Records",
        description="Exit with code 1 when a record was refused, after all others went through.",
    ),
    th.Property(
        "ignore_unknown_streams",
        th.BooleanType,
        default=False,
        title="Ignore Unknown Streams",
        description="Ignore streams this target does not know with one warning each. Default: false, stop.",
    ),
    th.Property(
        "report_path",
        th.StringType,
        title="Report Path",
        description=(
            "Also write the report of a run or plan to this file: `.html` makes a page to read and print, "
            "every other name JSON."
        ),
    ),
    th.Property(
        "adoptions_path",
        th.StringType,
        title="Adoptions Path",
        description=(
            "File in which a person decided which vendors and purchase orders that QuickBooks held before "
            "are those of BILL, as `quickbooks-admin links propose` prints it: CSV, or JSON if its name ends "
            "in `.json`. Each record is linked with what is there (`link`), written anew (`new`), left out "
            "(`skip`) or, with no decision, waits. A plan writes the file if there is none."
        ),
    ),
    th.Property(
        "max_retry_seconds",
        th.IntegerType(minimum=0),
        default=300,
        title="Max Retry Seconds",
        description=(
            "How long one request is repeated after throttling, server failures, timeouts and broken "
            "connections before the run stops. Default: 300."
        ),
    ),
    th.Property(
        "wait_for_run_seconds",
        th.IntegerType(minimum=0),
        default=600,
        title="Wait For Run Seconds",
        description=(
            "How long to wait while another run writes to the same company, before stopping without having "
            "written anything; 0 stops at once. One run at a time writes to a company. Default: 600."
        ),
    ),
    th.Property(
        "drift_check_hours",
        th.IntegerType(minimum=0),
        default=24,
        title="Drift Check Hours",
        description=(
            "How often a run also asks QuickBooks what people changed, merged, made inactive or deleted "
            "there of what was written: once in so many hours, at its end; 0 never asks. What was changed "
            "is kept as drift (`quickbooks-admin drift list`). Default: 24."
        ),
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User Agent",
        description="User-Agent header of every request. Default: the target's name and version.",
    ),
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(*_CONNECTION, *_MAPPING, *_POLICIES, *_RUN).to_dict()
