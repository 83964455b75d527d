"""Records that could not be written, whole, with the reason; one row per record, kept up to date.

The BILL record and the mapped payload are encrypted: they hold addresses and tax ids.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, func, insert, literal, select, update

from target_quickbooks.links import Company
from target_quickbooks.mapping.refusal import Awaited
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.portions import portions
from target_quickbooks.store.tables import VERSION_LENGTH, failures


class Status(enum.StrEnum):
    """Where a failure stands."""

    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


UNSETTLED = (Status.OPEN, Status.WAITING)


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that could not be written."""

    stream: str
    bill_id: str
    label: str
    code: str
    reason: str
    advice: str
    record: Mapping[str, Any]
    version: str = ""
    source_digest: str = ""
    payload: Mapping[str, Any] | None = None
    faults: tuple[Mapping[str, str], ...] = ()
    awaited: Awaited | None = None
    status: Status = Status.OPEN
    attempts: int = 1
    id: int | None = None
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    run_id: str = ""
    company: Company | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which failures; what is empty does not matter.

    Attributes:
        codes: Error codes; those of QuickBooks with or without ``quickbooks-``.
        run: The first characters of the id of the run that saw it last.
        first_before: First seen before this time.
        first_after: First seen at this time or later.
    """

    ids: tuple[int, ...] = ()
    statuses: tuple[Status, ...] = UNSETTLED
    codes: tuple[str, ...] = ()
    run: str = ""
    stream: str = ""
    realm_id: str = ""
    first_before: dt.datetime | None = None
    first_after: dt.datetime | None = None


def save(
    connection: Connection,
    cipher: Cipher,
    company: Company,
    failure: Failure,
    *,
    run_id: str,
    now: dt.datetime,
) -> None:
    """Insert the failure, or update the row of the same record.

    Attempts are counted from the first failure since the record last went through.
    """
    values: dict[str, Any] = {
        "run_id": run_id,
        "status": str(Status.WAITING if failure.awaited else Status.OPEN),
        "label": failure.label,
        "code": failure.code,
        "reason": failure.reason,
        "advice": failure.advice,
        "faults": list(failure.faults),
        "awaited_stream": failure.awaited.stream if failure.awaited else None,
        "awaited_id": failure.awaited.bill_id if failure.awaited else None,
        "version": failure.version[:VERSION_LENGTH],
        "source_digest": failure.source_digest,
        "record": cipher.seal(failure.record),
        "payload": cipher.seal(failure.payload) if failure.payload is not None else None,
        "last_at": now,
        "resolved_at": None,
    }
    again = failures.c.status != str(Status.RESOLVED)
    changed = connection.execute(
        update(failures)
        .where(_is(company, failure.stream, failure.bill_id))
        .values(
            **values,
            attempts=case((again, failures.c.attempts + 1), else_=1),
            first_at=case((again, failures.c.first_at), else_=literal(now, failures.c.first_at.type)),
        )
    )
    if changed.rowcount == 0:
        connection.execute(
            insert(failures).values(
                realm_id=company.realm_id,
                organization_id=company.organization_id,
                stream=failure.stream,
                bill_id=failure.bill_id,
                attempts=1,
                first_at=now,
                **values,
            )
        )


def resolve(
    connection: Connection, company: Company, stream: str, bill_ids: Iterable[str], *, now: dt.datetime
) -> None:
    """Mark the failures of these records as resolved, dismissed ones too: the records went through."""
    for part in portions(bill_ids):
        connection.execute(
            update(failures)
            .where(
                _of(company),
                failures.c.stream == stream,
                failures.c.bill_id.in_(part),
                failures.c.status != str(Status.RESOLVED),
            )
            .values(status=str(Status.RESOLVED), resolved_at=now)
        )


def unsettled(
    connection: Connection, cipher: Cipher, company: Company, *, stream: str | None = None
) -> list[Failure]:
    """Open and waiting failures of a company, oldest first."""
    conditions: list[Any] = [_of(company), failures.c.status.in_(UNSETTLED)]
    if stream:
        conditions.append(failures.c.stream == stream)
    query = select(failures).where(*conditions).order_by(failures.c.id)
    return [_failure(row, cipher) for row in connection.execute(query).mappings()]


def organizations(connection: Connection, realm_id: str) -> set[str]:
    """The organizations of a realm that have open or waiting failures."""
    query = (
        select(failures.c.organization_id)
        .where(failures.c.realm_id == realm_id, failures.c.status.in_(UNSETTLED))
        .distinct()
    )
    return set(connection.execute(query).scalars())


def unsettled_ids(
    connection: Connection, company: Company, stream: str, bill_ids: Iterable[str]
) -> dict[str, str]:
    """Of these records, those with an unsettled failure, and the record version that failed."""
    found: dict[str, str] = {}
    for ids in portions(bill_ids):
        query = select(failures.c.bill_id, failures.c.source_digest).where(
            _of(company),
            failures.c.stream == stream,
            failures.c.bill_id.in_(ids),
            failures.c.status.in_(UNSETTLED),
        )
        found |= {row.bill_id: row.source_digest for row in connection.execute(query)}
    return found


def first_seen(
    connection: Connection, company: Company, stream: str, bill_ids: Iterable[str], code: str
) -> dict[str, dt.datetime]:
    """Of these records, those with an unsettled failure of a code, and since when."""
    found: dict[str, dt.datetime] = {}
    for ids in portions(bill_ids):
        query = select(failures.c.bill_id, failures.c.first_at).where(
            _of(company),
            failures.c.stream == stream,
            failures.c.bill_id.in_(ids),
            failures.c.status.in_(UNSETTLED),
            failures.c.code == code,
        )
        found |= {row.bill_id: row.first_at for row in connection.execute(query)}
    return found


def dismissed_records(
    connection: Connection, cipher: Cipher, company: Company, stream: str, bill_ids: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Of these records, those whose failure was dismissed, as they were then."""
    found: dict[str, Mapping[str, Any]] = {}
    for ids in portions(bill_ids):
        query = select(failures.c.bill_id, failures.c.record).where(
            _of(company),
            failures.c.stream == stream,
            failures.c.bill_id.in_(ids),
            failures.c.status == str(Status.DISMISSED),
        )
        found |= {row.bill_id: cipher.unseal(row.record) for row in connection.execute(query)}
    return found


