"""BILL's records of payments, vendor credits and bills, as what is known once BILL sent them. Pure.

A record that says nothing new gives what was known before; an older version, as a stored failure may be, is
passed over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping.fields import amount_of, date_of, object_of, optional_amount_of, text_of
from target_quickbooks.mapping.payments import Balance, Credit, Part, Payment, Sight, Use

_NOTHING = Decimal(0)
_TEXT_LENGTH = 100
_VERSION_LENGTH = 40


def observe_payment(record: Mapping[str, Any], known: Payment | None, *, now: dt.datetime) -> Payment:
    """The payment as it is known once BILL sent this; equal to ``known`` if that says nothing new.

    A version older than the known one is passed over.

    Raises:
        Refusal: An amount or a date cannot be read.
    """
    what = f"Payment {text_of(record, 'id')}"
    version = text_of(record, "updatedTime")[:_VERSION_LENGTH]
    if known and version < known.version:
        return known
    sight = Sight(
        at=now,
        status=_status(record, "status"),
        single_status=_status(record, "singleStatus"),
        version=version,
    )
    sights = known.sights if known else ()
    if not sights or (sights[-1].status, sights[-1].single_status) != (sight.status, sight.single_status):
        sights = (*sights, sight)
    parts = _parts(record, what)
    gone = {part.bill_id for part in known.parts} - {part.bill_id for part in parts} if known else set()
    return Payment(
        id=text_of(record, "id"),
        vendor_id=text_of(record, "vendorId"),
        vendor_name=text_of(record, "vendorName"),
        amount=optional_amount_of(record.get("amount"), f"{what}: amount") or _NOTHING,
        process_date=_day(record, "processDate", what),
        method=_status(record, "disbursementType"),
        reference=_reference(record),
        version=version,
        parts=tuple(sorted((*parts, *(Part(one, _NOTHING) for one in gone)), key=lambda part: part.bill_id)),
        sights=sights,
        funding_amount=optional_amount_of(record.get("fundingAmount"), f"{what}: fundingAmount"),
    )


def observe_credit(record: Mapping[str, Any], known: Credit | None) -> Credit:
    """The vendor credit as it is known once BILL sent this.

    Raises:
        Refusal: An amount or a date cannot be read.
    """
    what = f"Vendor credit {text_of(record, 'id')}"
    version = text_of(record, "updatedTime")[:_VERSION_LENGTH]
    if known and version < known.version:
        return known
    uses: dict[tuple[str, str], Decimal] = {}
    for use in _objects(record.get("usage")):
        key = (text_of(use, "billId"), text_of(use, "paymentId"))
        if key[0]:
            uses[key] = uses.get(key, _NOTHING) + amount_of(use.get("amount"), f"{what}: usage")
    for before in known.uses if known else ():
        uses.setdefault((before.bill_id, before.payment_id), _NOTHING)
    return Credit(
        id=text_of(record, "id"),
        vendor_id=text_of(record, "vendorId"),
        reference=text_of(record, "referenceNumber").strip()[:_TEXT_LENGTH],
        date=_day(record, "creditDate", what),
        amount=optional_amount_of(record.get("amount"), f"{what}: amount") or _NOTHING,
        applied=optional_amount_of(record.get("appliedAmount"), f"{what}: appliedAmount") or _NOTHING,
        status=_status(record, "status"),
        archived=record.get("archived") is True,
        version=version,
        uses=tuple(Use(*key, amount) for key, amount in sorted(uses.items())),
    )


def observe_bill(record: Mapping[str, Any], known: Balance | None, *, now: dt.datetime) -> Balance:
    """What BILL says of a bill now; equal to ``known`` if that is nothing new.

    A version older than the known one, as a stored failure may be, is passed over.

    Raises:
        Refusal: An amount or a date cannot be read.
    """
    what = f"Bill {text_of(record, 'id')}"
    version = text_of(record, "updatedTime")[:_VERSION_LENGTH]
    if known and version < known.version:
        return known
    inactive = text_of(record, "recordStatus") in {"INACTIVE", "DRAFT", "DRAFT_DELETED"}
    balance = Balance(
        bill_id=text_of(record, "id"),
        vendor_id=text_of(record, "vendorId"),
        vendor_name=text_of(record, "vendorName"),
        invoice_number=text_of(object_of(record, "invoice"), "invoiceNumber").strip(),
        due_date=_day(record, "dueDate", what),
        amount=optional_amount_of(record.get("amount"), f"{what}: amount"),
        paid=optional_amount_of(record.get("paidAmount"), f"{what}: paidAmount"),
        due=optional_amount_of(record.get("dueAmount"), f"{what}: dueAmount"),
        payment_status=_status(record, "paymentStatus"),
        approval_status=_status(record, "approvalStatus"),
        archived=record.get("archived") is True or inactive,
        version=version,
        seen_at=now,
    )
    return known if known and replace(balance, seen_at=known.seen_at) == known else balance


def _parts(record: Mapping[str, Any], what: str) -> list[Part]:
    parts: dict[str, Part] = {}
    for found in _objects(record.get("billPayments")):
        bill_id = text_of(found, "billId")
        if not bill_id:
            continue
        amount = optional_amount_of(found.get("amount"), f"{what}: billPayments") or _NOTHING
        used = tuple(
            (text_of(credit, "id"), optional_amount_of(credit.get("amount"), f"{what}: credit") or _NOTHING)
            for credit in _objects(found.get("vendorCredits"))
        )
        before = parts.get(bill_id, Part(bill_id, _NOTHING))
        parts[bill_id] = Part(bill_id, before.amount + amount, before.credits + used)
    single = text_of(record, "billId")
    if not parts and single:
        amount = optional_amount_of(record.get("amount"), f"{what}: amount") or _NOTHING
        return [Part(single, amount)]
    return list(parts.values())


def _reference(record: Mapping[str, Any]) -> str:
    check = object_of(object_of(record, "disbursementInfo"), "checkDisbursement")
    texts = (
        text_of(record, "confirmationNumber"),
        text_of(record, "transactionNumber"),
        text_of(check, "checkNumber"),
    )
    return next((text.strip()[:_TEXT_LENGTH] for text in texts if text.strip()), "")


def _status(record: Mapping[str, Any], key: str) -> str:
    return text_of(record, key).strip().upper()[:_TEXT_LENGTH]


def _day(record: Mapping[str, Any], key: str, what: str) -> str:
    day = date_of(record.get(key), f"{what}: {key}")
    return day.isoformat() if day else ""


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
