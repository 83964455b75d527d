"""The schemas have every field that BILL documents (BILL manual 4), described."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft7Validator
from tap_bill import schemas
from tap_bill.streams import STREAMS

_ADDRESS = "line1 line2 city stateOrProvince zipOrPostalCode country countryName"
_TIMES = "createdTime updatedTime"
_LINE = "chartOfAccountId accountingClassId departmentId employeeId jobId locationId itemId customerId"
_CLASSIFICATION = f"id name shortName description parentId archived {_TIMES}"


def within(name, fields):
    return " ".join(f"{name}.{field}" for field in fields.split())


FIELDS = {
    "vendors": f"""
        id archived name shortName accountNumber accountType email phone {within("address", _ADDRESS)}
        paymentInformation.payeeName paymentInformation.email paymentInformation.lastPaymentDate
        paymentInformation.payByType paymentInformation.payBySubType
        {
        within(
            "paymentInformation.virtualCard", "status remitEmail enrollDate declineDate alternatePayByType"
        )
    }
        {
        within(
            "paymentInformation.bankAccount",
            "nameOnAccount accountNumber routingNumber type ownerType paymentCurrency status",
        )
    }
        paymentInformation.paymentPurpose.text paymentInformation.paymentPurpose.code.name
        paymentInformation.paymentPurpose.code.value
        {
        within(
            "additionalInfo",
            "taxId taxIdType track1099 leadTimeInDays combinePayments paymentTermId companyName",
        )
    }
        rppsId paymentNetworkId bankAccountStatus recurringPayments billCurrency balance.amount
        balance.lastUpdatedDate {
        within("autoPay", "enabled bankAccountId createdBy maxAmount daysBeforeDueDate")
    }
        networkStatus {_TIMES}""",
    "bills": f"""
        id archived recordStatus vendorId vendorName amount fundingAmount paidAmount dueAmount
        scheduledAmount creditAmount exchangeRate description dueDate paymentTermId
        invoice.invoiceNumber invoice.invoiceDate
        {within("billLineItems[]", "id amount quantity price description")}
        {within("billLineItems[].classifications", _LINE)} payFromChartOfAccountId paymentStatus
        approvalStatus
        {within("classifications", "chartOfAccountId accountingClassId departmentId locationId itemId")}
        {within("approvers[]", "userId status approverOrder statusChangedTime")}
        purchaseOrderNumber createdBy {_TIMES}""",
    "payments": f"""
        id vendorId vendorName billId {within("billPayments[]", "id billId amount")}
        billPayments[].vendorCredits[].id billPayments[].vendorCredits[].amount description processDate
        fundingAccount.type fundingAccount.id amount fundingAmount exchangeRate
        {within("processingOptions", "requestPayFaster createBill requestCheckDeliveryType")}
        transactionNumber confirmationNumber status singleStatus disbursementStatus disbursementType
        onlinePayment remittanceEmail createdBy
        {within("voidInfo[]", f"id requestedBy type status reason {_TIMES}")} disbursementInfo.isVoidable
        {within("disbursementInfo.checkDisbursement", "sentDate arrivesByDate checkNumber")}
        {within("disbursementInfo.achDisbursement", "sentDate arrivesByDate")}
        {within("disbursementInfo.rppsDisbursement", "sentDate arrivesByDate traceNumber batchNumber")}
        {
        within(
            "disbursementInfo.internationalDisbursement", "sentDate arrivesByDate amount disbursementSubType"
        )
    }
        {within("disbursementInfo.vcardDisbursement", "arrivesByDate validUntil last4CardNumber")}
        disbursementInfo.walletDisbursement.arrivesByDate
        paymentPurpose.text paymentPurpose.code.name paymentPurpose.code.value cardFundingPurpose
        cancelRequestSubmitted toPrintCheck classifications.chartOfAccountId syncReference allowExport
        {_TIMES}""",
    "recurring_bills": f"""
        id archived vendorId description
        {within("schedule", "period frequency nextDueDate endDate daysInAdvance")}
        {within("recurringBillLineItems[]", "id amount description")}
        {within("recurringBillLineItems[].classifications", _LINE.removesuffix(" customerId"))}
        processingOptions.autoPayment paymentInformation.bankAccountId {_TIMES}""",
    "vendor_credits": f"""
        id vendorId referenceNumber creditDate description archived applyToChartOfAccountId
        applyToBankAccountId amount appliedAmount status
        {within("vendorCreditLineItems[]", "id description amount")}
        {within("vendorCreditLineItems[].classifications", _LINE)}
        {within("usage[]", "billId paymentId amount")} {_TIMES}""",
    "chart_of_accounts": f"id archived name description parentId account.type account.number {_TIMES}",
    "accounting_classes": _CLASSIFICATION,
    "departments": _CLASSIFICATION,
    "locations": _CLASSIFICATION,
    "jobs": _CLASSIFICATION,
    "employees": f"id firstName lastName shortName parentId archived {_TIMES}",
    "items": f"""
        id type shortName name description archived parentId price expenseChartOfAccountId
        purchaseDescription purchaseCost chartOfAccountId taxable percentage {_TIMES}""",
    "customers": f"""
        id archived name companyName contact.firstName contact.lastName email phone fax description
        invoiceCurrency accountType paymentTermId accountNumber {within("billingAddress", _ADDRESS)}
        {within("shippingAddress", _ADDRESS)} balance.amount hasBankAccount authorizedToCharge {_TIMES}""",
    "organization": f"""
        id archived name {within("address", _ADDRESS)} {within("mailingAddress", _ADDRESS)} phone
        companyOwner.name companyOwner.dateOfBirth taxId taxIdType industry businessCategory accountType
        {
        within("processingOptions", "mailingAddressSameAsPhysical individualTransferOut individualTransferIn")
    }
        partnerName {_TIMES}""",
}


def schema(stream):
    return json.loads(files(schemas).joinpath(f"{stream}.json").read_text(encoding="utf-8"))


def leaves(node, prefix=""):
    """Path and schema of every field that holds no fields itself."""
    for name, field in node["properties"].items():
        path = f"{prefix}{name}[]" if "items" in field else f"{prefix}{name}"
        inner = field.get("items", field)
        if "properties" in inner:
            yield from leaves(inner, f"{path}.")
        else:
            yield path, inner


def nodes(node):
    for field in node["properties"].values():
        yield field
        inner = field.get("items", field)
        if inner is not field:
            yield inner
        if "properties" in inner:
            yield from nodes(inner)


@pytest.mark.parametrize("stream", FIELDS)
def test_every_documented_field_is_there_and_no_other(stream):
    documented = set(FIELDS[stream].split())
    assert {path for path, _ in leaves(schema(stream))} == documented | {"organizationId"}


def test_every_stream_has_a_schema_and_every_schema_a_stream():
    files_there = {file.name for file in files(schemas).iterdir() if file.name.endswith(".json")}
    assert files_there == {f"{stream.name}.json" for stream in STREAMS} == {f"{name}.json" for name in FIELDS}


@pytest.mark.parametrize("stream", FIELDS)
def test_everything_is_described_and_may_be_null_but_the_id(stream):
    top = schema(stream)
    Draft7Validator.check_schema(top)
    assert top["properties"].pop("id")["type"] == "string"
    for field in nodes(top):
        assert field["description"].endswith(".")
        assert "null" in field["type"]


@pytest.mark.parametrize("stream", FIELDS)
def test_values_that_bill_may_add_are_not_enforced(stream):
    for field in nodes(schema(stream)):
        assert not {"enum", "pattern", "maxLength", "minimum"} & set(field)


def test_money_is_a_number_and_times_have_their_formats():
    bills = dict(leaves(schema("bills")))
    assert bills["amount"]["type"] == bills["billLineItems[].amount"]["type"] == ["number", "null"]
    assert bills["dueDate"]["format"] == bills["invoice.invoiceDate"]["format"] == "date"
    for stream in FIELDS:
        fields = dict(leaves(schema(stream)))
        assert fields["updatedTime"]["format"] == fields["createdTime"]["format"] == "date-time"
