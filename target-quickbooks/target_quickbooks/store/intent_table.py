"""What was about to be sent, on disk before it is sent; and how it ended.

An intent without an outcome after a crash is one whose request may or may not have been applied: the next
run settles it first.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from target_quickbooks.links import Company
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.tables import intents


class Outcome(enum.StrEnum):
    """How an intent ended."""

    APPLIED = "applied"
    REFUSED = "refused"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Intent:
    """One item of a request.

    Attributes:
        document: All that is needed to send the item again and to record its outcome.
        created_at: When it was recorded, before the request left.
    """

    company: Company
    stream: str
    bill_id: str
    entity: str
    operation: str
    payload_digest: str
    request_id: str
    batch_item_id: str
    document: Mapping[str, Any]
    created_at: dt.datetime


def record(
    connection: Connection,
    cipher: Cipher,
    planned: Iterable[Intent],
    *,
    run_id: str,
) -> None:
    """Write intents; they count once the caller's transaction is committed."""
    rows = [
        {
            "realm_id": intent.company.realm_id,
            "organization_id": intent.company.organization_id,
            "run_id": run_id,
            "stream": intent.stream,
            "bill_id": intent.bill_id,
            "entity": intent.entity,
            "operation": intent.operation,
            "payload_digest": intent.payload_digest,
            "request_id": intent.request_id,
            "batch_item_id": intent.batch_item_id,
            "document": cipher.seal(intent.document),
            "created_at": intent.created_at,
        }
        for intent in planned
    ]
    connection.execute(insert(intents), rows)


def settle(
    connection: Connection,
    intent: Intent,
    outcome: Outcome,
    *,
    now: dt.datetime,
    fault_code: str | None = None,
    intuit_tid: str | None = None,
) -> None:
    """Note how an intent ended; its document is no longer needed."""
    settle_all(connection, [intent], outcome, now=now, fault_code=fault_code, intuit_tid=intuit_tid)


def settle_all(
    connection: Connection,
    settled: Iterable[Intent],
    outcome: Outcome,
    *,
    now: dt.datetime,
    fault_code: str | None = None,
    intuit_tid: str | None = None,
) -> None:
    """Note that intents ended alike; their documents are no longer needed."""
    requests: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for intent in settled:
        requests[intent.company.realm_id, intent.request_id].append(intent.batch_item_id)
    for (realm_id, request_id), items in requests.items():
        connection.execute(
            update(intents)
            .where(
                intents.c.realm_id == realm_id,
                intents.c.request_id == request_id,
                intents.c.batch_item_id.in_(items),
            )
            .values(
                outcome=str(outcome),
                settled_at=now,
                fault_code=fault_code,
                intuit_tid=intuit_tid,
                document=None,
            )
        )


def unsettled(connection: Connection, cipher: Cipher, realm_id: str) -> list[Intent]:
    """Intents without an outcome, in the order they were recorded."""
    query = (
        select(intents)
        .where(intents.c.realm_id == realm_id, intents.c.outcome.is_(None))
        .order_by(intents.c.id)
    )
    return [
        Intent(
            company=Company(row["realm_id"], row["organization_id"]),
            stream=row["stream"],
            bill_id=row["bill_id"],
            entity=row["entity"],
            operation=row["operation"],
            payload_digest=row["payload_digest"],
            request_id=row["request_id"],
            batch_item_id=row["batch_item_id"],
            document=cipher.unseal(row["document"]) if row["document"] else {},
            created_at=row["created_at"],
        )
        for row in connection.execute(query).mappings()
    ]
