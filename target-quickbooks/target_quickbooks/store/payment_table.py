"""Payments, vendor credits and what BILL says of its bills, always within one company.

What changes marks the bills concerned as unsettled, in the same transaction: their orders follow, after a
crash in the next run.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, delete, insert, select

from target_quickbooks.links import Company
from target_quickbooks.mapping.payments import Account, Balance, Credit, Part, Payment, Sight, Standing, Use
from target_quickbooks.store.portions import portions
from target_quickbooks.store.tables import (
    VERSION_LENGTH,
    bill_balances,
    payment_parts,
    payment_statuses,
    payments,
    unsettled_bills,
    vendor_credit_uses,
    vendor_credits,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which payments; what is empty does not matter.

    Attributes:
        bill_id: Those that pay this bill.
        vendor: Part of the vendor's name, or its id.
        status: Their latest status, the finer or the coarser one.
        since: Process date, from this day on.
        limit: Only so many, the latest.
    """

    ids: tuple[str, ...] = ()
    bill_id: str = ""
    vendor: str = ""
    status: str = ""
    since: dt.date | None = None
    standing: Standing | None = None
    unfinished: bool = False
    realm_id: str = ""
    organization_id: str = ""
    limit: int = 50


def find(connection: Connection, company: Company, payment_ids: Iterable[str]) -> dict[str, Payment]:
    """Payments by id."""
    found: dict[str, Payment] = {}
    for ids in portions(payment_ids):
        rows = connection.execute(
            select(payments).where(_of(payments, company), payments.c.payment_id.in_(ids))
        )
        found |= _whole(connection, company, list(rows.mappings()))
    return found


def save(connection: Connection, company: Company, changed: Collection[Payment]) -> None:
    """Insert or replace payments; their bills are unsettled from now on."""
    ids = [payment.id for payment in changed]
    for table in (payments, payment_parts, payment_statuses):
        _remove(connection, table, company, table.c.payment_id, ids)
    _insert(connection, payments, company, [_payment_values(payment) for payment in changed])
    parts = [
        {
            "payment_id": payment.id,
            "bill_id": part.bill_id,
            "amount": part.amount,
            "credits": [list(credit) for credit in part.credits],
        }
        for payment in changed
        for part in payment.parts
    ]
    _insert(connection, payment_parts, company, parts)
    sights = [
        {
            "payment_id": payment.id,
            "number": number,
            "at": sight.at,
            "status": sight.status,
            "single_status": sight.single_status,
            "version": sight.version[:VERSION_LENGTH],
        }
        for payment in changed
        for number, sight in enumerate(payment.sights, start=1)
    ]
    _insert(connection, payment_statuses, company, sights)
    mark_unsettled(connection, company, {part.bill_id for payment in changed for part in payment.parts})


def find_credits(connection: Connection, company: Company, credit_ids: Iterable[str]) -> dict[str, Credit]:
    """Vendor credits by id."""
    found: dict[str, Credit] = {}
    for ids in portions(credit_ids):
        query = select(vendor_credits).where(
            _of(vendor_credits, company), vendor_credits.c.credit_id.in_(ids)
        )
        rows = list(connection.execute(query).mappings())
        uses: defaultdict[str, list[Use]] = defaultdict(list)
        table = vendor_credit_uses
        query = select(table).where(_of(table, company), table.c.credit_id.in_(ids))
        for row in connection.execute(query.order_by(table.c.bill_id, table.c.payment_id)).mappings():
            uses[row["credit_id"]].append(Use(row["bill_id"], row["payment_id"], row["amount"]))
        found |= {row["credit_id"]: _credit(row, uses[row["credit_id"]]) for row in rows}
    return found


