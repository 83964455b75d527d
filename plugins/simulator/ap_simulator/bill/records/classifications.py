"""Accounts, classes, departments, locations, items, jobs and employees (BILL manual 4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.list_fields import Kind, ListField
from ap_simulator.bill.records.archiving import set_archived
from ap_simulator.bill.records.schema import Flag, Number, Object, Text, choice, merged, read_body
from ap_simulator.bill.records.shapes import ID, NAME
from ap_simulator.bill.wire import Record

ACCOUNTS: Final = "chart_of_accounts"
PARENT_ID: Final = ListField("parentId", ("parentId",), Kind.TEXT)

_ACCOUNT_TYPES: Final = choice(
    "UNSPECIFIED",
    "ACCOUNTS_PAYABLE",
    "ACCOUNTS_RECEIVABLE",
    "BANK",
    "COST_OF_GOODS_SOLD",
    "CREDIT_CARD",
    "EQUITY",
    "EXPENSE",
    "FIXED_ASSET",
    "INCOME",
    "LONG_TERM_LIABILITY",
    "OTHER_ASSET",
    "OTHER_CURRENT_ASSET",
    "OTHER_CURRENT_LIABILITY",
    "OTHER_EXPENSE",
    "OTHER_INCOME",
    "NON_POSTING",
)
_COMMON: Final = {"name": NAME, "description": Text(), "parentId": ID}
_PLAIN: Final = Object({**_COMMON, "shortName": NAME}, ("name",))
_SHAPES: Final[Mapping[str, Object]] = {
    ACCOUNTS: Object(
        {**_COMMON, "account": Object({"type": _ACCOUNT_TYPES, "number": Text(longest=50)}, ("type",))},
        ("name", "account"),
    ),
    "accounting_classes": _PLAIN,
    "departments": _PLAIN,
    "locations": _PLAIN,
    "jobs": _PLAIN,
    "employees": Object(
        {"firstName": NAME, "lastName": NAME, "shortName": NAME, "parentId": ID},
        ("firstName", "lastName"),
    ),
    "items": Object(
        {
            **_COMMON,
            "shortName": NAME,
            # Of the types only five are known from samples: any capitals are taken.
            "type": Text(pattern="[A-Z_]{1,40}"),
            "price": Number(decimals=6),
            "expenseChartOfAccountId": ID,
            "purchaseDescription": Text(),
            "purchaseCost": Number(decimals=6),
            "chartOfAccountId": ID,
            "taxable": Flag(),
            "percentage": Number(decimals=6),
        },
        ("type", "name"),
    ),
}
#: The classification types, and the key that wraps the answer of their bulk requests.
BULK_KEYS: Final = {
    ACCOUNTS: "chartOfAccounts",
    "accounting_classes": "accountingClasses",
    "departments": "departments",
    "locations": "locations",
    "items": "items",
    "jobs": "jobs",
    "employees": "employees",
}


def create(books: Books, collection: str, body: Any, *, where: str = "") -> Record:
    """Add a classification.

    Raises:
        Refusal: 400: the body is invalid or names something that does not exist.
    """
    values = read_body(_SHAPES[collection], body, books.switches, where=where)
    _check_references(books, collection, values)
    return books.create(collection, {"archived": False, **values})


def patch(books: Books, collection: str, record_id: str, body: Any, *, where: str = "") -> Record:
    """Change a classification.

    Raises:
        Refusal: 404 BDC_1205, or 400: the body is invalid or names something that does not exist.
    """
    old = books.get(collection, record_id)
    changes = read_body(_SHAPES[collection], body, books.switches, partial=True, where=where)
    _check_references(books, collection, changes)
    return books.save(collection, merged(old, changes))


def archive(books: Books, collection: str, record_id: str, *, archived: bool) -> Record:
    """Archive or restore a classification.

    Archiving an account archives all accounts below it and moves their `updatedTime`; restoring it
    restores it alone (BILL manual 6).

    Raises:
        Refusal: 404 BDC_1205.
    """
    with books.transaction():
        record = set_archived(books, collection, record_id, archived=archived)
        cascades = books.switches.parent_account_archives_children
        if archived and collection == ACCOUNTS and cascades:
            _archive_children(books, record_id, {record_id})
    return record


def _archive_children(books: Books, parent_id: str, seen: set[str]) -> None:
    for child in books[ACCOUNTS].with_value(PARENT_ID, parent_id):
        if child["id"] not in seen:
            seen.add(child["id"])
            set_archived(books, ACCOUNTS, child["id"], archived=True)
            _archive_children(books, child["id"], seen)


def _check_references(books: Books, collection: str, values: Mapping[str, Any]) -> None:
    for name, target in (
        ("parentId", collection),
        ("chartOfAccountId", ACCOUNTS),
        ("expenseChartOfAccountId", ACCOUNTS),
    ):
        if values.get(name) is not None:
            books.reference(name, target, values[name])
