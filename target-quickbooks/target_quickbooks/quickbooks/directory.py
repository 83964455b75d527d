"""Look-ups in QuickBooks for what is in hand: company, chart, names, document numbers, objects by id.

Asks only for what is needed, many answers in one request, and remembers within a run what does not change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from target_quickbooks.errors import CompanyRefused
from target_quickbooks.mapping.chart import (
    Chart,
    ClassTracking,
    Company,
    Entries,
    Entry,
    read_company,
    read_entry,
)
from target_quickbooks.mapping.names import DELETED_SUFFIX, DISPLAY_NAME_LENGTH, comparable, plain_line
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.query import select_in

_NAMES_PER_QUERY = 150
_WITH_INACTIVE = "Active IN (true, false)"


class Directory:
    """What one run knows of the QuickBooks company."""

    def __init__(self, client: QuickBooksClient) -> None:
        self._client = client
        self._company: Company | None = None
        self._accounts: Entries | None = None
        self._classes: Entries | None = None
        self._locations: Entries | None = None
        self._named: dict[str, dict[str, Entry]] = {"Customer": {}, "Item": {}}
        self._asked: dict[str, set[str]] = {"Customer": set(), "Item": set()}

    @property
    def company_name(self) -> str:
        """The company's name, if it has been read; asks nothing."""
        return self._company.name if self._company else ""

    def company(self) -> Company:
        """The company and its preferences, read once in a run."""
        if self._company is None:
            info, preferences = self._client.queries(
                ["SELECT * FROM CompanyInfo", "SELECT * FROM Preferences"], rows_each=1
            )
            if not info or not preferences:
                msg = "QuickBooks shows neither company nor preferences: is the connected user an admin?"
                raise CompanyRefused(msg)
            self._company = read_company(info[0], preferences[0])
        return self._company

    def chart(self, customer_names: Iterable[str], item_names: Iterable[str]) -> Chart:
        """The chart of accounts, and the customers and items of the given names.

        Accounts, classes and locations are read whole, once in a run: account numbers cannot be filtered
        on (QuickBooks manual 3.2).
        """
        company = self.company()
        if self._accounts is None:
            self._accounts = self._everything("Account", "account")
        if self._classes is None:
            off = company.class_tracking is ClassTracking.OFF
            self._classes = Entries("class") if off else self._everything("Class", "class")
        if self._locations is None:
            self._locations = (
                self._everything("Department", "location") if company.locations else Entries("location")
            )
        self._learn("Customer", "DisplayName", customer_names)
        self._learn("Item", "Name", item_names)
        return Chart(
            company=company,
            accounts=self._accounts,
            classes=self._classes,
            locations=self._locations,
            customers=Entries("customer", tuple(self._named["Customer"].values())),
            items=Entries("item", tuple(self._named["Item"].values())),
        )

    def vendors_named(self, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Vendors by comparable name; a deactivated one also under the name it had before.

        An active vendor goes before an inactive twin of the same name.
        """
        wanted = list(dict.fromkeys(names))
        spellings = [spelling for name in wanted for spelling in (name, name + DELETED_SUFFIX)]
        rows = self._select("Vendor", "DisplayName", spellings, with_inactive=True, spellings=2)
        found: dict[str, Mapping[str, Any]] = {}
        for row in sorted(rows, key=lambda vendor: vendor.get("Active") is False):
            name = str(row.get("DisplayName") or "")
            if row.get("Active") is False:
                name = name.removesuffix(DELETED_SUFFIX)
            found.setdefault(comparable(name), row)
        return found

    def names_held_by_others(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the names that customers or employees hold, in comparable form."""
        wanted = list(dict.fromkeys(names))
        statements = [
            statement
            for entity in ("Customer", "Employee")
            for statement in select_in(entity, "DisplayName", wanted, with_inactive=True)
        ]
        rows = self._client.queries(statements, rows_each=_NAMES_PER_QUERY) if statements else []
        return frozenset(comparable(str(row.get("DisplayName") or "")) for found in rows for row in found)

    def orders_numbered(self, numbers: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Purchase orders by document number."""
        rows = self._select("PurchaseOrder", "DocNumber", dict.fromkeys(numbers), spellings=2)
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            found.setdefault(str(row.get("DocNumber") or ""), []).append(row)
        return found

    def objects(self, entity: str, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Live objects by id; those that are gone are left out."""
        rows = self._select(entity, "Id", dict.fromkeys(ids), with_inactive=entity == "Vendor")
        return {str(row["Id"]): row for row in rows}

    def _select(
        self,
        entity: str,
        field: str,
        values: Iterable[str],
        *,
        with_inactive: bool = False,
        spellings: int = 1,
    ) -> list[Mapping[str, Any]]:
        """Rows whose field has one of the values, of which ``spellings`` may stand for one object."""
        wanted = list(values)
        statements = select_in(entity, field, wanted, with_inactive=with_inactive)
        if not statements:
            return []
        objects = math.ceil(len(wanted) / spellings / len(statements))
        results = self._client.queries(statements, rows_each=objects)
        return [row for rows in results for row in rows]

    def _everything(self, entity: str, kind: str) -> Entries:
        rows = self._client.every(entity, where=_WITH_INACTIVE)
        return Entries(kind, tuple(read_entry(entity, row) for row in rows))

    def _learn(self, entity: str, field: str, names: Iterable[str]) -> None:
        """Read entries by name, each name once in a run; no name of QuickBooks has several lines."""
        new = {plain_line(name, DISPLAY_NAME_LENGTH) for name in names} - {""} - self._asked[entity]
        self._asked[entity] |= new
        for row in self._select(entity, field, sorted(new), with_inactive=True):
            entry = read_entry(entity, row)
            self._named[entity][entry.id] = entry
