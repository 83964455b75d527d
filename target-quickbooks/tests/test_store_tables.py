"""What the store keeps: companies apart, values exact, secrets unreadable."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.source import Kind, Reference
from target_quickbooks.store import (
    audit_table,
    connection_table,
    failure_table,
    intent_table,
    lease_table,
    link_table,
    reference_table,
    run_table,
    tables,
)
from target_quickbooks.store.audit_table import Entry
from target_quickbooks.store.connection_table import Connection
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.store.intent_table import Intent, Outcome

TAX_ID = "99-5688293"

# --- links --------------------------------------------------------------------------------------------------

LINK = Link(
    "PurchaseOrder",
    "00n1",
    "257",
    "3",
    quickbooks_name="INV-1",
    payload_digest="p",
    source_digest="s",
    desired={"Line": [{"Amount": Decimal("149.10")}], "POStatus": "Open"},
    line_ids={"a": "1"},
)


def test_a_link_is_read_as_it_was_saved(store, pair, moment):
    with store.writing() as connection:
        link_table.save(connection, pair, LINK, now=moment)
    with store.reading() as connection:
        assert link_table.find(connection, pair, "PurchaseOrder", ["00n1", "00n2"]) == {"00n1": LINK}


def test_saving_a_link_again_replaces_it(store, pair, moment):
    with store.writing() as connection:
        link_table.save(connection, pair, LINK, now=moment)
        link_table.save(connection, pair, Link("PurchaseOrder", "00n1", "258", "0"), now=moment)
    with store.reading() as connection:
        assert link_table.find(connection, pair, "PurchaseOrder", ["00n1"])["00n1"].quickbooks_id == "258"
        assert link_table.counts(connection) == [(pair.realm_id, pair.organization_id, "PurchaseOrder", 1)]


def test_many_links_are_found_at_once(store, pair, moment):
    with store.writing() as connection:
        for number in range(510):
            link_table.save(connection, pair, Link("Vendor", str(number), str(number), "0"), now=moment)
    with store.reading() as connection:
        assert len(link_table.find(connection, pair, "Vendor", map(str, range(510)))) == 510


def test_a_new_fingerprint_of_the_record_is_remembered(store, pair, moment):
    with store.writing() as connection:
        link_table.save(connection, pair, LINK, now=moment)
        link_table.remember_source(connection, pair, "PurchaseOrder", [("00n1", "new")])
        found = link_table.find(connection, pair, "PurchaseOrder", ["00n1"])["00n1"]
    assert (found.source_digest, found.payload_digest) == ("new", "p")


def test_a_link_can_be_forgotten(store, pair, moment):
    with store.writing() as connection:
        link_table.save(connection, pair, LINK, now=moment)
        link_table.remove(connection, pair, "PurchaseOrder", "00n1")
        assert link_table.find(connection, pair, "PurchaseOrder", ["00n1"]) == {}


COMPANIES = [Company("1", "A"), Company("1", "B"), Company("2", "A")]


def test_identical_ids_in_several_companies_stay_apart(store, moment):
    with store.writing() as connection:
        for company in COMPANIES:
            name = f"{company.realm_id}{company.organization_id}"
            link_table.save(connection, company, Link("Vendor", "009", f"Q{name}", "0"), now=moment)
            failure_table.save(connection, store.cipher, company, failure(label=name), run_id="r", now=moment)
        link_table.remove(connection, COMPANIES[0], "Vendor", "009")
        failure_table.resolve(connection, COMPANIES[0], "bills", ["00n1"], now=moment)
    with store.reading() as connection:
        links = [link_table.find(connection, company, "Vendor", ["009"]) for company in COMPANIES]
        failures = [failure_table.unsettled(connection, store.cipher, company) for company in COMPANIES]
    assert [[link.quickbooks_id for link in found.values()] for found in links] == [[], ["Q1B"], ["Q2A"]]
    assert [[found.label for found in listed] for listed in failures] == [[], ["1B"], ["2A"]]


def test_an_objects_owner_is_known_in_the_whole_realm(store, moment):
    with store.writing() as connection:
        link_table.save(connection, COMPANIES[0], Link("Vendor", "009", "137", "0"), now=moment)
        owners = [link_table.owners(connection, company, "Vendor", ["137", "138"]) for company in COMPANIES]
    assert owners == [{"137": "009"}, {"137": "009"}, {}]


def test_who_shares_an_object_is_known_in_the_whole_realm(store, moment):
    with store.writing() as connection:
        follower = Link("Vendor", "010", "137", "0", reference_only=True)
        link_table.save(connection, COMPANIES[0], Link("Vendor", "009", "137", "0"), now=moment)
        link_table.save(connection, COMPANIES[1], follower, now=moment)
        link_table.save(connection, COMPANIES[2], Link("Vendor", "011", "137", "0"), now=moment)
        found = link_table.sharers(connection, COMPANIES[0], "Vendor", ["137", "138"])
    assert [(one.company, one.link.bill_id, one.link.reference_only) for one in found.pop("137")] == [
        (COMPANIES[0], "009", False),
        (COMPANIES[1], "010", True),
    ]
    assert found == {}


def order_of(vendor, number):
    line = {"Amount": 5, "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "41"}}}
    desired = {"VendorRef": {"value": vendor}, "Line": [line]}
    return Link("PurchaseOrder", f"00n{number}", str(number), "0", desired=desired)


def test_the_orders_that_were_sent_with_a_vendor_are_found(store, pair, moment):
    """Not those of a vendor whose id begins alike, nor those with an account of that id; the latest first."""
    with store.writing() as connection:
        for number, vendor in enumerate(["41", "411", "7", "41", "%"]):
            at = moment + dt.timedelta(minutes=number)
            link_table.save(connection, pair, order_of(vendor, number), now=at)
        link_table.save(connection, pair, Link("PurchaseOrder", "00nX", "9", "0"), now=moment)
        found = link_table.orders_of_vendors(connection, pair, {"41", "%", "8"}, limit=9)
        assert found == {"41": ["3", "0"], "%": ["4"]}
        assert link_table.orders_of_vendors(connection, pair, {"41"}, limit=1) == {"41": ["3"]}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ["009", "009", "009"]),
        ({"realm_id": "1"}, ["009", "009"]),
        ({"realm_id": "1", "organization_id": "B"}, ["009"]),
        ({"ids": ("Q2",)}, ["009"]),
        ({"ids": ("009",), "entities": ("Vendor",), "limit": 2}, ["009", "009"]),
        ({"entities": ("PurchaseOrder", "Bill")}, []),
    ],
)
def test_links_are_selected(store, moment, chosen, expected):
    with store.writing() as connection:
        for number, company in enumerate(COMPANIES):
            link_table.save(connection, company, Link("Vendor", "009", f"Q{number}", "0"), now=moment)
        found = link_table.select_links(connection, link_table.Selection(**chosen))
    assert [one.link.bill_id for one in found] == expected


# --- references ---------------------------------------------------------------------------------------------


def refer(name, *, kind=Kind.ACCOUNT, parent="", **members):
    return Reference(kind, name, name, parent_id=parent, **members)


def find_one(store, kind, bill_id, organization="A"):
    with store.reading() as connection:
        return reference_table.find(connection, organization, [(kind, bill_id)])[kind, bill_id]


def remember(store, *references, organization="A"):
    with store.writing() as connection:
        reference_table.save(connection, organization, references)


def test_a_reference_is_read_with_its_full_name(store):
    remember(store, refer("c", parent="b"), refer("b", parent="a"), refer("a"))
    assert find_one(store, Kind.ACCOUNT, "c").full_name == "a:b:c"


def test_all_that_is_known_of_a_reference_is_kept(store):
    remember(store, refer("v", kind=Kind.VENDOR, archived=True, currency="EUR"), refer("t", number="6100"))
    vendor, account = find_one(store, Kind.VENDOR, "v"), find_one(store, Kind.ACCOUNT, "t")
    assert (vendor.archived, vendor.currency, account.number) == (True, "EUR", "6100")


def test_parents_that_go_in_a_circle_end(store):
    remember(store, refer("a", parent="b"), refer("b", parent="a"), refer("self", parent="self"))
    assert find_one(store, Kind.ACCOUNT, "a").full_name == "b:a"
    assert find_one(store, Kind.ACCOUNT, "self").full_name == "self"


def test_a_parent_that_is_not_known_is_left_out(store):
    remember(store, refer("a", parent="gone"))
    assert find_one(store, Kind.ACCOUNT, "a").full_name == "a"


def test_a_job_may_hang_below_a_customer(store):
    remember(store, refer("job", kind=Kind.JOB, parent="cars"), refer("cars", kind=Kind.CUSTOMER))
    assert find_one(store, Kind.JOB, "job").full_name == "cars:job"


def test_the_last_version_of_a_reference_counts(store):
    old, new = Reference(Kind.ACCOUNT, "1", "Old"), Reference(Kind.ACCOUNT, "1", "New")
    remember(store, old)
    remember(store, old, new)
    assert find_one(store, Kind.ACCOUNT, "1").name == "New"


def test_references_of_two_organizations_stay_apart(store):
    remember(store, Reference(Kind.ACCOUNT, "1", "One"), organization="A")
    remember(store, Reference(Kind.ACCOUNT, "1", "Other"), organization="B")
    assert find_one(store, Kind.ACCOUNT, "1", "A").name == "One"
    assert find_one(store, Kind.ACCOUNT, "1", "B").name == "Other"


def test_many_references_are_saved_and_found(store):
    remember(store, *(refer(str(number)) for number in range(900)))
    with store.reading() as connection:
        found = reference_table.find(connection, "A", [(Kind.ACCOUNT, str(number)) for number in range(900)])
    assert len(found) == 900


# --- failures -----------------------------------------------------------------------------------------------


def failure(**changed):
    members = {
        "stream": "bills",
        "bill_id": "00n1",
        "label": "bill 'INV-1'",
        "code": "account-unknown",
        "reason": "Account 'X' is not in QuickBooks.",
        "advice": "Add it.",
        "record": {"id": "00n1", "amount": Decimal("1.10"), "taxId": TAX_ID},
    }
    return Failure(**{**members, **changed})


@pytest.fixture
def fail(store, pair, moment):
    def build(*, at=0, **changed):
        with store.writing() as connection:
            now = moment + dt.timedelta(hours=at)
            failure_table.save(connection, store.cipher, pair, failure(**changed), run_id=f"run{at}", now=now)

    return build


@pytest.fixture
def resolve(store, pair, moment):
    def build(bill_id="00n1"):
        with store.writing() as connection:
            failure_table.resolve(connection, pair, "bills", [bill_id], now=moment)

    return build


@pytest.fixture
def unsettled(store, pair):
    def build(**options):
        with store.reading() as connection:
            return failure_table.unsettled(connection, store.cipher, pair, **options)

    return build


def test_a_failure_is_read_whole(fail, unsettled, pair, moment):
    faults = ({"code": "2500", "text": "Invalid"},)
    fail(payload={"Amount": Decimal("1.10")}, faults=faults, version="2026-12-15", source_digest="s")
    [found] = unsettled()
    assert found.record == failure().record
    assert (found.payload, found.faults) == ({"Amount": Decimal("1.10")}, faults)
    assert (found.version, found.source_digest, found.company) == ("2026-12-15", "s", pair)
    assert (found.first_at, found.last_at, found.attempts, found.run_id) == (moment, moment, 1, "run0")


def test_a_record_that_fails_again_has_one_row(fail, unsettled, moment):
    fail()
    fail(at=1, reason="Another reason.")
    [found] = unsettled()
    assert (found.reason, found.attempts, found.run_id) == ("Another reason.", 2, "run1")
    assert (found.first_at, found.last_at) == (moment, moment + dt.timedelta(hours=1))


def test_a_record_that_fails_anew_after_it_went_through_starts_anew(fail, resolve, unsettled, moment):
    fail()
    fail(at=1)
    resolve()
    fail(at=2)
    [found] = unsettled()
    assert (found.attempts, found.first_at) == (1, moment + dt.timedelta(hours=2))
    fail(at=3)
    assert unsettled()[0].attempts == 2


def test_what_went_through_is_no_longer_listed(fail, resolve, unsettled, store):
    fail()
    fail(bill_id="00n2")
    resolve()
    assert [found.bill_id for found in unsettled()] == ["00n2"]
    with store.reading() as connection:
        assert failure_table.counts(connection) == {"open": 1, "resolved": 1}


def test_failures_of_one_stream_can_be_asked_for(fail, unsettled):
    fail()
    fail(stream="vendors", bill_id="009")
    assert [found.bill_id for found in unsettled(stream="vendors")] == ["009"]


def test_of_many_records_those_with_a_failure_are_told(fail, store, pair):
    fail(source_digest="s")
    fail(bill_id="00n2", source_digest="t")
    with store.reading() as connection:
        wanted = [*(str(number) for number in range(40_000)), "00n1"]
        assert failure_table.unsettled_ids(connection, pair, "bills", wanted) == {"00n1": "s"}


# --- intents ------------------------------------------------------------------------------------------------


def intent(number, company, request_id="req"):
    return Intent(
        company=company,
        stream="bills",
        bill_id=f"00n{number}",
        entity="PurchaseOrder",
        operation="create",
        payload_digest="d",
        request_id=request_id,
        batch_item_id=f"i{number}",
        document={"record": {"taxId": TAX_ID}, "amount": Decimal("1.10")},
        created_at=dt.datetime(2026, 11, 1, 12, 0, 0, 250000, tzinfo=dt.UTC),
    )


def test_intents_without_an_outcome_are_found_in_order(store, pair, moment):
    intents = [intent(number, pair) for number in (2, 1, 3)]
    with store.writing() as connection:
        intent_table.record(connection, store.cipher, intents, run_id="r")
        intent_table.settle(connection, intents[1], Outcome.APPLIED, now=moment)
    with store.reading() as connection:
        assert intent_table.unsettled(connection, store.cipher, pair.realm_id) == [intents[0], intents[2]]
        assert intent_table.unsettled(connection, store.cipher, "another realm") == []


def test_a_settled_intent_keeps_no_document(store, pair, moment):
    with store.writing() as connection:
        intent_table.record(connection, store.cipher, [intent(1, pair)], run_id="r")
        intent_table.settle(connection, intent(1, pair), Outcome.REFUSED, now=moment, fault_code="2500")
        row = connection.execute(text("SELECT outcome, fault_code, document FROM intents")).one()
    assert tuple(row) == ("refused", "2500", None)


def test_intents_of_equal_ids_in_two_realms_are_settled_apart(store, moment):
    one, other = intent(1, COMPANIES[0]), intent(1, COMPANIES[2])
    with store.writing() as connection:
        intent_table.record(connection, store.cipher, [one, other], run_id="r")
        intent_table.settle(connection, one, Outcome.APPLIED, now=moment)
        assert intent_table.unsettled(connection, store.cipher, "2") == [other]


# --- leases, runs, tracked records --------------------------------------------------------------------------


def test_one_owner_at_a_time_holds_a_lease(store, moment):
    def acquire(owner, after=0):
        return lease_table.acquire(store, "name", owner, now=moment + dt.timedelta(seconds=after), seconds=90)

    assert acquire("one")
    assert not acquire("other")
    assert acquire("one", 60)
    assert not acquire("other", 149)
    assert acquire("other", 150)
    assert not acquire("one", 151)


def test_only_its_owner_gives_a_lease_back(store, moment):
    lease_table.acquire(store, "name", "one", now=moment, seconds=90)
    lease_table.release(store, "name", "other")
    assert not lease_table.acquire(store, "name", "other", now=moment, seconds=90)
    lease_table.release(store, "name", "one")
    assert lease_table.acquire(store, "name", "other", now=moment, seconds=90)


def test_runs_are_listed_newest_first(store, moment):
    with store.writing() as connection:
        for number in range(3):
            now = moment + dt.timedelta(hours=number)
            run_table.start(connection, f"run{number}", realm_id="1", mode="sync", trigger="t", now=now)
        run_table.finish(connection, "run1", exit_code=1, counts={"bills": 2}, now=moment)
        runs = run_table.latest(connection, limit=2)
    assert [run["id"] for run in runs] == ["run2", "run1"]
    assert (runs[1]["exit_code"], runs[1]["counts"], runs[0]["exit_code"]) == (1, {"bills": 2}, None)


def test_tracked_records_are_kept_in_their_last_version_without_secrets(store):
    owner = {
        "id": "008",
        "taxId": TAX_ID,
        "companyOwner": {"dateOfBirth": "1970-01-01"},
        "updatedTime": "x" * 50,
    }
    with store.writing() as connection:
        run_table.track(connection, "A", "organization", [{**owner, "name": "Old"}])
        run_table.track(connection, "A", "organization", [{**owner, "name": "New"}])
        [row] = connection.execute(tables.tracked.select()).mappings()
    assert row["document"]["name"] == "New"
    assert row["document"]["taxId"] == "XXXXXX8293"
    assert row["document"]["companyOwner"]["dateOfBirth"] == "[hidden]"


# --- connections --------------------------------------------------------------------------------------------


def connection_to(realm, moment, **changed):
    return Connection(realm, "client", "AB11-refresh", "digest", moment, access_token="eyJ-access", **changed)


def test_a_connection_is_read_as_it_was_saved(store, moment):
    saved = connection_to("1", moment, access_expires_at=moment, refreshed_at=moment, company_name="Acme")
    with store.writing() as connection:
        connection_table.save(connection, store.cipher, connection_to("1", moment))
        connection_table.save(connection, store.cipher, saved)
        connection_table.save(connection, store.cipher, connection_to("2", moment))
    with store.reading() as connection:
        assert connection_table.load(connection, store.cipher, "1", "client") == saved
        assert connection_table.load(connection, store.cipher, "1", "another client") is None
        assert [found.realm_id for found in connection_table.every(connection, store.cipher)] == ["1", "2"]


def test_a_companys_name_is_noted(store, moment):
    with store.writing() as connection:
        connection_table.save(connection, store.cipher, connection_to("1", moment))
        connection_table.name_company(connection, "1", "Acme")
        assert connection_table.load(connection, store.cipher, "1", "client").company_name == "Acme"


def test_a_connection_shows_no_token(moment):
    shown = repr(connection_to("1", moment))
    assert "AB11" not in shown
    assert "eyJ" not in shown


# --- nothing is readable ------------------------------------------------------------------------------------


def stored(store, store_url):
    """All that a store keeps, as bytes: SQLite's files, the rows of another database."""
    if not store_url.startswith("sqlite"):
        with store.reading() as connection:
            found = [connection.execute(select(table)).all() for table in tables.metadata.sorted_tables]
        return repr(found).encode()
    store.close()
    folder = Path(store_url.removeprefix("sqlite:///")).parent
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_no_secret_is_readable_in_the_store(store, store_url, pair, moment, fail):
    """Tokens, tax ids, and all fields of encrypted documents."""
    secret = {"record": {"taxId": TAX_ID, "name": "Very Private Name"}}
    with store.writing() as connection:
        connection_table.save(connection, store.cipher, connection_to("1", moment))
        private = Intent(pair, "vendors", "009", "Vendor", "create", "d", "req", "i1", secret, moment)
        intent_table.record(connection, store.cipher, [private], run_id="r")
        run_table.track(connection, "A", "organization", [{"id": "008", "taxId": TAX_ID}])
        change = {"TaxIdentifier": TAX_ID, "access_token": "eyJ-access"}
        entry = Entry(pair, "vendors", "009", "", "Vendor", "1", "create", "applied", change, change)
        audit_table.append(connection, store.fingerprint_key, [entry], run_id="r", trigger="t", now=moment)
    fail(record={"name": "Very Private Name", "taxId": TAX_ID}, payload={"DisplayName": "Very Private Name"})
    content = stored(store, store_url)
    assert b"XXXXXX8293" in content
    for secret_text in (TAX_ID, "995688293", "AB11-refresh", "eyJ-access", "Very Private Name"):
        assert secret_text.encode() not in content
