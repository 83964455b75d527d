"""Where each audit chain ends, sealed: rows that were cut off at the end are missed.

The seal is an HMAC, as the rows' hashes are: without the store's key nobody can make one. What nobody can
see from inside is a whole database put back to an earlier day; keep the last hash elsewhere for that.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import Connection, select

from target_quickbooks.store.tables import audit_tails
from target_quickbooks.store.upserting import upsert

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Tail:
    """The last row of a realm's chain; the default is an empty chain's."""

    sequence: int = 0
    hash: str = GENESIS


def chain_mac(key: bytes, text: str) -> str:
    """HMAC-SHA256 with a key of its own, derived from the store's fingerprint key."""
    own_key = hmac.digest(key, b"audit chain", "sha256")
    return hmac.new(own_key, text.encode(), hashlib.sha256).hexdigest()


def read(connection: Connection, key: bytes, realm_id: str) -> Tail | None:
    """The sealed end of a realm's chain; None if there is none, or its seal is not ours."""
    row = connection.execute(select(audit_tails).where(audit_tails.c.realm_id == realm_id)).first()
    if row is None:
        return None
    tail = Tail(row.sequence, row.hash)
    return tail if hmac.compare_digest(row.seal.encode(), _seal(key, realm_id, tail).encode()) else None


def write(connection: Connection, key: bytes, realm_id: str, tail: Tail) -> None:
    """Seal the new end. Needs the transaction that appends the rows."""
    values = {"sequence": tail.sequence, "hash": tail.hash, "seal": _seal(key, realm_id, tail)}
    connection.execute(upsert(connection, audit_tails), {"realm_id": realm_id, **values})


def _seal(key: bytes, realm_id: str, tail: Tail) -> str:
    return chain_mac(key, f"tail {realm_id} {tail.sequence} {tail.hash}")
