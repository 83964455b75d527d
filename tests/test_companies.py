"""Several companies in one project: nothing of one reaches another, whatever is alike on both.

Two organizations of BILL and two realms of QuickBooks, with the same ids, names and numbers on both sides, in
one store: each kept in step with its own, then crosswise as well, which the list of companies refuses but the
store has to bear.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import uvicorn
from ap_simulator.testing import running
from sqlalchemy import select
from starlette.applications import Starlette
from target_quickbooks.links import Company
from target_quickbooks.store import connection_table, failure_table, link_table, tables
from target_quickbooks.store.failure_table import Selection
from webhook_shim import web
from webhook_shim.checks import Checks
from webhook_shim.companies import Books
from webhook_shim.context import Context
from webhook_shim.events import Event, System
from webhook_shim.settings import read
from webhook_shim.store import inbox_table
from webhook_shim.store import tables as shim_tables
from webhook_shim.store.opening import open_for

QUOKKA_ORGANIZATION, WOMBAT_ORGANIZATION = "00802DEMOORGANIZTN01", "00802SECONDCOMPANY01"
QUOKKA_REALM, WOMBAT_REALM = "9341452000000001", "9341452000000002"
VENDORS, BILLS = 3, 4
ENTITIES = ("Vendor", "PurchaseOrder")
COLLECTIONS = ("vendors", "bills", "payments", "recurring_bills", "vendor_credits")


def now():
    return datetime.now(UTC)


@dataclass
class Side:
    """What a company is told apart by: a word in everything that is written for it, and its ids."""

    word: str
    organization_id: str
    realm_id: str
    settings: dict
    amount: float


class Pair:
    """An organization, a realm, and the two plugins between them; the store is one for all pairs."""

    def __init__(self, name, bill, quickbooks, simulator, books_of, directory):
        self.name, self.bill_side, self.quickbooks_side = name, bill, quickbooks
        self.company = Company(quickbooks.realm_id, bill.organization_id)
        self.variables = _of(bill.settings, "TAP_BILL_") | _of(quickbooks.settings, "TARGET_QUICKBOOKS_")
        self.control = simulator.control
        directory.mkdir()
        env = simulator.env() | self.variables
        own = SimpleNamespace(env=lambda: env, control=simulator.control)
        self.plugins = books_of(own, directory)

    @property
    def user(self):
        return self.plugins.bill

    def sync(self):
        return self.plugins.sync()

    def books(self):
        return Books(
            name=self.name,
            title=f"{self.bill_side.word} Ltd",
            organization_id=self.company.organization_id,
            realm_id=self.company.realm_id,
            variables=self.variables,
            tap_config=self.plugins.settings("TAP_BILL_"),
            target_config=self.plugins.settings("TARGET_QUICKBOOKS_"),
        )

    def held(self, collection):
        return self.control.records("bill", collection, organization=self.company.organization_id)

    def stored(self, entity):
        return self.control.records("quickbooks", entity, realm=self.company.realm_id)

    def enter(self, account):
        """The same vendor and bill as in the other organization, by name and number; the rest is its own."""
        word = self.bill_side.word
        address = {"line1": f"1 {word} Street", "city": word, "zipOrPostalCode": "78701", "country": "US"}
        self.vendor = self.user.vendor("Twin Supplies", address=address)
        self.line = {
            "amount": self.bill_side.amount,
            "description": f"{word} goods",
            "classifications": {"chartOfAccountId": account},
        }
        self.bill = self.user.bill(self.vendor["id"], "T-1", [self.line])


def _of(settings, prefix):
    return {name: value for name, value in settings.items() if name.startswith(prefix)}


class World:
    """Both organizations and both realms on one simulator, and the store that all pairs share."""

    def __init__(self, simulator, books_of, directory):
        self.simulator = simulator
        added = simulator.control.add_company(
            organization_id=WOMBAT_ORGANIZATION,
            realm_id=WOMBAT_REALM,
            name="Larkfield Software Services",
            vendors=VENDORS,
            bills=BILLS,
        )
        quokka = Side("Quokka", QUOKKA_ORGANIZATION, QUOKKA_REALM, simulator.env(), 120.50)
        wombat = Side("Wombat", WOMBAT_ORGANIZATION, WOMBAT_REALM, added, 987.25)
        self.sides = (quokka, wombat)

        def pair(name, bill, quickbooks):
            return Pair(name, bill, quickbooks, simulator, books_of, directory / name)

        self.quokka, self.wombat = pair("quokka", quokka, quokka), pair("wombat", wombat, wombat)
        self.crossed = (pair("quokka-in-wombat", quokka, wombat), pair("wombat-in-quokka", wombat, quokka))
        account = next(
            record["id"]
            for record in self.quokka.held("chart_of_accounts")
            if not record["archived"] and record["account"]["type"] == "EXPENSE"
        )
        self.account = account
        for one in (self.quokka, self.wombat):
            one.enter(account)
        self.companies = (self.quokka.books(), self.wombat.books())
        self.store = open_for(self.companies)

    def rows(self, side):
        """All that the store holds of a company, table by table, and of its plain ids nothing else."""
        found = {}
        with self.store.reading() as connection:
            for table in (*tables.metadata.sorted_tables, *shim_tables.metadata.sorted_tables):
                mine = [
                    dict(row)
                    for row in connection.execute(select(table)).mappings()
                    if _is_of(table.name, dict(row), side)
                ]
                found[table.name] = sorted(mine, key=repr)
        return found

    def failures(self, pair):
        with self.store.reading() as connection:
            found = failure_table.select_failures(
                connection, self.store.cipher, Selection(realm_id=pair.company.realm_id)
            )
        return [one for one in found if one.company == pair.company]

    def links(self, pair):
        """QuickBooks ids by entity and BILL id."""
        chosen = link_table.Selection(
            realm_id=pair.company.realm_id, organization_id=pair.company.organization_id
        )
        with self.store.reading() as connection:
            found = link_table.select_links(connection, chosen)
        return {(one.link.entity, one.link.bill_id): one.link.quickbooks_id for one in found}

    def everything_of(self, pair):
        """What must not change while something happens to another company."""
        return {
            "store": self.rows(pair.bill_side),
            "QuickBooks": {entity: pair.stored(entity) for entity in ENTITIES},
            "BILL": {collection: pair.held(collection) for collection in COLLECTIONS},
            "state": json.dumps(pair.plugins.state, sort_keys=True),
        }


def _is_of(table, row, side):
    """Whether a row belongs to a company, by the columns that say so; every table has such columns."""
    if table == "secrets":
        return False
    if table == "leases":
        return side.realm_id in row["name"]
    if table == "shim_inbox":
        return row["tenant"] in {side.realm_id, side.organization_id}
    owners = [row[name] for name in ("realm_id", "organization_id") if name in row]
    assert owners, f"{table} does not say whose its rows are"
    return all(owner in {side.realm_id, side.organization_id} for owner in owners)


@contextlib.contextmanager
def made(directory, books_of):
    with running("empty", vendors=VENDORS, bills=BILLS) as simulator:
        world = World(simulator, books_of, directory)
        yield world
        world.store.close()


@pytest.fixture
def world(tmp_path, books_of):
    with made(tmp_path, books_of) as world:
        yield world


@pytest.fixture
def synced(world):
    """Each organization in step with its own realm."""
    return in_step(world)


@pytest.fixture(scope="module")
def lived(tmp_path_factory, books_of):
    """Both companies with a history, for tests that only look."""
    with made(tmp_path_factory.mktemp("lived"), books_of) as world:
        in_step(world)
        for pair in (world.quokka, world.wombat):
            live_through(world, pair)
        yield world


def in_step(world):
    for pair in (world.quokka, world.wombat):
        assert pair.sync().exit_code == 0
    return world


@contextlib.contextmanager
def serving(application):
    """Serve on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def receive(world, pair, kind="vendor.updated", record_id="v"):
    for system, tenant in (
        (System.BILL, pair.company.organization_id),
        (System.QUICKBOOKS, pair.company.realm_id),
    ):
        event = Event(system, tenant, f"event-{kind}-{record_id}", kind, "vendor", record_id, None)
        with world.store.writing() as connection:
            inbox_table.put(connection, [event], now=now())


