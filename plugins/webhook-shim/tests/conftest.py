"""A store, companies and a server for the shim's tests."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import uvicorn
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from target_quickbooks.links import Company
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from webhook_shim.companies import Books
from webhook_shim.context import Context
from webhook_shim.events import Event, System
from webhook_shim.settings import read
from webhook_shim.store import inbox_table, jobs_table
from webhook_shim.store.migrations import upgrade
from webhook_shim.store.opening import open_for

ORGANIZATION = "00802DEMOORGANIZTN01"
REALM = "9341452000000001"
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
KEY = Fernet.generate_key().decode()
SERVE = (sys.executable, "-c", "from webhook_shim.cli import main; main()", "serve")
_TAP = {"organization_id": "O", "dev_key": "d", "username": "u", "password": "p", "environment": "sandbox"}


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
def engine():
    """Where stores are; modules whose tests are to run on both engines say so."""
    return "sqlite"


@pytest.fixture
def store_url(engine, tmp_path, request):
    """Where the store of a test is."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite3'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def new_books(tmp_path, store_url):
    """Makes companies that share a store."""
    return lambda **differing: books_in(tmp_path, **{"store_url": store_url, **differing})


@pytest.fixture
def new_context(tmp_path, clock, new_books):
    """Makes contexts; ``context.woken`` counts wake-ups through its list."""
    with contextlib.ExitStack() as stack:

        def new(companies=None, woken=None, **variables):
            found = tuple(companies or (new_books(),))
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


_MELTANO = """#!/bin/sh
cd "{directory}"
case "$*" in
  *"config --unsafe print tap-bill"*) cat tap.config.json ;;
  *"config --unsafe print target-quickbooks"*) cat target.config.json ;;
  *)
    echo "$*" >> calls
    . ./behaviour
    echo "[info     ] meltano      Run completed" ;;
esac
"""


class Server:
    """A project with a Meltano that does what the test tells it, and a server as people start it."""

    seconds = 60
    token = "verifier-token"

    def __init__(self, directory, *, store_url="", command=SERVE, **variables):
        self.directory = directory
        self._command = command
        target = {
            "client_id": "c",
            "client_secret": "s",
            "realm_id": "1",
            "encryption_key": KEY,
            "store_url": store_url or f"sqlite:///{directory / 'store.sqlite3'}",
        }
        (directory / "tap.config.json").write_text(json.dumps(_TAP))
        (directory / "target.config.json").write_text(json.dumps(target))
        meltano = directory / "meltano"
        meltano.write_text(_MELTANO.format(directory=directory))
        meltano.chmod(0o755)
        (directory / "calls").touch()
        self.behave(":")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WEBHOOK_SHIM_")},
            "MELTANO_PROJECT_ROOT": str(directory),
            "WEBHOOK_SHIM_MELTANO": str(meltano),
            "WEBHOOK_SHIM_PORT": str(self.port),
            "WEBHOOK_SHIM_DEBOUNCE_SECONDS": "0",
            "WEBHOOK_SHIM_QUICKBOOKS_VERIFIER_TOKEN": self.token,
            **variables,
        }
        self.store = open_store(target["store_url"], Cipher((KEY,)))
        with self.store.writing() as connection:
            upgrade(connection)
        self.process = None
        self.log = directory / "server.log"

    def until(self, condition):
        deadline = time.monotonic() + self.seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return found

    def behave(self, script):
        (self.directory / "behaviour").write_text(f"{script}\n")

    def hold(self):
        self.behave("trap 'exit 143' TERM; while [ ! -e go ]; do sleep 0.02; done")

    def go(self):
        (self.directory / "go").touch()

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self.environ,
                cwd=self.directory,
                stdout=log,
                stderr=log,
            )
        self.until(self.is_ready)

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=10).ok

    @property
    def calls(self):
        return (self.directory / "calls").read_text().splitlines()

    def jobs(self):
        company = Company("1", "O")
        with self.store.reading() as connection:
            return [job.status for job in reversed(jobs_table.history(connection, company))]

    def receive(self, name):
        event = Event(System.BILL, "O", name, "vendor.created", "vendor", "v", None)
        with self.store.writing() as connection:
            inbox_table.put(connection, [event], now=dt.datetime.now(dt.UTC))

    def unsettled(self):
        with self.store.reading() as connection:
            return inbox_table.waiting(connection, System.BILL, "O")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(self.seconds)


@pytest.fixture
def new_server(tmp_path):
    """Makes servers that are started by the test."""
    made = []

    def make(directory=tmp_path, **variables):
        directory.mkdir(exist_ok=True)
        made.append(Server(directory, **variables))
        return made[-1]

    yield make
    for server in made:
        if server.process and server.process.poll() is None:
            server.process.kill()
            server.process.wait(server.seconds)
        server.go()
        server.store.close()


@pytest.fixture
def server(new_server):
    return new_server()
