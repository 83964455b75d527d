"""The TCP connection of a request, for faults that HTTP itself cannot express.

ASGI does not show the transport to an application; `SimulatorProtocol` puts a `Connection` into the
request's scope for it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final

from starlette.types import Receive, Scope
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION: Final = "ap_simulator.connection"
#: SO_LINGER on, with a time of 0 seconds: closing sends a reset and drops what is unsent.
_LINGER_ZERO: Final = struct.pack("ii", 1, 0)


class Connection:
    """One accepted connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def reset(self) -> None:
        """Drop the connection with a TCP reset, whatever is still to be sent."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._transport.abort()

    def close(self) -> None:
        """Close the connection in order, after sending what was written."""
        self._transport.close()


class SimulatorProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with TCP_NODELAY certain and the connection in each scope."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio sets it only if the listening socket was made with its protocol number. Without it
        # a keep-alive client loses 40 ms a call, since head and body of an answer are two writes.
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {_EXTENSION: Connection(self.transport)}


def connection_of(scope: Scope) -> Connection:
    """The connection that a request came in on."""
    connection: Connection = scope["extensions"][_EXTENSION]
    return connection


async def wait_for_disconnect(receive: Receive) -> None:
    """Wait until the server has noticed that the connection is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
