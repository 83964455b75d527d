"""Recurring bills: the turns they take, the bills that are theirs, and the bills that are missing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.mapping.payment_records import observe_bill
from target_quickbooks.recurring import Turn, missing, number_is, passed_turns, read_schedule, recognise

SEEN = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
VENDOR = "00902VENDOR000000001"


def schedule(due="2026-12-31", *, known=None, ident="btp1", on="2026-12-01", archived=False, **plan):
    record = {
        "id": ident,
        "vendorId": VENDOR,
        "archived": archived,
        "description": "Office rent",
        "schedule": {"period": "MONTHLY", "frequency": 1, "nextDueDate": due, "daysInAdvance": 5, **plan},
        "recurringBillLineItems": [{"amount": Decimal("19.99")}, {"amount": Decimal("80.01")}],
        "updatedTime": f"{on}T00:00:00.000+00:00",
    }
    return read_schedule(record, known)


def bill(ident="00n1", due="2026-12-31", number=None, amount="100.00", vendor=VENDOR):
    record = {
        "id": ident,
        "vendorId": vendor,
        "dueDate": due,
        "amount": Decimal(amount),
        "invoice": {"invoiceNumber": due if number is None else number},
    }
    return observe_bill(record, None, now=SEEN)


def test_a_schedule_is_read_with_its_total():
    found = schedule(endDate="2027-11-01")
    assert (found.total, found.next_due, found.end_date, found.state) == (
        Decimal("100.00"),
        "2026-12-31",
        "2027-11-01",
        "active",
    )


# --- turns --------------------------------------------------------------------------------------------------


def test_a_schedule_that_moved_on_has_taken_a_turn():
    before = schedule("2026-12-31")
    assert passed_turns(before, schedule("2027-01-31", known=before, on="2026-12-26")) == ["2026-12-31"]


def test_several_turns_at_once_keep_to_the_day_of_the_month():
    before = schedule("2026-12-31")
    after = schedule("2027-04-30", known=before, on="2027-03-27")
    assert passed_turns(before, after) == ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"]
    assert after.anchor_day == 31


def test_a_date_that_a_person_moved_before_its_time_was_no_turn():
    before = schedule("2026-12-31")
    assert passed_turns(before, schedule("2027-02-15", known=before, on="2026-12-10")) == []


def test_the_last_turn_of_a_schedule_counts():
    before = schedule("2026-12-31", endDate="2027-01-15")
    after = schedule(None, known=before, on="2026-12-26", endDate="2027-01-15")
    assert passed_turns(before, after) == ["2026-12-31"]
    assert after.state == "ended"


@pytest.mark.parametrize("change", [{}, {"archived": True}, {"due": "2026-12-01"}])
def test_what_did_not_move_on_has_taken_no_turn(change):
    before = schedule("2026-12-31")
    assert passed_turns(before, schedule(**change, known=before, on="2027-06-01")) == []


@given(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), st.integers(1, 30), st.dates())
def test_turns_are_in_order_and_end_before_the_next(period, frequency, day):
    before = schedule(day.isoformat(), period=period, frequency=frequency)
    after = replace(before, next_due="9999-12-31", version="9999-12-31T00:00:00+00:00")
    turns = passed_turns(before, after)
    assert turns[:1] in ([before.next_due], [])
    assert turns == sorted(set(turns))


# --- recognising --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["2026-12-31", "12/31/2026", "12/31/26", "20261231", "12-31-2026"])
def test_a_due_date_may_be_written_in_several_ways(number):
    assert number_is(number, "2026-12-31")
    assert not number_is(number, "2027-01-31")


def test_a_bill_with_the_due_date_as_its_number_is_recognised():
    assert recognise([schedule()], [], [bill()]) == [Turn("btp1", "2026-12-31", "00n1")]


def test_so_are_bills_from_before_the_schedule_was_known():
    assert recognise([schedule("2027-01-31")], [], [bill()]) == [Turn("btp1", "2026-12-31", "00n1")]


@pytest.mark.parametrize(
    "changed", [{"number": "INV-7"}, {"amount": "99.00"}, {"due": "2027-01-15", "number": "2026-12-31"}]
)
def test_a_bill_that_a_person_corrected_is_still_recognised(changed):
    turn = Turn("btp1", "2026-12-31")
    assert recognise([schedule("2027-01-31")], [turn], [bill(**changed)]) == [
        Turn("btp1", "2026-12-31", "00n1")
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"vendor": "00902OTHER"},
        {"number": "INV-7", "amount": "99.00"},
        {"number": "INV-7", "due": "2026-11-30"},
        {"amount": "99.00", "due": "2026-11-30"},
    ],
)
def test_another_bill_is_not(changed):
    assert recognise([schedule()], [], [bill(**changed)]) == []


def test_of_two_schedules_of_a_vendor_the_amount_decides():
    other = replace(schedule(ident="btp0"), total=Decimal(7))
    found = recognise([other, schedule()], [], [bill("00n1"), bill("00n2", amount="7")])
    assert set(found) == {Turn("btp1", "2026-12-31", "00n1"), Turn("btp0", "2026-12-31", "00n2")}


def test_a_bill_is_recognised_once():
    known = [Turn("btp1", "2026-12-31", "00n1")]
    assert recognise([schedule(), schedule(ident="btp2")], known, [bill()]) == []


# --- missing ------------------------------------------------------------------------------------------------


def test_a_turn_without_its_bill_is_missing():
    turns = [Turn("btp1", "2026-11-30", "00n1"), Turn("btp1", "2026-12-31")]
    found = missing([schedule("2027-01-31")], turns, dt.date(2026, 12, 26))
    assert [(one.id, due) for one, due in found] == [("btp1", "2026-12-31")]


@pytest.mark.parametrize(("today", "count"), [("2026-12-27", 0), ("2026-12-28", 1)])
def test_a_schedule_that_stands_still_past_its_day_is_missing_its_bill(today, count):
    assert len(missing([schedule()], [], dt.date.fromisoformat(today))) == count


def test_archived_and_ended_schedules_miss_nothing():
    gone = [schedule(archived=True), schedule(ident="btp2", endDate="2026-12-01"), schedule(None, ident="b3")]
    turns = [Turn("btp1", "2026-11-30")]
    assert missing(gone, turns, dt.date(2027, 6, 1)) == []
