"""Pages: every record exactly once, in order, whatever the filter, the order and the changes."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from ap_simulator.bill import collection as collection_module
from ap_simulator.bill.collection import Records
from ap_simulator.bill.errors import Refusal
from ap_simulator.bill.filters import parse_filters
from ap_simulator.bill.list_fields import LISTS
from ap_simulator.bill.listing import ListRequest, answer_list, read_sort
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import to_json
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 6, 15, tzinfo=UTC)
#: Few, patience and rare: each pair leads a query along another way.
WAYS = [(1_000, 3_000, 3), (0, 0, 1_000), (0, 0, 0), (5, 0, 0), (2, 3, 0), (0, 1_000, 0)]
TIMES = st.integers(0, 6).map(lambda n: f"2026-01-0{n + 1}T00:00:00.000+00:00")
RECORDS = st.fixed_dictionaries(
    {
        "archived": st.booleans(),
        "vendorId": st.sampled_from("vw"),
        "createdTime": TIMES,
        "updatedTime": TIMES,
        "paymentStatus": st.sampled_from(["PAID", "UNPAID"]),
    },
    optional={
        "dueDate": st.integers(1, 4).map(lambda n: f"2026-02-0{n}"),
        "description": st.sampled_from(["", "a", "b", "ä"]),
        "fundingAmount": st.integers(-2, 2),
        "classifications": st.fixed_dictionaries({"departmentId": st.sampled_from("xy")}),
    },
)
FILTERS = st.lists(
    st.sampled_from(
        [
            "archived:eq:false",
            "archived:ne:false",
            "vendorId:eq:v",
            'vendorId:in:"v,w"',
            "paymentStatus:ne:PAID",
            "updatedTime:gte:2026-01-03",
            "updatedTime:lt:2026-01-05",
            "createdTime:gt:2026-01-02",
            "createdTime:lte:2026-01-06",
            "dueDate:gte:2026-02-02",
            "dueDate:lt:2026-02-03",
            "classifications.departmentId:eq:x",
            "classifications.departmentId:ne:x",
            "id:ne:r3",
            'id:in:"r1,r2,r3,r4,r5,r6"',
        ]
    ),
    max_size=3,
    unique=True,
).map(",".join)
SORT_KEYS = [
    f"{field}:{direction}"
    for field in ("archived", "createdTime", "updatedTime", "dueDate", "description", "fundingAmount")
    for direction in ("asc", "desc")
]
SORTS = st.lists(st.sampled_from(SORT_KEYS), min_size=1, max_size=3).map(",".join)


class Listing:
    """A list of bills without a server."""

    def __init__(self, contents):
        self.records = Records("bills")
        self.contents = {}
        self.switches = BillSwitches(multiple_sort_keys="accept")
        self.records.load([self._new(content) for content in contents])

    def _new(self, content):
        record = {"id": f"r{len(self.contents)}", **content}
        self.contents[record["id"]] = record
        return record

    def add(self, content):
        self.records.add(self._new(content))

    def change(self, record_id, content):
        self.contents[record_id] = {"id": record_id, **content}
        self.records.replace(self.contents[record_id])

    def page(self, **parameters):
        request = ListRequest(
            scope="organization/bills",
            records=self.records,
            spec=LISTS["bills"],
            body_of=lambda record_id: self.records.body(record_id, to_json, None),
            switches=self.switches,
            now=NOW,
        )
        return json.loads(answer_list(request, {name: str(value) for name, value in parameters.items()}))

    def matching(self, filters):
        """What the filter leaves, found by looking at every record."""
        conditions = parse_filters(filters, LISTS["bills"], self.switches) if filters else ()
        tests = [condition.test() for condition in conditions]
        return {i: r for i, r in self.contents.items() if all(test(r) for test in tests)}

    def in_order(self, found, sort):
        ordering = read_sort(sort, LISTS["bills"], self.switches)
        positions = [ordering.position(record) for record in found]
        return positions == sorted(positions, reverse=ordering.reversed)


def ids(page):
    return [record["id"] for record in page["results"]]


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, max_size=40), FILTERS, SORTS, st.integers(1, 7))
def test_every_record_once_and_in_order(way, contents, filters, sort, limit):
    listing = Listing(contents)
    found = []
    with patch.multiple(collection_module, _FEW=way[0], _PATIENCE=way[1], _RARE=way[2]):
        page = listing.page(filters=filters, sort=sort, max=limit)
        found += page["results"]
        while "nextPage" in page:
            assert len(page["results"]) == limit
            page = listing.page(page=page["nextPage"], max=limit)
            found += page["results"]

    assert sorted(record["id"] for record in found) == sorted(listing.matching(filters))
    assert listing.in_order(found, sort)


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=60, deadline=None)
@given(
    st.lists(RECORDS, min_size=4, max_size=30),
    FILTERS,
    SORTS,
    st.lists(st.tuples(st.booleans(), st.integers(0, 29), RECORDS), max_size=12),
)
def test_what_does_not_change_is_neither_lost_nor_doubled(way, contents, filters, sort, changes):
    listing = Listing(contents)
    before = listing.matching(filters)
    changed = set()
    found = []
    token = {}
    coming = iter(changes)
    with patch.multiple(collection_module, _FEW=way[0], _PATIENCE=way[1], _RARE=way[2]):
        while True:
            page = listing.page(filters=filters, sort=sort, max=2, **token)
            found += ids(page)
            if "nextPage" not in page:
                break
            token = {"page": page["nextPage"]}
            for added, number, content in itertools.islice(coming, 1):
                if added:
                    listing.add(content)
                else:
                    record_id = f"r{number % len(contents)}"
                    changed.add(record_id)
                    listing.change(record_id, content)

    unchanged = set(before) - changed
    assert unchanged <= set(found)
    assert all(found.count(record_id) == 1 for record_id in unchanged)


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, max_size=30), FILTERS, SORTS, st.integers(1, 5))
def test_going_back_shows_the_same_pages(contents, filters, sort, limit):
    listing = Listing(contents)
    forward = [listing.page(filters=filters, sort=sort, max=limit)]
    while "nextPage" in forward[-1]:
        forward.append(listing.page(page=forward[-1]["nextPage"], max=limit))

    backward = [forward[-1]]
    while "prevPage" in backward[-1]:
        backward.append(listing.page(page=backward[-1]["prevPage"], max=limit))

    assert [ids(page) for page in backward[::-1]] == [ids(page) for page in forward]
    assert "prevPage" not in forward[0]


def test_a_view_sees_later_changes():
    listing = Listing([{"archived": n % 2 == 0, "vendorId": "v"} for n in range(10)])
    with patch.multiple(collection_module, _FEW=0, _PATIENCE=0, _RARE=1_000):
        assert len(ids(listing.page(filters="archived:eq:true"))) == 5
        listing.change("r1", {"archived": True, "vendorId": "v"})
        listing.change("r2", {"archived": False, "vendorId": "v"})
        listing.add({"archived": True, "vendorId": "v"})
        listing.records.remove("r4")

        assert sorted(ids(listing.page(filters="archived:eq:true"))) == ["r0", "r1", "r10", "r6", "r8"]


def test_a_body_is_made_anew_when_its_record_changes():
    listing = Listing([{"description": "old"}])
    assert listing.page()["results"][0]["description"] == "old"

    listing.change("r0", {"description": "new"})

    assert listing.page()["results"][0]["description"] == "new"


@given(st.text(max_size=40))
def test_made_up_page_tokens_are_refused(text):
    listing = Listing([{}])
    if text:
        with pytest.raises(Refusal):
            listing.page(page=text)


def load_vendors(bill, count):
    bill.load(
        "vendors",
        *(
            {
                "id": f"009{number:017}",
                "archived": number % 4 == 0,
                "name": f"Vendor {number:03}",
                "createdTime": f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000+00:00",
                "updatedTime": f"2026-02-01T00:{number // 60:02}:{number % 60:02}.000+00:00",
            }
            for number in range(count)
        ),
    )


def test_twenty_a_page_unless_said_otherwise(bill):
    load_vendors(bill, 130)

    assert len(bill.results("vendors")) == 20
    assert len(bill.results("vendors", max=1)) == 1
    assert len(bill.results("vendors", max=100)) == 100
    bill.switches.default_max = 50
    assert len(bill.results("vendors")) == 50


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", "²", "9" * 5000])
def test_max_outside_1_to_100_is_refused(bill, limit):
    assert bill.refused("GET", "vendors", params={"max": limit})[0] == 400


def test_the_last_page_has_no_next_page_and_the_first_no_previous_one(bill):
    load_vendors(bill, 3)

    first = bill.get("vendors", max=2)
    second = bill.get("vendors", max=2, page=first["nextPage"])

    assert list(first) == ["nextPage", "results"]
    assert list(second) == ["prevPage", "results"]
    assert len(second["results"]) == 1


def test_a_list_that_fills_its_last_page_ends_there(bill):
    load_vendors(bill, 4)

    first = bill.get("vendors", max=2)

    assert "nextPage" not in bill.get("vendors", max=2, page=first["nextPage"])


def test_an_empty_list(bill):
    assert bill.get("bills") == {"results": []}


def test_newest_first_unless_said_otherwise(bill):
    load_vendors(bill, 5)

    names = [vendor["name"] for vendor in bill.results("vendors")]
    assert names == [f"Vendor {number:03}" for number in (4, 3, 2, 1, 0)]

    bill.switches.default_sort = "createdTime:asc"
    assert [vendor["name"] for vendor in bill.results("vendors")] == names[::-1]


def test_page_holds_filter_sort_and_limit_of_its_first_page(bill):
    load_vendors(bill, 40)
    first = bill.get("vendors", max=5, sort="name:desc", filters="archived:eq:false")

    alone = bill.get("vendors", page=first["nextPage"])
    ignored = bill.get("vendors", page=first["nextPage"], sort="name:asc", filters="archived:eq:true")

    assert [vendor["name"][-3:] for vendor in alone["results"]] == ["033", "031", "030", "029", "027"]
    assert ignored["results"] == alone["results"]


def test_filter_and_sort_have_to_be_repeated_if_switched_so(bill):
    bill.switches.page_token_requires_repeat = True
    load_vendors(bill, 4)
    asked = {"max": 2, "sort": "name:asc"}
    token = bill.get("vendors", **asked)["nextPage"]

    assert bill.call("GET", "vendors", params={"page": token}).status_code == 400
    assert len(bill.results("vendors", **asked, page=token)) == 2


def test_page_tokens_can_be_made_to_expire(bill):
    bill.switches.page_token_minutes = 10.0
    load_vendors(bill, 3)
    token = bill.get("vendors", max=1)["nextPage"]
    bill.advance(minutes=9)
    assert bill.call("GET", "vendors", params={"page": token}).status_code == 200

    bill.advance(minutes=1)

    assert bill.refused("GET", "vendors", params={"page": token})[2] == "page: has expired"


def test_a_page_of_another_list_or_organization_is_refused(bill):
    load_vendors(bill, 3)
    token = bill.get("vendors", max=1)["nextPage"]
    other = bill.session(organizationId=bill.OTHER_ORGANIZATION)

    assert bill.call("GET", "bills", params={"page": token}).status_code == 400
    assert bill.call("GET", "vendors", params={"page": token}, headers=other).status_code == 400


def test_a_walk_over_http_finds_every_record_once(bill):
    load_vendors(bill, 57)

    found = [vendor["name"] for vendor in bill.all_pages("vendors", max=10, sort="updatedTime:asc")]

    assert found == [f"Vendor {number:03}" for number in range(57)]
