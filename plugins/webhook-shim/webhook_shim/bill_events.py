"""BILL's webhook API: its calls, over the tap's own session, limits and retries (BILL manual 5)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from tap_bill import answers
from tap_bill.client import TIMEOUT
from tap_bill.connection import Connection, connect
from tap_bill.errors import NotFoundError
from tap_bill.errors import SettingsError as TapSettingsError
from tap_bill.settings import parse
from target_quickbooks.errors import SettingsError, TargetError

from webhook_shim.companies import Books

VERSION = "1"
_LISTS = ("results", "subscriptions", "events")
_PAGE_SIZE = 100


class BillRefused(TargetError):
    """BILL did not do what was asked: the message says why."""


class NoSuchSubscription(TargetError):
    """BILL does not know the subscription."""


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription as BILL holds it.

    Attributes:
        events: Types, such as ``vendor.created``.
    """

    id: str
    name: str
    url: str
    enabled: bool
    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that BILL says it sent.

    Attributes:
        status: HTTP status our address answered; 0 if BILL does not tell.
    """

    id: str
    kind: str
    created: str
    status: int


class BillEvents:
    """The webhook API for one organization."""

    def __init__(self, connection: Connection, base_url: str) -> None:
        self._connection = connection
        self._base_url = base_url

    def catalog(self) -> list[str]:
        """All event types that BILL offers in the version we understand."""
        answer = self._call("GET", "/v3/events/catalog")
        entries = answer if isinstance(answer, list) else _rows(answer)
        return [
            str(entry["type"])
            for entry in entries
            if isinstance(entry, dict) and "type" in entry and VERSION in entry.get("versions", [VERSION])
        ]

    def subscriptions(self) -> list[Held]:
        """All subscriptions of the organization."""
        return [_held(row) for row in self._pages("/v3/subscriptions", {})]

    def subscription(self, subscription_id: str) -> Held:
        """One subscription.

        Raises:
            NoSuchSubscription: It is gone.
        """
        return _held(self._call("GET", f"/v3/subscriptions/{subscription_id}"))

    def create(self, *, name: str, url: str, events: Sequence[str]) -> tuple[Held, str]:
        """Add a subscription; gives it with its security key, which is told only now."""
        answer = self._call("POST", "/v3/subscriptions", _document(name, url, events), once=True)
        return _held(answer), _key(answer)

    def replace(self, subscription_id: str, *, name: str, url: str, events: Sequence[str]) -> Held:
        """Give a subscription these events and this address, and enable it."""
        path = f"/v3/subscriptions/{subscription_id}"
        return _held(self._call("PUT", path, _document(name, url, events)))

    def enable(self, subscription_id: str) -> None:
        """Have BILL send again."""
        self._call("PATCH", f"/v3/subscriptions/{subscription_id}", {"status": {"enabled": True}})

    def delete(self, subscription_id: str) -> None:
        """End a subscription."""
        self._call("DELETE", f"/v3/subscriptions/{subscription_id}")

    def rotate_key(self, subscription_id: str) -> str:
        """Have BILL sign with a new key from now on, and learn it."""
        return _key(self._call("POST", f"/v3/subscriptions/{subscription_id}/security_key", once=True))

    def send_test(self, subscription_id: str) -> Sent:
        """Have BILL send an event about nothing."""
        return _sent(self._call("POST", f"/v3/subscriptions/{subscription_id}/test", {}))

    def sent(self, subscription_id: str, *, since: str = "", limit: int = 100) -> list[Sent]:
        """What BILL says it sent, newest first; it remembers 180 days."""
        query = {"createdTimeFrom": since} if since else {}
        found: list[Sent] = []
        for row in self._pages(f"/v3/events/subscription/{subscription_id}", query):
            found.append(_sent(row))
            if len(found) >= limit:
                break
        return found

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        page: str | None = None
        while True:
            asked = {**query, "max": str(_PAGE_SIZE)} | ({"page": page} if page else {})
            answer = self._call("GET", path, query=asked)
            yield from answer if isinstance(answer, list) else _rows(answer)
            page = str(answer.get("nextPage") or "") if isinstance(answer, dict) else ""
            if not page:
                return

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> Any:
        """Make a call; ``once`` has BILL answer its repetitions from memory (BILL manual 5.4)."""
        connection = self._connection
        call = connection.call(method, path)
        headers = {"Accept": "application/json"}
        if once:
            headers["X-Idempotent-Key"] = str(uuid.uuid4())
        used: list[str | None] = [None]

        def attempt() -> Any:
            response = connection.client.http.request(
                method,
                f"{self._base_url}{path}",
                params=query,
                json=body,
                headers=headers,
                auth=connection.session,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            used[0] = response.request.headers.get("sessionId")
            if response.status_code == requests.codes.ok and not response.content.strip():
                return None
            return answers.read(response.status_code, response.content, call)

        with _plainly(connection):
            return connection.client.run(
                attempt,
                call=call,
                governor=connection.governor,
                renew=lambda: connection.session.expire(used[0]),
            )


def open_for(books: Books, configured_url: str) -> BillEvents:
    """The webhook API of a company's organization.

    Args:
        books: The company.
        configured_url: Base URL from the settings; empty for the one beside the tap's.

    Raises:
        SettingsError: The tap's configuration cannot be used.
    """
    try:
        settings = parse({"user_agent": "webhook-shim", **books.tap_config})
    except TapSettingsError as error:
        raise SettingsError(f"Configuration of tap-bill for {books.title}: {error}") from None
    beside = f"{settings.base_url.rstrip('/')}-events"
    return BillEvents(connect(settings), configured_url or beside)


@contextmanager
def _plainly(connection: Connection) -> Iterator[None]:
    """The tap's errors as this program's: one line each."""
    try:
        yield
    except NotFoundError as error:
        raise NoSuchSubscription(str(error)) from None
    except (FatalAPIError, RetriableAPIError) as error:
        raise BillRefused(str(error)) from None
    finally:
        connection.session.close()


def _document(name: str, url: str, events: Sequence[str]) -> dict[str, Any]:
    return {
        "name": name,
        "status": {"enabled": True},
        "events": [{"type": kind, "version": VERSION} for kind in events],
        "notificationUrl": url,
    }


def _rows(answer: Any) -> list[Any]:
    """The rows of a list, whose envelope is undocumented (BILL manual 5.3)."""
    rows: Any = (
        next((answer[name] for name in _LISTS if name in answer), None) if isinstance(answer, dict) else None
    )
    return rows if isinstance(rows, list) else []


def _held(row: Any) -> Held:
    if not isinstance(row, dict) or not row.get("id"):
        raise BillRefused("BILL answered with something that is no subscription.")
    status = row.get("status")
    return Held(
        id=str(row["id"]),
        name=str(row.get("name") or ""),
        url=str(row.get("notificationUrl") or ""),
        enabled=bool(status.get("enabled")) if isinstance(status, dict) else False,
        events=frozenset(str(event["type"]) for event in row.get("events") or () if "type" in event),
    )


def _sent(row: Any) -> Sent:
    record = row if isinstance(row, dict) else {}
    status = record.get("statusCode")
    return Sent(
        id=str(record.get("id") or ""),
        kind=str(record.get("type") or ""),
        created=str(record.get("createdTime") or ""),
        status=status if isinstance(status, int) else 0,
    )


def _key(answer: Any) -> str:
    key = answer.get("securityKey") if isinstance(answer, dict) else None
    if not isinstance(key, str) or not key:
        raise BillRefused("BILL did not tell the security key of the subscription. Rotate it: rotate-key.")
    return key
