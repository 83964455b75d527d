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
from target_quickbooks.mapping.names import (
    DELETED_SUFFIX,
    DISPLAY_NAME_LENGTH,
    comparable,
    holder_of_name,
    plain_line,
)
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
        self._tax_codes: Entries | None = None
        self._named: dict[str, dict[str, Entry]] = {"Customer": {}, "Item": {}}
        self._asked: set[tuple[str, str, str]] = set()

    @property
    def company_name(self) -> str:
        """The company's name, if it has been read; asks nothing."""
        return self._company.name if self._company else ""

    @property
    def home_currency(self) -> str:
        """The company's home currency, if it has been read; asks nothing."""
        return self._company.home_currency if self._company else ""

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
        """The chart of accounts, and the customers and items of the given full names or ids.

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
        self._learn([*_keys("Customer", "DisplayName", customer_names), *_keys("Item", "Name", item_names)])
        return Chart(
            company=company,
            accounts=self._accounts,
            classes=self._classes,
            locations=self._locations,
            customers=Entries("customer", tuple(self._named["Customer"].values())),
            items=Entries("item", tuple(self._named["Item"].values())),
        )

    def tax_codes(self) -> Entries:
        """The tax codes of a company outside the US, read once in a run."""
        if self._tax_codes is None:
            self._tax_codes = self._everything("TaxCode", "tax code")
        return self._tax_codes

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

    def names_held_by_others(self, names: Iterable[str]) -> dict[str, str]:
        """Who holds those of the names, in comparable form, that customers or employees hold."""
        wanted = list(dict.fromkeys(names))
        statements = [
            (entity, statement)
            for entity in ("Customer", "Employee")
            for statement in select_in(entity, "DisplayName", wanted, with_inactive=True)
        ]
        texts = [statement for _, statement in statements]
        results = self._client.queries(texts, rows_each=_NAMES_PER_QUERY) if texts else []
        return {
            comparable(str(row.get("DisplayName") or "")): holder_of_name(entity, row)
            for (entity, _), rows in zip(statements, results, strict=True)
            for row in rows
        }

    def numbered(self, entity: str, numbers: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Transactions of an entity by document number."""
        rows = self._select(entity, "DocNumber", dict.fromkeys(numbers), spellings=2)
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
        # Not their average: statements of short names hold more of them than others.
        most = math.ceil(min(len(wanted), _NAMES_PER_QUERY) / spellings)
        results = self._client.queries(statements, rows_each=most)
        return [row for rows in results for row in rows]

    def _everything(self, entity: str, kind: str) -> Entries:
        rows = self._client.every(entity, where=_WITH_INACTIVE)
        return Entries(kind, tuple(read_entry(entity, row) for row in rows))

    def label(self, reference: str, quickbooks_id: str) -> str:
        """How a person would call what a ``...Ref`` leads to, as far as it was read; asks nothing."""
        held = {
            "AccountRef": self._accounts,
            "APAccountRef": self._accounts,
            "ClassRef": self._classes,
            "DepartmentRef": self._locations,
        }.get(reference)
        if held is not None:
            entry = held.by_id.get(quickbooks_id)
        else:
            entry = self._named.get(reference.removesuffix("Ref"), {}).get(quickbooks_id)
        return entry.label if entry else ""

    def _learn(self, keys: Iterable[tuple[str, str, str]]) -> None:
        """Read entries by entity, field and value, each once in a run and all in one request."""
        new = set(keys) - self._asked
        self._asked |= new
        asked = [
            (entity, statement)
            for entity, field in sorted({key[:2] for key in new})
            for statement in select_in(
                entity, field, sorted(key[2] for key in new if key[:2] == (entity, field)), with_inactive=True
            )
        ]
        if not asked:
            return
        answers = self._client.queries([statement for _, statement in asked], rows_each=_NAMES_PER_QUERY)
        for (entity, _), rows in zip(asked, answers, strict=True):
            for row in rows:
                entry = read_entry(entity, row)
                self._named[entity][entry.id] = entry


def _keys(entity: str, field: str, names: Iterable[str]) -> set[tuple[str, str, str]]:
    """What finds entries by full name or id: the name's last part, which has no second line, and the id."""
    plain = {plain_line(name.rpartition(":")[2].strip(), DISPLAY_NAME_LENGTH) for name in names} - {""}
    ids = {name for name in plain if name.isascii() and name.isdecimal()}
    return {(entity, field, name) for name in plain} | {(entity, "Id", number) for number in ids}
