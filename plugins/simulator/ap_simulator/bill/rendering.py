"""Writes records as BILL answers them: unset fields, masked numbers, hidden parents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record, to_json

_CLASSIFICATION: Final = "id name shortName description parentId archived createdTime updatedTime"

#: The top-level fields of each collection's records, in BILL's order.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(text.split())
    for name, text in {
        "vendors": "id archived name shortName accountNumber accountType email phone address "
        "paymentInformation additionalInfo rppsId paymentNetworkId bankAccountStatus "
        "recurringPayments billCurrency balance autoPay networkStatus createdTime updatedTime",
        "bills": "id archived recordStatus vendorId vendorName amount fundingAmount paidAmount "
        "dueAmount scheduledAmount creditAmount exchangeRate description dueDate paymentTermId "
        "invoice billLineItems payFromChartOfAccountId paymentStatus approvalStatus "
        "classifications approvers purchaseOrderNumber createdBy createdTime updatedTime",
        "payments": "id vendorId vendorName billId billPayments description processDate "
        "fundingAccount amount fundingAmount exchangeRate processingOptions transactionNumber "
        "confirmationNumber status singleStatus disbursementStatus disbursementType onlinePayment "
        "remittanceEmail createdBy voidInfo disbursementInfo paymentPurpose cardFundingPurpose "
        "cancelRequestSubmitted createdTime updatedTime",
        "recurring_bills": "id archived vendorId description schedule recurringBillLineItems "
        "processingOptions paymentInformation createdTime updatedTime",
        "vendor_credits": "id vendorId referenceNumber creditDate description archived "
        "applyToChartOfAccountId applyToBankAccountId amount appliedAmount status createdTime "
        "updatedTime vendorCreditLineItems usage",
        "chart_of_accounts": "id archived name description parentId account createdTime updatedTime",
        "accounting_classes": _CLASSIFICATION,
        "departments": _CLASSIFICATION,
        "locations": _CLASSIFICATION,
        "jobs": _CLASSIFICATION,
        "employees": "id firstName lastName shortName parentId archived createdTime updatedTime",
        "items": "id type shortName name description archived parentId price "
        "expenseChartOfAccountId purchaseDescription purchaseCost chartOfAccountId taxable "
        "percentage createdTime updatedTime",
        "customers": "id archived name companyName contact email phone fax description "
        "invoiceCurrency accountType paymentTermId accountNumber billingAddress shippingAddress "
        "balance hasBankAccount authorizedToCharge createdTime updatedTime",
        "organization": "id archived name address mailingAddress phone companyOwner taxId "
        "taxIdType industry businessCategory accountType processingOptions partnerName "
        "createdTime updatedTime",
        "users": "id archived firstName lastName email role createdTime updatedTime",
        "roles": "id type description createdTime updatedTime",
        "bank_accounts": "id archived status createdBy routingNumber accountNumber nameOnAccount "
        "type ownerType bankName accessToAdmins default chartOfAccountId createdTime updatedTime",
    }.items()
}
_SHOWN_DIGITS: Final = 4
#: A text of JSON that `wire.stamp` wrote.
_STAMP: Final = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\+00:00"')


def rendering_of(switches: BillSwitches) -> tuple[Any, ...]:
    """What a record's JSON depends on besides the record."""
    return (
        switches.unset_fields,
        switches.sensitive_numbers,
        switches.parent_account_visible,
        switches.time_form,
    )


def _shown(collection: str, record: Record, switches: BillSwitches) -> Record:
    """The record as it is answered."""
    if switches.sensitive_numbers == "masked":
        record = _without_numbers(record)
    if collection == "chart_of_accounts" and not switches.parent_account_visible:
        record = {name: value for name, value in record.items() if name != "parentId"}
    fields = FIELDS[collection]
    if switches.unset_fields == "null":
        return {**dict.fromkeys(fields), **record}
    return {**{name: record[name] for name in fields if name in record}, **record}


def rendered(collection: str, record: Record, switches: BillSwitches) -> bytes:
    """The record's JSON."""
    body = to_json(_shown(collection, record, switches))
    return _STAMP.sub(rb'"\1Z"', body) if switches.time_form == "z" else body


def masked(number: str) -> str:
    """A number of which only the last four digits are shown."""
    return "*" * max(0, len(number) - _SHOWN_DIGITS) + number[-_SHOWN_DIGITS:]


def _without_numbers(record: Record) -> Record:
    record = dict(record)
    if "taxId" in record:
        record["taxId"] = masked(record["taxId"])
    additional = record.get("additionalInfo", {})
    if "taxId" in additional:
        record["additionalInfo"] = {**additional, "taxId": masked(additional["taxId"])}
    information = record.get("paymentInformation", {})
    account = information.get("bankAccount", {})
    if "accountNumber" in account:
        hidden = {**account, "accountNumber": masked(account["accountNumber"])}
        record["paymentInformation"] = {**information, "bankAccount": hidden}
    return record
