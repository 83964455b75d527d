"""The OAuth server's endpoints. HTTP in and out; decisions are in `consent` and `service`.

No id_token is issued, even with the openid scope, and the key set is empty: signing one needs a
cryptography library that the simulator has no other use for.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ap_simulator.faults import FAULT_SCOPE_KEY
from ap_simulator.oauth.clients import Client
from ap_simulator.oauth.consent import ConsentRequest, ReturnedError, ShownError, read_request
from ap_simulator.oauth.discovery import (
    AUTHORIZATION_PATH,
    DISCOVERY_PATHS,
    JWKS_PATH,
    REVOCATION_PATH,
    TOKEN_PATH,
    USERINFO_PATH,
    discovery_document,
)
from ap_simulator.oauth.errors import (
    OAuthError,
    error_response,
    invalid_client,
    refuse_grant,
    refuse_request,
    trace_headers,
)
from ap_simulator.oauth.pages import Company, consent_page, error_page
from ap_simulator.oauth.service import OAuthService, Tokens
from ap_simulator.world import World

_FORM: Final = "application/x-www-form-urlencoded"
_HARD_EXPIRY_HEADER: Final = "x-include-refresh-token-hard-expires-in"

_Handler = Callable[[Request], Awaitable[Response]]


def routes(world: World) -> list[BaseRoute]:
    """The routes of the OAuth server over the state of `world`."""
    endpoints = _Endpoints(world)
    discovery = [
        Route(path + ending, endpoints.discovery, methods=["GET"])
        for path in DISCOVERY_PATHS
        for ending in ("", "/")
    ]
    return [
        *discovery,
        Route(AUTHORIZATION_PATH, endpoints.ask, methods=["GET"]),
        Route(AUTHORIZATION_PATH, endpoints.decide, methods=["POST"]),
        Route(TOKEN_PATH, _guarded(endpoints.token), methods=["POST"]),
        Route(REVOCATION_PATH, _guarded(endpoints.revoke), methods=["POST"]),
        Route(USERINFO_PATH, _guarded(endpoints.userinfo), methods=["GET"]),
        Route(JWKS_PATH, endpoints.jwks, methods=["GET"]),
    ]


class _Endpoints:
    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def _oauth(self) -> OAuthService:
        return self._world.oauth

    async def discovery(self, request: Request) -> Response:
        base_url = str(request.base_url).rstrip("/")
        return JSONResponse(discovery_document(base_url), headers=trace_headers())

    async def jwks(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse({"keys": []}, headers=trace_headers())

    async def ask(self, request: Request) -> Response:
        """Show the consent form."""
        verdict = self._read(request.query_params)
        if isinstance(verdict, ConsentRequest):
            return consent_page(verdict, self._companies())
        return _refused(verdict)

    async def decide(self, request: Request) -> Response:
        """Take the person's answer and send it to the app."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        verdict = self._read(form)
        if not isinstance(verdict, ConsentRequest):
            return _refused(verdict)
        if form.get("decision") != "connect":
            return _redirect(verdict.answer(error="access_denied"))
        realm_id = form.get("realm_id", "")
        companies = self._companies()
        if realm_id not in {company.realm_id for company in companies}:
            return consent_page(verdict, companies, unchosen=True)
        code = self._oauth.issue_code(
            client_id=verdict.client.client_id,
            realm_id=realm_id,
            redirect_uri=verdict.redirect_uri,
            scopes=verdict.scopes,
        )
        return _redirect(verdict.answer(code=code, realmId=realm_id))

    async def token(self, request: Request) -> Response:
        """Exchange a code or a refresh token."""
        form = await _form(request)
        client = self._authenticate(request, form)
        if _expired_token_injected(request):
            refuse_grant("Incorrect or invalid refresh token")
        match form.get("grant_type"):
            case "authorization_code":
                tokens = self._oauth.exchange(
                    client_id=client.client_id,
                    code=_required(form, "code"),
                    redirect_uri=_required(form, "redirect_uri"),
                )
            case "refresh_token":
                tokens = self._oauth.refresh(
                    client_id=client.client_id, refresh_token=_required(form, "refresh_token")
                )
            case None | "":
                refuse_request("grant_type is missing")
            case _:
                raise OAuthError("unsupported_grant_type")
        hard = request.headers.get(_HARD_EXPIRY_HEADER, "").lower() == "true"
        return _token_response(tokens, hard_expiry=hard)

    async def revoke(self, request: Request) -> Response:
        """End a connection."""
        client = self._authenticate(request, {})
        try:
            body = json.loads(await request.body())
        except ValueError:
            refuse_request("The body is not JSON")
        token = body.get("token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            refuse_request("token is missing")
        self._oauth.revoke(client_id=client.client_id, token=token)
        return Response(status_code=HTTPStatus.OK, headers=trace_headers())

    async def userinfo(self, request: Request) -> Response:
        """Tell an app with the openid scope who connected it."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        connection = self._oauth.connection(token) if scheme.lower() == "bearer" else None
        if connection is None:
            raise OAuthError("invalid_token", status=HTTPStatus.UNAUTHORIZED)
        if "openid" not in connection.scopes:
            raise OAuthError("insufficient_scope", status=HTTPStatus.FORBIDDEN)
        claims: dict[str, object] = {"sub": f"admin-of-{connection.realm_id}"}
        if "email" in connection.scopes:
            claims |= {"email": "admin@example.com", "emailVerified": True}
        if "profile" in connection.scopes:
            claims |= {"givenName": "Company", "familyName": "Administrator"}
        return JSONResponse(claims, headers=trace_headers())

    def _read(self, parameters: Mapping[str, str]) -> ConsentRequest | ShownError | ReturnedError:
        return read_request(parameters, find_client=self._oauth.client, may_redirect=self._oauth.may_redirect)

    def _companies(self) -> list[Company]:
        return [Company(realm_id=realm_id, name=name) for realm_id, name in self._oauth.companies().items()]

    def _authenticate(self, request: Request, form: Mapping[str, str]) -> Client:
        credentials = _credentials(request.headers.get("authorization"), form)
        client = self._oauth.client(credentials.client_id) if credentials else None
        if credentials is None or client is None or not client.has_secret(credentials.secret):
            raise invalid_client()
        return client


@dataclass(frozen=True, slots=True, kw_only=True)
class _Credentials:
    client_id: str
    secret: str


def _credentials(authorization: str | None, form: Mapping[str, str]) -> _Credentials | None:
    """What the client says it is, in the Basic header or, without one, in the form."""
    if authorization is None:
        if "client_id" not in form or "client_secret" not in form:
            return None
        return _Credentials(client_id=form["client_id"], secret=form["client_secret"])
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, colon, secret = decoded.partition(":")
    return _Credentials(client_id=client_id, secret=secret) if colon else None


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        refuse_request(f"The body must be {_FORM}")
    pairs = parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) != len(pairs):
        refuse_request("A parameter is given more than once")
    return form


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        refuse_request(f"{name} is missing")
    return value


def _expired_token_injected(request: Request) -> bool:
    fault = request.scope.get(FAULT_SCOPE_KEY)
    return fault is not None and fault.kind == "expired_token"


def _token_response(tokens: Tokens, *, hard_expiry: bool) -> JSONResponse:
    body: dict[str, object] = {
        "token_type": "bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
        "x_refresh_token_expires_in": tokens.refresh_expires_in,
        "access_token": tokens.access_token,
    }
    if hard_expiry:
        body["x_refresh_token_hard_expires_in"] = tokens.hard_expires_in
    return JSONResponse(body, headers=trace_headers())


def _redirect(location: str) -> RedirectResponse:
    return RedirectResponse(location, status_code=HTTPStatus.FOUND, headers=trace_headers())


def _refused(verdict: ShownError | ReturnedError) -> Response:
    if isinstance(verdict, ReturnedError):
        return _redirect(verdict.location)
    return error_page(verdict)


def _guarded(handler: _Handler) -> _Handler:
    """Answer the handler's refusals as OAuth errors."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except OAuthError as error:
            return error_response(error)

    return guarded
