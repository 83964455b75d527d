"""The OAuth server's state: clients, connections, codes and tokens, on the world's clock.

A connection (`Connection`) is what a person grants: one client may act for one company. It has one
current refresh token, whose value rotates, and any number of access tokens. Rules: QuickBooks
manual 2.2 to 2.6; what is open there is in `switches.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NoReturn

from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.oauth.clients import Client
from ap_simulator.oauth.errors import refuse_grant, refuse_request
from ap_simulator.oauth.switches import OAuthSwitches
from ap_simulator.oauth.tokens import new_access_token, new_code, new_refresh_token

ACCOUNTING_SCOPE: Final = "com.intuit.quickbooks.accounting"
SCOPES: Final = frozenset(
    {
        ACCOUNTING_SCOPE,
        "com.intuit.quickbooks.payment",
        "openid",
        "profile",
        "email",
        "phone",
        "address",
    }
)

ACCESS_TOKEN_LIFE: Final = timedelta(seconds=3600)
CODE_LIFE: Final = timedelta(minutes=10)
ROTATION_PERIOD: Final = timedelta(hours=24)
LINGER_PERIOD: Final = timedelta(hours=24)
HARD_LIFE: Final = timedelta(days=5 * 365)

_BAD_CODE: Final = "Invalid authorization code"
_BAD_REFRESH: Final = "Incorrect or invalid refresh token"
_REMEMBERED_ACCESS_TOKENS: Final = 20_000


class AuthorizationKind(StrEnum):
    """What an access token is worth for a company."""

    OK = "ok"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    #: Granted for another company, or without the accounting scope.
    WRONG_REALM = "wrong_realm"
    #: The person or the app ended the connection.
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The answer to "may this token act for this company"; `client_id` is None if unknown."""

    kind: AuthorizationKind
    client_id: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """One consent: `client_id` may act for the company `realm_id` until it ends."""

    client_id: str
    realm_id: str
    scopes: frozenset[str]
    connected_at: datetime
    refresh_token: str
    rotated_at: datetime
    refresh_expires_at: datetime
    hard_expires_at: datetime
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the token endpoint hands out; lives are in seconds from now."""

    access_token: str
    refresh_token: str
    expires_in: int
    refresh_expires_in: int
    hard_expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    client_id: str
    realm_id: str
    redirect_uri: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(slots=True, kw_only=True)
class _RefreshToken:
    connection: Connection
    replaced_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class _AccessToken:
    connection: Connection
    expires_at: datetime


class OAuthService:
    """Clients, companies that can be connected, connections and tokens."""

    def __init__(self, *, clock: Clock, switches: OAuthSwitches, calls: CallLog) -> None:
        self._clock = clock
        self._switches = switches
        self._calls = calls
        self._clients: dict[str, Client] = {}
        self._companies: dict[str, str] = {}
        self._codes: dict[str, _Code] = {}
        self._connections: list[Connection] = []
        self._refresh_tokens: dict[str, _RefreshToken] = {}
        self._access_tokens: dict[str, _AccessToken] = {}

    def add_client(
        self,
        *,
        client_id: str,
        client_secret: str,
        redirect_uris: Iterable[str] = (),
        development: bool = True,
        name: str = "QuickBooks app",
    ) -> None:
        """Register an app.

        Raises:
            ValueError: A redirect URI that Intuit would not register.
        """
        self._clients[client_id] = Client(
            client_id=client_id,
            client_secret=client_secret,
            redirect_uris=frozenset(redirect_uris),
            development=development,
            name=name,
        )

    def add_company(self, *, realm_id: str, name: str) -> None:
        """Let the consent page offer the company `realm_id`."""
        self._companies[realm_id] = name

    def companies(self) -> dict[str, str]:
        """The names of the companies that can be connected, by realm id."""
        return dict(self._companies)

    def client(self, client_id: str) -> Client | None:
        """The registered app of that id."""
        return self._clients.get(client_id)

    def may_redirect(self, client: Client, uri: str) -> bool:
        """Whether a consent for `client` may answer to `uri`."""
        return client.may_redirect_to(uri, any_loopback=self._switches.loopback_redirects == "any")

    def grant(
        self,
        *,
        realm_id: str,
        client_id: str,
        refresh_token: str | None = None,
        scopes: Iterable[str] = (ACCOUNTING_SCOPE,),
    ) -> str:
        """Connect a client to a company without the consent page.

        Args:
            realm_id: The company.
            client_id: A registered client.
            refresh_token: The value to hand out; a new one if None.
            scopes: What is granted.

        Returns:
            The refresh token.

        Raises:
            ValueError: The client is not registered.
        """
        if client_id not in self._clients:
            msg = f"There is no OAuth client {client_id!r}; add_client it first"
            raise ValueError(msg)
        return self._connect(
            client_id=client_id,
            realm_id=realm_id,
            scopes=frozenset(scopes),
            refresh_token=refresh_token or new_refresh_token(),
        ).refresh_token

    def authorize(self, access_token: str, realm_id: str) -> Authorization:
        """What `access_token` is worth for the company `realm_id` now."""
        token = self._access_tokens.get(access_token)
        if token is None:
            return Authorization(kind=AuthorizationKind.UNKNOWN)
        connection = token.connection
        if connection.revoked:
            kind = AuthorizationKind.REVOKED
        elif token.expires_at <= self._clock.now():
            kind = AuthorizationKind.EXPIRED
        elif connection.realm_id != realm_id or ACCOUNTING_SCOPE not in connection.scopes:
            kind = AuthorizationKind.WRONG_REALM
        else:
            kind = AuthorizationKind.OK
        return Authorization(kind=kind, client_id=connection.client_id)

    def connection(self, access_token: str) -> Connection | None:
        """The connection that a live access token belongs to."""
        token = self._access_tokens.get(access_token)
        if token is None or token.connection.revoked or token.expires_at <= self._clock.now():
            return None
        return token.connection

    def connections(self) -> list[Connection]:
        """Every connection ever made, oldest first, revoked ones included."""
        return list(self._connections)

    def is_connected(self, client_id: str, realm_id: str) -> bool:
        """Whether a client may act for a company now."""
        return any(
            connection.client_id == client_id and connection.realm_id == realm_id and not connection.revoked
            for connection in self._connections
        )

    def issue_code(self, *, client_id: str, realm_id: str, redirect_uri: str, scopes: Iterable[str]) -> str:
        """The authorization code of a consent: good once, within ten minutes."""
        code = new_code()
        self._codes[code] = _Code(
            client_id=client_id,
            realm_id=realm_id,
            redirect_uri=redirect_uri,
            scopes=frozenset(scopes),
            expires_at=self._clock.now() + CODE_LIFE,
        )
        return code

    def exchange(self, *, client_id: str, code: str, redirect_uri: str) -> Tokens:
        """Turn an authorization code into tokens.

        Raises:
            OAuthError: `invalid_grant`: the code is unknown, used, expired, another client's or
                issued for another redirect URI. It cannot be used again after that.
        """
        issued = self._codes.pop(code, None)
        if (
            issued is None
            or issued.expires_at <= self._clock.now()
            or issued.client_id != client_id
            or issued.redirect_uri != redirect_uri
        ):
            self._refuse(_BAD_CODE)
        connection = self._connect(
            client_id=client_id,
            realm_id=issued.realm_id,
            scopes=issued.scopes,
            refresh_token=new_refresh_token(),
        )
        return self._issue(connection)

    def refresh(self, *, client_id: str, refresh_token: str) -> Tokens:
        """Turn a refresh token into an access token and the refresh token to use next.

        Raises:
            OAuthError: `invalid_grant`: the value is unknown, another client's, replaced, expired
                or its connection was revoked.
        """
        now = self._clock.now()
        token = self._refresh_tokens.get(refresh_token)
        if token is None or token.connection.client_id != client_id:
            self._refuse(_BAD_REFRESH)
        connection = token.connection
        if connection.revoked or connection.refresh_expires_at <= now:
            self._refuse(_BAD_REFRESH)
        if token.replaced_at is not None and not self._lingers(token.replaced_at, now):
            if self._switches.reuse_revokes:
                connection.revoked = True
            self._refuse(_BAD_REFRESH)
        if self._switches.refresh_invalidates_access:
            self._end_access(connection, now)
        self._rotate_if_due(connection, now)
        connection.refresh_expires_at = self._rolling_expiry(connection.hard_expires_at)
        return self._issue(connection)

    def revoke(self, *, client_id: str, token: str) -> None:
        """End the connection that a refresh or access token of the client belongs to.

        Raises:
            OAuthError: `invalid_request`: unknown, another client's or already revoked.
        """
        found = self._refresh_tokens.get(token) or self._access_tokens.get(token)
        if found is None or found.connection.client_id != client_id or found.connection.revoked:
            refuse_request("Unknown or already revoked token")
        found.connection.revoked = True

    def disconnect(self, *, realm_id: str, client_id: str | None = None) -> int:
        """End connections as a person does inside QuickBooks.

        Args:
            realm_id: The company.
            client_id: Only this client's; None is every client's.

        Returns:
            How many connections ended.
        """
        ended = [
            connection
            for connection in self._connections
            if connection.realm_id == realm_id
            and not connection.revoked
            and client_id in {None, connection.client_id}
        ]
        for connection in ended:
            connection.revoked = True
        return len(ended)

    def _connect(
        self, *, client_id: str, realm_id: str, scopes: frozenset[str], refresh_token: str
    ) -> Connection:
        if self._switches.reconnect_revokes:
            self.disconnect(realm_id=realm_id, client_id=client_id)
        now = self._clock.now()
        hard_expires_at = now + HARD_LIFE
        connection = Connection(
            client_id=client_id,
            realm_id=realm_id,
            scopes=scopes,
            connected_at=now,
            refresh_token=refresh_token,
            rotated_at=now,
            refresh_expires_at=self._rolling_expiry(hard_expires_at),
            hard_expires_at=hard_expires_at,
        )
        self._connections.append(connection)
        self._refresh_tokens[refresh_token] = _RefreshToken(connection=connection)
        return connection

    def _issue(self, connection: Connection) -> Tokens:
        now = self._clock.now()
        access_token = new_access_token()
        self._access_tokens[access_token] = _AccessToken(
            connection=connection, expires_at=now + ACCESS_TOKEN_LIFE
        )
        if len(self._access_tokens) > _REMEMBERED_ACCESS_TOKENS:
            del self._access_tokens[next(iter(self._access_tokens))]
        self._calls.logged_in(system="oauth")
        return Tokens(
            access_token=access_token,
            refresh_token=connection.refresh_token,
            expires_in=int(ACCESS_TOKEN_LIFE.total_seconds()),
            refresh_expires_in=int((connection.refresh_expires_at - now).total_seconds()),
            hard_expires_in=int((connection.hard_expires_at - now).total_seconds()),
        )

    def _rotate_if_due(self, connection: Connection, now: datetime) -> None:
        if self._switches.rotation == "daily" and now - connection.rotated_at < ROTATION_PERIOD:
            return
        self._refresh_tokens[connection.refresh_token].replaced_at = now
        connection.refresh_token = new_refresh_token()
        connection.rotated_at = now
        self._refresh_tokens[connection.refresh_token] = _RefreshToken(connection=connection)

    def _end_access(self, connection: Connection, now: datetime) -> None:
        for token in self._access_tokens.values():
            if token.connection is connection:
                token.expires_at = min(token.expires_at, now)

    def _rolling_expiry(self, hard_expires_at: datetime) -> datetime:
        life = timedelta(days=self._switches.refresh_token_days)
        return min(self._clock.now() + life, hard_expires_at)

    def _lingers(self, replaced_at: datetime, now: datetime) -> bool:
        return self._switches.old_token_lingers and now - replaced_at < LINGER_PERIOD

    def _refuse(self, description: str) -> NoReturn:
        refuse_grant(description if self._switches.invalid_grant_description else None)
