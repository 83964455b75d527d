"""Stored failures tried again: a run whose records come from the store in place of standard input."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from target_quickbooks.assembly import Run, assemble
from target_quickbooks.errors import SettingsError, Stopped, TargetError
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.settings import Settings
from target_quickbooks.settings_schema import Mode
from target_quickbooks.store import failure_table, run_table
from target_quickbooks.store.failure_table import UNSETTLED, Failure, Status
from target_quickbooks.walk import Walk, written_streams

Assemble = Callable[..., Run]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one failure.

    Attributes:
        failure: As it was before.
        failed: Whether its record is still not in QuickBooks.
        told: What happened, for people.
    """

    failure: Failure
    failed: bool
    told: str


def replay(
    settings: Settings, failures: Sequence[Failure], *, trigger: str, assembled: Assemble = assemble
) -> list[Replayed]:
    """Take the records of these failures to QuickBooks; on return all outcomes are durable.

    The record that is tried is the newest that BILL has sent: a failure keeps the latest version that
    failed, a newer one that an interrupted run left goes before it, and one that went through settles the
    failure. BILL itself is not asked: the target has no access to it. Bills that wait for a replayed vendor
    are tried with it.

    Args:
        settings: Of the company whose failures they are.
        failures: As they are in the store.
        trigger: Who or what tries again, for the audit trail.
        assembled: Makes the run.

    Returns:
        What became of these failures, and after them of those of the bills that came along.

    Raises:
        SettingsError: The mode writes nothing, or a failure is of another company.
        Stopped: A signal asked for it.
        TargetError: The run cannot go on; what went through before is recorded.
    """
    _check(settings, failures)
    written = written_streams(settings.policies)
    if all(_left_out(failure, written) for failure in failures):
        return [_judge(failure, failure, written) for failure in failures]
    with _orderly_stop() as stop:
        run = assembled(settings, trigger=trigger, sleep=stop.sleep, after_batch=stop.check)
        try:
            before = _recorded(run, failures)
            after = _as_stored(run, before)
        finally:
            run.close()
    return [_judge(failure, found, written) for failure, found in zip(before, after, strict=True)]


def _as_stored(run: Run, failures: Sequence[Failure]) -> list[Failure]:
    """The failures as they are now: a run that had to end first may have seen newer records."""
    with run.store.reading() as database:
        found = [failure_table.by_number(database, run.store.cipher, failure.id or 0) for failure in failures]
    return [now or then for now, then in zip(found, failures, strict=True)]


class _Stop:
    """Whether a signal asked to stop; asked between batches, so that the one in flight finishes."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._signum = 0

    def ask(self, signum: int, _: FrameType | None) -> None:
        """Handle the signal."""
        self._signum = signum
        self._asked.set()

    def check(self) -> None:
        """Raise ``Stopped`` if asked to."""
        if self._asked.is_set():
            raise Stopped(self._signum)

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond a signal."""
        self._asked.wait(seconds)
        self.check()


@contextmanager
def _orderly_stop() -> Iterator[_Stop]:
    stop = _Stop()
    signals = (signal.SIGINT, signal.SIGTERM)
    in_main = threading.current_thread() is threading.main_thread()
    before = [signal.signal(number, stop.ask) for number in signals] if in_main else []
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=False):
            signal.signal(number, handler)


def _recorded(run: Run, failures: Sequence[Failure]) -> list[Failure]:
    """Walk, with the run's begin and end in the store; return the failures as they were before."""
    with run.store.writing() as database:
        run_table.start(
            database,
            run.id,
            realm_id=run.settings.realm_id,
            mode="replay",
            trigger=run.trigger,
            now=utc_now(),
        )
    exit_code = 1
    try:
        walk = run.walk
        assert isinstance(walk, Walk)  # noqa: S101 - any other mode was refused
        walk.settle()
        before = _as_stored(run, failures)
        written = written_streams(run.settings.policies)
        followers = walk.replay([failure for failure in before if _left_out(failure, written) is None])
        exit_code = 1 if run.report.failed_count else 0
    except TargetError as error:
        exit_code = error.exit_code
        raise
    finally:
        summary = run.report.to_json(run.client.calls, run_id=run.id, exit_code=exit_code)
        counts = {"streams": summary["streams"], "calls": summary["calls"]}
        with run.store.writing() as database:
            run_table.finish(database, run.id, exit_code=exit_code, counts=counts, now=utc_now())
    return [*before, *followers]


def _check(settings: Settings, failures: Sequence[Failure]) -> None:
    if settings.mode is not Mode.SYNC:
        msg = f"mode is '{settings.mode}', which writes nothing; a replay writes. Set it to sync."
        raise SettingsError(msg)
    for failure in failures:
        realm_id = failure.company.realm_id if failure.company else ""
        if realm_id != settings.realm_id:
            msg = (
                f"Failure {failure.id} is of company (realm) {realm_id}, but the settings name "
                f"{settings.realm_id}. Run this with the settings of that company."
            )
            raise SettingsError(msg)


def _left_out(failure: Failure, written: Collection[str]) -> str | None:
    """Why there is nothing to try, if so."""
    if failure.status is Status.RESOLVED:
        return "went through before; nothing to do"
    if failure.stream not in written:
        return (
            f"not tried: records of {failure.stream} are not written but looked up; it settles once BILL "
            "sends a correct one, or dismiss it"
        )
    return None


def _judge(before: Failure, after: Failure, written: Collection[str]) -> Replayed:
    reason = _left_out(before, written)
    if reason is not None:
        return Replayed(before, before.status in UNSETTLED, reason)
    if after.status is Status.RESOLVED:
        return Replayed(before, failed=False, told="went through")
    word = "still waits" if after.status is Status.WAITING else "still fails"
    return Replayed(before, failed=True, told=f"{word}: {after.reason} {after.advice}".rstrip())
