"""The OAuth code flow of one company, step by step: ask, take the answer, get tokens, keep or end them.

Nothing here listens, prints or asks: a command line and a web page use the same steps (QuickBooks manual 2).
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from requests.auth import HTTPBasicAuth

from target_quickbooks.errors import SettingsError, TargetError, TemporaryError
from target_quickbooks.exact_json import from_json
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.governor import Governor
from target_quickbooks.quickbooks.oauth import lease_name, seed_digest, utc_now, with_tokens
from target_quickbooks.settings import Settings
from target_quickbooks.store import connection_table, lease_table
from target_quickbooks.store.connection_table import Connection
from target_quickbooks.store.database import Store
from target_quickbooks.store.quota_table import StoredLedger

SCOPE = "com.intuit.quickbooks.accounting"
_AUTHORIZE_URL = "https://appcenter.intuit.com/connect/oauth2"
_REVOKE_URL = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
_OFFICIAL_TOKEN_HOST = "oauth.platform.intuit.com"  # noqa: S105 - a host name
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")
_REALM_ID = re.compile(r"[0-9]{1,32}")
_TIMEOUT = (10, 30)
_READ_SECONDS = 30
_LEASE_SECONDS = 90
_LEASE_POLL_SECONDS = 0.25
_CLIENT_REFUSED = (
    "Intuit does not accept client_id and client_secret. Copy both from Keys & credentials of your Intuit "
    "app, for the right environment."
)


class NotConnected(TargetError):
    """The company was not connected; nothing was saved."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Where to send a person, and what proves that the answer belongs to this request."""

    url: str
    redirect_uri: str
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """The answer: a code that is good once, for ten minutes, and the company that was chosen."""

    code: str = field(repr=False)
    realm_id: str


def authorization_request(settings: Settings, *, redirect_uri: str) -> AuthorizationRequest:
    """Begin: the address of Intuit's consent page.

    Args:
        settings: The app and where Intuit is.
        redirect_uri: Where the answer goes; registered with the Intuit app, character by character.
    """
    state = secrets.token_urlsafe(32)
    query = urlencode(
        {
            "client_id": settings.client_id,
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": redirect_uri,
            "state": state,
        }
    )
    url = _endpoint(settings, _AUTHORIZE_URL, "/connect/oauth2")
    return AuthorizationRequest(f"{url}?{query}", redirect_uri, state)


def read_callback(query: str, request: AuthorizationRequest) -> Callback:
    """Take the answer that came to the redirect address.

    Args:
        query: The query of the address.
        request: What was asked.

    Raises:
        NotConnected: The person refused, or the answer is not one to this request.
    """
    given = {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}
    if not hmac.compare_digest(given.get("state", "").encode(), request.state.encode()):
        raise NotConnected(
            "An answer came that does not belong to this attempt (its state differs). Nothing was saved; "
            "start again, and use the address that is shown then."
        )
    error = given.get("error")
    if error == "access_denied":
        raise NotConnected("The connection was refused in QuickBooks. Nothing was saved.")
    if error is not None:
        code = error if _ERROR_CODE.fullmatch(error) else "unknown error"
        raise NotConnected(
            f"Intuit refused the connection ({code}). Nothing was saved; check the redirect URIs and "
            "scopes of your Intuit app."
        )
    if not given.get("code") or not _REALM_ID.fullmatch(given.get("realmId", "")):
        raise NotConnected(
            "Intuit's answer has no code or no company (realmId). Nothing was saved; start again."
        )
    return Callback(given["code"], given["realmId"])


def exchange(
    settings: Settings, callback: Callback, request: AuthorizationRequest, *, now: dt.datetime | None = None
) -> Connection:
    """Turn the code into a connection, which is not saved yet.

    Raises:
        NotConnected: Intuit does not accept the code.
        SettingsError: Intuit does not accept the client.
        TemporaryError: Intuit does not answer.
    """
    response = _post(
        settings,
        settings.token_url,
        data={
            "grant_type": "authorization_code",
            "code": callback.code,
            "redirect_uri": request.redirect_uri,
        },
    )
    answer = _json(response)
    if (
        response.status_code == requests.codes.ok
        and answer.get("access_token")
        and answer.get("refresh_token")
    ):
        moment = now or utc_now()
        bare = Connection(
            realm_id=callback.realm_id,
            client_id=settings.client_id,
            refresh_token="",
            seed_digest="",
            granted_at=moment,
        )
        return with_tokens(bare, answer, now=moment)
    raise _client_refused(response, answer) or NotConnected(
        f"Intuit did not accept the code (HTTP {response.status_code}): it is good once, for ten minutes. "
        "Nothing was saved; start again."
    )


