"""What was last sent, put together anew from what QuickBooks holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from target_quickbooks.comparison import Difference, as_sent, compare, is_same, reduced
from target_quickbooks.links import Link, name_held
from target_quickbooks.mapping.bill_payment import is_voided_payment
from target_quickbooks.mapping.payload import Mapped, Payload

_VENDOR_FIELDS = ("DisplayName", "CompanyName", "PrintOnCheckName", "Active", "AcctNum", "Vendor1099")
_VENDOR_PARTS = {
    "PrimaryEmailAddr": ("Address",),
    "PrimaryPhone": ("FreeFormNumber",),
    "BillAddr": ("Line1", "Line2", "City", "CountrySubDivisionCode", "PostalCode", "Country"),
    "CurrencyRef": ("value",),
}
_ORDER_FIELDS = ("PrivateNote", "POStatus", "TxnDate", "DueDate", "DocNumber")
_ORDER_REFERENCES = ("VendorRef", "APAccountRef", "CurrencyRef")
_PAYMENT_FIELDS = ("PrivateNote", "TxnDate", "DocNumber", "PayType", "TotalAmt", "ExchangeRate")
_PAYMENT_METHODS = {"CheckPayment": "BankAccountRef", "CreditCardPayment": "CCAccountRef"}
_LINE_FIELDS = ("Description", "Amount", "DetailType")
_DETAIL_FIELDS = ("Qty", "UnitPrice")
_DETAIL_REFERENCES = ("AccountRef", "ItemRef", "ClassRef", "CustomerRef")
#: Masked, fixed for life, or ours under another name.
_NEVER_DIFFERENT = frozenset({"TaxIdentifier", "CurrencyRef"})


def vendor_link(bill_id: str, live: Mapping[str, Any], *, shared: bool) -> Link:
    """The link to a vendor, as if what QuickBooks holds had been sent; without fingerprints."""
    desired = {name: live[name] for name in _VENDOR_FIELDS if name in live}
    for name, parts in _VENDOR_PARTS.items():
        found = live.get(name) or {}
        desired[name] = {part: found[part] for part in parts if part in found}
    return _link("Vendor", bill_id, live, desired, shared=shared)


def order_link(bill_id: str, live: Mapping[str, Any], entity: str = "PurchaseOrder") -> Link:
    """The link to a transaction, likewise; its lines go by their places."""
    desired = {name: live[name] for name in _ORDER_FIELDS if name in live}
    desired |= {name: {"value": live[name]["value"]} for name in _ORDER_REFERENCES if live.get(name)}
    lines = live.get("Line") or []
    desired["Line"] = [_line(line) for line in lines]
    ids = {f"#{number}": str(line.get("Id") or "") for number, line in enumerate(lines, start=1)}
    return _link(entity, bill_id, live, desired, line_ids=ids)


def payment_link(bill_id: str, live: Mapping[str, Any]) -> Link:
    """The link to a payment, likewise; one that is void was not sent as anything else."""
    if is_voided_payment(live):
        return _link("BillPayment", bill_id, live, {})
    desired = {name: live[name] for name in _PAYMENT_FIELDS if name in live}
    desired |= {name: {"value": live[name]["value"]} for name in _ORDER_REFERENCES if live.get(name)}
    for name, reference in _PAYMENT_METHODS.items():
        if live.get(name):
            kept = {"PrintStatus": live[name]["PrintStatus"]} if "PrintStatus" in live[name] else {}
            desired[name] = {reference: {"value": live[name][reference]["value"]}, **kept}
    desired["Line"] = [
        {
            "Amount": line["Amount"],
            "LinkedTxn": [{"TxnId": one["TxnId"], "TxnType": one["TxnType"]} for one in line["LinkedTxn"]],
        }
        for line in live["Line"]
    ]
    return _link("BillPayment", bill_id, live, desired)


def keyed(link: Link, keys: Sequence[str]) -> Link:
    """The link to an order with its lines by BILL's ids, if there are as many."""
    if len(keys) != len(link.line_ids) or len(set(keys)) != len(keys) or "" in keys:
        return link
    return replace(link, line_ids=dict(zip(keys, link.line_ids.values(), strict=True)))


def differences(mapped: Mapped, live: Mapping[str, Any]) -> tuple[Difference, ...]:
    """In what the object differs from what BILL wants, as QuickBooks would show it."""
    found = compare(as_sent(live, mapped.payload), mapped.payload)
    return tuple(one for one in found if one.field not in _NEVER_DIFFERENT)


def as_held(
    mapped: Mapped, live: Mapping[str, Any], different: Sequence[Difference], line_ids: Mapping[str, str]
) -> dict[str, Any]:
    """What BILL wants, but where QuickBooks holds something else: as if that had been sent.

    Of lines, those that stand for a line of BILL's.
    """
    payload = dict(mapped.payload)
    for one in different:
        if one.before is None:
            payload.pop(one.field)
        else:
            payload[one.field] = one.before
    if any(one.field == "Line" for one in different):
        held = {str(line.get("Id")): line for line in live.get("Line") or []}
        wanted = dict(zip(mapped.line_keys, mapped.payload["Line"], strict=True))
        payload["Line"] = [
            reduced(held[line_ids[key]], line) for key, line in wanted.items() if line_ids.get(key) in held
        ]
    return payload


def match_lines(mapped: Mapped, live: Mapping[str, Any]) -> dict[str, str]:
    """BILL line id to QuickBooks line id; empty where a line is no longer there.

    Lines of the same content first, then those of the same amount; what is left goes by its place, if both
    sides have as many left.
    """
    wanted = dict(zip(mapped.line_keys, mapped.payload.get("Line") or (), strict=True))
    rest = [line for line in live.get("Line") or [] if line.get("Id")]
    ids = dict.fromkeys(wanted, "")
    for alike in (_is_same_line, _is_same_amount):
        for key, line in wanted.items():
            if not ids[key]:
                ids[key] = _taken(rest, line, alike)
    left = [key for key in wanted if not ids[key]]
    if len(left) == len(rest):
        ids |= {key: str(line["Id"]) for key, line in zip(left, rest, strict=True)}
    return ids


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line with what we send of lines."""
    kind = str(line.get("DetailType") or "")
    detail = line.get(kind) or {}
    kept = {name: detail[name] for name in _DETAIL_FIELDS if name in detail}
    kept |= {name: {"value": detail[name]["value"]} for name in _DETAIL_REFERENCES if detail.get(name)}
    return {name: line[name] for name in _LINE_FIELDS if name in line} | {kind: kept}


def _taken(
    rest: list[Mapping[str, Any]], line: Payload, alike: Callable[[Payload, Mapping[str, Any]], bool]
) -> str:
    for place, held in enumerate(rest):
        if alike(line, held):
            del rest[place]
            return str(held["Id"])
    return ""


def _is_same_line(line: Payload, held: Mapping[str, Any]) -> bool:
    return is_same(reduced(held, line), line)


def _is_same_amount(line: Payload, held: Mapping[str, Any]) -> bool:
    return is_same(reduced(held.get("Amount"), line.get("Amount")), line.get("Amount"))


def _link(
    entity: str,
    bill_id: str,
    live: Mapping[str, Any],
    desired: Mapping[str, Any],
    *,
    line_ids: Mapping[str, str] | None = None,
    shared: bool = False,
) -> Link:
    return Link(
        entity=entity,
        bill_id=bill_id,
        quickbooks_id=str(live["Id"]),
        sync_token=str(live["SyncToken"]),
        quickbooks_name=name_held(live),
        desired=desired,
        line_ids=line_ids or {},
        reference_only=shared,
    )