def select_failures(
    connection: Connection, cipher: Cipher, selection: Selection | None = None
) -> list[Failure]:
    """Failures for people to look at, newest last."""
    query = select(failures).where(*_chosen(selection or Selection())).order_by(failures.c.id)
    return [_failure(row, cipher) for row in connection.execute(query).mappings()]


def dismiss(connection: Connection, numbers: Iterable[int], *, now: dt.datetime) -> None:
    """Let unsettled failures go: they are not tried again unless their record changes in BILL."""
    for number in numbers:
        connection.execute(
            update(failures)
            .where(failures.c.id == number, failures.c.status.in_(UNSETTLED))
            .values(status=str(Status.DISMISSED), resolved_at=now)
        )


def by_number(connection: Connection, cipher: Cipher, number: int) -> Failure | None:
    """The failure of this number, whatever became of it."""
    row = connection.execute(select(failures).where(failures.c.id == number)).mappings().first()
    return _failure(row, cipher) if row else None


def counts(connection: Connection, company: Company | None = None) -> dict[str, int]:
    """Number of failures per status."""
    query = select(failures.c.status, func.count()).group_by(failures.c.status)
    if company:
        query = query.where(_of(company))
    return {row[0]: row[1] for row in connection.execute(query)}


def _chosen(selection: Selection) -> list[Any]:
    conditions: list[Any] = [failures.c.status.in_([str(status) for status in selection.statuses])]
    if selection.ids:
        conditions.append(failures.c.id.in_(selection.ids))
    if selection.codes:
        spellings = [spelling for code in selection.codes for spelling in (code, f"quickbooks-{code}")]
        conditions.append(failures.c.code.in_(spellings))
    if selection.run:
        conditions.append(failures.c.run_id.startswith(selection.run, autoescape=True))
    if selection.stream:
        conditions.append(failures.c.stream == selection.stream)
    if selection.realm_id:
        conditions.append(failures.c.realm_id == selection.realm_id)
    if selection.first_before:
        conditions.append(failures.c.first_at < selection.first_before)
    if selection.first_after:
        conditions.append(failures.c.first_at >= selection.first_after)
    return conditions


def _of(company: Company) -> Any:
    return and_(
        failures.c.realm_id == company.realm_id, failures.c.organization_id == company.organization_id
    )


def _is(company: Company, stream: str, bill_id: str) -> Any:
    return and_(_of(company), failures.c.stream == stream, failures.c.bill_id == bill_id)


def _failure(row: RowMapping, cipher: Cipher) -> Failure:
    awaited = Awaited(row["awaited_stream"], row["awaited_id"]) if row["awaited_stream"] else None
    return Failure(
        stream=row["stream"],
        bill_id=row["bill_id"],
        label=row["label"],
        code=row["code"],
        reason=row["reason"],
        advice=row["advice"],
        record=cipher.unseal(row["record"]),
        version=row["version"],
        source_digest=row["source_digest"],
        payload=cipher.unseal(row["payload"]) if row["payload"] else None,
        faults=tuple(row["faults"]),
        awaited=awaited,
        status=Status(row["status"]),
        attempts=row["attempts"],
        id=row["id"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        run_id=row["run_id"],
        company=Company(row["realm_id"], row["organization_id"]),
    )
