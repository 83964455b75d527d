"""Addresses of records in the web applications of both systems. Pure.

Only for the systems' own environments: with an address of its own, a setting leads elsewhere, and there is
no application to point to. BILL documents no address for a single record, so its link opens the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

_QUICKBOOKS = {
    "production": "https://app.qbo.intuit.com/app/",
    "sandbox": "https://app.sandbox.qbo.intuit.com/app/",
}
_PAGES = {
    "Vendor": ("vendordetail", "nameId"),
    "PurchaseOrder": ("purchaseorder", "txnId"),
    "Bill": ("bill", "txnId"),
    "VendorCredit": ("vendorcredit", "txnId"),
    "BillPayment": ("billpayment", "txnId"),
}
_BILL = {
    "production": "https://app.bill.com/",
    "sandbox": "https://login.stage.us.bill.com/neo/login",
}
#: What the records of a stream become, with purchase orders and with bills.
_ORDERED = {
    "vendors": "Vendor",
    **dict.fromkeys(("bills", "bill_payments", "restored_orders"), "PurchaseOrder"),
}
_POSTED = {
    "vendors": "Vendor",
    **dict.fromkeys(("bills", "restored_orders"), "Bill"),
    "vendor_credits": "VendorCredit",
    "bill_payments": "BillPayment",
}


def entity_of(config: Mapping[str, Any], stream: str) -> str:
    """What the target's settings make of the records of a stream; empty if nothing."""
    if config.get("transaction_type") != "bill":
        return _ORDERED.get(stream, "")
    noted = stream == "bill_payments" and config.get("post_payments") == "never"
    return "Bill" if noted else _POSTED.get(stream, "")


def quickbooks(config: Mapping[str, Any], entity: str, quickbooks_id: str) -> str:
    """The address of an object in QuickBooks; empty if there is none."""
    base = _QUICKBOOKS.get(str(config.get("environment") or "production"), "")
    if config.get("api_url") or not base or entity not in _PAGES or not quickbooks_id.isdecimal():
        return ""
    name, parameter = _PAGES[entity]
    return f"{base}{name}?{urlencode({parameter: quickbooks_id})}"


def bill(config: Mapping[str, Any]) -> str:
    """The address of BILL's application; empty if there is none."""
    return "" if config.get("api_url") else _BILL.get(str(config.get("environment") or "production"), "")
