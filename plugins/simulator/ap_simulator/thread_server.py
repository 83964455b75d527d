"""A server in a thread, for tests: ready when it says so, stopped at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

import uvicorn
from typing_extensions import override

_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10


class ThreadServer(uvicorn.Server):
    """uvicorn in a thread."""

    loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = threading.Event()
        self._stop = asyncio.Event()

    @contextlib.contextmanager
    def in_thread(self, sock: socket.socket) -> Iterator[None]:
        """Serve on a listening socket while the block lasts.

        Raises:
            RuntimeError: The server did not come up.
        """
        thread = threading.Thread(target=self.run, args=([sock],), name="ap-simulator")
        thread.start()
        try:
            if not self._ready.wait(_START_SECONDS) or self.loop is None:
                msg = "The server did not start"
                raise RuntimeError(msg)
            yield
        finally:
            self.should_exit = True
            if self.loop is not None:
                self.loop.call_soon_threadsafe(self._stop.set)
            thread.join(_STOP_SECONDS)

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self._ready.set()

    @override
    async def main_loop(self) -> None:
        # uvicorn looks ten times a second whether it should stop. Over many tests that adds up.
        second = 0
        while not self.should_exit:
            await self.on_tick(second * 10)
            second += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), timeout=1)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for task in list(self.server_state.tasks):
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self.lifespan.shutdown()
