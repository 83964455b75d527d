r"""Splits a statement into tokens, with positions for error texts.

Strings stand in single quotes; a quote in them is `\'` and a backslash `\\`. A backslash before
anything else is itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from ap_simulator.quickbooks.problems import RefusedError, refused

TokenKind = Literal["WORD", "STRING", "NUMBER", "OPERATOR", "MARK", "EOF"]

_TOKEN: Final = re.compile(
    r"""
    (?P<STRING>'(?:[^'\\]|\\.)*')
    |(?P<NUMBER>[-+]?\d+(?:\.\d+)?(?![\w.]))
    |(?P<WORD>[^\W\d]\w*(?:\.\w+)*)
    |(?P<OPERATOR><=|>=|!=|<>|=|<|>)
    |(?P<MARK>[(),*])
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK: Final = re.compile(r"\s*")
_ESCAPED: Final = re.compile(r"\\([\\'])")


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: What it is.
        text: Its value; of a string without quotes and escapes.
        image: As error texts show it.
        offset: Where it begins in the statement.
    """

    kind: TokenKind
    text: str
    image: str
    offset: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of the keywords, in any case."""
        return self.kind == "WORD" and self.text.upper() in words


def quote(text: str) -> str:
    """A string literal of the query language."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def tokens(statement: str) -> Iterator[Token]:
    """The tokens of a statement, EOF last.

    Raises:
        RefusedError: 4000; a character that begins no token, or a string without an end.
    """
    at = _skip(statement, 0)
    after_string = False
    while at < len(statement):
        match = _TOKEN.match(statement, at)
        if match is None:
            image = statement[at : at + 10]
            raise encountered(statement, Token("MARK", image, image, at))
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]
        raw = match.group()
        # A word right behind a string is what an unescaped apostrophe leaves.
        image = f"'{raw}" if after_string and kind == "WORD" else raw
        text = _ESCAPED.sub(r"\1", raw[1:-1]) if kind == "STRING" else raw
        yield Token(kind, text, image, at)
        at = match.end()
        after_string = kind == "STRING" and statement[at : at + 1].isalnum()
        at = _skip(statement, at)
    yield Token("EOF", "", "<EOF>", len(statement.rstrip()))


def encountered(statement: str, token: Token) -> RefusedError:
    """The refusal of a statement that cannot go on with `token`."""
    line = statement.count("\n", 0, token.offset) + 1
    column = token.offset - (statement.rfind("\n", 0, token.offset) + 1) + 1
    place = f"at line {line}, column {column}"
    if token.kind == "EOF":
        detail = f"QueryParserError: Encountered ' '<EOF>' '' {place}."
    else:
        kind = "STRING" if token.kind == "WORD" else token.kind
        detail = f'QueryParserError: Encountered " <{kind}> "{token.image}" {place}'
    return refused("4000", detail)


def _skip(statement: str, at: int) -> int:
    match = _BLANK.match(statement, at)
    return match.end() if match is not None else at
