"""Registered apps (OAuth clients) and the redirect URIs they may use (QuickBooks manual 2.2)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An app as registered with Intuit.

    Attributes:
        client_id: Public id.
        client_secret: Its secret.
        redirect_uris: Registered redirect URIs, matched character by character.
        development: Whether these are development keys, which alone may use plain http on
            localhost.
        name: What the consent page calls the app.
    """

    client_id: str
    client_secret: str
    redirect_uris: frozenset[str] = frozenset()
    development: bool = True
    name: str = "QuickBooks app"

    def __post_init__(self) -> None:
        for uri in self.redirect_uris:
            if (problem := _registration_problem(uri, development=self.development)) is not None:
                msg = f"Redirect URI {uri!r} cannot be registered: {problem}"
                raise ValueError(msg)

    def has_secret(self, secret: str) -> bool:
        """Whether `secret` is the client's, compared in constant time."""
        return hmac.compare_digest(self.client_secret.encode(), secret.encode())

    def may_redirect_to(self, uri: str, *, any_loopback: bool) -> bool:
        """Whether a consent may answer to `uri`.

        Args:
            uri: The `redirect_uri` asked for.
            any_loopback: Whether development keys may use any http URI on localhost.
        """
        if uri in self.redirect_uris:
            return True
        return any_loopback and self.development and is_loopback(uri)


def is_loopback(uri: str) -> bool:
    """Whether `uri` is plain http on this machine, without a fragment."""
    try:
        parts = urlsplit(uri)
        valid_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme == "http"
        and parts.hostname in _LOOPBACK_HOSTS
        and parts.username is None
        and not parts.fragment
        and valid_port
    )


def _registration_problem(uri: str, *, development: bool) -> str | None:
    parts = urlsplit(uri)
    if parts.query or parts.fragment:
        return "it must have neither a query nor a fragment"
    if is_loopback(uri):
        return None if development else "http on localhost is for development keys only"
    if parts.scheme != "https" or not parts.hostname:
        return "it must be an https address"
    if parts.hostname.replace(".", "").isdigit() or ":" in parts.hostname:
        return "it must name a host, not an IP address"
    return None
