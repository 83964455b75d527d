"""How the company's BILL records are numbered and stamped.

Ids depend on the collection and the ordinal only, never on the seed, so that tests can name a
record by what it is for.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from ap_simulator.bill.identifiers import PREFIXES, identifier
from ap_simulator.bill.wire import stamp

Record = dict[str, Any]

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")

_SERIES: Final = "larkfield"
_PART_PREFIXES: Final = {
    "bill_lines": "bli",
    "bill_payments": "blp",
    "credit_lines": "vci",
    "recurring_lines": "rbl",
    "payment_voids": "pvd",
}


def bill_id(collection: str, ordinal: int) -> str:
    """The id of the `ordinal`-th record of a BILL collection, or of a part such as `bill_lines`."""
    prefix = PREFIXES.get(collection) or _PART_PREFIXES[collection]
    return identifier(prefix, seed=_SERIES, number=ordinal)


def cents(amount: Decimal) -> Decimal:
    """`amount` to the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def times(created: datetime, updated: datetime | None = None) -> Record:
    """`createdTime` and `updatedTime` of a record; equal unless it was changed later."""
    return {"createdTime": stamp(created), "updatedTime": stamp(updated or created)}


def without_unset(record: Record) -> Record:
    """`record` without the fields that are None or empty objects: BILL leaves them out."""
    return {key: value for key, value in record.items() if value is not None and value != {}}
