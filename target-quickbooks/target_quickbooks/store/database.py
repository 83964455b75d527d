"""Opening the store: engine, SQLite's settings, file permissions, migrations, transactions."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets as random
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.store import tables
from target_quickbooks.store.cipher import Cipher

HEAD = "0006"
_BUSY_MILLISECONDS = 30_000
_FINGERPRINT_KEY = "fingerprint_key"


def default_url() -> str:
    """A SQLite file in the user's data directory, outside every cache."""
    base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return f"sqlite:///{base / 'target-quickbooks' / 'store.sqlite3'}"


class Store:
    """An opened store.

    Attributes:
        cipher: Encrypts what must not be readable.
        fingerprint_key: Key of all fingerprints in this store; random, made once, kept encrypted.
    """

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        weakref.finalize(self, engine.dispose)  # a run that fails may leave the store open
        self.cipher = cipher
        self.fingerprint_key = self._fingerprint_key()

    @property
    def url(self) -> str:
        """Where the store is, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction."""
        with self._told_plainly(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: all of it is on disk when the block ends, or none of it."""
        with (
            self._told_plainly(),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A write transaction that others see when the block ends, but that a power failure may undo.

        It does not wait for the disk: for what changes with every request and is worth nothing a few minutes
        later. A process that dies undoes nothing.
        """
        with (
            self._told_plainly(),
            self._engine.connect().execution_options(writes=True, hasty=True) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            yield connection

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        """Trouble of the database as an error people can read; what callers handle passes as it is."""
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise _unusable(self.url, error) from None

    def compact(self) -> None:
        """Leave nothing in a SQLite file of what was replaced or deleted; other databases see to it.

        Raises:
            StoreError: Something else uses the file.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with (
            self._told_plainly(),
            self._engine.connect().execution_options(without_transaction=True) as connection,
        ):
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Give back all database connections."""
        self._engine.dispose()

    def _fingerprint_key(self) -> bytes:
        query = select(tables.secrets.c.value).where(tables.secrets.c.name == _FINGERPRINT_KEY)
        with self.reading() as connection:
            sealed = connection.execute(query).scalar()
        if sealed is None:
            try:
                with self.writing() as connection:
                    value = self.cipher.encrypt(random.token_hex(32))
                    connection.execute(insert(tables.secrets).values(name=_FINGERPRINT_KEY, value=value))
            except IntegrityError:
                pass  # another process made it at the same moment
            with self.reading() as connection:
                sealed = connection.execute(query).scalar_one()
        return hashlib.sha256(self.cipher.decrypt(sealed).encode()).digest()


def open_store(url: str, cipher: Cipher) -> Store:
    """Open the store, creating or migrating it as needed.

    Raises:
        SettingsError: The URL cannot be used.
        StoreError: The database cannot be opened, or was written by a newer version.
    """
    engine = _engine(url)
    try:
        _migrate(engine)
        return Store(engine, cipher)
    except SQLAlchemyError as error:
        engine.dispose()
        raise _unusable(engine.url.render_as_string(hide_password=True), error) from None
    except StoreError:
        engine.dispose()
        raise


def _unusable(url: str, error: SQLAlchemyError) -> StoreError:
    """Says what the database said; never the statement, whose values may be secrets."""
    reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
    return StoreError(f"The store at {url} cannot be used: {reason}. Check store_url.")


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed.database, url)
        return create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        reason = str(error).splitlines()[0]
        msg = f"store_url is not a SQLAlchemy URL that works here: {reason}"
        raise SettingsError(msg) from None


def _sqlite_engine(database: str | None, url: str) -> Engine:
    if database and database != ":memory:":
        _make_private(Path(database))
    engine = create_engine(url)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """Create the file readable by its owner only; an existing file keeps its mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        msg = f"The store file {path} cannot be created: {error.strerror}. Check store_url."
        raise StoreError(msg) from None


def _configure_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start of a write transaction, so that it cannot fail in the middle."""
    options = connection.get_execution_options()
    if not options.get("without_transaction"):
        # Set each time: the pool hands out what another transaction has set.
        connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if options.get('hasty') else 'FULL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _migrate(engine: Engine) -> None:
    current = _revision(engine)
    if current == HEAD:
        return
    if current is not None and current > HEAD:
        msg = (
            f"The store was written by a newer version of target-quickbooks (schema {current}, this one "
            f"knows {HEAD}). Upgrade target-quickbooks."
        )
        raise StoreError(msg)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from target_quickbooks.store.migrations import upgrade  # noqa: PLC0415 - slow to import, rarely needed

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        upgrade(connection)


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(found) if found else None
