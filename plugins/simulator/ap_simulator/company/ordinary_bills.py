"""Everyday bills: drawn from what each vendor sells, spread over the twelve months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from ap_simulator.company.bill_format import cents
from ap_simulator.company.bills import USER_IDS, Bill, Line, exchange_rate_at
from ap_simulator.company.calendar import CLOSING, PERIOD_END, day_between, office_moment
from ap_simulator.company.structure import EMPLOYEES, JOBS, LOCATIONS
from ap_simulator.company.trades import Offer, Trade
from ap_simulator.company.vendors import Vendor

_PER_CENT: Final = 100
_TERMS_IN_DAYS: Final = (0, 10, 15, 30, 30, 30, 45, 60)
#: Approval of a bill entered in the last three weeks, and of an earlier one.
_RECENT_APPROVALS: Final = ("APPROVED", "APPROVED", "ASSIGNED", "APPROVING", "UNASSIGNED")
_RECENT: Final = timedelta(days=21)
_FRACTION: Final = Decimal(10_000)
_HALF_CENT: Final = Decimal("0.005")


def ordinary_bills(
    vendors: Sequence[Vendor], *, first_ordinal: int, count: int, random: Random
) -> Iterator[Bill]:
    """`count` bills of vendors that are not archived; each such vendor sends at least one."""
    senders = [vendor for vendor in vendors if not vendor.profile.archived]
    weights = [vendor.trade.weight for vendor in senders]
    chosen = [*senders, *random.choices(senders, weights, k=max(0, count - len(senders)))][:count]
    random.shuffle(chosen)
    for ordinal, vendor in enumerate(chosen, first_ordinal):
        yield _bill(ordinal, vendor, random)


def ordinary_line(offer: Offer, random: Random, coding: dict[str, str]) -> Line:
    """A line for something a vendor sells, with quantity and price where it is sold by number."""
    price = Decimal(random.randint(offer.low * _PER_CENT, offer.high * _PER_CENT)) / _PER_CENT
    coding = _with_item(offer, random, {"account": offer.account, **coding})
    if offer.most == 1:
        return Line(amount=price, description=offer.description, coding=coding)
    quantity = Decimal(random.randint(1, offer.most))
    if _chance(random, 15):
        # Metered prices have fractions of a cent; the amount is rounded.
        price += Decimal(random.randint(1, 99)) / _FRACTION
        if (quantity * price) % (_HALF_CENT * 2) == _HALF_CENT:
            price += 1 / _FRACTION
    return Line(
        amount=cents(quantity * price),
        description=offer.description,
        quantity=quantity,
        price=price,
        coding=coding,
    )


def _bill(ordinal: int, vendor: Vendor, random: Random) -> Bill:
    invoice_date = day_between(vendor.first_day, PERIOD_END, random)
    entered = min(invoice_date + timedelta(days=random.randint(0, 6)), PERIOD_END)
    created = office_moment(entered, random)
    edited = created + timedelta(minutes=random.randint(2, 2000)) if _chance(random, 30) else created
    location = random.choices([node.key for node in LOCATIONS], (6, 3, 2, 1))[0]
    header = {"location": location} if _chance(random, 80) else {}
    recent = entered >= PERIOD_END - _RECENT
    return Bill(
        ordinal=ordinal,
        vendor=vendor,
        invoice_number=_invoice_number(vendor, ordinal, invoice_date, random),
        invoice_date=invoice_date,
        due_date=invoice_date + timedelta(days=random.choice(_TERMS_IN_DAYS)),
        created=created,
        updated=min(edited, CLOSING),
        lines=list(_lines(vendor.trade, location, random)),
        coding=header,
        description=f"{vendor.trade.offers[0].description}, {invoice_date:%B %Y}"
        if _chance(random, 50)
        else "",
        record_status="INACTIVE" if _chance(random, 2) else "ACTIVE",
        approval_status=random.choice(_RECENT_APPROVALS) if recent else "APPROVED",
        exchange_rate=exchange_rate_at(invoice_date, vendor.profile.currency),
        purchase_order_number=f"PO-{random.randint(1000, 9999)}" if _chance(random, 10) else "",
        created_by=random.choice(USER_IDS),
    )


def _lines(trade: Trade, location: str, random: Random) -> Iterator[Line]:
    count = random.choices((1, 2, random.randint(1, trade.most_lines)), (4, 3, 6))[0]
    for _ in range(count):
        coding = {}
        if _chance(random, 75):
            coding["accounting_class"] = trade.accounting_class
        if _chance(random, 70):
            coding["department"] = trade.department
        if _chance(random, 60):
            coding["location"] = location
        if trade.billable and _chance(random, 50):
            coding |= _customer(random)
        if trade.billable and _chance(random, 10):
            employee = random.choice(EMPLOYEES)
            coding["employee"] = f"{employee.first_name} {employee.last_name}"
        yield ordinary_line(random.choice(trade.offers), random, coding)


def _customer(random: Random) -> dict[str, str]:
    job = random.choice(JOBS)
    return {"job": job.key, "customer": job.parent} if _chance(random, 60) else {"customer": job.parent}


def _with_item(offer: Offer, random: Random, coding: dict[str, str]) -> dict[str, str]:
    """Code the line to its item half of the time, and then at times to the item alone."""
    if not offer.item or _chance(random, 50):
        return coding
    coding = {**coding, "item": offer.item}
    if offer.item != "retainer" and _chance(random, 40):
        del coding["account"]
    return coding


def _invoice_number(vendor: Vendor, ordinal: int, day: date, random: Random) -> str:
    """Vendors number in ways of their own; no two numbers of one vendor are equal."""
    initials = "".join(word[0] for word in vendor.profile.name.split() if word[0].isascii()).upper()[:3]
    return random.choice(
        (
            f"{initials or 'X'}-{day:%y%m}-{ordinal:03d}",
            f"INV{10_000 + ordinal}",
            f"{day:%Y}/{ordinal:04d}",
            f"{700_000 + ordinal * 7}",
            f"#{ordinal} {day:%b %Y}",
        )
    )


def _chance(random: Random, per_cent: int) -> bool:
    return random.randrange(_PER_CENT) < per_cent
