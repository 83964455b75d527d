"""The one form of moments."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_bill import timestamps

FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("2026-12-30T23:15:23.127+00:00", "2026-12-30T23:15:23.127+00:00"),
        ("2026-12-30T23:15:23.127Z", "2026-12-30T23:15:23.127+00:00"),
        ("2026-12-30T23:15:23Z", "2026-12-30T23:15:23.000+00:00"),
        ("2026-12-30T23:15:23.1Z", "2026-12-30T23:15:23.100+00:00"),
        ("2026-12-30T23:15:23.127999Z", "2026-12-30T23:15:23.127+00:00"),
        ("2026-12-30T23:15:23.127+0000", "2026-12-30T23:15:23.127+00:00"),
        ("2026-12-30T16:15:23.127-07:00", "2026-12-30T23:15:23.127+00:00"),
        ("2026-12-31T01:15+02:00", "2026-12-30T23:15:00.000+00:00"),
        ("2026-12-30T23:15:23.127", "2026-12-30T23:15:23.127+00:00"),
        ("2026-12-30 23:15:23.127+00:00", "2026-12-30T23:15:23.127+00:00"),
        ("2026-12-30", "2026-12-30T00:00:00.000+00:00"),
    ],
)
def test_every_form_becomes_the_one_form(given_text, expected):
    assert timestamps.normalise(given_text) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00.000+00:00", "2026-02-30", "12/30/2026"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        timestamps.normalise(text)


@given(MOMENTS, st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"]))
def test_normalising_keeps_the_moment_up_to_milliseconds_and_never_moves_it_forward(moment, precision):
    text = timestamps.normalise(moment.isoformat(timespec=precision))

    assert FORM.fullmatch(text)
    gap = moment - timestamps.to_moment(text)
    assert timedelta() <= gap < timedelta(seconds=1 if precision == "seconds" else 0.001)
    assert timestamps.normalise(text) == text


@given(MOMENTS, MOMENTS)
def test_text_compares_like_time(one, other):
    """Singer compares bookmarks as text."""
    first, second = timestamps.to_text(one), timestamps.to_text(other)
    assert (first < second) == (timestamps.to_moment(first) < timestamps.to_moment(second))


def test_filters_get_the_documented_form_with_z():
    assert timestamps.for_filter("2026-01-01T00:00:00.000+00:00") == "2026-01-01T00:00:00.000Z"


def test_earlier_subtracts_seconds():
    assert timestamps.earlier("2026-01-01T00:01:00.500+00:00", 120) == "2025-12-31T23:59:00.500+00:00"


def test_earlier_stops_at_the_beginning_of_time():
    first = timestamps.to_text(datetime.min.replace(tzinfo=UTC))
    assert timestamps.earlier("0001-01-01T00:00:10.000+00:00", 60) == first


@pytest.mark.parametrize("text", ["2026-12-15", "2026-12-15T00:00:00.000Z", "2026-12-15 10:00"])
def test_dates_lose_the_time_that_webhooks_give_them(text):
    assert timestamps.calendar_date(text) == "2026-12-15"


@pytest.mark.parametrize("text", ["2026-12-15x", "15.12.2026", "2026-02-30", ""])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        timestamps.calendar_date(text)
