"""Any number of plausible vendors and bills, made one by one and fast.

Nothing here is special: every vendor and bill can be synced. Parts that many records have in
common (addresses, codings) are shared objects, since a record is never changed in place; so
200,000 vendors and 200,000 bills take some ten seconds and little memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Final

from ap_simulator.bill.wire import stamp
from ap_simulator.company.bill_format import Record, bill_id
from ap_simulator.company.bill_lists import BillLists
from ap_simulator.company.bills import classifications
from ap_simulator.company.calendar import BOOKS_OPENED, PERIOD_END, PERIOD_START
from ap_simulator.company.identities import DEMO
from ap_simulator.company.quickbooks_lists import Entity, currency_reference, entity_record

#: Ordinals of generated records begin here, so that they never meet those of the demo.
FIRST_ORDINAL: Final = 1_000_001


def _words(text: str) -> list[str]:
    return text.split("|")


_FIRST: Final = _words(
    "Alder|Amber|Arrow|Aspen|Beacon|Birch|Bluff|Canyon|Cedar|Clover|Cobalt|Coral|"
    "Crescent|Cypress|Delta|Eagle|Elm|Falcon|Fern|Flint|Garnet|Glacier|Granite|"
    "Harvest|Heron|Hickory|Indigo|Iron|Juniper|Kodiak|Laurel|Linden|Maple|Meadow|"
    "Mesa|Nickel|Oak|Onyx|Osprey|Pebble"
)
_SECOND: Final = _words(
    "Ridge|Valley|Point|Creek|Hill|Harbor|Field|Grove|Bridge|Lake|Park|Bay|Brook|"
    "Gate|Cliff|Springs|Hollow|Landing|Crossing|Prairie"
)
_KIND: Final = _words(
    "Supply|Services|Partners|Logistics|Systems|Consulting|Media|Printing|Electric|"
    "Staffing|Foods|Textiles|Analytics|Software|Equipment|Plumbing|Landscaping|"
    "Packaging|Insurance|Travel"
)
_CITIES: Final = (
    ("Austin", "TX", "78702"),
    ("Boston", "MA", "02110"),
    ("Denver", "CO", "80202"),
    ("Seattle", "WA", "98101"),
    ("Atlanta", "GA", "30303"),
    ("Chicago", "IL", "60604"),
    ("Phoenix", "AZ", "85004"),
    ("Portland", "ME", "04101"),
)
_ADDRESSES: Final = 2_000
_ACCOUNTS: Final = _words(
    "supplies|postage|catering|developer_tools|business_apps|repairs|cleaning|"
    "utilities|legal|accounting|online_ads|subcontractors|hosting|dues"
)
_CLASSES: Final = ("", "consulting", "managed", "product", "overhead")
_LOCATIONS: Final = ("austin", "boston", "denver", "toronto")
_PERIOD: Final = timedelta(days=(PERIOD_END - PERIOD_START).days)
_DAYS: Final = tuple(
    (PERIOD_START + timedelta(days=offset)).isoformat() for offset in range(_PERIOD.days + 62)
)
_CENTS: Final = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much to make.

    Attributes:
        vendors: How many vendors.
        bills: How many bills; none without vendors.
        seed: The same seed makes the same records.
    """

    vendors: int
    bills: int
    seed: int


def generated_vendors(scale: Scale) -> Iterator[Record]:
    """Active domestic vendors, oldest first, entered before the twelve months began."""
    random = Random(f"vendors {scale.seed}")  # noqa: S311 - reproducible on purpose
    addresses = _addresses(random)
    start = datetime.combine(PERIOD_START, BOOKS_OPENED.timetz())
    first, step = BOOKS_OPENED, (start - BOOKS_OPENED) / max(1, scale.vendors)
    for index in range(scale.vendors):
        name = vendor_name(index)
        moment = stamp(first + index * step)
        handle = f"vendor{index}.example"
        yield {
            "id": bill_id("vendors", FIRST_ORDINAL + index),
            "archived": False,
            "name": name,
            "accountNumber": str(10_000_000 + int(random.random() * 89_999_999)),
            "accountType": "BUSINESS",
            "email": f"billing@{handle}",
            "phone": f"512555{index % 10_000:04d}",
            "address": addresses[int(random.random() * _ADDRESSES)],
            "paymentInformation": {"payeeName": name, "payByType": "ACH", "payBySubType": "NONE"},
            "additionalInfo": {
                "taxId": f"07{index:07d}",
                "taxIdType": "EIN",
                "track1099": index % 5 == 0,
                "companyName": name,
            },
            "billCurrency": "USD",
            "networkStatus": "NOT_CONNECTED",
            "createdTime": moment,
            "updatedTime": moment,
        }


