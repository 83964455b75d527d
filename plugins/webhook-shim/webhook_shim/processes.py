"""Processes: started in a group of their own, waited for, stopped; and those of a server that died.

A process holds a lock on its log for as long as it lives. So whoever comes after a killed server sees
whether the process that it started still works, whatever has become of process numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from webhook_shim.commands import Stop

#: A process that was asked to stop finishes the batch in flight; after this it is killed.
GRACE_SECONDS = 25.0
_POLL_SECONDS = 0.5
_PRIVATE = 0o600


class Process(Protocol):
    """A process under way."""

    pid: int

    async def wait(self) -> int | None:
        """Its exit code, negative for a signal; None if that cannot be known."""


class Child:
    """A process that this server started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process

    async def wait(self) -> int | None:
        """See `Process`."""
        return await self._process.wait()


class Orphan:
    """A process that a server before this one started."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._log = log

    async def wait(self) -> int | None:
        """See `Process`."""
        while is_alive(self._log):  # noqa: ASYNC110 - nothing tells of the end of a process that is not ours
            await asyncio.sleep(_POLL_SECONDS)
        return None


async def start(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    *,
    directory: Path,
    log: Path,
    output: Path | None = None,
) -> Child:
    """Start a process: umask 077, a group of its own, all it says in files that only the owner reads.

    Args:
        arguments: The executable and its arguments.
        environment: All of it.
        directory: Where it works.
        log: Takes what it says; what is there already stays.
        output: Takes its standard output instead.

    Raises:
        OSError: It cannot be started, or the files not be written.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as files:
        said = _opened(log, files)
        fcntl.flock(said, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = await asyncio.create_subprocess_exec(
            *arguments,
            cwd=directory,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said if output is None else _opened(output, files),
            stderr=said,
            umask=0o077,
            process_group=0,
        )
    return Child(process)


def is_alive(log: Path) -> bool:
    """Whether the process that writes this log lives."""
    try:
        descriptor = os.open(log, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


async def supervise(
    process: Process,
    *,
    seconds: float,
    hurry: asyncio.Event,
    lost: asyncio.Event | None = None,
    grace: float = GRACE_SECONDS,
) -> tuple[int | None, Stop | None]:
    """Wait for a process; stop it when its time is up, all are to hurry, or another server may act.

    Returns:
        Its exit code, and why it was stopped, if it was.
    """
    ended = asyncio.ensure_future(process.wait())
    hurried = asyncio.ensure_future(hurry.wait())
    overtaken = asyncio.ensure_future((lost or asyncio.Event()).wait())
    try:
        await asyncio.wait({ended, hurried, overtaken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return ended.result(), None
        stop = Stop.SHUTDOWN if hurried.done() else Stop.OVERTAKEN if overtaken.done() else Stop.LIMIT
        _signal(process.pid, signal.SIGTERM, group=False)
        await asyncio.wait({ended}, timeout=grace)
        if not ended.done():
            _signal(process.pid, signal.SIGKILL, group=True)
        return await ended, stop
    finally:
        hurried.cancel()
        overtaken.cancel()
        ended.cancel()


def _signal(pid: int, number: signal.Signals, *, group: bool) -> None:
    """Signal a process, or its whole group; only if it still leads the group that it was started as."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(pid, number)
        elif os.getpgid(pid) == pid:
            os.kill(pid, number)


def _opened(path: Path, files: contextlib.ExitStack) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _PRIVATE)
    files.callback(os.close, descriptor)
    return descriptor
