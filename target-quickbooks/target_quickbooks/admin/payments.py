"""``quickbooks-admin payments``: BILL's payments and vendor credits, with every status they were seen in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import click

from target_quickbooks.admin.environment import opened_store
from target_quickbooks.admin.output import console, print_json, print_table, wide_table
from target_quickbooks.errors import SettingsError
from target_quickbooks.links import Company
from target_quickbooks.mapping.payments import Credit, Payment, Standing
from target_quickbooks.store import link_table, payment_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.payment_table import Selection

_SHOWN = 50
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def payments() -> None:
    """Payments and vendor credits of BILL, and the purchase orders of the bills they pay.

    \b
    Examples:
      quickbooks-admin payments list --unfinished
      quickbooks-admin payments list --bill 00n02BILL00000ABC123
      quickbooks-admin payments show stp01ZZRCUFIQWHP6ldb
      quickbooks-admin payments credits
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


@payments.command("list")
@click.option("--bill", default="", help="That pay this bill (BILL id).")
@click.option("--vendor", default="", help="Of this vendor: BILL id, or part of the name.")
@click.option("--status", default="", help="In this status, e.g. CLEARED or SCHEDULED.")
@click.option("--standing", type=click.Choice([str(one) for one in Standing]), help="What the status means.")
@click.option("--unfinished", is_flag=True, help="Only those that may still change.")
@click.option("--since", type=_DAY, help="Process date, from this day on.")
@click.option("--realm", default="", help="Of this company (realm).")
@click.option("--organization", default="", help="Of this BILL organization.")
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="At most.")
@click.option("--json", "as_json", is_flag=True, help="For programs; with all statuses.")
def list_payments(*, as_json: bool, limit: int, **chosen: Any) -> None:
    """List payments, the latest first.

    \b
    Examples:
      quickbooks-admin payments list
      quickbooks-admin payments list --standing failed
      quickbooks-admin payments list --vendor "Happy Music" --since 2026-12-01 --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    since: dt.datetime | None = chosen["since"]
    selection = Selection(
        bill_id=chosen["bill"],
        vendor=chosen["vendor"],
        status=chosen["status"],
        standing=Standing(chosen["standing"]) if chosen["standing"] else None,
        unfinished=chosen["unfinished"],
        since=since.date() if since else None,
        realm_id=chosen["realm"],
        organization_id=chosen["organization"],
        limit=limit,
    )
    with opened_store() as store:
        with store.reading() as database:
            found = payment_table.select_payments(database, selection)
        rows = [_row(store, company, payment) for company, payment in found]
    if as_json:
        print_json(rows)
    elif rows:
        _print(rows)
    elif replace(selection, limit=_SHOWN) == Selection(limit=_SHOWN):
        click.echo("No payments yet: they come with the stream payments.")
    else:
        click.echo("No payments of that kind.")


@payments.command("show")
@click.argument("payment_id")
def show_payment(*, payment_id: str) -> None:
    """Show one payment: every status it was seen in, the bills it pays and their purchase orders.

    \b
    Example:
      quickbooks-admin payments show stp01ZZRCUFIQWHP6ldb
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store:
        with store.reading() as database:
            found = payment_table.select_payments(database, Selection(ids=(payment_id,)))
        rows = [_row(store, company, payment) for company, payment in found]
    if not rows:
        raise SettingsError(f"There is no payment {payment_id}. See: quickbooks-admin payments list")
    for row in rows:
        print_json(row)


