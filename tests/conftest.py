"""Both plugins in one process against the simulator: what a run reads, writes, reports and refuses."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from ap_simulator.testing import running
from tap_bill.tap import TapBill
from target_quickbooks.errors import TargetError, TemporaryError
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.target import TargetQuickbooks

REALM = "9341452000000001"
ORGANIZATION = "00802DEMOORGANIZTN01"
ROOT = Path(__file__).resolve().parent.parent
MELTANO = ROOT / ".venv-meltano" / "bin" / "meltano"
KINDS = ("extractors", "loaders", "utilities")
#: Folders of the packages, and the Python package in each.
PACKAGES = {
    "tap-bill": "tap_bill",
    "target-quickbooks": "target_quickbooks",
    "plugins/simulator": "ap_simulator",
    "plugins/webhook-shim": "webhook_shim",
    "plugins/dagster": "bill_quickbooks_dagster",
}
OURS = ("TAP_BILL_", "TARGET_QUICKBOOKS_", "WEBHOOK_SHIM_", "MELTANO_", "VIRTUAL_ENV")


@dataclass
class Run:
    """How a run of the target ended."""

    exit_code: int
    error: str
    report: dict
    states: list

    @property
    def streams(self):
        return self.report.get("streams", {})

    @property
    def reasons(self):
        return {failure["id"]: failure["reason"] for failure in self.report.get("failures", ())}

    def written(self):
        """Number of records that took a write."""
        return sum(
            row.get(name, 0)
            for row in self.streams.values()
            for name in ("created", "updated", "closed", "voided")
        )


class BillUser:
    """Somebody who works in BILL, through BILL's API."""

    def __init__(self, settings):
        self._url = settings["api_url"]
        self._http = requests.Session()
        self._http.trust_env = False
        self._login = {
            "username": settings["username"],
            "password": settings["password"],
            "organizationId": settings["organization_id"],
            "devKey": settings["dev_key"],
        }
        self._http.headers["devKey"] = settings["dev_key"]
        self._log_in()

    def _log_in(self):
        self._http.headers["sessionId"] = self.post("/v3/login", self._login)["sessionId"]

    def post(self, path, body=None):
        return self._call("POST", path, body if body is not None else {})

    def patch(self, path, body):
        return self._call("PATCH", path, body)

    def replace(self, bill, **fields):
        kept = ("vendorId", "dueDate", "invoice", "description")
        body = {name: bill[name] for name in kept if name in bill}
        return self._call("PUT", f"/v3/bills/{bill['id']}", body | fields)

    def get(self, path):
        return self._call("GET", path)

    def vendor(self, name, **fields):
        address = {"line1": "1 Main St", "city": "Austin", "zipOrPostalCode": "78701", "country": "US"}
        return self.post("/v3/vendors", {"name": name, "address": address, **fields})

    def bill(self, vendor_id, number, lines, **fields):
        return self.post(
            "/v3/bills",
            {
                "vendorId": vendor_id,
                "dueDate": "2026-11-30",
                "invoice": {"invoiceNumber": number, "invoiceDate": "2026-11-01"},
                "billLineItems": lines,
                **fields,
            },
        )

    def classification(self, kind, name):
        """The id of a classification (``chart-of-accounts``, ``locations``...) by name."""
        found = self.get(f"/v3/classifications/{kind}?max=100")["results"]
        return next(record["id"] for record in found if record["name"] == name)

    def _call(self, method, path, body=None):
        response = self._http.request(method, self._url + path, json=body, timeout=30)
        if response.status_code == 401 and path != "/v3/login":
            self._log_in()  # the tap's login may have ended this one
            response = self._http.request(method, self._url + path, json=body, timeout=30)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()


