"""Query statements: escaping, and splitting long lists."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.quickbooks.query import literal, select_in, select_page

IN_LIST = re.compile(r"SELECT \* FROM Vendor WHERE DisplayName IN \((.*)\) MAXRESULTS 1000", re.DOTALL)
LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)


def unescaped(inner):
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)


def values_in(statement):
    """The values a parser of the grammar reads (QuickBooks manual 3.1)."""
    found = LITERAL.findall(IN_LIST.fullmatch(statement)[1])
    return [unescaped(inner) for inner in found]


@pytest.mark.parametrize(
    ("value", "written"),
    [("O'Neil", r"'O\'Neil'"), (r"a\b", r"'a\\b'"), ("", "''"), (r"\'", r"'\\\''")],
)
def test_quotes_and_backslashes_are_escaped(value, written):
    assert literal(value) == written


@given(st.text(max_size=30))
def test_a_literal_is_read_back_as_it_was(value):
    [inner] = LITERAL.findall(literal(value))
    assert unescaped(inner) == value


@given(st.lists(st.text(max_size=300), max_size=400))
def test_splitting_keeps_every_value_once_and_in_order(values):
    statements = select_in("Vendor", "DisplayName", values)
    assert [value for statement in statements for value in values_in(statement)] == values


@given(st.lists(st.text(max_size=300), max_size=400))
def test_no_statement_is_long(values):
    for statement in select_in("Vendor", "DisplayName", values):
        assert len(values_in(statement)) <= 150
        assert len(statement) <= 4000 + 200


def test_few_statements_are_made():
    assert len(select_in("Vendor", "Id", [str(number) for number in range(300)])) == 2


def test_a_value_that_is_too_long_by_itself_is_asked_for_alone():
    statements = select_in("Vendor", "DisplayName", ["a", "x" * 5000, "b"])
    assert [values_in(statement) for statement in statements] == [["a"], ["x" * 5000], ["b"]]


def test_nothing_is_asked_for_nothing():
    assert select_in("Vendor", "DisplayName", []) == []


def test_inactive_objects_are_asked_for_where_wanted():
    """They are hidden otherwise (QuickBooks manual 3.1)."""
    [statement] = select_in("Vendor", "DisplayName", ["A"], with_inactive=True)
    assert statement == (
        "SELECT * FROM Vendor WHERE DisplayName IN ('A') AND Active IN (true, false) MAXRESULTS 1000"
    )


def test_a_page():
    """By creation time: ordering by id was removed (QuickBooks manual 3.1)."""
    assert select_page("Account", 1001, where="Active IN (true, false)") == (
        "SELECT * FROM Account WHERE Active IN (true, false) ORDERBY MetaData.CreateTime "
        "STARTPOSITION 1001 MAXRESULTS 1000"
    )
    assert select_page("Account", 1).startswith("SELECT * FROM Account ORDERBY")
