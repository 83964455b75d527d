"""Records in the shape of a schema."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_bill import fitting
from tap_bill.records import RecordShape

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "text": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"]},
        "count": {"type": ["integer", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "moment": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "inner": {
            "type": ["object", "null"],
            "properties": {"amount": {"type": ["number", "null"]}, "note": {"type": ["string", "null"]}},
        },
        "lines": {
            "type": ["array", "null"],
            "items": {"type": ["object", "null"], "properties": {"amount": {"type": ["number", "null"]}}},
        },
        "words": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
        "anything": {"type": ["object", "null"]},
    },
}


@pytest.fixture
def reports():
    return []


@pytest.fixture
def shape(reports):
    return RecordShape(SCHEMA, reports.append)


def test_unset_fields_stay_out_and_nulls_stay_null(shape, reports):
    assert shape.conform({"id": "1", "text": None}) == {"id": "1", "text": None}
    assert reports == []


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("text", 987000654, "987000654"),
        ("text", Decimal("12.50"), "12.50"),
        ("text", Decimal("1E+3"), "1000"),
        ("text", True, "true"),
        ("amount", "228.10", Decimal("228.10")),
        ("amount", 5, 5),
        ("count", Decimal("7.0"), 7),
        ("count", "0042", 42),
        ("flag", "TRUE", True),
        ("moment", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000+00:00"),
        ("day", "2026-12-15T00:00:00.000Z", "2026-12-15"),
    ],
)
def test_drifting_types_are_converted(shape, reports, field, value, expected):
    """BILL's webhooks and REST do not agree on types (BILL manual 6.14)."""
    conformed = shape.conform({field: value})[field]
    assert (conformed, type(conformed)) == (expected, type(expected))
    assert reports == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", {"a": 1}),
        ("text", ["a"]),
        ("amount", "a lot"),
        ("amount", "NaN"),
        ("amount", True),
        ("count", Decimal("1.5")),
        ("count", "1.5"),
        ("count", True),
        ("flag", 1),
        ("flag", "maybe"),
        ("moment", "soon"),
        ("moment", 1767225600),
        ("day", "soon"),
        ("day", 20260101),
        ("inner", "text"),
        ("lines", {"amount": 1}),
        ("lines", ["text"]),
        ("anything", "text"),
    ],
)
def test_what_cannot_be_converted_is_left_empty_and_reported_once(shape, reports, field, value):
    assert shape.conform({"id": "1", field: value}) == {"id": "1", field: None}
    shape.conform({"id": "2", field: value})
    assert len(reports) == 1
    assert field in reports[0]


def test_unknown_fields_are_kept_out_at_every_depth_and_reported_once(shape, reports):
    record = {
        "id": "1",
        "new": 1,
        "inner": {"note": "n", "new": 1},
        "lines": [{"amount": Decimal("1.00"), "new": 1}, {"amount": 2, "new": 1}],
    }
    expected = {"id": "1", "inner": {"note": "n"}, "lines": [{"amount": Decimal("1.00")}, {"amount": 2}]}

    assert [shape.conform(record), shape.conform(record)] == [expected, expected]
    assert [report.split()[1] for report in reports] == ["new", "inner.new", "lines[].new"]


def test_fields_of_an_open_object_are_kept(reports):
    shape = RecordShape({"type": "object", "properties": {}, "additionalProperties": True}, reports.append)
    assert shape.conform({"new": [1]}) == {"new": [1]}
    assert reports == []


def test_the_record_itself_is_left_alone(shape):
    record = {"id": "1", "inner": {"amount": "1.10", "new": 1}}
    before = json.dumps(record)
    shape.conform(record)
    assert json.dumps(record) == before


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_amounts_keep_every_digit(amount):
    shape = RecordShape(SCHEMA, lambda _: None)
    for given_amount in (amount, str(amount)):
        conformed = shape.conform({"amount": given_amount})["amount"]
        assert isinstance(conformed, Decimal)
        assert str(conformed) == str(amount)


def test_a_record_that_fits_is_not_copied(shape):
    record = {
        "id": "1",
        "day": "2026-01-01",
        "moment": "2026-01-01T00:00:00.000+00:00",
        "lines": [{"amount": 1}],
    }
    assert shape.conform(record) is record


FITTING = {
    "id": "1",
    "text": "é",
    "amount": Decimal("1.50"),
    "count": 7,
    "flag": False,
    "moment": "2026-01-31T00:00:00.000+00:00",
    "day": "2024-02-29",
    "inner": {"amount": 10**30, "note": None},
    "lines": [{"amount": 1}, None, {}],
    "words": ["a", None],
    "anything": {"a": [1]},
}
#: Of every type, right and wrong, and of every form of moments and dates that is nearly right.
VALUES = st.one_of(
    st.sampled_from([*FITTING.values(), [], {}, ["text", 1], [{"amount": "1"}], {"new": 1}, "true", "1.50"]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates().map(str) | st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds")),
    st.from_regex(
        r"\A(2026|2024|0000)-(02|04|12|13|W1)-(28|29|30|31|32|-1)"
        r"[T ](00|23|24):(59|60):(59|60)\.[0-9]{3,4}(Z|\+00:00|-00:00|\+01:00)\n?\Z"
    ),
)


def test_a_page_that_fits_is_the_same_page(shape, reports):
    page = [FITTING, {"id": "2"}, dict.fromkeys(SCHEMA["properties"])]
    assert shape.conform_all(page) is page
    assert reports == []


@pytest.mark.parametrize(
    "schema",
    [json.loads(path.read_text()) for path in files("tap_bill.schemas").iterdir() if path.suffix == ".json"],
)
def test_every_schema_of_the_streams_has_records_that_fit(schema):
    assert fitting.fits(schema)([{"id": "1", "updatedTime": "2026-01-01T00:00:00.000+00:00"}])


@given(record=st.dictionaries(st.sampled_from([*SCHEMA["properties"], "new"]), VALUES, max_size=4))
def test_what_fits_would_come_out_untouched_and_unreported(record):
    """The compiled test may be stricter than the conversion, never laxer."""
    reports = []
    if fitting.fits(SCHEMA)([record]):
        assert RecordShape(SCHEMA, reports.append).conform(record) == record
        assert reports == []


@pytest.mark.parametrize("misfit", [{"new": 1}, {"amount": "1.50"}, {"moment": "2026-01-01T00:00:00Z"}])
def test_one_record_that_does_not_fit_does_not_spoil_the_others(shape, misfit):
    page = [FITTING, {"id": "2"} | misfit, FITTING]
    first, second, third = shape.conform_all(page)
    assert first is third is FITTING
    assert second == shape.conform({"id": "2"} | misfit)


def test_fields_of_any_name_and_type_can_fit():
    schema = {
        "type": "object",
        "properties": {"a b": {"type": "array"}, "__init__": {"type": "array", "items": {}}, "": {}},
        "additionalProperties": True,
    }
    fits = fitting.fits(schema)
    assert fits([{"a b": [1, "a"], "__init__": ["a", None], "": Decimal(1), "new": {}}])
    assert not fits([{"a b": "a"}])