def save_credits(connection: Connection, company: Company, changed: Collection[Credit]) -> None:
    """Insert or replace vendor credits; the bills they are used for are unsettled from now on."""
    ids = [credit.id for credit in changed]
    for table in (vendor_credits, vendor_credit_uses):
        _remove(connection, table, company, table.c.credit_id, ids)
    rows = [
        {
            "credit_id": credit.id,
            "vendor_id": credit.vendor_id,
            "reference": credit.reference,
            "date": credit.date,
            "amount": credit.amount,
            "applied": credit.applied,
            "status": credit.status,
            "archived": int(credit.archived),
            "version": credit.version[:VERSION_LENGTH],
        }
        for credit in changed
    ]
    _insert(connection, vendor_credits, company, rows)
    uses = [
        {
            "credit_id": credit.id,
            "bill_id": use.bill_id,
            "payment_id": use.payment_id,
            "amount": use.amount,
        }
        for credit in changed
        for use in credit.uses
    ]
    _insert(connection, vendor_credit_uses, company, uses)
    mark_unsettled(connection, company, {use.bill_id for credit in changed for use in credit.uses})


def find_balances(connection: Connection, company: Company, bill_ids: Iterable[str]) -> dict[str, Balance]:
    """What BILL last said of these bills."""
    found: dict[str, Balance] = {}
    for ids in portions(bill_ids):
        query = select(bill_balances).where(_of(bill_balances, company), bill_balances.c.bill_id.in_(ids))
        found |= {row["bill_id"]: _balance(row) for row in connection.execute(query).mappings()}
    return found


def balances_of_vendors(connection: Connection, company: Company, vendor_ids: Iterable[str]) -> list[Balance]:
    """What BILL last said of the bills of these vendors."""
    found: list[Balance] = []
    for ids in portions(vendor_ids):
        query = select(bill_balances).where(_of(bill_balances, company), bill_balances.c.vendor_id.in_(ids))
        found += [_balance(row) for row in connection.execute(query).mappings()]
    return found


def knows_bills(connection: Connection, company: Company) -> bool:
    """Whether any bill of the company was ever learned."""
    query = select(bill_balances.c.bill_id).where(_of(bill_balances, company)).limit(1)
    return connection.execute(query).first() is not None


def save_balances(connection: Connection, company: Company, changed: Collection[Balance]) -> None:
    """Insert or replace what BILL says of bills."""
    _remove(
        connection, bill_balances, company, bill_balances.c.bill_id, [balance.bill_id for balance in changed]
    )
    rows = [
        {
            "bill_id": balance.bill_id,
            "vendor_id": balance.vendor_id,
            "vendor_name": balance.vendor_name,
            "invoice_number": balance.invoice_number,
            "due_date": balance.due_date,
            "amount": balance.amount,
            "paid": balance.paid,
            "due": balance.due,
            "payment_status": balance.payment_status,
            "approval_status": balance.approval_status,
            "archived": int(balance.archived),
            "version": balance.version[:VERSION_LENGTH],
            "seen_at": balance.seen_at,
        }
        for balance in changed
    ]
    _insert(connection, bill_balances, company, rows)


def accounts(connection: Connection, company: Company, bill_ids: Iterable[str]) -> dict[str, Account]:
    """All that is known of what is paid of these bills."""
    wanted = list(dict.fromkeys(bill_ids))
    paying = _ids_by_bill(connection, payment_parts, payment_parts.c.payment_id, company, wanted)
    crediting = _ids_by_bill(connection, vendor_credit_uses, vendor_credit_uses.c.credit_id, company, wanted)
    known = find(connection, company, {one for ids in paying.values() for one in ids})
    used = {credit for ids in crediting.values() for credit in ids}
    used |= {credit for payment in known.values() for part in payment.parts for credit, _ in part.credits}
    read = find_credits(connection, company, used)
    balances = find_balances(connection, company, wanted)
    result: dict[str, Account] = {}
    for bill_id in wanted:
        paid_by = tuple(known[one] for one in sorted(paying[bill_id]) if one in known)
        named = {credit for payment in paid_by for credit, _ in payment.part_of(bill_id).credits}
        result[bill_id] = Account(
            bill_id,
            balances.get(bill_id),
            paid_by,
            tuple(read[one] for one in sorted(crediting[bill_id] | named) if one in read),
        )
    return result


