"""A receiver of notifications, and a client of the webhooks API."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override


@dataclass
class Received:
    """A notification as it came in."""

    content: bytes
    headers: Message
    moment: Any

    @property
    def payload(self):
        return json.loads(self.content)

    def signed_by(self, key, *, message=None):
        digest = hmac.new(key.encode(), message or self.content, hashlib.sha256).digest()
        return self.headers["x-bill-sha-signature"] == base64.b64encode(digest).decode()


class Receiver(ThreadingHTTPServer):
    """Takes notifications and answers them with the statuses it is told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received = queue.Queue()
        self.statuses = []
        self.delay = 0
        self.now = time.time
        self.url = f"http://127.0.0.1:{self.server_port}/hooks/bill"

    def next(self):
        return self.received.get(timeout=10)

    def everything(self):
        return [self.received.get_nowait() for _ in range(self.received.qsize())]


class Handler(BaseHTTPRequestHandler):
    @override
    def log_message(self, *args):
        pass

    def do_POST(self):
        server = self.server
        content = self.rfile.read(int(self.headers["Content-Length"]))
        server.received.put(Received(content, self.headers, server.now()))
        time.sleep(server.delay)
        status = server.statuses.pop(0) if server.statuses else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Hooks:
    """A client of the webhooks API."""

    def __init__(self, client, receiver):
        self.client = client
        self.receiver = receiver
        client.switches.webhook_retry_factor = 0.0

    def call(self, method, path, body=None, *, key=None, **more):
        headers = dict(self.client.headers)
        if key is not None:
            headers["X-Idempotent-Key"] = key
        return self.client.hooks(method, path, body, headers=headers, **more)

    def body(self, *events, **fields):
        return {
            "name": "Bill management",
            "status": {"enabled": True},
            "events": [{"type": event, "version": "1"} for event in events or ("vendor.created",)],
            "notificationUrl": self.receiver.url,
            **fields,
        }

    def create(self, *events, **fields):
        return self.call("POST", "subscriptions", self.body(*events, **fields), key=str(uuid.uuid4()))

    def subscribe(self, *events, **fields):
        response = self.create(*events, **fields)
        assert response.status_code == 200, response.text
        return response.json()

    def get(self, path, **params):
        return self.call("GET", path, params=params).json()

    def events(self, subscription, **params):
        return self.get(f"events/subscription/{subscription['id']}", **params)["results"]

    @staticmethod
    def wait_until(condition):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def drain(self):
        self.wait_until(lambda: not self.client.on_loop(lambda service: service.courier.busy))

    def enabled(self, subscription):
        return self.get(f"subscriptions/{subscription['id']}")["status"]["enabled"]


@pytest.fixture
def hooks(bill, receiver):
    return Hooks(bill, receiver)