@payments.command("credits")
@click.option("--realm", default="", help="Of this company (realm).")
@click.option("--organization", default="", help="Of this BILL organization.")
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="At most.")
@click.option("--json", "as_json", is_flag=True, help="For programs; with the bills they are used for.")
def list_credits(*, realm: str, organization: str, limit: int, as_json: bool) -> None:
    """List vendor credits, the latest first, and how much of them is used.

    \b
    Example:
      quickbooks-admin payments credits --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store, store.reading() as database:
        found = payment_table.select_credits(
            database, realm_id=realm, organization_id=organization, limit=limit
        )
    rows = [_credit_row(company, credit) for company, credit in found]
    if as_json:
        print_json(rows)
    elif rows:
        shown = ("id", "reference", "date", "amount", "used", "left", "status", "bills")
        texts = [{**row, "bills": "\n".join(use["bill_id"] for use in row["uses"])} for row in rows]
        print_table("Vendor credits", [{name: row[name] for name in shown} for row in texts])
    else:
        click.echo("No vendor credits yet: they come with the stream vendor_credits.")


def _row(store: Store, company: Company, payment: Payment) -> dict[str, Any]:
    bills = [part.bill_id for part in payment.parts]
    with store.reading() as database:
        links = link_table.find(database, company, "PurchaseOrder", bills)
        held = link_table.find(database, company, "Bill", bills)
        posted = link_table.find(database, company, "BillPayment", [payment.id]).get(payment.id)
        balances = payment_table.find_balances(database, company, bills)
    return {
        "id": payment.id,
        "realm_id": company.realm_id,
        "organization_id": company.organization_id,
        "vendor_id": payment.vendor_id,
        "vendor": payment.vendor_name,
        "amount": payment.amount,
        "process_date": payment.process_date or None,
        "method": payment.method,
        "reference": payment.reference,
        "status": payment.latest.name,
        "standing": str(payment.standing),
        "final": payment.is_final,
        "bill_payment": posted.quickbooks_id if posted else None,
        "bill_payment_voided": not posted.desired if posted else None,
        "bills": [
            {
                "bill_id": part.bill_id,
                "invoice_number": balances[part.bill_id].invoice_number if part.bill_id in balances else None,
                "amount": part.amount,
                "credits": [{"id": credit, "amount": amount} for credit, amount in part.credits],
                "bill": held[part.bill_id].quickbooks_id if part.bill_id in held else None,
                "purchase_order": links[part.bill_id].quickbooks_id if part.bill_id in links else None,
                "order_status": links[part.bill_id].desired.get("POStatus")
                if part.bill_id in links
                else None,
            }
            for part in payment.parts
        ],
        "statuses": [{"status": sight.name, "seen_at": sight.at} for sight in payment.sights],
    }


def _credit_row(company: Company, credit: Credit) -> dict[str, Any]:
    uses = [use for use in credit.uses if use.amount]
    used = sum((use.amount for use in uses), Decimal(0))
    return {
        "id": credit.id,
        "realm_id": company.realm_id,
        "organization_id": company.organization_id,
        "vendor_id": credit.vendor_id,
        "reference": credit.reference,
        "date": credit.date or None,
        "amount": credit.amount,
        "used": used,
        "left": credit.amount - used,
        "status": "ARCHIVED" if credit.archived else credit.status,
        "uses": [
            {"bill_id": use.bill_id, "payment_id": use.payment_id or None, "amount": use.amount}
            for use in uses
        ],
    }


def _posted(row: Mapping[str, Any]) -> str:
    if not row["bill_payment"]:
        return ""
    return f"\n{'voided' if row['bill_payment_voided'] else 'written'} as {row['bill_payment']}"


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = wide_table(("payment", 6), ("amount", 3), ("status", 5), ("bills and their orders", 8))
    for row in rows:
        day = f"{row['process_date']} " if row["process_date"] else ""
        reference = f"\n{row['reference']}" if row["reference"] else ""
        final = "" if row["final"] else ", may change"
        bills = [
            f"{bill['invoice_number'] or bill['bill_id']}: {bill['amount']:.2f}"
            + (f", order {bill['purchase_order']} {bill['order_status']}" if bill["purchase_order"] else "")
            + (f", bill {bill['bill']}" if bill["bill"] else "")
            for bill in row["bills"]
        ]
        table.add_row(
            f"{day}{row['vendor']}{reference}\n{row['id']}",
            f"{row['amount']:.2f}",
            f"{row['status']}\n{row['standing']}{final}{_posted(row)}",
            "\n".join(bills),
            end_section=True,
        )
    console().print(table)
