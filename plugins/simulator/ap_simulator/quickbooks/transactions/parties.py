"""Who a transaction is with and in which currency: vendor, A/P account, currency, rate, location."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from ap_simulator.quickbooks import references
from ap_simulator.quickbooks.problems import RefusedError, business, missing, unparsable
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.transactions.lines import line_detail
from ap_simulator.quickbooks.writing.context import Write

_ONE: Final = Decimal(1)
_ONE_CURRENCY: Final = "You can only use one foreign currency per transaction."


def settle_vendor(write: Write) -> Record:
    """Check the vendor that was sent; return the one that holds.

    Raises:
        RefusedError: 2500.
    """
    ref = write.body["VendorRef"]
    if not write.sends("VendorRef"):
        vendor = write.realm.record("Vendor", ref["value"])
        if vendor is not None:
            return vendor
    return references.resolve(write, "Vendor", ref)


def settle_currency(write: Write, vendor: Record) -> str:
    """Settle currency and rate; the currency is the vendor's.

    Raises:
        RefusedError: 2020 without CurrencyRef in a multicurrency company (by switch), 6000 for one
            that is not the vendor's, 5030 (by switch) for a foreign one without multicurrency.
    """
    body, profile = write.body, write.realm.profile
    home = profile.home_currency
    theirs = vendor.body.get("CurrencyRef", {}).get("value", home)
    if profile.multicurrency:
        absent = "CurrencyRef" not in body or (not write.sparse and not write.sends("CurrencyRef"))
        if absent and write.realm.switches.currency_required:
            raise RefusedError([missing("CurrencyRef")])
        code = str(body.get("CurrencyRef", {}).get("value", theirs))
        if code != theirs:
            raise business(_ONE_CURRENCY)
    else:
        code = references.currency(write.realm, body.get("CurrencyRef"))
    body["CurrencyRef"] = {"value": code}
    if not profile.multicurrency:
        body.pop("ExchangeRate", None)
    elif code == home:
        body["ExchangeRate"] = _ONE
    elif not body.get("ExchangeRate"):
        body["ExchangeRate"] = profile.exchange_rates.get(code, _ONE)
    return code


def settle_payable_account(write: Write, currency: str, *, implied: bool) -> None:
    """Settle the A/P account.

    Args:
        write: The transaction.
        currency: Of the transaction.
        implied: Whether the company's account is taken if there are several that would do.

    Raises:
        RefusedError: 2500 and 6430 for a bad one; 2020 if none was sent and none is implied.
    """
    body, realm = write.body, write.realm
    ref = body.get("APAccountRef")
    if ref is not None:
        if write.sends("APAccountRef"):
            account = references.account(write, ref, fits=lambda kind: kind == references.PAYABLE)
            check_account_currency(realm, account, currency)
        return
    accounts = references.payable_accounts(realm)
    own = [a for a in accounts if account_currency(realm, a) == currency] or [
        a for a in accounts if account_currency(realm, a) == realm.profile.home_currency
    ]
    if not own or (len(own) > 1 and not implied):
        raise RefusedError([missing("APAccountRef")])
    body["APAccountRef"] = {"value": own[0].id}


def check_line_currencies(write: Write, currency: str) -> None:
    """Refuse accounts on lines that are kept in another foreign currency.

    Raises:
        RefusedError: 6000.
    """
    if not write.realm.profile.multicurrency or not write.sends("Line"):
        return
    for line in write.body["Line"]:
        ref: dict[str, Any] | None = line_detail(line).get("AccountRef")
        if ref is not None:
            account = references.resolve(write, "Account", ref)
            check_account_currency(write.realm, account, currency)


def account_currency(realm: Realm, account: Record) -> str:
    """The currency an account is kept in."""
    return str(account.body.get("CurrencyRef", {}).get("value", realm.profile.home_currency))


def check_account_currency(realm: Realm, account: Record, currency: str) -> None:
    """Refuse an account in a foreign currency other than the transaction's.

    Raises:
        RefusedError: 6000.
    """
    if account_currency(realm, account) not in {currency, realm.profile.home_currency}:
        raise business(_ONE_CURRENCY)


def settle_department(write: Write) -> None:
    """Settle the location of the whole transaction.

    Raises:
        RefusedError: 2500, 5030, or by switch 2010 on a purchase order.
    """
    body, realm = write.body, write.realm
    if not write.sends("DepartmentRef"):
        return
    if write.entity.name == "PurchaseOrder":
        rule = realm.switches.purchase_order_department
        if rule == "reject":
            raise unparsable()
        if rule == "drop":
            body.pop("DepartmentRef", None)
            return
    ref = references.tracked(
        write, "Department", body.get("DepartmentRef"), on=realm.profile.track_departments
    )
    if ref is None:
        body.pop("DepartmentRef", None)
