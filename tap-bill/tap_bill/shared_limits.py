"""What the runs of one machine share of BILL's limits: calls in flight, and calls of the hour.

Files beside the session cache, named after a digest of the developer key and so on. A call in flight is a
lock on a file, which the system takes back from a process that dies. Calls of the hour are reserved in
blocks, so that hardly any call has to touch a file. Where the files cannot be used, a run counts alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import override

#: BILL's limit of calls at a time for a developer key and an organization (BILL manual 3.9).
CALLS_IN_FLIGHT = 3
#: Seconds between looks at slots that are all taken.
_POLL = 0.005
#: Longer than a call takes. After that many seconds a call goes out without a slot, and BILL decides: a
#: process that was stopped in the middle of a call must not stop all others.
_PATIENCE = 90.0
_COUNT_LENGTH = 100

_log = logging.getLogger("tap-bill")


class CallCount(Protocol):
    """Counts the calls of a clock hour."""

    def reserve(self, hour: datetime, wanted: int, *, limit: int) -> int:
        """Count up to `wanted` calls more; how many of them the limit allows."""

    def give_back(self, hour: datetime, unused: int) -> None:
        """Some calls that were counted will not be made."""


class MemoryCount:
    """Counts the calls of this process."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._calls = 0

    def reserve(self, hour: datetime, wanted: int, *, limit: int) -> int:
        """See `CallCount.reserve`."""
        if hour != self._hour:
            self._hour, self._calls = hour, 0
        granted = max(min(wanted, limit - self._calls), 0)
        self._calls += granted
        return granted

    def give_back(self, hour: datetime, unused: int) -> None:
        """See `CallCount.give_back`."""
        if hour == self._hour:
            self._calls -= unused


class FileCount:
    """Counts the calls of all processes that use the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._alone = MemoryCount()
        self._trouble = _Trouble(path)

    def reserve(self, hour: datetime, wanted: int, *, limit: int) -> int:
        """See `CallCount.reserve`."""
        try:
            with _locked(self._path) as file:
                kept, calls = _read_count(file)
                # A clock that is a little behind counts for the hour that has begun elsewhere. An hour that
                # lies farther ahead was noted by a clock that was wrong.
                if kept is None or not hour <= kept <= hour + timedelta(hours=1):
                    kept, calls = hour, 0
                granted = max(min(wanted, limit - calls), 0)
                if granted:
                    _write_count(file, kept, calls + granted)
                return granted
        except OSError as error:
            self._trouble.tell(error)
            return self._alone.reserve(hour, wanted, limit=limit)

    def give_back(self, hour: datetime, unused: int) -> None:
        """See `CallCount.give_back`."""
        with contextlib.suppress(OSError), _locked(self._path) as file:
            kept, calls = _read_count(file)
            if kept == hour:
                _write_count(file, hour, max(calls - unused, 0))


class FileSlots:
    """The slots for calls in flight of all processes that use the same files.

    Whoever waits for a slot holds the queue, so that nobody who comes later takes the next one.
    """

    def __init__(
        self,
        path: Path,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use files whose names begin with `path`; nothing is opened yet.

        Args:
            path: Of the files, to which a suffix is added.
            sleep: Waits for some seconds.
            monotonic: A clock for durations, in seconds.
        """
        self._turn = threading.Lock()
        self._queue = _Lock(Path(f"{path}.queue"))
        self._slots = [_Lock(Path(f"{path}.slot{number + 1}")) for number in range(CALLS_IN_FLIGHT)]
        self._sleep = sleep
        self._monotonic = monotonic
        self._trouble = _Trouble(path)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold a slot, once there is one."""
        slot = self._wait()
        try:
            yield
        finally:
            if slot is not None:
                slot.release()

    def try_queue(self) -> bool:
        """Be the one who gets the next slot, unless another is."""
        return self._queue.acquire()

    def leave_queue(self) -> None:
        """Let the next one wait."""
        self._queue.release()

    def try_slot(self) -> _Lock | None:
        """A free slot, if there is one."""
        return next((slot for slot in self._slots if slot.acquire()), None)

    def _wait(self) -> _Lock | None:
        """A slot, or None if there is none to be had.

        The threads of this process wake each other. Were they to look again and again, as at the files of
        others, two of them that finish at the same time would lose more than a call takes at best.
        """
        give_up = self._monotonic() + _PATIENCE
        if not self._turn.acquire(timeout=_PATIENCE):
            return None
        try:
            return self._wait_for_others(give_up)
        finally:
            self._turn.release()

    def _wait_for_others(self, give_up: float) -> _Lock | None:
        try:
            while not self.try_queue():
                if self._monotonic() > give_up:
                    return None
                self._sleep(_POLL)
            try:
                while (slot := self.try_slot()) is None and self._monotonic() <= give_up:
                    self._sleep(_POLL)
                return slot
            finally:
                self.leave_queue()
        except OSError as error:
            self._trouble.tell(error)
            return None


class _Lock:
    """A lock among processes, and among the threads of this one, that never waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.Lock()
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another has it.

        Raises:
            OSError: The file cannot be used.
        """
        if not self._mine.acquire(blocking=False):
            return False
        try:
            if self._descriptor is None:
                self._descriptor = _open(self._path)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._mine.release()
            return False
        except BaseException:
            self._mine.release()
            raise
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._mine.release()

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


class _Trouble:
    """Tells once that files cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = False

    def tell(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "%s* cannot be used (%s); this run keeps BILL's limits without regard to others",
                self._path,
                error.strerror,
            )

    @override
    def __repr__(self) -> str:
        return f"_Trouble({str(self._path)!r})"


def digest(*parts: str) -> str:
    """A name for what must not be readable."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _open(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """An open file that nobody else has; closing it gives it back."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _read_count(file: int) -> tuple[datetime | None, int]:
    """Hour and calls; no hour if there is nothing or something else."""
    try:
        held: Any = json.loads(os.pread(file, _COUNT_LENGTH, 0))
        hour = datetime.fromisoformat(held["hour"])
        return (hour, int(held["calls"])) if hour.tzinfo else (None, 0)
    except (ValueError, TypeError, KeyError):
        return None, 0


def _write_count(file: int, hour: datetime, calls: int) -> None:
    """In one step and always of the same length, so that a process that dies leaves no half of it."""
    content = json.dumps({"hour": hour.isoformat(), "calls": calls}).encode()
    os.pwrite(file, content.ljust(_COUNT_LENGTH), 0)
