"""The page: what people see of the shim, and the buttons they press."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from webhook_shim.context import Context
from webhook_shim.metrics import Metrics
from webhook_shim.store import jobs_table
from webhook_shim.web import (
    connecting,
    drift,
    failures,
    headers,
    history,
    metering,
    overview,
    preview,
    reconciling,
    runs,
    sign_in,
)
from webhook_shim.web.attempts import Attempts
from webhook_shim.web.figures import Figures
from webhook_shim.web.pending import PendingConnections
from webhook_shim.web.rendering import STATIC_FILES, Renderer
from webhook_shim.web.sessions import Sessions
from webhook_shim.web.visits import Act, Ask, Endpoint, Site, Visit, page

__all__ = ["make_site", "routes"]

_OF_A_COMPANY: tuple[tuple[str, str, Act], ...] = (
    ("GET", "", overview.overview),
    ("GET", "/runs", runs.list_runs),
    ("POST", "/runs", runs.ask_run),
    ("GET", "/runs/{run}", runs.show_run),
    ("GET", "/failures", failures.list_failures),
    ("POST", "/failures/replay", failures.replay),
    ("POST", "/failures/dismiss", failures.dismiss),
    ("GET", "/failures/{number}", failures.show_failure),
    ("GET", "/drift", drift.list_drift),
    ("POST", "/drift", drift.accept),
    ("GET", "/history", history.list_history),
    ("GET", "/history/export.{form}", history.export),
    ("GET", "/history/{number}", history.show_entry),
    ("GET", "/preview", preview.show_preview),
    ("POST", "/preview", preview.ask_preview),
    ("GET", "/reconciliation", reconciling.show_reconciliation),
    ("POST", "/reconciliation", reconciling.ask_reconciliation),
    ("GET", "/reconciliation/{run}/report.{ending}", reconciling.show_report),
    ("GET", "/connection", connecting.show_connection),
    ("POST", "/connection/start", connecting.start),
    ("POST", "/connection/test", connecting.test),
    ("GET", "/connection/disconnect", connecting.ask_disconnect),
    ("POST", "/connection/disconnect", connecting.disconnect),
)
_OTHERS: tuple[tuple[str, str, Act], ...] = (
    ("GET", "/", overview.start),
    ("POST", "/sign-out", sign_in.sign_out),
    ("GET", connecting.CALLBACK, connecting.callback),
    ("GET", connecting.CONFIRM, connecting.ask_confirmation),
    ("POST", connecting.CONFIRM, connecting.confirm),
)
_PUBLIC: tuple[tuple[str, str, Act], ...] = (
    ("GET", "/sign-in", sign_in.ask_password),
    ("POST", "/sign-in", sign_in.check_password),
)


def routes(
    context: Context,
    *,
    ask: Ask = jobs_table.ask,
    deliveries: Mapping[tuple[str, str], int] | None = None,
) -> list[BaseRoute]:
    """All pages, their files, and ``/metrics``; put last, for they answer what is left.

    Args:
        context: The server's parts.
        ask: Asks for work.
        deliveries: The receiver's ``outcomes``, for the metrics.
    """
    site = make_site(context, ask=ask)
    metrics = Metrics(context, deliveries={} if deliveries is None else deliveries)
    return [
        *_pages(site),
        Route("/metrics", metering.endpoint(site, metrics), methods=["GET"]),
        Route("/{path:path}", page(site, _nothing), methods=["GET"]),
    ]


def make_site(context: Context, *, ask: Ask) -> Site:
    """What all pages share, made once."""
    settings = context.settings
    return Site(
        context=context,
        ask=ask,
        sessions=Sessions(
            store_key=context.store.fingerprint_key,
            password=settings.password,
            secure=settings.public_url.startswith("https:"),
            now=context.now,
        ),
        attempts=Attempts(context.now),
        pages=Renderer(),
        figures=Figures(),
        pending=PendingConnections(context.now),
    )


def _pages(site: Site) -> list[BaseRoute]:
    progress = page(site, runs.progress, passive=True)
    return [
        *(Route(path, page(site, act, public=True), methods=[method]) for method, path, act in _PUBLIC),
        *(Route(path, page(site, act), methods=[method]) for method, path, act in _OTHERS),
        Route("/books/{company}/runs/{run}/progress", progress, methods=["GET"]),
        *(
            Route(f"/books/{{company}}{path}", page(site, act), methods=[method])
            for method, path, act in _OF_A_COMPANY
        ),
        Route("/static/{name}", _static(site), methods=["GET"]),
    ]


def _nothing(_: Visit) -> Response:
    raise HTTPException(404)


def _static(site: Site) -> Endpoint:
    async def static(request: Request) -> Response:
        name = str(request.path_params["name"])
        content = site.pages.static.get(name)
        if content is None:
            response = Response("Not found", status_code=404)
            headers.add(response.headers, secure=site.is_secure)
            return response
        response = Response(content, media_type=STATIC_FILES[name])
        headers.add(response.headers, secure=site.is_secure, keep="v" in request.query_params)
        return response

    return static
