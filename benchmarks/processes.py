"""Runs programs and tells what they took: time, processor time, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ap_simulator.control_client import ControlClient

HERE = Path(__file__).parent
_READY = "listens at "
#: Limits that people's plans have and the figures are not about; they are lifted where it is said.
LIFTED = {
    "bill.requests_per_hour": 100_000_000,
    "bill.logins_per_hour": 1_000_000,
    "quickbooks.requests_per_second": 1_000_000,
    "quickbooks.requests_per_minute": 1_000_000,
    "quickbooks.combined_per_minute": 1_000_000,
    "quickbooks.batches_per_minute": 1_000_000,
    "quickbooks.batches_per_minute_company": 1_000_000,
}


class ProgramFailedError(Exception):
    """A measured program did not end well, so there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a program took.

    Attributes:
        seconds: From its start to its end.
        processor: Seconds of processor time, user and system.
        peak: Most memory it held, in MiB.
        output: What it wrote to standard output, if that was kept.
    """

    seconds: float
    processor: float
    peak: float
    output: str = ""


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdin: Path | None = None,
    stdout: Path | None = None,
    keep: bool = False,
) -> Took:
    """Run a program to its end.

    Args:
        command: The program and its arguments.
        env: Added to this process' environment.
        stdin: File to read from; nothing if not given.
        stdout: File to write to; nowhere if not given.
        keep: Return what it wrote.

    Raises:
        ProgramFailedError: It ended with another exit code than 0.
    """
    with (
        Path(stdin or os.devnull).open("rb") as source,
        Path(stdout or os.devnull).open("wb") as sink,
        subprocess.Popen(
            [str(part) for part in command],
            env=os.environ | dict(env or {}),
            stdin=source,
            stdout=subprocess.PIPE if keep else sink,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        began = time.monotonic()
        output, errors = _drained(process)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = errors.decode(errors="replace").strip().splitlines()
        msg = f"{command[0]} ended with {process.returncode}: {said[-1] if said else 'no message'}"
        raise ProgramFailedError(msg)
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Took(
        seconds=seconds,
        processor=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * unit / 2**20,
        output=output.decode(),
    )


def _drained(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Everything that is written until both outputs end; logs alone would fill a pipe."""
    output = process.stdout.read() if process.stdout else b""
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    return output, process.stderr.read()


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulator in a process of its own.

    Attributes:
        url: Where it is.
        control: Statistics, latency, reset.
        env: What both plugins need to use it.
    """

    url: str
    control: ControlClient
    env: Mapping[str, str]

    def calls(self, system: str) -> tuple[int, int]:
        """Calls, and those that write, since the statistics were reset."""
        stats = self.control.stats()[system]
        return stats["calls"], stats["write_calls"]


@contextmanager
def simulator(
    *, vendors: int, bills: int = 0, lifted: Mapping[str, int] | None = None
) -> Iterator[Simulator]:
    """Run a simulator with a generated company while the block lasts."""
    switches = [f"--switch={name}={value}" for name, value in (LIFTED if lifted is None else lifted).items()]
    size = [f"--vendors={vendors}", f"--bills={bills}"]
    command = [sys.executable, "-m", "ap_simulator", "serve", "--port=0", "--company=empty", *size, *switches]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            url = next(line.partition(_READY)[2].split()[0] for line in process.stdout if _READY in line)
            with ControlClient(url, timeout=120) as control:
                yield Simulator(url, control, control.status()["environment"])
        finally:
            process.terminate()
            process.wait()


def tool(name: str) -> Path:
    """An installed console script, beside this Python."""
    return Path(sys.executable).parent / name


def script(name: str) -> list[str | Path]:
    """A script of this folder, run by this Python."""
    return [sys.executable, HERE / name]
