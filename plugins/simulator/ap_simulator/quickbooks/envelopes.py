"""What stands around answers: `time`, faults, the gateway's own shapes, headers, JSON or XML.

Source: QuickBooks manual 1.4, 1.5, 2.7, 7.1, 8.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Literal

import simplejson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from ap_simulator.quickbooks.formats import answer_time, epoch_milliseconds
from ap_simulator.quickbooks.problems import RefusedError
from ap_simulator.quickbooks.rendering import dumps
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.quickbooks.xml import to_xml

Format = Literal["json", "xml"]

THROTTLED: Final = "The request limit was reached.  Try again later"


def answer_format(accept: str, switches: QuickBooksSwitches) -> Format:
    """JSON or XML, whichever the Accept header names first; by switch if it names neither."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    for kind in kinds:
        if kind in {"application/json", "text/json"}:
            return "json"
        if kind in {"application/xml", "text/xml"}:
            return "xml"
    return switches.answer_without_accept


def trace_headers() -> dict[str, str]:
    """The header of every answer: `intuit_tid`, the trace id that Intuit's support asks for."""
    trace = uuid.uuid4().hex
    return {"intuit_tid": f"1-{trace[:8]}-{trace[8:]}"}


def with_time(body: bytes, now: datetime) -> bytes:
    """A JSON object with `time` added."""
    return body[:-1] + b',"time":"' + answer_time(now).encode() + b'"}'


def fault(refusal: RefusedError) -> dict[str, Any]:
    """The Fault object of a refusal."""
    return {
        "Error": [
            {
                "Message": problem.message,
                "Detail": problem.detail,
                "code": problem.code,
                "element": problem.element,
            }
            for problem in refusal.problems
        ],
        "type": refusal.kind,
    }


def fault_json(refusal: RefusedError, now: datetime) -> bytes:
    """The JSON of an answer that is a fault."""
    return with_time(dumps({"Fault": fault(refusal)}), now)


def response(
    body: bytes, *, format_: Format, switches: QuickBooksSwitches, status: int = HTTPStatus.OK
) -> Response:
    """An answer from its JSON."""
    headers = trace_headers()
    if format_ == "xml":
        content = to_xml(simplejson.loads(body, use_decimal=True))
        headers["Content-Type"] = "application/xml"
    else:
        content = body
        charset = ";charset=UTF-8" if switches.json_charset else ""
        headers["Content-Type"] = f"application/json{charset}"
    return Response(content, status_code=status, headers=headers)


def gateway_body(
    *, code: str, word: str, status: int, kind: str, detail: str | None, now: datetime
) -> dict[str, Any]:
    """A refusal by the gateway: lower-case keys, time in milliseconds."""
    message = f"message={word}; errorCode={code.zfill(6)}; statusCode={status}"
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {
            "error": [{"message": message, "detail": detail, "code": code, "element": None}],
            "type": kind,
        },
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": epoch_milliseconds(now),
        "status": None,
        "cdcresponse": [],
    }


def gateway_response(
    body: Mapping[str, Any], *, status: int, format_: Format, extra: Mapping[str, str] | None = None
) -> Response:
    """The answer that carries a refusal by the gateway."""
    headers = {**trace_headers(), **(extra or {})}
    if format_ == "xml":
        error = body["fault"]["error"][0]
        twin = {
            "time": answer_time(datetime.fromtimestamp(body["time"] / 1000, UTC)),
            "Fault": {
                "type": body["fault"]["type"],
                "Error": [{"Message": error["message"], "Detail": error["detail"], "code": error["code"]}],
            },
        }
        headers["Content-Type"] = "application/xml"
        return Response(to_xml(twin), status_code=status, headers=headers)
    headers["Content-Type"] = "application/json"
    return Response(dumps(body), status_code=status, headers=headers)


def unauthenticated(detail: str | None, *, now: datetime, format_: Format) -> Response:
    """401: no token, or one that is expired, unknown or revoked."""
    body = gateway_body(
        code="3200",
        word="AuthenticationFailed",
        status=HTTPStatus.UNAUTHORIZED,
        kind="AUTHENTICATION",
        detail=detail,
        now=now,
    )
    return gateway_response(
        body,
        status=HTTPStatus.UNAUTHORIZED,
        format_=format_,
        extra={"WWW-Authenticate": 'Bearer realm="Intuit"'},
    )


def forbidden(*, now: datetime, format_: Format) -> Response:
    """403: the token is not good for this company."""
    body = gateway_body(
        code="3100",
        word="ApplicationAuthorizationFailed",
        status=HTTPStatus.FORBIDDEN,
        kind="SERVICE",
        detail=None,
        now=now,
    )
    return gateway_response(body, status=HTTPStatus.FORBIDDEN, format_=format_)


def throttled(*, now: datetime, format_: Format, retry_after: int = 0) -> Response:
    """429: a limit was reached."""
    body = gateway_body(
        code="3001",
        word="ThrottleExceeded",
        status=HTTPStatus.TOO_MANY_REQUESTS,
        kind="SERVICE",
        detail=THROTTLED,
        now=now,
    )
    extra = {"Retry-After": str(retry_after)} if retry_after else None
    return gateway_response(body, status=HTTPStatus.TOO_MANY_REQUESTS, format_=format_, extra=extra)


class NegotiatedResponse(Response):
    """A response whose format is decided by the request that it answers."""

    def __init__(self, *, json: Response, xml: Response, default: Format = "xml") -> None:
        super().__init__(status_code=json.status_code)
        self._formats: dict[Format, Response] = {"json": json, "xml": xml}
        self._switches = QuickBooksSwitches(answer_without_accept=default)

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        chosen = self._formats[answer_format(accept.decode("latin-1"), self._switches)]
        await chosen(scope, receive, send)
