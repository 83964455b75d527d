"""Addresses: their Ids, and how they come back in transactions (QuickBooks manual 6.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ap_simulator.quickbooks.realm import Realm

_LINES: Final = tuple(f"Line{number}" for number in range(1, 6))
_PLACE: Final = ("City", "CountrySubDivisionCode", "PostalCode", "Country")


def numbered(realm: Realm, body: dict[str, Any], stored: Mapping[str, Any], *names: str) -> None:
    """Give the addresses of a body Ids: the stored one while the address is the same, else new."""
    for name in names:
        address = body.get(name)
        if address is None:
            continue
        before = stored.get(name, {})
        if without_id(before) == without_id(address) and "Id" in before:
            body[name] = before
        else:
            body[name] = {"Id": realm.next_address_id(), **without_id(address)}


def without_id(address: Mapping[str, Any]) -> dict[str, Any]:
    """The address without its Id."""
    return {name: value for name, value in address.items() if name != "Id"}


def flattened(address: Mapping[str, Any], heading: list[str]) -> dict[str, Any]:
    """A transaction's address as it comes back after an update: lines of text only.

    Args:
        address: As stored. One without a city or other place has been flattened before.
        heading: Contact and company name, which come first.
    """
    if not any(name in address for name in _PLACE):
        return dict(address)
    city = ", ".join(
        filter(
            None,
            (
                address.get("City"),
                "  ".join(filter(None, (address.get("CountrySubDivisionCode"), address.get("PostalCode")))),
            ),
        )
    )
    street = [address[line] for line in _LINES if address.get(line)]
    texts = [*(h for h in heading if h not in street), *street, city, address.get("Country", "")]
    kept = [text for text in texts if text][: len(_LINES)]
    flat = dict(zip(_LINES, kept, strict=False))
    return {"Id": address["Id"], **flat} if "Id" in address else flat
