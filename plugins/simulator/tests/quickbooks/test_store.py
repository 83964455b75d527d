"""The indexed table and the planner against a plain list, on random data and statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.profile import RealmProfile
from ap_simulator.quickbooks.query import planner
from ap_simulator.quickbooks.query.binding import bind
from ap_simulator.quickbooks.query.parser import parse
from ap_simulator.quickbooks.query.planner import Search
from ap_simulator.quickbooks.service import QuickBooksService
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from hypothesis import given, settings
from hypothesis import strategies as st

REALM = "1"
VENDOR = ENTITIES["Vendor"]
START = datetime(2026, 1, 1, tzinfo=UTC)

people = st.fixed_dictionaries(
    {
        "DisplayName": st.sampled_from(["a", "B", "ab", "c", "Ca", "d"]),
        "Active": st.booleans(),
        "Balance": st.integers(0, 5),
        "minute": st.integers(0, 4),
    },
    optional={"CompanyName": st.sampled_from(["x", "Y", "z"])},
)
where = st.lists(
    st.one_of(
        st.sampled_from(["DisplayName LIKE 'a%'", "DisplayName LIKE '%a'", "CompanyName = ' '"]),
        st.sampled_from(["Active = false", "Active in (true, false)", "Active = true"]),
        st.builds("Balance {} {}".format, st.sampled_from(["<", "<=", "=", ">=", ">"]), st.integers(0, 5)),
        st.builds("CompanyName in ('{}', 'y')".format, st.sampled_from(["x", "q", " "])),
        st.builds("Id in ('{}', '3')".format, st.integers(1, 9)),
        st.builds(
            "MetaData.LastUpdatedTime {} '2026-01-01T00:0{}:00Z'".format,
            st.sampled_from([">", "<="]),
            st.integers(0, 4),
        ),
    ),
    max_size=3,
)
orders = st.sampled_from(["", "DisplayName", "CompanyName desc", "Balance", "MetaData.CreateTime desc"])


def make(records):
    service = QuickBooksService(
        clock=Clock(start=START, frozen=True), switches=QuickBooksSwitches(), calls=CallLog()
    )
    service.add_realm(realm_id=REALM, company=RealmProfile(name="Test"))
    service.switches.deleted_suffix = False
    rows = []
    for number, person in enumerate(records, start=1):
        moment = START + timedelta(minutes=person["minute"])
        body = {name: value for name, value in person.items() if name != "minute"}
        meta = {"CreateTime": moment, "LastUpdatedTime": moment}
        rows.append({"Id": str(number), **body, "MetaData": meta})
    service.load(REALM, "Vendor", rows)
    return service.realm(REALM)


def plainly(realm, text):
    """The numbers that match, found and sorted without any index."""
    query = bind(parse(text), realm.switches)
    if query.nothing:
        return []
    found = [
        record
        for record in realm.tables["Vendor"]
        if query.active in {None, record.body.get("Active", True)}
        and all(p.matches(p.on.read(record)) for p in query.predicates)
    ]
    found.sort(key=lambda record: record.number)
    if query.order is not None:

        def key(record):
            value = query.order.read(record)
            return (value is not None, 0 if value is None else value, record.number)

        found.sort(key=key, reverse=query.descending)
    return [record.number for record in found]


def statement(conditions, order, paging=""):
    text = "select * from Vendor"
    if conditions:
        text += " where " + " and ".join(conditions)
    return f"{text} {f'orderby {order}' if order else ''} {paging}"


def search(realm, text):
    return Search(realm, bind(parse(text), realm.switches))


@pytest.mark.parametrize("few", [0, 5000], ids=["walking", "sorting"])
@settings(max_examples=150)
@given(records=st.lists(people, max_size=9), conditions=where, order=orders, size=st.integers(1, 4))
def test_planner_finds_what_a_scan_finds(few, records, conditions, order, size):
    realm = make(records)
    expected = plainly(realm, statement(conditions, order))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "_FEW", few)
        assert search(realm, statement(conditions, order)).count() == len(expected)
        found = []
        for start in range(1, len(expected) + 2, size):
            paging = f"startposition {start} maxresults {size}"
            page = search(realm, statement(conditions, order, paging)).page()
            found += [record.number for record in page]
    assert found == expected


changes = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.integers(0, 20), people), max_size=12
)


@settings(max_examples=100)
@given(st.lists(people, max_size=5), changes, where, orders)
def test_indexes_follow_changes(records, steps, conditions, order):
    realm = make(records)
    table = realm.tables["Vendor"]
    text = statement(conditions, order, "maxresults 1000")
    for kind, pick, person in steps:
        search(realm, text).page()  # builds the indexes that the statement needs
        present = list(table)
        body = {name: value for name, value in person.items() if name != "minute"}
        body["Balance"] = Decimal(body["Balance"])
        realm.clock.set(START + timedelta(minutes=person["minute"]))
        if kind == "add" or not present:
            realm.add(VENDOR, realm.next_id(VENDOR), body)
        elif kind == "change":
            realm.change(VENDOR, present[pick % len(present)], body)
        else:
            realm.remove(VENDOR, present[pick % len(present)])
        found = [record.number for record in search(realm, text).page()]
        assert found == plainly(realm, text)
        assert search(realm, text).count() == len(found)
