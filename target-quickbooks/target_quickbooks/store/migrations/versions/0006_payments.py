"""Payments with their statuses, vendor credits, what BILL says of its bills, recurring bills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.String(length=64)
_DAY = sa.String(length=10)
_STATUS = sa.String(length=100)
_VERSION = sa.String(length=40)
_AMOUNT = sa.String(length=64)
_TIME = sa.String(length=32)
_TABLES = (
    "bill_balances",
    "unsettled_bills",
    "payments",
    "payment_parts",
    "payment_statuses",
    "vendor_credits",
    "vendor_credit_uses",
    "recurring_bills",
    "recurring_turns",
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bill_balances",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("bill_id", _ID, nullable=False),
        sa.Column("vendor_id", _ID, nullable=False),
        sa.Column("vendor_name", sa.Text(), nullable=False),
        sa.Column("invoice_number", sa.Text(), nullable=False),
        sa.Column("due_date", _DAY, nullable=False),
        sa.Column("amount", _AMOUNT),
        sa.Column("paid", _AMOUNT),
        sa.Column("due", _AMOUNT),
        sa.Column("payment_status", _STATUS, nullable=False),
        sa.Column("approval_status", _STATUS, nullable=False),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "organization_id", "bill_id", name=op.f("pk_bill_balances")),
    )
    op.create_index(
        op.f("ix_bill_balances_realm_id_organization_id_vendor_id_due_date"),
        "bill_balances",
        ["realm_id", "organization_id", "vendor_id", "due_date"],
    )
    op.create_table(
        "unsettled_bills",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("bill_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "organization_id", "bill_id", name=op.f("pk_unsettled_bills")),
    )
    op.create_table(
        "payments",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("payment_id", _ID, nullable=False),
        sa.Column("vendor_id", _ID, nullable=False),
        sa.Column("vendor_name", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("process_date", _DAY, nullable=False),
        sa.Column("method", _STATUS, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.Column("status", _STATUS, nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("final", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "organization_id", "payment_id", name=op.f("pk_payments")),
    )
    op.create_index(
        op.f("ix_payments_realm_id_organization_id_process_date"),
        "payments",
        ["realm_id", "organization_id", "process_date"],
    )
    op.create_table(
        "payment_parts",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("payment_id", _ID, nullable=False),
        sa.Column("bill_id", _ID, nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("credits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "realm_id", "organization_id", "payment_id", "bill_id", name=op.f("pk_payment_parts")
        ),
    )
    op.create_index(
        op.f("ix_payment_parts_realm_id_organization_id_bill_id"),
        "payment_parts",
        ["realm_id", "organization_id", "bill_id"],
    )
    op.create_table(
        "payment_statuses",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("payment_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("status", _STATUS, nullable=False),
        sa.Column("single_status", _STATUS, nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.PrimaryKeyConstraint(
            "realm_id", "organization_id", "payment_id", "number", name=op.f("pk_payment_statuses")
        ),
    )
    op.create_table(
        "vendor_credits",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("credit_id", _ID, nullable=False),
        sa.Column("vendor_id", _ID, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("date", _DAY, nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("applied", _AMOUNT, nullable=False),
        sa.Column("status", _STATUS, nullable=False),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.PrimaryKeyConstraint("realm_id", "organization_id", "credit_id", name=op.f("pk_vendor_credits")),
    )
    op.create_table(
        "vendor_credit_uses",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("credit_id", _ID, nullable=False),
        sa.Column("bill_id", _ID, nullable=False),
        sa.Column("payment_id", _ID, nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint(
            "realm_id",
            "organization_id",
            "credit_id",
            "bill_id",
            "payment_id",
            name=op.f("pk_vendor_credit_uses"),
        ),
    )
    op.create_index(
        op.f("ix_vendor_credit_uses_realm_id_organization_id_bill_id"),
        "vendor_credit_uses",
        ["realm_id", "organization_id", "bill_id"],
    )
    op.create_table(
        "recurring_bills",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("recurring_id", _ID, nullable=False),
        sa.Column("vendor_id", _ID, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("period", _STATUS, nullable=False),
        sa.Column("frequency", sa.Integer(), nullable=False),
        sa.Column("next_due", _DAY, nullable=False),
        sa.Column("end_date", _DAY, nullable=False),
        sa.Column("days_in_advance", sa.Integer(), nullable=False),
        sa.Column("anchor_day", sa.Integer(), nullable=False),
        sa.Column("total", _AMOUNT, nullable=False),
        sa.Column("archived", sa.Integer(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.PrimaryKeyConstraint(
            "realm_id", "organization_id", "recurring_id", name=op.f("pk_recurring_bills")
        ),
    )
    op.create_index(
        op.f("ix_recurring_bills_realm_id_organization_id_vendor_id"),
        "recurring_bills",
        ["realm_id", "organization_id", "vendor_id"],
    )
    op.create_table(
        "recurring_turns",
        sa.Column("realm_id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("recurring_id", _ID, nullable=False),
        sa.Column("due_date", _DAY, nullable=False),
        sa.Column("bill_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint(
            "realm_id", "organization_id", "recurring_id", "due_date", name=op.f("pk_recurring_turns")
        ),
    )
    op.create_index(
        op.f("ix_recurring_turns_realm_id_organization_id_bill_id"),
        "recurring_turns",
        ["realm_id", "organization_id", "bill_id"],
    )
    # What was kept of these before said neither for which company in QuickBooks nor what came before.
    op.execute("DELETE FROM tracked_records WHERE stream <> 'organization'")


def downgrade() -> None:
    """Drop the tables."""
    for name in _TABLES:
        op.drop_table(name)
