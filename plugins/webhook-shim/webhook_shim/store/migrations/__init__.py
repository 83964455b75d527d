"""Schema migrations (Alembic), run by the shim itself when it opens the store."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

__all__ = ["configuration", "upgrade"]


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for a store that is already connected."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Bring the shim's tables to the newest revision within the caller's transaction."""
    command.upgrade(configuration(connection), "head")