def read_company_name(store: Store, settings: Settings, connection: Connection) -> str:
    """Read the name of the company a connection leads to.

    Raises:
        CompanyRefused: QuickBooks does not let the connection in: another environment, say.
        NotConnected: QuickBooks shows no company.
        TemporaryError: QuickBooks does not answer.
    """
    client = QuickBooksClient(
        api_url=settings.api_url,
        realm_id=connection.realm_id,
        tokens=_Granted(connection),
        governor=Governor(StoredLedger(store, connection.realm_id)),
        user_agent=settings.user_agent,
        max_retry_seconds=min(settings.max_retry_seconds, _READ_SECONDS),
    )
    rows = client.query("SELECT * FROM CompanyInfo")
    name = str(rows[0].get("CompanyName") or "") if rows else ""
    if not name:
        raise NotConnected(f"QuickBooks shows no company for realm {connection.realm_id}. Nothing was saved.")
    return name


def save(
    store: Store, settings: Settings, connection: Connection, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Keep a new connection; a seed that is configured now does not replace it later.

    Raises:
        TemporaryError: Another process is renewing the old tokens and does not finish.
    """
    kept = replace(connection, seed_digest=seed_digest(store, settings.refresh_token))
    with _alone(store, connection, sleep=sleep), store.writing() as database:
        connection_table.save(database, store.cipher, kept)


def revoke(
    store: Store, settings: Settings, connection: Connection, *, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """End a connection at Intuit and mark it dead here.

    Returns:
        Whether it was alive until now.

    Raises:
        SettingsError: Intuit does not accept the client.
        TemporaryError: Intuit does not answer; the connection is as it was.
    """
    url = _endpoint(settings, _REVOKE_URL, "/v2/oauth2/tokens/revoke")
    with _alone(store, connection, sleep=sleep):
        with store.reading() as database:
            current = connection_table.load(database, store.cipher, connection.realm_id, connection.client_id)
        held = current or connection
        response = _post(settings, url, json={"token": held.refresh_token})
        if response.status_code not in {requests.codes.ok, requests.codes.bad_request}:
            raise _client_refused(response, _json(response)) or TemporaryError(
                f"Intuit did not revoke the connection (HTTP {response.status_code}). It is as it was; try "
                "again."
            )
        with store.writing() as database:
            dead = replace(held, dead_since=held.dead_since or utc_now(), access_token=None)
            connection_table.save(database, store.cipher, dead)
    return bool(response.status_code == requests.codes.ok)


class _Granted:
    """Gives the one token of a new connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def access_token(self, *, refused: str | None = None) -> str:
        if refused is not None:
            raise NotConnected("QuickBooks does not accept the new token. Check environment and api_url.")
        return self._connection.access_token or ""


@contextmanager
def _alone(store: Store, connection: Connection, *, sleep: Callable[[float], None]) -> Iterator[None]:
    """Hold the lease of renewing, so that no renewal overwrites what is saved meanwhile."""
    name, owner = lease_name(connection.realm_id, connection.client_id), uuid.uuid4().hex
    for _ in range(int(2 * _LEASE_SECONDS / _LEASE_POLL_SECONDS)):
        if lease_table.acquire(store, name, owner, now=utc_now(), seconds=_LEASE_SECONDS):
            break
        sleep(_LEASE_POLL_SECONDS)
    else:
        raise TemporaryError(
            "Another process renews the QuickBooks token and does not finish. Try again later."
        )
    try:
        yield
    finally:
        lease_table.release(store, name, owner)


def _endpoint(settings: Settings, official: str, path: str) -> str:
    """Intuit's own address, or the same origin's where token_url points elsewhere."""
    parts = urlsplit(settings.token_url)
    return official if parts.hostname == _OFFICIAL_TOKEN_HOST else f"{parts.scheme}://{parts.netloc}{path}"


def _post(settings: Settings, url: str, **body: Any) -> requests.Response:
    try:
        response = requests.post(
            url,
            auth=HTTPBasicAuth(settings.client_id.encode(), settings.client_secret.encode()),
            headers={"Accept": "application/json", "User-Agent": settings.user_agent},
            timeout=_TIMEOUT,
            allow_redirects=False,
            **body,
        )
    except requests.RequestException as error:
        host = urlsplit(url).netloc.rpartition("@")[2]
        raise TemporaryError(
            f"Intuit at {host} cannot be reached ({type(error).__name__}). Try again later."
        ) from None
    if response.status_code >= requests.codes.server_error or response.status_code == requests.codes.too_many:
        raise TemporaryError(
            f"Intuit does not answer usefully (HTTP {response.status_code}). Try again later."
        )
    return response


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = from_json(response.content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _client_refused(response: requests.Response, answer: dict[str, Any]) -> SettingsError | None:
    refused = response.status_code == requests.codes.unauthorized or answer.get("error") == "invalid_client"
    return SettingsError(_CLIENT_REFUSED) if refused else None
