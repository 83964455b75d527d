"""What the target's unit tests share: BILL records, a small QuickBooks company, a store in a file."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import hypothesis
import pytest
import tenacity
from cryptography.fernet import Fernet
from target_quickbooks.exact_json import fingerprint
from target_quickbooks.links import Company as CompanyPair
from target_quickbooks.mapping.chart import Chart, ClassTracking, Company, Entries, Entry
from target_quickbooks.mapping.purchase_order import OrderContext, VendorInQuickBooks, map_bill
from target_quickbooks.mapping.source import Kind, Reference, read_bill
from target_quickbooks.planning import Item
from target_quickbooks.policies import Policies
from target_quickbooks.settings import Settings
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store

hypothesis.settings.register_profile("machine-independent", deadline=None)
hypothesis.settings.load_profile("machine-independent")

ORGANIZATION = "00802TESTORGANIZATN1"
US_VENDOR = VendorInQuickBooks("41", "Happy Music Supplies", "USD")
KEY = Fernet.generate_key().decode()


class VirtualClock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.start = dt.datetime(2026, 12, 16, 12, 0, tzinfo=dt.UTC)
        self.time = 1000.0
        self.slept = []

    def now(self):
        return self.time

    def moment(self):
        return self.start + dt.timedelta(seconds=self.time)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


def build_vendor(**changed):
    """A BILL vendor as the tap sends it."""
    return {
        "id": "00902VENDOR000000001",
        "organizationId": ORGANIZATION,
        "archived": False,
        "name": "Happy Music Supplies",
        "accountNumber": "987000654",
        "email": "info@happymusic.example",
        "phone": "987-654-3210",
        "address": {
            "line1": "123 Main Street",
            "line2": "Suite 200",
            "city": "San Jose",
            "stateOrProvince": "CA",
            "zipOrPostalCode": "95002",
            "country": "US",
            "countryName": "United States",
        },
        "paymentInformation": {"payeeName": "Happy Music Payee"},
        "additionalInfo": {"taxId": "99-9888777", "track1099": True, "companyName": "Happy Music Inc."},
        "billCurrency": "USD",
        "updatedTime": "2026-12-15T22:53:15.127Z",
        **changed,
    }


def build_line(**changed):
    """A line of a BILL bill, coded to the account for travel."""
    return {
        "id": "bli01",
        "amount": Decimal("149.00"),
        "description": "Flight",
        "classifications": {"chartOfAccountId": "0ca-travel"},
        **changed,
    }


def build_bill(**changed):
    """A BILL bill as the tap sends it; its amount is the sum of its lines unless it is given."""
    lines = changed.setdefault("billLineItems", [build_line()])
    return {
        "id": "00n02BILL00000ABC123",
        "organizationId": ORGANIZATION,
        "archived": False,
        "recordStatus": "ACTIVE",
        "vendorId": "00902VENDOR000000001",
        "vendorName": "Happy Music Supplies",
        "amount": sum((line["amount"] for line in lines), Decimal(0))
        if isinstance(lines, list)
        else Decimal(0),
        "description": "December trip",
        "dueDate": "2026-12-31",
        "invoice": {"invoiceNumber": "INV-1", "invoiceDate": "2026-12-15"},
        "paymentStatus": "UNPAID",
        "updatedTime": "2026-12-15T23:15:23.127Z",
        **changed,
    }


def build_company(**changed):
    """A US company that has everything switched on but more than one currency."""
    company = Company(
        name="Test Company",
        country="US",
        plan="QuickBooks Online Plus",
        home_currency="USD",
        multicurrency=False,
        class_tracking=ClassTracking.PER_LINE,
        locations=True,
        own_document_numbers=True,
        purchase_orders=True,
        book_close_date=None,
    )
    return replace(company, **changed)


def build_chart(**changed):
    """The company's lists; ``changed`` replaces members of its preferences."""
    accounts = (
        Entry("33", "Accounts Payable", "Accounts Payable", type="Accounts Payable", currency="USD"),
        Entry(
            "90", "Accounts Payable - EUR", "Accounts Payable - EUR", type="Accounts Payable", currency="EUR"
        ),
        Entry("60", "Travel", "Travel", number="6100", type="Expense"),
        Entry("61", "Airfare", "Travel:Airfare", number="6110", type="Expense"),
        Entry("62", "Software", "Office:Software", number="6200", type="Expense"),
        Entry("63", "Old (deleted)", "Old (deleted)", active=False, number="6900", type="Expense"),
    )
    items = (
        Entry("11", "Pump", "Pump", type="NonInventory", expense_account_id="60"),
        Entry("12", "Consulting", "Consulting", type="Service"),
        Entry("13", "Tools", "Tools", type="Category", expense_account_id="60"),
    )
    customers = (Entry("3", "Cool Cars", "Cool Cars"), Entry("4", "Job 1", "Cool Cars:Job 1"))
    return Chart(
        company=build_company(**changed),
        accounts=Entries("account", accounts),
        classes=Entries("class", (Entry("200", "Sales", "Sales"), Entry("201", "West", "Sales:West"))),
        locations=Entries("location", (Entry("300", "Austin", "Austin"), Entry("301", "Boston", "Boston"))),
        customers=Entries("customer", customers),
        items=Entries("item", items),
    )


