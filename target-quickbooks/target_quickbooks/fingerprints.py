"""Fingerprints of BILL records, by which unchanged ones are passed over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_quickbooks.exact_json import fingerprint

#: Fields of vendors and bills that change without anybody editing them, and may do so without moving
#: ``updatedTime`` (BILL manual 4.1 to 4.3).
_KEPT_BY_BILL = frozenset(
    {
        "balance",
        "creditAmount",
        "dueAmount",
        "paidAmount",
        "paymentStatus",
        "scheduledAmount",
        "updatedTime",
        "vendorName",
    }
)
_HALF = 32


def source_digest(record: Mapping[str, Any], settings: str, key: bytes) -> str:
    """Fingerprint of a record and of the policies, as text, that decide what becomes of it.

    Its first half is of what people enter, the second of what BILL itself keeps: balances and payments.
    """
    entered = {name: value for name, value in record.items() if name not in _KEPT_BY_BILL}
    kept = {name: value for name, value in record.items() if name in _KEPT_BY_BILL}
    return fingerprint([settings, entered], key)[:_HALF] + fingerprint(kept, key)[:_HALF]


def same_entry(one: str, other: str) -> bool:
    """Whether two fingerprints of a record are of the same entry, whatever was paid in between."""
    return one[:_HALF] == other[:_HALF]
