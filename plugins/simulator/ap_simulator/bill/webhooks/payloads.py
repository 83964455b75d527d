"""What a notification says of a record, which is not what REST says of it (BILL manual 5.7). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ap_simulator.bill.records.disbursements import arrives_by
from ap_simulator.bill.webhooks.event_types import ENTITY_KEYS, VERSION
from ap_simulator.bill.wire import Record

_VENDOR_FIELDS: Final = (
    "id",
    "name",
    "shortName",
    "archived",
    "email",
    "phone",
    "networkStatus",
    "accountNumber",
    "address",
    "paymentInformation",
    "additionalInfo",
    "recurringPayments",
    "billCurrency",
    "balance",
    "autoPay",
    "createdTime",
    "updatedTime",
)
_BILL_FIELDS: Final = (
    "id",
    "vendorId",
    "vendorName",
    "invoice",
    "amount",
    "createdTime",
    "updatedTime",
    "createdBy",
    "archived",
    "description",
    "dueDate",
    "paymentStatus",
    "payFromChartOfAccountId",
    "classifications",
    "purchaseOrderNumber",
)
_NETWORK_ID_FIELDS: Final = {"CONNECTED": "paymentNetworkId", "CONNECTED_RPPS": "rppsId"}


def payload(
    event_type: str, record: Record, *, event_id: str, subscription_id: str, organization_id: str
) -> dict[str, Any]:
    """The payload of an event: `metadata` and the entity; `errors` too if the record has some."""
    entity = record
    if event_type.startswith("vendor."):
        entity = _vendor(record)
    elif event_type.startswith("bill."):
        entity = _bill(record, created=event_type == "bill.created")
    elif event_type == "payment.updated":
        entity = _payment(record)
    result = enveloped(
        event_type,
        {name: value for name, value in entity.items() if name != "errors"},
        event_id=event_id,
        subscription_id=subscription_id,
        organization_id=organization_id,
    )
    if "errors" in entity:
        result["errors"] = entity["errors"]
    return result


def enveloped(
    event_type: str,
    entity: Mapping[str, Any],
    *,
    event_id: str,
    subscription_id: str,
    organization_id: str,
) -> dict[str, Any]:
    """An entity in the notification's own shape with the `metadata` before it."""
    return {
        "metadata": {
            "eventId": event_id,
            "subscriptionId": subscription_id,
            "organizationId": organization_id,
            "eventType": event_type,
            "version": VERSION,
        },
        ENTITY_KEYS[event_type]: entity,
    }


def _picked(record: Record, fields: tuple[str, ...]) -> Record:
    return {name: record[name] for name in fields if name in record}


def _vendor(record: Record) -> Record:
    """`accountNumber` is a number, and of the payment information less is shown."""
    entity = _picked(record, _VENDOR_FIELDS)
    number = entity.get("accountNumber", "")
    if number.isascii() and number.isdigit():
        entity["accountNumber"] = int(number)
    if "address" in entity:
        entity["address"] = {k: v for k, v in entity["address"].items() if k != "countryName"}
    if "paymentInformation" in entity:
        shown = ("payeeName", "email", "lastPaymentDate", "payByType", "virtualCard")
        entity["paymentInformation"] = _picked(entity["paymentInformation"], shown)
    network_id = _NETWORK_ID_FIELDS.get(record.get("networkStatus", ""))
    if network_id in record:
        entity[network_id] = record[network_id]
    return entity


def _bill(record: Record, *, created: bool) -> Record:
    """Without lines; `invoiceDate` is a date-time; a new bill is without its vendor's name."""
    entity = _picked(record, _BILL_FIELDS)
    if created:
        entity.pop("vendorName", None)
    invoice = entity.get("invoice", {})
    if "invoiceDate" in invoice:
        entity["invoice"] = {**invoice, "invoiceDate": f"{invoice['invoiceDate']}T00:00:00.000Z"}
    return entity


def _payment(record: Record) -> Record:
    """Quite another shape; `status` is REST's `singleStatus`."""
    account = record.get("fundingAccount", {})
    disbursement: Record = {}
    if "processDate" in record:
        disbursement["arrivesByDate"] = arrives_by(record)
    disbursement["disbursementAccount"] = {}
    if "disbursementStatus" in record:
        kind = record.get("disbursementType", "CHECK")
        disbursement = {
            "amount": record["amount"],
            "currency": "USD",
            **disbursement,
            "disbursementAccount": {"type": kind},
        }
    entity = {
        "id": record["id"],
        "billIds": [part["billId"] for part in record.get("billPayments", ()) if "billId" in part],
        "transactionNumber": record.get("transactionNumber"),
        "status": record.get("singleStatus"),
        "createdBy": record.get("createdBy"),
        "createdTime": record.get("createdTime"),
        "updatedTime": record.get("updatedTime"),
        "processDate": record.get("processDate"),
        "funding": {
            "amount": record.get("fundingAmount", record["amount"]),
            "currency": "USD",
            "fundingAccount": dict(account),
        },
        "disbursement": disbursement,
        "vendor": {"id": record.get("vendorId"), "name": record.get("vendorName")},
        "billingType": "BDC",
    }
    return {name: value for name, value in entity.items() if value is not None}
