"""The pure parts of the page: verdicts, words, charts, links, attempts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webhook_shim.web import charts, links, words
from webhook_shim.web.attempts import Attempts
from webhook_shim.web.standing import Signs, judge

NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("signs", "word"),
    [
        (Signs(last_ended_at=NOW), "In step"),
        (Signs(), "Not started"),
        (Signs(last_ended_at=NOW, waiting=2), "Almost in step"),
        (Signs(last_ended_at=NOW, events=3), "Catching up"),
        (Signs(last_ended_at=NOW, running=True), "Catching up"),
        (Signs(last_ended_at=NOW, last_failed=True, events=3), "Not sure"),
        (Signs(last_ended_at=NOW, failures=1, running=True), "Not in step"),
        (Signs(last_ended_at=NOW, drift=1, last_failed=True), "Not in step"),
        (Signs(dead_since=NOW, failures=9), "Disconnected"),
        (Signs(connected=False), "Disconnected"),
    ],
)
def test_the_verdict_is_the_most_important_thing(signs, word):
    assert judge(signs).word.text == word


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (5, "just now"),
        (60, "1 minute ago"),
        (7260, "2 hours 1 min ago"),
        (86400 * 3, "3 days ago"),
        (-90, "in 1 minute"),
        (-20, "in less than a minute"),
    ],
)
def test_times_are_told_as_people_say_them(seconds, told):
    assert words.ago(NOW - dt.timedelta(seconds=seconds), NOW) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "nothing"),
        ({}, "nothing"),
        (True, "yes"),
        ({"value": "12", "name": "Acme"}, "Acme"),
        ({"value": "12"}, "12"),
        ({"FreeFormNumber": "555"}, "555"),
        ({"Line1": "1 Main St", "City": "", "Country": "US"}, "1 Main St, US"),
        ([{"Amount": Decimal("1.50")}, {"Amount": 2}], "2 lines, 3.50"),
        ([1], "1 entry"),
    ],
)
def test_values_are_told_in_one_line(value, told):
    assert words.short(value) == told


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=60))
def test_bars_stay_within_the_drawing(counts):
    """Whatever the numbers are, the highest bar fits, and none is upside down."""
    until = dt.date(2026, 3, 2)
    by_day = {until - dt.timedelta(days=back): pair for back, pair in enumerate(counts)}
    drawn = charts.chart(charts.days(by_day, until=until, number=len(counts)))
    for bar in drawn.bars:
        assert bar.failed_y >= charts.TOP - 0.2
        assert bar.written_height >= 0
        assert bar.failed_height >= 0
        assert bar.x + bar.width <= drawn.width
    assert len(drawn.bars) == len(counts)


def test_days_without_anything_are_shown_too():
    day = dt.date(2026, 3, 2)
    shown = charts.days({day: (3, 1)}, until=day, number=3)
    assert [(found.date.day, found.written, found.failed) for found in shown] == [
        (28, 0, 0),
        (1, 0, 0),
        (2, 3, 1),
    ]


@pytest.mark.parametrize(
    ("config", "entity", "quickbooks_id", "address"),
    [
        ({}, "Vendor", "58", "https://app.qbo.intuit.com/app/vendordetail?nameId=58"),
        (
            {"environment": "sandbox"},
            "PurchaseOrder",
            "9",
            "https://app.sandbox.qbo.intuit.com/app/purchaseorder?txnId=9",
        ),
        ({"api_url": "http://127.0.0.1:8095"}, "Vendor", "58", ""),
        ({}, "Account", "58", ""),
        ({}, "Vendor", "", ""),
        ({}, "Vendor", "javascript:alert(1)", ""),
    ],
)
def test_links_lead_to_quickbooks_or_nowhere(config, entity, quickbooks_id, address):
    assert links.quickbooks(config, entity, quickbooks_id) == address


BILLS = {"transaction_type": "bill"}


@pytest.mark.parametrize(
    ("config", "stream", "entity"),
    [
        ({}, "vendors", "Vendor"),
        ({}, "bills", "PurchaseOrder"),
        ({"transaction_type": "purchase_order"}, "bill_payments", "PurchaseOrder"),
        ({}, "vendor_credits", ""),
        ({}, "payments", ""),
        (BILLS, "vendors", "Vendor"),
        (BILLS, "bills", "Bill"),
        (BILLS, "restored_orders", "Bill"),
        (BILLS, "vendor_credits", "VendorCredit"),
        (BILLS, "bill_payments", "BillPayment"),
        (BILLS | {"post_payments": "never"}, "bill_payments", "Bill"),
    ],
)
def test_a_failure_leads_to_what_its_record_becomes(config, stream, entity):
    assert links.entity_of(config, stream) == entity


def test_many_addresses_together_are_slowed_down():
    """Fifty wrong passwords from anywhere lock everybody out, but for a minute at most."""
    now = [NOW]
    attempts = Attempts(lambda: now[0])
    for number in range(50):
        assert attempts.take(f"203.0.113.{number}") == dt.timedelta(0)
    assert dt.timedelta(0) < attempts.take("198.51.100.1") <= dt.timedelta(minutes=1)
    now[0] += dt.timedelta(minutes=1, seconds=1)
    assert attempts.take("198.51.100.1") == dt.timedelta(0)


def test_lock_outs_grow_to_an_hour_and_are_forgotten():
    now = [NOW]
    attempts = Attempts(lambda: now[0])
    longest = dt.timedelta(0)
    for _ in range(40):
        wait = attempts.take("a")
        longest = max(longest, wait)
        now[0] += wait
    assert longest == dt.timedelta(hours=1)
    now[0] += dt.timedelta(hours=3)
    for _ in range(5):
        assert attempts.take("a") == dt.timedelta(0)


def test_people_who_know_the_password_are_not_slowed_down():
    attempts = Attempts(lambda: NOW)
    for _ in range(200):
        assert attempts.take("a") == dt.timedelta(0)
        attempts.succeeded("a")
