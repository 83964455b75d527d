"""Proposals of ``mode: plan``: written to the file of ``adoptions_path`` where there is none yet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from typing_extensions import override

from target_quickbooks.adoption.decisions import STREAMS
from target_quickbooks.adoption.proposals import Proposals
from target_quickbooks.adoption.proposing import as_file, rows_of
from target_quickbooks.adoption.records import Records
from target_quickbooks.mapping.source import Kind
from target_quickbooks.memory import Arrived, Memory, References


class NotingMemory(Memory):
    """Also keeps the vendors and bills themselves, until the plan ends."""

    def __init__(self, memory: Memory, records: Records) -> None:
        self._memory = memory
        self._records = records

    @override
    def remember(self, arrived: Arrived) -> None:
        self._memory.remember(arrived)
        for (_, stream), records in arrived.items():
            for record in records if stream in STREAMS else ():
                self._records.put(stream, record)

    @override
    def references(self, organization_id: str, wanted: Iterable[tuple[Kind, str]]) -> References:
        return self._memory.references(organization_id, wanted)


class PlannedProposals:
    """What a plan proposes.

    Attributes:
        lines: What to say of it at the end.
    """

    def __init__(self, *, path: Path, proposals: Proposals, records: Records, adopts: bool) -> None:
        self.lines: list[str] = []
        self._path = path
        self._proposals = proposals
        self._records = records
        self._adopts = adopts

    def write(self) -> None:
        """Make the proposals, and write the file if there are any."""
        rows = rows_of(self._proposals.make(), adopts=self._adopts)
        if not rows:
            self.lines = ["QuickBooks holds nothing that is like what is to be written."]
            return
        try:
            self._path.write_text(as_file(rows, self._path), encoding="utf-8")
        except OSError as error:
            self.lines = [f"The proposals could not be written to {self._path}: {error.strerror}."]
            return
        alike, undecided = len({row["bill_id"] for row in rows}), sum(not row["decision"] for row in rows)
        told = (
            f"QuickBooks may hold {alike} of the records already: {len(rows)} proposals are in {self._path}"
        )
        self.lines = [f"{told}, {undecided} to decide."]

    def close(self) -> None:
        """Remove what was kept."""
        self._records.close()