def live_through(world, pair):
    """Everything that leaves a trace: a refusal, a payment, a schedule, an edit, an event, a check."""
    word = pair.bill_side.word
    pair.user.vendor(":", email=f"{word.lower()}@example.com")
    pair.user.bill(pair.vendor["id"], "T-2", [pair.line])
    account = pair.held("bank_accounts")[0]["id"]
    pair.user.post(
        "/v3/payments",
        {
            "vendorId": pair.vendor["id"],
            "billId": pair.bill["id"],
            "amount": pair.bill_side.amount,
            "fundingAccount": {"type": "BANK_ACCOUNT", "id": account},
            "processingOptions": {"createBill": False},
        },
    )
    pair.user.post(
        "/v3/recurringbills",
        {
            "vendorId": pair.vendor["id"],
            "schedule": {
                "period": "MONTHLY",
                "frequency": 1,
                "nextDueDate": "2027-01-31",
                "daysInAdvance": 10,
            },
            "recurringBillLineItems": [pair.line],
        },
    )
    edited = world.links(pair)["Vendor", pair.vendor["id"]]
    pair.control.write_by_hand(
        "Vendor",
        record_id=edited,
        values={"BillAddr": {"Line1": f"2 {word} Street"}},
        realm_id=pair.company.realm_id,
    )
    receive(world, pair, record_id=edited)
    Checks(world.store, now=now)(pair.books())
    assert pair.sync().exit_code == 1


