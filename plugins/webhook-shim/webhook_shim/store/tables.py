"""The shim's tables: events received, work asked for and done, subscriptions.

They live beside the target's in one database and have a migration history of their own.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, UniqueConstraint
from target_quickbooks.store.types import ExactJson, UtcTime, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
VERSION_TABLE = "webhook_shim_version"
_Id = Words(64)
_Serial = BigInteger().with_variant(Integer, "sqlite")

#: Events as received, once each. ``job_id`` is the work that settled it.
inbox = Table(
    "shim_inbox",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("system", Words(16), nullable=False),
    Column("tenant", _Id, nullable=False),
    Column("event_id", Words(128), nullable=False),
    Column("kind", Words(64), nullable=False),
    Column("entity", Words(32), nullable=False),
    Column("record_id", _Id, nullable=False),
    Column("occurred_at", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("settled_at", UtcTime),
    Column("job_id", _Id),
    UniqueConstraint("system", "tenant", "event_id"),
    Index(None, "system", "tenant", "settled_at"),
)

#: Work for one company, waiting, running or ended: one row is one subprocess.
jobs = Table(
    "shim_jobs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("realm_id", _Id, nullable=False),
    Column("organization_id", _Id, nullable=False),
    Column("kind", Words(16), nullable=False),
    Column("reason", Words(64), nullable=False),
    Column("arguments", ExactJson, nullable=False),
    Column("status", Words(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("last_event", _Serial),
    Column("host", Words(128)),
    Column("pid", Integer),
    Column("log_path", Text),
    Column("counts", ExactJson),
    Column("exit_code", Integer),
    Column("asked_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Index(None, "realm_id", "organization_id", "asked_at"),
    Index(None, "status"),
)

#: BILL's subscription of an organization. Keys are encrypted.
subscriptions = Table(
    "shim_subscriptions",
    metadata,
    Column("organization_id", _Id, primary_key=True),
    Column("subscription_id", _Id, nullable=False),
    Column("url", Text, nullable=False),
    Column("security_key", Text, nullable=False),
    Column("previous_key", Text),
    Column("previous_until", UtcTime),
    Column("enabled", Integer, nullable=False),
    Column("checked_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
    Column("last_event_at", UtcTime),
)

#: How far each pipeline of a company has read BILL, where runs do without Meltano.
bookmarks = Table(
    "shim_bookmarks",
    metadata,
    Column("realm_id", _Id, primary_key=True),
    Column("organization_id", _Id, primary_key=True),
    Column("pipeline", _Id, primary_key=True),
    Column("state", ExactJson, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
)
