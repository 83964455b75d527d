"""Whether what a record refers to exists, is active and may be used there.

Refusals: 2500 with the texts of the manual, 6430 or 6000 for accounts of the wrong type, 6000 and
2500 for items, 5030 for classes and locations that are not tracked (QuickBooks manual 6, 7.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ap_simulator.quickbooks.currencies import CURRENCIES
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.problems import (
    RefusedError,
    business,
    feature_off,
    inactive_reference,
    refused,
    unknown_reference,
)
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.writing.context import Write

PAYABLE: Final = "Accounts Payable"
RECEIVABLE: Final = "Accounts Receivable"
BANK: Final = "Bank"
CREDIT_CARD: Final = "Credit Card"
EXPENSES: Final = frozenset({"Expense", "Other Expense", "Cost of Goods Sold"})
_WRONG_ACCOUNT: Final = "You need to select a different type of account for this transaction."
_CATEGORY: Final = (
    "Invalid Reference Id : An item in this transaction is set up as a category instead of a "
    "product or service."
)

Ref = Mapping[str, Any]


def resolve(write: Write, entity: str, ref: Ref) -> Record:
    """The record that a reference points to: active, or referred to before (by switch).

    Raises:
        RefusedError: 2500; there is none, or it is inactive.
    """
    record = write.realm.record(entity, ref["value"])
    if record is None:
        raise unknown_reference(ENTITIES[entity].label or entity, ref["value"])
    if record.body.get("Active") is False:
        kept = write.realm.switches.kept_inactive_references == "accept"
        if not (kept and write.refers_already(entity, record.id)):
            raise inactive_reference()
    return record


def account(write: Write, ref: Ref, *, fits: Callable[[str], bool]) -> Record:
    """The active account of a type that `fits` accepts.

    Raises:
        RefusedError: 2500, or 6430 (by switch 6000) for a wrong type.
    """
    record = resolve(write, "Account", ref)
    if not fits(str(record.body.get("AccountType"))):
        raise wrong_account_type(write.realm)
    return record


def wrong_account_type(realm: Realm) -> RefusedError:
    """The refusal of an account whose type does not fit."""
    if realm.switches.wrong_account_type == "6000":
        return business(_WRONG_ACCOUNT)
    return refused("6430", f"Invalid account type: {_WRONG_ACCOUNT}")


def line_account(write: Write, ref: Ref) -> Record:
    """The account of an expense line."""
    if write.realm.switches.account_line_types == "expense":
        return account(write, ref, fits=EXPENSES.__contains__)
    return account(write, ref, fits=lambda kind: kind not in {PAYABLE, RECEIVABLE})


def line_item(write: Write, ref: Ref) -> Record:
    """The item of a purchase line: active, no category, with an account to book on."""
    item = resolve(write, "Item", ref)
    if item.body.get("Type") == "Category":
        raise refused("2500", _CATEGORY)
    if "ExpenseAccountRef" not in item.body:
        raise business("You must select an account for this transaction.")
    return item


def payable_accounts(realm: Realm) -> list[Record]:
    """The company's active accounts payable."""
    return [
        record
        for record in realm.tables["Account"].find("AccountType", PAYABLE.casefold())
        if record.body.get("Active") is not False
    ]


def tracked(write: Write, entity: str, ref: Ref | None, *, on: bool) -> Ref | None:
    """A class or location as far as the company tracks them.

    Args:
        write: What carries it.
        entity: `Class` or `Department`.
        ref: What was sent, None for nothing.
        on: Whether it is tracked in this place.

    Returns:
        The reference to store, None for none.

    Raises:
        RefusedError: 5030 where it is not tracked (by switch dropped), 2500 for a bad one.
    """
    if ref is None:
        return None
    if not on:
        if write.realm.switches.tracking_off == "drop":
            return None
        raise feature_off()
    resolve(write, entity, ref)
    return ref


def tax_code(write: Write, ref: Ref) -> None:
    """Check the tax code of a line: TAX or NON in the US, a TaxCode elsewhere.

    Raises:
        RefusedError: 6100 in the US, 2500 (by switch 6160) elsewhere.
    """
    if write.realm.profile.country == "US":
        if ref["value"] not in {"TAX", "NON"}:
            raise refused("6100", "Invalid Line TaxCode in the request. Line TaxCode can be TAX or NON.")
        return
    if write.realm.switches.bad_tax_code == "6160":
        code = write.realm.record("TaxCode", ref["value"])
        if code is None or code.body.get("Active") is False:
            raise refused("6160", f"Invalid TaxCodeRef in the request. Supplied value:{ref['value']}")
    resolve(write, "TaxCode", ref)


def currency(realm: Realm, ref: Ref | None) -> str:
    """The currency of a new person or account.

    Returns:
        Its code; the home currency if none was sent.

    Raises:
        RefusedError: 2220 for no currency at all, or what the switch says for a foreign one in a
            company without multicurrency.
    """
    home = realm.profile.home_currency
    if ref is None:
        return home
    code = str(ref["value"])
    if code not in CURRENCIES:
        raise refused("2220", f"Invalid Currency Type. Supplied value:{code}", "CurrencyRef")
    if code != home and not realm.profile.multicurrency:
        if realm.switches.multicurrency_off == "ignore":
            return home
        raise feature_off(realm.switches.multicurrency_off)
    return code
