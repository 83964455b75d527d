"""Reads BILL's answers: the decoded body of a success, or the error that says what to do.

Pure: a status, a body and what was asked go in. BILL's error bodies are arrays with one entry per
problem; its gateway sends an object with a `message`, or a page of HTML (BILL manual 3.7). The
status of several errors is undocumented, so the code decides before the status does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

import msgspec

from tap_bill import errors
from tap_bill.redaction import scrub_foreign

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_MFA_CODES = frozenset({"BDC_1356", "BDC_1361"})
_MFA_WORDS = re.compile(r"\bMFA\b|multi-?\s?factor|two-?\s?(?:step|factor)|untrusted session", re.IGNORECASE)
_ORGANIZATION_WORDS = re.compile(r"\borgani[sz]ation", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was asked of BILL, in the words of an error message.

    Attributes:
        what: Method and path, such as `GET /v3/vendors`.
        place: The environment and its address, for hints about the wrong one.
        organization_id: Of the settings.
        login: Whether it is the login, for which 401 does not mean an expired session.
    """

    what: str
    place: str
    organization_id: str = ""
    login: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of BILL's error array."""

    code: str
    message: str

    def in_words(self) -> str:
        """Code and message, as far as there are any."""
        return ": ".join(part for part in (self.code, self.message) if part)


def read(status: int, body: bytes, call: Call) -> Any:
    """Decode an answer; floats become `Decimal`.

    Raises:
        FatalAPIError: A subclass from `tap_bill.errors`: repeating the call is no use.
        RetriableAPIError: Another subclass: the class says when to repeat the call.
    """
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        msg = (
            f"{call.what} was redirected (HTTP {status}). Redirects are not followed because they could "
            f"carry the session to another host; check api_url ({call.place})"
        )
        raise errors.RedirectRefusedError(msg)
    decoded, readable = _decode(body)
    if status >= HTTPStatus.BAD_REQUEST or _is_error_array(decoded):
        raise _refusal(status, _problems(decoded), call)
    if not readable:
        msg = f"{call.what} brought an answer that is not complete JSON ({len(body)} bytes)"
        raise errors.UnreadableAnswerError(msg)
    return decoded


def page_of(decoded: Any, call: Call) -> tuple[list[dict[str, Any]], str | None]:
    """The records and the `nextPage` of a list's decoded answer.

    Raises:
        UnreadableAnswerError: It is no list envelope (BILL manual 3.1).
    """
    if isinstance(decoded, dict) and "results" in decoded:
        records = [] if decoded["results"] is None else decoded["results"]
        if isinstance(records, list) and all(isinstance(one, dict) and one.get("id") for one in records):
            return records, decoded.get("nextPage") or None
    msg = f"{call.what} brought JSON that is no list of records with ids"
    raise errors.UnreadableAnswerError(msg)


def _decode(body: bytes) -> tuple[Any, bool]:
    try:
        return _DECODER.decode(body), True
    except (msgspec.DecodeError, RecursionError):
        pass  # Python's own decoder takes halves of surrogate pairs, too.
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_constant), True
    except (ValueError, RecursionError):
        return None, False


def _no_constant(name: str) -> None:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


def _is_error_array(decoded: Any) -> bool:
    """Whether a body is an error array, which counts as an error even with HTTP 200."""
    return (
        isinstance(decoded, list)
        and bool(decoded)
        and all(isinstance(entry, dict) and ("code" in entry or "severity" in entry) for entry in decoded)
    )


def _problems(decoded: Any) -> list[Problem]:
    entries = decoded if isinstance(decoded, list) else [decoded]
    return [
        Problem(scrub_foreign(str(entry.get("code") or "")), scrub_foreign(str(entry.get("message") or "")))
        for entry in entries
        if isinstance(entry, dict) and (entry.get("code") or entry.get("message"))
    ]


def _refusal(  # noqa: PLR0911 - one return per way to recover
    status: int, problems: Sequence[Problem], call: Call
) -> Exception:
    codes = {problem.code for problem in problems}
    said = "; ".join(dict.fromkeys(problem.in_words() for problem in problems)) or "no reason given"
    answer = f"HTTP {status}, {said}"
    if "BDC_1144" in codes:
        return errors.HourlyLimitError(f"{call.what}: BILL's hourly limit is used up ({answer})")
    if "BDC_1322" in codes:
        return errors.ConcurrencyLimitError(f"{call.what}: too many requests at a time ({answer})")
    if codes & _MFA_CODES or any(_MFA_WORDS.search(problem.message) for problem in problems):
        return errors.MfaRequiredError(
            f"BILL asks for multi-factor authentication ({answer}), which a tap cannot answer: use a sync "
            "token (in BILL: Settings > Sync & Integrations > Tokens), its name as username and its value "
            "as password"
        )
    if "BDC_1102" in codes:
        return errors.DeveloperKeyError(
            f"BILL does not know the developer key ({answer}): check dev_key, and that it belongs to "
            f"{call.place}; keys of the other environment are refused like this, too"
        )
    if "BDC_1101" in codes:
        return errors.CredentialsError(
            f"BILL does not know this user and password in organization {call.organization_id} ({answer}): "
            f"check username, password and organization_id, and that they belong to {call.place}; logins of "
            "the other environment are refused like this, too"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or "BDC_1001" in codes:
        return errors.ServerFaultError(f"{call.what} failed on BILL's side ({answer})")
    if status == HTTPStatus.NOT_FOUND:
        return errors.NotFoundError(
            f"BILL has nothing at {call.what} ({answer}): check api_url, it ends in /connect ({call.place})"
        )
    if call.login:
        return _login_refusal(problems, answer, call)
    return _call_refusal(status, codes, answer, said, call)


def _login_refusal(problems: Sequence[Problem], answer: str, call: Call) -> Exception:
    if any(_ORGANIZATION_WORDS.search(problem.message) for problem in problems):
        return errors.OrganizationError(
            f"BILL does not let this user into organization {call.organization_id} ({answer}): check "
            f"organization_id (it begins with 008) and that it belongs to {call.place}"
        )
    return errors.CredentialsError(
        f"BILL refused the login ({answer}): check username, password, organization_id and dev_key, and "
        f"that they belong to {call.place}"
    )


def _call_refusal(status: int, codes: set[str], answer: str, said: str, call: Call) -> Exception:
    if status == HTTPStatus.UNAUTHORIZED or "BDC_1109" in codes:
        return errors.SessionExpiredError(f"{call.what}: BILL does not know the session ({answer})")
    if status == HTTPStatus.FORBIDDEN:
        return errors.PermissionDeniedError(
            f"the BILL user may not call {call.what} ({answer}): give the user a role that may read it "
            "(the organization needs ADMINISTRATOR), or deselect the stream"
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return errors.ConcurrencyLimitError(f"{call.what}: too many requests ({answer})")
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return errors.ServerFaultError(f"{call.what} took BILL too long ({answer})")
    return errors.RequestRefusedError(f"BILL refused {call.what} ({answer})", reason=said)
