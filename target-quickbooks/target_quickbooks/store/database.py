"""Opening the store: migrations and transactions, in any database that ``engines`` knows."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets as random
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, RootTransaction, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from target_quickbooks.errors import StoreError
from target_quickbooks.store import engines, locks, tables
from target_quickbooks.store.cipher import Cipher

HEAD = "0009"
#: How long a database that was there is waited for: it is restarted, or another one takes over.
PATIENCE_SECONDS = 30.0
_LONGEST_PAUSE = 2.0
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

    def __init__(self, engine: Engine, cipher: Cipher, *, patience: float = PATIENCE_SECONDS) -> None:
        self._engine = engine
        # Nothing has been done when a transaction begins, so it is safe to try that again.
        self._patiently = Retrying(
            retry=retry_if_exception(engines.is_gone),
            stop=stop_after_delay(patience),
            wait=wait_exponential(multiplier=0.05, max=_LONGEST_PAUSE),
            reraise=True,
        )
        weakref.finalize(self, engine.dispose)  # a run that fails may leave the store open
        self.cipher = cipher
        self.fingerprint_key = self._fingerprint_key()

    @property
    def url(self) -> str:
        """Where the store is, without a password."""
        return engines.shown(self._engine.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction: all that is read in it is as it was at one moment."""
        options: dict[str, Any] = {}
        if self._engine.dialect.name == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def writing(self, *names: str) -> Iterator[Connection]:
        """A write transaction: all of it is on disk when the block ends, or none of it.

        Args:
            names: Of locks (see ``locks``), held from the beginning: of what is read before it is written.
        """
        with self._transaction({"writes": True}, names) as connection:
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A write transaction that others see when the block ends, but that a power failure may undo.

        It does not wait for the disk: for what changes with every request and is worth nothing a few minutes
        later. A process that dies undoes nothing.
        """
        with self._transaction({"writes": True, "hasty": True}) as connection:
            yield connection

    @contextmanager
    def _transaction(self, options: dict[str, Any], names: tuple[str, ...] = ()) -> Iterator[Connection]:
        with self._told_plainly():
            connection, transaction = self._patiently(_begun, self._engine, options, names)
            with connection, transaction:
                yield connection

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        """Trouble of the database as an error people can read; what callers handle passes as it is."""
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise engines.trouble(self.url, error) from None

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


def open_store(url: str, cipher: Cipher, *, patience: float = PATIENCE_SECONDS) -> Store:
    """Open the store, creating or migrating it as needed.

    Args:
        url: A SQLAlchemy URL.
        cipher: With the keys that it was written with.
        patience: How many seconds to wait, later, for a database that went away.

    Raises:
        SettingsError: The URL cannot be used.
        StoreError: The database cannot be opened, or was written by a newer version.
    """
    engine = engines.new_engine(url)
    try:
        _migrate(engine)
        return Store(engine, cipher, patience=patience)
    except SQLAlchemyError as error:
        engine.dispose()
        raise engines.trouble(engines.shown(engine.url), error) from None
    except StoreError:
        engine.dispose()
        raise


@contextmanager
def empty_database(url: str, upgrades: Iterable[Callable[[Connection], None]]) -> Iterator[Connection]:
    """A write transaction in another database, for a copy of a store: its tables are there.

    Args:
        url: A SQLAlchemy URL.
        upgrades: Make the tables of others, in a transaction.

    Raises:
        SettingsError: The URL cannot be used.
        StoreError: The database cannot be used.
    """
    engine = engines.new_engine(url)
    try:
        _migrate(engine)
        connection, transaction = _begun(engine, {"writes": True}, (locks.MIGRATIONS,))
        with connection, transaction:
            for upgrade in upgrades:
                upgrade(connection)
            yield connection
    except SQLAlchemyError as error:
        raise engines.trouble(engines.shown(engine.url), error) from None
    finally:
        engine.dispose()


def _begun(
    engine: Engine, options: dict[str, Any], names: tuple[str, ...] = ()
) -> tuple[Connection, RootTransaction]:
    with ExitStack() as undo:
        connection = undo.enter_context(engine.connect())
        connection = connection.execution_options(**options)
        transaction = connection.begin()
        if options.get("writes"):
            engines.preamble(connection, hasty=bool(options.get("hasty")), names=names)
        undo.pop_all()
    return connection, transaction


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if _is_current(connection):
            return
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from target_quickbooks.store.migrations import upgrade  # noqa: PLC0415 - slow to import, rarely needed

    connection, transaction = _begun(engine, {"writes": True}, (locks.MIGRATIONS,))
    with connection, transaction:
        if not _is_current(connection):  # otherwise another process was first
            upgrade(connection)


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    current = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
    if current > HEAD:
        msg = (
            f"The store was written by a newer version of target-quickbooks (schema {current}, this one "
            f"knows {HEAD}). Upgrade target-quickbooks."
        )
        raise StoreError(msg)
    return current == HEAD
