"""The pre-flight at work: looked at once in a run, before its first write, in as few calls as can be.

What only bills need (the lists of QuickBooks that maps name entries of, a payables account) is asked for
when there are bills, or when there may be some and a map is set. A run that has nothing to write asks
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from target_quickbooks.errors import PreflightFailed
from target_quickbooks.policies import Policies
from target_quickbooks.preflight import Bills, Preflight, examine
from target_quickbooks.quickbooks.directory import Directory


class Gate:
    """Stands before the first write."""

    def __init__(
        self,
        directory: Directory,
        policies: Policies,
        *,
        grant_ends: Callable[[], dt.datetime | None],
        now: Callable[[], dt.datetime],
        found: Callable[[Preflight], None] = lambda _: None,
        stops: bool = True,
    ) -> None:
        self._directory = directory
        self._policies = policies
        self._grant_ends = grant_ends
        self._now = now
        self._found = found
        self._stops = stops
        self._examined: Bills | None = None

    def open(self, bills: Bills) -> None:
        """Let a write pass, if need be after looking at what matters to it and was not looked at yet.

        Args:
            bills: Whether there are bills besides, or may be.

        Raises:
            PreflightFailed: Something would make every record of a kind fail; unless it is to be told only.
        """
        if self._examined is not None and bills <= self._examined:
            return
        first = "the first bill" if self._policies.posts_bills else "the first purchase order"
        before = "the first write" if self._examined is None else first
        self._examined = bills
        preflight = self.examine(bills)
        self._found(preflight)
        if preflight.errors and self._stops:
            raise PreflightFailed(preflight.problem(before))

    def examine(self, bills: Bills) -> Preflight:
        """Look, whatever was looked at before."""
        policies = self._policies
        company = self._directory.company()
        names = policies.customer_map.values(), policies.item_map.values()
        needed = bills is Bills.EXPECTED or (bills is Bills.POSSIBLE and _names_entries(policies))
        chart = self._directory.chart(*names) if needed else None
        if chart and policies.tax_code and not company.in_us:
            chart = replace(chart, tax_codes=self._directory.tax_codes())
        return examine(
            company,
            policies,
            chart=chart,
            bills=bills,
            grant_ends=self._grant_ends(),
            now=self._now(),
        )


def _names_entries(policies: Policies) -> bool:
    """Whether a setting names an entry of a QuickBooks list."""
    return bool(
        policies.account_map
        or policies.class_map
        or policies.location_map
        or policies.customer_map
        or policies.item_map
        or policies.default_expense_account
        or (policies.payment_account and policies.posts_payments)
        or policies.tax_code
    )
