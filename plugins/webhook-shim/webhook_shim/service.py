"""Puts the parts of a server together. The one place that knows them all."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.store.database import Store

from webhook_shim import companies, health, web
from webhook_shim.checks import Checks
from webhook_shim.companies import Books
from webhook_shim.context import Context
from webhook_shim.health import RunnerState
from webhook_shim.jobs import Workshop
from webhook_shim.receiver import Receiver
from webhook_shim.runner import Runner
from webhook_shim.settings import Settings
from webhook_shim.store.opening import open_for
from webhook_shim.watch import Watch


class Service:
    """All parts of one server: what receives, what runs, what shows.

    Attributes:
        companies: Those it looks after.
    """

    def __init__(self, settings: Settings, books: tuple[Books, ...], store: Store) -> None:
        self.companies = books
        self._store = store
        self._workshop = Workshop(settings, store, several=len(books) > 1, now=utc_now)
        self._checks = Checks(store, now=utc_now)
        self._runner = Runner(settings, books, store, self._workshop, check=self._checks, now=utc_now)
        self._watch = Watch(settings, books, store, wake=self._runner.wake, now=utc_now)
        self._context = Context(settings, books, store, self._runner.wake, utc_now)
        self._receiver = Receiver(self._context)

    @property
    def state(self) -> RunnerState:
        """How the runner is."""
        return self._runner.state

    def application(self) -> Starlette:
        """The web application; it works while its lifespan lasts."""
        return Starlette(routes=self._routes(), lifespan=self._lifespan)

    def hurry(self) -> None:
        """Stop what is under way at once; each process finishes its batch and records it."""
        self._runner.hurry()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _routes(self) -> list[BaseRoute]:
        return [
            *self._receiver.routes(),
            *health.routes(self._store, runner=lambda: self.state),
            *web.routes(self._context, deliveries=self._receiver.outcomes),
        ]

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._runner.start()
        self._watch.start()
        try:
            yield
        finally:
            self._checks.stop()
            await self._watch.stop()
            await self._runner.stop()


def assemble(settings: Settings) -> Service:
    """A server for these settings: asks Meltano for the companies, opens the store.

    Raises:
        TargetError: The configuration or the store cannot be used.
    """
    books = companies.read(settings)
    return Service(settings, books, open_for(books))
