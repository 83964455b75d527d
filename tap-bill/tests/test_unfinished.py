"""Payments that are not finished are read again, whether BILL moves their `updatedTime` or not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_bill import unfinished
from tap_bill.bookmarks import CLEARED, MOVING, Bookmarks, accept
from tap_bill.unfinished import Unfinished

PATH = "/v3/payments"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
STATUSES = [
    "SCHEDULED",
    "SENT",
    "CLEARED",
    "VOIDED",
    "DISBURSEMENT_FAILED_ACTION_NEEDED",
    "FUNDS_ESCHEATED",
    None,
]


def payment(ident, status, day=20):
    return {"id": ident, "singleStatus": status, "updatedTime": f"2026-01-{day:02}T00:00:00.000+00:00"}


def noted(*records, state=None):
    state = {} if state is None else state
    kept = Unfinished(Bookmarks(state, replication_key="updatedTime", organization_id="o"), now=NOW)
    for record in records:
        kept.note(record)
    return state, kept.ids


def test_what_is_on_its_way_or_stuck_is_remembered_and_what_has_ended_is_not():
    state, ids = noted(*(payment(f"p{number}", status) for number, status in enumerate(STATUSES)))
    assert ids == ["p0", "p1", "p4", "p2"]
    assert state == {MOVING: "p0 p1 p4", CLEARED: "p2"}


def test_what_cleared_a_month_ago_is_forgotten():
    assert noted(payment("old", "CLEARED", day=1), payment("new", "CLEARED", day=2))[1] == ["new"]


def test_only_so_many_are_remembered_the_oldest_forgotten_first(monkeypatch):
    monkeypatch.setattr(unfinished, "MOST", 3)
    records = [payment(f"p{number}", "SENT") for number in range(5)]
    assert noted(*records, payment("c", "CLEARED"))[1] == ["p2", "p3", "p4", "c"]


def test_an_id_that_would_not_be_one_in_a_filter_is_not_remembered():
    assert noted(payment('a",b', "SENT"))[1] == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(STATUSES))))
def test_the_latest_status_of_each_payment_decides(seen):
    state, ids = noted(*(payment(ident, status) for ident, status in seen))
    latest = dict(seen)
    ended = {"VOIDED", "FUNDS_ESCHEATED", None}
    assert sorted(ids) == sorted(ident for ident, status in latest.items() if status not in ended)
    assert noted(state=state)[1] == ids


def test_ids_survive_the_check_of_a_state():
    state = {"bookmarks": {"payments": {MOVING: "a b", CLEARED: "c"}}}
    assert accept(state, organization_id=None) == state


@pytest.fixture
def state():
    return {
        "bookmarks": {
            "payments": {
                "replication_key": "updatedTime",
                "replication_key_value": "2026-01-25T00:00:00.000+00:00",
                MOVING: "p1 p2",
            }
        }
    }


def test_a_run_reads_them_again_and_moves_no_bookmark_for_it(bill, sync, state):
    bill.answer(PATH, [payment("p2", "SENT", day=26)], [payment("p1", "VOIDED", day=3)])
    output = sync("payments", state=state)
    assert [record["id"] for record in output.records("payments")] == ["p2", "p1"]
    assert bill.requests[-1] == (PATH, {"max": "100", "filters": 'id:in:"p1"'})
    kept = output.state["bookmarks"]["payments"]
    assert kept["replication_key_value"] == "2026-01-26T00:00:00.000+00:00"
    assert kept[MOVING] == "p2"


def test_a_page_of_them_is_asked_for_at_a_time(bill, sync, state):
    bill.answer(PATH, [], [payment("p1", "SENT")], [payment("p2", "SENT")])
    sync("payments", state=state, page_size=1)
    assert [query["filters"] for query in bill.queries(PATH)[1:]] == ['id:in:"p1"', 'id:in:"p2"']


def test_others_that_come_along_are_left_out(bill, sync, state):
    bill.answer(PATH, [], [payment("p1", "SENT"), payment("other", "SENT")])
    assert [record["id"] for record in sync("payments", state=state).records("payments")] == ["p1"]


def test_a_list_that_cannot_be_filtered_by_id_costs_nothing_but_a_warning(bill, sync, state):
    bill.answer(PATH, [], (400, [{"code": "BDC_1002", "message": "filters: id"}]))
    output = sync("payments", state=state)
    assert output.records("payments") == []
    assert output.state["bookmarks"]["payments"][MOVING] == "p1 p2"
