"""QuickBooks' side of the company's structure: accounts, classes, departments, items, terms, names.

Inactive entries have their plain names here; the service marks them as it does deactivated ones.
Customers, vendors and employees share one series of ids, as the names they carry share one space.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ap_simulator.company.calendar import BOOKS_OPENED
from ap_simulator.company.chart import ACCOUNTS, Account
from ap_simulator.company.identities import DEMO
from ap_simulator.company.structure import (
    ACCOUNTING_CLASSES,
    CUSTOMERS,
    DEPARTMENTS,
    EMPLOYEES,
    ITEMS,
    JOBS,
    LOCATIONS,
    Employee,
    Item,
    Node,
    full_name,
)
from ap_simulator.quickbooks.formats import stored_time
from ap_simulator.quickbooks.profile import RealmProfile

Entity = dict[str, Any]

#: Home units for one foreign unit.
EXCHANGE_RATES: Final = {
    "CAD": Decimal("0.7284"),
    "EUR": Decimal("1.0865"),
    "GBP": Decimal("1.2718"),
}

_CURRENCY_NAMES: Final = {
    "USD": "United States Dollar",
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
}
#: Classes are numbered in 19 digits, beyond what a double holds exactly.
_FIRST_CLASS_ID: Final = 5_000_000_000_000_241_001
_ACCOUNT_PACE: Final = timedelta(seconds=20)


@dataclass(slots=True)
class QuickBooksLists:
    """Records by entity, and their ids by the keys of `chart` and `structure`."""

    records: dict[str, list[Entity]] = field(default_factory=dict)
    _ids: dict[tuple[str, str], str] = field(default_factory=dict)
    _last_name_id: int = 0

    def id_of(self, entity: str, key: str) -> str:
        """The id of the entry `key` of an entity."""
        return self._ids[entity, key]

    def reference(self, entity: str, key: str, name: str) -> dict[str, str]:
        """A reference to the entry `key`."""
        return {"value": self._ids[entity, key], "name": name}

    def next_name_id(self) -> str:
        """The next id of the series that customers, vendors and employees share."""
        self._last_name_id += 1
        return str(self._last_name_id)

    def add(self, entity: str, key: str, entity_id: str, body: Entity) -> None:
        """Add an entry under the id given."""
        entries = self.records.setdefault(entity, [])
        self._ids[entity, key] = entity_id
        moment = BOOKS_OPENED + len(entries) * _ACCOUNT_PACE
        entries.append(entity_record(entity_id, body, created=moment))


def realm_profile() -> RealmProfile:
    """The company as QuickBooks knows it: Plus, several currencies, classes by line, locations."""
    return RealmProfile(
        name=DEMO.company_name,
        legal_name=f"{DEMO.company_name}, Inc.",
        country="US",
        home_currency="USD",
        multicurrency=True,
        plan="Plus",
        class_tracking="line",
        track_departments=True,
        department_terminology="Location",
        account_numbers=True,
        custom_txn_numbers=True,
        book_close_date=None,
        exchange_rates=EXCHANGE_RATES,
        address={
            "Line1": "815 Congress Avenue",
            "Line2": "Floor 4",
            "City": "Austin",
            "CountrySubDivisionCode": "TX",
            "PostalCode": "78701",
            "Country": "US",
        },
        email="books@larkfield.example",
    )


def quickbooks_lists() -> QuickBooksLists:
    """Everything that a purchase order can refer to, vendors apart, and the names in use."""
    lists = QuickBooksLists()
    for account in ACCOUNTS:
        if account.in_quickbooks:
            _add_account(lists, account)
    _add_classes(lists)
    _add_tree(lists, "Department", LOCATIONS, first_id=1, flag="SubDepartment")
    _add_terms(lists)
    for number, code in enumerate(EXCHANGE_RATES, 1):
        body = {"Code": code, "Name": _CURRENCY_NAMES[code], "Active": True}
        lists.add("CompanyCurrency", code, str(number), body)
    _add_items(lists)
    for customer in (*CUSTOMERS, *JOBS):
        _add_customer(lists, customer)
    for employee in EMPLOYEES:
        _add_employee(lists, employee)
    return lists


def entity_record(
    entity_id: str, body: Entity, *, created: datetime, updated: datetime | None = None
) -> Entity:
    """An entity as QuickBooks stores it, never changed unless `updated`."""
    return {
        **body,
        "domain": "QBO",
        "sparse": False,
        "Id": entity_id,
        "SyncToken": "0" if updated is None else "1",
        "MetaData": {
            "CreateTime": stored_time(created),
            "LastUpdatedTime": stored_time(updated or created),
        },
    }


def currency_reference(currency: str) -> dict[str, str]:
    """A reference to a currency."""
    return {"value": currency, "name": _CURRENCY_NAMES[currency]}


def _add_account(lists: QuickBooksLists, account: Account) -> None:
    body: Entity = {
        "Name": account.name,
        "SubAccount": bool(account.parent),
        "FullyQualifiedName": full_name(_as_node(account), _ACCOUNT_NODES),
        "Active": account.active_in_quickbooks,
        "Classification": account.kind.classification,
        "AccountType": account.kind.quickbooks_type,
        "AccountSubType": account.kind.quickbooks_subtype,
        "CurrentBalance": Decimal(0),
        "CurrentBalanceWithSubAccounts": Decimal(0),
        "CurrencyRef": currency_reference(account.currency),
    }
    if account.number:
        body["AcctNum"] = account.number
    if account.parent:
        body["ParentRef"] = {"value": lists.id_of("Account", account.parent)}
    lists.add("Account", account.key, str(len(lists.records.get("Account", [])) + 1), body)


def _as_node(account: Account) -> Node:
    return Node(key=account.key, name=account.name, parent=account.parent)


_ACCOUNT_NODES: Final = tuple(_as_node(account) for account in ACCOUNTS)


def _add_classes(lists: QuickBooksLists) -> None:
    nodes = (*ACCOUNTING_CLASSES, *DEPARTMENTS)
    _add_tree(lists, "Class", nodes, first_id=_FIRST_CLASS_ID, flag="SubClass")


def _add_tree(
    lists: QuickBooksLists, entity: str, nodes: tuple[Node, ...], *, first_id: int, flag: str
) -> None:
    for number, node in enumerate(nodes):
        body: Entity = {
            "Name": node.name,
            flag: bool(node.parent),
            "FullyQualifiedName": full_name(node, nodes),
            "Active": True,
        }
        if node.parent:
            body["ParentRef"] = {"value": lists.id_of(entity, node.parent)}
        lists.add(entity, node.key, str(first_id + number), body)


def _add_terms(lists: QuickBooksLists) -> None:
    terms: Iterable[tuple[str, int]] = (
        ("Due on receipt", 0),
        ("Net 15", 15),
        ("Net 30", 30),
        ("Net 60", 60),
    )
    for number, (name, days) in enumerate(terms, 1):
        body: Entity = {"Name": name, "Active": True, "Type": "STANDARD", "DueDays": days}
        lists.add("Term", name, str(number), body)


def _add_items(lists: QuickBooksLists) -> None:
    nodes = tuple(Node(key=item.key, name=item.name, parent=item.parent) for item in ITEMS)
    for number, (item, node) in enumerate(zip(ITEMS, nodes, strict=True), 1):
        body: Entity = {
            "Name": item.name,
            "FullyQualifiedName": full_name(node, nodes),
            "Active": True,
            "Type": item.quickbooks_type,
            "SubItem": bool(item.parent),
            "Level": 1 if item.parent else 0,
        }
        if item.parent:
            body["ParentRef"] = {"value": lists.id_of("Item", item.parent)}
        if item.quickbooks_type != "Category":
            body |= _item_details(lists, item)
        lists.add("Item", item.key, str(number), body)


def _item_details(lists: QuickBooksLists, item: Item) -> Entity:
    details: Entity = {"Taxable": False, "TrackQtyOnHand": False}
    if item.price is not None:
        revenue = "license_revenue" if item.quickbooks_type == "NonInventory" else "managed_revenue"
        details |= {
            "Description": item.name,
            "UnitPrice": item.price,
            "IncomeAccountRef": {"value": lists.id_of("Account", revenue)},
        }
    if item.purchasable:
        details |= {
            "PurchaseDesc": item.name,
            "PurchaseCost": item.cost,
            "ExpenseAccountRef": {"value": lists.id_of("Account", item.account)},
        }
    return details


def _add_customer(lists: QuickBooksLists, customer: Node) -> None:
    body: Entity = {
        "DisplayName": customer.name,
        "FullyQualifiedName": full_name(customer, (*CUSTOMERS, *JOBS)),
        "PrintOnCheckName": customer.name,
        "Active": True,
        "Job": bool(customer.parent),
        "BillWithParent": bool(customer.parent),
        "Taxable": False,
        "Balance": Decimal(0),
        "BalanceWithJobs": Decimal(0),
        "CurrencyRef": currency_reference("USD"),
    }
    if customer.parent:
        body |= {"ParentRef": {"value": lists.id_of("Customer", customer.parent)}, "Level": 1}
    else:
        body["CompanyName"] = customer.name
    lists.add("Customer", customer.key, lists.next_name_id(), body)


def _add_employee(lists: QuickBooksLists, employee: Employee) -> None:
    name = f"{employee.first_name} {employee.last_name}"
    body: Entity = {
        "GivenName": employee.first_name,
        "FamilyName": employee.last_name,
        "DisplayName": name,
        "PrintOnCheckName": name,
        "Active": True,
        "BillableTime": False,
    }
    lists.add("Employee", name, lists.next_name_id(), body)
