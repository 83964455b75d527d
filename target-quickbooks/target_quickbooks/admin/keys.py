"""``quickbooks-admin generate-key`` and ``rekey``: the key that encrypts the store."""

from __future__ import annotations

import click
from cryptography.fernet import Fernet

from target_quickbooks.admin.environment import encryption_keys, opened_store
from target_quickbooks.errors import SettingsError, StoreError
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.store.rekey import rekey as rekey_store


@click.command("generate-key")
def generate_key() -> None:
    """Print a new key for the setting encryption_key. Keep it apart from the store.

    \b
    Example:
      export TARGET_QUICKBOOKS_ENCRYPTION_KEY="$(quickbooks-admin generate-key)"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    click.echo(Fernet.generate_key().decode())


@click.command()
def rekey() -> None:
    """Encrypt the store with the newest key of encryption_key: all of it, or nothing.

    Give both keys, the newest first. Afterwards the old one is not needed any more, except for backups
    of the store that were made before.

    \b
    Example:
      old="$TARGET_QUICKBOOKS_ENCRYPTION_KEY"
      new="$(quickbooks-admin generate-key)"
      TARGET_QUICKBOOKS_ENCRYPTION_KEY="$new,$old" quickbooks-admin rekey
      export TARGET_QUICKBOOKS_ENCRYPTION_KEY="$new"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    if len(set(encryption_keys())) == 1:
        raise SettingsError("encryption_key has one key only. Give the new key, a comma, and the old key.")
    with opened_store() as store:
        counts = rekey_store(store, now=utc_now())
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        click.echo(f"Encrypted with the newest key: {told}. The other keys can be left out now.")
        try:
            store.compact()
        except StoreError as error:
            click.echo(
                f"quickbooks-admin: Replaced texts may still be in the free pages of the file: {error}",
                err=True,
            )
