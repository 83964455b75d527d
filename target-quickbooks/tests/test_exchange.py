"""The exchange rate: home currency units for one foreign unit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from target_quickbooks.mapping.exchange import exchange_rate
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import read_bill

CENT = Decimal("0.01")
amounts = st.decimals("0.01", 1_000_000, places=2)
rates = st.decimals("0.0005", 2000, places=6)


def rate_of(amount, funding, rate):
    record = {"vendorId": "v", "amount": amount, "fundingAmount": funding, "exchangeRate": rate}
    return exchange_rate(read_bill(record), "bill 'INV-1'", currency="EUR")


def test_the_rate_is_taken_as_it_is_where_the_amounts_agree():
    assert rate_of(Decimal("1000.00"), Decimal("1085.50"), Decimal("1.0855")) == Decimal("1.0855")


def test_the_rate_is_turned_round_where_the_amounts_say_so():
    assert rate_of(Decimal("1000.00"), Decimal("1085.50"), Decimal("0.9212344")) == Decimal("1.0855001")


def test_the_amounts_win_over_a_rate_that_fits_neither_way():
    assert rate_of(Decimal("1000.00"), Decimal("1085.50"), Decimal("7.5")) == Decimal("1.0855000")


def test_the_amounts_alone_are_enough():
    assert rate_of(Decimal("300.00"), Decimal("100.00"), None) == Decimal("0.3333333")


def test_the_rate_alone_is_enough():
    assert rate_of(Decimal("1000.00"), None, Decimal("1.0855")) == Decimal("1.0855")


@pytest.mark.parametrize(
    ("funding", "rate"),
    [(None, None), (None, Decimal(0)), (None, Decimal("-1.5")), (Decimal(0), None), (Decimal(-5), None)],
)
def test_a_rate_of_one_is_never_assumed(funding, rate):
    with pytest.raises(Refusal, match="no exchange rate for bill 'INV-1', which is in EUR") as refusal:
        rate_of(Decimal("1000.00"), funding, rate)
    assert refusal.value.code == "exchange-rate-missing"


def test_a_rate_that_vanishes_in_seven_decimals_is_no_rate():
    """QuickBooks would take zero for one to one."""
    with pytest.raises(Refusal):
        rate_of(Decimal(10_000_000), Decimal("0.01"), None)


@given(amounts, rates, st.booleans())
def test_the_rate_leads_from_the_amount_to_the_funding_amount(amount, rate, turned):
    """Whichever way BILL writes its rate, within the seven decimals QuickBooks keeps."""
    funding = (amount * rate).quantize(CENT, ROUND_HALF_UP)
    assume(funding)
    found = rate_of(amount, funding, 1 / rate if turned else rate)
    assert abs(amount * found - funding) <= CENT + amount * Decimal("0.0000001")
