"""The events that can be subscribed to (BILL manual 5.2)."""

from __future__ import annotations

from typing import Any, Final

VERSION: Final = "1"

#: Each event type with the key of its entity in the payload.
ENTITY_KEYS: Final = {
    "vendor.created": "vendor",
    "vendor.updated": "vendor",
    "vendor.archived": "vendor",
    "vendor.restored": "vendor",
    "bill.created": "bill",
    "bill.updated": "bill",
    "bill.archived": "bill",
    "bill.restored": "bill",
    "payment.updated": "payment",
    "payment.failed": "payment",
    "autopay.failed": "autopay",
    "mass-payment.updated": "massPayment",
    "bank-account.created": "bankAccount",
    "bank-account.updated": "bankAccount",
    "card-account.created": "cardAccount",
    "card-account.updated": "cardAccount",
    "invoice.created": "invoice",
    "invoice.updated": "invoice",
    "invoice.archived": "invoice",
    "invoice.restored": "invoice",
    "risk-verification.updated": "riskVerification",
}


def catalog() -> list[dict[str, Any]]:
    """The catalog as `GET /v3/events/catalog` answers it."""
    return [{"type": name, "versions": [VERSION]} for name in ENTITY_KEYS]
