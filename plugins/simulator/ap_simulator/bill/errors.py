"""BILL's refusals: codes, texts, statuses and the array they are sent in (BILL manual 3.7, 3.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from starlette.responses import Response

from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import stamp, to_json

JSON_TYPE: Final = "application/json"


class Code(StrEnum):
    """BILL's error codes. `INVALID` stands for the switch `validation_code`."""

    SYSTEM_ERROR = "BDC_1001"
    UNKNOWN_ERROR = "BDC_1002"
    WRONG_CREDENTIALS = "BDC_1101"
    WRONG_DEVELOPER_KEY = "BDC_1102"
    NO_SESSION = "BDC_1109"
    NO_SUCH_API = "BDC_1121"
    HOURLY_LIMIT = "BDC_1144"
    NO_ONLINE_PAYMENTS = "BDC_1150"
    PAYMENT_NOT_ALLOWED = "BDC_1151"
    OVERPAID = "BDC_1159"
    NO_SUCH_OBJECT = "BDC_1205"
    ROLLED_BACK = "BDC_1246"
    TOO_MANY_AT_ONCE = "BDC_1322"
    MFA_CODE_EXPIRED = "BDC_1356"
    UNTRUSTED_SESSION = "BDC_1361"
    PROCESS_DATE = "BDC_1402"
    INVALID = "INVALID"


TEXTS: Final[Mapping[Code, str]] = {
    Code.SYSTEM_ERROR: "System error occurred.",
    Code.UNKNOWN_ERROR: "Unknown error occurred.",
    Code.WRONG_CREDENTIALS: "User name and/or password do not match our records.",
    Code.WRONG_DEVELOPER_KEY: "Developer key is invalid.",
    # Two blanks, as BILL writes it.
    Code.NO_SESSION: "Session is invalid.  Please log in.",
    Code.NO_SUCH_API: "API not supported.",
    Code.HOURLY_LIMIT: "Max number of allowed requests per hour reached: {limit}.",
    Code.NO_ONLINE_PAYMENTS: "User cannot make online payments.",
    Code.PAYMENT_NOT_ALLOWED: "Bank account is not allowed to make online payments.",
    Code.OVERPAID: "Cannot overpay a bill",
    Code.NO_SUCH_OBJECT: "No data found for object with given ID",
    Code.ROLLED_BACK: "Rolled back because another item of the bulk request failed.",
    Code.TOO_MANY_AT_ONCE: "Max number of concurrent requests per organization reached.",
    Code.MFA_CODE_EXPIRED: "MFA code is expired.",
    Code.UNTRUSTED_SESSION: "Untrusted session. Multi-factor authentication is required.",
    Code.PROCESS_DATE: ("Please select a payment processing date two business days out from today."),
    Code.INVALID: "Invalid request.",
}

_STATUSES: Final[Mapping[Code, int]] = {
    Code.SYSTEM_ERROR: 500,
    Code.NO_SESSION: 401,
    Code.NO_SUCH_API: 404,
    Code.NO_SUCH_OBJECT: 404,
}

#: Refusals of the request itself; the services behind the gateway give the other ones.
_REQUEST_CODES: Final = frozenset({Code.INVALID, Code.NO_SUCH_API})


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of an error array."""

    code: Code
    message: str
    params: tuple[tuple[str, str], ...] = field(default=())


class Refusal(Exception):
    """The request is refused; `problems` become the error array."""

    def __init__(self, problems: Iterable[Problem], *, status: int | None = None) -> None:
        """Refuse with `problems`, by default with the status that the first code has."""
        self.problems = tuple(problems)
        self.status = status
        super().__init__("; ".join(f"{problem.code}: {problem.message}" for problem in self.problems))


def refusal(code: Code, *, status: int | None = None, **values: object) -> Refusal:
    """A refusal with the text that belongs to `code`; `values` fill its placeholders."""
    params = tuple((name, str(value)) for name, value in values.items())
    return Refusal([Problem(code, TEXTS[code].format(**values), params)], status=status)


def invalid(*messages: str) -> Refusal:
    """A refusal of an invalid request: one entry per message, such as `name: must not be null`."""
    return Refusal([Problem(Code.INVALID, message) for message in messages], status=400)


def no_reference(field_name: str, record_id: str) -> Refusal:
    """A refusal of a body that names a record which does not exist."""
    message = f"{field_name}: {TEXTS[Code.NO_SUCH_OBJECT]}: {record_id}"
    params = ((field_name, record_id),)
    return Refusal([Problem(Code.NO_SUCH_OBJECT, message, params)], status=400)


def status_of(error: Refusal, switches: BillSwitches) -> int:
    """The HTTP status of a refusal."""
    if error.status is not None:
        return error.status
    code = error.problems[0].code
    match code:
        case Code.HOURLY_LIMIT | Code.TOO_MANY_AT_ONCE:
            return switches.throttle_status
        case Code.WRONG_CREDENTIALS | Code.WRONG_DEVELOPER_KEY:
            return switches.credentials_status
        case Code.NO_ONLINE_PAYMENTS:
            return switches.permission_status
        case Code.UNTRUSTED_SESSION:
            return switches.untrusted_status
        case _:
            return _STATUSES.get(code, 400)


def code_text(problem: Problem, switches: BillSwitches) -> str:
    """The code as it is sent."""
    return switches.validation_code if problem.code is Code.INVALID else problem.code.value


def _entry(problem: Problem, *, switches: BillSwitches, now: datetime) -> dict[str, Any]:
    request_at_fault = problem.code in _REQUEST_CODES
    entry: dict[str, Any] = {
        "timestamp": stamp(now),
        "code": code_text(problem, switches),
        "severity": "ERROR",
        "category": "REQUEST" if request_at_fault else "DOWNSTREAM",
        "message": problem.message,
    }
    if problem.params:
        entry["params"] = [{"name": name, "value": value} for name, value in problem.params]
    return entry


def error_response(error: Refusal, *, switches: BillSwitches, now: datetime) -> Response:
    """The refusal as BILL sends it: a JSON array of entries."""
    entries = [_entry(problem, switches=switches, now=now) for problem in error.problems]
    return Response(to_json(entries), status_code=status_of(error, switches), media_type=JSON_TYPE)


_GATEWAY_TEXTS: Final = {
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Endpoint request timed out",
}


def fault_response(kind: str, *, status: int, path: str) -> Response:
    """The body of an injected fault.

    Args:
        kind: `throttle` (BDC_1322, or BDC_1144 on the login, which only has an hourly limit),
            `hourly_limit` (BDC_1144), or `server_error`.
        status: HTTP status to send. 500 has BDC_1001 in an array; 502, 503 and 504 come from the
            gateway, whose body is an object with only a `message`.
        path: The path that was called.
    """
    now = datetime.now(UTC)
    if kind == "server_error" and status in _GATEWAY_TEXTS:
        body = to_json({"message": _GATEWAY_TEXTS[status]})
        return Response(body, status_code=status, media_type=JSON_TYPE)
    limits = BillSwitches()
    if kind == "server_error":
        error = refusal(Code.SYSTEM_ERROR, status=status)
    elif path.rstrip("/").endswith("/v3/login"):
        error = refusal(Code.HOURLY_LIMIT, status=status, limit=limits.logins_per_hour)
    elif kind == "hourly_limit":
        error = refusal(Code.HOURLY_LIMIT, status=status, limit=limits.requests_per_hour)
    else:
        error = refusal(Code.TOO_MANY_AT_ONCE, status=status)
    return error_response(error, switches=limits, now=now)