@pytest.mark.parametrize("first", ["quokka", "wombat"])
def test_what_happens_to_a_company_changes_nothing_of_the_other(synced, first):
    moved, still = (synced.quokka, synced.wombat) if first == "quokka" else (synced.wombat, synced.quokka)
    receive(synced, still)
    before = synced.everything_of(still)
    held = synced.everything_of(moved)
    live_through(synced, moved)
    assert synced.everything_of(still) == before
    after = synced.everything_of(moved)["store"]
    touched = {name for name, rows in after.items() if rows != held["store"][name]}
    assert touched >= {
        "audit",
        "audit_tails",
        "bill_balances",
        "drift",
        "failures",
        "intents",
        "links",
        "payment_parts",
        "payments",
        "recurring_bills",
        "runs",
        "shim_inbox",
    }


def test_every_row_and_object_speaks_of_its_own_company_only(lived):
    for side, other in (lived.sides, lived.sides[::-1]):
        pair = lived.quokka if side.word == "Quokka" else lived.wombat
        everything = lived.everything_of(pair)
        told = repr(everything)
        told += repr([(one.record, one.payload) for one in lived.failures(pair)])
        assert side.word in told
        for foreign in (other.word, other.organization_id, other.realm_id, str(other.amount)):
            assert foreign not in told, foreign


def test_rows_of_two_companies_never_meet(lived):
    """Ids are the same on both sides, so that a key without its company would have lost a row."""
    quokka, wombat = (lived.links(pair) for pair in (lived.quokka, lived.wombat))
    generated = {key for key in quokka if key in wombat}
    assert Counter(entity for entity, _ in generated) == {"Vendor": VENDORS, "PurchaseOrder": BILLS}
    assert len(quokka) == len(wombat) == VENDORS + BILLS + 3
    numbers = [
        {order["DocNumber"] for order in pair.stored("PurchaseOrder")}
        for pair in (lived.quokka, lived.wombat)
    ]
    assert numbers[0] == numbers[1]
    names = [
        {vendor["DisplayName"] for vendor in pair.stored("Vendor")} for pair in (lived.quokka, lived.wombat)
    ]
    assert names[0] == names[1]


def test_tokens_and_sessions_open_one_company_only(lived):
    with lived.store.reading() as connection:
        kept = {one.realm_id: one for one in connection_table.every(connection, lived.store.cipher)}
    assert set(kept) == {QUOKKA_REALM, WOMBAT_REALM}
    assert kept[QUOKKA_REALM].refresh_token != kept[WOMBAT_REALM].refresh_token
    for realm_id, connection in kept.items():
        headers = {"Authorization": f"Bearer {connection.access_token}", "Accept": "application/json"}
        for asked in kept:
            url = f"{lived.simulator.url}/v3/company/{asked}/companyinfo/{asked}"
            answer = requests.get(url, headers=headers, timeout=10)
            assert (answer.status_code == 200) is (asked == realm_id)
    paths = {pair.variables["TAP_BILL_SESSION_PATH"] for pair in (lived.quokka, lived.wombat)}
    assert len(paths) == 2
    assert all(Path(path).exists() for path in paths)


def test_one_session_file_for_both_gives_each_its_own_session(world):
    """As where the project sets one path for all: the credentials decide, which have the organization."""
    shared = world.quokka.variables["TAP_BILL_SESSION_PATH"]
    for pair in (world.quokka, world.wombat, world.quokka, world.wombat):
        lines = pair.plugins.read(session_path=shared)
        of = {
            record["organizationId"]
            for line in lines
            if (record := json.loads(line).get("record")) and "organizationId" in record
        }
        assert of == {pair.company.organization_id}
    assert world.simulator.control.stats()["bill"]["logins"] <= 4


