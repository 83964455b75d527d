"""Home currency units per one foreign unit, as QuickBooks wants them, from what BILL tells.

BILL gives the bill's amount in the vendor's currency, its amount in US dollars and a rate whose direction
its documentation leaves open; the two amounts settle the direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill

#: What BILL pays from, and converts to (BILL manual 4.2).
FUNDING_CURRENCY = "USD"
_RATE_STEP = Decimal("0.0000001")
_HIGHEST_RATE = Decimal("1E+9")
_CENT = Decimal("0.01")


def exchange_rate(bill: Bill, what: str, *, currency: str, home: str = FUNDING_CURRENCY) -> Decimal:
    """The rate for a foreign bill.

    Args:
        bill: The bill.
        what: What to call it.
        currency: Its currency.
        home: The home currency in QuickBooks.

    Raises:
        Refusal: BILL tells neither a rate nor both amounts, or not for this home currency. A rate of 1 is
            never assumed.
    """
    if home != FUNDING_CURRENCY:
        raise Refusal(
            "exchange-rate-unknown",
            f"{sentence_start(what)} is in {currency}, and the home currency of QuickBooks is {home}: BILL "
            f"knows rates to {FUNDING_CURRENCY} only.",
            advice=f"Enter this bill in QuickBooks by hand; bills in {home} are written by themselves.",
        )
    found = next(_rates(bill), None)
    if found is None:
        raise Refusal(
            "exchange-rate-missing",
            f"BILL gives no exchange rate for {what}, which is in {currency}.",
            advice="It follows by itself when BILL knows the rate, at the latest when the bill is paid.",
        )
    return found


def _rates(bill: Bill) -> Iterator[Decimal]:
    """Rates that can be meant, the surest first."""
    rate, amount, funding = bill.exchange_rate, bill.amount, bill.funding_amount
    if amount and funding:
        for candidate in _both_ways(rate):
            if abs((amount * candidate).quantize(_CENT, ROUND_HALF_UP) - funding) <= _CENT:
                yield candidate
        yield from _usable(funding / amount)
    elif rate:
        yield from _usable(rate)


def _both_ways(rate: Decimal | None) -> Iterator[Decimal]:
    if rate:
        yield from _usable(rate)
        yield from _usable(1 / rate)


def _usable(rate: Decimal) -> Iterator[Decimal]:
    """The rate in the steps that QuickBooks keeps, unless it is beyond all bounds or vanishes."""
    if _RATE_STEP <= rate < _HIGHEST_RATE:
        yield rate.quantize(_RATE_STEP, ROUND_HALF_UP)
