"""What every part of the server is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from target_quickbooks.store.database import Store

from webhook_shim.companies import Books
from webhook_shim.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that all routes share.

    Attributes:
        wake: Tells the runner that there may be something to do.
        now: The current time, aware.
    """

    settings: Settings
    companies: tuple[Books, ...]
    store: Store
    wake: Callable[[], None]
    now: Callable[[], dt.datetime]

    def of_organization(self, organization_id: str) -> Books | None:
        """The company of a BILL organization, if the shim looks after it."""
        return next((books for books in self.companies if books.organization_id == organization_id), None)

    def of_realm(self, realm_id: str) -> Books | None:
        """The company of a QuickBooks realm, if the shim looks after it."""
        return next((books for books in self.companies if books.realm_id == realm_id), None)
