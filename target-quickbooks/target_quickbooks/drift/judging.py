"""Whether an object in QuickBooks is still as it was last written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from target_quickbooks.comparison import Difference, as_sent, compare
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import without_deleted
from target_quickbooks.store.drift_table import Finding, Kind
from target_quickbooks.store.link_table import Stored

_NAMES = {"Vendor": "DisplayName"}
_NUMBER = "DocNumber"
#: Masked in answers; fixed for life; kept by QuickBooks on some plans only.
_NOT_COMPARED = frozenset({"TaxIdentifier", "CurrencyRef"})
_KEPT_SOMETIMES = frozenset({"DepartmentRef"})


class Verdict(Enum):
    """What is to be said of an object that is no finding.

    Attributes:
        IN_ORDER: It is as it was sent.
        AS_LEFT: Nobody touched it after the last write, which left something as a person had it.
    """

    IN_ORDER = "in order"
    AS_LEFT = "as left"


def judge(
    stored: Stored, live: Mapping[str, Any] | None, *, merged: bool = False, vendor_id: str = ""
) -> Finding | Verdict:
    """Compare a linked object with what was last sent.

    Args:
        stored: Its link.
        live: What QuickBooks holds; None if it holds nothing.
        merged: Whether it is known that it was merged into another one.
        vendor_id: For an order, the vendor in QuickBooks that its bill's vendor is linked to by now: a merge
            of vendors moves orders, too.
    """
    link = stored.link
    if live is None:
        return _finding(stored, Kind.MERGED if merged else Kind.DELETED)
    if link.reference_only:
        return Verdict.IN_ORDER
    if live.get("Active") is False and link.desired.get("Active") is not False:
        return _finding(stored, Kind.MERGED if merged else Kind.INACTIVE)
    differences = tuple(
        found
        for found in differences_of(link, live)
        if not (found.field == "VendorRef" and vendor_id and _value(live.get("VendorRef")) == vendor_id)
    )
    if not differences:
        return Verdict.IN_ORDER
    if str(live.get("SyncToken")) == link.sync_token:
        return Verdict.AS_LEFT
    return _finding(stored, Kind.CHANGED, differences)


def orphan(company: Company, entity: str, live: Mapping[str, Any]) -> Finding:
    """An object that no link leads to."""
    name = str(live.get(_NAMES.get(entity, _NUMBER)) or "")
    return Finding(company, entity, str(live["Id"]), Kind.ORPHAN, name=name)


def differences_of(link: Link, live: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What QuickBooks holds differently (``after``) from what was last sent (``before``)."""
    expected = {key: value for key, value in link.desired.items() if key not in _NOT_COMPARED}
    if link.quickbooks_name:
        expected[_NAMES.get(link.entity, _NUMBER)] = link.quickbooks_name
    held = as_sent(live, expected)
    if live.get("Active") is False and "DisplayName" in held:
        held["DisplayName"] = without_deleted(str(held["DisplayName"] or ""))
        expected["DisplayName"] = without_deleted(str(expected["DisplayName"]))
    return tuple(
        found
        for found in compare(expected, held)
        if found.field not in _KEPT_SOMETIMES or live.get(found.field)
    )


def _value(reference: Any) -> str:
    return str(reference.get("value") or "") if isinstance(reference, Mapping) else ""


def _finding(stored: Stored, kind: Kind, differences: tuple[Difference, ...] = ()) -> Finding:
    link = stored.link
    return Finding(
        company=stored.company,
        entity=link.entity,
        quickbooks_id=link.quickbooks_id,
        kind=kind,
        bill_id=link.bill_id,
        name=link.quickbooks_name or str(link.desired.get(_NAMES.get(link.entity, _NUMBER)) or ""),
        differences=differences,
    )
