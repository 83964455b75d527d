"""BILL's side of the company's structure: chart of accounts, classifications, customers, people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from ap_simulator.company.bill_format import Record, bill_id, times, without_unset
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
    JOBS_NESTED_IN_BILL,
    LOCATIONS,
    Item,
    Node,
    full_name,
)

_JOB_PARENT: Final = "job_of_"
#: Records of the lists are created one a minute from the day the books were opened.
_PACE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class BillLists:
    """Records by collection, and their ids by the keys of `chart` and `structure`."""

    records: dict[str, list[Record]] = field(default_factory=dict)
    _ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def id_of(self, collection: str, key: str) -> str:
        """The id of the entry `key` of a collection."""
        return self._ids[collection, key]

    def add(self, collection: str, key: str, **body: object) -> None:
        """Add an entry; what is None is left out."""
        entries = self.records.setdefault(collection, [])
        record_id = bill_id(collection, len(entries) + 1)
        self._ids[collection, key] = record_id
        moment = BOOKS_OPENED + len(entries) * _PACE
        entries.append(without_unset({"id": record_id, "archived": False, **body, **times(moment)}))

    def parent_of(self, collection: str, key: str) -> str | None:
        """The id of the entry above, None at the top."""
        return self._ids[collection, key] if key else None


def bill_lists() -> BillLists:
    """Everything in BILL that bills refer to, vendors apart."""
    lists = BillLists()
    for account in ACCOUNTS:
        if account.in_bill:
            _add_account(lists, account)
    for collection, nodes in (
        ("accounting_classes", ACCOUNTING_CLASSES),
        ("departments", DEPARTMENTS),
        ("locations", LOCATIONS),
    ):
        for node in nodes:
            _add_node(lists, collection, node)
    _add_jobs(lists)
    for item in ITEMS:
        _add_item(lists, item)
    for number, customer in enumerate(CUSTOMERS, 1):
        _add_customer(lists, customer, number)
    for employee in EMPLOYEES:
        lists.add(
            "employees",
            f"{employee.first_name} {employee.last_name}",
            firstName=employee.first_name,
            lastName=employee.last_name,
            shortName=f"{employee.first_name[0]}{employee.last_name[0]}",
        )
    return lists


def organization() -> Record:
    """The company's own record (BILL manual 4.7)."""
    address = {
        "line1": "815 Congress Avenue",
        "line2": "Floor 4",
        "city": "Austin",
        "stateOrProvince": "TX",
        "zipOrPostalCode": "78701",
        "country": "US",
        "countryName": "United States",
    }
    return {
        "id": DEMO.organization_id,
        "archived": False,
        "name": DEMO.company_name,
        "address": address,
        "mailingAddress": address,
        "phone": "5125550140",
        "companyOwner": {"name": "Helen Marchetti", "dateOfBirth": "1974-05-17"},
        "taxId": "070815204",
        "taxIdType": "EIN",
        "industry": "Software",
        "accountType": "BUSINESS",
        "processingOptions": {
            "mailingAddressSameAsPhysical": True,
            "individualTransferOut": True,
            "individualTransferIn": False,
        },
        **times(BOOKS_OPENED),
    }


def _add_account(lists: BillLists, account: Account) -> None:
    number = account.number if account.bill_number is None else account.bill_number
    lists.add(
        "chart_of_accounts",
        account.key,
        archived=account.archived_in_bill,
        name=account.bill_name or account.name,
        parentId=lists.parent_of("chart_of_accounts", account.parent if account.bill_nested else ""),
        account=without_unset({"type": account.kind.bill_type, "number": number or None}),
    )


def _add_node(lists: BillLists, collection: str, node: Node) -> None:
    lists.add(
        collection,
        node.key,
        archived=node.archived_in_bill,
        name=node.name,
        shortName=node.name[:12].strip(),
        parentId=lists.parent_of(collection, node.parent),
    )


def _add_jobs(lists: BillLists) -> None:
    for customer in CUSTOMERS:
        if customer.key in JOBS_NESTED_IN_BILL:
            lists.add("jobs", _JOB_PARENT + customer.key, name=customer.name)
    for job in JOBS:
        nested = job.parent in JOBS_NESTED_IN_BILL
        lists.add(
            "jobs",
            job.key,
            name=job.name if nested else full_name(job, (*CUSTOMERS, *JOBS)),
            description=f"Project {job.name}",
            parentId=lists.parent_of("jobs", _JOB_PARENT + job.parent if nested else ""),
        )


def _add_item(lists: BillLists, item: Item) -> None:
    account = lists.id_of("chart_of_accounts", item.account) if item.account else None
    lists.add(
        "items",
        item.key,
        type=item.bill_type,
        name=item.name,
        description=item.name,
        parentId=lists.parent_of("items", item.parent),
        price=item.price,
        purchaseDescription=item.name if item.purchasable else None,
        purchaseCost=item.cost,
        expenseChartOfAccountId=account,
        taxable=False,
    )


def _add_customer(lists: BillLists, customer: Node, number: int) -> None:
    domain = "".join(letter for letter in customer.name.lower() if letter.isalnum())
    address = {
        "line1": f"{100 + 17 * number} Market Street",
        "city": "Austin",
        "stateOrProvince": "TX",
        "zipOrPostalCode": f"787{number:02d}",
        "country": "US",
        "countryName": "United States",
    }
    lists.add(
        "customers",
        customer.key,
        name=customer.name,
        companyName=customer.name,
        email=f"payables@{domain}.example",
        phone=f"512555{2000 + number}",
        invoiceCurrency="USD",
        accountType="BUSINESS",
        accountNumber=f"C-{1000 + number}",
        billingAddress=address,
        balance={"amount": 0},
        hasBankAccount=False,
    )
