"""The grammar of `filters` and what each operator means."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from ap_simulator.bill.errors import Refusal
from ap_simulator.bill.filters import Term, parse_filters, split_terms
from ap_simulator.bill.list_fields import LISTS
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import stamp
from hypothesis import given
from hypothesis import strategies as st

NO_EARLIER, NO_LATER = datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2100-01-01")
NAMES = st.text("abcXYZ.", min_size=1, max_size=12)
UNQUOTED = st.text(min_size=1, max_size=20).filter(lambda t: "," not in t and not t.startswith('"'))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def conditions(text, collection="bills", **switches):
    return parse_filters(text, LISTS[collection], BillSwitches(**switches))


def accepted(text, record, collection="bills"):
    return all(condition.test()(record) for condition in conditions(text, collection))


@given(st.lists(st.tuples(NAMES, NAMES, st.text(max_size=20)), min_size=1, max_size=4))
def test_quoted_values_survive_whatever_is_in_them(terms):
    text = ",".join(f"{name}:{op}:{quoted(value)}" for name, op, value in terms)

    assert split_terms(text) == [Term(*term) for term in terms]


@given(st.lists(st.tuples(NAMES, NAMES, UNQUOTED), min_size=1, max_size=4))
def test_unquoted_values_are_all_up_to_the_comma(terms):
    text = ",".join(f"{name}:{op}:{value}" for name, op, value in terms)

    assert split_terms(text) == [Term(*term) for term in terms]


@given(st.text(max_size=60) | st.text('abc:,"\\ ', max_size=30))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(Refusal):
        assert split_terms(text)


@given(
    st.datetimes(NO_EARLIER, NO_LATER),
    st.sampled_from([0, 60, -330, 720]),
    st.booleans(),
)
def test_documented_date_times_are_understood_in_their_zone(moment, offset, quotes):
    zone = timezone(timedelta(minutes=offset))
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=zone)
    suffix = "Z" if offset == 0 else moment.strftime("%z")
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}{suffix}"
    value = f'"{text}"' if quotes else text

    (condition,) = conditions(f"updatedTime:gte:{value}")

    assert condition.operand == stamp(moment)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T10:20:30.123", datetime(2026, 3, 1, 10, 20, 30, 123000, UTC)),
        ("2026-03-01T10:20:30", datetime(2026, 3, 1, 10, 20, 30, 0, UTC)),
        ("2026-03-01T10:20", datetime(2026, 3, 1, 10, 20, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_date_times_without_a_zone_are_utc(text, moment):
    assert conditions(f'createdTime:lt:"{text}"')[0].operand == stamp(moment)


@pytest.mark.parametrize(
    "text", ["2026-03-01T10:20:30Z", "2026-03-01T10:20:30.123+00:00", "2026-03-01T10:20:30.123456Z"]
)
def test_other_iso_date_times_are_taken_only_if_switched_on(text):
    with pytest.raises(Refusal):
        conditions(f'updatedTime:gte:"{text}"')

    assert conditions(f'updatedTime:gte:"{text}"', filter_times="any_iso")


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "name:eq",
        ":eq:x",
        'name:sw:"x',
        'name:sw:"x"y',
        "id:in:a,b",
        "id:eq:",
        "id:like:x",
        "name:eq:x",
        "vendorId:ne:x",
        "archived:eq:yes",
        "archived:gt:true",
        "dueDate:gte:2026-02-30",
        "dueDate:gte:2026-1-1",
        "dueDate:eq:2026-01-01",
        "updatedTime:gte:yesterday",
        "updatedTime:eq:2026-01-01",
        "updatedTime:gte:2026-13-01",
        "amount:gt:5",
        "nonsense:eq:1",
        "classifications.jobId:eq:x",
        "id:eq:a,",
    ],
)
def test_what_the_list_does_not_take_is_refused(text):
    with pytest.raises(Refusal) as refusal:
        conditions(text)

    assert refusal.value.status == 400
    assert refusal.value.problems[0].message.startswith("filters: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id:eq:b", {"b"}),
        ("id:ne:b", {"a", "c"}),
        ('id:in:"a,c"', {"a", "c"}),
        ("id:in:a", {"a"}),
        ("paymentStatus:ne:PAID", {"b", "c"}),
        ("archived:eq:false", {"a", "c"}),
        ("archived:ne:false", {"b"}),
        ("dueDate:gte:2026-02-01", {"b"}),
        ("dueDate:lt:2026-02-01", {"a"}),
        ("dueDate:lte:2026-02-01", {"a", "b"}),
        ("dueDate:gt:2026-02-01", set()),
        ("classifications.departmentId:eq:d1", {"a"}),
        ("classifications.departmentId:ne:d1", {"b", "c"}),
        ("id:ne:a,archived:eq:false", {"c"}),
    ],
)
def test_operators(text, expected):
    records = [
        {
            "id": "a",
            "archived": False,
            "dueDate": "2026-01-01",
            "paymentStatus": "PAID",
            "classifications": {"departmentId": "d1"},
        },
        {"id": "b", "archived": True, "dueDate": "2026-02-01", "paymentStatus": "UNPAID"},
        {"id": "c", "archived": False},
    ]

    assert {record["id"] for record in records if accepted(text, record)} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('name:sw:"Hap"', {"a"}),
        ("name:sw:hap", set()),
        ('name:eq:"Smith, Jones & Co: the \\"best\\""', {"b"}),
        ('accountType:nin:"NONE,PERSON"', {"a", "b"}),
        ("address.country:ne:US", {"b"}),
        ("billCurrency:in:USD", {"a"}),
        ("paymentStatus:eq:UNPAID", set()),
    ],
)
def test_operators_of_vendors(text, expected):
    records = [
        {
            "id": "a",
            "name": "Happy",
            "accountType": "BUSINESS",
            "address": {"country": "US"},
            "billCurrency": "USD",
        },
        {"id": "b", "name": 'Smith, Jones & Co: the "best"', "billCurrency": "EUR"},
    ]

    assert {r["id"] for r in records if accepted(text, r, "vendors")} == expected


def test_a_plus_sign_has_to_be_encoded_in_the_url(bill):
    url = "vendors?filters=updatedTime:gte:2026-01-01T00:00:00.000"

    assert bill.call("GET", url + quote("+0100")).status_code == 200
    assert bill.call("GET", url + "+0100").status_code == 400


def test_the_zone_of_date_times_without_one_is_a_switch():
    (condition,) = conditions("updatedTime:gte:2026-03-01", filter_zone_hours=-8.0)

    assert condition.operand == "2026-03-01T08:00:00.000+00:00"