def _references():
    """What BILL calls the same things."""
    seen = (
        Reference(Kind.ACCOUNT, "0ca-travel", "Travel", number="6100", full_name="Travel"),
        Reference(Kind.ACCOUNT, "0ca-software", "Software", full_name="Office:Software"),
        Reference(Kind.ACCOUNT, "0ca-old", "Old", number="6900", full_name="Old"),
        Reference(Kind.ACCOUNT, "0ca-unknown", "Airfair", full_name="Travel:Airfair"),
        Reference(Kind.ITEM, "0ii-pump", "Pump", full_name="Pump"),
        Reference(Kind.ITEM, "0ii-consulting", "Consulting", full_name="Consulting"),
        Reference(Kind.ITEM, "0ii-tools", "Tools", full_name="Tools"),
        Reference(Kind.ITEM, "0ii-unknown", "Gadget", full_name="Gadget"),
        Reference(Kind.CLASS, "cls-sales", "Sales", full_name="Sales"),
        Reference(Kind.CLASS, "cls-west", "West", full_name="Sales:West"),
        Reference(Kind.DEPARTMENT, "0de-sales", "Sales", full_name="Sales"),
        Reference(Kind.DEPARTMENT, "0de-boston", "Boston", full_name="Boston"),
        Reference(Kind.LOCATION, "loc-austin", "Austin", full_name="Austin"),
        Reference(Kind.LOCATION, "loc-boston", "Boston", full_name="Boston"),
        Reference(Kind.LOCATION, "loc-sales", "Sales", full_name="Sales"),
        Reference(Kind.CUSTOMER, "0cu-cars", "Cool Cars", full_name="Cool Cars"),
        Reference(Kind.JOB, "job-1", "Job 1", full_name="Cool Cars:Job 1"),
    )
    return {(reference.kind, reference.id): reference for reference in seen}


def build_context(*, policies=None, **company):
    """Everything besides the bill that decides how its purchase order looks."""
    return OrderContext(ORGANIZATION, build_chart(**company), _references(), policies or Policies())


@pytest.fixture(scope="session")
def vendor_record():
    return build_vendor


@pytest.fixture(scope="session")
def bill_record():
    return build_bill


@pytest.fixture(scope="session")
def bill_line():
    return build_line


@pytest.fixture(scope="session")
def company():
    return build_company


@pytest.fixture(scope="session")
def chart():
    return build_chart


@pytest.fixture(scope="session")
def context():
    return build_context


@pytest.fixture(scope="session")
def map_order():
    """Maps a bill; the vendor, policies and members of the company's preferences may be given too."""

    def build(*, vendor=US_VENDOR, policies=None, company=None, **changed):
        surroundings = build_context(policies=policies, **(company or {}))
        return map_bill(read_bill(build_bill(**changed)), vendor, surroundings)

    return build


@pytest.fixture(scope="session")
def make_item():
    """A mapped record on its way through planning; its digest is that of its payload."""

    def build(mapped, *, bill_id="00902VENDOR00ABC123", stream="vendors", link=None, archived=False):
        digest = fingerprint(mapped.payload, b"key")
        return Item(stream, bill_id, "2026-12-15", mapped, link, digest, "source", archived)

    return build


@pytest.fixture(scope="session")
def pair():
    """The pair of companies a run works for."""
    return CompanyPair("9341452000000001", ORGANIZATION)


@pytest.fixture(scope="session")
def make_clock():
    return VirtualClock


@pytest.fixture
def clock(monkeypatch):
    """A virtual clock that retrying goes by too."""
    virtual = VirtualClock()
    monkeypatch.setattr(tenacity, "time", SimpleNamespace(monotonic=virtual.now))
    return virtual


@pytest.fixture(scope="session")
def moment():
    return dt.datetime(2026, 12, 16, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def encryption_key():
    return KEY


@pytest.fixture(scope="session")
def make_settings():
    """Settings of a run against made-up addresses."""

    def build(**changed):
        required = {
            "client_id": "client",
            "client_secret": "client-secret-value",
            "realm_id": "9341452000000001",
            "encryption_keys": (KEY,),
            "refresh_token": "AB11-seed-token-value",
            "api_url": "https://quickbooks.test",
            "token_url": "https://intuit.test/tokens/bearer",
        }
        return Settings(**{**required, **changed})

    return build


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """The file of a store that was migrated and never used: copying it is faster than migrating."""
    path = tmp_path_factory.mktemp("empty") / "store.sqlite3"
    open_store(f"sqlite:///{path}", Cipher((KEY,))).close()
    return path


@pytest.fixture(scope="session")
def empty_database(postgres):
    """The same in PostgreSQL."""
    with postgres.database() as name:
        open_store(postgres.url(name), Cipher((KEY,))).close()
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    """Where stores are; modules that use a store for something else are content with one."""
    return request.param


@pytest.fixture
def store_url(engine, request, tmp_path):
    """Where a store may be; there is one already if the test asks for ``store``."""
    ready = "store" in request.fixturenames
    if engine == "sqlite":
        path = tmp_path / "store.sqlite3"
        if ready:
            shutil.copy(request.getfixturevalue("empty_store"), path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("empty_database") if ready else "template1"
    postgres = request.getfixturevalue("postgres")
    with postgres.database(template) as name:
        yield postgres.url(name)


@pytest.fixture
def store(store_url):
    opened = open_store(store_url, Cipher((KEY,)))
    yield opened
    opened.close()
