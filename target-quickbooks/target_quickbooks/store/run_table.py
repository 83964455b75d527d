"""Runs: when, in which mode, with what result; and BILL records that are tracked without being written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from target_quickbooks.redaction import redact
from target_quickbooks.store.tables import VERSION_LENGTH, runs, tracked
from target_quickbooks.store.upserting import upsert


def start(
    connection: Connection, run_id: str, *, realm_id: str, mode: str, trigger: str, now: dt.datetime
) -> None:
    """Note that a run began."""
    connection.execute(
        insert(runs).values(
            id=run_id, realm_id=realm_id, mode=mode, trigger=trigger, started_at=now, counts={}
        )
    )


def finish(
    connection: Connection, run_id: str, *, exit_code: int, counts: Mapping[str, Any], now: dt.datetime
) -> None:
    """Note how a run ended."""
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id)
        .values(finished_at=now, exit_code=exit_code, counts=dict(counts))
    )


def latest(connection: Connection, limit: int = 10) -> list[RowMapping]:
    """The latest runs, newest first."""
    query = select(runs).order_by(runs.c.started_at.desc()).limit(limit)
    return list(connection.execute(query).mappings())


def track(
    connection: Connection, organization_id: str, stream: str, records: Iterable[Mapping[str, Any]]
) -> None:
    """Keep the latest version of records such as the organization, without secrets."""
    newest = {str(record["id"]): record for record in records}
    rows = [
        {
            "organization_id": organization_id,
            "stream": stream,
            "bill_id": bill_id,
            "version": str(newest[bill_id].get("updatedTime") or "")[:VERSION_LENGTH],
            "document": redact(newest[bill_id]),
        }
        for bill_id in sorted(newest)
    ]
    if rows:
        connection.execute(upsert(connection, tracked), rows)
