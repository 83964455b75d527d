"""Bookmarks of runs without Meltano."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.String(length=64)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "shim_bookmarks",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("pipeline", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "organization_id", "pipeline", name=op.f("pk_shim_bookmarks")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("shim_bookmarks")
