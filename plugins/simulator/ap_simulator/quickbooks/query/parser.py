"""Parses a statement of the query language into a `Statement` (QuickBooks manual 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ap_simulator.quickbooks.problems import RefusedError, refused
from ap_simulator.quickbooks.query.lexer import Token, encountered, tokens

_COMPARISONS: Final = frozenset({"=", "<", ">", "<=", ">="})


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a statement."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of WHERE; `operator` is a comparison, LIKE or IN."""

    path: str
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """ORDERBY."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A parsed statement, names in the spelling of the caller.

    Attributes:
        entity: Behind FROM.
        count: Whether `count(*)` is asked for.
        columns: Properties named besides or in place of `*`.
        conditions: Joined by AND.
        order: ORDERBY, None for the default order.
        start: STARTPOSITION.
        limit: MAXRESULTS.
    """

    entity: str
    count: bool = False
    columns: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    order: Order | None = None
    start: int | None = None
    limit: int | None = None


def parse(text: str) -> Statement:
    """Parse a statement.

    Raises:
        RefusedError: 4000 with the place in the text.
    """
    if not text.strip():
        raise refused("4000", "QueryParserError: null")
    return _Parser(text).statement()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._token: Token = next(self._tokens)

    def statement(self) -> Statement:
        self._keyword("SELECT")
        count, columns = self._selection()
        self._keyword("FROM")
        entity = self._word()
        conditions = self._conditions() if self._take("WHERE") else ()
        order = self._order()
        start, limit = self._paging()
        if self._token.kind != "EOF":
            raise self._unexpected()
        return Statement(
            entity=entity,
            count=count,
            columns=columns,
            conditions=conditions,
            order=order,
            start=start,
            limit=limit,
        )

    def _selection(self) -> tuple[bool, tuple[str, ...]]:
        if self._token.is_word("COUNT"):
            self._advance()
            for mark in "(*)":
                self._mark(mark)
            return True, ()
        columns = []
        while True:
            if self._token.text == "*" and self._token.kind == "MARK":
                self._advance()
            else:
                columns.append(self._word())
            if not self._is_mark(","):
                return False, tuple(columns)
            self._advance()

    def _conditions(self) -> tuple[Condition, ...]:
        found = [self._condition()]
        while self._take("AND"):
            found.append(self._condition())
        return tuple(found)

    def _condition(self) -> Condition:
        path = self._word()
        if self._take("LIKE"):
            return Condition(path, "LIKE", (self._literal(),))
        if self._take("IN"):
            self._mark("(")
            values = [self._literal()]
            while self._is_mark(","):
                self._advance()
                values.append(self._literal())
            self._mark(")")
            return Condition(path, "IN", tuple(values))
        token = self._token
        if token.kind != "OPERATOR" or token.text not in _COMPARISONS:
            raise self._unexpected()
        self._advance()
        return Condition(path, token.text, (self._literal(),))

    def _order(self) -> Order | None:
        if self._take("ORDER"):
            self._keyword("BY")
        elif not self._take("ORDERBY"):
            return None
        path = self._word()
        if self._take("DESC"):
            return Order(path, descending=True)
        self._take("ASC")
        return Order(path)

    def _paging(self) -> tuple[int | None, int | None]:
        start: int | None = None
        limit: int | None = None
        while True:
            if start is None and self._take("STARTPOSITION"):
                start = self._integer()
            elif limit is None and self._take("MAXRESULTS"):
                limit = self._integer()
            else:
                return start, limit

    def _integer(self) -> int:
        token = self._token
        if token.kind != "NUMBER" or "." in token.text:
            raise self._unexpected()
        self._advance()
        return int(token.text)

    def _literal(self) -> Literal:
        token = self._token
        if token.kind == "STRING":
            self._advance()
            return Literal(token.text, quoted=True)
        if token.kind == "NUMBER" or token.is_word("TRUE", "FALSE"):
            self._advance()
            return Literal(token.text, quoted=False)
        raise self._unexpected()

    def _word(self) -> str:
        token = self._token
        if token.kind != "WORD":
            raise self._unexpected()
        self._advance()
        return token.text

    def _keyword(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _take(self, word: str) -> bool:
        if self._token.is_word(word):
            self._advance()
            return True
        return False

    def _is_mark(self, mark: str) -> bool:
        return self._token.kind == "MARK" and self._token.text == mark

    def _mark(self, mark: str) -> None:
        if not self._is_mark(mark):
            raise self._unexpected()
        self._advance()

    def _advance(self) -> None:
        self._token = next(self._tokens)

    def _unexpected(self) -> RefusedError:
        return encountered(self._text, self._token)
