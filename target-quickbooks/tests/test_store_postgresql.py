"""PostgreSQL lets many in at once: nothing gets in between, and what goes wrong is told without a secret."""

from __future__ import annotations

import sys
import threading

import pytest
from sqlalchemy import text
from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.source import Kind, Reference
from target_quickbooks.store import (
    audit_table,
    connection_table,
    failure_table,
    lease_table,
    link_table,
    reference_table,
    run_table,
)
from target_quickbooks.store.audit_table import Entry
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from target_quickbooks.store.engines import new_engine
from target_quickbooks.store.failure_table import Failure

AT_ONCE = 6
PAIR = Company("9341452000000001", "00802TESTORGANIZATN1")
OTHER = Company("9341452000000002", "00802TESTORGANIZATN1")


@pytest.fixture
def database(postgres, request):
    """One of the test's own: with a store in it if the test asks for ``store``, else empty."""
    ready = "store" in request.fixturenames
    template = request.getfixturevalue("empty_database") if ready else "template1"
    with postgres.database(template) as name:
        yield name


@pytest.fixture
def store_url(postgres, database):
    return postgres.url(database)


@pytest.fixture
def opened(store_url, encryption_key):
    """Opens the store, as processes of their own would."""
    made = []

    def build(url=store_url, **options):
        made.append(open_store(url, Cipher((encryption_key,)), **options))
        return made[-1]

    yield build
    for one in made:
        one.close()


def all_at_once(function, arguments):
    """What a function returns, called by threads that start together."""
    start, results, errors = threading.Barrier(len(arguments)), [], []

    def work(argument):
        start.wait(10)
        try:
            results.append(function(argument))
        except Exception as error:  # noqa: BLE001 - told by the thread that runs the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    return results


def entry(company, number):
    change = {"Id": str(number)}
    return Entry(company, "vendors", f"009{number}", "", "Vendor", "7", "create", "applied", None, change)


# --- at once


@pytest.mark.parametrize("taken_before", [False, True])
def test_of_many_that_want_a_lease_one_gets_it(store, opened, moment, taken_before):
    if taken_before:
        lease_table.acquire(store, "run:1", "dead", now=moment, seconds=0)
    stores = [opened() for _ in range(AT_ONCE)]

    def acquire(number):
        return lease_table.acquire(stores[number], "run:1", f"owner {number}", now=moment, seconds=90)

    assert sorted(all_at_once(acquire, range(AT_ONCE))) == [False] * (AT_ONCE - 1) + [True]


def test_the_history_that_many_write_is_one_chain(store, opened, moment):
    stores = [opened() for _ in range(AT_ONCE)]

    def append(number):
        for turn in range(5):
            with stores[number].writing() as connection:
                entries = [entry(company, turn) for company in (OTHER, PAIR)[:: 1 if number % 2 else -1]]
                key = stores[number].fingerprint_key
                audit_table.append(connection, key, entries, run_id="r", trigger="t", now=moment)

    all_at_once(append, range(AT_ONCE))
    with store.reading() as connection:
        for company in (PAIR, OTHER):
            assert audit_table.count(connection, company.realm_id) == AT_ONCE * 5
            assert audit_table.first_break(connection, store.fingerprint_key, company.realm_id) is None


def test_a_history_is_verified_while_it_grows(store, opened, moment):
    """Rows and seal are read as they were at one moment."""
    writer, ended = opened(), threading.Event()

    def work(verifies):
        if not verifies:
            for number in range(60):
                with writer.writing() as connection:
                    audit_table.append(
                        connection,
                        writer.fingerprint_key,
                        [entry(PAIR, number)],
                        run_id="r",
                        trigger="t",
                        now=moment,
                    )
            ended.set()
            return None
        breaks = set()
        while not ended.is_set():
            with store.reading() as connection:
                breaks.add(audit_table.first_break(connection, store.fingerprint_key, PAIR.realm_id))
        return breaks

    assert {None} in all_at_once(work, [False, True])


def test_runs_of_two_companies_may_remember_the_same_lists_at_once(opened):
    references = [Reference(Kind.ACCOUNT, f"0ca{number}", f"Account {number}") for number in range(300)]
    organization = [{"id": "008", "name": "Books"}]

    def remember(store):
        for order in (references, references[::-1]):
            with store.writing() as connection:
                reference_table.save(connection, "O", order)
                run_table.track(connection, "O", "organization", organization)

    all_at_once(remember, [opened() for _ in range(4)])


def test_what_a_person_dismisses_and_a_run_writes_do_not_wait_in_a_circle(opened, moment):
    store = opened()
    failures = [Failure("bills", f"00n{number}", "", "c", "r", "a", {"id": "1"}) for number in range(20)]

    def write(order):
        for _ in range(5):
            with store.writing(f"company {PAIR.realm_id}") as connection:
                for failure in order:
                    failure_table.save(connection, store.cipher, PAIR, failure, run_id="r", now=moment)
                audit_table.append(
                    connection, store.fingerprint_key, [entry(PAIR, 1)], run_id="r", trigger="t", now=moment
                )

    write(failures)
    all_at_once(write, [failures, failures[::-1]])


# --- what is kept is what was given


