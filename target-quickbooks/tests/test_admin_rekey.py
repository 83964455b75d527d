"""After a rotation the new key alone reads the store, and the old one reads nothing of it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select
from sqlalchemy.engine import make_url
from target_quickbooks.admin import commands
from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.store import connection_table, failure_table, lease_table, rekey, tables
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.connection_table import Connection
from target_quickbooks.store.database import open_store
from target_quickbooks.store.failure_table import Failure

NEW = Fernet.generate_key().decode()
TOKEN = re.compile(rb"gAAAAA[\w\-]{60,}={0,2}")


@pytest.fixture
def admin(store_url):
    def run(*keys):
        env = {"TARGET_QUICKBOOKS_STORE_URL": store_url, "TARGET_QUICKBOOKS_ENCRYPTION_KEY": ",".join(keys)}
        return CliRunner(env=env).invoke(commands, ["rekey"])

    return run


@pytest.fixture
def filled(store, pair, moment):
    """A store with something in every encrypted column, some of it replaced or deleted since."""
    with store.writing() as database:
        for access in ("eyJ-access", None):
            kept = Connection("1", "client", "AB11-token", "", moment, access_token=access)
            connection_table.save(database, store.cipher, kept)
        kept = Connection("2", "client", "AB11-other", "", moment, access_token="eyJ-other")
        connection_table.save(database, store.cipher, kept)
        for number in range(rekey._ROWS_AT_ONCE + 1):
            payload = {"DisplayName": "N" * number} if number % 2 else None
            failed = Failure("vendors", str(number), "v", "c", "r", "a", {"id": str(number)}, payload=payload)
            failure_table.save(database, store.cipher, pair, failed, run_id="run", now=moment)
        for number in (1, 2):
            database.execute(
                tables.intents.insert().values(
                    realm_id="1",
                    organization_id="o",
                    run_id="run",
                    stream="vendors",
                    bill_id=str(number),
                    entity="Vendor",
                    operation="create",
                    payload_digest="",
                    request_id="r",
                    batch_item_id=f"i{number}",
                    document=store.cipher.seal({"number": number}) if number == 1 else None,
                    created_at=moment,
                )
            )
    return store


def tokens(store_url):
    """Every ciphertext in the store's files, free pages and log included."""
    path = Path(make_url(store_url).database)
    files = [file for file in (path, path.with_name(f"{path.name}-wal")) if file.exists()]
    return {token for file in files for token in TOKEN.findall(file.read_bytes())}


def readable(found, key):
    """How many of them a key reads."""

    def reads(token):
        try:
            Fernet(key).decrypt(token)
        except (InvalidToken, ValueError):
            return False
        return True

    return sum(reads(token) for token in found)


def test_the_new_key_alone_reads_everything(admin, filled, store_url, pair, encryption_key):
    fingerprints = filled.fingerprint_key
    result = admin(NEW, encryption_key)
    assert result.exit_code == 0, result.exception
    assert "2 connections, 1 intents, 201 failures, 1 secrets." in result.output
    opened = open_store(store_url, Cipher((NEW,)))
    assert opened.fingerprint_key == fingerprints
    with opened.reading() as database:
        one, two = connection_table.every(database, opened.cipher)
        failures = failure_table.unsettled(database, opened.cipher, pair)
        query = select(tables.intents.c.document).order_by(tables.intents.c.id)
        documents = database.execute(query).scalars().all()
    opened.close()
    assert (one.refresh_token, one.access_token) == ("AB11-token", None)
    assert (two.refresh_token, two.access_token) == ("AB11-other", "eyJ-other")
    assert [failure.record["id"] for failure in failures] == [str(number) for number in range(201)]
    assert failures[3].payload == {"DisplayName": "NNN"}
    assert failures[2].payload is None
    assert [opened.cipher.unseal(found) if found else None for found in documents] == [{"number": 1}, None]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_old_key_reads_nothing_any_more(admin, filled, store_url, encryption_key):
    """Not even in the free pages of the file."""
    filled.close()
    assert readable(tokens(store_url), encryption_key) > 0
    assert "free pages" not in admin(NEW, encryption_key).output
    assert readable(tokens(store_url), encryption_key) == 0
    assert readable(tokens(store_url), NEW) > 0
    with pytest.raises(StoreError, match="encryption_key does not fit this store"):
        open_store(store_url, Cipher((encryption_key,)))


def test_one_key_is_no_rotation(admin, filled, encryption_key):
    assert filled
    for keys in ((encryption_key,), (encryption_key, encryption_key)):
        result = admin(*keys)
        assert isinstance(result.exception, SettingsError)
        assert "has one key only" in str(result.exception)


def test_what_no_key_reads_stops_the_rotation_before_it_changed_anything(
    admin, filled, store_url, encryption_key
):
    with filled.writing() as database:
        foreign = Cipher((Fernet.generate_key().decode(),)).encrypt("text")
        last = tables.failures.c.bill_id == "200"
        database.execute(tables.failures.update().where(last).values(record=foreign))
    result = admin(NEW, encryption_key)
    assert isinstance(result.exception, StoreError)
    open_store(store_url, Cipher((encryption_key,))).close()
    with filled.reading() as database:
        assert connection_table.every(database, filled.cipher)[0].refresh_token == "AB11-token"


def test_a_run_under_way_is_not_pulled_the_rug(admin, filled, encryption_key):
    """It would go on writing with the old key."""
    now = dt.datetime.now(dt.UTC)
    lease_table.acquire(filled, "run:1", "owner", now=now, seconds=90)
    result = admin(NEW, encryption_key)
    assert "A run is under way." in str(result.exception)
    lease_table.release(filled, "run:1", "owner")
    assert admin(NEW, encryption_key).exit_code == 0


def test_every_encrypted_column_is_known(filled, encryption_key):
    """A new one must be added to the rotation."""
    encrypted = set()
    with filled.reading() as database:
        for table in tables.metadata.sorted_tables:
            for row in database.execute(select(table)).mappings():
                encrypted |= {
                    (table.name, name)
                    for name, value in row.items()
                    if isinstance(value, str) and readable([value.encode()], encryption_key)
                }
    known = {(table.name, name) for table, columns in rekey.ENCRYPTED for name in columns}
    assert encrypted == known
