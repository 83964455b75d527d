"""Sessions of the page: an encrypted cookie, so that nothing about visitors is kept in the store.

The key comes from the store's own and from the password, so that a new password ends every session. A
cookie that was signed out is remembered until it would have ended by itself; a restart forgets that.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cryptography.fernet import Fernet, InvalidToken
from starlette.responses import Response

IDLE = dt.timedelta(minutes=30)
LONGEST = dt.timedelta(hours=12)
_RENEWED_AFTER = dt.timedelta(minutes=1)
_NOTICES_KEPT = 3
_NOTICE_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence shown once, on the next page.

    Attributes:
        tone: ``good``, ``bad`` or ``info``.
    """

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Session:
    """One browser.

    Attributes:
        csrf: What every form of this session carries.
        ends_at: When it ends, used or not.
        seen_at: When the cookie was written last.
    """

    id: str = field(repr=False)
    csrf: str = field(repr=False)
    ends_at: dt.datetime
    seen_at: dt.datetime
    signed_in: bool = False
    notices: tuple[Notice, ...] = ()

    def with_notice(self, tone: str, text: str) -> Session:
        """The session with one more sentence to show."""
        notices = (*self.notices, Notice(tone, text[:_NOTICE_LENGTH]))
        return replace(self, notices=notices[-_NOTICES_KEPT:])


class Sessions:
    """Reads and writes the cookie.

    Args:
        store_key: The store's own key; the cookie's is derived from it.
        password: Of the page; empty if it is open.
        secure: Whether browsers reach the page by https.
        now: The current time, aware.
    """

    def __init__(
        self, *, store_key: bytes, password: str, secure: bool, now: Callable[[], dt.datetime]
    ) -> None:
        own = hmac.digest(store_key, b"page sessions " + hashlib.sha256(password.encode()).digest(), "sha256")
        self._fernet = Fernet(base64.urlsafe_b64encode(own))
        self._secure = secure
        self._now = now
        self._ended: dict[str, dt.datetime] = {}
        self._lock = threading.Lock()
        self.cookie = "__Host-books" if secure else "books"

    def begin(self, *, signed_in: bool = False) -> Session:
        """A new session."""
        now = self._now()
        return Session(
            id=secrets.token_urlsafe(18),
            csrf=secrets.token_urlsafe(24),
            ends_at=now + LONGEST,
            seen_at=now,
            signed_in=signed_in,
        )

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None if it is not ours, too old, or was signed out."""
        try:
            sealed = (cookie or "").encode("ascii")
            held = json.loads(
                self._fernet.decrypt_at_time(
                    sealed, ttl=int(IDLE.total_seconds()), current_time=int(self._now().timestamp())
                )
            )
            session = Session(
                id=held["id"],
                csrf=held["csrf"],
                ends_at=dt.datetime.fromisoformat(held["ends_at"]),
                seen_at=dt.datetime.fromisoformat(held["seen_at"]),
                signed_in=held["signed_in"],
                notices=tuple(Notice(*notice) for notice in held["notices"]),
            )
        except (InvalidToken, UnicodeEncodeError, ValueError, KeyError, TypeError):
            return None
        with self._lock:
            ended = session.id in self._ended
        return None if ended or session.ends_at <= self._now() else session

    def end(self, session: Session) -> None:
        """Make the session's cookies worthless."""
        now = self._now()
        with self._lock:
            self._ended = {key: until for key, until in self._ended.items() if until > now}
            self._ended[session.id] = session.ends_at

    def write(self, response: Response, session: Session, before: Session | None) -> None:
        """Send the cookie if it changed, or if it would soon be too old."""
        now = self._now()
        if before == session and now - session.seen_at < _RENEWED_AFTER:
            return
        held = {
            "id": session.id,
            "csrf": session.csrf,
            "ends_at": session.ends_at.isoformat(),
            "seen_at": now.isoformat(),
            "signed_in": session.signed_in,
            "notices": [[notice.tone, notice.text] for notice in session.notices],
        }
        sealed = self._fernet.encrypt_at_time(json.dumps(held).encode(), int(now.timestamp()))
        response.set_cookie(
            self.cookie,
            sealed.decode(),
            max_age=int(IDLE.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def forget(self, response: Response) -> None:
        """Tell the browser to drop the cookie."""
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="lax")
