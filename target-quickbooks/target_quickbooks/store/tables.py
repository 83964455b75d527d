"""The tables. Every row that belongs to a company carries realm and organization in its key.

Changing anything here needs a migration in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from target_quickbooks.store.types import ExactDecimal, ExactJson, UtcTime, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

VERSION_LENGTH = 40
ID_LENGTH = 64
_Id = Words(ID_LENGTH)
_Day = Words(10)
_Status = Words(100)
_Serial = BigInteger().with_variant(Integer, "sqlite")

links = Table(
    "links",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("entity", Words(32), primary_key=True),
    Column("bill_id", _Id, primary_key=True),
    Column("quickbooks_id", _Id, nullable=False),
    Column("sync_token", Words(32), nullable=False),
    Column("quickbooks_name", Words(500), nullable=False),
    Column("payload_digest", Words(64), nullable=False),
    Column("source_digest", Words(64), nullable=False),
    Column("desired", ExactJson, nullable=False),
    Column("line_ids", ExactJson, nullable=False),
    Column("reference_only", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Index(None, "realm_id", "entity", "quickbooks_id"),
)

intents = Table(
    "intents",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("realm_id", _Id, nullable=False),
    Column("organization_id", _Id, nullable=False),
    Column("run_id", _Id, nullable=False),
    Column("stream", Words(32), nullable=False),
    Column("bill_id", _Id, nullable=False),
    Column("entity", Words(32), nullable=False),
    Column("operation", Words(16), nullable=False),
    Column("payload_digest", Words(64), nullable=False),
    Column("request_id", Words(50), nullable=False),
    Column("batch_item_id", Words(16), nullable=False),
    Column("document", Text),
    Column("outcome", Words(16)),
    Column("fault_code", Words(16)),
    Column("intuit_tid", Words(64)),
    Column("created_at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    UniqueConstraint("realm_id", "request_id", "batch_item_id"),
    Index(None, "realm_id", "outcome"),
    Index(None, "realm_id", "organization_id", "stream", "bill_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("realm_id", _Id, nullable=False),
    Column("organization_id", _Id, nullable=False),
    Column("stream", Words(32), nullable=False),
    Column("bill_id", _Id, nullable=False),
    Column("run_id", _Id, nullable=False),
    Column("status", Words(16), nullable=False),
    Column("label", Text, nullable=False),
    Column("code", Words(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("faults", ExactJson, nullable=False),
    Column("awaited_stream", Words(32)),
    Column("awaited_id", _Id),
    Column("version", Words(VERSION_LENGTH), nullable=False),
    Column("source_digest", Words(64), nullable=False),
    Column("record", Text, nullable=False),
    Column("payload", Text),
    Column("attempts", Integer, nullable=False),
    Column("first_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    Column("resolved_at", UtcTime),
    UniqueConstraint("realm_id", "organization_id", "stream", "bill_id"),
    Index(None, "realm_id", "organization_id", "status"),
    Index(None, "realm_id", "organization_id", "awaited_stream", "awaited_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("sequence", _Serial, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("run_id", _Id, nullable=False),
    Column("trigger", Words(64), nullable=False),
    Column("organization_id", _Id, nullable=False),
    Column("stream", Words(32), nullable=False),
    Column("bill_id", _Id, nullable=False),
    Column("version", Words(VERSION_LENGTH), nullable=False),
    Column("entity", Words(32), nullable=False),
    Column("quickbooks_id", _Id, nullable=False),
    Column("operation", Words(16), nullable=False),
    Column("outcome", Words(16), nullable=False),
    Column("before", ExactJson),
    Column("after", ExactJson),
    Column("request_id", Words(50), nullable=False),
    Column("intuit_tid", Words(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", Words(64), nullable=False),
    Column("hash", Words(64), nullable=False),
    Index(None, "realm_id", "organization_id", "bill_id"),
)

audit_tails = Table(
    "audit_tails",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("sequence", _Serial, nullable=False, autoincrement=False),
    Column("hash", Words(64), nullable=False),
    Column("seal", Words(64), nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("client_id", Words(128), primary_key=True),
    Column("company_name", Words(1024), nullable=False),
    Column("refresh_token", Text, nullable=False),
    Column("access_token", Text),
    Column("access_expires_at", UtcTime),
    Column("refresh_expires_at", UtcTime),
    Column("seed_digest", Words(64), nullable=False),
    Column("granted_at", UtcTime, nullable=False),
    Column("refreshed_at", UtcTime),
    Column("dead_since", UtcTime),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Words(128), primary_key=True),
    Column("owner", _Id, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

quotas = Table(
    "quotas",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("clock", _Id, nullable=False),
    Column("ticks", BigInteger, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
    Column("ledger", ExactJson, nullable=False),
)

references = Table(
    "references_seen",
    metadata,
    Column("organization_id", _Id, primary_key=True),
    Column("kind", Words(32), primary_key=True),
    Column("bill_id", _Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("number", Words(64), nullable=False),
    Column("parent_id", _Id, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("currency", Words(8), nullable=False),
)

tracked = Table(
    "tracked_records",
    metadata,
    Column("organization_id", _Id, primary_key=True),
    Column("stream", Words(32), primary_key=True),
    Column("bill_id", _Id, primary_key=True),
    Column("version", Words(VERSION_LENGTH), nullable=False),
    Column("document", ExactJson, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("realm_id", _Id, nullable=False),
    Column("mode", Words(16), nullable=False),
    Column("trigger", Words(64), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("exit_code", Integer),
    Column("counts", ExactJson, nullable=False),
    Index(None, "realm_id", "started_at"),
)

#: What was found in QuickBooks that is not as it was last written.
drift = Table(
    "drift",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("realm_id", _Id, nullable=False),
    Column("organization_id", _Id, nullable=False),
    Column("entity", Words(32), nullable=False),
    Column("quickbooks_id", _Id, nullable=False),
    Column("bill_id", _Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Words(16), nullable=False),
    Column("differences", ExactJson, nullable=False),
    Column("status", Words(16), nullable=False),
    Column("found_by", Words(64), nullable=False),
    Column("found_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("resolved_at", UtcTime),
    Index(None, "realm_id", "organization_id", "status"),
    Index(None, "realm_id", "entity", "quickbooks_id"),
)

#: Up to when a company's changes in QuickBooks are known, by its clock; and when that was asked, by ours.
drift_searches = Table(
    "drift_searches",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("known_until", UtcTime, nullable=False),
    Column("searched_at", UtcTime, nullable=False),
    Column("complete", Integer, nullable=False),
)

#: What BILL says of each bill: what is paid of it, and by what it is recognised as generated by a schedule.
bill_balances = Table(
    "bill_balances",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("bill_id", _Id, primary_key=True),
    Column("vendor_id", _Id, nullable=False),
    Column("vendor_name", Text, nullable=False),
    Column("invoice_number", Text, nullable=False),
    Column("due_date", _Day, nullable=False),
    Column("amount", ExactDecimal),
    Column("paid", ExactDecimal),
    Column("due", ExactDecimal),
    Column("payment_status", _Status, nullable=False),
    Column("approval_status", _Status, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("version", Words(VERSION_LENGTH), nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Index(None, "realm_id", "organization_id", "vendor_id", "due_date"),
)

#: Bills whose payments or credits changed, and whose orders do not show it yet.
unsettled_bills = Table(
    "unsettled_bills",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("bill_id", _Id, primary_key=True),
)

payments = Table(
    "payments",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("payment_id", _Id, primary_key=True),
    Column("vendor_id", _Id, nullable=False),
    Column("vendor_name", Text, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("process_date", _Day, nullable=False),
    Column("method", _Status, nullable=False),
    Column("reference", Text, nullable=False),
    Column("version", Words(VERSION_LENGTH), nullable=False),
    Column("status", _Status, nullable=False),
    Column("standing", Words(16), nullable=False),
    Column("final", Integer, nullable=False),
    Column("funding_amount", ExactDecimal),
    Index(None, "realm_id", "organization_id", "process_date"),
)

#: What each payment pays of each bill, with the credits used.
payment_parts = Table(
    "payment_parts",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("payment_id", _Id, primary_key=True),
    Column("bill_id", _Id, primary_key=True),
    Column("amount", ExactDecimal, nullable=False),
    Column("credits", ExactJson, nullable=False),
    Index(None, "realm_id", "organization_id", "bill_id"),
)

#: The statuses each payment was seen in, in order.
payment_statuses = Table(
    "payment_statuses",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("payment_id", _Id, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("status", _Status, nullable=False),
    Column("single_status", _Status, nullable=False),
    Column("version", Words(VERSION_LENGTH), nullable=False),
)

vendor_credits = Table(
    "vendor_credits",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("credit_id", _Id, primary_key=True),
    Column("vendor_id", _Id, nullable=False),
    Column("reference", Text, nullable=False),
    Column("date", _Day, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("applied", ExactDecimal, nullable=False),
    Column("status", _Status, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("version", Words(VERSION_LENGTH), nullable=False),
)

#: What each vendor credit pays of each bill, with which payment.
vendor_credit_uses = Table(
    "vendor_credit_uses",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("credit_id", _Id, primary_key=True),
    Column("bill_id", _Id, primary_key=True),
    Column("payment_id", _Id, primary_key=True),
    Column("amount", ExactDecimal, nullable=False),
    Index(None, "realm_id", "organization_id", "bill_id"),
)

recurring_bills = Table(
    "recurring_bills",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("recurring_id", _Id, primary_key=True),
    Column("vendor_id", _Id, nullable=False),
    Column("description", Text, nullable=False),
    Column("period", _Status, nullable=False),
    Column("frequency", Integer, nullable=False),
    Column("next_due", _Day, nullable=False),
    Column("end_date", _Day, nullable=False),
    Column("days_in_advance", Integer, nullable=False),
    Column("anchor_day", Integer, nullable=False),
    Column("total", ExactDecimal, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("version", Words(VERSION_LENGTH), nullable=False),
    Index(None, "realm_id", "organization_id", "vendor_id"),
)

#: When each schedule was due to bring forth a bill, and the bill it brought forth (empty: none yet).
recurring_turns = Table(
    "recurring_turns",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("recurring_id", _Id, primary_key=True),
    Column("due_date", _Day, primary_key=True),
    Column("bill_id", _Id, nullable=False),
    Index(None, "realm_id", "organization_id", "bill_id"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Words(64), primary_key=True),
    Column("value", Text, nullable=False),
)
