"""How far a company's changes in QuickBooks are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "drift_searches",
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("known_until", sa.String(length=32), nullable=False),
        sa.Column("searched_at", sa.String(length=32), nullable=False),
        sa.Column("complete", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", name=op.f("pk_drift_searches")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("drift_searches")
