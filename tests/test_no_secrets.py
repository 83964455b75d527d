"""Nothing that runs leave behind or show holds a secret: logs, reports, plan, STATE, store, command lines.

Records between tap and target hold tax ids, which is what they are for; nothing else may.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import running

BIN = Path(sys.executable).parent
FAULTS = (
    {"kind": "expired_token", "system": "quickbooks", "nth": 3},
    {"kind": "throttle", "path": "*/batch", "nth": 2},
    {"kind": "html_error", "path": "*/batch", "nth": 4},
    {"kind": "truncated", "path": "*/batch", "nth": 6},
    {"kind": "reset_after", "path": "*/batch", "nth": 8},
    {"kind": "server_error", "system": "oauth", "nth": 1, "status": 503},
    {"kind": "server_error", "system": "bill", "nth": 3, "status": 503},
)
ADMIN = {
    "status": ("status",),
    "failures": ("failures", "list"),
    "failures in JSON": ("failures", "list", "--json"),
    "a failure": ("failures", "show", "1"),
    "audit": ("audit", "list"),
    "audit row": ("audit", "show", "1"),
    "audit export": ("audit", "export"),
    "audit export in CSV": ("audit", "export", "--format", "csv"),
    "verification": ("audit", "verify"),
    "connections": ("connections", "list"),
    "connection test": ("connections", "test"),
}


class Programs:
    """Runs programs the way people do, and keeps everything they show."""

    def __init__(self, directory: Path, settings: dict[str, str]) -> None:
        self.directory = directory
        self.shown: dict[str, bytes] = {}
        logging = {"LOGLEVEL": "DEBUG", "TAP_BILL_LOGLEVEL": "DEBUG", "TARGET_QUICKBOOKS_LOGLEVEL": "DEBUG"}
        self._env = {**os.environ, **settings, **logging, "HOME": str(directory)}

    def run(self, name: str, *command: str, source: Path | None = None, **settings: str) -> bytes:
        """Run a program; what it prints to standard output is returned and not kept."""
        with (source or Path(os.devnull)).open("rb") as stdin:
            process = subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._env | settings,
                cwd=self.directory,
            )
            self.shown[f"command line of {name}"] = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            output, errors = process.communicate(timeout=120)
        assert process.returncode in {0, 1}, errors.decode()[-2000:]
        self.shown[f"standard error of {name}"] = errors
        return output

    def target(self, name: str, lines: Path, **settings: str) -> None:
        """Run the target; STATE and report are kept."""
        report = self.directory / "report.json"
        settings["TARGET_QUICKBOOKS_REPORT_PATH"] = str(report)
        output = self.run(name, "target-quickbooks", "--config=ENV", source=lines, **settings)
        self.shown[f"output of {name}"] = output
        self.shown[f"report of {name}"] = report.read_bytes() if report.exists() else b""


def secrets_of(simulator) -> dict[str, str]:
    """Every secret of both services, those given out while the programs ran included."""
    oauth, bill = simulator.world.oauth, simulator.world.bill
    found = {
        "dev key": DEMO.dev_key,
        "password": DEMO.password,
        "client secret": DEMO.client_secret,
        "seed refresh token": DEMO.refresh_token,
        "encryption key": DEMO.encryption_key,
    }
    found |= {f"refresh token {number}": text for number, text in enumerate(oauth._refresh_tokens)}
    found |= {f"access token {number}": text for number, text in enumerate(oauth._access_tokens)}
    found |= {f"session {number}": text for number, text in enumerate(bill.sessions._sessions)}
    records = simulator.control.records("bill", "vendors") + simulator.control.records("bill", "organization")
    for record in records:
        tax_id = record.get("taxId") or (record.get("additionalInfo") or {}).get("taxId")
        if tax_id:
            found[f"tax id of {record['name']}"] = tax_id
            found[f"digits of the tax id of {record['name']}"] = tax_id.replace("-", "")
    return found


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """What the programs showed and left, and the secrets to look for."""
    directory = tmp_path_factory.mktemp("evidence")
    with running("demo") as simulator:
        programs = Programs(directory, simulator.env())
        for fault in FAULTS:
            simulator.control.add_fault(**fault)
        catalog = directory / "records.jsonl"
        catalog.write_bytes(programs.run("the tap", "tap-bill", "--config=ENV"))
        programs.target("a plan", catalog, TARGET_QUICKBOOKS_MODE="plan")
        programs.target("a run", catalog)
        damaged = directory / "damaged.jsonl"
        damaged.write_bytes(catalog.read_bytes()[:-400])
        programs.target("a run on damaged input", damaged)
        wrong = {"TARGET_QUICKBOOKS_CLIENT_SECRET": DEMO.client_secret[::-1]}
        store = f"sqlite:///{directory / 'other.sqlite3'}"
        programs.target("a run with a wrong secret", catalog, TARGET_QUICKBOOKS_STORE_URL=store, **wrong)
        for name, arguments in ADMIN.items():
            programs.shown[f"output of {name}"] = programs.run(name, "quickbooks-admin", *arguments)
        for path in (*simulator.run_dir.path.iterdir(), *directory.glob("other*")):
            if path.is_file():
                programs.shown[path.name] = path.read_bytes()
        yield programs.shown, secrets_of(simulator)


def test_the_search_looks_where_secrets_could_be(evidence):
    """So that the search below cannot pass by looking at nothing."""
    shown, secrets = evidence
    assert b"DEBUG" in shown["standard error of a run"]
    assert b"failed" in shown["standard error of a run"]
    assert b"inactive in QuickBooks" in shown["report of a run"]
    assert b'"plan"' in shown["report of a plan"]
    assert b"Larkfield" in shown["output of connections"]
    assert len(shown["output of audit export"]) > 100_000
    assert len(shown["store.sqlite3"]) > 100_000
    kinds = {name.split()[0] for name in secrets}
    assert {"access", "refresh", "session", "tax", "client", "encryption", "dev", "password"} <= kinds
    assert sum(name.startswith("tax id") for name in secrets) >= 10


def test_no_secret_is_shown_or_left_anywhere(evidence):
    shown, secrets = evidence
    found = {
        (where, what)
        for where, content in shown.items()
        for what, secret in secrets.items()
        if secret.encode() in content
    }
    assert not found
