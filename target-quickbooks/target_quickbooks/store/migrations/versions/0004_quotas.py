"""Where processes that work with one company keep its rate limits together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "quotas",
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("clock", sa.String(length=64), nullable=False),
        sa.Column("ticks", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", sa.String(length=32), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", name=op.f("pk_quotas")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("quotas")
