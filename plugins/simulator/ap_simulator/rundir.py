"""The run directory: what one running simulator, and its clients, keep on disk.

The simulated company lives in memory. Everything outside that refers to it (the target's store, the
tap's session cache, Meltano's bookmarks) must therefore live no longer; it is kept here under known
names, so that a new company can begin by removing it. One simulator at a time uses a run directory;
it holds a lock on it while it lives, which no crash can leave behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

DEFAULT_RUN_DIR: Final = Path(".simulator")
_STORE: Final = "store.sqlite3"
_SESSION: Final = "bill-session"
#: Files that refer to the company and end with it: the store, the session cache, and what is kept
#: beside them (journal, write-ahead log, lock, temporary file); and the bookmarks that Meltano keeps
#: in `state/`, file by file, since a run directory may be somebody's project with a `state/` of its own.
_COMPANY_FILES: Final = (f"{_STORE}*", f"{_SESSION}*", "state/*/state.json", "state/*/lock")


class AlreadyRunningError(Exception):
    """Another simulator uses the run directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What a running simulator writes down for `stop` and `status`."""

    pid: int
    url: str
    port: int


class RunDir:
    """A run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def store(self) -> Path:
        """The target's SQLite store."""
        return self.path / _STORE

    @property
    def session(self) -> Path:
        """The tap's session cache."""
        return self.path / _SESSION

    @property
    def log(self) -> Path:
        """What a simulator in the background prints."""
        return self.path / "simulator.log"

    @property
    def _state(self) -> Path:
        return self.path / "simulator.json"

    @property
    def _lock(self) -> Path:
        return self.path / "simulator.lock"

    def create(self) -> None:
        """Make the directory, readable by its owner only, since it will hold tokens."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def remove_company_files(self) -> None:
        """Remove what refers to an earlier company; only files known by name."""
        for pattern in _COMPANY_FILES:
            for file in self.path.glob(pattern):
                if file.is_file():
                    file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the directory for one simulator.

        Raises:
            AlreadyRunningError: Another one holds it.
        """
        self.create()
        with self._lock.open("w") as lock:
            if not _try_lock(lock.fileno()):
                msg = f"A simulator already runs in {self.path}"
                raise AlreadyRunningError(msg)
            self._state.unlink(missing_ok=True)  # Left behind by one that was killed.
            try:
                yield
            finally:
                self._state.unlink(missing_ok=True)

    def is_held(self) -> bool:
        """Whether a simulator is alive in the directory."""
        try:
            with self._lock.open("r+") as lock:
                return not _try_lock(lock.fileno())
        except FileNotFoundError:
            return False

    def write_state(self, state: RunState) -> None:
        """Write down the running simulator, all at once."""
        draft = self._state.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
        draft.replace(self._state)

    def read_state(self) -> RunState | None:
        """The simulator that is alive in the directory and ready, else None."""
        if not self.is_held():
            return None
        with contextlib.suppress(FileNotFoundError):
            return RunState(**json.loads(self._state.read_text(encoding="utf-8")))
        return None


def _try_lock(descriptor: int) -> bool:
    """Lock a file until it is closed, unless another process has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
