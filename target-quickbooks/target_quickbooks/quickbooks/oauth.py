"""Access tokens for one realm: kept encrypted in the store, renewed under a lock all processes share.

Refresh tokens rotate, and the one before dies (QuickBooks manual 2.4). Whatever an answer carries is
committed before it is used; the configured seed is used once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import requests
from requests.auth import HTTPBasicAuth
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from target_quickbooks.errors import GrantDead, SettingsError, TemporaryError
from target_quickbooks.exact_json import from_json
from target_quickbooks.redaction import redact_text
from target_quickbooks.settings import Settings
from target_quickbooks.store import connection_table, lease_table
from target_quickbooks.store.connection_table import Connection
from target_quickbooks.store.database import Store

RENEW_BEFORE = dt.timedelta(minutes=5)
_LEASE_SECONDS = 90
_LEASE_POLL_SECONDS = 0.25
_TIMEOUT = (10, 30)
_DEFAULT_LIFE = dt.timedelta(seconds=3600)
_LONGEST_LIFE = dt.timedelta(days=3650)
_HELD_BY_ANOTHER = "Another process holds the lock for renewing the QuickBooks token and does not finish."

logger = logging.getLogger("target-quickbooks")


class _Unanswered(Exception):
    """The token endpoint did not answer usefully; worth another try."""


def utc_now() -> dt.datetime:
    """The current time, aware."""
    return dt.datetime.now(dt.UTC)


def lease_name(realm_id: str, client_id: str) -> str:
    """The lease under which a connection's tokens are replaced."""
    return f"refresh:{realm_id}:{client_id}"


def seed_digest(store: Store, seed: str | None) -> str:
    """Tells which configured seed a connection knows of, without keeping the seed; empty without one."""
    return hashlib.sha256(store.fingerprint_key + seed.encode()).hexdigest() if seed else ""


