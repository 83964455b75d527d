"""Somebody who has only the published packages and the Hub's definitions gets from nothing to books in step.

The definitions are used as they are; packages come from a directory of built wheels, their dependencies from
the package index.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from ap_simulator.testing import running

ROOT = Path(__file__).resolve().parent.parent
MELTANO = ROOT / ".venv-meltano" / "bin" / "meltano"
REALM = "9341452000000001"
VENDORS, BILLS = 12, 20
#: What people put into `meltano.yml`; the rest is secret or of the machine, and belongs into `.env`.
CONFIGURED = {
    "tap-bill": ("organization_id", "api_url"),
    "target-quickbooks": ("realm_id", "api_url"),
}
PLUGINS = {
    "tap-bill": "extractors",
    "target-quickbooks": "loaders",
    "webhook-shim": "utilities",
}

pytestmark = [pytest.mark.meltano, pytest.mark.timeout(900)]


class Stranger:
    """A person with Meltano, the two definitions, and a shell without any settings of ours."""

    def __init__(self, directory, wheels, simulator):
        self.directory = directory
        self.simulator = simulator
        self._wheels = wheels

    @property
    def project(self):
        return self.directory / "books"

    def environment(self):
        kept = {"PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE"}
        prefixes = ("PIP_", "UV_", "REQUESTS_", "HTTP", "http", "NO_PROXY", "no_proxy")
        inherited = {
            name: value for name, value in os.environ.items() if name in kept or name.startswith(prefixes)
        }
        return inherited | {
            "PATH": f"{MELTANO.parent}:{os.environ['PATH']}",
            "UV_FIND_LINKS": str(self._wheels),
            "UV_CONSTRAINT": str(ROOT / "requirements" / "plugins.txt"),
            "XDG_STATE_HOME": str(self.directory / "logs"),
            "XDG_DATA_HOME": str(self.directory / "data"),
        }

    def meltano(self, *arguments, code=0, directory=None):
        """Run Meltano; its output."""
        done = subprocess.run(
            [MELTANO, *arguments],
            cwd=directory or self.project,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode == code, output
        return output

    def settings(self):
        """What both services told them, by plugin."""
        found = {}
        for plugin in CONFIGURED:
            prefix = plugin.upper().replace("-", "_") + "_"
            found[plugin] = {
                name.removeprefix(prefix).lower(): value
                for name, value in self.simulator.env().items()
                if name.startswith(prefix)
            }
        return found


@pytest.fixture(scope="module")
def simulator():
    with running("empty", vendors=VENDORS, bills=BILLS) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def stranger(packages, simulator, tmp_path_factory):
    """Has made a project, added the three plugins from the Hub's definitions, and configured them."""
    wheels = packages["tap-bill"].wheel.parent
    stranger = Stranger(tmp_path_factory.mktemp("stranger"), wheels, simulator)
    stranger.meltano("init", "--no-usage-stats", "books", directory=stranger.directory)
    for name, kind in PLUGINS.items():
        stranger.meltano("add", "--from-ref", ROOT / "plugins" / kind / f"{name}--bill-quickbooks.yml", name)
    secret = []
    for plugin, settings in stranger.settings().items():
        for name, value in settings.items():
            if name in CONFIGURED[plugin]:
                stranger.meltano("config", "set", plugin, name, value)
            else:
                secret.append(f"{plugin.upper().replace('-', '_')}_{name.upper()}='{value}'\n")
    (stranger.project / ".env").write_text("".join(secret))
    shutil.copy(ROOT / "docs" / "downloads" / "books.meltano.yml", stranger.project)
    with (stranger.project / "meltano.yml").open("a") as file:
        file.write("include_paths: [./books.meltano.yml]\n")
    return stranger


def orders(simulator):
    return simulator.control.records("quickbooks", "PurchaseOrder", realm=REALM)


@pytest.mark.parametrize(("name", "kind"), PLUGINS.items())
def test_what_is_installed_is_what_was_built(stranger, packages, name, kind):
    """And nothing of the same name from the package index."""
    folder = f"plugins/{name}" if name == "webhook-shim" else name
    place = stranger.project / ".meltano" / kind / name / "venv" / "lib"
    with zipfile.ZipFile(packages[folder].wheel) as wheel:
        modules = [found for found in wheel.namelist() if found.endswith(".py")]
        installed = next(place.glob("python3.*/site-packages"))
        assert all((installed / module).read_bytes() == wheel.read(module) for module in modules)


def test_from_nothing_to_books_in_step(stranger, simulator, books_of):
    """A first run writes everything, a second one nothing; what cannot be booked is told."""
    stranger.meltano("run", "tap-bill", "target-quickbooks")
    written = orders(simulator)
    assert len(written) == BILLS
    assert sum(Decimal(str(order["TotalAmt"])) for order in written) == sum(
        Decimal(str(bill["amount"])) for bill in simulator.control.records("bill", "bills")
    )

    vendor = next(
        vendor["id"] for vendor in simulator.control.records("bill", "vendors") if not vendor["archived"]
    )
    person = books_of(simulator, stranger.directory).bill
    person.bill(vendor, "NO-ACCOUNT", [{"amount": 12, "description": "Of no account"}])
    simulator.control.reset_stats()
    told = stranger.meltano("run", "plan", code=1)
    assert "1 blocked" in told
    told = stranger.meltano("run", "tap-bill", "target-quickbooks", code=1)
    assert "1 records could not be written" in told
    assert simulator.control.stats()["quickbooks"]["write_calls"] == 0
    assert len(orders(simulator)) == BILLS


def test_people_look_after_it_through_meltano(stranger):
    """`quickbooks-admin` comes with the loader, in its environment and with its settings."""
    assert "NO-ACCOUNT" in stranger.meltano("invoke", "target-quickbooks:admin", "failures", "list")
    assert "1 test(s)" in stranger.meltano("test", "target-quickbooks")


def test_the_shim_serves_and_runs(stranger):
    """It knows both plugins from the project, polls at once, and stops when it is told to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shim = subprocess.Popen(
        [MELTANO, "invoke", "webhook-shim:serve", "--port", str(port)],
        cwd=stranger.project,
        env=stranger.environment() | {"WEBHOOK_SHIM_RECONCILE_AT": "never"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        metrics = until(shim, lambda: run_of(f"http://127.0.0.1:{port}/metrics"))
    finally:
        shim.send_signal(signal.SIGTERM)
        output = shim.communicate(timeout=120)[0]
    assert metrics
    assert "succeeded" in output
    assert shim.returncode in {0, 143}, output  # Meltano's own answer to SIGTERM


def run_of(url):
    """What the server tells of runs that have ended well, if there is one."""
    with contextlib.suppress(requests.ConnectionError, requests.Timeout):
        return [
            line
            for line in requests.get(url, timeout=30).text.splitlines()
            if line.startswith("webhook_shim_jobs_total") and "succeeded" in line
        ]
    return []


def until(process, condition, seconds=180):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found
