"""Links between BILL records and QuickBooks objects, always within one company."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Text,
    and_,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
    update,
)

from target_quickbooks.links import Company, Link
from target_quickbooks.store.portions import IDS_PER_QUERY, portions
from target_quickbooks.store.tables import links
from target_quickbooks.store.upserting import upsert

#: The vendor in what was last sent for a purchase order, as ``to_json`` writes it.
_VENDOR_SENT = re.compile(r'"VendorRef":\{"value":"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Stored:
    """A link with the company it belongs to and when it was last written."""

    company: Company
    link: Link
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """Which links; what is empty does not matter.

    Attributes:
        ids: BILL ids or QuickBooks ids.
        limit: Only so many, the latest.
    """

    ids: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    realm_id: str = ""
    organization_id: str = ""
    limit: int | None = None


def find(connection: Connection, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
    """Links by BILL id."""
    found: dict[str, Link] = {}
    for ids in portions(bill_ids):
        query = select(links).where(_of(company), links.c.entity == entity, links.c.bill_id.in_(ids))
        for row in connection.execute(query).mappings():
            found[row["bill_id"]] = _link(row)
    return found


def as_created(connection: Connection, company: Company, entity: str, bill_ids: Iterable[str]) -> set[str]:
    """Those of the BILL ids whose object was not written again since it was created."""
    found: set[str] = set()
    for ids in portions(bill_ids):
        query = select(links.c.bill_id).where(
            _of(company),
            links.c.entity == entity,
            links.c.bill_id.in_(ids),
            links.c.created_at == links.c.updated_at,
        )
        found |= set(connection.execute(query).scalars())
    return found


def owners(
    connection: Connection, company: Company, entity: str, quickbooks_ids: Iterable[str]
) -> dict[str, str]:
    """Which BILL id owns each of these QuickBooks objects; any organization of the realm counts."""
    found: dict[str, str] = {}
    for ids in portions(quickbooks_ids):
        query = select(links.c.quickbooks_id, links.c.bill_id).where(
            links.c.realm_id == company.realm_id, links.c.entity == entity, links.c.quickbooks_id.in_(ids)
        )
        found |= {row.quickbooks_id: row.bill_id for row in connection.execute(query)}
    return found


def quickbooks_ids(connection: Connection, realm_id: str, entity: str) -> list[str]:
    """Ids of all linked objects of an entity in QuickBooks, of any organization of the realm."""
    query = select(links.c.quickbooks_id).where(links.c.realm_id == realm_id, links.c.entity == entity)
    return list(connection.execute(query.distinct().order_by(links.c.quickbooks_id)).scalars())


def sharers(
    connection: Connection, company: Company, entity: str, quickbooks_ids: Iterable[str]
) -> dict[str, list[Stored]]:
    """All links to each of these QuickBooks objects, of any organization of the realm."""
    found: defaultdict[str, list[Stored]] = defaultdict(list)
    for ids in portions(quickbooks_ids):
        query = select(links).where(
            links.c.realm_id == company.realm_id, links.c.entity == entity, links.c.quickbooks_id.in_(ids)
        )
        for row in connection.execute(query).mappings():
            found[row["quickbooks_id"]].append(_stored(row))
    return dict(found)


def orders_of_vendors(
    connection: Connection,
    company: Company,
    vendor_ids: Collection[str],
    *,
    limit: int,
    entity: str = "PurchaseOrder",
) -> dict[str, list[str]]:
    """Ids of the purchase orders (or bills) last sent with each of these QuickBooks vendors, latest first.

    Reads the links of all orders of the realm once, however many vendors are asked for: it is only asked
    when vendors are missing.
    """
    text = type_coerce(links.c.desired, Text)
    query = select(links.c.quickbooks_id, links.c.updated_at, text).where(
        links.c.realm_id == company.realm_id,
        links.c.entity == entity,
        text.contains('"VendorRef":', autoescape=True),
    )
    found: defaultdict[str, list[tuple[dt.datetime, str]]] = defaultdict(list)
    for order_id, written_at, sent in connection.execute(query.execution_options(yield_per=IDS_PER_QUERY)):
        vendor = _VENDOR_SENT.search(sent)
        if vendor and vendor[1] in vendor_ids:
            found[vendor[1]].append((written_at, order_id))
    return {
        vendor_id: [order_id for _, order_id in sorted(orders, reverse=True)[:limit]]
        for vendor_id, orders in found.items()
    }


def select_links(connection: Connection, selection: Selection) -> list[Stored]:
    """Links for people to look at, by company, entity and BILL id."""
    query = select(links)
    for name in ("realm_id", "organization_id"):
        if value := getattr(selection, name):
            query = query.where(links.c[name] == value)
    if selection.entities:
        query = query.where(links.c.entity.in_(selection.entities))
    if selection.ids:
        query = query.where(links.c.bill_id.in_(selection.ids) | links.c.quickbooks_id.in_(selection.ids))
    query = query.order_by(links.c.updated_at.desc(), links.c.bill_id).limit(selection.limit)
    found = [_stored(row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda one: (*_key(one.company), one.link.entity, one.link.bill_id))


def save(connection: Connection, company: Company, link: Link, *, now: dt.datetime) -> None:
    """Insert or replace a link."""
    save_all(connection, [(company, link)], now=now)


def save_all(connection: Connection, saved: Iterable[tuple[Company, Link]], *, now: dt.datetime) -> None:
    """Insert or replace links."""
    rows: list[dict[str, Any]] = [
        {
            "realm_id": company.realm_id,
            "organization_id": company.organization_id,
            "entity": link.entity,
            "bill_id": link.bill_id,
            "quickbooks_id": link.quickbooks_id,
            "sync_token": link.sync_token,
            "quickbooks_name": link.quickbooks_name,
            "payload_digest": link.payload_digest,
            "source_digest": link.source_digest,
            "desired": dict(link.desired),
            "line_ids": dict(link.line_ids),
            "reference_only": int(link.reference_only),
            "created_at": now,
            "updated_at": now,
        }
        for company, link in saved
    ]
    if rows:
        connection.execute(upsert(connection, links, kept={"created_at"}), rows)


def remember_source(
    connection: Connection, company: Company, entity: str, digests: Iterable[tuple[str, str]]
) -> None:
    """Note new fingerprints of records that changed in BILL without changing what QuickBooks holds."""
    rows = [{"id": bill_id, "digest": digest} for bill_id, digest in digests]
    if rows:
        connection.execute(
            update(links)
            .where(_of(company), links.c.entity == entity, links.c.bill_id == bindparam("id"))
            .values(source_digest=bindparam("digest")),
            rows,
        )


def remove(connection: Connection, company: Company, entity: str, bill_id: str) -> None:
    """Forget a link."""
    connection.execute(
        delete(links).where(_of(company), links.c.entity == entity, links.c.bill_id == bill_id)
    )


def holds(connection: Connection, company: Company, entities: Collection[str]) -> str:
    """The first of these entities that the company has links to; empty if none."""
    for entity in entities:
        query = select(links.c.bill_id).where(_of(company), links.c.entity == entity).limit(1)
        if connection.execute(query).first() is not None:
            return entity
    return ""


def counts(connection: Connection) -> list[tuple[str, str, str, int]]:
    """Number of links per realm, organization and entity."""
    query = (
        select(links.c.realm_id, links.c.organization_id, links.c.entity, func.count())
        .group_by(links.c.realm_id, links.c.organization_id, links.c.entity)
        .order_by(links.c.realm_id, links.c.organization_id, links.c.entity)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]


def _of(company: Company) -> Any:
    return and_(links.c.realm_id == company.realm_id, links.c.organization_id == company.organization_id)


def _key(company: Company) -> tuple[str, str]:
    return company.realm_id, company.organization_id


def _stored(row: RowMapping) -> Stored:
    return Stored(Company(row["realm_id"], row["organization_id"]), _link(row), row["updated_at"])


def _link(row: RowMapping) -> Link:
    return Link(
        entity=row["entity"],
        bill_id=row["bill_id"],
        quickbooks_id=row["quickbooks_id"],
        sync_token=row["sync_token"],
        quickbooks_name=row["quickbooks_name"],
        payload_digest=row["payload_digest"],
        source_digest=row["source_digest"],
        desired=row["desired"],
        line_ids=row["line_ids"],
        reference_only=bool(row["reference_only"]),
    )
