"""Worked examples for the mapping guide: what BILL has, and what the target's own mapping makes of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import simplejson
from target_quickbooks.exact_json import to_json
from target_quickbooks.mapping.bill_transaction import map_as_bill
from target_quickbooks.mapping.chart import Chart, ClassTracking, Company, Entries, Entry
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.purchase_order import OrderContext, VendorInQuickBooks, map_bill
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill, Kind, Reference, read_bill, read_vendor
from target_quickbooks.mapping.vendor import map_vendor
from target_quickbooks.policies import Policies, TransactionType

ORGANIZATION = "00802EXAMPLEORGANIZ1"
COMPANY = Company(
    name="Example Company",
    country="US",
    plan="QuickBooks Online Plus",
    home_currency="USD",
    multicurrency=True,
    class_tracking=ClassTracking.PER_LINE,
    locations=True,
    own_document_numbers=True,
    purchase_orders=True,
    book_close_date=None,
)
CHART = Chart(
    company=COMPANY,
    accounts=Entries(
        "account",
        (
            Entry("33", "Accounts Payable", "Accounts Payable", type="Accounts Payable", currency="USD"),
            Entry("90", "Payables EUR", "Payables EUR", type="Accounts Payable", currency="EUR"),
            Entry("60", "Travel", "Travel", number="6100", type="Expense"),
            Entry("61", "Hotels", "Travel:Hotels", number="6120", type="Expense"),
            Entry("62", "Software", "Office:Software", number="6200", type="Expense"),
            Entry("63", "Printing", "Printing", active=False, number="6900", type="Expense"),
        ),
    ),
    classes=Entries("class", (Entry("200", "Sales", "Sales"), Entry("201", "West", "Sales:West"))),
    locations=Entries("location", (Entry("300", "Austin", "Austin"),)),
    customers=Entries(
        "customer", (Entry("3", "Ferncliff", "Ferncliff"), Entry("4", "Records", "Ferncliff:Records"))
    ),
    items=Entries("item", (Entry("11", "Laptop", "Laptop", type="NonInventory", expense_account_id="62"),)),
)
#: What BILL calls the same things; the tap sends it as streams of their own.
REFERENCES = {
    (reference.kind, reference.id): reference
    for reference in (
        Reference(Kind.ACCOUNT, "0ca01TRAVEL", "Travel", number="6100", full_name="Travel"),
        Reference(Kind.ACCOUNT, "0ca01LODGING", "Lodging", full_name="Lodging"),
        Reference(Kind.ACCOUNT, "0ca01SOFTWARE", "Software", full_name="Office:Software"),
        Reference(Kind.ACCOUNT, "0ca01PRINTING", "Printing", number="6900", full_name="Printing"),
        Reference(Kind.CLASS, "cls01WEST", "West", full_name="Sales:West"),
        Reference(Kind.LOCATION, "loc01AUSTIN", "Austin", full_name="Austin"),
        Reference(Kind.JOB, "job01RECORDS", "Records", full_name="Ferncliff:Records"),
        Reference(Kind.ITEM, "0ii01LAPTOP", "Laptop", full_name="Laptop"),
    )
}
VENDOR = {
    "id": "00902EXAMPLEVENDOR01",
    "name": "Harbor Light: Electric",
    "archived": False,
    "accountNumber": "987000654",
    "email": "billing@harborlight.example",
    "phone": "512-555-0104",
    "address": {
        "line1": "12 Dock Road",
        "city": "Austin",
        "stateOrProvince": "TX",
        "zipOrPostalCode": "78701",
        "country": "US",
    },
    "paymentInformation": {"payeeName": "Harbor Light Electric Co"},
    "additionalInfo": {"companyName": "Harbor Light Electric Inc.", "track1099": True},
    "billCurrency": "USD",
}


def bill(**changed: Any) -> dict[str, Any]:
    """A bill as the tap sends it."""
    lines = changed.get("billLineItems") or [
        {
            "id": "bli01",
            "amount": Decimal("1249.00"),
            "description": "Laptop",
            "quantity": Decimal(1),
            "price": Decimal("1249.00"),
            "classifications": {"itemId": "0ii01LAPTOP", "accountingClassId": "cls01WEST"},
        },
        {
            "id": "bli02",
            "amount": Decimal("310.40"),
            "description": "Flight to Boston",
            "classifications": {
                "chartOfAccountId": "0ca01TRAVEL",
                "jobId": "job01RECORDS",
                "locationId": "loc01AUSTIN",
            },
        },
    ]
    return {
        "id": "00n02EXAMPLEBILLX7Q2",
        "vendorId": "00902EXAMPLEVENDOR01",
        "invoice": {"invoiceNumber": "2026-0117", "invoiceDate": "2026-11-02"},
        "dueDate": "2026-12-02",
        "description": "Equipment and travel",
        "amount": sum((line["amount"] for line in lines), Decimal(0)),
        "paymentStatus": "UNPAID",
        "billLineItems": lines,
        **changed,
    }


def line(account: str) -> dict[str, Any]:
    """One line of 120.50 on an account of BILL."""
    return {
        "id": "bli01",
        "amount": Decimal("120.50"),
        "description": "Two nights",
        "classifications": {"chartOfAccountId": account},
    }


def order(
    record: Mapping[str, Any],
    *,
    currency: str = "USD",
    mapping: Callable[[Bill, VendorInQuickBooks, OrderContext], Mapped] = map_bill,
    **policies: Any,
) -> Mapped:
    """The purchase order that a bill becomes."""
    context = OrderContext(ORGANIZATION, CHART, REFERENCES, Policies(**policies))
    vendor = VendorInQuickBooks("58", "Harbor Light - Electric", currency)
    return mapping(read_bill({"organizationId": ORGANIZATION, **record}), vendor, context)


def example_vendor() -> Iterator[str]:
    """A vendor with everything."""
    mapped = map_vendor(read_vendor({"organizationId": ORGANIZATION, **VENDOR}), COMPANY)
    yield from both(VENDOR, mapped.payload)


def example_bill() -> Iterator[str]:
    """Lines by item and by account, with class, job and location."""
    record = bill()
    yield from both(record, order(record).payload)


def example_payable() -> Iterator[str]:
    """The same bill where payables are kept in QuickBooks."""
    record = bill()
    mapped = order(record, mapping=map_as_bill, transaction_type=TransactionType.BILL)
    payload = {**mapped.payload, "Line": ["..."]}
    yield from fenced("json", pretty(payload))


def example_map() -> Iterator[str]:
    """An account with another name in QuickBooks."""
    record = bill(billLineItems=[line("0ca01LODGING")])
    yield from refused(lambda: order(record))
    yield from ("With the setting", "")
    yield from fenced("yaml", "account_map:\n  Lodging: Travel:Hotels\n")
    yield from ("the line becomes", "")
    mapped = order(record, account_map={"Lodging": "Travel:Hotels"})
    yield from fenced("json", pretty(mapped.payload["Line"][0]))


def example_inactive() -> Iterator[str]:
    """An account that is inactive in QuickBooks."""
    yield from refused(lambda: order(bill(billLineItems=[line("0ca01PRINTING")])))


def example_foreign() -> Iterator[str]:
    """A bill in another currency."""
    record = bill(billLineItems=[line("0ca01TRAVEL")], exchangeRate=Decimal("1.0845"))
    payload = order(record, currency="EUR").payload
    shown = ("APAccountRef", "CurrencyRef", "ExchangeRate")
    yield from both(
        {"exchangeRate": record["exchangeRate"], "amount": record["amount"]},
        {name: payload[name] for name in shown},
    )


def example_number() -> Iterator[str]:
    """A number that is longer than QuickBooks takes."""
    record = bill(invoice={"invoiceNumber": "CONSULTING/NOVEMBER/2026", "invoiceDate": "2026-11-02"})
    yield from both(
        {"id": record["id"], "invoice": record["invoice"]}, {"DocNumber": order(record).payload["DocNumber"]}
    )


EXAMPLES: dict[str, Callable[[], Iterator[str]]] = {
    "vendor": example_vendor,
    "bill": example_bill,
    "payable": example_payable,
    "map": example_map,
    "inactive": example_inactive,
    "foreign": example_foreign,
    "number": example_number,
}


def both(source: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    """BILL's record, and what is sent to QuickBooks."""
    yield from tab("BILL", source)
    yield from tab("QuickBooks", result)


def tab(title: str, value: Mapping[str, Any]) -> Iterator[str]:
    """A tab with a piece of JSON."""
    yield f'=== "{title}"'
    yield ""
    yield from textwrap.indent("\n".join(fenced("json", pretty(value))), "    ").splitlines()
    yield ""


def refused(act: Callable[[], Mapped]) -> Iterator[str]:
    """What a refusal says."""
    try:
        act()
    except Refusal as refusal:
        said = f"{refusal.code}\n{refusal.reason}\n{refusal.advice}"
        yield from fenced("text", said)
        return
    raise AssertionError("This example is to be refused.")


def fenced(language: str, text: str) -> Iterator[str]:
    """A block of code."""
    yield f"```{language}"
    yield from text.rstrip("\n").splitlines()
    yield "```"
    yield ""


def pretty(value: Any) -> str:
    """JSON with the digits of its amounts as they are."""
    plain = simplejson.loads(to_json(value), use_decimal=True)
    return simplejson.dumps(plain, use_decimal=True, indent=2, ensure_ascii=False)
