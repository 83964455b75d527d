"""The HTTP server: uvicorn, set up in code, and what signals mean to it.

The first SIGTERM or SIGINT stops receiving and lets what is under way end, the second has it stopped, the
third ends the server at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from types import FrameType

import uvicorn
from target_quickbooks.errors import SettingsError
from typing_extensions import override

from webhook_shim.service import Service
from webhook_shim.settings import Settings

_BACKLOG = 1024
#: For requests that are being answered when the server stops.
_LAST_ANSWERS_SECONDS = 5
_THIRD = 3

logger = logging.getLogger("webhook-shim")


class _Server(uvicorn.Server):
    """A server whose second signal hurries the runs, too."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._loop: asyncio.AbstractEventLoop | None = None
        self.signals: list[int] = []

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.signals.append(sig)
        self.should_exit = True
        if len(self.signals) > 1 and self._loop:
            self._loop.call_soon_threadsafe(self._service.hurry)
        if len(self.signals) >= _THIRD:
            self.force_exit = True


def listen(settings: Settings) -> socket.socket:
    """Take the address of the settings.

    Raises:
        SettingsError: It is in use, or not this machine's.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server((str(address[0]), settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        msg = (
            f"Cannot listen on {settings.host} port {settings.port}: {reason}. Set WEBHOOK_SHIM_HOST "
            "and WEBHOOK_SHIM_PORT, or stop what listens there."
        )
        raise SettingsError(msg) from None


def serve(service: Service, settings: Settings, listener: socket.socket) -> int:
    """Serve until a signal asks to stop.

    Returns:
        The exit code: 128 plus the signal's number, as a shell reports it.
    """
    trusted = ",".join(settings.trusted_proxies)
    config = uvicorn.Config(
        service.application(),
        access_log=False,
        date_header=True,
        forwarded_allow_ips=trusted or None,
        lifespan="on",
        log_config=None,
        proxy_headers=bool(trusted),
        server_header=False,
        timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        ws="none",
    )
    server = _Server(config, service)
    server.run(sockets=[listener])
    if not server.started:
        return 1
    return 128 + (server.signals[0] if server.signals else signal.SIGTERM)
