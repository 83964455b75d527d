"""The lines of purchase orders, bills and vendor credits (QuickBooks manual 6.2).

A `Line` array replaces the stored one whole. A line whose Id is stored keeps it; every other line
is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ap_simulator.quickbooks import references
from ap_simulator.quickbooks.entities.parts import ACCOUNT_LINE, ITEM_LINE
from ap_simulator.quickbooks.formats import product
from ap_simulator.quickbooks.problems import Problem, RefusedError, business, missing, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.writing.context import Write

Line = dict[str, Any]
_ZERO: Final = Decimal(0)
_NO_DETAIL: Final = (
    "Transaction Detail Information Required : a product/service or account is needed on each "
    "split line that has an amount or a billable customer."
)
_NO_LINES: Final = "You must enter at least one split line."


def settle_lines(write: Write) -> None:
    """Check and complete the lines that were sent; without any the stored ones stay.

    Raises:
        RefusedError: See the manual; several missing properties come in one fault.
    """
    sent = write.sent.get("Line")
    if sent == []:
        raise _no_lines(write.realm)
    if not write.sends("Line"):
        return
    lines: list[Line] = write.body["Line"]
    if absent := [missing(name) for line in lines for name in _required(line)]:
        raise RefusedError(absent)
    known = {line["Id"] for line in write.stored.get("Line", [])}
    next_id = max((int(line_id) for line_id in known), default=0) + 1
    settled: list[Line] = []
    for position, raw in enumerate(lines, start=1):
        line = _settled(write, raw)
        line_id = raw.get("Id")
        if line_id in known:
            known.discard(line_id)
        else:
            line_id, next_id = str(next_id), next_id + 1
        settled.append({"Id": line_id, "LineNum": Decimal(position), **line})
    write.body["Line"] = settled
    _check_sign(write.realm, settled)


def line_detail(line: Mapping[str, Any]) -> dict[str, Any]:
    """The detail object of a line."""
    detail: dict[str, Any] = line.get(line["DetailType"], {})
    return detail


def counts(line: Mapping[str, Any]) -> bool:
    """Whether a line's amount counts: text lines, which name neither item nor account, do not."""
    detail = line_detail(line)
    return "ItemRef" in detail or "AccountRef" in detail


def _no_lines(realm: Realm) -> RefusedError:
    match realm.switches.empty_lines:
        case "2020":
            return RefusedError([missing("Line")])
        case "6000":
            return business(_NO_LINES)
        case code:
            return refused(code, _NO_LINES, "Line")


def _required(line: Line) -> list[str]:
    if "DetailType" not in line:
        return ["DetailType"]
    detail = line_detail(line)
    names = [] if "Amount" in line or _is_text(line, detail) else ["Amount"]
    if line["DetailType"] == ITEM_LINE:
        return names
    # Without a detail object there is nothing to say which account is meant.
    return names if ACCOUNT_LINE in line else [*names, ACCOUNT_LINE]


def _is_text(line: Line, detail: Mapping[str, Any]) -> bool:
    return line["DetailType"] == ITEM_LINE and "ItemRef" not in detail


def _settled(write: Write, raw: Line) -> Line:
    """One line with its references checked and its defaults filled in."""
    kind = raw["DetailType"]
    detail = dict(raw.get(kind, {}))
    line = {name: raw[name] for name in ("Description", "ProjectRef", "LinkedTxn") if name in raw}
    value: Decimal = raw.get("Amount", _ZERO)
    if kind == ITEM_LINE:
        value = _item_amount(write, detail, value)
    else:
        _check_account(write, detail)
    _classify(write, detail)
    _bill(write.realm, detail)
    return {**line, "Amount": value, "DetailType": kind, kind: detail}


def _item_amount(write: Write, detail: dict[str, Any], value: Decimal) -> Decimal:
    """The amount of an item line, which is its quantity times its price."""
    if "ItemRef" not in detail:
        if value and write.realm.switches.item_line_without_item == "6440":
            raise refused("6440", _NO_DETAIL)
        return _ZERO
    references.line_item(write, detail["ItemRef"])
    if "Qty" in detail and "UnitPrice" in detail:
        expected = product(detail["Qty"], detail["UnitPrice"])
        if expected != value:
            raise refused("6070", f"Amount is not equal to UnitPrice * Qty. Supplied value:{value}")
    return value


def _check_account(write: Write, detail: Mapping[str, Any]) -> None:
    if "AccountRef" not in detail:
        raise refused("6440", _NO_DETAIL)
    references.line_account(write, detail["AccountRef"])


def _classify(write: Write, detail: dict[str, Any]) -> None:
    """Check class, tax code and customer of a line."""
    per_line = write.realm.profile.class_tracking == "line"
    if references.tracked(write, "Class", detail.get("ClassRef"), on=per_line) is None:
        detail.pop("ClassRef", None)
    if "TaxCodeRef" in detail:
        references.tax_code(write, detail["TaxCodeRef"])
    elif write.realm.profile.country == "US":
        detail["TaxCodeRef"] = {"value": "NON"}
    if "CustomerRef" in detail:
        references.resolve(write, "Customer", detail["CustomerRef"])


def _bill(realm: Realm, detail: dict[str, Any]) -> None:
    """Settle whether a customer can be billed for the line."""
    if realm.switches.billable_status == "ignore":
        detail.pop("BillableStatus", None)
    status = detail.setdefault("BillableStatus", "NotBillable")
    if status == "Billable" and "CustomerRef" not in detail:
        raise refused("6310", "MissingCustomer : a billable line needs a customer.")
    if not detail.get("TaxInclusiveAmt", _ZERO):
        detail.pop("TaxInclusiveAmt", None)


def _check_sign(realm: Realm, lines: list[Line]) -> None:
    rule = realm.switches.negative_lines
    if rule == "reject" and any(line["Amount"] < 0 for line in lines):
        raise RefusedError(
            [Problem("2290", "NegativeAmount : negative amounts are not supported.", "Amount")]
        )
    if rule == "total" and sum((line["Amount"] for line in lines), _ZERO) < 0:
        raise business("Transaction amount must be 0 or greater.")
