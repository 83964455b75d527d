"""``quickbooks-admin audit``: the history of every change."""

from __future__ import annotations

import sys

import click
from sqlalchemy import select

from target_quickbooks.admin.environment import opened_store
from target_quickbooks.store import audit_table, tables


@click.group()
def audit() -> None:
    """The history of every change."""


@audit.command("verify")
def verify_audit() -> None:
    r"""Check that no audit row was changed, removed or slipped in. Exit code 1 if one was.

    \b
    Example:
      quickbooks-admin audit verify
    """
    broken = False
    with opened_store() as store, store.reading() as database:
        realms = database.execute(select(tables.audit.c.realm_id).distinct()).scalars().all()
        for realm_id in realms:
            sequence = audit_table.first_break(database, realm_id)
            if sequence is None:
                rows = audit_table.count(database, realm_id)
                click.echo(f"realm {realm_id}: {rows} rows, the chain holds")
            else:
                broken = True
                click.echo(f"realm {realm_id}: the chain breaks at row {sequence}", err=True)
    if not realms:
        click.echo("The audit trail is empty.")
    sys.exit(1 if broken else 0)
