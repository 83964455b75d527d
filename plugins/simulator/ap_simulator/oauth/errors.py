"""Refusals of the OAuth server and their JSON bodies (QuickBooks manual 2.5)."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Final, NoReturn

from starlette.responses import JSONResponse

#: What an answer with tokens or a refusal of them carries, since caches must not keep it.
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(Exception):
    """A refusal with an OAuth error code.

    Attributes:
        code: E.g. `invalid_grant`.
        description: `error_description` of the answer, None for none.
        status: HTTP status of the answer.
    """

    def __init__(
        self, code: str, description: str | None = None, *, status: int = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description
        self.status = status


def invalid_client() -> OAuthError:
    """The refusal of an unknown client or a wrong secret."""
    return OAuthError("invalid_client", status=HTTPStatus.UNAUTHORIZED)


def refuse_request(description: str) -> NoReturn:
    """Refuse a request that lacks something or says it wrongly.

    Raises:
        OAuthError: `invalid_request`, always.
    """
    raise OAuthError("invalid_request", description)


def refuse_grant(description: str | None) -> NoReturn:
    """Refuse a code or refresh token.

    Raises:
        OAuthError: `invalid_grant`, always.
    """
    raise OAuthError("invalid_grant", description)


def trace_headers() -> dict[str, str]:
    """The headers of every answer: `intuit_tid`, the trace id that Intuit's support asks for."""
    root, span = uuid.uuid4().hex[:24], uuid.uuid4().hex[:8]
    return {"intuit_tid": f"1-{span}-{root}", **NO_STORE}


def error_response(error: OAuthError) -> JSONResponse:
    """The answer to a refused request."""
    body = {"error": error.code}
    if error.description:
        body["error_description"] = error.description
    headers = trace_headers()
    if error.code == "invalid_client":
        headers["WWW-Authenticate"] = 'Basic realm="Intuit"'
    return JSONResponse(body, status_code=error.status, headers=headers)


def fault_response(kind: str, *, status: int, path: str) -> JSONResponse:  # noqa: ARG001
    """The body of an injected `throttle` or `server_error`, in the shape of OAuth errors."""
    code = "temporarily_unavailable" if kind == "throttle" else "server_error"
    return error_response(OAuthError(code, status=status))
