"""Failures: why a record is not in QuickBooks, what to do, and the buttons to try again or to let go."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Connection, and_, func, select
from starlette.exceptions import HTTPException
from starlette.responses import Response
from target_quickbooks.links import Company
from target_quickbooks.redaction import redact, redact_text
from target_quickbooks.store import audit_table, failure_table, link_table, locks
from target_quickbooks.store.failure_table import UNSETTLED, Failure, Status
from target_quickbooks.store.tables import failures

from webhook_shim.store.jobs_table import Kind
from webhook_shim.web import links, words
from webhook_shim.web.visits import Visit

_PAGE = 50
_MOST_AT_ONCE = 5000
_REASON_LENGTH = 500
_LONGEST_NUMBER = 18
_AGES = {
    "day": ("Since yesterday", dt.timedelta(days=1), False),
    "week": ("In the last 7 days", dt.timedelta(days=7), False),
    "old": ("Older than 7 days", dt.timedelta(days=7), True),
}
_SHOWN = {
    "unsettled": ("Open and waiting", UNSETTLED),
    "dismissed": ("Dismissed", (Status.DISMISSED,)),
    "resolved": ("Went through", (Status.RESOLVED,)),
    "all": ("All", tuple(Status)),
}
_COLUMNS = [column for column in failures.columns if column.name not in {"record", "payload", "faults"}]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which failures are shown; what is empty does not matter."""

    code: str = ""
    stream: str = ""
    age: str = ""
    show: str = "unsettled"

    def query(self, **more: str) -> str:
        """As the query of an address."""
        values = {"code": self.code, "stream": self.stream, "age": self.age, **more}
        if self.show != "unsettled":
            values["show"] = self.show
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def any(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.query())


def list_failures(visit: Visit) -> Response:
    """The failures, oldest first, with filters."""
    chosen = _filters(visit)
    company = visit.books.company
    after = int(visit.query("after")) if _is_number(visit.query("after")) else 0
    conditions = _conditions(company, chosen, visit.now)
    with visit.context.store.reading() as connection:
        query = select(*_COLUMNS).where(*conditions, failures.c.id > after)
        rows = list(connection.execute(query.order_by(failures.c.id).limit(_PAGE + 1)).mappings())
        number = connection.execute(
            select(func.count()).select_from(failures).where(*conditions)
        ).scalar_one()
        options = _options(connection, company)
        counts = failure_table.counts(connection, company)
    more = chosen.query(after=str(rows[_PAGE - 1]["id"])) if len(rows) > _PAGE else ""
    return visit.show(
        "failures.html",
        tab="failures",
        rows=rows[:_PAGE],
        number=number,
        filters=chosen,
        options=options,
        ages={key: value[0] for key, value in _AGES.items()},
        shows={key: value[0] for key, value in _SHOWN.items()},
        counts=counts,
        more=more,
        most=_MOST_AT_ONCE,
    )


def show_failure(visit: Visit) -> Response:
    """One failure whole: what QuickBooks said, the BILL record and what was to be sent, without secrets."""
    store, books = visit.context.store, visit.books
    with store.reading() as connection:
        failure = failure_table.by_number(connection, store.cipher, _number(visit))
        if failure is None or failure.company != books.company:
            raise HTTPException(404)
        entity = links.entity_of(books.target_config, failure.stream)
        linked = link_table.find(connection, books.company, entity, [failure.bill_id]) if entity else {}
    link = linked.get(failure.bill_id)
    return visit.show(
        "failure.html",
        tab="failures",
        failure=failure,
        unsettled=failure.status in UNSETTLED,
        link=link,
        entity=entity,
        quickbooks_url=links.quickbooks(books.target_config, entity, link.quickbooks_id) if link else "",
        bill_url=links.bill(books.tap_config),
        record=redact(failure.record),
        payload=redact(failure.payload) if failure.payload else None,
        faults=[{name: redact_text(str(text)) for name, text in fault.items()} for fault in failure.faults],
    )


def replay(visit: Visit) -> Response:
    """Ask for a job that tries the chosen failures again."""
    numbers = _chosen(visit)
    if not numbers:
        return visit.send_to(
            visit.path("/failures"),
            tone="bad",
            notice="Nothing to try again: choose at least one open record.",
        )
    job_id = visit.ask(Kind.REPLAY, numbers)
    notice = f"Trying {words.count(len(numbers), 'record')} again."
    return visit.send_to(visit.path(f"/runs/{job_id}"), tone="good", notice=notice)


