"""Home currency units per one foreign unit, as QuickBooks wants them, from what BILL tells.

BILL gives the bill's amount in the vendor's currency, its amount in the funding currency and a rate whose
direction its documentation leaves open; the two amounts settle the direction.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill

_RATE_STEP = Decimal("0.0000001")
_CENT = Decimal("0.01")


def exchange_rate(bill: Bill, what: str, *, currency: str) -> Decimal:
    """The rate for a foreign bill.

    Raises:
        Refusal: BILL tells neither a rate nor both amounts. A rate of 1 is never assumed.
    """
    rate, amount, funding = bill.exchange_rate, bill.amount, bill.funding_amount
    if amount and funding:
        for candidate in _candidates(rate):
            if abs((amount * candidate).quantize(_CENT, ROUND_HALF_UP) - funding) <= _CENT:
                return candidate
        return (funding / amount).quantize(_RATE_STEP, ROUND_HALF_UP)
    if rate and rate > 0:
        return rate.quantize(_RATE_STEP, ROUND_HALF_UP)
    raise Refusal(
        "exchange-rate-missing",
        f"BILL gives no exchange rate for {what}, which is in {currency}.",
        advice="It follows by itself when BILL knows the rate, at the latest when the bill is paid.",
    )


def _candidates(rate: Decimal | None) -> list[Decimal]:
    if not rate or rate <= 0:
        return []
    return [
        rate.quantize(_RATE_STEP, ROUND_HALF_UP),
        (1 / rate).quantize(_RATE_STEP, ROUND_HALF_UP),
    ]
