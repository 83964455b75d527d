"""Bookmarks, and states that are handed to the tap."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tap_bill.bookmarks import ACTIVE, ARCHIVED, Bookmarks, accept
from tap_bill.errors import StateError
from tap_bill.reading import Part, Reading
from tap_bill.walk import PRESUMED, SORTED, Walk

TIME = "2026-01-05T00:00:00.000+00:00"
LATER = "2026-01-06T00:00:00.000+00:00"


def bookmarks(state):
    return Bookmarks(state, replication_key="updatedTime", organization_id="00801ORG")


def state_of(**kept):
    return {"bookmarks": {"vendors": kept}}


def test_a_bookmark_says_what_it_is_and_whose():
    state = {}
    bookmarks(state).put(ACTIVE, TIME)
    assert state == {
        "replication_key": "updatedTime",
        "organization_id": "00801ORG",
        "replication_key_value": TIME,
    }


def test_a_bookmark_that_is_nothing_leaves_nothing():
    state = {}
    bookmarks(state).put(ACTIVE, None)
    assert state == {}


@pytest.mark.parametrize(
    "value", ["2026-01-05T00:00:00Z", "2026-01-05T00:00:00.000000+00:00", "2026-01-05", TIME]
)
def test_bookmarks_of_other_forms_are_brought_into_ours(value):
    """A `Z` or microseconds would compare wrongly as text."""
    accepted = accept(state_of(replication_key_value=value, archived_value=value), organization_id=None)
    assert accepted == state_of(replication_key_value=TIME, archived_value=TIME)


def test_what_this_tap_does_not_use_is_left_out():
    """A number in the state would crash targets that are made with the SDK."""
    given = state_of(
        replication_key="updatedTime", replication_key_value=TIME, progress=Decimal("0.5"), archived="maybe"
    )
    assert accept(given | {"other": 1.5}, organization_id=None) == state_of(
        replication_key="updatedTime", replication_key_value=TIME
    )


def test_what_is_known_about_the_list_is_kept():
    assert accept(state_of(archived="hidden"), organization_id=None) == state_of(archived="hidden")


def test_an_empty_state_is_a_state():
    assert accept({}, organization_id=None) == {"bookmarks": {}}


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ([], "the state is malformed"),
        ({"bookmarks": []}, "the state is malformed"),
        ({"bookmarks": {"vendors": "x"}}, "the state of stream vendors is malformed"),
        (state_of(replication_key_value="soon"), "replication_key_value is no date"),
        (state_of(replication_key_value=1767225600), "replication_key_value is no date"),
        (state_of(archived_value={}), "archived_value is no date"),
    ],
)
def test_a_malformed_state_is_refused_with_the_place(state, told):
    with pytest.raises(StateError, match=told):
        accept(state, organization_id=None)


def test_the_state_of_another_organization_is_refused():
    """Its bookmarks would hide records of this one."""
    with pytest.raises(StateError, match="belongs to organization 00801ORG, but organization_id is 00801NEW"):
        accept(state_of(organization_id="00801ORG"), organization_id="00801NEW")


def test_the_state_of_the_same_organization_is_accepted():
    given = state_of(organization_id="00801ORG")
    assert accept(given, organization_id="00801ORG") == given


# Readings -----------------------------------------------------------------------------------------


def reading(state, *, queries=SORTED, name=ACTIVE):
    kept = bookmarks(state)
    bookmark = kept.get(name)
    walk = Walk(queries, since=bookmark, bookmark=bookmark, started="2026-12-01T00:00:00.000+00:00")
    whole = Reading(
        name=name, parts=[Part(walk)], bookmarks=kept, ask=None, shaped=None, tell=None, page_size=100
    )
    return whole, walk


def test_the_bookmark_follows_the_records_where_the_walk_can_be_resumed():
    state = {}
    begun, _ = reading(state)
    begun.emitted(TIME)
    assert state["replication_key_value"] == TIME


def test_the_bookmark_waits_for_the_end_where_it_cannot():
    state = {"replication_key_value": TIME}
    begun, walk = reading(state, queries=PRESUMED)
    walk.take([{"id": "a", "updatedTime": LATER}])
    begun.emitted(LATER)
    assert state["replication_key_value"] == TIME
    begun.finish()
    assert state["replication_key_value"] == LATER


def test_a_bookmark_that_was_moved_too_early_is_taken_back():
    state = {}
    begun, walk = reading(state)
    walk.take([{"id": "a", "updatedTime": LATER}])
    begun.emitted(LATER)
    walk.take([{"id": "b", "updatedTime": TIME}])
    begun.emitted(TIME)
    assert "replication_key_value" not in state


def test_archived_records_have_a_bookmark_of_their_own():
    state = {"replication_key_value": LATER}
    begun, walk = reading(state, name=ARCHIVED)
    begun.archived_seen = True
    walk.take([{"id": "a", "updatedTime": TIME}])
    begun.finish()
    assert (state["replication_key_value"], state["archived_value"], state["archived"]) == (
        LATER,
        TIME,
        "hidden",
    )


def test_an_undated_record_moves_nothing():
    state = {}
    begun, _ = reading(state)
    begun.emitted(None)
    assert state == {}
