"""The vendors that QuickBooks has before anything is synced: entered by hand, some of them twins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from ap_simulator.company.calendar import BOOKS_OPENED
from ap_simulator.company.quickbooks_lists import (
    Entity,
    QuickBooksLists,
    currency_reference,
    entity_record,
)

#: Names by what the vendor is there to test, as `SPECIAL_VENDORS` on BILL's side calls it.
EXISTING_VENDORS: Final[Mapping[str, str]] = {
    "in_quickbooks": "Harbor Light Electric",
    "in_quickbooks_other_case": "Pinecrest Janitorial",
    "inactive_twin": "Fennimore Security Systems",
    "unknown_to_bill": "City of Austin Permits",
    "unknown_to_bill_too": "Travis County Tax Office",
    "unknown_to_bill_and_foreign": "Zürcher Zollagentur",
}
_INACTIVE: Final = "inactive_twin"
_ENTERED: Final = BOOKS_OPENED + timedelta(days=31)


def add_existing_vendors(lists: QuickBooksLists) -> None:
    """Add the vendors to QuickBooks' lists."""
    for role, name in EXISTING_VENDORS.items():
        inactive = role == _INACTIVE
        body: Entity = {
            "DisplayName": name,
            "CompanyName": name,
            "PrintOnCheckName": name,
            "Active": not inactive,
            "Vendor1099": False,
            "Balance": Decimal(0),
            "CurrencyRef": currency_reference("EUR" if role.endswith("foreign") else "USD"),
            **_DETAILS.get(role, {}),
        }
        vendor_id = lists.next_name_id()
        record = entity_record(
            vendor_id,
            body,
            created=_ENTERED,
            updated=_ENTERED + timedelta(days=400) if inactive else None,
        )
        lists.records.setdefault("Vendor", []).append(record)


_DETAILS: Final[Mapping[str, Entity]] = {
    "in_quickbooks": {
        "PrimaryPhone": {"FreeFormNumber": "(617) 555-0188"},
        "PrimaryEmailAddr": {"Address": "accounts@harborlight.example"},
        "AcctNum": "HL-20019",
        "BillAddr": {
            "Id": "901",
            "Line1": "3 Wharf Street",
            "City": "Boston",
            "CountrySubDivisionCode": "MA",
            "PostalCode": "02110",
        },
    },
    "in_quickbooks_other_case": {
        "PrimaryPhone": {"FreeFormNumber": "512-555-0133"},
        "TaxIdentifier": "070014417",
    },
}
