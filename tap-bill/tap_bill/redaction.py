"""Keeps secrets out of everything that is printed: known values, and what looks like a secret.

`scrub` is applied to every error message when it is made and, through `RedactingFormatter`, to
every formatted log line, tracebacks and structured fields included.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from urllib.parse import quote, quote_plus

from typing_extensions import override

MASK = "***"

#: Values shorter than this are not searched for: they would blank out half of every line.
_SHORTEST = 5

#: `sessionId=...`, `"devKey": "..."`, `\\"taxId\\": \\"...\\"` and the like, whatever the value.
_NAMED = re.compile(
    r"""(?ix)
    ( \\*["']? \b (?: sessionId | devKey | dev_key | password | encryption_key | taxId | rememberMeId )
      \\*["']? \s* [:=] \s* )
    (?: (\\*["']) .*? \2 | [^\s"',;&}\])]+ )
    """
)
_TAX_ID = re.compile(r"(?<![\w.-])(?:\d{3}-\d{2}-\d{4}|\d{2}-\d{7}|\d{9})(?![\w-])")


class Secrets:
    """The values that must never be printed, in every spelling in which they could be."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, *values: str | None) -> None:
        """Remember secret values; empty and very short ones are left out."""
        with self._lock:
            for value in values:
                if value and len(value) >= _SHORTEST:
                    self._spellings |= _spellings(value)
            longest_first = sorted(self._spellings, key=len, reverse=True)
            if longest_first:
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def mask(self, text: str) -> str:
        """Replace every known value in `text`."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _spellings(value: str) -> set[str]:
    in_json = json.dumps(value)[1:-1]
    return {
        value,
        in_json,
        json.dumps(in_json)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        quote(value, safe=""),
        quote_plus(value),
    }


#: The secrets of this process. One registry, because logging is one per process, too.
SECRETS = Secrets()


def scrub(text: str) -> str:
    """One line of `text` without secrets."""
    return _NAMED.sub(rf"\1{MASK}", SECRETS.mask(" ".join(text.split())))


def scrub_foreign(text: str, *, limit: int = 300) -> str:
    """Scrub text that another program wrote, such as BILL's messages: tax ids too, and shortened."""
    safe = _TAX_ID.sub(MASK, scrub(text))
    return safe if len(safe) <= limit else f"{safe[:limit]}..."


class RedactingFormatter(logging.Formatter):
    """Formats with another formatter and scrubs what comes out."""

    def __init__(self, inner: logging.Formatter) -> None:
        """Wrap `inner`."""
        super().__init__()
        self._inner = inner

    @override
    def format(self, record: logging.LogRecord) -> str:
        return _NAMED.sub(rf"\1{MASK}", SECRETS.mask(self._inner.format(record)))


def redact_handlers() -> None:
    """Put the redaction between the root logger's handlers and what they write to."""
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, RedactingFormatter):
            handler.setFormatter(RedactingFormatter(handler.formatter or logging.Formatter()))
