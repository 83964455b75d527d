"""API sessions: opened by a login, slid by each call, dead after 35 idle minutes (BILL manual 2).

A session that a sync token opened lives through 48 idle hours and cannot pay.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ap_simulator.bill.errors import Code, refusal
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.clock import Clock

USER_IDLE_LIMIT: Final = timedelta(minutes=35)
SYNC_TOKEN_IDLE_LIMIT: Final = timedelta(hours=48)
_SWEEP_SIZE: Final = 1_000


@dataclass(slots=True, kw_only=True)
class Login:
    """Somebody who may log in to an organization: a user, or a sync token of a user.

    Attributes:
        user_id: `006...`, the user who acts.
        password: The user's password or the token's value.
        role: Role type, e.g. `ADMINISTRATOR`.
        sync_token: Whether this is a token: long session, no payments, no MFA.
    """

    user_id: str
    password: str = field(repr=False)
    role: str = "ADMINISTRATOR"
    sync_token: bool = False


@dataclass(slots=True, kw_only=True)
class Session:
    """An open session. It is valid only with the developer key of its login."""

    id: str = field(repr=False)
    organization_id: str
    login: Login
    developer_key: str = field(repr=False)
    opened: datetime
    last_call: datetime
    trusted: bool = False

    def expired(self, now: datetime, *, greatest_age: timedelta | None) -> bool:
        """Whether the session has been idle, or has lived, for too long."""
        limit = SYNC_TOKEN_IDLE_LIMIT if self.login.sync_token else USER_IDLE_LIMIT
        if now - self.last_call >= limit:
            return True
        return greatest_age is not None and now - self.opened >= greatest_age


class Sessions:
    """All open sessions."""

    def __init__(self, *, clock: Clock, switches: BillSwitches) -> None:
        self._clock = clock
        self._switches = switches
        self._sessions: dict[str, Session] = {}

    def open(self, *, organization_id: str, login: Login, developer_key: str, trusted: bool) -> Session:
        """Open a session for a login that has been checked."""
        now = self._clock.now()
        if self._switches.second_login_ends_first:
            self._end_sessions_of(organization_id, login.user_id)
        if len(self._sessions) >= _SWEEP_SIZE:
            self._sweep(now)
        session = Session(
            id=secrets.token_hex(32),
            organization_id=organization_id,
            login=login,
            developer_key=developer_key,
            opened=now,
            last_call=now,
            trusted=trusted,
        )
        self._sessions[session.id] = session
        return session

    def use(self, session_id: str | None, developer_key: str) -> Session:
        """The session that a call comes with; its idle time starts anew.

        Raises:
            Refusal: BDC_1109: no session, none of that id, expired, or of another developer key.
        """
        session = self._sessions.get(session_id or "")
        if session is None or session.developer_key != developer_key:
            raise refusal(Code.NO_SESSION)
        now = self._clock.now()
        if session.expired(now, greatest_age=self._greatest_age()):
            self.close(session)
            raise refusal(Code.NO_SESSION)
        session.last_call = now
        return session

    def close(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.id, None)

    def __len__(self) -> int:
        return len(self._sessions)

    def _greatest_age(self) -> timedelta | None:
        hours = self._switches.session_lifetime_hours
        return timedelta(hours=hours) if hours > 0 else None

    def _end_sessions_of(self, organization_id: str, user_id: str) -> None:
        for session in list(self._sessions.values()):
            if (session.organization_id, session.login.user_id) == (organization_id, user_id):
                self.close(session)

    def _sweep(self, now: datetime) -> None:
        for session in list(self._sessions.values()):
            if session.expired(now, greatest_age=self._greatest_age()):
                self.close(session)
