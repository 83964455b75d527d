"""Where planned changes go: to QuickBooks (``writing``) or into a plan (``plan``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.links import Company, Link
from target_quickbooks.store.failure_table import Failure


class Outlet(Protocol):
    """What the walk needs of the end it leads to."""

    def settle_open_intents(self, realm_id: str) -> list[Submission]:
        """Finish what an earlier run was interrupted in; return what has to be planned again."""

    def apply(self, submissions: Sequence[Submission], *, replan: bool = True) -> list[Conflict]:
        """Take changes; return refusals that planning again may overcome."""

    def record_failure(self, company: Company, failure: Failure) -> None:
        """Take a record that never got as far as planning."""

    def pending_links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """Links that exist only in a plan."""
