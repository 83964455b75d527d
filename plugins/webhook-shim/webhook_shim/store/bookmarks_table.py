"""Bookmarks: how far each pipeline of a company has read BILL, where runs do without Meltano."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update
from target_quickbooks.links import Company

from webhook_shim.store.tables import bookmarks


def load(connection: Connection, company: Company, pipeline: str) -> dict[str, Any]:
    """The Singer state that a pipeline's last run left; empty before the first one."""
    query = select(bookmarks.c.state).where(_is(company, pipeline))
    return dict(connection.execute(query).scalar() or {})


def save(
    connection: Connection, company: Company, pipeline: str, state: Mapping[str, Any], *, now: dt.datetime
) -> None:
    """Keep the Singer state of a pipeline in place of the one before."""
    values = {"state": dict(state), "saved_at": now}
    if connection.execute(update(bookmarks).where(_is(company, pipeline)).values(**values)).rowcount:
        return
    key = {"realm_id": company.realm_id, "organization_id": company.organization_id, "pipeline": pipeline}
    connection.execute(insert(bookmarks).values(**key, **values))


def _is(company: Company, pipeline: str) -> ColumnElement[bool]:
    return and_(
        bookmarks.c.realm_id == company.realm_id,
        bookmarks.c.organization_id == company.organization_id,
        bookmarks.c.pipeline == pipeline,
    )
