"""What concerns a whole test run: which tests share a worker, and the search for secrets at its end.

All that a test run leaves and shows is searched for secrets, and the run fails if there is one.

Looked at: the files under every ``tmp_path`` and under every temporary directory that is removed while tests
run (a simulator's store and session cache among them), what tests log and print, and the command line of
every process that tests start, and of those that these start. Known are the simulator's identities, the
sessions and tax ids of its companies, every key that tests generate, and what tokens and tax ids look like.
A finding names the place and the kind of secret, never the secret.
"""

from __future__ import annotations

import contextlib
import os
import re
import string
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ap_simulator.bill import sessions
from ap_simulator.bill.service import BillService
from ap_simulator.company.identities import DEMO
from cryptography.fernet import Fernet
from xdist.scheduler import LoadGroupScheduling

pytest_plugins = ["postgres_cluster"]

#: Files that hold a configuration, which is their job; Meltano writes ``.config.json`` for a plugin's run.
CONFIGURATION = frozenset({".env", "config.json", "meltano.yml"})
CONFIGURATION_OF_A_RUN = ".config.json"
#: What tests themselves note of secrets, to look for them elsewhere.
NOTES_OF_TESTS = frozenset({"seen"})
#: What other targets made of BILL's records; tax ids are among their fields.
DESTINATIONS = frozenset({".jsonl", ".duckdb"})
#: Directories whose content is not what runs leave: programs, and what they compile.
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
#: How often processes are looked at, in seconds; those that tests start themselves are seen without it.
_SAMPLED_EVERY = 0.2
_MOST_RECORDS = 5_000
_MOST_SHOWN = 50
#: Ciphertext is base64 too, and chance writes what looks like a refresh token into about one in 72 million
#: letters of it; a token stands apart, or beside no more than another column's short text.
_FORMATS = {
    "access token": re.compile(rb"eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0[\w.-]{20,}"),
    "refresh token": re.compile(rb"(?<![\w-]{32})AB11[A-Za-z0-9]{46}(?![\w-]{32})"),
}
_KEY_LENGTH = 44
_SESSION_ID = b"0" * 64
_TAX_IDS = (b"00-0000000", b"000-00-0000")
_NINE_DIGITS = b"0" * 9
_DIGITS, _LETTERS = string.digits.encode(), string.ascii_letters.encode() + b"_"
#: What a byte is to a shape: ``0`` for a digit, ``x`` for another letter of a word, else itself.
_AS_DIGITS = bytes.maketrans(_DIGITS + _LETTERS, b"0" * len(_DIGITS) + b"x" * len(_LETTERS))
_AS_HEX = bytes.maketrans(_DIGITS + b"abcdef", b"0" * 16)
#: Records on their way from tap to target hold tax ids, which is what they are for.
_RECORDS = re.compile(rb'^\{"type": ?"RECORD".*$', re.MULTILINE)


class Secrets:
    """The secrets that this process' tests know of.

    Attributes:
        keys: Keys for encryption that tests generated.
        sessions: Session ids that simulators in this process gave out.
        tax_ids: Tax ids of their companies, without dashes.
    """

    def __init__(self) -> None:
        names = ("dev_key", "password", "client_secret", "refresh_token", "encryption_key")
        self._fixed = {getattr(DEMO, name).encode(): name.replace("_", " ") for name in names}
        self.keys: set[bytes] = set()
        self.sessions: set[bytes] = set()
        self.tax_ids: set[bytes] = set()

    def found_in(self, content: bytes, *, holds_records: bool = False) -> Iterator[str]:
        """The kinds of secrets that a text holds."""
        yield from (kind for secret, kind in self._fixed.items() if secret in content)
        yield from (kind for kind, shape in _FORMATS.items() if shape.search(content))
        if self.keys and any(key in self.keys for key in _possible_keys(content)):
            yield "encryption key"
        if self.sessions and self.sessions.intersection(_shaped(content, _AS_HEX, _SESSION_ID, apart=b"0")):
            yield "session id"
        if holds_records:
            return
        others = _RECORDS.sub(b"", content) if b'"RECORD"' in content else content
        if any(_shaped(others, _AS_DIGITS, *_TAX_IDS, apart=b"0x-")) or self.tax_ids.intersection(
            _shaped(others, _AS_DIGITS, _NINE_DIGITS, apart=b"0")
        ):
            yield "full tax id"


