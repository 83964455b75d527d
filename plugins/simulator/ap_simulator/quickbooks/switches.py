"""The open points of the QuickBooks Online API as switches, each with the suggested default.

Where Intuit's documentation is silent, contradicts itself or differs from what has been observed
(QuickBooks manual, everything marked UNCONFIRMED, above all section 11), the simulator does what
the switch says. The services read these fields at each request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


def _switch(default: Any, about: str) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(slots=True)
class QuickBooksSwitches:
    """What the API does where the manual leaves it open."""

    # Answers
    answer_without_accept: Literal["json", "xml"] = _switch(
        "xml",
        "Format of an answer to a request whose Accept header names neither JSON nor XML. The "
        "service has been seen to answer XML.",
    )
    json_charset: bool = _switch(False, "Whether the Content-Type of JSON answers carries ;charset=UTF-8.")
    single_currency_refs: bool = _switch(
        True, "Whether answers of a company without multicurrency carry CurrencyRef."
    )
    purchase_order_flag: Literal["PurchaseOrderEnabled", "PurchseOrderEnabled"] = _switch(
        "PurchaseOrderEnabled",
        "Spelling of the preference that says whether purchase orders are on; the documentation "
        "has the misspelt one.",
    )
    throttle_body: Literal["accept", "xml"] = _switch(
        "accept", "Body of a 429: by the Accept header, or XML even for callers that want JSON."
    )
    throttle_retry_after: int = _switch(
        0, "Seconds in the Retry-After header of a 429; 0 sends no such header."
    )
    wrong_content_type_status: Literal[415, 400, 406] = _switch(
        415, "HTTP status of a body in an unsupported content type (code 1050)."
    )
    invalid_minor_version: Literal["reject", "ignore"] = _switch(
        "reject", "What a minorversion that is no whole number does: 400, or served as 75."
    )
    forbidden_name_message: Literal["observed", "documented"] = _switch(
        "observed",
        "Message of error 2180: Invalid Enumeration as observed, Invalid String Range as documented.",
    )

    # Queries
    default_query_order: Literal["id", "newest"] = _switch(
        "id", "Order of a query without ORDERBY: Id ascending, or newest first."
    )
    query_total_count: Literal["page", "matching"] = _switch(
        "page",
        "totalCount of PurchaseOrder, Bill and BillPayment queries: rows of this page or all that match.",
    )
    naive_times: Literal["pacific", "utc"] = _switch(
        "pacific", "Time zone of times sent without an offset, in queries and change data capture."
    )
    purchase_order_reference_filters: bool = _switch(
        False, "Whether VendorRef and POStatus of a PurchaseOrder can be filtered."
    )
    bill_payment_vendor_filter: bool = _switch(True, "Whether VendorRef of a BillPayment can be filtered.")
    start_position_zero: Literal["accept", "reject"] = _switch(
        "accept", "What STARTPOSITION 0 does: read as 1, or error 4001."
    )
    max_results_over_limit: Literal["reject", "cap"] = _switch(
        "reject", "What MAXRESULTS above 1000 does: error 4001, or read as 1000."
    )
    preferences_query: Literal["list", "bare"] = _switch(
        "list",
        "Shape of a Preferences query: rows in QueryResponse, or the bare entity of the doc sample.",
    )

    # Updates
    undocumented_sparse: Literal["accept", "full"] = _switch(
        "accept",
        "Sparse updates of entities for which they are not documented (Vendor, PurchaseOrder, "
        "Bill and others): honoured, or taken as full updates.",
    )
    sparse_nested: Literal["replace", "merge"] = _switch(
        "replace", "What a sparse update does to an address or contact object: replaced or merged."
    )
    purchase_order_sparse_needs_vendor: bool = _switch(
        False, "Whether a sparse PurchaseOrder update must carry VendorRef."
    )
    unchanged_update_advances_token: bool = _switch(
        True, "Whether an update that changes nothing advances SyncToken."
    )
    linking_advances_token: bool = _switch(
        True,
        "Whether a transaction's SyncToken advances when another one is linked to it (a bill to "
        "its purchase order, a payment to its bill).",
    )
    unknown_property: Literal["reject", "ignore"] = _switch(
        "reject", "What an unknown property of a body does: error 2010, or ignored."
    )
    bad_enumeration: Literal["2010", "2170"] = _switch(
        "2010", "Error code of a text that is none of the values of its enumeration."
    )
    four_byte_characters: Literal["reject", "accept"] = _switch(
        "reject", "What characters outside the basic multilingual plane do: error 2040, or stored."
    )
    changed_currency: Literal["reject", "ignore"] = _switch(
        "reject", "What an update with another CurrencyRef does: error 6000, or ignored."
    )

    # Vendors and other lists
    deleted_suffix: bool = _switch(
        True,
        "Whether deactivated vendors, customers and employees get ' (deleted)' appended to their "
        "name, which frees the name. Other lists always do.",
    )
    duplicate_name_holder: bool = _switch(
        False, "Whether the detail of error 6240 ends with Id= of the record that has the name."
    )
    tax_identifier_echo: bool = _switch(
        True, "Whether the answer to a create shows the tax identifier in full."
    )
    masked_tax_identifier: Literal["keep", "store"] = _switch(
        "keep", "What a posted tax identifier that looks masked does: keeps the stored one or not."
    )
    term_on_vendor_create: Literal["drop", "keep"] = _switch(
        "drop", "What happens to TermRef in the create of a vendor."
    )
    merged_vendor: Literal["gone", "inactive"] = _switch(
        "gone", "What becomes of a vendor that is merged into another: deleted, or made inactive."
    )
    deactivation_with_balance: Literal["accept", "6220"] = _switch(
        "accept", "Deactivation of a vendor with an open balance: accepted, or error 6220."
    )

    # Transactions
    kept_inactive_references: Literal["accept", "reject"] = _switch(
        "accept",
        "References to inactive records in an update of a record that had them before: accepted, "
        "or error 2500.",
    )
    account_line_types: Literal["any", "expense"] = _switch(
        "any",
        "Accounts that an expense line takes: any but receivable and payable, or Expense, Other "
        "Expense and Cost of Goods Sold only.",
    )
    wrong_account_type: Literal["6430", "6000"] = _switch(
        "6430", "Error code of an account of the wrong type."
    )
    empty_lines: Literal["2250", "6000", "2020"] = _switch(
        "2250", "Error code of a transaction whose Line array is empty."
    )
    negative_lines: Literal["total", "accept", "reject"] = _switch(
        "total",
        "Negative line amounts: accepted while the total is not negative, accepted, or error 2290.",
    )
    item_line_without_item: Literal["6440", "documentation"] = _switch(
        "6440",
        "An item line with an amount but no ItemRef: error 6440, or a line of text whose amount "
        "does not count.",
    )
    purchase_order_needs_item: bool = _switch(False, "Whether a purchase order needs at least one item line.")
    quantity_decimals: int = _switch(5, "Most decimals of Qty.")
    unit_price_decimals: int = _switch(7, "Most decimals of UnitPrice.")
    currency_required: bool = _switch(
        True, "Whether transactions of a multicurrency company must carry CurrencyRef."
    )
    multicurrency_off: Literal["5030", "6000", "ignore"] = _switch(
        "5030", "A foreign CurrencyRef in a company without multicurrency: error code, or ignored."
    )
    tracking_off: Literal["reject", "drop"] = _switch(
        "reject",
        "ClassRef or DepartmentRef where the company does not track them: error 5030, or dropped.",
    )
    purchase_order_department: Literal["accept", "reject", "drop"] = _switch(
        "accept",
        "DepartmentRef of a purchase order in a company that tracks departments: stored, error "
        "2010, or dropped.",
    )
    line_tax_codes: Literal["required", "optional"] = _switch(
        "required",
        "Whether each line of a taxed transaction needs a TaxCodeRef in Canada, the United Kingdom, "
        "Australia and India: error 6000 without.",
    )
    global_tax_required: bool = _switch(
        False,
        "Whether transactions outside the US must carry GlobalTaxCalculation; documented as "
        "required, and as TaxExcluded by default.",
    )
    bad_tax_code: Literal["2500", "6160"] = _switch(
        "2500", "Error code of a TaxCodeRef outside the US that names no active tax code."
    )
    tax_detail_not_applicable: Literal["6170", "drop"] = _switch(
        "6170", "TxnTaxDetail together with GlobalTaxCalculation NotApplicable: error 6170, or dropped."
    )
    supplied_tax: Literal["keep", "compute"] = _switch(
        "keep", "TotalTax or TaxLine sent outside the US: kept, or computed from the lines' codes."
    )
    tax_inclusive_amounts: Literal["gross", "net"] = _switch(
        "gross", "What the amounts of lines are under TaxInclusive: with the tax, or without it."
    )
    billable_status: Literal["store", "ignore"] = _switch(
        "store", "BillableStatus of a line, documented as read only: stored, or ignored."
    )
    supplied_document_number: Literal["override", "keep"] = _switch(
        "override",
        "DocNumber of a purchase order while custom transaction numbers are off: replaced by the "
        "next number, or kept.",
    )
    purchase_order_duplicates: Literal["reject", "accept"] = _switch(
        "reject", "A second purchase order with the same DocNumber: error 6140, or accepted."
    )
    bill_duplicates: Literal["preference", "reject"] = _switch(
        "preference",
        "A second bill or bill payment with the same DocNumber: as the company's warning "
        "preference says, or always error 6140.",
    )
    bill_number_scope: Literal["vendor", "company"] = _switch(
        "vendor", "Among which bills a DocNumber must be unique."
    )
    purchase_orders_missing: Literal["5020", "5030"] = _switch(
        "5020", "Error code where the plan or the preferences offer no purchase orders."
    )
    purchase_orders_missing_status: Literal[400, 403] = _switch(400, "HTTP status of that error.")
    closed_books_purchase_orders: bool = _switch(
        False, "Whether closed books refuse purchase orders, which post nothing."
    )
    delete_linked: Literal["6000", "620"] = _switch(
        "6000", "Error code of the delete of a transaction that others are linked to."
    )
    bad_order_link: Literal["drop", "620"] = _switch(
        "drop", "A bill line whose link to a purchase order does not fit: dropped, or error 620."
    )
    billed_order_closes: bool = _switch(
        True, "Whether a purchase order closes when it is billed in full, and opens again if not."
    )
    flatten_addresses: bool = _switch(
        True, "Whether addresses in transactions come back as plain lines after an update."
    )

    # Change data capture, batch and request ids
    cdc_limit: Literal["response", "entity"] = _switch(
        "response", "What the limit of 1000 objects in change data capture counts."
    )
    cdc_unchanged: Literal["empty", "omit"] = _switch(
        "empty", "An entity without changes in change data capture: an empty object, or left out."
    )
    batch_order: Literal["request", "random"] = _switch(
        "request", "In which order the items of a batch are carried out; answers keep their order."
    )
    batch_seed: int = _switch(0, "Seed of the random order of batch items.")
    batch_replay: Literal["item", "6000"] = _switch(
        "item", "A batch repeated under its request id: each item replayed, or error 6000 in each."
    )
    request_id_conflict: Literal["replay", "600"] = _switch(
        "replay", "A known request id with another payload: the first answer, or error 600."
    )
    request_id_failures: bool = _switch(
        False, "Whether refusals are remembered under their request id as well."
    )
    request_id_hours: int = _switch(
        0, "How many hours request ids are remembered; 0 is for the life of the simulator."
    )

    # Webhooks
    webhook_shape: Literal["cloudevents", "legacy"] = _switch(
        "cloudevents", "Shape of webhooks: an array of CloudEvents, or the one it replaced in 2026."
    )
    webhook_entity_names: Literal["joined", "separated"] = _switch(
        "joined",
        "Names of two words in the type of a CloudEvent: purchaseorder, or purchase_order.",
    )
    webhook_merged_id: Literal["deletedId", "deletedid", "omit"] = _switch(
        "deletedId", "Where the data of a CloudEvent has the losing Id of a merge, if it has it."
    )
    webhook_aggregation_seconds: float = _switch(
        2.0,
        "How long changes are gathered into one notice, by the simulator's clock. Intuit says up "
        "to five minutes for the first one.",
    )
    webhook_timeout_seconds: float = _switch(3.0, "Real seconds that an endpoint has to answer.")
    webhook_retry_factor: float = _switch(
        1.0, "Multiplies the waits between attempts, which pass on the simulator's clock."
    )
    webhook_withholds: bool = _switch(
        False, "Whether later notices wait until the first one was taken; documented as possible."
    )

    # Limits
    requests_per_minute: int = _switch(500, "Requests a minute for one company.")
    requests_per_second: int = _switch(10, "Requests a second for one company and app.")
    concurrent_requests: int = _switch(10, "Requests under way for one company and app.")
    batches_per_minute: int = _switch(40, "Batch requests a minute for one company and app.")
    batches_per_minute_company: int = _switch(120, "Batch requests a minute for one company.")
    combined_per_minute: int = _switch(800, "Requests a minute for one company and app, batches included.")
