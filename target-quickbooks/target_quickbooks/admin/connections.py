"""``quickbooks-admin connect`` and ``connections``: to make, show, try and end connections to companies."""

from __future__ import annotations

import datetime as dt
import sys
import webbrowser
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click

from target_quickbooks.admin.company import client_for, settings_for
from target_quickbooks.admin.environment import opened_store, read_settings_before_connecting
from target_quickbooks.admin.output import print_json, print_table
from target_quickbooks.errors import SettingsError
from target_quickbooks.quickbooks import authorization
from target_quickbooks.quickbooks.authorization import AuthorizationRequest, NotConnected
from target_quickbooks.quickbooks.callback import CallbackListener
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.store import connection_table
from target_quickbooks.store.connection_table import Connection

_PORT = 8765
_WAIT_SECONDS = 300


@click.group()
def connections() -> None:
    """Connections to QuickBooks companies.

    \b
    Examples:
      quickbooks-admin connections list
      quickbooks-admin connections test
      quickbooks-admin connections revoke --realm 9341452000000001
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


@connections.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_connections(*, as_json: bool) -> None:
    """List connections: company, age of the grant, days until it ends, dead or alive.

    \b
    Example:
      quickbooks-admin connections list
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store, store.reading() as database:
        found = connection_table.every(database, store.cipher)
    now = utc_now()
    rows = [_row(connection, now) for connection in found]
    if as_json:
        print_json(rows)
    elif rows:
        print_table("Connections", rows)
    else:
        click.echo("No connections. Make one with: quickbooks-admin connect")


@connections.command("test")
@click.option("--realm", help="This company (realm); else that of the settings.")
def test_connection(*, realm: str | None) -> None:
    """Read the company through its connection, renewing the token where needed.

    \b
    Example:
      quickbooks-admin connections test
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    settings = settings_for(realm)
    with opened_store() as store:
        name = Directory(client_for(settings, store)).company().name
        with store.writing() as database:
            connection_table.name_company(database, settings.realm_id, name)
    click.echo(f"Connected to {name} (realm {settings.realm_id}).")


@connections.command("revoke")
@click.option("--realm", help="This company (realm); else that of the settings.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def revoke_connection(*, realm: str | None, yes: bool) -> None:
    """End a connection at Intuit. Runs for this company stop until it is connected again.

    \b
    Example:
      quickbooks-admin connections revoke --realm 9341452000000001
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    settings = settings_for(realm)
    with opened_store() as store:
        with store.reading() as database:
            found = connection_table.load(database, store.cipher, settings.realm_id, settings.client_id)
        if found is None:
            raise SettingsError(
                f"The store has no connection to company (realm) {settings.realm_id} for this client_id. "
                "See: quickbooks-admin connections list"
            )
        company = f"{found.company_name or 'company'} (realm {found.realm_id})"
        if not yes:
            click.confirm(f"End the connection to {company}?", abort=True)
        alive = authorization.revoke(store, settings, found)
    how = "ended" if alive else "had ended at Intuit before; it is marked as dead"
    click.echo(f"The connection to {company} {how}.")


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="Of the callback."
)
@click.option("--redirect-uri", help="A registered https address; you paste the address it leads to.")
@click.option(
    "--timeout", type=click.IntRange(min=1), default=_WAIT_SECONDS, show_default=True, help="Seconds."
)
@click.option("--open/--no-open", "opens", default=None, help="Open a browser; default: if at a terminal.")
@click.option("--other-company", is_flag=True, help="Save also if it is not the company of realm_id.")
@click.option("--yes", is_flag=True, help="Do not ask before saving.")
def connect(
    *, port: int, redirect_uri: str | None, timeout: int, opens: bool | None, other_company: bool, yes: bool
) -> None:
    """Connect a QuickBooks company: agree in the browser, see its name here, and save.

    Register http://localhost:8765/callback as a redirect URI of your Intuit app first. Production keys
    take https addresses only: give one of yours with --redirect-uri, and paste the address that the
    browser shows in the end.

    \b
    Examples:
      quickbooks-admin connect
      quickbooks-admin connect --port 9000 --no-open
      quickbooks-admin connect --redirect-uri https://example.com/callback
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    settings, configured = read_settings_before_connecting()
    with opened_store() as store:
        if redirect_uri:
            request = authorization.authorization_request(settings, redirect_uri=redirect_uri)
            _send(request, opens=opens)
            query = urlsplit(click.prompt("Address the browser shows in the end")).query
        else:
            with CallbackListener(port) as listener:
                request = authorization.authorization_request(settings, redirect_uri=listener.redirect_uri)
                _send(request, opens=opens)
                query = listener.wait(timeout)
        callback = authorization.read_callback(query, request)
        _check_company(callback.realm_id, configured, other_company=other_company)
        connection = authorization.exchange(settings, callback, request)
        name = authorization.read_company_name(store, settings, connection)
        click.echo(f"Company: {name}\nRealm:   {connection.realm_id}")
        if not yes and not click.confirm("Save this connection?"):
            raise NotConnected("Nothing was saved.")
        authorization.save(store, settings, replace(connection, company_name=name))
    click.echo(f"Connected to {name}.")
    if configured != connection.realm_id:
        click.echo(f"Set realm_id to {connection.realm_id} to work with it.")


def _send(request: AuthorizationRequest, *, opens: bool | None) -> None:
    click.echo(f"Agree to the connection in a browser at:\n\n  {request.url}\n")
    if sys.stdout.isatty() if opens is None else opens:
        webbrowser.open(request.url)


def _check_company(realm_id: str, configured: str, *, other_company: bool) -> None:
    if configured and realm_id != configured and not other_company:
        raise NotConnected(
            f"You chose company (realm) {realm_id}, but realm_id is {configured}. Nothing was saved: choose "
            "the other company, or change realm_id, or give --other-company."
        )


def _row(connection: Connection, now: dt.datetime) -> dict[str, Any]:
    ends = connection.refresh_expires_at
    left = int((ends - now) / dt.timedelta(days=1)) if ends else None
    if connection.dead_since:
        state = f"dead since {connection.dead_since:%Y-%m-%d}"
    else:
        state = "expired" if ends and ends < now else "alive"
    return {
        "realm": connection.realm_id,
        "company": connection.company_name,
        "granted_days_ago": (now - connection.granted_at).days,
        "days_to_expiry": left,
        "state": state,
    }
