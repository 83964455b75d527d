"""Which requests an open page answers: those of this machine's own browsers, sent to it directly.

Without a password the page is for loopback only. A foreign name in the Host header means that a website
rebound its own name to this machine; a proxy's header means that others reach it through a tunnel.
"""

from __future__ import annotations

from starlette.requests import Request

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local(request: Request) -> bool:
    """Whether the request was sent to a loopback name, by this machine, with nothing in between."""
    client = request.client.host if request.client else ""
    through_proxy = any(name in request.headers for name in _PROXY_HEADERS)
    return _host(request.headers.get("host", "")) in _LOOPBACK and client in _LOOPBACK and not through_proxy


def _host(header: str) -> str:
    name = header[1:].partition("]")[0] if header.startswith("[") else header.partition(":")[0]
    return name.lower()
