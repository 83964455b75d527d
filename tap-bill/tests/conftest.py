"""What several tests of the tap need: settings, a small BILL on requests-mock, the command line."""

from __future__ import annotations

import json
import logging
import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import settings
from tap_bill.tap import TapBill

# Machines that run tests are slow at times, which says nothing about the code.
settings.register_profile("tap-bill", deadline=None)
settings.load_profile("tap-bill")

ORGANIZATION = "00801TESTORGANIZATIO"
API_URL = "https://bill.example/connect"


@pytest.fixture
def config() -> dict[str, Any]:
    """Settings for a BILL that is not there."""
    return {
        "dev_key": "01DEVKEYzzTOP",
        "username": "user@example.com",
        "password": "pass-wordzzTOP",
        "organization_id": ORGANIZATION,
        "api_url": API_URL,
    }


@dataclass
class FakeBill:
    """BILL's login and lists on requests-mock, for the edges of HTTP that a simulator does not have.

    Attributes:
        lists: Answers by path, in order; the last one repeats. An answer is what a page holds, or a
            tuple of status and body, or an exception.
        requests: Path and query of each list request.
        logins: Number of logins.
    """

    mock: Any
    lists: dict[str, list[Any]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    logins: int = 0
    login_answers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mock.post(f"{API_URL}/v3/login", content=self._log_in)
        self.mock.get(re.compile(f"^{API_URL}/v3/"), content=self._answer)
        self.answer(f"/v3/organizations/{ORGANIZATION}", {"id": ORGANIZATION})

    def answer(self, path: str, *answers: Any) -> None:
        self.lists[path] = list(answers)

    def queries(self, path: str) -> list[dict[str, str]]:
        return [query for asked, query in self.requests if asked == path]

    def _log_in(self, _request: Any, context: Any) -> bytes:
        self.logins += 1
        if self.login_answers:
            return self._give(self.login_answers, context)
        return json.dumps(
            {"sessionId": f"session-{self.logins}-zzTOP", "organizationId": ORGANIZATION, "userId": "006"}
        ).encode()

    def _answer(self, request: Any, context: Any) -> bytes:
        parts = urlsplit(request.url)
        path = parts.path.removeprefix("/connect")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append((path, query))
        self.sessions.append(request.headers["sessionId"])
        if query.get("filters", "").endswith("archived:eq:true") and path not in self.lists:
            return b'{"results": []}'
        return self._give(self.lists.setdefault(path, [[]]), context)

    @staticmethod
    def _give(answers: list[Any], context: Any) -> bytes:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            context.status_code, answer = answer
        elif isinstance(answer, list):
            answer = {"results": answer}
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


@pytest.fixture
def bill(requests_mock: Any) -> FakeBill:
    """A BILL whose answers the test says."""
    return FakeBill(requests_mock)


@dataclass
class Output:
    """What a run of the tap wrote."""

    messages: list[dict[str, Any]]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    @property
    def streams(self) -> list[str]:
        return [message["stream"] for message in self.messages if message["type"] == "SCHEMA"]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]


def parse_output(text: str) -> Output:
    """Read Singer lines, amounts as `Decimal`."""
    return Output([json.loads(line, parse_float=Decimal) for line in text.splitlines()])


@pytest.fixture
def sync(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Callable[..., Output]:
    """Run the tap in this process, for some streams."""

    def run(*streams: str, state: dict[str, Any] | None = None, **settings: Any) -> Output:
        tap = TapBill(config=config | settings, state=state)
        for name, stream in tap.streams.items():
            stream.selected = not streams or name in streams
        capsys.readouterr()
        try:
            tap.sync_all()
        finally:
            written = capsys.readouterr().out
        return parse_output(written)

    return run


@pytest.fixture(autouse=True)
def _global_state() -> Iterator[None]:
    """Put back what the tap changes in its process, which is usually its own."""
    root = logging.getLogger()
    handlers, level, excepthook = list(root.handlers), root.level, sys.excepthook
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    yield
    root.handlers[:], root.level, sys.excepthook = handlers, level, excepthook
    logging.captureWarnings(capture=False)
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in signals.items():
        signal.signal(number, handler)


@dataclass
class Finished:
    """A run of the command line."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line.split(" | ", 3)[3] for line in self.err.splitlines() if "| ERROR " in line]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run the tap's command line in this process."""

    def run(*arguments: Any) -> Finished:
        capsys.readouterr()
        try:
            TapBill.cli.main([str(argument) for argument in arguments], prog_name="tap-bill")
            code: Any = 0
        except SystemExit as left:
            code = left.code or 0
        captured = capsys.readouterr()
        return Finished(int(code), captured.out, captured.err)

    return run