class TokenSource:
    """Gives access tokens for the realm of the settings.

    Raises (from ``access_token``):
        GrantDead: Intuit refuses the refresh token.
        SettingsError: No seed is configured and nothing is stored, or Intuit refuses the client.
        TemporaryError: The token endpoint cannot be reached.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        session: requests.Session | None = None,
        now: Callable[[], dt.datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._store = store
        self._session = session or requests.Session()
        self._now = now
        self._sleep = sleep
        self._owner = uuid.uuid4().hex
        self._lease = lease_name(settings.realm_id, settings.client_id)
        self._lock = threading.Lock()
        self._current: Connection | None = None

    def access_token(self, *, refused: str | None = None) -> str:
        """A token that is valid for at least five minutes.

        Args:
            refused: A token the API has just refused; it is not given again.
        """
        with self._lock:
            current = self._current
            if current is None or not self._usable(current, refused):
                current = self._load()
                if not self._usable(current, refused):
                    current = self._renew_under_lease(refused)
                self._current = current
            return current.access_token or ""

    def _usable(self, connection: Connection, refused: str | None) -> bool:
        return bool(
            connection.access_token
            and connection.access_token != refused
            and connection.access_expires_at
            and connection.access_expires_at - RENEW_BEFORE > self._now()
        )

    def _load(self) -> Connection:
        """The stored connection, or a new one from the seed where there is none or the seed is new."""
        settings = self._settings
        with self._store.reading() as database:
            stored = connection_table.load(
                database, self._store.cipher, settings.realm_id, settings.client_id
            )
        seed = settings.refresh_token
        digest = seed_digest(self._store, seed)
        if stored and (not seed or stored.seed_digest == digest):
            return stored
        if not seed:
            msg = (
                f"There is no connection to company (realm) {settings.realm_id} in the store, and no "
                "refresh_token is set. Set refresh_token once, or connect with: quickbooks-admin connect"
            )
            raise SettingsError(msg)
        return Connection(
            realm_id=settings.realm_id,
            client_id=settings.client_id,
            refresh_token=seed,
            seed_digest=digest,
            granted_at=self._now(),
            company_name=stored.company_name if stored else "",
        )

    def _renew_under_lease(self, refused: str | None) -> Connection:
        """One process refreshes; the others wait and use what it got."""
        for _ in range(int(2 * _LEASE_SECONDS / _LEASE_POLL_SECONDS)):
            if self._take_lease():
                break
            self._sleep(_LEASE_POLL_SECONDS)
            current = self._load()
            if self._usable(current, refused):
                return current
        else:
            raise TemporaryError(_HELD_BY_ANOTHER)
        try:
            current = self._load()
            return current if self._usable(current, refused) else self._renew(current)
        finally:
            lease_table.release(self._store, self._lease, self._owner)

    def _take_lease(self) -> bool:
        """Take the lease, or make it last longer where it is ours."""
        return lease_table.acquire(
            self._store, self._lease, self._owner, now=self._now(), seconds=_LEASE_SECONDS
        )

    def _renew(self, connection: Connection) -> Connection:
        status, answer = self._ask(connection.refresh_token)
        if status == requests.codes.ok and answer.get("access_token"):
            renewed = with_tokens(connection, answer, now=self._now())
            self._save(renewed)
            logger.info("Renewed the QuickBooks access token for realm %s.", renewed.realm_id)
            return renewed
        raise self._refusal(connection, redact_text(str(answer.get("error") or f"HTTP {status}"))[:200])

    def _ask(self, refresh_token: str) -> tuple[int, dict[str, Any]]:
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(_Unanswered),
                stop=stop_after_delay(self._settings.max_retry_seconds),
                wait=wait_exponential_jitter(multiplier=1, max=30),
                sleep=self._sleep,
                reraise=True,
            ):
                with attempt:
                    return self._post(refresh_token)
        except _Unanswered as error:
            msg = (
                f"Intuit's token endpoint gives no usable answer ({error}). "
                "Check token_url, or run again later."
            )
            raise TemporaryError(msg) from None
        raise AssertionError  # pragma: no cover - Retrying either returns or raises

    def _post(self, refresh_token: str) -> tuple[int, dict[str, Any]]:
        if not self._take_lease():
            raise TemporaryError(_HELD_BY_ANOTHER)
        settings = self._settings
        try:
            response = self._session.post(
                settings.token_url,
                data={"grant_type": "refresh_token", "refresh_token": refresh_token},
                auth=HTTPBasicAuth(settings.client_id.encode(), settings.client_secret.encode()),
                headers={"Accept": "application/json", "User-Agent": settings.user_agent},
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise _Unanswered(type(error).__name__) from None
        if response.status_code >= 500 or response.status_code == 429:  # noqa: PLR2004
            raise _Unanswered(f"HTTP {response.status_code}")
        try:
            answer = from_json(response.content)
        except ValueError:
            raise _Unanswered(f"HTTP {response.status_code} without JSON") from None
        return response.status_code, answer if isinstance(answer, dict) else {}

    def _refusal(self, connection: Connection, error: str) -> Exception:
        realm = connection.realm_id
        if error in {"invalid_client", "HTTP 401"}:
            return SettingsError(
                "Intuit does not accept client_id and client_secret. Copy both from Keys & credentials of "
                "your Intuit app, for the right environment."
            )
        if error == "invalid_grant":
            if connection.refreshed_at:
                self._save(replace(connection, dead_since=self._now(), access_token=None))
            return GrantDead(
                f"QuickBooks no longer accepts the connection to company (realm) {realm}: the refresh token "
                "was revoked, expired or used elsewhere. Reconnect with: quickbooks-admin connect (or set a "
                "new refresh_token)."
            )
        return SettingsError(f"Intuit refused to renew the token for realm {realm}: {error}.")

    def _save(self, connection: Connection) -> None:
        with self._store.writing() as database:
            connection_table.save(database, self._store.cipher, connection)


def with_tokens(connection: Connection, answer: Mapping[str, Any], *, now: dt.datetime) -> Connection:
    """The connection with what the token endpoint has answered (QuickBooks manual 2.4)."""
    rolling = answer.get("x_refresh_token_expires_in")
    return replace(
        connection,
        refresh_token=str(answer.get("refresh_token") or connection.refresh_token),
        access_token=str(answer["access_token"]),
        access_expires_at=now + _seconds(answer.get("expires_in"), _DEFAULT_LIFE),
        refresh_expires_at=now + _seconds(rolling, dt.timedelta(0)) if rolling else None,
        refreshed_at=now,
        dead_since=None,
    )


def _seconds(value: Any, default: dt.timedelta) -> dt.timedelta:
    try:
        return min(dt.timedelta(seconds=int(value)), _LONGEST_LIFE)
    except (TypeError, ValueError, OverflowError):
        return default
