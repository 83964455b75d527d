"""``quickbooks-admin``: the command line for the people who look after the connection and the records.

Reads the same ``TARGET_QUICKBOOKS_...`` variables as the target, so it works inside and outside Meltano
(``meltano invoke target-quickbooks`` sets them; elsewhere export them or keep them in ``.env``).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from cryptography.fernet import Fernet
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from target_quickbooks.errors import SettingsError, TargetError
from target_quickbooks.exact_json import to_json
from target_quickbooks.redaction import redact
from target_quickbooks.store import (
    audit_table,
    connection_table,
    failure_table,
    link_table,
    run_table,
    tables,
)
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import Store, default_url, open_store
from target_quickbooks.store.failure_table import UNSETTLED, Failure, Status

_PREFIX = "TARGET_QUICKBOOKS_"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="target-quickbooks")
def commands() -> None:
    r"""Look after links, failures, connections and the audit trail of target-quickbooks.

    \b
    Examples:
      quickbooks-admin generate-key
      quickbooks-admin status
      quickbooks-admin failures list
      quickbooks-admin failures show 12
      quickbooks-admin audit verify
    """


def main() -> None:
    """Run the command line; what goes wrong is one line and exit code 1."""
    try:
        commands(standalone_mode=True)
    except TargetError as error:
        click.echo(f"quickbooks-admin: {error}", err=True)
        sys.exit(error.exit_code)


@commands.command("generate-key")
def generate_key() -> None:
    """Print a new key for the setting encryption_key. Keep it apart from the store."""
    click.echo(Fernet.generate_key().decode())


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(*, as_json: bool) -> None:
    """Show connections, links, failures and the latest runs."""
    with _store() as store, store.reading() as database:
        found = {
            "store": store.url,
            "connections": [
                {
                    "realm_id": connection.realm_id,
                    "company": connection.company_name,
                    "granted_at": connection.granted_at,
                    "refreshed_at": connection.refreshed_at,
                    "refresh_expires_at": connection.refresh_expires_at,
                    "dead_since": connection.dead_since,
                }
                for connection in connection_table.every(database, store.cipher)
            ],
            "links": [
                {"realm_id": realm, "organization_id": organization, "entity": entity, "count": count}
                for realm, organization, entity, count in link_table.counts(database)
            ],
            "failures": failure_table.counts(database),
            "runs": [
                {
                    "id": row["id"],
                    "mode": row["mode"],
                    "started_at": row["started_at"],
                    "finished_at": row["finished_at"],
                    "exit_code": row["exit_code"],
                }
                for row in run_table.latest(database)
            ],
        }
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
        return
    console = _console()
    console.print(f"Store: {found['store']}")
    _print_table(console, "Connections", found["connections"])
    _print_table(console, "Links", found["links"])
    _print_table(console, "Failures", [found["failures"]] if found["failures"] else [])
    _print_table(console, "Latest runs", found["runs"])


@commands.group()
def failures() -> None:
    """Records that could not be written."""


@failures.command("list")
@click.option("--realm", help="Only of this company (realm).")
@click.option("--all", "everything", is_flag=True, help="Resolved and dismissed ones too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_failures(*, realm: str | None, everything: bool, as_json: bool) -> None:
    """List failures with the reason and what to do."""
    statuses = tuple(Status) if everything else UNSETTLED
    with _store() as store, store.reading() as database:
        found = failure_table.select_failures(database, store.cipher, statuses=statuses, realm_id=realm)
    if as_json:
        click.echo(json.dumps([_summary(failure) for failure in found], indent=2, default=str))
        return
    if not found:
        click.echo("No failures: every record that arrived is in QuickBooks.")
        return
    table = Table(box=box.SIMPLE_HEAD, expand=True)
    for name, ratio in (("id", 1), ("record", 6), ("reason, and what to do", 12)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for failure in found:
        state = "" if failure.status is Status.OPEN else f" ({failure.status})"
        table.add_row(
            str(failure.id),
            f"{failure.label}\n{failure.stream} {failure.bill_id}{state}\n{failure.code}",
            f"{failure.reason}\n{failure.advice}",
            end_section=True,
        )
    _console().print(table)


@failures.command("show")
@click.argument("failure_id", type=int)
def show_failure(failure_id: int) -> None:
    """Show one failure whole: faults, BILL record and mapped payload (tax ids to the last four)."""
    with _store() as store, store.reading() as database:
        failure = failure_table.by_number(database, store.cipher, failure_id)
    if failure is None:
        msg = f"There is no failure {failure_id}. See: quickbooks-admin failures list --all"
        raise SettingsError(msg)
    detail = {
        **_summary(failure),
        "attempts": failure.attempts,
        "faults": list(failure.faults),
        "record": redact(failure.record),
        "payload": redact(failure.payload),
    }
    click.echo(json.dumps(json.loads(to_json(_plain(detail))), indent=2, ensure_ascii=False))


@commands.group()
def audit() -> None:
    """The history of every change."""


@audit.command("verify")
def verify_audit() -> None:
    """Check that no audit row was changed, removed or slipped in. Exit code 1 if one was."""
    broken = False
    with _store() as store, store.reading() as database:
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


@contextmanager
def _store() -> Iterator[Store]:
    """The store that the target's own settings name."""
    key = os.environ.get(f"{_PREFIX}ENCRYPTION_KEY", "")
    if not key:
        msg = f"{_PREFIX}ENCRYPTION_KEY is not set. Set the variables that target-quickbooks uses."
        raise SettingsError(msg)
    keys = tuple(part.strip() for part in key.split(",") if part.strip())
    url = os.environ.get(f"{_PREFIX}STORE_URL") or default_url()
    store = open_store(url, Cipher(keys))
    try:
        yield store
    finally:
        store.close()


def _console() -> Console:
    """Prints texts as they are: names may hold brackets and colons."""
    return Console(markup=False, emoji=False, highlight=False)


def _summary(failure: Failure) -> dict[str, Any]:
    return {
        "id": failure.id,
        "realm_id": failure.company.realm_id if failure.company else "",
        "organization_id": failure.company.organization_id if failure.company else "",
        "stream": failure.stream,
        "record_id": failure.bill_id,
        "label": failure.label,
        "status": str(failure.status),
        "code": failure.code,
        "reason": failure.reason,
        "advice": failure.advice,
        "first_at": failure.first_at,
        "last_at": failure.last_at,
    }


def _plain(detail: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if key.endswith("_at") else value for key, value in detail.items()}


def _print_table(console: Console, title: str, rows: Any) -> None:
    if not rows:
        console.print(f"{title}: none")
        return
    table = Table(*rows[0].keys(), title=title, title_justify="left")
    for row in rows:
        table.add_row(*(("" if value is None else str(value)) for value in row.values()))
    console.print(table)
