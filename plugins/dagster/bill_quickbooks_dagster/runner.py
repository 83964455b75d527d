"""The resource that runs a job for a company: the command that any other scheduler runs, too."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import dagster as dg
from pydantic import Field

_COMMAND = "BILL_QUICKBOOKS_COMMAND"
_SHOWN_LINES = 20


class RunnerError(Exception):
    """The command did not come to a result: it is not there, or its settings cannot be used."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a company.

    Attributes:
        outcome: ``done``, ``refused``, ``differences``, ``failed``, ``stopped`` or ``busy``.
        created: Records created in QuickBooks.
        updated: Records changed or closed there.
        refused: Records that were not written.
        detail: What went wrong, or what a reconciliation found, in a line.
        log_path: What the run said.
        report: What it wrote beside it.
    """

    outcome: str
    created: int
    updated: int
    refused: int
    seconds: float
    detail: str
    job_id: str
    log_path: str
    report: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A company with events that no run has covered.

    Attributes:
        last_event: The newest of them; grows with each.
    """

    company: str
    events: int
    last_event: int


class BooksRunner(dg.ConfigurableResource[Any]):
    """Runs ``webhook-shim``, which runs everything else.

    Its settings are ``WEBHOOK_SHIM_...`` variables of this process, and the Meltano project's own.
    """

    command: list[str] = Field(
        default_factory=lambda: shlex.split(os.environ.get(_COMMAND, "webhook-shim")),
        description=f"How to call webhook-shim; by default ${_COMMAND}, or the one on the path.",
    )
    project_root: str = Field(
        default_factory=lambda: os.environ.get("WEBHOOK_SHIM_PROJECT_ROOT", "."),
        description="The Meltano project.",
    )
    grace_seconds: int = Field(
        default=90, description="A run that is to stop finishes its batch; after this it is killed."
    )

    def run(self, job: str, company: str, *, tell: Callable[[str], object]) -> Result:
        """Run a job for a company, and wait for its end. A run that is interrupted is stopped in good order.

        Args:
            job: ``sync``, ``daily`` or ``reconcile``.
            company: Its name.
            tell: Takes each line that the command logs.

        Raises:
            RunnerError: It did not come to a result.
        """
        told = self._call(["run", job, "--company", company, "--reason", "dagster", "--json"], tell)
        try:
            [found] = told["companies"]
            return Result(
                outcome=str(found["outcome"]),
                created=int(found["created"]),
                updated=int(found["updated"]),
                refused=int(found["refused"]),
                seconds=float(found["seconds"]),
                detail=str(found["detail"]),
                job_id=str(found["job_id"] or ""),
                log_path=str(found["log_path"] or ""),
                report=str(found["report"] or ""),
            )
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{self.command[0]} answered something else than a result ({type(error).__name__})."
            raise RunnerError(msg) from None

    def waiting(self) -> list[Waiting]:
        """The companies that have events, as the receiver stored them.

        Raises:
            RunnerError: The store cannot be asked.
        """
        told = self._call(["waiting", "--json"], lambda _: None)
        return [
            Waiting(str(found["company"]), int(found["events"]), int(found["last_event"]))
            for found in told["companies"]
        ]

    def _call(self, arguments: Sequence[str], tell: Callable[[str], object]) -> dict[str, Any]:
        try:
            process = subprocess.Popen(  # noqa: S603 - the configured command, no shell
                [*self.command, *arguments],
                cwd=self.project_root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,  # so that it gets one signal, from here
            )
        except OSError as error:
            msg = f"{self.command[0]} could not be started: {error.strerror}. Set ${_COMMAND}."
            raise RunnerError(msg) from None
        output, lines = self._read(process, tell)
        try:
            told = json.loads(output)
        except ValueError:
            said = " ".join(lines[-_SHOWN_LINES:]) or f"it ended with exit code {process.returncode}"
            msg = f"{self.command[0]} {arguments[0]} came to no result: {said}"
            raise RunnerError(msg) from None
        return dict(told)

    def _read(self, process: subprocess.Popen[str], tell: Callable[[str], object]) -> tuple[str, list[str]]:
        lines: list[str] = []

        def listen(source: IO[str]) -> None:
            for line in source:
                lines.append(line.rstrip("\n"))
                tell(lines[-1])

        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101
        listener = threading.Thread(target=listen, args=(process.stderr,), daemon=True)
        try:
            listener.start()
            output = process.stdout.read()
            process.wait()
        except BaseException:  # Dagster interrupts what it cancels
            self._stop(process)
            raise
        finally:
            listener.join(timeout=self.grace_seconds)
            process.stdout.close()
            process.stderr.close()
        return output, lines

    def _stop(self, process: subprocess.Popen[str]) -> None:
        """Let it finish its batch and record it; kill it if that takes too long."""
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
