"""The organization itself (BILL manual 4.7)."""

from __future__ import annotations

from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.records.schema import Flag, Object, Text, merged, read_body
from ap_simulator.bill.records.shapes import ADDRESS, NAME, with_country_names
from ap_simulator.bill.wire import Record

_SHAPE: Final = Object(
    {
        "name": NAME,
        "address": ADDRESS,
        "mailingAddress": ADDRESS,
        "phone": Text(longest=50),
        "industry": NAME,
        "processingOptions": Object(
            {
                "mailingAddressSameAsPhysical": Flag(),
                "individualTransferOut": Flag(),
                "individualTransferIn": Flag(),
            }
        ),
    },
    ("name",),
)


def patch(books: Books, organization_id: str, body: Any) -> Record:
    """Change the organization's own record.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid.
    """
    old = books.get("organization", organization_id)
    changes = read_body(_SHAPE, body, books.switches, partial=True)
    return books.save("organization", with_country_names(merged(old, changes)))
