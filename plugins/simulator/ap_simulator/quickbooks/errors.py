"""Injected errors in QuickBooks' own words, for the fault middleware (QuickBooks manual 7, 8)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from ap_simulator.quickbooks.envelopes import (
    Format,
    NegotiatedResponse,
    fault_json,
    response,
    throttled,
)
from ap_simulator.quickbooks.problems import Problem, RefusedError
from ap_simulator.quickbooks.switches import QuickBooksSwitches


def fault_response(kind: str, *, status: int, path: str) -> Response:  # noqa: ARG001
    """The answer of an injected `throttle` or `server_error`, JSON or XML as the request accepts.

    Args:
        kind: `throttle` answers 429 whatever the status says; anything else is a SystemFault.
        status: 500, 503 or 504 of a server error.
        path: Of the request; all of this API word their errors alike.
    """
    now = datetime.now(UTC)
    if kind == "throttle":
        return NegotiatedResponse(
            json=throttled(now=now, format_="json"), xml=throttled(now=now, format_="xml")
        )
    body = fault_json(system_failure(), now)
    formats: dict[Format, Any] = {
        format_: response(body, format_=format_, switches=QuickBooksSwitches(), status=status)
        for format_ in ("json", "xml")
    }
    return NegotiatedResponse(json=formats["json"], xml=formats["xml"])


def system_failure() -> RefusedError:
    """The service's own failure."""
    return RefusedError(
        [Problem("10000", "System Failure Error: Could not process the request, try again later")],
        kind="SystemFault",
        status=500,
    )
