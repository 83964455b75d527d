"""Puts settings, HTTP client, limits and login session together: one connection per run."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from tap_bill.ahead import ReadAhead
from tap_bill.answers import Call
from tap_bill.client import BillClient
from tap_bill.limits import Governor
from tap_bill.session import LoginSession
from tap_bill.session_cache import EncryptedFile, MemoryStore
from tap_bill.settings import Settings
from tap_bill.shared_limits import FileCount, FileSlots, digest

_LOGIN_PATH = "/v3/login"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the streams share."""

    settings: Settings
    client: BillClient
    governor: Governor
    session: LoginSession
    ahead: ReadAhead

    def call(self, method: str, path: str) -> Call:
        """A call of the API for messages."""
        return Call(
            what=f"{method} {path}",
            place=self.settings.place,
            organization_id=self.settings.credentials.organization_id,
        )


def connect(settings: Settings) -> Connection:
    """Prepare a connection. Nothing is sent before the first call needs it."""
    client = BillClient(
        base_url=settings.base_url,
        user_agent=settings.user_agent,
        max_concurrency=settings.max_concurrency,
        max_retry_seconds=settings.max_retry_seconds,
    )
    governor = _governor(settings, client)
    login_call = Call(
        what=f"POST {_LOGIN_PATH}",
        place=settings.place,
        organization_id=settings.credentials.organization_id,
        login=True,
    )

    session = LoginSession(
        settings.credentials,
        post=lambda body: client.post(_LOGIN_PATH, body, login_call),
        repeat=lambda attempt: client.run(attempt, call=login_call, governor=governor),
        base_url=settings.base_url,
        store=(
            EncryptedFile(settings.session_path, settings.encryption_keys)
            if settings.session_path
            else MemoryStore()
        ),
    )
    return Connection(
        settings=settings,
        client=client,
        governor=governor,
        session=session,
        ahead=ReadAhead(threads=settings.max_concurrency),
    )


def _governor(settings: Settings, client: BillClient) -> Governor:
    """The keeper of BILL's limits: together with other runs that use the same session cache."""
    govern = functools.partial(
        Governor,
        max_concurrency=settings.max_concurrency,
        hourly_limit=settings.hourly_limit,
        now=client.server_now,
    )
    if not settings.session_path:
        return govern()
    credentials = settings.credentials
    key = digest(settings.base_url, credentials.dev_key)
    books = digest(settings.base_url, credentials.dev_key, credentials.organization_id)
    return govern(
        count=FileCount(Path(f"{settings.session_path}.{key}.calls")),
        shared_slot=FileSlots(Path(f"{settings.session_path}.{books}")).hold,
    )
