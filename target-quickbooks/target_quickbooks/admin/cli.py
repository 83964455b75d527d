"""The root of ``quickbooks-admin``: its commands put together, and what shows the state of everything.

Reads the same ``TARGET_QUICKBOOKS_...`` variables as the target, so it works inside and outside Meltano
(``meltano invoke target-quickbooks`` sets them; elsewhere export them or keep them in ``.env``).
"""

from __future__ import annotations

import sys

import click

from target_quickbooks.admin.audit import audit
from target_quickbooks.admin.connections import connect, connections
from target_quickbooks.admin.drift import drift
from target_quickbooks.admin.environment import opened_store
from target_quickbooks.admin.failures import failures
from target_quickbooks.admin.keys import generate_key, rekey
from target_quickbooks.admin.links import links
from target_quickbooks.admin.output import console, print_json, print_table
from target_quickbooks.admin.payments import payments
from target_quickbooks.admin.preflight import preflight
from target_quickbooks.admin.recurring import recurring
from target_quickbooks.admin.store import store as store_commands
from target_quickbooks.errors import TargetError
from target_quickbooks.store import connection_table, failure_table, link_table, run_table


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="target-quickbooks")
def commands() -> None:
    """Look after links, failures, connections and the audit trail of target-quickbooks.

    \b
    Examples:
      quickbooks-admin generate-key
      quickbooks-admin connect
      quickbooks-admin preflight
      quickbooks-admin status
      quickbooks-admin failures list
      quickbooks-admin failures replay --code account-unknown
      quickbooks-admin links show
      quickbooks-admin payments list --unfinished
      quickbooks-admin recurring list --missing
      quickbooks-admin audit list --since 3d
      quickbooks-admin audit verify
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


def main() -> None:
    """Run the command line; what goes wrong is one line and exit code 1."""
    try:
        commands(standalone_mode=True)
    except TargetError as error:
        click.echo(f"quickbooks-admin: {error}", err=True)
        sys.exit(error.exit_code)


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(*, as_json: bool) -> None:
    """Show connections, links, failures and the latest runs.

    \b
    Examples:
      quickbooks-admin status
      quickbooks-admin status --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store, store.reading() as database:
        known = [
            {
                "realm_id": connection.realm_id,
                "company": connection.company_name,
                "granted_at": connection.granted_at,
                "refreshed_at": connection.refreshed_at,
                "refresh_expires_at": connection.refresh_expires_at,
                "dead_since": connection.dead_since,
            }
            for connection in connection_table.every(database, store.cipher)
        ]
        linked = [
            {"realm_id": realm, "organization_id": organization, "entity": entity, "count": count}
            for realm, organization, entity, count in link_table.counts(database)
        ]
        counts = failure_table.counts(database)
        names = ("id", "mode", "started_at", "finished_at", "exit_code")
        runs = [{name: row[name] for name in names} for row in run_table.latest(database)]
        url = store.url
    if as_json:
        print_json({"store": url, "connections": known, "links": linked, "failures": counts, "runs": runs})
        return
    console().print(f"Store: {url}")
    print_table("Connections", known)
    print_table("Links", linked)
    print_table("Failures", [counts] if counts else [])
    print_table("Latest runs", runs)


commands.add_command(connect)
commands.add_command(connections)
commands.add_command(drift)
commands.add_command(failures)
commands.add_command(links)
commands.add_command(payments)
commands.add_command(recurring)
commands.add_command(generate_key)
commands.add_command(rekey)
commands.add_command(store_commands)
commands.add_command(preflight)
commands.add_command(audit)
