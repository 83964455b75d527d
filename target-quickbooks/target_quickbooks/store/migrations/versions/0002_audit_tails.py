"""Where each audit chain ends, sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "audit_tails",
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", _SERIAL, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", name=op.f("pk_audit_tails")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("audit_tails")