def unsettled(connection: Connection, company: Company) -> list[str]:
    """Bills whose orders do not show their payments yet."""
    query = select(unsettled_bills.c.bill_id).where(_of(unsettled_bills, company))
    return list(connection.execute(query.order_by(unsettled_bills.c.bill_id)).scalars())


def organizations(connection: Connection, realm_id: str) -> set[str]:
    """The BILL organizations of a realm that have such bills."""
    query = select(unsettled_bills.c.organization_id).where(unsettled_bills.c.realm_id == realm_id)
    return set(connection.execute(query.distinct()).scalars())


def mark_unsettled(connection: Connection, company: Company, bill_ids: Iterable[str]) -> None:
    """Note that the orders of these bills have to be looked at."""
    ids = sorted(set(bill_ids))
    settle(connection, company, ids)
    _insert(connection, unsettled_bills, company, [{"bill_id": bill_id} for bill_id in ids])


def settle(connection: Connection, company: Company, bill_ids: Iterable[str]) -> None:
    """Note that what is to be said of these bills' payments is on record."""
    _remove(connection, unsettled_bills, company, unsettled_bills.c.bill_id, list(bill_ids))


def select_payments(connection: Connection, selection: Selection) -> list[tuple[Company, Payment]]:
    """Payments for people to look at, the latest first."""
    query = select(payments).where(*_chosen(selection))
    query = query.order_by(payments.c.process_date.desc(), payments.c.payment_id).limit(selection.limit)
    rows = list(connection.execute(query).mappings())
    by_company: defaultdict[Company, list[RowMapping]] = defaultdict(list)
    for row in rows:
        by_company[Company(row["realm_id"], row["organization_id"])].append(row)
    whole = {company: _whole(connection, company, found) for company, found in by_company.items()}
    ordered = [(Company(row["realm_id"], row["organization_id"]), row["payment_id"]) for row in rows]
    return [(company, whole[company][payment_id]) for company, payment_id in ordered]


def select_credits(
    connection: Connection, *, realm_id: str = "", organization_id: str = "", limit: int = 50
) -> list[tuple[Company, Credit]]:
    """Vendor credits for people to look at, the latest first."""
    query = select(vendor_credits)
    if realm_id:
        query = query.where(vendor_credits.c.realm_id == realm_id)
    if organization_id:
        query = query.where(vendor_credits.c.organization_id == organization_id)
    query = query.order_by(vendor_credits.c.date.desc(), vendor_credits.c.credit_id).limit(limit)
    keys = [
        (Company(row["realm_id"], row["organization_id"]), row["credit_id"])
        for row in connection.execute(query).mappings()
    ]
    return [
        (company, found)
        for company, credit_id in keys
        for found in find_credits(connection, company, [credit_id]).values()
    ]


def _chosen(selection: Selection) -> list[ColumnElement[bool]]:
    """The conditions that a selection makes."""
    columns = payments.c
    named = (
        (columns.realm_id, selection.realm_id),
        (columns.organization_id, selection.organization_id),
        (columns.status, selection.status.upper()),
        (columns.standing, str(selection.standing or "")),
    )
    conditions = [column == value for column, value in named if value]
    if selection.ids:
        conditions.append(columns.payment_id.in_(selection.ids))
    if selection.vendor:
        named_so = columns.vendor_name.icontains(selection.vendor, autoescape=True)
        conditions.append(named_so | (columns.vendor_id == selection.vendor))
    if selection.since:
        conditions.append(columns.process_date >= selection.since.isoformat())
    if selection.unfinished:
        conditions.append(columns.final == 0)
    if selection.bill_id:
        parts = payment_parts.c
        paying = select(parts.payment_id).where(
            parts.bill_id == selection.bill_id,
            parts.realm_id == columns.realm_id,
            parts.organization_id == columns.organization_id,
            parts.payment_id == columns.payment_id,
        )
        conditions.append(paying.exists())
    return conditions


