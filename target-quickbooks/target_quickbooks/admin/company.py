"""The QuickBooks company that a command of ``quickbooks-admin`` works with: its settings and its API."""

from __future__ import annotations

from dataclasses import replace

from target_quickbooks.admin.environment import read_settings
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.governor import Governor, log_long_wait
from target_quickbooks.quickbooks.oauth import TokenSource
from target_quickbooks.settings import Settings
from target_quickbooks.store.database import Store
from target_quickbooks.store.quota_table import StoredLedger


def settings_for(realm_id: str | None) -> Settings:
    """The settings, for another company if asked; the seed is the configured company's only.

    Raises:
        SettingsError: One is missing or wrong.
    """
    settings = read_settings()
    if realm_id is None or realm_id == settings.realm_id:
        return settings
    return replace(settings, realm_id=realm_id, refresh_token=None)


def client_for(settings: Settings, store: Store) -> QuickBooksClient:
    """The API of the company, through the connection that the store keeps."""
    return QuickBooksClient(
        api_url=settings.api_url,
        realm_id=settings.realm_id,
        tokens=TokenSource(settings, store),
        governor=Governor(StoredLedger(store, settings.realm_id), on_wait=log_long_wait),
        user_agent=settings.user_agent,
        max_retry_seconds=settings.max_retry_seconds,
    )
