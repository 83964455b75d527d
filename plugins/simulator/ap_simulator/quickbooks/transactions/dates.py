"""Dates of transactions: defaults, due dates by terms, closed books (QuickBooks manual 6.2, 7.3)."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from ap_simulator.quickbooks import references
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.formats import pacific_date
from ap_simulator.quickbooks.problems import refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.writing.context import Write

_CLOSED: Final = (
    "The account period has closed and the account books cannot be updated through through the "
    "QBO Services API. Please use the QBO website to make these changes."
)


def settle_dates(write: Write) -> None:
    """Settle TxnDate and DueDate and refuse dates in the closed period.

    Raises:
        RefusedError: 6210, or 2500 for a bad SalesTermRef.
    """
    body, realm = write.body, write.realm
    body.setdefault("TxnDate", pacific_date(realm.clock.now()).isoformat())
    for dates in (body, write.stored):
        if dates:
            check_open_books(realm, write.entity, dates)
    if "DueDate" not in write.entity.by_name:
        return
    term = body.get("SalesTermRef")
    if term is not None and write.sends("SalesTermRef"):
        references.resolve(write, "Term", term)
    stays = "DueDate" in body and not (
        write.sends("SalesTermRef")
        and not write.sends("DueDate")
        and term != write.stored.get("SalesTermRef")
    )
    if stays:
        return
    stored_term = realm.record("Term", term["value"]) if term is not None else None
    if stored_term is not None:
        due = due_date(date.fromisoformat(body["TxnDate"]), stored_term.body)
        body["DueDate"] = due.isoformat()
    elif write.entity.name == "Bill":
        body["DueDate"] = body["TxnDate"]


def due_date(day: date, term: Mapping[str, Any]) -> date:
    """When something of `day` is due under a term."""
    if "DueDays" in term:
        return day + timedelta(days=int(term["DueDays"]))
    if "DayOfMonthDue" not in term:
        return day
    due = _on_day(day.year, day.month, int(term["DayOfMonthDue"]))
    grace = timedelta(days=int(term.get("DueNextMonthDays", 0)))
    while due < day or due - day < grace:
        year, month = divmod(due.year * 12 + due.month, 12)
        due = _on_day(year, month + 1, int(term["DayOfMonthDue"]))
    return due


def check_open_books(realm: Realm, entity: EntityType, body: Mapping[str, Any]) -> None:
    """Refuse a change of a transaction in the closed period.

    Raises:
        RefusedError: 6210.
    """
    closed = realm.profile.book_close_date
    if closed is None:
        return
    if entity.name == "PurchaseOrder" and not realm.switches.closed_books_purchase_orders:
        return
    if body["TxnDate"] <= closed.isoformat():
        raise refused("6210", _CLOSED)


def _on_day(year: int, month: int, day: int) -> date:
    return date(year, month, min(max(day, 1), calendar.monthrange(year, month)[1]))
