"""Posts the bodies of webhooks: HTTP/1.1 on the event loop, over connections that are kept.

Receivers are whatever a client of the simulator registered. Neither proxies nor credentials of
whoever runs the simulator are used, and redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlsplit

import httptools

_CHUNK: Final = 65_536
_MOST_KEPT: Final = 32
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: Scheme, host, port.
Origin = tuple[str, str, int]


class PostError(Exception):
    """The receiver cannot be reached, or what it answers is no HTTP."""


def origin_of(url: str) -> Origin:
    """Where a URL leads.

    Raises:
        PostError: It is no http or https URL.
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme.lower(), parts.hostname
        if host and scheme in _DEFAULT_PORTS:
            return scheme, host, parts.port or _DEFAULT_PORTS[scheme]
    except ValueError:
        pass
    msg = f"No http or https URL: {url}"
    raise PostError(msg)


class Poster:
    """Posts to any number of receivers."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[_Connection]] = defaultdict(list)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> int | None:
        """The status that the receiver answers; None if it does not, or not in time.

        Args:
            url: The receiver's.
            body: What to send.
            headers: Besides Host and Content-Length.
            seconds: For all of it.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(url, body, headers)
        except (OSError, PostError, TimeoutError, UnicodeError, ValueError):
            return None

    async def close(self) -> None:
        """End the connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        origin = origin_of(url)
        message = _message(url, origin, body, headers)
        kept = self._idle[origin]
        while kept:
            connection = kept.pop()
            try:
                status = await self._send(origin, connection, message)
            except _LostError:
                continue  # The receiver had ended a kept connection; nothing was answered.
            return status
        return await self._send(origin, await _Connection.open(origin), message)

    async def _send(self, origin: Origin, connection: _Connection, message: bytes) -> int:
        done = False
        try:
            status = await connection.send(message)
            done = True
        finally:
            if done and connection.reusable and len(self._idle[origin]) < _MOST_KEPT:
                self._idle[origin].append(connection)
            else:
                connection.close()
        return status


class _LostError(PostError):
    """The connection ended before any of the answer came."""


class _Connection:
    """One connection, and the parser's callbacks for the answer that is under way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reusable = False
        self._reader = reader
        self._writer = writer
        self._parser = httptools.HttpResponseParser(self)
        self._status = 0
        self._complete = False

    @classmethod
    async def open(cls, origin: Origin) -> _Connection:
        scheme, host, port = origin
        context = _tls() if scheme == "https" else None
        return cls(*await asyncio.open_connection(host, port, ssl=context))

    def close(self) -> None:
        self._writer.close()

    async def send(self, message: bytes) -> int:
        """Send a request and read the whole answer; its status.

        Raises:
            PostError: No answer, or no HTTP.
            OSError: The connection broke.
        """
        self._parser = httptools.HttpResponseParser(self)
        self._status, self._complete, self.reusable = 0, False, False
        received = False
        try:
            self._writer.write(message)
            while not self._complete:
                data = await self._reader.read(_CHUNK)
                if not data:
                    break
                received = True
                self._parser.feed_data(data)
        except ConnectionError as error:
            if received:
                raise
            raise _LostError from error
        except httptools.HttpParserError as error:
            raise PostError from error
        if self._status < HTTPStatus.OK:
            raise PostError if received else _LostError
        return self._status

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._status = self._parser.get_status_code()

    def on_message_complete(self) -> None:
        """Called by the parser. An answer without a length ends with its connection instead."""
        self._complete = self._status >= HTTPStatus.OK
        self.reusable = self._parser.should_keep_alive()


def _message(url: str, origin: Origin, body: bytes, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        target += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    scheme, host, port = origin
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    if port != _DEFAULT_PORTS[scheme]:
        name = f"{name}:{port}"
    lines = [f"POST {target} HTTP/1.1", f"Host: {name}"]
    lines += [f"{header}: {value}" for header, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
