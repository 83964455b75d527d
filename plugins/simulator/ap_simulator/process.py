"""Runs the simulator: in the foreground, or in the background with start and stop."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from typing_extensions import override

from ap_simulator import collector
from ap_simulator.app import Application
from ap_simulator.control_client import ControlClient, ControlError
from ap_simulator.rundir import RunDir, RunState
from ap_simulator.server import listen, make_config, url_of
from ap_simulator.settings import Settings
from ap_simulator.simulation import Simulation

_POLL_SECONDS: Final = 0.05
_TERM_SECONDS: Final = 10.0
_KILL_SECONDS: Final = 5.0
_LOG_TAIL_LINES: Final = 15


class ProcessError(Exception):
    """Starting or stopping failed. One line for the reader, then the log's tail if it helps."""


class _Server(uvicorn.Server):
    """uvicorn that ends without a word about the answers it cuts off."""

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


class _Stopped(BaseException):
    """A signal asked the process to stop."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(signum)


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    allow_remote: bool,
    run_dir: RunDir,
    announce: Callable[[Simulation], None],
) -> int:
    """Serve until a signal comes.

    Args:
        settings: The company and the switches.
        host: Address to listen on.
        port: Port to listen on, 0 for a free one.
        allow_remote: Whether other machines may be let in.
        run_dir: Held while serving; what it has of an earlier company is removed.
        announce: Called once the company is there.

    Returns:
        The exit code: 0 after SIGTERM, 130 after SIGINT (Ctrl-C), as shells have it.

    Raises:
        ListenError: The address cannot be listened on.
        AlreadyRunningError: Another simulator holds the run directory.
        SwitchError: A switch of the settings is wrong.
    """
    try:
        with _signals_stop(), run_dir.held(), listen(host, port, allow_remote=allow_remote) as sock:
            with collector.spared():
                simulation = Simulation(settings, run_dir=run_dir, url=url_of(sock))
            own_port = sock.getsockname()[1]
            run_dir.write_state(RunState(pid=os.getpid(), url=simulation.url, port=own_port))
            announce(simulation)
            _Server(make_config(Application(simulation))).run(sockets=[sock])
    except _Stopped as stopped:
        return 0 if stopped.signum == signal.SIGTERM else 128 + stopped.signum
    return 0


def start(arguments: Sequence[str], *, port: int, run_dir: RunDir, timeout: float) -> tuple[RunState, bool]:
    """Start a simulator in the background and wait until it answers.

    Args:
        arguments: Of `ap-simulator serve`, without host, port and run directory.
        port: Port to listen on, 0 for a free one.
        run_dir: Where its pid, its log and the files of the company go.
        timeout: Seconds to wait for it.

    Returns:
        The running simulator, and whether it was there before.

    Raises:
        ProcessError: It died, did not answer in time, or another one holds the run directory.
    """
    if running := _answering(run_dir):
        if port in {0, running.port}:
            return running, True
        msg = f"A simulator already runs in {run_dir.path}, on port {running.port}; "
        msg += "stop it first (ap-simulator stop) or choose another --run-dir"
        raise ProcessError(msg)
    if run_dir.is_held():
        msg = f"A simulator that does not answer yet holds {run_dir.path}; try again, or stop it first"
        raise ProcessError(msg)
    run_dir.create()
    with run_dir.log.open("w", encoding="utf-8") as log:
        child = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            [
                *(sys.executable, "-m", "ap_simulator", "serve"),
                *("--port", str(port), "--run-dir", str(run_dir.path)),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if (running := _answering(run_dir)) and running.pid == child.pid:
            # It is to outlive this process; without this, Popen complains that nobody waits for it.
            child.returncode = 0
            return running, False
        if child.poll() is not None:
            msg = f"The simulator ended with exit code {child.returncode}.{_tail(run_dir.log)}"
            raise ProcessError(msg)
        time.sleep(_POLL_SECONDS)
    child.terminate()
    child.wait()
    msg = f"The simulator did not answer within {timeout:g} seconds.{_tail(run_dir.log)}"
    raise ProcessError(msg)


def stop(run_dir: RunDir) -> RunState | None:
    """Stop the simulator that holds a run directory: SIGTERM, and SIGKILL if that does not help.

    Returns:
        What ran; None if nothing did.

    Raises:
        ProcessError: Even SIGKILL did not end it, or it belongs to somebody else.
    """
    running = run_dir.read_state()
    if running is None:
        if run_dir.is_held():
            msg = f"A simulator is starting in {run_dir.path}; try again when it has"
            raise ProcessError(msg)
        return None
    try:
        os.kill(running.pid, signal.SIGTERM)
        if not _released(run_dir, _TERM_SECONDS):
            os.kill(running.pid, signal.SIGKILL)
            if not _released(run_dir, _KILL_SECONDS):
                msg = f"The simulator with pid {running.pid} does not end"
                raise ProcessError(msg)
    except ProcessLookupError:
        pass  # It ended by itself in between.
    except PermissionError as error:
        msg = f"The simulator with pid {running.pid} belongs to somebody else"
        raise ProcessError(msg) from error
    return running


def _answering(run_dir: RunDir) -> RunState | None:
    """The simulator of a run directory, if it is up and answers as itself."""
    running = run_dir.read_state()
    if running is None:
        return None
    with contextlib.suppress(ControlError), ControlClient(running.url, timeout=5) as control:
        if control.status()["pid"] == running.pid:
            return running
    return None


def _released(run_dir: RunDir, seconds: float) -> bool:
    """Whether the simulator let go of the run directory within `seconds`."""
    deadline = time.monotonic() + seconds
    while run_dir.is_held():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return f" The end of {log}:\n" + "\n".join(f"  {line}" for line in lines)


@contextlib.contextmanager
def _signals_stop() -> Iterator[None]:
    """Let SIGTERM and SIGINT end the block by `_Stopped`.

    While uvicorn serves, it takes the signals itself, stops in order, and raises them again here.
    """

    def stop_now(signum: int, _: FrameType | None) -> None:
        raise _Stopped(signum)

    before = {name: signal.signal(name, stop_now) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
