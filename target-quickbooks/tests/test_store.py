"""Opening the store: safe from the start, one line when it cannot be, whole transactions."""

from __future__ import annotations

import stat
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography.fernet import Fernet
from sqlalchemy import text
from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.links import Link
from target_quickbooks.store import link_table, run_table, tables
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import default_url, open_store

TAX_ID = "99-5688293"
ON_SQLITE = pytest.mark.parametrize("engine", ["sqlite"])


@pytest.fixture
def new_store(store_url, encryption_key):
    """Opens the store, as often as wanted."""
    opened = []

    def build(url=store_url, *keys):
        opened.append(open_store(url, Cipher(keys or (encryption_key,))))
        return opened[-1]

    yield build
    for store in opened:
        store.close()


@ON_SQLITE
def test_a_new_store_is_readable_by_its_owner_only(tmp_path, new_store, moment):
    store = new_store(f"sqlite:///{tmp_path / 'new' / 'store.sqlite3'}")
    with store.writing() as connection:
        run_table.start(connection, "r", realm_id="1", mode="sync", trigger="t", now=moment)
    files = list((tmp_path / "new").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@ON_SQLITE
def test_an_existing_file_keeps_its_mode(tmp_path, new_store):
    (tmp_path / "store.sqlite3").touch()
    (tmp_path / "store.sqlite3").chmod(0o640)
    new_store()
    assert stat.S_IMODE((tmp_path / "store.sqlite3").stat().st_mode) == 0o640


@ON_SQLITE
def test_sqlite_is_set_up_for_safety(store):
    with store.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30_000


def test_migrations_lead_to_the_tables_of_the_code(new_store):
    store = new_store()
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_a_store_is_opened_again_with_all_it_holds(new_store, pair, moment):
    store = new_store()
    with store.writing() as connection:
        link_table.save(connection, pair, Link("Vendor", "1", "137", "0"), now=moment)
    key = store.fingerprint_key
    store.close()
    again = new_store()
    assert again.fingerprint_key == key
    with again.reading() as connection:
        assert link_table.find(connection, pair, "Vendor", ["1"])


def test_two_stores_have_different_fingerprints(tmp_path, new_store):
    other = new_store(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert new_store().fingerprint_key != other.fingerprint_key


def test_several_processes_may_open_a_new_store_at_once(store_url, encryption_key):
    start, keys, errors = threading.Barrier(4), [], []

    def open_it():
        start.wait(10)
        try:
            store = open_store(store_url, Cipher((encryption_key,)))
        except StoreError as error:
            errors.append(error)
        else:
            keys.append(store.fingerprint_key)
            store.close()

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert len(set(keys)) == 1


@pytest.mark.usefixtures("store")
def test_a_wrong_key_is_told(store_url):
    with pytest.raises(StoreError, match="encryption_key does not fit this store"):
        open_store(store_url, Cipher((Fernet.generate_key().decode(),)))


def test_a_rotated_key_still_reads_what_the_old_one_wrote(store, new_store, store_url, encryption_key):
    assert (
        new_store(store_url, Fernet.generate_key().decode(), encryption_key).fingerprint_key
        == store.fingerprint_key
    )


@pytest.mark.parametrize(
    "keys", [(), ("short",), ("not base64 at all, but forty-four characters!",), ("ä" * 44,)]
)
def test_a_key_that_is_none_is_a_wrong_setting(keys):
    with pytest.raises(SettingsError, match="quickbooks-admin generate-key"):
        Cipher(keys)


def test_a_newer_schema_is_refused(store, store_url, encryption_key):
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        open_store(store_url, Cipher((encryption_key,)))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "nosuch://host/db",
        "postgresql+nosuch://host/db",
        "postgresql://user:secret@host:port/db",
    ],
)
def test_an_address_that_is_none_is_a_wrong_setting(url, encryption_key):
    with pytest.raises(SettingsError, match="store_url") as error:
        open_store(url, Cipher((encryption_key,)))
    assert "secret" not in str(error.value)


def test_a_file_that_is_no_database_is_told(tmp_path, encryption_key):
    (tmp_path / "text").write_text("This is not a database, but a text of some length. " * 40)
    with pytest.raises(StoreError, match="cannot be used: file is not a database"):
        open_store(f"sqlite:///{tmp_path / 'text'}", Cipher((encryption_key,)))


def test_a_directory_that_cannot_be_made_is_told(tmp_path, encryption_key):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be created"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'store.sqlite3'}", Cipher((encryption_key,)))


def test_trouble_of_the_database_is_one_line_without_values(store):
    """A full disk or a lost server in the middle of a run."""
    refused = "cannot be used: (no such table|relation .* does not exist)"
    with pytest.raises(StoreError, match=refused) as error, store.writing() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": TAX_ID})
    assert TAX_ID not in str(error.value)


def test_a_write_is_whole_or_not_at_all(store, pair, moment):
    def save_and_fail():
        with store.writing() as connection:
            link_table.save(connection, pair, Link("Vendor", "1", "137", "0"), now=moment)
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        save_and_fail()
    with store.reading() as connection:
        assert link_table.find(connection, pair, "Vendor", ["1"]) == {}


def test_the_default_store_is_in_the_users_data_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_url() == f"sqlite:///{tmp_path}/target-quickbooks/store.sqlite3"
