"""QuickBooks' answers that say no: parsing every known shape, and what each means for us.

Shapes (QuickBooks manual 2.7, 7.1, 8): ``Fault`` with capitalised keys, the gateway's lower-case ``fault``,
XML twins of both, and pages that are neither. Decisions go by code, never by text: texts are localised.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from target_quickbooks.exact_json import from_json
from target_quickbooks.redaction import redact_text

_DETAIL_LENGTH = 400
_CODE_LENGTH = 16
_HOLDER = re.compile(r"\b(?:Txn)?Id=(\d+)")


class Recovery(enum.Enum):
    """What to do about a fault (QuickBooks manual 7.4)."""

    RETRY = "repeat the same request after a while"
    REFRESH = "renew the access token and repeat once"
    REREAD = "read the object again, then plan again"
    NAME_TAKEN = "look up who holds the name"
    NUMBER_TAKEN = "use another document number"
    CLOSED = "the books are closed for the date: the policy decides"
    STOP = "stop the run: nothing else will work either"
    REFUSE = "keep the record as failed"


@dataclass(frozen=True, slots=True)
class Fault:
    """One refusal by QuickBooks. ``code`` is without leading zeros, e.g. ``3200``."""

    code: str
    message: str
    detail: str = ""
    element: str = ""
    type: str = ""
    status: int = 200
    tid: str = ""

    @property
    def recovery(self) -> Recovery:
        """What to do about it."""
        return _RECOVERIES.get(self.code) or _by_status(self.status)

    @property
    def text(self) -> str:
        """One line for logs and failures: code, message and detail, shortened and redacted."""
        words = " - ".join(dict.fromkeys(part for part in (self.message, self.detail) if part))
        line = " ".join(f"{self.code} {words}".split())
        return redact_text("".join(letter for letter in line if letter.isprintable()))[:_DETAIL_LENGTH]

    @property
    def is_unexplained(self) -> bool:
        """Whether the answer named no fault: all that is known is an error status."""
        return self.status != 200 and self.code == str(self.status)  # noqa: PLR2004

    @property
    def may_be_repetition(self) -> bool:
        """What a batch that is not replayed answers to items applied before (QuickBooks manual 5)."""
        return self.code == "6000"

    @property
    def holder_id(self) -> str:
        """The id of what holds a document number (6140) or a name (6240), if the text tells."""
        found = _HOLDER.search(self.detail)
        return found[1] if found else ""


_RECOVERIES = {
    "3001": Recovery.RETRY,
    "130": Recovery.RETRY,
    "150": Recovery.RETRY,
    "600": Recovery.RETRY,
    "10000": Recovery.RETRY,
    "3200": Recovery.REFRESH,
    "100": Recovery.STOP,
    "120": Recovery.STOP,
    "140": Recovery.STOP,
    "3100": Recovery.STOP,
    "6190": Recovery.STOP,
    "10200": Recovery.STOP,
    "5010": Recovery.REREAD,
    "6240": Recovery.NAME_TAKEN,
    "6140": Recovery.NUMBER_TAKEN,
    "6200": Recovery.CLOSED,
    "6210": Recovery.CLOSED,
}


def _by_status(status: int) -> Recovery:
    """For answers without a known code; a redirect or 404 is about the address, not the record.

    QuickBooks answers 200 to whatever it did, so that another success is not its own.
    """
    if status == 401:  # noqa: PLR2004 - HTTP statuses are clearer as numbers
        return Recovery.REFRESH
    if status in {403, 404, 405, 407} or 300 <= status < 400:  # noqa: PLR2004
        return Recovery.STOP
    if status in {408, 429} or status >= 500 or 200 < status < 300:  # noqa: PLR2004
        return Recovery.RETRY
    return Recovery.REFUSE


def read_faults(body: str, *, status: int, tid: str = "") -> list[Fault]:
    """Read the faults in an answer; an empty list if it holds none and the status is 200.

    An error status always yields at least one fault, whatever the body looks like.
    """
    text = body.lstrip("\ufeff \r\n\t")
    read = _from_xml if text.startswith("<") else _from_json
    faults = read(text, status, tid)
    if not faults and status != 200:  # noqa: PLR2004
        faults = [Fault(str(status), f"HTTP {status}", _plain(text), status=status, tid=tid)]
    return faults


def faults_in(answer: Mapping[str, Any], *, status: int = 200, tid: str = "") -> list[Fault]:
    """Read the faults in a parsed answer or in one item of a batch answer."""
    holder = answer.get("Fault") or answer.get("fault")
    if not isinstance(holder, Mapping):
        return []
    raw = holder.get("Error") or holder.get("error") or [{}]
    kind = str(holder.get("type") or "")
    return [
        _fault({str(key).lower(): value for key, value in error.items()}, kind, status, tid)
        for error in (raw if isinstance(raw, list) else [raw])
        if isinstance(error, Mapping)
    ]


def _fault(error: Mapping[str, Any], kind: str, status: int, tid: str) -> Fault:
    return Fault(
        code=str(error.get("code") or status).strip().lstrip("0")[:_CODE_LENGTH] or "0",
        message=str(error.get("message") or ""),
        detail=str(error.get("detail") or ""),
        element=str(error.get("element") or ""),
        type=kind,
        status=status,
        tid=tid,
    )


def _from_json(text: str, status: int, tid: str) -> list[Fault]:
    try:
        answer = from_json(text)
    except ValueError:
        return []
    return faults_in(answer, status=status, tid=tid) if isinstance(answer, Mapping) else []


def _from_xml(text: str, status: int, tid: str) -> list[Fault]:
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        return []
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities are refused above
    except (ET.ParseError, ValueError):
        return []
    kind = next((node.get("type", "") for node in root.iter() if _tag(node) == "fault"), "")
    return [
        _fault(
            {
                "code": node.get("code"),
                "element": node.get("element"),
                **{_tag(child): child.text for child in node},
            },
            kind,
            status,
            tid,
        )
        for node in root.iter()
        if _tag(node) == "error"
    ]


def _tag(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2].lower()


def _plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())[:120]
