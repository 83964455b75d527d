"""What BILL paid for a payment, in the currency it pays from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column."""
    op.add_column("payments", sa.Column("funding_amount", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("payments", "funding_amount")
