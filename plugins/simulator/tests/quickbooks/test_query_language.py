"""The lexer and parser of the query language, without a server (QuickBooks manual 3.1)."""

from __future__ import annotations

import re

import pytest
from ap_simulator.quickbooks.problems import RefusedError
from ap_simulator.quickbooks.query.binding import LikePattern
from ap_simulator.quickbooks.query.lexer import quote, tokens
from ap_simulator.quickbooks.query.parser import Condition, Literal, Order, Statement, parse
from hypothesis import given
from hypothesis import strategies as st

wild_text = st.text(st.one_of(st.sampled_from("'\\,%() \n\t\"="), st.characters(exclude_categories=["Cs"])))
paths = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}(\.[A-Za-z][A-Za-z0-9]{0,8})?", fullmatch=True).filter(
    lambda path: (
        path.upper()
        not in {
            "SELECT",
            "FROM",
            "WHERE",
            "AND",
            "IN",
            "LIKE",
            "ORDER",
            "ORDERBY",
            "BY",
            "ASC",
            "DESC",
            "STARTPOSITION",
            "MAXRESULTS",
            "COUNT",
            "TRUE",
            "FALSE",
        }
    )
)
literals = st.one_of(
    st.builds(Literal, wild_text, st.just(True)),
    st.builds(Literal, st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True), st.just(False)),
    st.builds(Literal, st.sampled_from(["true", "False"]), st.just(False)),
)
conditions = st.one_of(
    st.builds(
        Condition,
        paths,
        st.sampled_from(["=", "<", ">", "<=", ">=", "LIKE"]),
        st.tuples(literals),
    ),
    st.builds(Condition, paths, st.just("IN"), st.lists(literals, min_size=1, max_size=4).map(tuple)),
)
statements = st.builds(
    Statement,
    entity=paths,
    count=st.booleans(),
    conditions=st.lists(conditions, max_size=4).map(tuple),
    order=st.none() | st.builds(Order, paths, st.booleans()),
    start=st.none() | st.integers(0, 10**6),
    limit=st.none() | st.integers(0, 10**6),
)
separators = st.sampled_from([" ", "  ", "\n", "\t "])


def written(literal: Literal) -> str:
    return quote(literal.text) if literal.quoted else literal.text


def spelled(statement: Statement, *, two_words: bool, gap: str) -> str:
    """A statement as a text that means it."""
    parts = ["select", "count(*)" if statement.count else "*", "From", statement.entity]
    for number, condition in enumerate(statement.conditions):
        parts += ["AND" if number else "WHERE", condition.path, condition.operator]
        values = [written(value) for value in condition.values]
        parts.append(f"({', '.join(values)})" if condition.operator == "IN" else values[0])
    if statement.order is not None:
        parts += ["ORDER BY" if two_words else "orderby", statement.order.path]
        parts += ["DESC"] if statement.order.descending else []
    if statement.start is not None:
        parts += ["StartPosition", str(statement.start)]
    if statement.limit is not None:
        parts += ["MAXRESULTS", str(statement.limit)]
    return gap.join(parts)


@given(statements, st.booleans(), separators)
def test_statement_means_what_it_says(statement, two_words, gap):
    assert parse(spelled(statement, two_words=two_words, gap=gap)) == statement


@given(wild_text)
def test_quoted_text_is_read_back_whole(text):
    found = list(tokens(quote(text)))
    assert [(token.kind, token.text) for token in found] == [("STRING", text), ("EOF", "")]


@given(wild_text, wild_text)
def test_two_texts_stay_apart(one, other):
    found = [token.text for token in tokens(f"{quote(one)},{quote(other)}")]
    assert found == [one, ",", other, ""]


@given(st.text())
def test_any_text_is_parsed_or_refused_with_4000(text):
    try:
        parse(text)
    except RefusedError as refusal:
        assert [problem.code for problem in refusal.problems] == ["4000"]  # noqa: PT017


def test_backslash_before_another_character_is_itself():
    assert next(tokens(r"'a\nb\%'")).text == r"a\nb\%"


def test_conditions_without_blanks():
    assert parse("select * from Vendor where Active=true and Id in('1','2')").conditions == (
        Condition("Active", "=", (Literal("true", quoted=False),)),
        Condition("Id", "IN", (Literal("1", quoted=True), Literal("2", quoted=True))),
    )


def test_columns_besides_the_star():
    assert parse("SELECT *, Sku FROM Item").columns == ("Sku",)
    assert parse("select Id, MetaData.CreateTime from Bill").columns == ("Id", "MetaData.CreateTime")


def test_paging_in_either_order():
    statement = parse("select * from Vendor maxresults 5 startposition 11")
    assert (statement.start, statement.limit) == (11, 5)


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("", "QueryParserError: null"),
        ("  ", "QueryParserError: null"),
        ("select * from", "QueryParserError: Encountered ' '<EOF>' '' at line 1, column 14."),
        (
            "select * from Vendor where DisplayName = 'Peet's'",
            'QueryParserError: Encountered " <STRING> "\'s" at line 1, column 48',
        ),
        (
            "select *\nfrom Vendor\nwhere Id ! '1'",
            'QueryParserError: Encountered " <MARK> "! \'1\'" at line 3, column 10',
        ),
    ],
)
def test_error_texts(statement, detail):
    with pytest.raises(RefusedError) as refused:
        parse(statement)
    assert [(p.code, p.detail) for p in refused.value.problems] == [("4000", detail)]
    assert refused.value.problems[0].message == "QueryParseError"


@pytest.mark.parametrize(
    "statement",
    [
        "delete from Vendor",
        "select * from Vendor where Id = '1' or Id = '2'",
        "select * from Vendor where not Id = '1'",
        "select * from Vendor where Id != '1'",
        "select * from Vendor where Id <> '1'",
        'select * from Vendor where DisplayName = "A"',
        "select * from Vendor where DisplayName = A",
        "select * from Vendor where Id in ()",
        "select * from Vendor where",
        "select * from Vendor where DisplayName = 'open",
        "select * from Vendor order DisplayName",
        "select * from Vendor startposition 1.5",
        "select * from Vendor maxresults many",
        "select * from Vendor maxresults 1 maxresults 2",
        "select count(Id) from Vendor",
        "select * from Vendor group by Active",
        "select * from Vendor;",
    ],
)
def test_statements_outside_the_grammar(statement):
    with pytest.raises(RefusedError) as refused:
        parse(statement)
    assert refused.value.problems[0].code == "4000"


@given(
    st.lists(st.text("ab%", max_size=4), min_size=2, max_size=4).map("%".join),
    st.text("ab", max_size=8),
)
def test_like_is_what_a_regular_expression_says(pattern, text):
    expected = re.fullmatch(pattern.replace("%", ".*"), text) is not None
    assert LikePattern(tuple(pattern.split("%"))).matches(text) is expected