@dataclass
class Books:
    """A company in BILL and in QuickBooks, and the two plugins between them."""

    simulator: object
    directory: object
    state: dict | None = None
    _users: list = field(default_factory=list)

    def settings(self, prefix):
        return {
            name.removeprefix(prefix).lower(): value
            for name, value in self.simulator.env().items()
            if name.startswith(prefix)
        }

    @property
    def bill(self):
        if not self._users:
            self._users.append(BillUser(self.settings("TAP_BILL_")))
        return self._users[0]

    def read(self, state=None, **changes):
        """Run the tap; its output as lines."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            tap = TapBill(config=self.settings("TAP_BILL_") | changes, state=state)
            tap.sync_all()
        return output.getvalue().splitlines()

    def write(self, lines, **changes):
        """Run the target on lines."""
        return self.feed(io.StringIO("".join(f"{line}\n" for line in lines)), **changes)

    def feed(self, source, **changes):
        """Run the target on a text stream."""
        report = self.directory / "report.json"
        report.unlink(missing_ok=True)
        config = self.settings("TARGET_QUICKBOOKS_") | {"report_path": str(report)} | changes
        output, error, exit_code = io.StringIO(), "", 0
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
            target = TargetQuickbooks(config=config)
            try:
                target.listen(source)
                exit_code = target.exit_code
            except TargetError as failure:
                error, exit_code = str(failure), failure.exit_code
                target.end(exit_code=exit_code)
        return Run(
            exit_code=exit_code,
            error=error,
            report=json.loads(report.read_text()) if report.exists() else {},
            states=[json.loads(line) for line in output.getvalue().splitlines()],
        )

    def sync(self, *, full=False, **changes):
        """A whole run: tap from the last bookmark into target."""
        run = self.write(self.read(None if full else self.state), **changes)
        if run.states:
            self.state = run.states[-1]
        return run

    def stored(self, entity, **where):
        """What QuickBooks holds."""
        return self.simulator.control.records("quickbooks", entity, realm=REALM, **where)

    def held(self, collection):
        """What BILL holds."""
        return self.simulator.control.records("bill", collection)

    def writes(self):
        """Write calls to QuickBooks since the statistics were reset."""
        return self.simulator.control.stats()["quickbooks"]["write_calls"]

    def calls(self):
        """All calls to QuickBooks since the statistics were reset, without the token's."""
        return self.simulator.control.stats()["quickbooks"]["calls"]


