"""Writes Singer messages, and stops between two of them.

A signal may arrive in the middle of a line, while the pipe to the target is full. Stopping there
would cut the line off, so the message under way is finished first.

Records of a page go out together: a call of the system for each of them would cost more than all else that
is done with it. Whatever other message is written, what was gathered before goes out before it. So a STATE
message never tells of a record that has not been written, also if a signal causes it.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Any, Final

import msgspec
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.encoding.simple import Message, SimpleSingerWriter
from typing_extensions import override

#: Seconds for the reader of the pipe to take what is left, after a signal to stop.
GRACE: Final = 10.0
#: Records that are written at a time. What is under way when a signal arrives is still to be written, so it
#: should not be more than a slow reader takes within `GRACE`, nor than fits into a pipe.
_TOGETHER: Final = 50

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_NOT_ASCII: Final = re.compile("[^\x00-\x7f]")


class OutputClosedError(Exception):
    """Whoever read the messages has gone away."""


class _Record(msgspec.Struct, kw_only=True, tag_field="type", tag="RECORD", omit_defaults=True, gc=False):
    """A RECORD message, its members in the order in which the SDK writes them."""

    stream: str
    record: dict[str, Any]
    version: int | None = None
    time_extracted: str


class MessageWriter(SimpleSingerWriter):
    """Writes messages to standard output, each of them whole."""

    def __init__(self) -> None:
        super().__init__()
        self._gathered: list[_Record] = []
        self._extracted = ""
        self._writing = False
        self._afterwards: Callable[[], None] | None = None

    @override
    def write_message(self, message: Message) -> None:
        self._write(f"{self.format_message(message)}\n")

    def gather_record(self, stream: str, record: dict[str, Any], *, version: int | None = None) -> None:
        """Take a RECORD message of what came as JSON and has not been changed since; it is written soon.

        `write_message` would write the same, but for `time_extracted`, which is that of the first record of
        those that are written together. This takes a fraction of the time: a compiled encoder keeps `Decimal`
        exact, but would let NaN and other types through.
        """
        if not self._gathered:
            self._extracted = datetime.now(UTC).isoformat()
        self._gathered.append(
            _Record(stream=stream, record=record, version=version, time_extracted=self._extracted)
        )
        if len(self._gathered) >= _TOGETHER:
            self.write_gathered()

    def write_gathered(self) -> None:
        """Write what was gathered; nothing more may come for a while."""
        if self._gathered:
            self._write("")

    def _write(self, line: str) -> None:
        """Write what was gathered, and a line."""
        self._writing = True
        try:
            gathered, self._gathered = self._gathered, []
            sys.stdout.write(f"{self._lines(gathered)}{line}")
            sys.stdout.flush()
        except BrokenPipeError:
            msg = "the program that reads the tap's output has ended; see its own messages"
            raise OutputClosedError(msg) from None
        finally:
            self._writing = False
        if self._afterwards is not None:
            afterwards, self._afterwards = self._afterwards, None
            afterwards()

    def _lines(self, records: Sequence[_Record]) -> str:
        try:
            encoded = _ENCODER.encode_lines(records)
        except UnicodeEncodeError:  # half of a surrogate pair, in one of them
            return "".join(f"{self._line(record)}\n" for record in records)
        if encoded.isascii():
            return encoded.decode("ascii")
        return "".join(map(_ascii, encoded.splitlines(keepends=True)))

    def _line(self, record: _Record) -> str:
        try:
            return _ascii(_ENCODER.encode(record))
        except UnicodeEncodeError:
            message = RecordMessage(
                stream=record.stream,
                record=record.record,
                version=record.version,
                time_extracted=datetime.fromisoformat(record.time_extracted),
            )
            return self.format_message(message)

    def between_messages(self, action: Callable[[], None], *, exit_code: int) -> None:
        """Do something now, or as soon as the message under way is written.

        Args:
            action: What to do, such as writing a last message and leaving.
            exit_code: Of the process, if the reader takes nothing more for a while.
        """
        _leave_after(GRACE, exit_code)
        if self._writing:
            self._afterwards = action
        else:
            action()


def _ascii(encoded: bytes) -> str:
    """JSON without a character that some encoding of standard output might not have."""
    if encoded.isascii():
        return encoded.decode("ascii")
    return _NOT_ASCII.sub(_escaped, encoded.decode())


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _leave_after(seconds: float, exit_code: int) -> None:
    """Leave the process even if it is stuck in writing to a pipe that nobody reads."""

    def leave(_signum: int, _frame: FrameType | None) -> None:
        os._exit(exit_code)

    signal.signal(signal.SIGALRM, leave)
    signal.setitimer(signal.ITIMER_REAL, seconds)
