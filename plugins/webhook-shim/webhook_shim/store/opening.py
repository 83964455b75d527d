"""Opening the store: the target's own, with the shim's tables beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection
from target_quickbooks.errors import SettingsError
from target_quickbooks.settings import from_config
from target_quickbooks.store import locks
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import Store, default_url, open_store
from target_quickbooks.store.schemas import Schema

from webhook_shim.companies import Books
from webhook_shim.store.tables import VERSION_TABLE, metadata, subscriptions

#: Shorter than a run's: whoever delivers an event waits for an answer, and sends it again without one.
PATIENCE_SECONDS = 5.0


def open_for(companies: Sequence[Books]) -> Store:
    """The one store of all companies, its schema up to date.

    Raises:
        SettingsError: The companies name different stores.
        StoreError: It cannot be opened, or a key does not fit.
    """
    settings = [from_config(books.target_config, default_store_url=default_url()) for books in companies]
    if len({found.store_url for found in settings}) > 1:
        msg = "The companies name different stores (store_url). The shim needs one store for all of them."
        raise SettingsError(msg)
    cipher = Cipher(settings[0].encryption_keys)
    store = open_store(settings[0].store_url, cipher, patience=PATIENCE_SECONDS)
    with store.writing(locks.MIGRATIONS) as connection:
        _upgrade(connection)
    return store


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from webhook_shim.store.migrations import upgrade  # noqa: PLC0415 - slow to import

    upgrade(connection)


#: Tells ``quickbooks-admin`` what there is beside the target's tables.
SCHEMA = Schema(
    metadata, VERSION_TABLE, _upgrade, encrypted=((subscriptions, ("security_key", "previous_key")),)
)