def _shaped(content: bytes, table: bytes, *shapes: bytes, apart: bytes) -> Iterator[bytes]:
    """What has one of these shapes, apart from more of the same; faster than a regular expression."""
    shaped = content.translate(table)
    for shape in shapes:
        start = shaped.find(shape)
        while start >= 0:
            end = start + len(shape)
            before, after = shaped[max(start - 1, 0) : start], shaped[end : end + 1]
            if (not before or before not in apart) and (not after or after not in apart):
                yield content[start:end]
            start = shaped.find(shape, start + 1)


def _possible_keys(content: bytes) -> Iterator[bytes]:
    """What ends as a key of 32 bytes in base64 does."""
    end = content.find(b"=") + 1
    while end:
        if end >= _KEY_LENGTH:
            yield content[end - _KEY_LENGTH : end]
        end = content.find(b"=", end) + 1


class SecretSearch:
    """Looks at everything in this process and its children; collects what was found."""

    def __init__(self) -> None:
        self.secrets = Secrets()
        self.findings: set[str] = set()
        self.looked_at = {"files": 0, "outputs": 0, "command lines": 0}
        self._seen: set[bytes] = set()
        self._done = threading.Event()
        self._undo = pytest.MonkeyPatch()

    def begin(self) -> None:
        """Know new secrets, and look at directories and processes, from now on."""
        self._learn()
        cleanup = tempfile.TemporaryDirectory.cleanup

        def searched(directory: tempfile.TemporaryDirectory[str]) -> None:
            self.tree(Path(directory.name))
            cleanup(directory)

        self._undo.setattr(tempfile.TemporaryDirectory, "cleanup", searched)
        started = subprocess.Popen.__init__

        def seen(process: Any, args: Any, *more: Any, **options: Any) -> None:
            self.command(_as_bytes(args))
            started(process, args, *more, **options)

        self._undo.setattr(subprocess.Popen, "__init__", seen)
        if Path("/proc/self/task").is_dir():
            threading.Thread(target=self._sample, name="secret-search", daemon=True).start()

    def end(self, directory: Path | None) -> None:
        """Look at what the tests left."""
        self._done.set()
        self._undo.undo()
        if directory and directory.is_dir():
            self.tree(directory)

    def tree(self, directory: Path) -> None:
        """Look at every file below a directory."""
        for parent, directories, names in os.walk(directory):
            directories[:] = [name for name in directories if name not in _SKIPPED]
            for name in names:
                path = Path(parent, name)
                configures = name in CONFIGURATION or name.endswith(CONFIGURATION_OF_A_RUN)
                if configures or name in NOTES_OF_TESTS or path.is_symlink() or not path.is_file():
                    continue
                where = f"file {directory.name}/{path.relative_to(directory)}"
                with contextlib.suppress(OSError):
                    self._look(path.read_bytes(), where, "files", holds_records=path.suffix in DESTINATIONS)

    def command(self, line: bytes) -> None:
        """Look at a command line."""
        if line not in self._seen:
            self._seen.add(line)
            program = line.split(b"\0")[0].decode(errors="replace")
            self._look(line, f"command line of {Path(program).name}", "command lines")

    def output(self, test: str, sections: Iterable[tuple[str, str]]) -> None:
        """Look at what a test printed and logged."""
        for name, text in sections:
            self._look(text.encode(errors="replace"), f"{name} of {test}", "outputs")

    def _look(self, content: bytes, where: str, what: str, *, holds_records: bool = False) -> None:
        self.looked_at[what] += 1
        found = self.secrets.found_in(content, holds_records=holds_records)
        self.findings.update(f"{kind} in {where}" for kind in found)

    def _learn(self) -> None:
        generate, load = Fernet.generate_key, BillService.load

        def generated() -> bytes:
            key = generate()
            self.secrets.keys.add(key)
            return key

        def token_hex(length: int) -> str:
            session = os.urandom(length).hex()
            self.secrets.sessions.add(session.encode())
            return session

        def loaded(service: BillService, organization_id: str, collection: str, records: Any) -> None:
            kept = list(records)
            self._learn_tax_ids(kept if len(kept) <= _MOST_RECORDS else ())
            load(service, organization_id, collection, kept)

        self._undo.setattr(Fernet, "generate_key", staticmethod(generated))
        self._undo.setattr(sessions, "secrets", SimpleNamespace(token_hex=token_hex))
        self._undo.setattr(BillService, "load", loaded)

    def _learn_tax_ids(self, records: Iterable[Mapping[str, Any]]) -> None:
        for record in records:
            tax_id = record.get("taxId") or (record.get("additionalInfo") or {}).get("taxId")
            if tax_id:
                self.secrets.tax_ids.add(str(tax_id).replace("-", "").encode())

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLED_EVERY):
            for pid in _descendants(os.getpid()):
                with contextlib.suppress(OSError):
                    self.command(Path(f"/proc/{pid}/cmdline").read_bytes())


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield int(child)
                yield from _descendants(int(child))


