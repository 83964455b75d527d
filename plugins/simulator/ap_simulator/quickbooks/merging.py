"""Merging two vendors, which people do in QuickBooks and the API cannot.

The losing vendor is gone (by switch inactive); its transactions, balance and webhooks' Merge event
go to the survivor.
"""

from __future__ import annotations

from decimal import Decimal

from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.formats import amount
from ap_simulator.quickbooks.naming import appends_suffix, deactivated_name
from ap_simulator.quickbooks.problems import not_found, refused
from ap_simulator.quickbooks.realm import Realm

_TRANSACTIONS = ("PurchaseOrder", "Bill", "BillPayment", "VendorCredit")


def merge_vendors(realm: Realm, *, losing: str, surviving: str) -> None:
    """Merge a vendor into another one.

    Args:
        realm: The company.
        losing: Id of the vendor that goes away.
        surviving: Id of the one that takes over.

    Raises:
        RefusedError: 610 for an unknown Id, 2600 for one vendor named twice or two currencies.
    """
    entity = ENTITIES["Vendor"]
    lost, kept = realm.record(entity.name, losing), realm.record(entity.name, surviving)
    if lost is None or kept is None:
        raise not_found()
    if lost is kept or lost.body.get("CurrencyRef") != kept.body.get("CurrencyRef"):
        raise refused("2600", "Two vendors of the same currency are needed for a merge.")
    for name in _TRANSACTIONS:
        for record in realm.tables[name].find("VendorRef", losing):
            body = {**record.body, "VendorRef": {"value": surviving}}
            realm.change(ENTITIES[name], record, body)
    zero = Decimal(0)
    balance = amount(lost.body.get("Balance", zero) + kept.body.get("Balance", zero))
    if realm.switches.merged_vendor == "gone":
        realm.remove(entity, lost)
    else:
        rest = {**lost.body, "Active": False, "Balance": zero}
        if appends_suffix(realm, entity):
            rest["DisplayName"] = deactivated_name(realm, "Vendor", lost.body["DisplayName"], lost)
        realm.change(entity, lost, rest)
    realm.change(entity, kept, {**kept.body, "Balance": balance})
    realm.told(entity, surviving, "Merge", deleted_id=losing)
