"""A store, companies and a server for the shim's tests."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import uvicorn
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from webhook_shim.companies import Books
from webhook_shim.context import Context
from webhook_shim.settings import read
from webhook_shim.store.opening import open_for

ORGANIZATION = "00802DEMOORGANIZTN01"
REALM = "9341452000000001"
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
KEY = Fernet.generate_key().decode()


def books_in(directory: Path, *, name="books", organization_id=ORGANIZATION, realm_id=REALM, **target):
    """A company whose store lies in the directory."""
    config = {
        "client_id": "client",
        "client_secret": "secret-of-the-app",
        "realm_id": realm_id,
        "encryption_key": KEY,
        "store_url": f"sqlite:///{directory / 'store.sqlite3'}",
        **target,
    }
    return Books(
        name=name,
        title=name.capitalize(),
        organization_id=organization_id,
        realm_id=realm_id,
        tap_config={"organization_id": organization_id},
        target_config=config,
    )


class Clock:
    """A clock that tests set."""

    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time

    def advance(self, **by):
        self.time += dt.timedelta(**by)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def new_books(tmp_path):
    """Makes companies that share a store."""
    return lambda **differing: books_in(tmp_path, **differing)


@pytest.fixture
def new_context(tmp_path, clock):
    """Makes contexts; ``context.woken`` counts wake-ups through its list."""
    with contextlib.ExitStack() as stack:

        def new(companies=None, woken=None, **variables):
            found = tuple(companies or (books_in(tmp_path),))
            store = open_for(found)
            stack.callback(store.close)
            environ = {"MELTANO_PROJECT_ROOT": str(tmp_path)} | {
                f"WEBHOOK_SHIM_{name.upper()}": str(value) for name, value in variables.items()
            }
            calls = woken if woken is not None else []
            return Context(read(environ), found, store, lambda: calls.append(None), clock)

        yield new


@contextlib.contextmanager
def serving(routes, **options):
    """Serve routes (or an application) on a free port of this machine; gives a client for it."""
    app = routes if callable(routes) else Starlette(routes=routes, **options)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="auto", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    session = requests.Session()
    session.trust_env = False
    try:
        yield SimpleNamespace(
            url=url,
            http=session,
            get=lambda path, **kwargs: session.get(url + path, timeout=30, **kwargs),
            post=lambda path, **kwargs: session.post(url + path, timeout=30, **kwargs),
        )
    finally:
        server.should_exit = True
        thread.join(20)
        session.close()
        listener.close()


@pytest.fixture
def serve():
    """Serves routes until the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda routes, **options: stack.enter_context(serving(routes, **options))
