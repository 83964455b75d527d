"""``quickbooks-admin store``: moving the store from one database to another."""

from __future__ import annotations

import click

from target_quickbooks.admin.environment import opened_store
from target_quickbooks.errors import SettingsError
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.store.copying import copy as copy_store


@click.group()
def store() -> None:
    """The store itself.

    \b
    Example:
      quickbooks-admin store copy
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


@store.command("copy")
@click.option(
    "--to",
    "url",
    envvar="TARGET_QUICKBOOKS_NEW_STORE_URL",
    show_envvar=True,
    help="Address of the other database. Better in the variable: others see a command's arguments.",
)
def copy(*, url: str | None) -> None:
    """Copy the store to an empty database, in one transaction, and verify the audit trail there.

    Stop runs and webhook-shim before, and set store_url to the new address afterwards, so that nothing is
    written to the old one any more. The same encryption_key reads the copy.

    \b
    Example:
      export TARGET_QUICKBOOKS_NEW_STORE_URL=postgresql://books@db.example.com/books
      quickbooks-admin store copy
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    if not url:
        raise SettingsError("Say where to: --to, or the variable TARGET_QUICKBOOKS_NEW_STORE_URL.")
    with opened_store() as opened:
        counts = copy_store(opened, url, now=utc_now())
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        click.echo(f"Copied: {told or 'an empty store'}. Set store_url to the new address.")
