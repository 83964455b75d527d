"""Where login sessions outlive the process: an encrypted file that parallel runs share.

BILL allows 200 logins an hour (BILL manual 2.8), so a session is worth keeping. The file holds one
Fernet token. It is read and written under a lock, replaced in one step and readable by its owner
only. A file that cannot be read (another key, damage) is ignored with one warning and rewritten.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from tap_bill.redaction import SECRETS

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_VERSION = 1
_KEPT = timedelta(hours=1)

_log = logging.getLogger("tap-bill")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedSession:
    """A session with BILL.

    Attributes:
        session_id: Secret.
        organization_id: That the login led to.
        last_used: Time of the last call in UTC.
    """

    session_id: str = field(repr=False)
    organization_id: str
    last_used: datetime


@dataclass(slots=True)
class Ledger:
    """What is remembered.

    Attributes:
        sessions: By fingerprint of address, organization and credentials.
        logins: Times of the logins of the past hour, by fingerprint of the developer key.
    """

    sessions: dict[str, CachedSession] = field(default_factory=dict)
    logins: dict[str, list[datetime]] = field(default_factory=dict)

    def forget_before(self, moment: datetime) -> None:
        """Drop what is older than `moment`."""
        self.sessions = {key: kept for key, kept in self.sessions.items() if kept.last_used >= moment}
        recent = {key: [time for time in times if time >= moment] for key, times in self.logins.items()}
        self.logins = {key: times for key, times in recent.items() if times}

    def to_json(self) -> str:
        """Write the ledger; times in ISO 8601."""
        return json.dumps({"version": _VERSION, **asdict(self)}, default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str | bytes) -> Ledger:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            held: Any = json.loads(text)
            if held["version"] != _VERSION:
                msg = "unknown version"
                raise ValueError(msg)
            sessions = {key: _session(kept) for key, kept in held["sessions"].items()}
            logins = {
                key: [datetime.fromisoformat(time) for time in times] for key, times in held["logins"].items()
            }
        except (KeyError, TypeError, AttributeError) as error:
            msg = "not a ledger"
            raise ValueError(msg) from error
        return cls(sessions, logins)


def _session(kept: dict[str, str]) -> CachedSession:
    return CachedSession(
        session_id=kept["session_id"],
        organization_id=kept["organization_id"],
        last_used=datetime.fromisoformat(kept["last_used"]),
    )


class SessionStore(Protocol):
    """Keeps the ledger."""

    def open(self) -> AbstractContextManager[Ledger]:
        """The ledger for one reader and writer at a time; changes are kept at the end."""


class MemoryStore:
    """Keeps the ledger for this process only."""

    def __init__(self) -> None:
        self._ledger = Ledger()

    @contextmanager
    def open(self) -> Iterator[Ledger]:
        """See `SessionStore.open`."""
        yield self._ledger


class EncryptedFile:
    """Keeps the ledger in an encrypted file."""

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        """Use `path`; nothing is read yet.

        Args:
            path: The file; it and its directory are created when needed.
            keys: Fernet keys. The first one encrypts; all of them are tried for decrypting.

        Raises:
            ValueError: A key is no Fernet key.
        """
        self._path = path
        self._fernet = fernet(keys)
        self._warned = False
        SECRETS.add(*keys)

    @override
    def __repr__(self) -> str:
        return f"EncryptedFile({str(self._path)!r})"

    @contextmanager
    def open(self) -> Iterator[Ledger]:
        """See `SessionStore.open`. Without access to the file the ledger is simply empty."""
        with contextlib.ExitStack() as stack:
            usable = self._lock(stack)
            ledger = self._read() if usable else Ledger()
            before = ledger.to_json()
            try:
                yield ledger
            finally:
                if usable and ledger.to_json() != before:
                    self._write(ledger)

    def _lock(self, stack: contextlib.ExitStack) -> bool:
        """Hold the lock until `stack` is closed; False if the place cannot be written to."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            self._warn(f"cannot be used ({error.strerror}); sessions are not kept between runs")
            return False
        return True

    def _read(self) -> Ledger:
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - see `fernet`

        try:
            return Ledger.from_json(self._fernet.decrypt(self._path.read_bytes()))
        except FileNotFoundError:
            pass
        except OSError as error:
            self._warn(f"cannot be read ({error.strerror}) and is replaced")
        except (InvalidToken, ValueError):
            self._warn("was written with another encryption key or is damaged; it is replaced")
        return Ledger()

    def _write(self, ledger: Ledger) -> None:
        newest = max((kept.last_used for kept in ledger.sessions.values()), default=None)
        if newest is not None:
            ledger.forget_before(newest - _KEPT)
        try:
            self._replace(self._fernet.encrypt(ledger.to_json().encode()))
        except OSError as error:
            self._warn(f"cannot be written ({error.strerror}); sessions are not kept between runs")

    def _replace(self, content: bytes) -> None:
        # mkstemp creates the file for its owner only, whatever the umask.
        descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            Path(temporary).replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise

    def _warn(self, what: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("The session cache %s %s", self._path, what)


def fernet(keys: Sequence[str]) -> MultiFernet:
    """The cipher of some Fernet keys, newest first.

    Raises:
        ValueError: A key is no Fernet key, or there is none.
    """
    # Imported here because it takes a tenth of a second that a run without a cache can save.
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    if not keys:
        msg = "no key"
        raise ValueError(msg)
    return MultiFernet([Fernet(key) for key in keys])
