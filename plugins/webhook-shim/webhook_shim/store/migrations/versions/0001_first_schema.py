"""Events, jobs, subscriptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(length=64)
_TIME = sa.String(length=32)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "shim_inbox",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=16), nullable=False),
        sa.Column("tenant", _ID, nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("record_id", _ID, nullable=False),
        sa.Column("occurred_at", _TIME),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("settled_at", _TIME),
        sa.Column("job_id", _ID),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shim_inbox")),
        sa.UniqueConstraint(
            "system", "tenant", "event_id", name=op.f("uq_shim_inbox_system_tenant_event_id")
        ),
    )
    op.create_index(
        op.f("ix_shim_inbox_system_tenant_settled_at"), "shim_inbox", ["system", "tenant", "settled_at"]
    )
    op.create_table(
        "shim_jobs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("last_event", _SERIAL),
        sa.Column("host", sa.String(length=128)),
        sa.Column("pid", sa.Integer()),
        sa.Column("log_path", sa.Text()),
        sa.Column("counts", sa.Text()),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("finished_at", _TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shim_jobs")),
    )
    op.create_index(
        op.f("ix_shim_jobs_realm_id_organization_id_asked_at"),
        "shim_jobs",
        ["realm_id", "organization_id", "asked_at"],
    )
    op.create_index(op.f("ix_shim_jobs_status"), "shim_jobs", ["status"])
    op.create_table(
        "shim_subscriptions",
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("subscription_id", _ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("security_key", sa.Text(), nullable=False),
        sa.Column("previous_key", sa.Text()),
        sa.Column("previous_until", _TIME),
        sa.Column("enabled", sa.Integer(), nullable=False),
        sa.Column("checked_at", _TIME, nullable=False),
        sa.Column("disabled_at", _TIME),
        sa.Column("last_event_at", _TIME),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_shim_subscriptions")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("shim_subscriptions", "shim_jobs", "shim_inbox"):
        op.drop_table(name)
