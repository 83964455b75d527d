"""The login session with BILL: a `requests` authentication that logs in when it has to.

A session dies after 35 minutes without a call (BILL manual 2.3). It is renewed before a call when
it has been idle for nearly that long, and by `expire`, once per call, when BILL does not know it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import requests
from requests.auth import AuthBase
from typing_extensions import override

from tap_bill.errors import HourlyLimitError, OrganizationError, UnreadableAnswerError
from tap_bill.limits import LOGINS_PER_HOUR, full_hour
from tap_bill.redaction import SECRETS
from tap_bill.session_cache import CachedSession, Ledger, SessionStore

#: BILL's 35 minutes, less a minute for clocks and for calls under way. A sync token's session
#: lives for 48 hours, but nothing in BILL's answers tells one from the other.
IDLE_LIMIT = timedelta(minutes=34)
#: The time of the last use goes to the store this often, not with every call.
_REMEMBER_EVERY = timedelta(seconds=60)
#: The end of a run does not wait longer for a login that a request under way has asked for.
_CLOSE_SECONDS = 1.0

_log = logging.getLogger("tap-bill")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a login needs."""

    username: str
    password: str = field(repr=False)
    organization_id: str
    dev_key: str = field(repr=False)

    def fingerprint(self, base_url: str) -> str:
        """A hash that changes with the address, the organization or any of the credentials."""
        parts = (base_url, self.organization_id, self.username, self.password, self.dev_key)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def key_fingerprint(self) -> str:
        """A hash of the developer key, under which its logins are counted."""
        return hashlib.sha256(self.dev_key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _NoSession:
    """There has been no login."""


@dataclass(frozen=True, slots=True)
class _Expired:
    """BILL does not know this session any more."""

    session_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Valid:
    """As far as we know BILL accepts this session."""

    session: CachedSession

    def alive(self, now: datetime) -> bool:
        return now - self.session.last_used < IDLE_LIMIT


class Repeat(Protocol):
    """Makes a call, repeating it as its failures allow."""

    def __call__(self, attempt: Callable[[], CachedSession]) -> CachedSession:
        """Call `attempt` until it succeeds or fails for good."""


class LoginSession(AuthBase):
    """Puts `sessionId` and `devKey` on a request, logging in if there is no session.

    Safe to use from several threads, and from several processes through the store.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        post: Callable[[dict[str, str]], Any],
        repeat: Repeat,
        base_url: str,
        store: SessionStore,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Authenticate.

        Args:
            credentials: Of the settings.
            post: Sends a body to `POST /v3/login` and returns the decoded answer.
            repeat: Makes the login, repeating it as its failures allow.
            base_url: Of the API, to which a session belongs.
            store: Where sessions outlive the process.
            now: The time in UTC.
        """
        SECRETS.add(credentials.password, credentials.dev_key)
        self._credentials = credentials
        self._post = post
        self._repeat = repeat
        self._fingerprint = credentials.fingerprint(base_url)
        self._store = store
        self._now = now
        self._lock = threading.RLock()
        self._state: _NoSession | _Expired | _Valid = _NoSession()
        self._remembered_at = datetime.min.replace(tzinfo=UTC)

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["sessionId"] = self._use().session_id
        r.headers["devKey"] = self._credentials.dev_key
        return r

    @property
    def organization_id(self) -> str:
        """The organization that the session belongs to; logs in if there is no session."""
        with self._lock:
            match self._state:
                case _Valid(session):
                    return session.organization_id
                case _:
                    return self._use().organization_id

    def expire(self, session_id: str | None) -> None:
        """BILL refused `session_id`: unless it was replaced meanwhile, the next call logs in."""
        with self._lock:
            match self._state:
                case _Valid(session) if session.session_id == session_id:
                    self._state = _Expired(session.session_id)
                case _:
                    pass

    def close(self) -> None:
        """Remember when the session was last used, for the next run."""
        if not self._lock.acquire(timeout=_CLOSE_SECONDS):
            return
        try:
            match self._state:
                case _Valid(session):
                    self._remember(session)
                case _:
                    pass
        finally:
            self._lock.release()

    def _use(self) -> CachedSession:
        """The session, used now."""
        with self._lock:
            now = self._now()
            match self._state:
                case _Valid(session) as valid if valid.alive(now):
                    session = replace(session, last_used=now)
                case _Expired(session_id):
                    session = self._renew(refused=session_id)
                case _:
                    session = self._renew(refused=None)
            self._state = _Valid(session)
            if now - self._remembered_at >= _REMEMBER_EVERY:
                self._remember(session)
            return session

    def _renew(self, *, refused: str | None) -> CachedSession:
        """Another run's session from the store if it has a live one, else a new one."""
        with self._store.open() as ledger:
            now = self._now()
            kept = ledger.sessions.get(self._fingerprint)
            if kept is not None and kept.session_id != refused and _Valid(kept).alive(now):
                _log.debug("Using the cached session, last used at %s", kept.last_used)
                SECRETS.add(kept.session_id)
                session = replace(kept, last_used=now)
            else:
                session = self._repeat(lambda: self._log_in(ledger))
            ledger.sessions[self._fingerprint] = session
            self._remembered_at = now
            return session

    def _count_login(self, ledger: Ledger) -> None:
        hour = full_hour(now := self._now())
        times = ledger.logins.setdefault(self._credentials.key_fingerprint(), [])
        if sum(time >= hour for time in times) >= LOGINS_PER_HOUR:
            msg = f"POST /v3/login: {LOGINS_PER_HOUR} logins were made since {hour:%H:%M} UTC"
            raise HourlyLimitError(msg)
        times.append(now)

    def _log_in(self, ledger: Ledger) -> CachedSession:
        self._count_login(ledger)
        wanted = self._credentials.organization_id
        answer = self._post(
            {
                "username": self._credentials.username,
                "password": self._credentials.password,
                "organizationId": wanted,
                "devKey": self._credentials.dev_key,
            }
        )
        session_id = answer.get("sessionId") if isinstance(answer, dict) else None
        if not isinstance(session_id, str) or not session_id:
            msg = "POST /v3/login brought no session"
            raise UnreadableAnswerError(msg)
        SECRETS.add(session_id)
        organization_id = str(answer.get("organizationId") or wanted)
        if organization_id != wanted:
            msg = (
                f"BILL logged the user into organization {organization_id} instead of {wanted}: correct "
                "organization_id"
            )
            raise OrganizationError(msg)
        _log.info("Logged in to BILL, organization %s", organization_id)
        return CachedSession(session_id=session_id, organization_id=organization_id, last_used=self._now())

    def _remember(self, session: CachedSession) -> None:
        """Tell the store of the session's last use, unless another run has renewed it since."""
        self._remembered_at = session.last_used
        with self._store.open() as ledger:
            kept = ledger.sessions.get(self._fingerprint)
            if kept is None or kept.last_used < session.last_used:
                ledger.sessions[self._fingerprint] = session
