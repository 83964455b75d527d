"""``quickbooks-admin recurring``: BILL's recurring bills, the bills they brought forth, and those missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import click

from target_quickbooks.admin.environment import opened_store
from target_quickbooks.admin.output import console, print_json, wide_table
from target_quickbooks.links import Company
from target_quickbooks.mapping.source import Kind
from target_quickbooks.recurring import Schedule, Turn, missing
from target_quickbooks.store import recurring_table, reference_table
from target_quickbooks.store.database import Store

_BILLS_SHOWN = 3
_PERIODS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}


@click.group()
def recurring() -> None:
    """Recurring bills of BILL: when the next one is due, and whether those before have appeared.

    \b
    Examples:
      quickbooks-admin recurring list
      quickbooks-admin recurring list --missing
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


@recurring.command("list")
@click.option("--missing", "only_missing", is_flag=True, help="Only those of which a due bill is missing.")
@click.option("--all", "everything", is_flag=True, help="Archived and ended ones too.")
@click.option("--vendor", default="", help="Of this vendor: BILL id, or part of the name.")
@click.option("--realm", default="", help="Of this company (realm).")
@click.option("--organization", default="", help="Of this BILL organization.")
@click.option("--json", "as_json", is_flag=True, help="For programs; with all bills.")
def list_recurring(*, only_missing: bool, everything: bool, as_json: bool, **chosen: str) -> None:
    """List recurring bills, those that are due next first.

    \b
    Examples:
      quickbooks-admin recurring list --vendor "Happy Music"
      quickbooks-admin recurring list --missing --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store:
        rows = _rows(store, realm_id=chosen["realm"], organization_id=chosen["organization"])
    vendor = chosen["vendor"].casefold()
    rows = [
        row
        for row in rows
        if (everything or row["state"] == "active" or row["missing"])
        and (not only_missing or row["missing"])
        and (not vendor or vendor in row["vendor"].casefold() or vendor == row["vendor_id"].casefold())
    ]
    if as_json:
        print_json(rows)
    elif rows:
        _print(rows)
    elif only_missing:
        click.echo("No bill is missing: every recurring bill that was due has appeared.")
    else:
        click.echo("No recurring bills of that kind: they come with the stream recurring_bills.")


def _rows(store: Store, *, realm_id: str, organization_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    today = dt.datetime.now(dt.UTC).date()
    with store.reading() as database:
        for company in recurring_table.companies(database):
            if realm_id not in {"", company.realm_id} or organization_id not in {"", company.organization_id}:
                continue
            schedules = recurring_table.of_company(database, company)
            turns = recurring_table.turns(database, company)
            names = reference_table.find(
                database,
                company.organization_id,
                [(Kind.VENDOR, schedule.vendor_id) for schedule in schedules],
            )
            for schedule in schedules:
                vendor = names.get((Kind.VENDOR, schedule.vendor_id))
                taken = [turn for turn in turns if turn.recurring_id == schedule.id]
                rows.append(_row(company, schedule, taken, vendor.name if vendor else "", today))
    return sorted(rows, key=lambda row: (row["next_due"] or "9999", row["vendor"], row["id"]))


def _row(
    company: Company, schedule: Schedule, turns: Sequence[Turn], vendor: str, today: dt.date
) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "realm_id": company.realm_id,
        "organization_id": company.organization_id,
        "vendor_id": schedule.vendor_id,
        "vendor": vendor or schedule.vendor_id,
        "description": schedule.description,
        "total": schedule.total,
        "period": schedule.period,
        "frequency": schedule.frequency,
        "next_due": schedule.next_due or None,
        "end_date": schedule.end_date or None,
        "days_in_advance": schedule.days_in_advance,
        "state": schedule.state,
        "missing": [due for _, due in missing([schedule], turns, today)],
        "bills": [{"due_date": turn.due_date, "bill_id": turn.bill_id} for turn in turns if turn.bill_id],
    }


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = wide_table(("recurring bill", 8), ("amount", 3), ("next due", 6), ("latest bills", 7))
    for row in rows:
        unit, count = _PERIODS.get(row["period"], row["period"].lower()), row["frequency"]
        every = f"every {unit}" if count == 1 else f"every {count} {unit}s"
        until = f"\nuntil {row['end_date']}" if row["end_date"] else ""
        bills = [f"{due} is missing" for due in row["missing"]]
        bills += [f"{bill['due_date']} {bill['bill_id']}" for bill in row["bills"][:_BILLS_SHOWN]]
        due = row["next_due"] if row["state"] == "active" else row["state"]
        table.add_row(
            f"{row['vendor']}\n{row['description']}\n{row['id']}",
            f"{row['total']:.2f}",
            f"{due}\n{every}, {row['days_in_advance']} days ahead{until}",
            "\n".join(bills),
            end_section=True,
        )
    console().print(table)
