"""Column types that read back exactly what was written, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from target_quickbooks.exact_json import from_json, to_json

_AMOUNT_LENGTH = 64
_MOST_DIGITS = 48


def without_nul(text: str) -> str:
    """The text with another character for each NUL, which PostgreSQL does not keep."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@functools.lru_cache(maxsize=100)
def utc_text(moment: dt.datetime) -> str:
    """An aware time as it is kept. Remembered, as rows that are written together share their times."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


class Words(TypeDecorator[str]):
    """A text of a column's length at most; what is longer is cut, when it is looked for as when it is kept.

    SQLite keeps any text. PostgreSQL refuses what is too long, and NUL; neither is to be expected of BILL or
    QuickBooks, but one record of whatever came instead must not stop a run.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.fitted(value)

    def fitted(self, value: str) -> str:
        """The text as it is kept."""
        return without_nul(value)[: self.length]


class UtcTime(TypeDecorator[dt.datetime]):
    """An aware time, kept as ISO 8601 text in UTC with microseconds, which sorts as time does."""

    impl = String(32)
    cache_ok = True

    @override
    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "naive time: all times in the store are aware"
            raise ValueError(msg)
        return utc_text(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else dt.datetime.fromisoformat(value)


class ExactJson(TypeDecorator[Any]):
    """JSON as text, numbers exact: fractions come back as ``Decimal``, never as float."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else from_json(value)


class ExactDecimal(TypeDecorator[Decimal]):
    """An amount as text: exact, and as many digits behind the point as it had.

    More digits than any amount has are cut.
    """

    impl = String(_AMOUNT_LENGTH)
    cache_ok = True

    @override
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        written = format(value, "f")
        return written if len(written) <= _AMOUNT_LENGTH else f"{value:.{_MOST_DIGITS}E}"

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)
