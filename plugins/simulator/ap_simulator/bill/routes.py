"""BILL's paths on the simulator's port: `/connect/v3/...` and `/connect-events/v3/...`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ap_simulator.bill.endpoints import signing_in, webhooks
from ap_simulator.bill.endpoints.books import OTHERS, RESOURCES
from ap_simulator.bill.errors import Code, refusal
from ap_simulator.bill.gate import Access, Endpoint, Handler, OpenEndpoint
from ap_simulator.bill.service import BillService
from ap_simulator.world import World

API: Final = "/connect/v3"
WEBHOOKS_API: Final = "/connect-events/v3"

_SIGNING_IN: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("POST", "/logout", signing_in.log_out),
    ("GET", "/login/session", signing_in.session_details),
    ("GET", "/mfa/phones", signing_in.phones),
    ("POST", "/mfa/setup", signing_in.begin_setup),
    ("POST", "/mfa/setup/validate", signing_in.finish_setup),
    ("POST", "/mfa/challenge", signing_in.begin_challenge),
    ("POST", "/mfa/challenge/validate", signing_in.finish_challenge),
    ("POST", "/mfa/step-up", signing_in.step_up),
)


def routes(world: World) -> list[BaseRoute]:
    """The routes of both APIs. Paths and methods that BILL does not have are 404 BDC_1121."""
    return list(_routes(world.bill))


def _routes(service: BillService) -> Iterator[BaseRoute]:
    yield Route(f"{API}/login", OpenEndpoint(service, signing_in.log_in), methods=["POST"])
    yield Route(f"{API}/health", OpenEndpoint(service, signing_in.health), methods=["GET"])
    for method, path, handler in _SIGNING_IN:
        yield Route(API + path, Endpoint(service, handler, Access.SIGN_IN), methods=[method])
    # Requests with fixed paths come first, or an id would be read into them.
    resources = [entry for resource in RESOURCES for entry in resource.handlers()]
    for method, path, handler in sorted((*OTHERS, *resources), key=_has_id):
        yield Route(API + path, Endpoint(service, handler, Access.SESSION), methods=[method])
    for method, path, handler in webhooks.HANDLERS:
        endpoint = Endpoint(service, handler, Access.WEBHOOKS)
        yield Route(WEBHOOKS_API + path, endpoint, methods=[method])
    unknown = OpenEndpoint(service, _unknown)
    for path in (API, WEBHOOKS_API, f"{API}/{{rest:path}}", "/connect-events/{rest:path}"):
        yield Route(path, unknown)


def _has_id(entry: tuple[str, str, Handler]) -> bool:
    return "{id}" in entry[1]


async def _unknown(service: BillService, request: Request, held: ExitStack) -> Response:  # noqa: ARG001
    raise refusal(Code.NO_SUCH_API)