def test_a_connection_that_ends_is_that_of_one_company(synced):
    synced.simulator.control.disconnect(QUOKKA_REALM)
    for pair in (synced.quokka, synced.wombat):
        pair.user.vendor("Late")
    assert synced.quokka.sync().exit_code == 1
    assert synced.wombat.sync().exit_code == 0
    with synced.store.reading() as connection:
        dead = {
            one.realm_id for one in connection_table.every(connection, synced.store.cipher) if one.dead_since
        }
    assert dead == {QUOKKA_REALM}


def test_all_four_crossings_in_one_store_stay_apart(synced):
    """Two organizations in one realm are two firms that happen to share its vendors' names."""
    live = {pair.name: synced.links(pair) for pair in (synced.quokka, synced.wombat)}
    before = {pair.name: _objects(pair, live[pair.name]) for pair in (synced.quokka, synced.wombat)}
    for pair in synced.crossed:
        assert pair.sync().exit_code == 0
    pairs = (synced.quokka, synced.wombat, *synced.crossed)
    for pair in pairs[:2]:
        assert synced.links(pair) == live[pair.name]
        assert _objects(pair, live[pair.name]) == before[pair.name]
    for pair in pairs:
        links = synced.links(pair)
        assert len(links) == VENDORS + BILLS + 2
        word = pair.bill_side.word
        others = {"Quokka", "Wombat"} - {word}
        told = repr(_objects(pair, links))
        assert word in told
        assert not any(other in told for other in others)
    for realm_id in (QUOKKA_REALM, WOMBAT_REALM):
        here = [synced.links(pair) for pair in pairs if pair.company.realm_id == realm_id]
        objects = [{(key[0], found) for key, found in links.items()} for links in here]
        assert not objects[0] & objects[1]
    synced.simulator.control.reset_stats()
    for pair in pairs:
        pair.plugins.state = None
        assert pair.sync().exit_code == 0
    assert synced.simulator.control.stats()["quickbooks"]["write_calls"] == 0


def test_a_refusal_in_one_crossing_is_settled_in_that_one_only(synced):
    pairs = (synced.quokka, synced.wombat, *synced.crossed)
    bad = {pair.name: pair.user.vendor(":") for pair in pairs[:2]}
    for pair in pairs:
        assert pair.sync().exit_code == 1
        assert [one.bill_id for one in synced.failures(pair)] == [
            bad["quokka" if pair.bill_side.word == "Quokka" else "wombat"]["id"]
        ]
    synced.quokka.user.patch(f"/v3/vendors/{bad['quokka']['id']}", {"name": "Named"})
    synced.quokka.sync()
    assert synced.failures(synced.quokka) == []
    assert [len(synced.failures(pair)) for pair in pairs[1:]] == [1, 1, 1]


def test_every_page_shows_its_own_company_only(lived, tmp_path):
    context = Context(
        read({"MELTANO_PROJECT_ROOT": str(tmp_path)}), lived.companies, lived.store, lambda: None, now
    )
    with serving(Starlette(routes=web.routes(context))) as url:
        for side, other in (lived.sides, lived.sides[::-1]):
            own = f"/books/{side.word.lower()}"
            paths, read_paths = [own], set()
            while paths:
                path = paths.pop()
                read_paths.add(path)
                answer = requests.get(url + path, timeout=30)
                assert answer.status_code == 200, path
                page = _without_the_choice_of_company(answer.text)
                for foreign in (
                    f"{other.word} ",
                    f"/{other.word.lower()}",
                    other.organization_id,
                    other.realm_id,
                ):
                    assert foreign not in page, (path, foreign)
                links = set(re.findall(rf'href="({own}[^"#]*)"', page))
                paths += sorted(links - read_paths - set(paths))
            shapes = {re.sub(r"/[\w-]*\d[\w-]*", "/N", path.partition("?")[0]) for path in read_paths}
            assert shapes >= {
                own,
                *(f"{own}/{page}" for page in ("runs", "failures", "drift", "history", "connection")),
                *(f"{own}/{page}/N" for page in ("failures", "history")),
            }


def _without_the_choice_of_company(page):
    """Every page lets people go to another company, by its title."""
    return re.sub(
        r"<nav[^>]*compan.*?</nav>|<select.*?</select>|<details[^>]*compan.*?</details>",
        "",
        page,
        flags=re.DOTALL,
    )


def _objects(pair, links):
    """The QuickBooks objects that a pair's links lead to."""
    held = {entity: {one["Id"]: one for one in pair.stored(entity)} for entity in ENTITIES}
    return {key: held[key[0]][found] for key, found in sorted(links.items())}