def dismiss(visit: Visit) -> Response:
    """Let the chosen failures go, with a reason that is kept in the history."""
    reason = " ".join(redact_text(visit.field("reason")).split())[:_REASON_LENGTH]
    numbers = _chosen(visit)
    back = visit.path("/failures")
    if not numbers:
        return visit.send_to(back, tone="bad", notice="Nothing to dismiss: choose at least one open record.")
    if not reason:
        return visit.send_to(
            back, tone="bad", notice="Nothing was dismissed: say why, it is kept in the history."
        )
    store = visit.context.store
    with store.writing(locks.company(visit.books.realm_id)) as connection:
        found = [
            failure
            for number in numbers
            if (failure := failure_table.by_number(connection, store.cipher, number)) is not None
            and failure.status in UNSETTLED
        ]
        failure_table.dismiss(connection, [failure.id for failure in found if failure.id], now=visit.now)
        audit_table.append(
            connection,
            store.fingerprint_key,
            [_dismissal(failure, reason, visit.books.company) for failure in found],
            run_id=str(uuid.uuid4()),
            trigger="status page",
            now=visit.now,
        )
    return visit.send_to(back, tone="good", notice=f"Dismissed {words.count(len(found), 'record')}.")


def _chosen(visit: Visit) -> list[int]:
    """Numbers of unsettled failures of this company: those that were ticked, or all that the filters show."""
    company = visit.books.company
    if visit.field("all"):
        chosen = Filters(visit.field("code"), visit.field("stream"), visit.field("age"))
        conditions = _conditions(company, chosen, visit.now)
    else:
        given = sorted({int(text) for text in visit.fields("number") if _is_number(text)})[:_MOST_AT_ONCE]
        conditions = [_of(company), failures.c.status.in_(UNSETTLED), failures.c.id.in_(given)]
    query = select(failures.c.id).where(*conditions).order_by(failures.c.id).limit(_MOST_AT_ONCE)
    with visit.context.store.reading() as connection:
        return list(connection.execute(query).scalars())


def _filters(visit: Visit) -> Filters:
    age, show = visit.query("age"), visit.query("show") or "unsettled"
    return Filters(
        code=visit.query("code"),
        stream=visit.query("stream"),
        age=age if age in _AGES else "",
        show=show if show in _SHOWN else "unsettled",
    )


def _conditions(company: Company, chosen: Filters, now: dt.datetime) -> list[ColumnElement[bool]]:
    conditions = [_of(company), failures.c.status.in_([str(status) for status in _SHOWN[chosen.show][1]])]
    if chosen.code:
        conditions.append(failures.c.code == chosen.code)
    if chosen.stream:
        conditions.append(failures.c.stream == chosen.stream)
    if chosen.age in _AGES:
        _, length, older = _AGES[chosen.age]
        edge = now - length
        conditions.append(failures.c.first_at < edge if older else failures.c.first_at >= edge)
    return conditions


def _options(connection: Connection, company: Company) -> dict[str, Sequence[str]]:
    def distinct(column: Any) -> list[str]:
        query = select(column).where(_of(company)).distinct().order_by(column)
        return list(connection.execute(query).scalars())

    return {"code": distinct(failures.c.code), "stream": distinct(failures.c.stream)}


def _dismissal(failure: Failure, reason: str, company: Company) -> audit_table.Entry:
    return audit_table.Entry(
        company=company,
        stream=failure.stream,
        bill_id=failure.bill_id,
        version=failure.version,
        entity="",
        quickbooks_id="",
        operation="dismiss",
        outcome="dismissed",
        before={"status": str(failure.status), "code": failure.code},
        after={"status": str(Status.DISMISSED)},
        detail=reason,
    )


def _number(visit: Visit) -> int:
    text = str(visit.request.path_params["number"])
    if not _is_number(text):
        raise HTTPException(404)
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _of(company: Company) -> ColumnElement[bool]:
    return and_(
        failures.c.realm_id == company.realm_id, failures.c.organization_id == company.organization_id
    )
