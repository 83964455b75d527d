"""Whether an authorization request may be put to a person, and where its answer goes.

Pure: the request's parameters and the registered client in, a verdict out (QuickBooks manual 2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from ap_simulator.oauth.clients import Client
from ap_simulator.oauth.service import SCOPES


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """An authorization request that a person may decide on."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str

    def answer(self, **parameters: str) -> str:
        """The address that carries the answer and the request's `state` back to the app."""
        return _with_parameters(self.redirect_uri, {**parameters, "state": self.state})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownError:
    """A request that must not be redirected: the person sees why, the app does not."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedError:
    """A refusal that is sent back to the app's own address."""

    location: str


def read_request(
    parameters: Mapping[str, str],
    *,
    find_client: Callable[[str], Client | None],
    may_redirect: Callable[[Client, str], bool],
) -> ConsentRequest | ShownError | ReturnedError:
    """Judge an authorization request.

    An unknown client, a foreign redirect URI or a missing `state` is shown and never redirected:
    the address, or what proves the answer genuine, cannot be trusted. Other mistakes go back to
    the app as RFC 6749 has it.

    Args:
        parameters: Of the query or of the consent form.
        find_client: Looks a client up by id.
        may_redirect: Whether a client may be answered at an address.
    """
    client = find_client(parameters.get("client_id", ""))
    if client is None:
        return ShownError(
            code="invalid_client",
            message="The client_id is missing or belongs to no registered app.",
        )
    redirect_uri = parameters.get("redirect_uri", "")
    if not redirect_uri or not may_redirect(client, redirect_uri):
        return ShownError(
            code="invalid_redirect_uri",
            message="The redirect_uri query parameter value is missing or not one of those "
            "registered for this app. It must match character by character.",
        )
    state = parameters.get("state", "")
    if not state:
        return ShownError(
            code="invalid_request",
            message="The state query parameter is missing. It is mandatory.",
        )
    scopes = tuple(dict.fromkeys(parameters.get("scope", "").split()))
    error = _error(parameters.get("response_type", ""), scopes)
    if error is not None:
        return ReturnedError(location=_with_parameters(redirect_uri, {"error": error, "state": state}))
    return ConsentRequest(client=client, redirect_uri=redirect_uri, scopes=scopes, state=state)


def _error(response_type: str, scopes: tuple[str, ...]) -> str | None:
    if not response_type:
        return "invalid_request"
    if response_type != "code":
        return "unsupported_response_type"
    if not scopes or not SCOPES.issuperset(scopes):
        return "invalid_scope"
    return None


def _with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(uri)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit(parts._replace(query=query))
