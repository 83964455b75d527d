"""Column types that read back exactly what was written, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from target_quickbooks.exact_json import from_json, to_json


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
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")

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
    """An amount as text: exact, and as many digits behind the point as it had."""

    impl = String(64)
    cache_ok = True

    @override
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)
