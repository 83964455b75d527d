"""What a payment's `singleStatus` means for the payment and for the bills it pays.

The statuses and their usual path are BILL's; which of the coarser `status` values goes with each,
and when a bill counts as paid, is documented only in part.
"""

from __future__ import annotations

from typing import Final

SCHEDULED: Final = "SCHEDULED"
CANCELED: Final = "CANCELED"
VOIDED: Final = "VOIDED"
VOID_PENDING: Final = "VOID_PENDING"
CLEARED: Final = "CLEARED"

#: Money is on its way, or stuck on it: the bill's amount is `scheduled`.
IN_PROCESS: Final = frozenset(
    {
        "FUNDING_STARTED",
        "PROCESSED",
        "SENT",
        "DELIVERED",
        "EXPIRING",
        VOID_PENDING,
        "DISBURSEMENT_ON_HOLD",
        "DISBURSEMENT_FAILED_ACTION_NEEDED",
        "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
        "FUNDING_FAILED_ACTION_NEEDED",
    }
)
#: The bill is paid.
PAID: Final = frozenset({CLEARED, "FUNDS_ESCHEATED"})
#: Nothing is paid: the bill is open again.
DEAD: Final = frozenset({CANCELED, VOIDED, "FUNDING_FAILED_VOIDED"})
SINGLE_STATUSES: Final = frozenset({SCHEDULED}) | IN_PROCESS | PAID | DEAD

_MONEY_SENT: Final = frozenset({"PROCESSED", "SENT", "DELIVERED", "EXPIRING", VOID_PENDING}) | PAID
_DISBURSEMENT_FAILED: Final = frozenset(
    {"DISBURSEMENT_FAILED_ACTION_NEEDED", "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED"}
)


def coarse_status(single_status: str) -> str:
    """The payment's `status`."""
    if single_status == CANCELED:
        return "CANCELLED"
    if single_status in DEAD:
        return "VOID"
    return "PAID" if single_status in _MONEY_SENT else "SCHEDULED"


def disbursement_status(single_status: str) -> str | None:
    """The payment's `disbursementStatus`; None while nothing has been disbursed."""
    if single_status in _DISBURSEMENT_FAILED:
        return "FAILED"
    if single_status == "DISBURSEMENT_ON_HOLD":
        return "HOLD"
    return "DONE" if single_status in _MONEY_SENT else None


def is_voidable(single_status: str) -> bool:
    """Whether a void can be asked for: the money has left, and was not claimed back yet."""
    return single_status in (_MONEY_SENT | IN_PROCESS) - {VOID_PENDING, "FUNDS_ESCHEATED"}