def _whole(connection: Connection, company: Company, rows: Collection[RowMapping]) -> dict[str, Payment]:
    """Payments with their parts and statuses."""
    parts: defaultdict[str, list[Part]] = defaultdict(list)
    sights: defaultdict[str, list[Sight]] = defaultdict(list)
    for ids in portions(row["payment_id"] for row in rows):
        table = payment_parts
        query = select(table).where(_of(table, company), table.c.payment_id.in_(ids))
        for row in connection.execute(query.order_by(table.c.bill_id)).mappings():
            used = tuple((credit_id, Decimal(amount)) for credit_id, amount in row["credits"])
            parts[row["payment_id"]].append(Part(row["bill_id"], row["amount"], used))
        table = payment_statuses
        query = select(table).where(_of(table, company), table.c.payment_id.in_(ids))
        for row in connection.execute(query.order_by(table.c.number)).mappings():
            sights[row["payment_id"]].append(
                Sight(row["at"], row["status"], row["single_status"], row["version"])
            )
    return {
        row["payment_id"]: Payment(
            id=row["payment_id"],
            vendor_id=row["vendor_id"],
            vendor_name=row["vendor_name"],
            amount=row["amount"],
            process_date=row["process_date"],
            method=row["method"],
            reference=row["reference"],
            version=row["version"],
            parts=tuple(sorted(parts[row["payment_id"]], key=lambda part: part.bill_id)),
            sights=tuple(sights[row["payment_id"]]),
            funding_amount=row["funding_amount"],
        )
        for row in rows
    }


def _payment_values(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.id,
        "vendor_id": payment.vendor_id,
        "vendor_name": payment.vendor_name,
        "amount": payment.amount,
        "process_date": payment.process_date,
        "method": payment.method,
        "reference": payment.reference,
        "version": payment.version[:VERSION_LENGTH],
        "status": payment.latest.name,
        "standing": str(payment.standing),
        "final": int(payment.is_final),
        "funding_amount": payment.funding_amount,
    }


def _credit(row: RowMapping, uses: Iterable[Use]) -> Credit:
    return Credit(
        id=row["credit_id"],
        vendor_id=row["vendor_id"],
        reference=row["reference"],
        date=row["date"],
        amount=row["amount"],
        applied=row["applied"],
        status=row["status"],
        archived=bool(row["archived"]),
        version=row["version"],
        uses=tuple(sorted(uses, key=lambda use: (use.bill_id, use.payment_id))),
    )


def _balance(row: RowMapping) -> Balance:
    return Balance(
        bill_id=row["bill_id"],
        vendor_id=row["vendor_id"],
        vendor_name=row["vendor_name"],
        invoice_number=row["invoice_number"],
        due_date=row["due_date"],
        amount=row["amount"],
        paid=row["paid"],
        due=row["due"],
        payment_status=row["payment_status"],
        approval_status=row["approval_status"],
        archived=bool(row["archived"]),
        version=row["version"],
        seen_at=row["seen_at"],
    )


def _ids_by_bill(
    connection: Connection,
    table: Table,
    column: ColumnElement[Any],
    company: Company,
    bill_ids: Iterable[str],
) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for ids in portions(bill_ids):
        query = select(table.c.bill_id, column).where(_of(table, company), table.c.bill_id.in_(ids))
        for bill_id, one in connection.execute(query):
            found[bill_id].add(one)
    return found


def _remove(
    connection: Connection, table: Table, company: Company, column: ColumnElement[Any], ids: Iterable[str]
) -> None:
    for portion in portions(ids):
        connection.execute(delete(table).where(_of(table, company), column.in_(portion)))


def _insert(
    connection: Connection, table: Table, company: Company, rows: Collection[Mapping[str, Any]]
) -> None:
    if rows:
        key = {"realm_id": company.realm_id, "organization_id": company.organization_id}
        connection.execute(insert(table), [{**key, **row} for row in rows])


def _of(table: Table, company: Company) -> ColumnElement[bool]:
    return and_(table.c.realm_id == company.realm_id, table.c.organization_id == company.organization_id)
