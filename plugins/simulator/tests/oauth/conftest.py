"""A running OAuth server on a port of its own, with two companies and two clients."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import requests
import uvicorn
from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.faults import FaultPlan
from ap_simulator.oauth.routes import routes
from ap_simulator.oauth.service import Authorization, AuthorizationKind, OAuthService
from ap_simulator.oauth.switches import OAuthSwitches
from ap_simulator.switches import Switches
from ap_simulator.world import World
from starlette.applications import Starlette

CLIENT_ID = "ABclientOne"
CLIENT_SECRET = "secret-one"
OTHER_CLIENT_ID = "ABclientTwo"
OTHER_SECRET = "secret-two"
REDIRECT_URI = "https://app.example/oauth/callback"
LOOPBACK_URI = "http://localhost:9123/callback"
REALM = "9341452000000001"
OTHER_REALM = "9341452000000002"
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@dataclass
class Party:
    """The server and a client that talks to it."""

    base_url: str
    world: World
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def oauth(self) -> OAuthService:
        return self.world.oauth

    @property
    def switches(self) -> OAuthSwitches:
        return self.world.switches.oauth

    def advance(self, **delta: float) -> None:
        self.world.clock.advance(timedelta(**delta))

    def post_token(self, *, auth: Any = (CLIENT_ID, CLIENT_SECRET), **form: str) -> requests.Response:
        return self.http.post(f"{self.base_url}/oauth2/v1/tokens/bearer", data=form, auth=auth)

    def refresh(self, refresh_token: str, **kwargs: Any) -> requests.Response:
        return self.post_token(grant_type="refresh_token", refresh_token=refresh_token, **kwargs)

    def revoke(self, token: str, *, auth: Any = (CLIENT_ID, CLIENT_SECRET)) -> requests.Response:
        url = f"{self.base_url}/v2/oauth2/tokens/revoke"
        return self.http.post(url, json={"token": token}, auth=auth)

    def authorize_parameters(self, **changes: str) -> dict[str, str]:
        parameters = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "scope": "com.intuit.quickbooks.accounting",
            "redirect_uri": REDIRECT_URI,
            "state": "s/t&a=te",
        }
        return {**parameters, **changes}

    def ask(self, **changes: str) -> requests.Response:
        parameters = self.authorize_parameters(**changes)
        url = f"{self.base_url}/connect/oauth2"
        return self.http.get(url, params=parameters, allow_redirects=False)

    def decide(self, decision: str, **changes: str) -> requests.Response:
        form = {**self.authorize_parameters(realm_id=REALM, decision=decision), **changes}
        return self.http.post(f"{self.base_url}/connect/oauth2", data=form, allow_redirects=False)

    def kind(self, access_token: str, realm_id: str = REALM) -> AuthorizationKind:
        authorization: Authorization = self.oauth.authorize(access_token, realm_id)
        return authorization.kind


def new_world() -> World:
    clock = Clock(start=NOON, frozen=True)
    switches = OAuthSwitches()
    calls = CallLog()
    oauth = OAuthService(clock=clock, switches=switches, calls=calls)
    oauth.add_client(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uris=[REDIRECT_URI], name="Our app"
    )
    oauth.add_client(
        client_id=OTHER_CLIENT_ID,
        client_secret=OTHER_SECRET,
        redirect_uris=["https://other.example/cb"],
        development=False,
    )
    oauth.add_company(realm_id=REALM, name="Marlow & Quill <Software>")
    oauth.add_company(realm_id=OTHER_REALM, name="Second Company")
    absent = cast("Any", None)
    return World(
        clock=clock,
        switches=Switches(bill=absent, quickbooks=absent, oauth=switches),
        faults=FaultPlan(),
        calls=calls,
        bill=absent,
        quickbooks=absent,
        oauth=oauth,
    )


@pytest.fixture(scope="session")
def _server() -> Iterator[tuple[str, list[World]]]:
    """One server for all tests; each test puts its own world behind it."""
    current: list[World] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Starlette(routes=routes(current[-1]))(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", current
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def party(_server: tuple[str, list[World]]) -> Iterator[Party]:
    base_url, worlds = _server
    worlds.append(new_world())
    with requests.Session() as http:
        yield Party(base_url=base_url, world=worlds[-1], http=http)
