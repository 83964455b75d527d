"""What an injected fault looks like at the OAuth server."""

from __future__ import annotations

import asyncio
import json

import pytest
from ap_simulator.faults import FAULT_SCOPE_KEY, Fault
from ap_simulator.oauth.errors import fault_response
from ap_simulator.oauth.routes import routes
from starlette.requests import Request


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [("throttle", 429, "temporarily_unavailable"), ("server_error", 503, "server_error")],
)
def test_injected_errors_have_the_shape_of_oauth_errors(kind, status, error):
    response = fault_response(kind, status=status, path="/oauth2/v1/tokens/bearer")
    assert response.status_code == status
    assert json.loads(response.body) == {"error": error}
    assert response.headers["intuit_tid"]


async def call_token_endpoint(world, *, fault):
    body = b"grant_type=refresh_token&refresh_token=AB11seed&client_id=ABclientOne&client_secret=secret-one"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/oauth2/v1/tokens/bearer",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        "query_string": b"",
        FAULT_SCOPE_KEY: fault,
    }

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    endpoint = next(route for route in routes(world) if route.path == scope["path"]).endpoint
    return await endpoint(Request(scope, receive))


@pytest.mark.parametrize(
    ("fault", "status"), [(None, 200), (Fault(kind="expired_token"), 400)], ids=["none", "expired"]
)
def test_expired_token_fault_refuses_the_refresh(party, fault, status):
    party.oauth.grant(realm_id="1", client_id="ABclientOne", refresh_token="AB11seed")
    response = asyncio.run(call_token_endpoint(party.world, fault=fault))
    assert response.status_code == status
