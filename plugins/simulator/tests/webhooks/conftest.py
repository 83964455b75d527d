"""A receiver of webhooks that keeps connections, and what it received."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import running
from typing_extensions import override


@dataclass
class Received:
    path: str
    content: bytes
    headers: Message

    @property
    def payload(self) -> Any:
        return json.loads(self.content)


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: queue.Queue[Received] = queue.Queue()
        self.statuses: list[int] = []
        self.connections = 0
        self.delay = 0.0
        self.open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hooks"

    @override
    def handle_error(self, *_: Any) -> None:
        """Connections end while they are read: by `drop_connections`, or with the simulator."""

    def drop_connections(self) -> None:
        for connection in self.open:
            connection.shutdown(socket.SHUT_RDWR)

    def next(self) -> Received:
        return self.received.get(timeout=10)

    def count(self) -> int:
        return self.received.qsize()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Receiver

    @override
    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.server.open.append(self.connection)

    @override
    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        time.sleep(self.server.delay)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.wfile.flush()
        self.server.received.put(Received(self.path, content, self.headers))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def simulator():
    """The empty company, with webhooks that do not dawdle."""
    switches = {"quickbooks.webhook_aggregation_seconds": 0, "bill.webhook_retry_factor": 0}
    with running("empty", switches=switches) as simulator:
        yield simulator


@pytest.fixture
def control(simulator):
    return simulator.control


@pytest.fixture
def vendor(control):
    """Makes a vendor in QuickBooks."""

    def make(name: str = "Hicks Hardware") -> dict[str, Any]:
        return control.write_by_hand("Vendor", "create", values={"DisplayName": name})

    return make


@pytest.fixture
def bill(simulator):
    """Calls BILL's APIs as the demo's user."""
    session = requests.Session()
    session.trust_env = False

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        response = session.request(method, f"{simulator.url}/{path}", json=body, headers=headers, timeout=10)
        assert response.status_code in {200, 201}, response.text
        return response.json() if response.content else None

    login = {
        "username": DEMO.username,
        "password": DEMO.password,
        "organizationId": DEMO.organization_id,
        "devKey": DEMO.dev_key,
    }
    answer = call("POST", "connect/v3/login", login)
    session.headers.update({"sessionId": answer["sessionId"], "devKey": DEMO.dev_key})
    with session:
        yield call


@pytest.fixture
def subscribe(bill):
    """Subscribes to events of BILL's vendors."""

    def make(url: str, *events: str) -> dict[str, Any]:
        body = {
            "name": "Sync",
            "status": {"enabled": True},
            "events": [{"type": event, "version": "1"} for event in events or ("vendor.updated",)],
            "notificationUrl": url,
        }
        return bill(
            "POST",
            "connect-events/v3/subscriptions",
            body,
            **{"X-Idempotent-Key": str(uuid.uuid4())},
        )

    return make


@pytest.fixture
def settled(control):
    """Waits until no delivery waits or is under way; what `GET webhooks` says then."""

    def wait(seconds: float = 20) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            shown = control.webhooks()
            if not shown["bill"]["under_way"] + shown["quickbooks"]["under_way"]:
                return shown
            assert time.monotonic() < deadline, shown
            time.sleep(0.005)

    return wait
