"""Who may read ``/metrics``: this machine, whoever is signed in, and programs that know the password."""

from __future__ import annotations

import binascii
from base64 import b64decode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from target_quickbooks.errors import StoreError

from webhook_shim.metrics import CONTENT_TYPE, Metrics
from webhook_shim.web import headers, hosts
from webhook_shim.web.sign_in import is_password
from webhook_shim.web.visits import Endpoint, Site


def endpoint(site: Site, metrics: Metrics) -> Endpoint:
    """The metrics: open to this machine with no proxy in between, else by session or password."""

    async def read(request: Request) -> Response:
        if not _may(site, request):
            response = Response(
                "Sign in, or send the page's password as a bearer token.\n",
                status_code=401,
                headers={"www-authenticate": 'Bearer realm="metrics"'},
            )
        else:
            try:
                text = await run_in_threadpool(metrics.text)
                response = Response(text, media_type=CONTENT_TYPE)
            except StoreError:
                response = Response("The store cannot be read.\n", status_code=503)
        headers.add(response.headers, secure=site.is_secure)
        return response

    return read


def _may(site: Site, request: Request) -> bool:
    settings = site.context.settings
    if not settings.is_public and hosts.is_local(request):
        return True
    session = site.sessions.read(request.cookies.get(site.sessions.cookie))
    if site.is_open:
        return False
    if session and session.signed_in:
        return True
    given = _given(request.headers.get("authorization", ""))
    address = request.client.host if request.client else ""
    if not given or site.attempts.take(address).total_seconds() > 0:
        return False
    if is_password(given, settings.password):
        site.attempts.succeeded(address)
        return True
    return False


def _given(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
