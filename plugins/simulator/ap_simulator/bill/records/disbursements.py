"""What a payment shows once its money moves: `disbursementStatus` and `disbursementInfo`. Pure."""

from __future__ import annotations

import zlib
from datetime import date
from typing import Any, Final

from ap_simulator.bill.records.calendar_days import business_days_after
from ap_simulator.bill.records.payment_statuses import disbursement_status, is_voidable
from ap_simulator.bill.wire import Record

#: Business days from the process date until the vendor has the money.
_TRANSIT_DAYS: Final = {"ACH": 2, "RPPS": 2, "VIRTUAL_CARD": 1, "WALLET": 0}
_CHECK_TRANSIT_DAYS: Final = 5
_INFO_FIELDS: Final = {
    "ACH": "achDisbursement",
    "RPPS": "rppsDisbursement",
    "VIRTUAL_CARD": "vcardDisbursement",
    "WALLET": "walletDisbursement",
    "INTERNATIONAL_E_PAYMENT": "internationalDisbursement",
    "CHECK": "checkDisbursement",
}


def arrives_by(payment: Record) -> str:
    """The day the vendor has the money, `yyyy-MM-dd`."""
    days = _TRANSIT_DAYS.get(payment.get("disbursementType", "CHECK"), _CHECK_TRANSIT_DAYS)
    return business_days_after(date.fromisoformat(payment["processDate"]), days).isoformat()


def disbursement_fields(payment: Record, single_status: str) -> dict[str, Any]:
    """The fields of an online payment in `single_status`; none while nothing is disbursed."""
    status = disbursement_status(single_status)
    if status is None or not payment.get("onlinePayment"):
        return {}
    kind = payment.get("disbursementType", "CHECK")
    details: dict[str, Any] = {"arrivesByDate": arrives_by(payment)}
    if kind not in {"VIRTUAL_CARD", "WALLET"}:
        details["sentDate"] = payment["processDate"]
    number = zlib.crc32(payment["id"].encode())
    if kind == "CHECK":
        details["checkNumber"] = 10_000_000 + number % 90_000_000
    elif kind == "RPPS":
        details |= {"traceNumber": number, "batchNumber": number % 10_000}
    elif kind == "INTERNATIONAL_E_PAYMENT":
        details |= {"amount": payment["amount"], "disbursementSubType": "NONE"}
    info = {"isVoidable": is_voidable(single_status), _INFO_FIELDS.get(kind, "checkDisbursement"): details}
    return {"disbursementStatus": status, "disbursementInfo": info}
