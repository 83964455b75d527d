"""How the company is organized: classes, departments, locations, customers, jobs, items, people.

The same tables make BILL's classifications and QuickBooks' lists. Parents come before children.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A named entry of a tree: a class, a department, a location, a customer or a job.

    Attributes:
        key: What this package calls it.
        name: Its own name.
        parent: Key of the entry above; empty at the top.
        archived_in_bill: Whether BILL has archived it.
    """

    key: str
    name: str
    parent: str = ""
    archived_in_bill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A product or service.

    Attributes:
        key: What this package calls it.
        name: Its own name.
        parent: Key of the category above; empty at the top.
        quickbooks_type: `NonInventory`, `Service` or `Category`.
        bill_type: BILL's type; empty where the manual names none.
        price: Sales price; None for what is not sold.
        cost: Purchase cost; None for what is not bought.
        account: Key of the expense account; empty for what is not bought.
    """

    key: str
    name: str
    parent: str = ""
    quickbooks_type: str = "NonInventory"
    bill_type: str = "NON_INVENTORY"
    price: Decimal | None = None
    cost: Decimal | None = None
    account: str = ""

    @property
    def purchasable(self) -> bool:
        """Whether QuickBooks takes it on a purchase."""
        return bool(self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """One of the 40."""

    first_name: str
    last_name: str


def _node(key: str, name: str, parent: str = "") -> Node:
    return Node(key=key, name=name, parent=parent)


#: Lines of business: BILL's accounting classes, QuickBooks' classes.
ACCOUNTING_CLASSES: Final = (
    _node("consulting", "Consulting"),
    _node("cloud_migration", "Cloud Migration", "consulting"),
    _node("data_platforms", "Data Platforms", "consulting"),
    _node("managed", "Managed Services"),
    _node("product", "Product"),
    _node("overhead", "Overhead"),
    Node(key="legacy", name="Legacy Hosting", archived_in_bill=True),
)

#: QuickBooks has them as further classes, so that lines can be classed by department instead.
DEPARTMENTS: Final = (
    _node("engineering", "Engineering"),
    _node("platform", "Platform", "engineering"),
    _node("applications", "Applications", "engineering"),
    _node("client_services", "Client Services"),
    _node("sales", "Sales"),
    _node("marketing", "Marketing"),
    _node("finance", "Finance & Operations"),
    _node("people", "People"),
)

#: QuickBooks calls them departments.
LOCATIONS: Final = (
    _node("austin", "Austin"),
    _node("boston", "Boston"),
    _node("denver", "Denver"),
    _node("toronto", "Toronto"),
)

CUSTOMERS: Final = (
    _node("brightwater", "Brightwater Analytics"),
    _node("corvid", "Corvid Mutual Insurance"),
    _node("eastlake", "Eastlake School District"),
    _node("ferncliff", "Ferncliff Hospital Group"),
    _node("granite", "Granite State Credit Union"),
    _node("hollis", "Hollis & Wren Publishing"),
    _node("ironbark", "Ironbark Logistics"),
    _node("juno", "Juno Biosciences"),
    _node("kestrel", "Kestrel Airways"),
    _node("lumen", "Lumen Street Theatre"),
    _node("mesa", "Mesa Verde Outfitters"),
    _node("northgate", "Northgate Utilities"),
)

#: Sub-customers in QuickBooks, `Customer:Job` by full name.
JOBS: Final = (
    _node("corvid_claims", "Claims Portal", "corvid"),
    _node("corvid_migration", "Mainframe Migration", "corvid"),
    _node("eastlake_portal", "Parent Portal", "eastlake"),
    _node("ferncliff_records", "Records Exchange", "ferncliff"),
    _node("granite_mobile", "Mobile Banking", "granite"),
    _node("ironbark_routing", "Routing Engine", "ironbark"),
    _node("ironbark_tracking", "Parcel Tracking", "ironbark"),
    _node("juno_lims", "Lab Data Platform", "juno"),
    _node("kestrel_loyalty", "Loyalty Program", "kestrel"),
    _node("kestrel_ops", "Crew Rostering", "kestrel"),
    _node("mesa_shop", "Web Shop", "mesa"),
    _node("northgate_meters", "Meter Readings", "northgate"),
)

#: Customers whose jobs BILL knows by parent id; the others' names are the whole path.
JOBS_NESTED_IN_BILL: Final = frozenset({"corvid", "ironbark", "kestrel"})

ITEMS: Final = (
    Item(key="hardware", name="Hardware", quickbooks_type="Category", bill_type="GROUP"),
    Item(
        key="laptop",
        name="Laptop 14 inch",
        parent="hardware",
        cost=Decimal("1389.00"),
        account="computers",
    ),
    Item(
        key="monitor",
        name="Monitor 27 inch",
        parent="hardware",
        cost=Decimal("318.50"),
        account="computers",
    ),
    Item(
        key="dock",
        name="Docking Station",
        parent="hardware",
        cost=Decimal("164.25"),
        account="computers",
    ),
    Item(
        key="database_license",
        name="Database License",
        price=Decimal("610.00"),
        cost=Decimal("475.00"),
        account="resold_licenses",
    ),
    Item(
        key="backup_license",
        name="Backup License",
        price=Decimal("96.00"),
        cost=Decimal("71.90"),
        account="resold_licenses",
    ),
    Item(
        key="contract_hour",
        name="Contract Engineering Hour",
        quickbooks_type="Service",
        bill_type="SERVICE",
        price=Decimal("175.00"),
        cost=Decimal("110.00"),
        account="subcontractors",
    ),
    Item(
        key="hosting_unit",
        name="Hosting Unit",
        quickbooks_type="Service",
        bill_type="SERVICE",
        price=Decimal("42.00"),
        cost=Decimal("29.75"),
        account="hosting",
    ),
    Item(
        key="retainer",
        name="Advisory Retainer",
        quickbooks_type="Service",
        bill_type="SERVICE",
        price=Decimal("4500.00"),
    ),
    Item(
        key="support_plan",
        name="Support Plan",
        quickbooks_type="Service",
        bill_type="SERVICE",
        price=Decimal("890.00"),
    ),
)

_EMPLOYEE_NAMES: Final = (
    "Amara Okafor, Benjamin Hartley, Carmen Villalobos, Daniel Kwon, Elif Demir, Fiona Gallagher, "
    "Gabriel Santos, Hannah Lindqvist, Ibrahim Haddad, Joanna Kowalska, Kenji Watanabe, Laura Bianchi, "
    "Marcus Whitfield, Nadia Petrova, Oliver Bennett, Priya Raman, Quentin Moreau, Rosa Delgado, "
    "Samuel Achebe, Tara O'Connell, Uma Krishnan, Victor Nilsson, Wendy Chao, Xavier Fontaine, "
    "Yusuf Rahman, Zoe Papadakis, Andre Baptiste, Beatriz Lima, Colin Fraser, Deepa Nair, "
    "Erik Sørensen, Felicity Grant, Goran Kovač, Heather Mills-Young, Ines Carvalho, Jamal Carter, "
    "Katarina Novak, Liam Byrne, Mei-Ling Chen, Noah Abrams"
)
EMPLOYEES: Final = tuple(
    Employee(first_name=first, last_name=last)
    for first, last in (name.split(" ", 1) for name in _EMPLOYEE_NAMES.split(", "))
)


def full_name(node: Node, nodes: tuple[Node, ...]) -> str:
    """The path from the top, as QuickBooks writes it: `Parent:Child`."""
    parents = {entry.key: entry for entry in nodes}
    path = [node.name]
    while node.parent:
        node = parents[node.parent]
        path.append(node.name)
    return ":".join(reversed(path))
