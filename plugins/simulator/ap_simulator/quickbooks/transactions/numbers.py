"""DocNumber: given, assigned or doubled (QuickBooks manual 6.2, 10.13)."""

from __future__ import annotations

from ap_simulator.quickbooks.problems import refused
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.writing.context import Write

ALLOW_DUPLICATE = "allowduplicatedocnum"


def settle_number(write: Write) -> None:
    """Settle the document number.

    Raises:
        RefusedError: 6140; another transaction of the type has the number.
    """
    if write.entity.name == "PurchaseOrder" and not write.realm.profile.custom_txn_numbers:
        _assign(write)
    number = write.body.get("DocNumber")
    if not number or number == write.stored.get("DocNumber"):
        return
    if ALLOW_DUPLICATE in write.include or not _must_be_unique(write):
        return
    holder = _holder(write, number)
    if holder is not None:
        raise refused(
            "6140",
            "Duplicate Document Number Error : You must specify a different number. This number "
            f"has already been used. DocNumber={number} is assigned to "
            f"TxnType={_wording(write)} with TxnId={holder.id}",
        )


def _assign(write: Write) -> None:
    """Without custom numbers the service counts itself."""
    stored = write.stored.get("DocNumber")
    if write.realm.switches.supplied_document_number == "keep" and write.sends("DocNumber"):
        return
    if stored is not None:
        write.body["DocNumber"] = stored
    else:
        write.body["DocNumber"] = str(write.realm.highest_numbers[write.entity.name] + 1)


def _must_be_unique(write: Write) -> bool:
    switches, profile = write.realm.switches, write.realm.profile
    match write.entity.name:
        case "PurchaseOrder":
            return switches.purchase_order_duplicates == "reject"
        case "BillPayment":
            return switches.bill_duplicates == "reject" or profile.warn_duplicate_check_number
        case _:
            return switches.bill_duplicates == "reject" or profile.warn_duplicate_bill_number


def _holder(write: Write, number: str) -> Record | None:
    per_vendor = (
        write.entity.name in {"Bill", "VendorCredit"} and write.realm.switches.bill_number_scope == "vendor"
    )
    for record in write.realm.tables[write.entity.name].find("DocNumber", number.casefold()):
        if record is write.before:
            continue
        if not per_vendor or record.body.get("VendorRef") == write.body.get("VendorRef"):
            return record
    return None


def _wording(write: Write) -> str:
    if write.entity.name == "BillPayment":
        kind = "Check" if write.body.get("PayType") == "Check" else "Credit Card"
        return f"{write.entity.wording} ({kind})"
    return write.entity.wording