class Project:
    """A Meltano project with this repository's meltano.yml, pointed at a simulator of its own."""

    def __init__(self, directory, simulator, installed=None):
        self.directory = directory
        self.simulator = simulator
        self.output = ""
        (directory / "requirements").mkdir()
        shutil.copy(ROOT / "requirements" / "plugins.txt", directory / "requirements")
        shutil.copy(ROOT / "meltano.yml", directory)
        for kind in KINDS:
            shutil.copytree(ROOT / "plugins" / kind, directory / "plugins" / kind)
        for package in ("tap-bill", "target-quickbooks", "plugins/webhook-shim"):
            (directory / package).symlink_to(ROOT / package)
        for kind in KINDS if installed else ():
            (directory / ".meltano").mkdir(exist_ok=True)
            (directory / ".meltano" / kind).symlink_to(installed / ".meltano" / kind)

    def meltano(self, *arguments, **changes):
        done = subprocess.run(
            [MELTANO, *arguments],
            cwd=self.directory,
            env=self.environment(**changes),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.output += done.stdout + done.stderr
        return done

    def environment(self, **changes):
        """What a shell has, without settings of its own; Meltano's logs stay in the project."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        own = {
            "PATH": f"{MELTANO.parent}:{os.environ['PATH']}",
            "XDG_STATE_HOME": str(self.directory / "logs"),
        }
        settings = self.simulator.env() if self.simulator else {}
        return inherited | own | settings | changes

    def states(self):
        """Bookmarks of the main job."""
        done = self.meltano("state", "get", "simulator:tap-bill-to-target-quickbooks")
        return json.loads(done.stdout.splitlines()[-1])


class Bookkeeper:
    """Somebody who works in QuickBooks, through its API."""

    def __init__(self, simulator):
        self._simulator = simulator
        settings = simulator.env()
        tokens = requests.post(
            settings["TARGET_QUICKBOOKS_TOKEN_URL"],
            data={
                "grant_type": "refresh_token",
                "refresh_token": settings["TARGET_QUICKBOOKS_REFRESH_TOKEN"],
            },
            auth=(settings["TARGET_QUICKBOOKS_CLIENT_ID"], settings["TARGET_QUICKBOOKS_CLIENT_SECRET"]),
            timeout=10,
        ).json()
        self._http = requests.Session()
        self._http.headers.update(
            {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json"}
        )
        self._base = f"{simulator.quickbooks_url}/v3/company/{REALM}"

    def write(self, entity, **fields):
        response = self._post(entity, fields)
        if response.status_code == 429:  # the run has used up this second
            self._simulator.control.advance(2)
            response = self._post(entity, fields)
        assert response.ok, response.text
        return response.json()[entity]

    def _post(self, entity, fields):
        return self._http.post(f"{self._base}/{entity.lower()}", json=fields, timeout=10)

    def edit(self, entity, stored, **fields):
        must = {key: stored[key] for key in ("VendorRef", "APAccountRef") if key in stored}
        return self.write(
            entity, Id=stored["Id"], SyncToken=stored["SyncToken"], sparse=True, **must, **fields
        )

    def merge_vendors(self, *, losing, surviving):
        """What the API cannot, but people can."""
        self._simulator.control.merge_vendors(surviving["Id"], losing["Id"])


@pytest.fixture
def answers_lost(monkeypatch):
    """While the block lasts, runs end with their first write of an entity (any, if none is given).

    QuickBooks carries it out, or not; its answer is lost in any case.
    """
    begin, batch = QuickBooksClient.begin, QuickBooksClient.batch

    @contextlib.contextmanager
    def lost(entity="", *, applied=True):
        def concerned(items, request_id):
            return request_id and (not entity or entity in items[0])

        def begun(self, items, *, request_id):
            if not concerned(items, request_id):
                return begin(self, items, request_id=request_id)
            return begin(self, items, request_id=request_id).arriving.result() if applied else None

        def answered(self, items, *, request_id="", **options):
            if not concerned(items, request_id):
                return batch(self, items, request_id=request_id, **options)
            if applied and not options.get("begun"):
                batch(self, items, request_id=request_id, **options)
            message = "cut off"
            raise TemporaryError(message)

        with monkeypatch.context() as patched:
            patched.setattr(QuickBooksClient, "begin", begun)
            patched.setattr(QuickBooksClient, "batch", answered)
            yield

    return lost


@pytest.fixture(autouse=True)
def _quiet():
    """The plugins log to standard error, which tests capture; one line per record is not needed."""
    logging.getLogger("singer_sdk").setLevel(logging.WARNING)


@pytest.fixture
def new_books(tmp_path):
    """Make the books of a simulator that the test started itself."""
    return lambda simulator: Books(simulator, tmp_path)


@pytest.fixture
def books(tmp_path):
    """A company with charts on both sides and neither vendors nor bills."""
    with running("empty") as simulator:
        yield Books(simulator, tmp_path)


@pytest.fixture(scope="module")
def empty_server():
    """One server for a module; see ``fresh_books``."""
    with running("empty") as simulator:
        yield simulator


@pytest.fixture
def fresh_books(empty_server, tmp_path):
    """As ``books``, sooner: a new company on a server that the tests of a module share."""
    empty_server.control.clear_faults()
    empty_server.control.reset(switches={})
    empty_server.control.reset_stats()
    return Books(empty_server, tmp_path)


@pytest.fixture(scope="module")
def demo_server():
    """One server for a module; each test begins with a new demo company."""
    with running("demo") as simulator:
        yield simulator


@pytest.fixture
def demo(demo_server, tmp_path):
    """The demo company as it begins."""
    demo_server.control.clear_faults()
    demo_server.control.reset()
    demo_server.control.reset_stats()
    return Books(demo_server, tmp_path)


@pytest.fixture(scope="module")
def synced(tmp_path_factory):
    """The demo company after one run, for tests that only look."""
    with running("demo") as simulator:
        books = Books(simulator, tmp_path_factory.mktemp("synced"))
        before = len(books.stored("Vendor"))
        yield SimpleNamespace(books=books, run=books.sync(), vendors_before=before)


@pytest.fixture(scope="session")
def books_of():
    """Make the books of a simulator, for fixtures of a module."""
    return Books


@pytest.fixture
def bookkeeper(books):
    return Bookkeeper(books.simulator)


@dataclass(frozen=True)
class Built:
    """A package as it is published.

    Attributes:
        folder: Where it is in this repository.
        module: The Python package in it.
        again: The wheel made from the folder; ``wheel`` is made from the source distribution.
    """

    folder: Path
    module: str
    sdist: Path
    wheel: Path
    again: Path


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """Every package, built once for the tests of a session, by name; all wheels are in one directory."""
    published, others = tmp_path_factory.mktemp("published"), tmp_path_factory.mktemp("others")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir"]

    def built(folder, module):
        for arguments in ([published, ROOT / folder], [others, "--wheel", ROOT / folder]):
            done = subprocess.run(
                [*build, *arguments], capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        stem = f"{project['name'].replace('-', '_')}-{project['version']}"
        wheel = f"{stem}-py3-none-any.whl"
        return Built(ROOT / folder, module, published / f"{stem}.tar.gz", published / wheel, others / wheel)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(PACKAGES, pool.map(built, PACKAGES, PACKAGES.values()), strict=True))


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A project whose plugins are installed; the others of a session use the same."""
    project = Project(tmp_path_factory.mktemp("installed"), None)
    done = project.meltano("install")
    assert done.returncode == 0, done.stderr
    return project.directory


@pytest.fixture(scope="module")
def new_project(installed, tmp_path_factory):
    """Makes Meltano projects."""
    return lambda simulator: Project(tmp_path_factory.mktemp("project"), simulator, installed)


@pytest.fixture
def rent(books):
    """A line on an ordinary account."""
    account = next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )
    return {"amount": 120.50, "description": "Rent", "classifications": {"chartOfAccountId": account}}


@pytest.fixture(scope="session")
def chromium():
    """A real browser; CI must have one."""
    named = os.environ.get("CHROMIUM")
    names = (named,) if named else ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        told = "No browser. On Debian: apt-get install chromium (make browser); or set CHROMIUM to one."
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    return found
