"""The first schema: links, intents, failures, audit, connections, runs and what they need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "audit",
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("trigger", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("bill_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("quickbooks_id", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(length=50), nullable=False),
        sa.Column("intuit_tid", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "sequence", name=op.f("pk_audit")),
    )
    op.create_index(
        op.f("ix_audit_realm_id_organization_id_bill_id"),
        "audit",
        ["realm_id", "organization_id", "bill_id"],
        unique=False,
    )
    op.create_table(
        "connections",
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=128), nullable=False),
        sa.Column("company_name", sa.String(length=1024), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=True),
        sa.Column("access_expires_at", sa.String(length=32), nullable=True),
        sa.Column("refresh_expires_at", sa.String(length=32), nullable=True),
        sa.Column("seed_digest", sa.String(length=64), nullable=False),
        sa.Column("granted_at", sa.String(length=32), nullable=False),
        sa.Column("refreshed_at", sa.String(length=32), nullable=True),
        sa.Column("dead_since", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("realm_id", "client_id", name=op.f("pk_connections")),
    )
    op.create_table(
        "failures",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("bill_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=False),
        sa.Column("awaited_stream", sa.String(length=32), nullable=True),
        sa.Column("awaited_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.String(length=32), nullable=False),
        sa.Column("last_at", sa.String(length=32), nullable=False),
        sa.Column("resolved_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failures")),
        sa.UniqueConstraint(
            "realm_id",
            "organization_id",
            "stream",
            "bill_id",
            name=op.f("uq_failures_realm_id_organization_id_stream_bill_id"),
        ),
    )
    op.create_index(
        op.f("ix_failures_realm_id_organization_id_awaited_stream_awaited_id"),
        "failures",
        ["realm_id", "organization_id", "awaited_stream", "awaited_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_failures_realm_id_organization_id_status"),
        "failures",
        ["realm_id", "organization_id", "status"],
        unique=False,
    )
    op.create_table(
        "intents",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("bill_id", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("operation", sa.String(length=16), nullable=False),
        sa.Column("payload_digest", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=50), nullable=False),
        sa.Column("batch_item_id", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("fault_code", sa.String(length=16), nullable=True),
        sa.Column("intuit_tid", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intents")),
        sa.UniqueConstraint(
            "realm_id",
            "request_id",
            "batch_item_id",
            name=op.f("uq_intents_realm_id_request_id_batch_item_id"),
        ),
    )
    op.create_index(
        op.f("ix_intents_realm_id_organization_id_stream_bill_id"),
        "intents",
        ["realm_id", "organization_id", "stream", "bill_id"],
        unique=False,
    )
    op.create_index(op.f("ix_intents_realm_id_outcome"), "intents", ["realm_id", "outcome"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "links",
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=32), nullable=False),
        sa.Column("bill_id", sa.String(length=64), nullable=False),
        sa.Column("quickbooks_id", sa.String(length=64), nullable=False),
        sa.Column("sync_token", sa.String(length=32), nullable=False),
        sa.Column("quickbooks_name", sa.String(length=500), nullable=False),
        sa.Column("payload_digest", sa.String(length=64), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("desired", sa.Text(), nullable=False),
        sa.Column("line_ids", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "organization_id", "entity", "bill_id", name=op.f("pk_links")),
    )
    op.create_index(
        op.f("ix_links_realm_id_entity_quickbooks_id"),
        "links",
        ["realm_id", "entity", "quickbooks_id"],
        unique=False,
    )
    op.create_table(
        "references_seen",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("bill_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.String(length=64), nullable=False),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "kind", "bill_id", name=op.f("pk_references_seen")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("realm_id", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("trigger", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_realm_id_started_at"), "runs", ["realm_id", "started_at"], unique=False)
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "tracked_records",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("bill_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "stream", "bill_id", name=op.f("pk_tracked_records")),
    )


def downgrade() -> None:
    """Drop all tables."""
    op.drop_table("tracked_records")
    op.drop_table("secrets")
    op.drop_table("runs")
    op.drop_table("references_seen")
    op.drop_table("links")
    op.drop_table("leases")
    op.drop_table("intents")
    op.drop_table("failures")
    op.drop_table("connections")
    op.drop_table("audit")
