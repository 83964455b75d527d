"""Login, logout, session details, MFA, health (BILL manual 1, 2)."""

from __future__ import annotations

import hmac
from contextlib import ExitStack
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from ap_simulator.bill.errors import Code, invalid, refusal
from ap_simulator.bill.gate import Call, json_response, read_json, take_time
from ap_simulator.bill.records.schema import Flag, Object, Text, choice, read_body
from ap_simulator.bill.records.shapes import NAME
from ap_simulator.bill.service import BillService

_LOGIN: Final = Object(
    {
        "username": NAME,
        "password": NAME,
        "organizationId": NAME,
        "devKey": NAME,
        "rememberMeId": NAME,
        "device": NAME,
    },
    ("username", "password", "organizationId", "devKey"),
)
_SETUP: Final = Object(
    {"phone": Text(pattern=r"[+0-9 ().-]{7,30}"), "type": choice("TEXT"), "primary": Flag()}, ("phone",)
)
_SETUP_CODE: Final = Object({"setupId": NAME, "token": NAME, "type": NAME}, ("setupId", "token"))
_CHALLENGE_CODE: Final = Object(
    {
        "challengeId": NAME,
        "token": NAME,
        "device": NAME,
        "machineName": NAME,
        "rememberMe": Flag(),
    },
    ("challengeId", "token", "device"),
)
_STEP_UP: Final = Object({"rememberMeId": NAME, "device": NAME}, ("rememberMeId", "device"))


async def log_in(service: BillService, request: Request, held: ExitStack) -> Response:
    """`POST /v3/login`."""
    values = read_body(_LOGIN, await read_json(request), service.switches)
    developer_key, organization_id = values["devKey"], values["organizationId"]
    if not service.knows_developer_key(developer_key):
        raise refusal(Code.WRONG_DEVELOPER_KEY)
    service.limits.count_request(developer_key)
    service.limits.count_login(developer_key)
    held.enter_context(service.limits.in_flight(developer_key, organization_id))
    await take_time(service)
    organization = service.find_organization(organization_id)
    login = organization.login(values["username"]) if organization else None
    if organization is None or login is None:
        raise refusal(Code.WRONG_CREDENTIALS)
    if not hmac.compare_digest(login.password.encode(), values["password"].encode()):
        raise refusal(Code.WRONG_CREDENTIALS)
    if developer_key not in organization.developer_keys:
        raise refusal(Code.WRONG_DEVELOPER_KEY)
    remember_me_id, device = values.get("rememberMeId"), values.get("device")
    if remember_me_id is not None and device is None:
        msg = "device: must not be null"
        raise invalid(msg)
    trusted = (
        remember_me_id is not None
        and not login.sync_token
        and service.mfa.trusts(login.user_id, remember_me_id, device or "")
    )
    session = service.sessions.open(
        organization_id=organization_id, login=login, developer_key=developer_key, trusted=trusted
    )
    service.calls.logged_in(system="bill")
    return json_response(
        {
            "organizationId": organization_id,
            "sessionId": session.id,
            "trusted": trusted,
            "userId": login.user_id,
        }
    )


async def log_out(call: Call) -> Response:
    """`POST /v3/logout`: an empty answer."""
    call.service.sessions.close(call.session)
    return Response(status_code=200)


async def session_details(call: Call) -> Response:
    """`GET /v3/login/session`."""
    return json_response(
        {
            "organizationId": call.organization.id,
            "userId": call.actor,
            "mfaStatus": call.switches.mfa_status,
            "mfaBypass": call.session.trusted or call.switches.mfa_required_for == "nothing",
        }
    )


async def health(service: BillService, request: Request, held: ExitStack) -> Response:  # noqa: ARG001
    """`GET /v3/health`: needs no session."""
    return json_response(
        {
            "appId": "ap-simulator",
            "appEnv": "simulator",
            "appVersion": "v3",
            "bdcRegion": "loopback",
        }
    )


async def phones(call: Call) -> Response:
    """`GET /v3/mfa/phones`."""
    return json_response({"results": call.service.mfa.phones(call.actor)})


async def begin_setup(call: Call) -> Response:
    """`POST /v3/mfa/setup`: sends a code."""
    _refuse_sync_token(call)
    values = read_body(_SETUP, await call.body(), call.switches)
    call.service.limits.count_text_message(call.actor)
    return json_response({"setupId": call.service.mfa.begin_setup(call.actor, values["phone"])})


async def finish_setup(call: Call) -> Response:
    """`POST /v3/mfa/setup/validate`."""
    values = read_body(_SETUP_CODE, await call.body(), call.switches)
    call.service.mfa.finish_setup(call.actor, values["setupId"], values["token"])
    return Response(status_code=200)


async def begin_challenge(call: Call) -> Response:
    """`POST /v3/mfa/challenge`: sends a code."""
    _refuse_sync_token(call)
    call.service.limits.count_text_message(call.actor)
    return json_response({"challengeId": call.service.mfa.begin_challenge(call.actor)})


async def finish_challenge(call: Call) -> Response:
    """`POST /v3/mfa/challenge/validate`: trusts the session, and the device if asked to."""
    values = read_body(_CHALLENGE_CODE, await call.body(), call.switches)
    remember_me_id = call.service.mfa.finish_challenge(
        call.actor, values["challengeId"], values["token"], values["device"]
    )
    call.session.trusted = True
    return json_response({"rememberMeId": remember_me_id} if values.get("rememberMe") else {})


async def step_up(call: Call) -> Response:
    """`POST /v3/mfa/step-up`: trusts the session by a remembered device."""
    values = read_body(_STEP_UP, await call.body(), call.switches)
    if not call.service.mfa.trusts(call.actor, values["rememberMeId"], values["device"]):
        raise refusal(Code.UNTRUSTED_SESSION)
    call.session.trusted = True
    return json_response({"trusted": True})


def _refuse_sync_token(call: Call) -> None:
    if call.session.login.sync_token:
        raise refusal(Code.UNTRUSTED_SESSION)
