"""``quickbooks-admin preflight``: all that is wrong with the company for these settings, at any time."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from target_quickbooks.admin.company import client_for, settings_for
from target_quickbooks.admin.environment import opened_store
from target_quickbooks.admin.output import print_json
from target_quickbooks.assembly import grant_end
from target_quickbooks.gate import Gate
from target_quickbooks.kind_of_books import problems_of_realm
from target_quickbooks.preflight import Bills, describe
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.quickbooks.oauth import utc_now


@click.command()
@click.option("--realm", help="This company (realm); else that of the settings.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def preflight(*, realm: str | None, as_json: bool) -> None:
    """Look at the company as a run does before its first write, and tell all that is wrong.

    The exit code is 1 if a run would stop.

    \b
    Examples:
      quickbooks-admin preflight
      quickbooks-admin preflight --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    settings = settings_for(realm)
    with opened_store() as store:
        gate = Gate(
            Directory(client_for(settings, store)),
            settings.policies,
            grant_ends=lambda: grant_end(store, settings),
            now=utc_now,
        )
        found = gate.examine(Bills.EXPECTED)
        changed = problems_of_realm(store, settings.realm_id, settings.policies)
        found = replace(found, findings=(*found.findings, *changed))
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(f"{found.company.name} (realm {settings.realm_id}): {describe(found.company)}")
        for line in found.lines() or ["Nothing is wrong with the company for these settings."]:
            click.echo(line)
    if found.errors:
        sys.exit(1)
