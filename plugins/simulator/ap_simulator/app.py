"""The ASGI application: all services and the control API on one port.

The world can be replaced while the server runs (`POST /__control/reset`). Requests that are under
way then finish in the old one; the routes are made anew for the new one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from ap_simulator import collector, control
from ap_simulator.bill import errors as bill_errors
from ap_simulator.bill import routes as bill_routes
from ap_simulator.middleware import Gateway, Upstream
from ap_simulator.oauth import errors as oauth_errors
from ap_simulator.oauth import routes as oauth_routes
from ap_simulator.quickbooks import errors as quickbooks_errors
from ap_simulator.quickbooks import routes as quickbooks_routes
from ap_simulator.simulation import Simulation
from ap_simulator.world import World

Endpoint = Callable[[Request], Awaitable[Response]]

_WELCOME = """\
BILL and QuickBooks Online, simulated.

BILL API           /connect/v3/...
BILL webhooks API  /connect-events/v3/...
QuickBooks API     /v3/company/{realm_id}/...
Intuit OAuth       /connect/oauth2, /oauth2/v1/tokens/bearer, /v2/oauth2/tokens/revoke
control            /__control/status and more: /__control
"""


class Application:
    """Serves one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self.gateway = Gateway(self._upstream)
        self._simulation = simulation
        self._control = control.routes(simulation)
        self._served = self._make_upstream(simulation.world)
        self._world = simulation.world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self.gateway(scope, receive, send)

    def _upstream(self) -> Upstream:
        if self._world is not self._simulation.world:
            self._world = self._simulation.world
            self._served = self._make_upstream(self._world)
            # Only now does nothing refer to the old world any more.
            collector.replaced(large=collector.is_large(self._simulation.settings))
        return self._served

    def _make_upstream(self, world: World) -> Upstream:
        router = Router(
            [
                Route("/", _welcome, methods=["GET"]),
                *self._control,
                *oauth_routes.routes(world),
                *bill_routes.routes(world),
                *quickbooks_routes.routes(world),
                Route("/connect/{rest:path}", _no_such_bill_api(world), methods=control.ALL_METHODS),
            ],
            redirect_slashes=False,
        )
        return Upstream(
            app=router,
            calls=world.calls,
            faults=world.faults,
            fault_responses={
                "bill": bill_errors.fault_response,
                "quickbooks": quickbooks_errors.fault_response,
                "oauth": oauth_errors.fault_response,
            },
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._simulation.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _no_such_bill_api(world: World) -> Endpoint:
    """Answer paths beside BILL's API, e.g. its webhooks API under the wrong base."""

    async def refuse(_: Request) -> Response:
        return bill_errors.error_response(
            bill_errors.refusal(bill_errors.Code.NO_SUCH_API),
            switches=world.switches.bill,
            now=world.clock.now(),
        )

    return refuse


async def _welcome(_: Request) -> Response:
    return PlainTextResponse(_WELCOME)
