"""A listener on this machine that takes the one answer of Intuit's consent page."""

from __future__ import annotations

import queue
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from target_quickbooks.errors import SettingsError, TemporaryError

PATH = "/callback"
_HOST = "127.0.0.1"
_PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>QuickBooks has answered</title>
<p>QuickBooks has answered. You can close this window and go back to the terminal.</p></html>
"""


class CallbackListener:
    """Listens on a loopback port while it is entered.

    Raises (when made):
        SettingsError: The port cannot be used.
    """

    def __init__(self, port: int) -> None:
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        answers = self._answers

        class Handler(_Handler):
            taken = answers

        try:
            self._server = _Server((_HOST, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "it is no port"
            raise SettingsError(
                f"Port {port} of this machine cannot be used for the answer ({reason}). Choose another with "
                "--port, and register its address with your Intuit app."
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the answer goes; Intuit takes the name, not the number, of this machine."""
        return f"http://localhost:{self._server.server_port}{PATH}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, seconds: float) -> str:
        """The query of the answer.

        Raises:
            TemporaryError: None came in time.
        """
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            raise TemporaryError(
                f"No answer came from the browser within {seconds:g} s. Nothing was saved; start again."
            ) from None


class _Server(ThreadingHTTPServer):
    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that went away is no error."""


class _Handler(BaseHTTPRequestHandler):
    taken: queue.SimpleQueue[str]
    timeout = 10

    def do_GET(self) -> None:
        """Take the answer; anything else a browser asks for is not here."""
        path, _, query = self.path.partition("?")
        if path != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(_PAGE))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(_PAGE)
        self.taken.put(query)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the address holds the code."""