def generated_bills(scale: Scale, lists: BillLists) -> Iterator[Record]:
    """Unpaid bills of the generated vendors, oldest first, spread evenly over the twelve months."""
    if not scale.vendors:
        return
    random = Random(f"bills {scale.seed}")  # noqa: S311 - reproducible on purpose
    codings = _codings(lists)
    start = datetime.combine(PERIOD_START, BOOKS_OPENED.timetz())
    step = _PERIOD / max(1, scale.bills)
    for index in range(scale.bills):
        vendor = index % scale.vendors
        created = start + index * step
        day = (created.date() - PERIOD_START).days
        moment = stamp(created)
        record_id = bill_id("bills", FIRST_ORDINAL + index)
        lines = _lines(record_id, codings, random)
        amount = lines[0]["amount"] if len(lines) == 1 else sum((x["amount"] for x in lines), Decimal(0))
        yield {
            "id": record_id,
            "archived": False,
            "recordStatus": "ACTIVE",
            "vendorId": bill_id("vendors", FIRST_ORDINAL + vendor),
            "vendorName": vendor_name(vendor),
            "amount": amount,
            "fundingAmount": amount,
            "paidAmount": _NOTHING,
            "dueAmount": amount,
            "scheduledAmount": _NOTHING,
            "creditAmount": _NOTHING,
            "exchangeRate": 1,
            "dueDate": _DAYS[day + int(random.random() * 60)],
            "invoice": {"invoiceNumber": f"G{index + 1}", "invoiceDate": _DAYS[day]},
            "billLineItems": lines,
            "paymentStatus": "UNPAID",
            "approvalStatus": "UNASSIGNED",
            "createdBy": DEMO.user_id,
            "createdTime": moment,
            "updatedTime": moment,
        }


def generated_quickbooks_vendors(scale: Scale, *, first_id: int) -> Iterator[Entity]:
    """The same vendors as QuickBooks has them once they were entered there by hand."""
    for index in range(scale.vendors):
        name = vendor_name(index)
        body: Entity = {
            "DisplayName": name,
            "CompanyName": name,
            "PrintOnCheckName": name,
            "Active": True,
            "Vendor1099": False,
            "Balance": Decimal(0),
            "CurrencyRef": currency_reference("USD"),
        }
        yield entity_record(str(first_id + index), body, created=BOOKS_OPENED)


def vendor_name(index: int) -> str:
    """The name of the generated vendor at `index`, from 0; no two are alike."""
    index, kind = divmod(index, len(_KIND))
    index, second = divmod(index, len(_SECOND))
    branch, first = divmod(index, len(_FIRST))
    name = f"{_FIRST[first]} {_SECOND[second]} {_KIND[kind]}"
    return f"{name}, Branch {branch}" if branch else name


_NOTHING: Final = Decimal("0.00")


def _addresses(random: Random) -> Sequence[Record]:
    addresses = []
    for number in range(_ADDRESSES):
        city, state, postal_code = _CITIES[number % len(_CITIES)]
        addresses.append(
            {
                "line1": f"{random.randint(1, 9999)} Commerce Street",
                "city": city,
                "stateOrProvince": state,
                "zipOrPostalCode": postal_code,
                "country": "US",
                "countryName": "United States",
            }
        )
    return addresses


def _codings(lists: BillLists) -> Sequence[Record]:
    return [
        classifications(
            {
                "account": account,
                **({"accounting_class": accounting_class} if accounting_class else {}),
                "location": location,
            },
            lists,
        )
        for account, accounting_class, location in product(_ACCOUNTS, _CLASSES, _LOCATIONS)
    ]


def _lines(record_id: str, codings: Sequence[Record], random: Random) -> list[Record]:
    lines = []
    for number in range(1 + int(random.random() * 3)):
        draw = int(random.random() * 5_000_000)
        line: Record = {
            # Like the bill's id, but for the last character.
            "id": f"bli{record_id[3:19]}{number}",
            "classifications": codings[draw % len(codings)],
        }
        if draw % 2:
            quantity, price = 1 + draw % 20, 100 + draw % 20_000
            line["quantity"] = Decimal(quantity)
            line["price"] = Decimal(price).scaleb(_CENTS)
            line["amount"] = Decimal(quantity * price).scaleb(_CENTS)
        else:
            line["amount"] = Decimal(500 + draw // 10).scaleb(_CENTS)
        lines.append(line)
    return lines