def _as_bytes(args: Any) -> bytes:
    parts = [args] if isinstance(args, str | bytes | os.PathLike) else list(args)
    return b"\0".join(os.fsencode(part) for part in parts)


# --- in pytest: each worker looks at its own, and tells the process that started it

_SEARCH = pytest.StashKey[SecretSearch]()
_TOLD = "secret_search"


def pytest_configure(config: pytest.Config) -> None:
    """Begin, where tests run."""
    search = config.stash[_SEARCH] = SecretSearch()
    if not _has_workers(config):
        search.begin()
        config.pluginmanager.register(_Outputs(search), "outputs-of-tests")


class _Outputs:
    """Hands on what each test showed."""

    def __init__(self, search: SecretSearch) -> None:
        self._search = search

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended."""
        self._search.output(report.nodeid, report.sections)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look at what is left; fail the run, or tell the process that asked for it."""
    config, search = session.config, session.config.stash[_SEARCH]
    factory: pytest.TempPathFactory | None = getattr(config, "_tmp_path_factory", None)
    if not _has_workers(config):
        search.end(factory.getbasetemp() if factory else None)
    told = getattr(config, "workeroutput", None)
    if told is not None:
        told[_TOLD] = {"findings": sorted(search.findings), "looked_at": search.looked_at}
    elif search.findings and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker is done: take over what it found."""
    told = getattr(node, "workeroutput", {}).get(_TOLD, {})
    search = node.config.stash[_SEARCH]
    search.findings.update(told.get("findings", ()))
    for what, count in told.get("looked_at", {}).items():
        search.looked_at[what] += count


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell what was searched and found."""
    search = config.stash[_SEARCH]
    looked_at = ", ".join(f"{count} {what}" for what, count in search.looked_at.items())
    if not search.findings:
        terminalreporter.write_line(f"No secret in {looked_at}.")
        return
    terminalreporter.section("secrets", red=True)
    terminalreporter.write_line(f"Secrets were left or shown ({looked_at} searched):")
    for finding in sorted(search.findings)[:_MOST_SHOWN]:
        terminalreporter.write_line(f"  {finding}")
    if len(search.findings) > _MOST_SHOWN:
        terminalreporter.write_line(f"  ... and {len(search.findings) - _MOST_SHOWN} more")


def _has_workers(config: pytest.Config) -> bool:
    """Whether tests run in processes of their own, each with its own search."""
    return not hasattr(config, "workerinput") and config.getoption("dist", "no") != "no"


# --- which tests share a worker

#: Modules that share something expensive: an installed project, a browser, a company with a history.
_TOGETHER = {
    "test_meltano.py": "meltano",
    "test_webhook_runs.py": "webhook runs",
    "test_packages.py": "packages",
    "test_repository.py": "packages",
    "test_strangers_path.py": "packages",
    "test_browser.py": "browser",
    "test_companies.py": "companies",
    "test_dagster.py": "dagster",
    "test_no_secrets.py": "secrets",
    "test_company_runs.py": "meltano",
    "test_web_connect.py": "web",
    "test_web_metrics.py": "web",
    "test_web_pages.py": "web",
}


class _Groups(LoadGroupScheduling):
    """Sends the tests of a group to one worker, the largest groups first."""

    def _split_scope(self, nodeid: str) -> str:
        return _TOGETHER.get(Path(nodeid.partition("::")[0]).name, nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadGroupScheduling | None:
    """Groups by module: the ``xdist_group`` mark has no effect with this pytest, whose ids are no texts."""
    return _Groups(config, log) if config.getoption("dist") == "loadgroup" else None
