"""Settings and store of ``quickbooks-admin``: from the same variables (or ``.env``) that the target reads."""

from __future__ import annotations

import getpass
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from target_quickbooks.errors import SettingsError
from target_quickbooks.settings import Settings, from_config
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import Store, default_url, open_store
from target_quickbooks.target import TargetQuickbooks

PREFIX = "TARGET_QUICKBOOKS_"
#: Stands for a company that is not known yet; never sent.
_NO_REALM = "0"


def read_settings() -> Settings:
    """The target's settings, checked as the target checks them.

    Raises:
        SettingsError: One is missing or wrong.
    """
    return _typed(_checked({}))


def read_settings_before_connecting() -> tuple[Settings, str]:
    """The settings, and the realm they name: empty if none, as before a first connection.

    Raises:
        SettingsError: A setting other than the realm is missing or wrong.
    """
    named = str(_unchecked().get("realm_id") or "")
    return _typed(_checked({} if named else {"realm_id": _NO_REALM})), "".join(named.split())


@contextmanager
def opened_store() -> Iterator[Store]:
    """The store that the target's own settings name; needs its URL and key only.

    Raises:
        SettingsError: There is no key, or the URL cannot be used.
        StoreError: The store cannot be opened or the key does not fit.
    """
    config = _unchecked()
    keys = encryption_keys(config)
    store = open_store(str(config.get("store_url") or default_url()), Cipher(keys))
    try:
        yield store
    finally:
        store.close()


def encryption_keys(config: dict[str, Any] | None = None) -> tuple[str, ...]:
    """The configured keys, newest first.

    Raises:
        SettingsError: There is none.
    """
    found = _unchecked() if config is None else config
    keys = tuple(part.strip() for part in str(found.get("encryption_key") or "").split(",") if part.strip())
    if not keys:
        msg = f"{PREFIX}ENCRYPTION_KEY is not set. Set the variables that target-quickbooks uses."
        raise SettingsError(msg)
    return keys


def trigger(command: str) -> str:
    """Who does something by which command, for the audit trail."""
    named = os.environ.get(f"{PREFIX}TRIGGER")
    if named:
        return named[:64]
    try:
        person = getpass.getuser()
    except (OSError, KeyError):
        person = "unknown user"
    return f"quickbooks-admin {command}: {person}"[:64]


def _unchecked() -> dict[str, Any]:
    with _for_settings_only():
        target = TargetQuickbooks(parse_env_config=True, validate_config=False, setup_mapper=False)
    return dict(target.config)


def _checked(extra: dict[str, Any]) -> dict[str, Any]:
    with _for_settings_only():
        target = TargetQuickbooks(config={**_unchecked(), **extra}, setup_mapper=False)
    return {"user_agent": f"{target.name}/{target.plugin_version}", **target.config}


def _typed(config: dict[str, Any]) -> Settings:
    return from_config(config, default_store_url=default_url())


@contextmanager
def _for_settings_only() -> Iterator[None]:
    """A plugin handles signals and warns of missing settings from when it is made; neither is wanted here."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        logging.disable(disabled)
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
