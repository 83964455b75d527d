"""The health of a company's connections: to QuickBooks, to BILL, and BILL's to us. Reads, never writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, RowMapping, select
from tap_bill.session_cache import Ledger, fernet
from target_quickbooks.store.tables import connections

from webhook_shim.companies import Books
from webhook_shim.store.tables import subscriptions
from webhook_shim.web.words import Word, ago, count

_SOON = 14
_SESSION_IDLE = dt.timedelta(minutes=35)


@dataclass(frozen=True, slots=True)
class Health:
    """One connection: how it is, and what to know about it."""

    name: str
    word: Word
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connected:
    """The grant of a company, without its tokens."""

    company_name: str
    granted_at: dt.datetime
    refreshed_at: dt.datetime | None
    ends_at: dt.datetime | None
    dead_since: dt.datetime | None

    def is_alive(self, now: dt.datetime) -> bool:
        """Whether QuickBooks should accept it."""
        return self.dead_since is None and (self.ends_at is None or self.ends_at > now)


def grant(connection: Connection, books: Books) -> Connected | None:
    """The stored grant, if there is one."""
    query = select(
        connections.c.company_name,
        connections.c.granted_at,
        connections.c.refreshed_at,
        connections.c.refresh_expires_at,
        connections.c.dead_since,
    ).where(
        connections.c.realm_id == books.realm_id,
        connections.c.client_id == str(books.target_config.get("client_id") or ""),
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Connected(
        row.company_name, row.granted_at, row.refreshed_at, row.refresh_expires_at, row.dead_since
    )


def subscription(connection: Connection, organization_id: str) -> RowMapping | None:
    """BILL's subscription, without its keys."""
    query = select(
        subscriptions.c.enabled,
        subscriptions.c.checked_at,
        subscriptions.c.disabled_at,
        subscriptions.c.last_event_at,
        subscriptions.c.url,
    ).where(subscriptions.c.organization_id == organization_id)
    return connection.execute(query).mappings().first()


def health(
    books: Books, held: Connected | None, subscribed: RowMapping | None, now: dt.datetime
) -> tuple[Health, Health, Health]:
    """QuickBooks, BILL, and BILL's events."""
    return _quickbooks(books, held, now), _bill(books, now), _events(subscribed, now)


def _quickbooks(books: Books, held: Connected | None, now: dt.datetime) -> Health:
    name = "QuickBooks"
    if held is None:
        if books.target_config.get("refresh_token"):
            return Health(name, Word("Ready", "quiet"), ("The first run uses the configured token.",))
        return Health(name, Word("Not connected", "bad"), ("Connect the company to begin.",))
    lines = [f"{held.company_name or 'Company'}, connected {ago(held.granted_at, now)}"]
    if held.dead_since:
        return Health(name, Word("Disconnected", "bad"), (*lines, f"since {ago(held.dead_since, now)}"))
    if held.ends_at is None:
        return Health(name, Word("Connected", "good"), tuple(lines))
    left = (held.ends_at - now).days
    if left < 0:
        return Health(name, Word("Expired", "bad"), (*lines, f"expired {ago(held.ends_at, now)}"))
    lines.append(f"{count(left, 'day')} until it expires if no run uses it")
    return Health(
        name, Word("Ends soon", "warn") if left < _SOON else Word("Connected", "good"), tuple(lines)
    )


def _bill(books: Books, now: dt.datetime) -> Health:
    last = _bill_session_used(books)
    if last is None:
        return Health("BILL", Word("Ready", "quiet"), ("Signs in when the next run begins.",))
    if now - last > _SESSION_IDLE:
        return Health(
            "BILL", Word("Ready", "quiet"), (f"Last used {ago(last, now)}; signs in again by itself.",)
        )
    return Health("BILL", Word("Signed in", "good"), (f"Last used {ago(last, now)}",))


def _bill_session_used(books: Books) -> dt.datetime | None:
    """When the tap's kept session was used last."""
    config = books.tap_config
    path, keys = config.get("session_path"), str(config.get("encryption_key") or "")
    if not path or not keys:
        return None
    try:
        cipher = fernet([key.strip() for key in keys.split(",") if key.strip()])
        ledger = Ledger.from_json(cipher.decrypt(Path(path).read_bytes()))
    except (OSError, ValueError, InvalidToken):
        return None
    used = [
        kept.last_used for kept in ledger.sessions.values() if kept.organization_id == books.organization_id
    ]
    return max(used, default=None)


def _events(subscribed: RowMapping | None, now: dt.datetime) -> Health:
    name = "Events from BILL"
    if subscribed is None:
        return Health(name, Word("Not subscribed", "quiet"), ("Changes are found by regular checks.",))
    last = subscribed["last_event_at"]
    lines = (f"Last event {ago(last, now)}" if last else "No event yet",)
    if not subscribed["enabled"] or subscribed["disabled_at"]:
        return Health(name, Word("Interrupted", "warn"), (*lines, "What was missed is being read."))
    return Health(name, Word("Subscribed", "good"), (*lines, f"checked {ago(subscribed['checked_at'], now)}"))
