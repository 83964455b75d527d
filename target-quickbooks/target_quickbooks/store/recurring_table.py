"""Recurring bills and the turns they take, always within one company."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, delete, insert, select

from target_quickbooks.links import Company
from target_quickbooks.recurring import Schedule, Turn
from target_quickbooks.store.portions import portions
from target_quickbooks.store.tables import recurring_bills, recurring_turns


def find(connection: Connection, company: Company, recurring_ids: Iterable[str]) -> dict[str, Schedule]:
    """Schedules by id."""
    found: dict[str, Schedule] = {}
    for ids in portions(recurring_ids):
        query = select(recurring_bills).where(
            _of(recurring_bills, company), recurring_bills.c.recurring_id.in_(ids)
        )
        found |= {row["recurring_id"]: _schedule(row) for row in connection.execute(query).mappings()}
    return found


def of_company(connection: Connection, company: Company) -> list[Schedule]:
    """All schedules."""
    query = select(recurring_bills).where(_of(recurring_bills, company))
    rows = connection.execute(query.order_by(recurring_bills.c.recurring_id)).mappings()
    return [_schedule(row) for row in rows]


def companies(connection: Connection) -> list[Company]:
    """The companies that have schedules."""
    columns = recurring_bills.c.realm_id, recurring_bills.c.organization_id
    query = select(*columns).distinct().order_by(*columns)
    return [Company(realm_id, organization_id) for realm_id, organization_id in connection.execute(query)]


def save(connection: Connection, company: Company, changed: Collection[Schedule]) -> None:
    """Insert or replace schedules."""
    for schedule in changed:
        connection.execute(
            delete(recurring_bills).where(
                _of(recurring_bills, company), recurring_bills.c.recurring_id == schedule.id
            )
        )
        connection.execute(insert(recurring_bills).values(**_key(company), **_values(schedule)))


def turns(connection: Connection, company: Company) -> list[Turn]:
    """All turns, the latest first."""
    table = recurring_turns
    query = select(table).where(_of(table, company)).order_by(table.c.due_date.desc(), table.c.recurring_id)
    return [
        Turn(row["recurring_id"], row["due_date"], row["bill_id"])
        for row in connection.execute(query).mappings()
    ]


def save_turns(connection: Connection, company: Company, changed: Collection[Turn]) -> None:
    """Insert or replace turns."""
    table = recurring_turns
    for turn in changed:
        connection.execute(
            delete(table).where(
                _of(table, company),
                table.c.recurring_id == turn.recurring_id,
                table.c.due_date == turn.due_date,
            )
        )
        connection.execute(
            insert(table).values(
                **_key(company),
                recurring_id=turn.recurring_id,
                due_date=turn.due_date,
                bill_id=turn.bill_id,
            )
        )


def _values(schedule: Schedule) -> dict[str, Any]:
    return {
        "recurring_id": schedule.id,
        "vendor_id": schedule.vendor_id,
        "description": schedule.description,
        "period": schedule.period[:100],
        "frequency": schedule.frequency,
        "next_due": schedule.next_due,
        "end_date": schedule.end_date,
        "days_in_advance": schedule.days_in_advance,
        "anchor_day": schedule.anchor_day,
        "total": schedule.total,
        "archived": int(schedule.archived),
        "version": schedule.version,
    }


def _schedule(row: RowMapping) -> Schedule:
    return Schedule(
        id=row["recurring_id"],
        vendor_id=row["vendor_id"],
        description=row["description"],
        period=row["period"],
        frequency=row["frequency"],
        next_due=row["next_due"],
        end_date=row["end_date"],
        days_in_advance=row["days_in_advance"],
        anchor_day=row["anchor_day"],
        total=row["total"],
        archived=bool(row["archived"]),
        version=row["version"],
    )


def _key(company: Company) -> dict[str, str]:
    return {"realm_id": company.realm_id, "organization_id": company.organization_id}


def _of(table: Table, company: Company) -> ColumnElement[bool]:
    return and_(table.c.realm_id == company.realm_id, table.c.organization_id == company.organization_id)