def test_times_come_back_in_utc_whatever_the_servers_zone(store, moment):
    lease_table.acquire(store, "run:1", "owner", now=moment, seconds=1)
    found = lease_table.holder(store, "run:1").expires_at
    assert (found - moment).total_seconds() == 1
    assert found.utcoffset().total_seconds() == 0
    with store.reading() as connection:
        assert connection.execute(text("SHOW timezone")).scalar() == "Pacific/Auckland"


def test_a_character_that_postgresql_cannot_keep_is_replaced(store, moment):
    told = Entry(PAIR, "vendors", "1", "", "Vendor", "7", "create", "applied", None, None, detail="A\0B")
    with store.writing() as connection:
        link_table.save(connection, PAIR, Link("Vendor", "1", "137", "0", quickbooks_name="A\0B"), now=moment)
        audit_table.append(connection, store.fingerprint_key, [told], run_id="r", trigger="t", now=moment)
    with store.reading() as connection:
        assert link_table.find(connection, PAIR, "Vendor", ["1"])["1"].quickbooks_name == "A\ufffdB"
        assert audit_table.first_break(connection, store.fingerprint_key, PAIR.realm_id) is None


# --- the server goes away


@pytest.fixture
def elsewhere(own_postgres, opened):
    """A store in a cluster that the test may stop."""
    return opened(own_postgres.url("postgres"))


def test_a_server_that_restarts_between_two_transactions_is_waited_for(elsewhere, own_postgres, moment):
    run_table_started(elsewhere, "before", moment)
    own_postgres.stop()
    back = threading.Timer(1.0, own_postgres.start)
    back.start()
    run_table_started(elsewhere, "after", moment)
    back.join()
    with elsewhere.reading() as connection:
        assert {run["id"] for run in run_table.latest(connection)} == {"before", "after"}


def test_a_server_that_goes_away_in_the_middle_is_told_and_nothing_is_written_twice(
    elsewhere, own_postgres, moment
):
    def write():
        with elsewhere.writing() as connection:
            run_table.start(connection, "lost", realm_id="1", mode="sync", trigger="t", now=moment)
            own_postgres.stop()

    with pytest.raises(StoreError, match=r"cannot be reached: .*What was committed is safe"):
        write()
    own_postgres.start()
    with elsewhere.reading() as connection:
        assert run_table.latest(connection) == []


def test_a_server_that_stays_away_is_told_after_a_while(own_postgres, opened, moment):
    store = opened(own_postgres.url("postgres"), patience=0.2)
    own_postgres.stop()
    with pytest.raises(StoreError, match="cannot be reached"):
        run_table_started(store, "never", moment)


def run_table_started(store, run_id, moment):
    with store.writing() as connection:
        run_table.start(connection, run_id, realm_id="1", mode="sync", trigger="t", now=moment)


def test_a_writer_that_is_stuck_lets_the_others_go_on(store):
    with store.writing() as connection:
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "1min"
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "30s"


def test_no_statement_is_prepared_because_poolers_may_sit_between(store):
    with store.reading() as connection:
        for _ in range(20):
            connection_table.every(connection, store.cipher)
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0


# --- what is told


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_name_it_works(store_url, scheme, opened):
    assert opened(store_url.replace("postgresql", scheme)).url.startswith("postgresql://postgres@/")


def test_a_password_is_never_told(postgres, encryption_key):
    wrong = "very-secret-password"
    for url in (
        postgres.url_by_password("postgres", password=wrong),
        f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres?password={wrong}",
        f"postgresql://user:{wrong}@127.0.0.1:1/postgres",
    ):
        with pytest.raises(StoreError, match="cannot be reached") as error:
            open_store(url, Cipher((encryption_key,)))
        assert wrong not in str(error.value)
        assert "\n" not in str(error.value)


def test_a_password_is_not_shown_with_the_address(postgres, opened, database):
    store = opened(postgres.url_by_password(database))
    assert store.url == f"postgresql://postgres:***@127.0.0.1:{postgres.port}/{database}"


def test_a_database_that_is_not_there_is_told(postgres, encryption_key):
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        open_store(postgres.url("nowhere"), Cipher((encryption_key,)))


def test_a_user_who_may_not_make_tables_is_told_and_may_use_those_that_are_there(
    postgres, database, opened, moment, encryption_key
):
    user = f"clerk_{database}"
    postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'clerk-password'")
    try:
        url = postgres.url_by_password(database, user=user, password="clerk-password")
        with pytest.raises(StoreError, match="permission denied for schema public"):
            open_store(url, Cipher((encryption_key,)))
        opened()
        rights = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE ON ALL SEQUENCES"
        for right in rights:
            postgres.execute(f"GRANT {right} IN SCHEMA public TO {user}", database)
        run_table_started(opened(url), "run", moment)
    finally:
        postgres.execute(f"DROP OWNED BY {user}", database)
        postgres.execute(f"DROP ROLE {user}")


def test_what_is_to_be_installed_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"install target-quickbooks\[postgres\]"):
        new_engine("postgresql://host/database")


def test_another_engine_is_refused():
    with pytest.raises(SettingsError, match=r"SQLite file .* or a PostgreSQL database"):
        new_engine("mssql+pyodbc://host/database")
