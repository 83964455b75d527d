"""Links that only resolve references: their QuickBooks object follows another BILL record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; every link so far is the only one of its object."""
    op.add_column("links", sa.Column("reference_only", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("links") as table:
        table.drop_column("reference_only")
