"""``webhook-shim subscribe``, ``rotate-key``, ``unsubscribe`` and ``events``: for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import click
from target_quickbooks.admin.output import print_table

from webhook_shim import companies, settings
from webhook_shim.bill_events import open_for
from webhook_shim.store.opening import open_for as open_store_for
from webhook_shim.subscription import Desk

_company = click.option("--company", metavar="NAME", help="Only this company; else all of them.")


def address(public_url: str, organization_id: str) -> str:
    """Where BILL is to send an organization's events."""
    return f"{public_url.rstrip('/')}/webhooks/bill/{organization_id}"


@contextmanager
def desks(company: str | None, url: str | None = None) -> Iterator[list[tuple[str, Desk]]]:
    """The desks of the companies asked for, with their titles.

    Raises:
        SettingsError: There is no such company, or the configuration cannot be used.
    """
    chosen = settings.read()
    found = companies.read(chosen)
    wanted = companies.choose(found, [company] if company else [])
    store = open_store_for(found)
    try:
        yield [
            (
                books.title,
                Desk(
                    store=store,
                    bill=open_for(books, chosen.bill_events_url),
                    organization_id=books.organization_id,
                    url=address(url or chosen.public_url, books.organization_id),
                    now=lambda: dt.datetime.now(dt.UTC),
                ),
            )
            for books in wanted
        ]
    finally:
        store.close()


@click.command()
@click.option("--url", metavar="URL", help="Where BILL reaches this server; else public_url of the settings.")
@click.option("--test", is_flag=True, help="Have BILL send a test event, and tell whether it arrived.")
@_company
def subscribe(*, url: str | None, test: bool, company: str | None) -> None:
    """Have BILL tell of all vendors, bills and payments: one subscription, found and repaired if there.

    \b
    Examples:
      webhook-shim subscribe --url https://books.example.com
      webhook-shim subscribe --url https://books.example.com --test
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with desks(company, url) as found:
        for title, desk in found:
            how = desk.subscribe()
            click.echo(f"{title}: the subscription to {desk.url} {how}.")
            known = desk.known()
            if test and known:
                sent = desk.bill.send_test(known.subscription_id)
                click.echo(
                    f"{title}: a test event was sent; this server answered {sent.status or 'nothing'}."
                )


@click.command("rotate-key")
@_company
def rotate_key(*, company: str | None) -> None:
    """Replace the key BILL signs with; events signed with the old one are accepted for another day.

    \b
    Example:
      webhook-shim rotate-key --company larkfield
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with desks(company) as found:
        for title, desk in found:
            desk.rotate_key()
            click.echo(f"{title}: BILL signs with a new key.")


@click.command()
@_company
@click.confirmation_option(prompt="BILL will send no events any more. Go on?")
def unsubscribe(*, company: str | None) -> None:
    """End the subscription, and forget its key.

    \b
    Example:
      webhook-shim unsubscribe --company larkfield --yes
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with desks(company) as found:
        for title, desk in found:
            desk.unsubscribe()
            click.echo(f"{title}: BILL sends no events any more. Polling goes on.")


@click.command()
@click.option("--since", metavar="TIME", default="", help="Only events after this time, such as 2026-03-02.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many."
)
@_company
def events(*, since: str, limit: int, company: str | None) -> None:
    """Show what BILL says it sent, and what this server answered.

    \b
    Example:
      webhook-shim events --since 2026-03-01 --limit 20
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with desks(company) as found:
        for title, desk in found:
            known = desk.known()
            if known is None:
                click.echo(f"{title}: there is no subscription. Make one: webhook-shim subscribe")
                continue
            rows = [
                {
                    "sent": sent.created,
                    "event": sent.kind,
                    "id": sent.id,
                    "answered": str(sent.status or "nothing"),
                }
                for sent in desk.bill.sent(known.subscription_id, since=since, limit=limit)
            ]
            if rows:
                print_table(f"Events of {title}", rows)
            else:
                click.echo(f"{title}: BILL has sent no events.")


COMMANDS = (subscribe, rotate_key, unsubscribe, events)
