"""Books that real runs against the simulator have filled, and a browser's view of the pages without one."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import io
import json
import re
import shutil
import socket
import threading
from dataclasses import dataclass, field
from html import unescape

import pytest
import requests
import uvicorn
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import running
from starlette.applications import Starlette
from tap_bill.tap import TapBill
from target_quickbooks.target import TargetQuickbooks
from webhook_shim import health, web
from webhook_shim.companies import Books
from webhook_shim.context import Context
from webhook_shim.settings import read
from webhook_shim.store import jobs_table
from webhook_shim.store.opening import open_for

ORGANIZATION = "00802DEMOORGANIZTN01"
REALM = "9341452000000001"
#: As the simulator knows it, so that stores can be shared with it.
CLIENT = {
    "client_id": DEMO.client_id,
    "client_secret": DEMO.client_secret,
    "encryption_key": DEMO.encryption_key,
}
PAYMENTS = {"payments", "recurring_bills", "vendor_credits"}
_FIELD = re.compile(r'name="csrf" value="([^"]+)"')
_TAG = re.compile(r"<[^>]+>")


def config_of(simulator, prefix):
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in simulator.env().items()
        if name.startswith(prefix)
    }


def run_once(tap_config, target_config, trigger="command line"):
    """What `meltano run` does with vendors and bills, in this process.

    With payments it would take a minute, because of QuickBooks' limit of batches.
    """
    lines = io.StringIO()
    with contextlib.redirect_stdout(lines):
        TapBill(config=dict(tap_config)).sync_all()
    wanted = [
        line for line in lines.getvalue().splitlines() if json.loads(line).get("stream") not in PAYMENTS
    ]
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        patch.setenv("TARGET_QUICKBOOKS_TRIGGER", trigger)
        TargetQuickbooks(config=dict(target_config)).listen(io.StringIO("\n".join(wanted)))


@dataclass
class Server:
    """The pages, served."""

    url: str
    context: Context
    woken: list = field(default_factory=list)

    def visitor(self):
        return Visitor(self.url)

    @property
    def store(self):
        return self.context.store

    @property
    def books(self):
        return self.context.companies[0]

    def jobs(self):
        with self.store.reading() as connection:
            return jobs_table.history(connection, self.books.company)


class Visitor:
    """Somebody with a browser that runs no scripts."""

    def __init__(self, url):
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.page = None

    def open(self, path="/", **kwargs):
        self.page = self.http.get(self.url + path, timeout=30, **kwargs)
        return self.page

    def submit(self, path, *, follow=True, csrf=None, headers=None, **form):
        """Post a form of the page that is shown."""
        token = csrf if csrf is not None else self.csrf()
        fields = [("csrf", token)]
        for name, value in form.items():
            fields += [(name, one) for one in value] if isinstance(value, list) else [(name, value)]
        self.page = self.http.post(
            self.url + path, data=fields, headers=headers, allow_redirects=follow, timeout=30
        )
        return self.page

    def csrf(self):
        found = _FIELD.search(self.page.text)
        assert found, f"no form on {self.page.url}"
        return found[1]

    def sign_in(self, password):
        self.open("/sign-in")
        return self.submit("/sign-in", password=password, next="/")

    @property
    def text(self):
        """What is to be read on the page."""
        return " ".join(unescape(_TAG.sub(" ", self.page.text)).split())


@contextlib.contextmanager
def pages_of(companies, directory, *, now=None, runner=None, deliveries=None, **variables):
    """Serve the pages of companies on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    environ = {"MELTANO_PROJECT_ROOT": str(directory), "WEBHOOK_SHIM_PUBLIC_URL": url} | {
        f"WEBHOOK_SHIM_{name.upper()}": str(value) for name, value in variables.items()
    }
    store = open_for(companies)
    woken = []
    context = Context(
        read(environ),
        tuple(companies),
        store,
        lambda: woken.append(None),
        now or (lambda: dt.datetime.now(dt.UTC)),
    )
    state = runner or (lambda: health.RunnerState.WORKING)
    app = Starlette(routes=[*health.routes(store, runner=state), *web.routes(context, deliveries=deliveries)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        yield Server(url, context, woken)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        store.close()


def copy_store(url, path):
    """A copy of a store that nobody writes to."""
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(url.removeprefix("sqlite:///") + ending, f"{path}{ending}")


@pytest.fixture(scope="session")
def demo():
    """The demo company after one run: simulator, configurations, and the store's file to copy."""
    with running("demo") as simulator:
        tap, target = config_of(simulator, "TAP_BILL_"), config_of(simulator, "TARGET_QUICKBOOKS_")
        run_once(tap, target)
        found = Demo(simulator, tap, target)
        open_for([found.original]).close()
        yield found


@pytest.fixture(scope="session", name="run_once")
def run_once_fixture():
    return run_once


@dataclass
class Demo:
    """A company that runs have filled."""

    simulator: object
    tap: dict
    target: dict

    @property
    def original(self):
        """With the very store that the run has used."""
        return Books("larkfield", "Larkfield", ORGANIZATION, REALM, {}, self.tap, self.target)

    def books(self, directory, **target):
        """The company, with a copy of the store of its own."""
        path = directory / "store.sqlite3"
        copy_store(self.target["store_url"], path)
        return Books(
            name="larkfield",
            title="Larkfield Software Services",
            organization_id=ORGANIZATION,
            realm_id=REALM,
            tap_config=self.tap,
            target_config={**self.target, "store_url": f"sqlite:///{path}", **target},
        )


@pytest.fixture
def serve_pages(tmp_path):
    """Serves pages of companies until the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda *companies, **options: stack.enter_context(pages_of(companies, tmp_path, **options))


@pytest.fixture
def server(demo, serve_pages, tmp_path):
    """The demo company's pages, open, on a store of the test's own."""
    return serve_pages(demo.books(tmp_path))


@pytest.fixture
def visitor(server):
    return server.visitor()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """The address of a store with nothing in it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('empty') / 'store.sqlite3'}"
    target = {**CLIENT, "realm_id": REALM, "store_url": url}
    open_for([Books("empty", "Empty", ORGANIZATION, REALM, {}, {}, target)]).close()
    return url


@pytest.fixture
def empty_books(tmp_path, empty_store):
    """A company for which nothing has run, named as told."""

    def new(name="empty", realm_id="9341452000000077", organization_id="00802EMPTYORGANIZN01", **target):
        path = tmp_path / "store.sqlite3"
        if not path.exists():
            copy_store(empty_store, path)
        return Books(
            name=name,
            title=name.capitalize(),
            organization_id=organization_id,
            realm_id=realm_id,
            tap_config={"organization_id": organization_id},
            target_config={
                **CLIENT,
                "realm_id": realm_id,
                "store_url": f"sqlite:///{path}",
                **target,
            },
        )

    return new
