"""What watches the server asks: is the process alive, and can it do its work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from target_quickbooks.errors import StoreError
from target_quickbooks.store.database import Store

from webhook_shim.store.tables import jobs

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

logger = logging.getLogger("webhook-shim")


class RunnerState(StrEnum):
    """How the runner is."""

    WORKING = "working"
    STOPPING = "stopping"
    ENDED = "ended"


def routes(store: Store, *, runner: Callable[[], RunnerState]) -> list[BaseRoute]:
    """``/healthz`` and ``/readyz``. Both are open: they tell words, no names.

    Args:
        store: The store.
        runner: Asked how the runner is.
    """

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"}, headers=_HEADERS)

    async def readyz(_: Request) -> Response:
        state = runner()
        reachable = await run_in_threadpool(_is_reachable, store)
        ready = reachable and state is RunnerState.WORKING
        told = {"ready": ready, "store": "reachable" if reachable else "unreachable", "runner": str(state)}
        return JSONResponse(told, status_code=200 if ready else 503, headers=_HEADERS)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _is_reachable(store: Store) -> bool:
    try:
        with store.reading() as connection:
            connection.execute(select(jobs.c.id).limit(1)).first()
    except StoreError as error:
        logger.warning("Not ready: %s", error)
        return False
    return True
