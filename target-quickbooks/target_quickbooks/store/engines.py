"""The engines a store can be on: how each is connected to, set up and understood when it is in trouble."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from typing_extensions import override

from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.store import locks

BUSY_SECONDS = 30
#: A process that stops in the middle of a write (it was suspended, its host is gone) lets go after this.
_STUCK_SECONDS = 60
_POSTGRES = ("postgres", "postgresql")
_CONNECT = {
    "connect_timeout": 10,
    "application_name": "target-quickbooks",
    # A server or a network that vanished without a word is noticed within a minute.
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 40_000,
    # A pooler hands each transaction to another session, which knows nothing of statements prepared before.
    "prepare_threshold": None,
}
_SECRET_OPTIONS = frozenset({"password", "sslpassword", "passfile", "sslkey", "oauth_client_secret"})
#: SQLSTATE classes that mean that the server went away: connection exception, operator intervention.
_GONE = ("08", "57P0")
_LONGEST_REASON = 300


def new_engine(url: str) -> Engine:
    """An engine for a store; nothing is connected yet.

    Raises:
        SettingsError: The address cannot be used.
        StoreError: The file cannot be created.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in _POSTGRES:
            parsed = parsed.set(drivername="postgresql+psycopg")
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            return _sqlite(parsed)
        if backend == "postgresql":
            return _postgresql(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise SettingsError(_no_address(error)) from None
    raise SettingsError("store_url must name a SQLite file (sqlite:///...) or a PostgreSQL database.")


def shown(url: URL) -> str:
    """Where a store is, without passwords."""
    hidden = {name: "***" for name in url.query if name.lower() in _SECRET_OPTIONS}
    plain = url.update_query_dict(hidden).set(drivername=url.get_backend_name())
    return plain.render_as_string(hide_password=True)


def preamble(connection: Connection, *, hasty: bool, names: tuple[str, ...]) -> None:
    """Begin a write transaction: how long it may wait and stop, and the locks it holds.

    Args:
        connection: In a transaction that has done nothing yet.
        hasty: Do not wait for the disk when it is committed.
        names: Of locks.
    """
    if connection.dialect.name != "postgresql":
        return
    statements = [
        f"SET LOCAL lock_timeout TO '{BUSY_SECONDS}s'",
        f"SET LOCAL idle_in_transaction_session_timeout TO '{_STUCK_SECONDS}s'",
        *(["SET LOCAL synchronous_commit TO OFF"] if hasty else []),
        *(f"SELECT pg_advisory_xact_lock({number})" for number in locks.numbers(names)),
    ]
    connection.exec_driver_sql("; ".join(statements))  # in one go: each trip to the server counts


def is_gone(error: BaseException) -> bool:
    """Whether the database cannot be reached, or ended the connection: it may be there again soon."""
    if not isinstance(error, (OperationalError, InterfaceError)) or "sqlite" in type(error.orig).__module__:
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(_GONE)


def trouble(url: str, error: SQLAlchemyError) -> StoreError:
    """Says what the database said; never the statement, whose values may be secrets."""
    if is_gone(error):
        return StoreError(
            f"The store at {url} cannot be reached: {_reason(error)}. What was committed is safe; check "
            "store_url and the database, and run again."
        )
    return StoreError(f"The store at {url} cannot be used: {_reason(error)}. Check store_url.")


def _reason(error: SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    lines = str(primary or original or type(error).__name__).strip().splitlines()
    if isinstance(error, DBAPIError) and is_gone(error):  # holds no values: nothing was asked yet
        return " ".join(" ".join(lines).split())[:_LONGEST_REASON].rstrip(".")
    return lines[0].rstrip(".") if lines else type(error).__name__


def _no_address(error: Exception) -> str:
    if isinstance(error, ImportError):
        return (
            "store_url names a PostgreSQL database, which needs one more package: install "
            f"target-quickbooks[postgres] ({str(error).splitlines()[0]})."
        )
    return f"store_url is not a SQLAlchemy URL that works here: {str(error).splitlines()[0]}"


def _postgresql(url: URL) -> Engine:
    options = {name: value for name, value in _CONNECT.items() if name not in url.query}
    engine = create_engine(url, connect_args=options, pool_pre_ping=True, pool_recycle=1800)
    event.listen(engine, "connect", _configure_postgresql)
    return engine


def _configure_postgresql(connection: Any, _: Any) -> None:
    connection.adapters.register_dumper(str, _text_dumper())


@functools.cache
def _text_dumper() -> Any:
    """How texts are sent: PostgreSQL keeps every character but NUL, for which another one stands."""
    from psycopg.types.string import StrDumper  # noqa: PLC0415 - only there where PostgreSQL is used

    class WithoutNul(StrDumper):
        @override
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    return WithoutNul


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        _make_private(Path(url.database))
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
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
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
