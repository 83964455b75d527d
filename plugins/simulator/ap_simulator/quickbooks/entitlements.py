"""What a company's plan, preferences and subscription let it do (QuickBooks manual 6.2, 7.3)."""

from __future__ import annotations

from typing import Final

from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.problems import feature_off, refused
from ap_simulator.quickbooks.realm import Realm

_EXPIRED: Final = (
    "Subscription period has ended or canceled or there was a billing problem : You can't add "
    "data to QuickBooks Online because your trial or subscription period ended."
)


def check_company(realm: Realm, entity: EntityType, *, writes: bool) -> None:
    """Refuse what the company's plan or subscription does not offer.

    Raises:
        RefusedError: 5020 (by switch 5030) for purchase orders, 6190 for an ended subscription.
    """
    if entity.name == "PurchaseOrder" and not realm.profile.has_purchase_orders:
        refusal = feature_off(realm.switches.purchase_orders_missing)
        refusal.status = realm.switches.purchase_orders_missing_status
        raise refusal
    if writes and realm.profile.subscription == "EXPIRED":
        raise refused("6190", _EXPIRED)
