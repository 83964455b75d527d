"""Document numbers that transactions ask for, and the transactions that hold them already. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from target_quickbooks.links import Company
from target_quickbooks.mapping.payload import Payload
from target_quickbooks.mapping.purchase_order import distinct_document_number, read_marker
from target_quickbooks.planning import Item


@dataclass(slots=True)
class NumbersInUse:
    """Transactions that already hold document numbers we would like to use.

    Attributes:
        per_vendor: Numbers are those of the vendor: only another one of the same vendor is in the way.
    """

    by_number: Mapping[str, list[Mapping[str, Any]]]
    given_up: Container[str] = ()
    per_vendor: bool = False
    taken: set[tuple[str, str]] = field(default_factory=set)

    def ours(self, company: Company, item: Item, numbers: Sequence[str]) -> Mapping[str, Any] | None:
        """The transaction that carries this record's id in its note."""
        mark = (company.organization_id, item.bill_id)
        for number in numbers:
            for found in self.by_number.get(number, ()):
                given_up = str(found.get("Id")) in self.given_up
                if not given_up and read_marker(str(found.get("PrivateNote") or "")) == mark:
                    return found
        return None

    def holder(self, payload: Payload) -> Mapping[str, Any] | None:
        """A transaction, already written or planned in this run, that holds the payload's number."""
        number, vendor = self._key(payload)
        for found in self.by_number.get(number, ()):
            if self._key(found) == (number, vendor):
                return found
        return {"DocNumber": number} if (number, vendor) in self.taken else None

    def take(self, payload: Payload) -> None:
        """Note a number that is planned."""
        self.taken.add(self._key(payload))

    def _key(self, payload: Mapping[str, Any]) -> tuple[str, str]:
        vendor = (payload.get("VendorRef") or {}).get("value") if self.per_vendor else ""
        return str(payload.get("DocNumber") or ""), str(vendor or "")


def numbers_of(item: Item) -> tuple[str, ...]:
    """The document number to ask for, and the one to fall back to."""
    number = str(item.mapped.payload.get("DocNumber") or "")
    return (number, distinct_document_number(number, item.bill_id)) if number else ()
