"""BILL's records from a Singer stream, kept in a temporary file until both books are known."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from cryptography.fernet import Fernet

from target_quickbooks.errors import InputError
from target_quickbooks.singer_input import MessageReader
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.walk import STREAMS

PORTION = 900
_TABLE = """
CREATE TABLE records (organization TEXT, stream TEXT, id TEXT, document TEXT,
    PRIMARY KEY (organization, stream, id));
"""
_KEYS = ("id", "organizationId")
Portion = list[dict[str, Any]]


class Records:
    """The records, the latest version of each; gone when they are closed.

    They hold whole tax ids, so they are encrypted with a key that is nowhere else.
    """

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="records-")
        self._database = sqlite3.connect(Path(self._directory.name) / "bill.sqlite3", isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLE)
        self._database.execute("BEGIN")
        self._cipher = Cipher((Fernet.generate_key().decode(),))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        self._database.close()
        self._directory.cleanup()

    def read(self, source: IO[str]) -> None:
        """Take all records of a Singer stream.

        Raises:
            InputError: A line is no Singer message, or a record of a BILL stream lacks its keys.
        """
        reader = MessageReader()

        def take(message: dict[str, Any]) -> None:
            reader.require(message, stream=str, record=dict)
            if message["stream"] in STREAMS:
                self.put(message["stream"], message["record"])

        others = ("SCHEMA", "STATE", "ACTIVATE_VERSION")
        reader.process_lines(source, {"RECORD": take, **dict.fromkeys(others, lambda _: None)})

    def organizations(self) -> list[str]:
        """The organizations of the records."""
        found = self._database.execute("SELECT DISTINCT organization FROM records ORDER BY organization")
        return [row[0] for row in found]

    def count(self, stream: str) -> int:
        """How many records there are of a stream."""
        query = "SELECT count(*) FROM records WHERE stream = ?"
        return int(self._database.execute(query, (stream,)).fetchone()[0])

    def portions(self, organization_id: str, stream: str) -> Iterator[Portion]:
        """All records of a stream of an organization."""
        query = "SELECT document FROM records WHERE organization = ? AND stream = ? ORDER BY id"
        cursor = self._database.execute(query, (organization_id, stream))
        while rows := cursor.fetchmany(PORTION):
            yield [self._cipher.unseal(row[0]) for row in rows]

    def put(self, stream: str, record: Mapping[str, Any]) -> None:
        """Keep a record.

        Raises:
            InputError: It lacks its keys.
        """
        for name in _KEYS:
            if not isinstance(record.get(name), str) or not record[name]:
                msg = f"A record of stream {stream} has no {name}. Use tap-bill, which sends it."
                raise InputError(msg)
        self._database.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)",
            (record["organizationId"], stream, record["id"], self._cipher.seal(record)),
        )
