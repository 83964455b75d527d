"""Look-ups: only for what is in hand, inactive ones under the name they had."""

from __future__ import annotations

import re

import pytest
from target_quickbooks.errors import CompanyRefused
from target_quickbooks.quickbooks.directory import Directory

INFO = {"CompanyName": "Test Company", "NameValue": []}
PREFERENCES = {
    "AccountingInfoPrefs": {"ClassTrackingPerTxnLine": True, "TrackDepartments": True},
    "CurrencyPrefs": {"HomeCurrency": {"value": "USD"}},
}


class Books:
    """Answers statements from the objects of each entity; remembers what was asked."""

    def __init__(self, **objects):
        self.objects = {"CompanyInfo": [INFO], "Preferences": [PREFERENCES], **objects}
        self.statements = []

    def queries(self, statements, **_):
        self.statements += statements
        return [self._rows(statement) for statement in statements]

    def every(self, entity, *, where=""):
        self.statements.append(f"every {entity} {where}".strip())
        return self.objects.get(entity, [])

    def _rows(self, statement):
        entity = re.search(r"FROM (\w+)", statement)[1]
        found = re.search(r"WHERE (\w+) IN \((.*?)\) (?:AND|MAX)", statement)
        rows = self.objects.get(entity, [])
        if not found:
            return rows
        wanted = [value.casefold() for value in re.findall(r"'([^']*)'", found[2])]
        return [row for row in rows if str(row.get(found[1])).casefold() in wanted]


def test_short_names_among_long_ones_do_not_make_a_batch_too_big():
    """Statements are divided by length: the first ones may hold many more names than the last."""

    class Counting(Books):
        def queries(self, statements, *, rows_each=1000):
            held = [len(re.findall(r"'[^']*'", statement)) / 2 for statement in statements]
            self.most, self.told = max(held), rows_each
            return super().queries(statements)

    books = Counting()
    names = [f"N{number}" for number in range(400)] + [f"{'Long ' * 40}{number}" for number in range(400)]
    Directory(books).vendors_named(names)
    assert books.told >= books.most > 60


def test_the_company_is_read_once():
    books = Books()
    directory = Directory(books)
    assert directory.company_name == ""
    assert directory.company().name == directory.company().name == "Test Company"
    assert directory.company_name == "Test Company"
    assert len(books.statements) == 2


@pytest.mark.parametrize("missing", ["CompanyInfo", "Preferences"])
def test_a_company_that_shows_nothing_is_told(missing):
    with pytest.raises(CompanyRefused, match="admin"):
        Directory(Books(**{missing: []})).company()


def test_the_lists_are_read_once_with_their_inactive_entries():
    books = Books(Account=[{"Id": "60", "Name": "Travel", "AcctNum": "6100", "AccountType": "Expense"}])
    directory = Directory(books)
    for _ in range(2):
        assert directory.chart([], []).accounts.by_number["6100"].name == "Travel"
    assert books.statements[2:] == [
        "every Account Active IN (true, false)",
        "every Class Active IN (true, false)",
        "every Department Active IN (true, false)",
    ]


def test_lists_that_the_company_does_not_use_are_not_read():
    books = Books(Preferences=[{"CurrencyPrefs": {}}])
    Directory(books).chart([], [])
    assert books.statements[2:] == ["every Account Active IN (true, false)"]


def test_customers_and_items_are_asked_for_by_name_and_once():
    books = Books(
        Customer=[{"Id": "3", "DisplayName": "Cool Cars"}],
        Item=[{"Id": "11", "Name": "Pump"}],
        Preferences=[{"a": 1}],
    )
    directory = Directory(books)
    for _ in range(2):
        chart = directory.chart(["Cool Cars", "Nobody", ""], ["Pump"])
    assert [entry.id for entry in chart.customers.entries] == ["3"]
    assert [entry.id for entry in chart.items.entries] == ["11"]
    assert sum("FROM Customer" in statement for statement in books.statements) == 1
    assert sum("FROM Item" in statement for statement in books.statements) == 1


def test_a_name_of_several_lines_does_not_break_the_statement():
    books = Books(Customer=[{"Id": "3", "DisplayName": "Cool Cars"}])
    chart = Directory(books).chart(["Cool\nCars", "\t", "🚀"], [])
    assert [entry.id for entry in chart.customers.entries] == ["3"]
    assert all("\n" not in statement for statement in books.statements)


def vendor(number, name, *, active=True):
    return {"Id": str(number), "DisplayName": name, "Active": active}


def test_vendors_are_found_by_any_spelling():
    found = Directory(Books(Vendor=[vendor(1, "ACME")])).vendors_named(["Acme", "Other"])
    assert {name: row["Id"] for name, row in found.items()} == {"acme": "1"}


def test_an_inactive_vendor_is_found_by_the_name_it_had():
    found = Directory(Books(Vendor=[vendor(1, "Acme (deleted)", active=False)])).vendors_named(["Acme"])
    assert found["acme"]["Id"] == "1"


def test_an_active_vendor_goes_before_its_inactive_twin():
    books = Books(Vendor=[vendor(1, "Acme (deleted)", active=False), vendor(2, "Acme")])
    assert Directory(books).vendors_named(["Acme"])["acme"]["Id"] == "2"


def test_an_active_vendor_whose_name_ends_like_an_inactive_one_keeps_it():
    found = Directory(Books(Vendor=[vendor(1, "Acme (deleted)")])).vendors_named(["Acme"])
    assert list(found) == ["acme (deleted)"]


def test_names_of_customers_and_employees_are_told():
    books = Books(Customer=[vendor(1, "ACME")], Employee=[vendor(2, "Jo", active=False)])
    assert Directory(books).names_held_by_others(["Acme", "Jo", "Free"]) == {
        "acme": "customer 'ACME' (1)",
        "jo": "employee 'Jo' (2), which is inactive",
    }
    assert all("Active IN (true, false)" in statement for statement in books.statements)


def test_orders_are_found_by_number():
    orders = [
        {"Id": "1", "DocNumber": "INV-1"},
        {"Id": "2", "DocNumber": "INV-1"},
        {"Id": "3", "DocNumber": "INV-2"},
    ]
    found = Directory(Books(PurchaseOrder=orders)).numbered("PurchaseOrder", ["INV-1", "INV-2", "INV-3"])
    assert {number: [row["Id"] for row in rows] for number, rows in found.items()} == {
        "INV-1": ["1", "2"],
        "INV-2": ["3"],
    }


def test_objects_are_found_by_id():
    books = Books(Vendor=[vendor(1, "A", active=False)], PurchaseOrder=[{"Id": "7"}])
    directory = Directory(books)
    assert list(directory.objects("Vendor", ["1", "2"])) == ["1"]
    assert list(directory.objects("PurchaseOrder", ["7"])) == ["7"]
    assert ["Active" in statement for statement in books.statements] == [True, False]


def test_nothing_is_asked_for_nothing():
    books = Books()
    directory = Directory(books)
    assert directory.vendors_named([]) == {}
    assert directory.names_held_by_others([]) == {}
    assert directory.objects("Vendor", []) == {}
    assert books.statements == []
