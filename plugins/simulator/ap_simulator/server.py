"""Listens: a loopback socket and uvicorn with httptools on it."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from ap_simulator.connection import SimulatorProtocol

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_BACKLOG: Final = 2048
_GRACE_SECONDS: Final = 2
#: Longer than any client keeps an idle connection between two calls, so that none meets a close.
_KEEP_ALIVE_SECONDS: Final = 300


class ListenError(Exception):
    """The address cannot be listened on. The text says why in one line."""


def listen(host: str, port: int, *, allow_remote: bool = False) -> socket.socket:
    """Open the listening socket.

    From here on the port is taken, and clients that connect wait until the server answers.

    Args:
        host: A loopback name or address; anything else only if `allow_remote`.
        port: 0 picks a free one.
        allow_remote: Whether other machines may be let in.

    Raises:
        ListenError: The host is not loopback or unknown, or the port is taken or forbidden.
    """
    if host not in LOOPBACK_HOSTS and not allow_remote:
        msg = f"Refusing to listen on {host}: anybody who can reach it can read and change the "
        msg += "simulated books. Use 127.0.0.1, or --allow-remote if you mean it"
        raise ListenError(msg)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, OverflowError) as error:
        msg = f"Cannot listen on {host}:{port}: {error}"
        raise ListenError(msg) from error
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenError(_why(error, host, port)) from error
    sock.setblocking(False)
    return sock


def url_of(sock: socket.socket) -> str:
    """The base URL of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_config(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves the simulator; run the server on a socket from `listen`."""
    return uvicorn.Config(
        app,
        http=SimulatorProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is already in use; stop what runs there or choose --port"
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"Cannot listen on {host}:{port}: {reason}"
