"""A store is copied whole into another database, whichever, or not at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import Column, Integer, MetaData, Table, select
from target_quickbooks.admin.cli import commands
from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.links import Link
from target_quickbooks.store import (
    audit_table,
    connection_table,
    failure_table,
    lease_table,
    link_table,
    tables,
)
from target_quickbooks.store.audit_table import Entry
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.connection_table import Connection
from target_quickbooks.store.copying import copy
from target_quickbooks.store.database import open_store
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.store.schemas import Schema

ROWS = 700


@pytest.fixture
def filled(store, pair, moment):
    """A store with rows in tables of all kinds."""
    with store.writing() as connection:
        granted = Connection(pair.realm_id, "client", "AB11-token", "", moment)
        connection_table.save(connection, store.cipher, granted)
        for number in range(ROWS):
            link_table.save(connection, pair, Link("Vendor", f"v{number}", str(number), "0"), now=moment)
        entries = [
            Entry(pair, "vendors", f"v{number}", "", "Vendor", "7", "create", "applied", None, {"Id": "7"})
            for number in range(20)
        ]
        audit_table.append(connection, store.fingerprint_key, entries, run_id="r", trigger="t", now=moment)
        failure = Failure("bills", "00n1", "Bill 1", "code", "Reason", "Advice", {"name": "Acme"})
        failure_table.save(connection, store.cipher, pair, failure, run_id="r", now=moment)
    return store


@pytest.fixture
def other_url(store_url, tmp_path, request):
    """On the engine that the store is not on."""
    if store_url.startswith("postgresql"):
        return f"sqlite:///{tmp_path / 'other.sqlite3'}"
    return request.getfixturevalue("postgres_url")


def content(store):
    with store.reading() as connection:
        return {
            table.name: sorted(repr(row) for row in connection.execute(select(table)))
            for table in tables.metadata.sorted_tables
        }


def test_the_copy_is_as_the_original_and_goes_on(filled, other_url, encryption_key, pair, moment):
    counts = copy(filled, other_url, now=moment, beside=[])
    assert (counts["links"], counts["audit"], counts["failures"]) == (ROWS, 20, 1)
    copied = open_store(other_url, Cipher((encryption_key,)))
    assert content(copied) == content(filled)
    assert copied.fingerprint_key == filled.fingerprint_key
    with copied.writing() as connection:
        assert audit_table.first_break(connection, copied.fingerprint_key, pair.realm_id) is None
        (before,) = failure_table.select_failures(connection, copied.cipher)
        failure = replace(before, bill_id="00n2")
        failure_table.save(connection, copied.cipher, pair, failure, run_id="r", now=moment)
        after = failure_table.select_failures(connection, copied.cipher)
        assert [found.id for found in after] == [before.id, before.id + 1]
    copied.close()


def test_a_database_that_holds_something_is_left_alone(filled, other_url, encryption_key, moment):
    open_store(other_url, Cipher((encryption_key,))).close()  # holds a key of its own
    with pytest.raises(StoreError, match=r"not empty \(table secrets\)"):
        copy(filled, other_url, now=moment, beside=[])
    copied = open_store(other_url, Cipher((encryption_key,)))
    assert content(copied)["links"] == []
    copied.close()


def test_what_does_not_arrive_as_it_was_is_not_kept(filled, other_url, encryption_key, moment, monkeypatch):
    breaks = iter([None, 3])
    monkeypatch.setattr(audit_table, "first_break", lambda *_: next(breaks))
    with pytest.raises(StoreError, match=r"audit trail .* is not as it was\. Nothing was kept"):
        copy(filled, other_url, now=moment, beside=[])
    copied = open_store(other_url, Cipher((encryption_key,)))
    assert content(copied)["links"] == []
    copied.close()


def test_a_store_that_a_run_works_with_is_not_copied(filled, other_url, moment):
    lease_table.acquire(filled, "run:1", "owner", now=moment, seconds=90)
    with pytest.raises(StoreError, match="A run is under way"):
        copy(filled, other_url, now=moment, beside=[])
    copy(filled, other_url, now=moment + dt.timedelta(seconds=91), beside=[])


def test_tables_of_others_are_copied_or_missed(filled, other_url, moment, encryption_key):
    others = MetaData()
    table = Table("others", others, Column("id", Integer, primary_key=True), Column("number", Integer))
    with filled.writing() as connection:
        others.create_all(connection)
        connection.execute(table.insert().values(id=1, number=7))
    with pytest.raises(StoreError, match=r"nothing installed here knows \(others\)"):
        copy(filled, other_url, now=moment, beside=[])
    schema = Schema(others, "others_version", others.create_all)
    assert copy(filled, other_url, now=moment, beside=[schema])["others"] == 1
    copied = open_store(other_url, Cipher((encryption_key,)))
    with copied.reading() as connection:
        assert connection.execute(select(table)).all() == [(1, 7)]
    copied.close()


def test_the_command_copies_to_the_address_of_its_variable(filled, store_url, other_url, encryption_key):
    env = {"TARGET_QUICKBOOKS_STORE_URL": store_url, "TARGET_QUICKBOOKS_ENCRYPTION_KEY": encryption_key}
    filled.close()
    missing = CliRunner().invoke(commands, ["store", "copy"], env=env)
    assert isinstance(missing.exception, SettingsError)
    done = CliRunner().invoke(
        commands, ["store", "copy"], env=env | {"TARGET_QUICKBOOKS_NEW_STORE_URL": other_url}
    )
    assert done.exit_code == 0, done.exception
    assert f"{ROWS} links" in done.output
    assert "Set store_url" in done.output
