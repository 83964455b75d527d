"""The audit trail: every change with filters, a page at a time, and whole as a file."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Connection, and_, or_, select
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from target_quickbooks.admin.output import csv_line, plain
from target_quickbooks.exact_json import to_json
from target_quickbooks.links import Company
from target_quickbooks.store.database import Store
from target_quickbooks.store.tables import audit

from webhook_shim.web import links
from webhook_shim.web.visits import Visit

_PAGE = 50
_ROWS_AT_ONCE = 500
_LONGEST_NUMBER = 18
_NAMES = tuple(column.name for column in audit.columns)
_OUTCOMES = ("applied", "refused", "blocked", "dismissed")
_OPERATIONS = ("create", "update", "close", "link", "dismiss", "accept", "blocked")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows; what is empty does not matter. Dates are whole days in UTC, the last one included."""

    record: str = ""
    operation: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    run: str = ""

    def query(self, **more: str) -> str:
        """As the query of an address."""
        values = {name: getattr(self, name) for name in self.__slots__} | more
        return urlencode({name: value for name, value in values.items() if value})


def list_history(visit: Visit) -> Response:
    """The rows, newest first."""
    chosen, before = _filters(visit), visit.query("before")
    query = select(audit).where(*_conditions(visit.books.company, chosen))
    if _is_number(before):
        query = query.where(audit.c.sequence < int(before))
    with visit.context.store.reading() as connection:
        found = connection.execute(query.order_by(audit.c.sequence.desc()).limit(_PAGE + 1)).mappings()
        rows = [dict(row) for row in found]
    more = chosen.query(before=str(rows[_PAGE - 1]["sequence"])) if len(rows) > _PAGE else ""
    return visit.show(
        "history.html",
        tab="history",
        rows=rows[:_PAGE],
        filters=chosen,
        outcomes=_OUTCOMES,
        operations=_OPERATIONS,
        more=more,
        first=not before,
    )


def show_entry(visit: Visit) -> Response:
    """One row whole, with the fields before and after."""
    number = str(visit.request.path_params["number"])
    if not _is_number(number):
        raise HTTPException(404)
    query = select(audit).where(_of(visit.books.company), audit.c.sequence == int(number))
    with visit.context.store.reading() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise HTTPException(404)
    return visit.show(
        "entry.html",
        tab="history",
        row=row,
        changes=_changes(row["before"], row["after"]),
        quickbooks_url=links.quickbooks(visit.books.target_config, row["entity"], row["quickbooks_id"]),
        bill_url=links.bill(visit.books.tap_config),
    )


def export(visit: Visit) -> Response:
    """All rows that the filters choose, oldest first, as a file that is sent while it is read."""
    form = str(visit.request.path_params["form"])
    written = _WRITERS.get(form)
    if written is None:
        raise HTTPException(404)
    write, media_type = written
    conditions = _conditions(visit.books.company, _filters(visit))
    name = f"history-{visit.books.name}-{visit.now:%Y-%m-%d}.{form}"
    return StreamingResponse(
        _in_pieces(write(_rows(visit.context.store, conditions))),
        media_type=media_type,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _in_pieces(lines: Iterator[str]) -> Iterator[str]:
    """Many lines at once: each piece costs a change of threads."""
    while piece := "".join(itertools.islice(lines, _ROWS_AT_ONCE)):
        yield piece


def _rows(store: Store, conditions: Sequence[ColumnElement[bool]]) -> Iterator[Mapping[str, Any]]:
    """A portion at a time, each in a short transaction: rows are only ever added at the end."""
    reached = 0
    while True:
        query = select(audit).where(*conditions, audit.c.sequence > reached)
        with store.reading() as connection:
            portion = _portion(connection, query.order_by(audit.c.sequence).limit(_ROWS_AT_ONCE))
        yield from portion
        if len(portion) < _ROWS_AT_ONCE:
            return
        reached = portion[-1]["sequence"]


def _portion(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _csv(rows: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    yield csv_line(_NAMES)
    for row in rows:
        yield csv_line(row[name] for name in _NAMES)


def _json(rows: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    start = "[\n"
    for row in rows:
        yield start + to_json({name: plain(row[name]) for name in _NAMES})
        start = ",\n"
    yield "\n]\n" if start == ",\n" else "[]\n"


_WRITERS: dict[str, tuple[Callable[[Iterator[Mapping[str, Any]]], Iterator[str]], str]] = {
    "csv": (_csv, "text/csv; charset=utf-8"),
    "json": (_json, "application/json"),
}


def _filters(visit: Visit) -> Filters:
    operation, outcome = visit.query("operation"), visit.query("outcome")
    return Filters(
        record=visit.query("record"),
        operation=operation if operation in _OPERATIONS else "",
        outcome=outcome if outcome in _OUTCOMES else "",
        since=visit.query("since") if _day(visit.query("since")) else "",
        until=visit.query("until") if _day(visit.query("until")) else "",
        run=visit.query("run"),
    )


def _conditions(company: Company, chosen: Filters) -> list[ColumnElement[bool]]:
    conditions = [_of(company)]
    if chosen.record:
        conditions.append(or_(audit.c.bill_id == chosen.record, audit.c.quickbooks_id == chosen.record))
    if chosen.operation:
        conditions.append(audit.c.operation == chosen.operation)
    if chosen.outcome:
        conditions.append(audit.c.outcome == chosen.outcome)
    if chosen.run:
        conditions.append(audit.c.run_id.startswith(chosen.run, autoescape=True))
    since, until = _day(chosen.since), _day(chosen.until)
    if since:
        conditions.append(audit.c.at >= since)
    if until:
        conditions.append(audit.c.at < until + dt.timedelta(days=1))
    return conditions


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[tuple[str, Any, Any]]:
    old, new = before or {}, after or {}
    names = dict.fromkeys([*new, *old])
    return [(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _day(text: str) -> dt.datetime | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return dt.datetime.combine(day, dt.time(), dt.UTC) if day.year < dt.MAXYEAR else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _of(company: Company) -> ColumnElement[bool]:
    return and_(audit.c.realm_id == company.realm_id, audit.c.organization_id == company.organization_id)
