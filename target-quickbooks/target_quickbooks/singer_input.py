"""Singer messages from standard input: exact numbers, and errors that name the line but never quote it.

A line may hold tax ids and bank numbers, so nothing of its content goes into an error.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import IO, Any

from singer_sdk.singerlib.encoding.base import GenericSingerReader
from typing_extensions import override

from target_quickbooks.errors import InputError
from target_quickbooks.exact_json import from_json


class MessageReader(GenericSingerReader[str]):
    """Reads JSON lines; knows the number of the line at hand.

    Raises:
        InputError: A line is not JSON, not an object, or lacks what its message type needs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line_number = 0

    @property
    @override
    def default_input(self) -> IO[str]:
        return sys.stdin

    @override
    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        seen: Counter[str] = Counter()
        try:
            for line in file_input or self.default_input:
                self.line_number += 1
                if not line.strip():
                    continue
                message = self.deserialize_json(line)
                kind = message.get("type")
                callback = callbacks.get(kind) if isinstance(kind, str) else None
                if callback is None:
                    raise self._unusable("is not a Singer message of a known type")
                callback(message)
                seen[str(kind)] += 1
        except UnicodeDecodeError:
            raise self._unusable("is not UTF-8", after=1) from None
        return seen

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        if not _is_text(line):
            raise self._unusable("is not UTF-8")
        try:
            message = from_json(line)
        except (ValueError, RecursionError):
            raise self._unusable("is not JSON") from None
        if not isinstance(message, dict):
            raise self._unusable("is not a JSON object")
        return message

    def require(self, message: dict[str, Any], **types: type) -> None:
        """Check that a message has members of these types."""
        for name, kind in types.items():
            if not isinstance(message.get(name), kind):
                raise self._unusable(f"is a {message.get('type')} message without a usable '{name}'")

    def _unusable(self, what: str, *, after: int = 0) -> InputError:
        return InputError(
            f"Line {self.line_number + after} of the input {what}. "
            "Check what is piped into target-quickbooks."
        )


def _is_text(line: str) -> bool:
    """Whether all of it was UTF-8: Python in UTF-8 mode reads other bytes as halves of surrogate pairs."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
