"""What was found in QuickBooks that is not as it was last written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(length=64)
_TIME = sa.String(length=32)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "drift",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("quickbooks_id", _ID, nullable=False),
        sa.Column("bill_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("found_by", sa.String(length=64), nullable=False),
        sa.Column("found_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("resolved_at", _TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
    )
    op.create_index(
        op.f("ix_drift_realm_id_organization_id_status"), "drift", ["realm_id", "organization_id", "status"]
    )
    op.create_index(
        op.f("ix_drift_realm_id_entity_quickbooks_id"), "drift", ["realm_id", "entity", "quickbooks_id"]
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("drift")
