"""What a response of QuickBooks says: a good answer, a refusal, or a reason to ask again. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from target_quickbooks.errors import CompanyRefused, TargetError
from target_quickbooks.exact_json import from_json
from target_quickbooks.quickbooks.answers import OddAnswer, check_shape
from target_quickbooks.quickbooks.faults import Fault, Recovery, read_faults
from target_quickbooks.quickbooks.repeating import Again, retry_after

_TID_LENGTH = 64


class Refused(TargetError):
    """QuickBooks refused a whole request for a reason that lies in the request.

    A writer finds the item that is to blame; a look-up that is refused ends the run.
    """

    def __init__(self, faults: Sequence[Fault], *, at: dt.datetime | None = None) -> None:
        said = "; ".join(fault.text for fault in faults)
        super().__init__(f"QuickBooks refused a request that should have been fine: {said}")
        self.faults = tuple(faults)
        #: When, by QuickBooks' clock, if it says so.
        self.at = at
        #: Whether the request had been sent before: an earlier attempt may have been applied.
        self.repeated = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: the parsed body, Intuit's trace id, and whether the request was sent before."""

    body: Mapping[str, Any]
    tid: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The answers to a batch by ``bId``.

    Attributes:
        repeated: The request was sent more than once: an earlier attempt may have been applied.
        mixed_up: It answers an item twice, or items that were not sent: which answer is whose is not sure.
    """

    by_id: Mapping[str, Mapping[str, Any]]
    tid: str
    repeated: bool = False
    mixed_up: bool = False


def company_refused(realm_id: str, fault: Fault) -> CompanyRefused:
    """What to say when nothing will work with this company until a person did something."""
    return CompanyRefused(
        f"QuickBooks refuses company (realm) {realm_id}: {fault.text}. Check realm_id, environment and "
        "api_url, and that the connected user is an admin there; reconnect with: quickbooks-admin connect"
    )


def is_stale(response: requests.Response) -> bool:
    """Whether the access token was refused, so that another one may help."""
    if response.status_code != requests.codes.unauthorized:
        return False
    return read_faults(_text(response), status=response.status_code)[0].recovery is Recovery.REFRESH


def judged(response: requests.Response, realm_id: str) -> Answer:
    """The good answer.

    Raises:
        Again: It is none, and asking again may help.
        CompanyRefused: The realm, plan, user or subscription is refused.
        Refused: The request itself is refused.
    """
    tid = response.headers.get("intuit_tid", "")[:_TID_LENGTH]
    if response.status_code == requests.codes.ok:
        try:
            body = from_json(response.content)
        except ValueError:
            raise Again("an answer that is cut short or not JSON") from None
        if isinstance(body, Mapping) and not (body.get("Fault") or body.get("fault")):
            return Answer(body, tid)
    raise _refusal(read_faults(_text(response), status=response.status_code, tid=tid), response, realm_id)


def make_sure(body: Mapping[str, Any], check: Callable[[Mapping[str, Any]], object]) -> None:
    """Have an answer asked for again that QuickBooks cannot mean.

    Raises:
        Again: It has not the shape of such answers.
    """
    try:
        check_shape(body)
        check(body)
    except OddAnswer as odd:
        raise Again(str(odd)) from None


def clock_ahead(response: requests.Response, known: dt.timedelta) -> dt.timedelta:
    """By how much our clock is ahead of the one that dated the answer."""
    try:
        theirs = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return known
    return dt.datetime.now(dt.UTC) - theirs if theirs.tzinfo else known


def _refusal(faults: Sequence[Fault], response: requests.Response, realm_id: str) -> Exception:
    if not faults:
        return Again(f"an answer of an unknown shape (HTTP {response.status_code})")
    first = faults[0]
    match first.recovery:
        case Recovery.RETRY:
            throttled = response.status_code == requests.codes.too_many_requests or first.code == "3001"
            return Again(first.text, seconds=retry_after(response), throttled=throttled)
        case Recovery.REFRESH | Recovery.STOP:
            return company_refused(realm_id, first)
        case _:
            return Refused(faults, at=_told_time(response))


def _text(response: requests.Response) -> str:
    """The body as UTF-8, which QuickBooks always sends; guessing garbles short localised texts."""
    return response.content.decode("utf-8", "replace")


def _told_time(response: requests.Response) -> dt.datetime | None:
    """The time that an answer tells itself (QuickBooks manual 1.5)."""
    try:
        body = from_json(response.content)
        moment = dt.datetime.fromisoformat(str(body.get("time"))) if isinstance(body, Mapping) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
